//! A batch without locks: decided on what this server remembers, and written by one statement that fails unless all of it
//! was still so. One round trip where four would be needed, as long as other servers leave the same wallets alone.
//!
//! Only decisions that the statement compares may be made like this. A refusal rests on a balance that it does not write,
//! so a batch with one is decided again under locks.

use uuid::Uuid;

use super::{
    session::Trouble,
    task::{Writer, open},
    wanted::Wanted,
    write::{Before, Decision, write},
};
use crate::{
    invocation::CallRecord,
    ledger::{
        batch::{Batch, Begun},
        plan::CallWrite,
    },
    store::writer::{
        Job,
        answers::{Decided, decide},
        undo::Undo,
    },
};

/// After so many accounts or counters everything remembered of them is dropped, so that the memory has a bound.
const REMEMBERED_MAX: usize = 65_536;

impl Writer {
    /// Whether `jobs` may be decided without locks now.
    pub(super) fn may_compare(&mut self, jobs: &[Job]) -> bool {
        let looks = self.is_look_due();
        let is_plain = jobs.iter().all(|job| match job {
            Job::Begin(..) | Job::Finish(..) => true,
            Job::Tick(_) => !looks,
            _ => false,
        });
        is_plain && !self.is_stale && !self.has_lost_to_settle() && self.session.is_some() && self.calm.may_compare()
    }

    /// Tries to carry `jobs` out without locks. `false`: nothing happened, it has to be done under locks.
    pub(super) async fn compare(
        &mut self,
        jobs: &[Job],
        name: &mut Option<Uuid>,
        decided: &mut Vec<Decided>,
    ) -> Result<bool, Trouble> {
        let now_us = self.now_us();
        let epoch = self.head.epoch;
        let mut wanted = Wanted::by_jobs(&self.facts, jobs, now_us, epoch);
        if wanted.names_anything() || self.facts.is_anything_over(now_us) {
            return Ok(false);
        }
        if self.facts.accounts.len().max(self.facts.counters.len()) > REMEMBERED_MAX {
            self.facts.forget_accounts();
            self.facts.counters.clear();
        }
        let (session, facts) = (open(&mut self.session)?, &mut self.facts);
        wanted.complete(session.connection(), facts).await?;
        let (undo, before) = (Undo::of_jobs(facts, jobs), Before::of(&wanted, facts));
        let mut batch = Batch::new(facts, now_us, epoch);
        decided.extend(jobs.iter().map(|job| decide(&mut batch, job)));
        let mut plan = batch.into_plan();
        plan.calls.extend(
            self.records
                .iter()
                .map(|record: &std::sync::Arc<CallRecord>| CallWrite::Insert(std::sync::Arc::clone(record))),
        );
        let written = if decided.iter().all(is_compared) {
            let name = *name.get_or_insert_with(|| self.options.ids.next_uuid(now_us));
            write(session, &self.head, self.owner, Decision { plan: &plan, facts, before: &before, now_us, name }).await
        } else {
            Err(Trouble::Raced("not all that was decided on is compared".to_owned()))
        };
        match written {
            Ok(head) => {
                self.head = head;
                facts.end_batch();
                self.calm.won();
                Ok(true)
            }
            Err(Trouble::Raced(why)) => {
                tracing::debug!(why, "a batch is decided again, under locks");
                undo.restore(facts);
                wanted.forget(facts);
                facts.end_batch();
                decided.clear();
                self.calm.lost();
                Ok(false)
            }
            // The statement is its own commit.
            Err(Trouble::Lost(why)) => Err(Trouble::LostAtCommit(why)),
            Err(trouble) => Err(trouble),
        }
    }
}

/// Whether what was decided rests on nothing but what the statement writes, and so compares.
fn is_compared(decided: &Decided) -> bool {
    match decided {
        Decided::Begun(begun) => matches!(begun, Begun::Go),
        Decided::Ended(Ok(ended)) => !ended.is_too_late,
        Decided::Nothing => true,
        Decided::Ended(Err(_)) | Decided::Done(_) | Decided::Deferred => false,
    }
}
