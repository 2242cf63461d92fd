//! What every writer does alike with the requests that wait for it: deciding them, and answering after the commit.

use std::sync::Arc;

use serde_json::json;

use super::{Command, Job, RECORDS_KEPT_MAX, Reply, WriterError};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    invocation::CallRecord,
    ledger::{
        Refusal,
        batch::{Batch, Begun, Done, Ended},
        leaf::{Entry, RefusalEntry},
        plan::{Lapse, Plan},
    },
    store::unit::{NotSaved, UnitOfWork},
};

/// What was decided about a request; told only after the commit.
pub(super) enum Decided {
    Begun(Begun),
    Ended(Result<Ended, Refusal>),
    Done(Result<Done, Refusal>),
    Nothing,
    /// Not yet: another server has the wallet. Decided in a later batch.
    Deferred,
}

pub(super) fn unavailable(error: impl std::fmt::Display) -> WriterError {
    WriterError::Unavailable(error.to_string())
}

/// Decides one request of a batch. The request stays: after a batch that could not be written it may be decided afresh.
pub(super) fn decide(batch: &mut Batch<'_>, job: &Job) -> Decided {
    match job {
        Job::Begin(begin, _) => Decided::Begun(batch.begin(begin)),
        Job::Finish(finish, _) => Decided::Ended(batch.finish(finish)),
        Job::Command(command, _) => Decided::Done(carry_out(batch, command)),
        Job::Tick(_) | Job::Unit(..) | Job::Records(_) | Job::Settings(_) => Decided::Nothing,
    }
}

/// Decides a plain command.
pub(super) fn carry_out(batch: &mut Batch<'_>, command: &Command) -> Result<Done, Refusal> {
    match command {
        Command::Post(post) => batch.post(post),
        Command::Hold(hold) => batch.hold(hold),
        Command::Settle(settle) => batch.settle(settle),
        Command::Refund(refund) => batch.refund(refund),
        Command::Revert(revert) => batch.revert(revert),
        Command::Collect(collect) => batch.collect(collect),
        Command::Secure(secure) => batch.secure(secure),
        Command::Payout(payout) => batch.pay_out(payout),
        Command::Give(give) => batch.give(give),
        Command::Close(close) => batch.close_period(close),
    }
}

/// Whether a batch gets a name. A look around that finds nothing needs none: so a history has the same names however often
/// that happens.
pub(super) fn is_named(jobs: &[Job], plan: &Plan) -> bool {
    !plan.is_empty() || jobs.iter().any(|job| !matches!(job, Job::Tick(_)))
}

/// Answers a request of a batch that was committed. A caller that went away does not matter: what it asked for is done.
pub(super) fn answer(job: Job, decided: Decided) {
    fn tell<T>(reply: Reply<T>, value: T) {
        let gone = reply.send(Ok(value));
        drop(gone);
    }
    match (job, decided) {
        (Job::Begin(_, reply), Decided::Begun(begun)) => tell(reply, begun),
        (Job::Finish(_, reply), Decided::Ended(ended)) => tell(reply, ended),
        (Job::Command(_, reply), Decided::Done(done)) => tell(reply, done),
        (Job::Tick(reply), _) => tell(reply, ()),
        // Nothing was decided about it: whoever waits is told so.
        (job, _) => fail(job, &WriterError::Stopped),
    }
}

/// Answers a request of a batch that was not committed.
pub(super) fn fail(job: Job, error: &WriterError) {
    match job {
        Job::Begin(_, reply) => drop(reply.send(Err(error.clone()))),
        Job::Finish(_, reply) => drop(reply.send(Err(error.clone()))),
        Job::Command(_, reply) => drop(reply.send(Err(error.clone()))),
        Job::Tick(reply) => drop(reply.send(Err(error.clone()))),
        Job::Settings(reply) => drop(reply.send(Err(error.clone()))),
        Job::Unit(_, reply) => drop(reply.send(Err(NotSaved::Writer(error.clone())))),
        Job::Records(_) => {}
    }
}

/// Keeps the records of calls that moved no money until the next batch. While nothing can be written the records do not
/// grow beyond a bound: those that come later are lost, which costs nobody anything.
pub(super) fn keep(records: &mut Vec<Arc<CallRecord>>, more: Vec<Arc<CallRecord>>) {
    let room = RECORDS_KEPT_MAX.saturating_sub(records.len());
    records.extend(more.into_iter().take(room));
    if room > 0 && records.len() >= RECORDS_KEPT_MAX {
        tracing::error!("too many calls wait to be recorded: those that move no money are no longer recorded");
    }
}

/// What the audit trail tells of a batch by itself: the program lets grants lapse without being asked. Of paid calls it tells
/// nothing; the books are their trail.
pub(super) fn told_of(plan: &Plan) -> Vec<AuditEntry> {
    let told = |lapse: &Lapse| {
        let facts = json!({"credits": lapse.left.to_string()});
        OpContext::system().entry(Action::GrantExpire, "transaction", lapse.grant).after(facts)
    };
    plan.lapsed.iter().map(told).collect()
}

/// Decides the ledger's part of a unit, command by command.
pub(super) fn decide_unit(batch: &mut Batch<'_>, unit: &UnitOfWork) -> Result<Vec<Done>, Refusal> {
    unit.commands.iter().map(|command| carry_out(batch, command)).collect()
}

/// A unit that the ledger refused is rolled back, and the refusal with it; auditors still want to see it. `entry` is what
/// the batch would have kept.
pub(super) fn refusal_plan(entry: RefusalEntry) -> Plan {
    Plan { entries: vec![Entry::Refusal(entry)], ..Plan::default() }
}

/// The refusal with which a batch ends, as it would be kept.
pub(super) fn last_refusal(plan: Plan) -> Option<RefusalEntry> {
    match plan.entries.into_iter().next_back() {
        Some(Entry::Refusal(entry)) => Some(entry),
        _ => None,
    }
}
