//! What is remembered from batch to batch, put back as it was where a batch was decided and not written. Otherwise all that
//! is open would have to be read again.

use super::{Command, Job};
use crate::{
    id::{EntryId, InvocationId},
    ledger::{
        facts::{Facts, OpenCall, OpenHold},
        grants::{Expiry, OpenGrant},
        plan::Plan,
    },
};

/// What this server has open of what a batch may change, as it was before.
#[derive(Debug, Default)]
pub(super) struct Undo {
    open: Vec<(EntryId, Option<OpenHold>, Option<OpenCall>)>,
    /// Expiries of grants that were not there.
    expiries: Vec<Expiry>,
}

impl Undo {
    pub(super) fn of_jobs(facts: &Facts, jobs: &[Job]) -> Self {
        let calls = jobs.iter().filter_map(|job| match job {
            Job::Begin(begin, _) => Some(begin.call.id),
            Job::Finish(finish, _) => Some(finish.call),
            _ => None,
        });
        Self { open: calls.map(|call| as_open(facts, EntryId::from(call))).collect(), expiries: Vec::new() }
    }

    pub(super) fn of_commands(facts: &Facts, commands: &[Command]) -> Self {
        let mut undo = Self::default();
        for command in commands {
            match command {
                Command::Hold(hold) => undo.open.push(as_open(facts, hold.id)),
                Command::Secure(secure) => undo.open.push(as_open(facts, secure.id)),
                // A call whose hold has expired ends with it.
                Command::Settle(settle) => undo.open.push(as_open(facts, settle.hold)),
                Command::Give(give) => {
                    let expiry = (give.expires_us, give.post.id, give.account);
                    undo.expiries.extend(Some(expiry).filter(|expiry| !facts.grants.expiries.contains(expiry)));
                }
                // These change balances and totals, which are read again.
                Command::Post(_)
                | Command::Refund(_)
                | Command::Revert(_)
                | Command::Collect(_)
                | Command::Payout(_)
                | Command::Close(_) => {}
            }
        }
        undo
    }

    pub(super) fn restore(self, facts: &mut Facts) {
        for (id, hold, call) in self.open {
            facts.remove_hold(id);
            if let Some(hold) = hold {
                facts.insert_hold(hold);
            }
            let id = InvocationId::from(id.uuid());
            match call {
                Some(call) => facts.calls.insert(id, call),
                None => facts.calls.remove(&id),
            };
        }
        for expiry in self.expiries {
            facts.grants.expiries.remove(&expiry);
        }
    }

    /// As [`Self::restore`]; what `plan` would have written of balances is forgotten, too, and read when it is needed.
    pub(super) fn take_back(self, facts: &mut Facts, plan: &Plan) {
        self.restore(facts);
        for id in &plan.wallets {
            facts.forget_account(*id);
        }
        for key in &plan.counters {
            facts.counters.remove(key);
        }
        for OpenGrant(grant) in &plan.granted {
            facts.forget_account(grant.wallet);
        }
        facts.end_batch();
    }
}

/// The hold of this name and its call, as they stand.
fn as_open(facts: &Facts, id: EntryId) -> (EntryId, Option<OpenHold>, Option<OpenCall>) {
    (id, facts.holds.get(&id).cloned(), facts.calls.get(&InvocationId::from(id.uuid())).cloned())
}
