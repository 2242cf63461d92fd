//! What every writer does alike with the requests that wait for it: deciding them, and answering after the commit.

use std::sync::Arc;

use super::{Command, Job, RECORDS_KEPT_MAX, Reply, WriterError};
use crate::{
    invocation::CallRecord,
    ledger::{
        Refusal,
        batch::{Batch, Begun, Done, Ended},
        leaf::{Entry, RefusalEntry},
        plan::Plan,
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
        Job::Command(command, _) => Decided::Done(match &**command {
            Command::Post(post) => batch.post(post),
            Command::Hold(hold) => batch.hold(hold),
            Command::Settle(settle) => batch.settle(settle),
        }),
        Job::Tick(_) | Job::Unit(..) | Job::Records(_) | Job::Settings(_) => Decided::Nothing,
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

/// A unit that the ledger refused is rolled back, and the refusal with it; auditors still want to see it.
pub(super) fn refusal_plan(unit: &UnitOfWork, refusal: &Refusal) -> Option<Plan> {
    let post = unit.posts.first()?;
    let wallet = post.legs.first().map(|leg| leg.debit);
    let needed = post.legs.iter().map(|leg| leg.amount).max().unwrap_or_default();
    let entry = RefusalEntry { id: post.id, wallet, reason: refusal.as_str(), needed };
    Some(Plan { entries: vec![Entry::Refusal(entry)], ..Plan::default() })
}
