//! What a writer does about wallets that another server has locked: it passes over them, and comes back to what needed
//! them in its next batch. `docs/adr/0009-postgresql.md` says why.

use tokio::sync::mpsc;

use super::{
    BATCH_MAX,
    load::Foreign,
    session::Trouble,
    task::{Writer, open},
    wanted::{Contested, Wanted},
};
use crate::store::writer::Job;

/// After so many batches that put something off, what was put off gets a batch of its own, which waits.
const DEFERRALS_MAX: u32 = 3;

/// After a batch of which nothing could be decided because everything in it was locked, so many batches wait at once.
const CROWDED_BATCHES: u32 = 8;

impl Writer {
    /// Waits for jobs, unless some were put off; `false` if there are none and never will be.
    pub(super) async fn receive(&self, jobs: &mut mpsc::Receiver<Job>, waiting: &mut Vec<Job>) -> bool {
        if self.deferred.is_empty() {
            return jobs.recv_many(waiting, BATCH_MAX).await > 0;
        }
        let room = BATCH_MAX.saturating_sub(self.deferred.len());
        waiting.extend(std::iter::from_fn(|| jobs.try_recv().ok()).take(room));
        true
    }

    /// What was put off, for the next batch to begin with. Where something has been put off again and again it is carried
    /// out first: whoever waits for a lock gets it in turn.
    pub(super) async fn take_deferred(&mut self) -> Vec<Job> {
        let deferred = std::mem::take(&mut self.deferred);
        if deferred.is_empty() {
            self.deferrals = 0;
        } else {
            self.deferrals = self.deferrals.saturating_add(1);
        }
        if self.deferrals <= DEFERRALS_MAX {
            return deferred;
        }
        self.deferrals = 0;
        self.run_batch(deferred, Contested::Wait).await;
        Vec::new()
    }

    /// Locks and reads what `jobs` need; says of each whether it has to be put off, because another server has the wallet.
    pub(super) async fn lock(
        &mut self,
        jobs: &[Job],
        wanted: &mut Wanted,
        contested: Contested,
        foreign: &mut Foreign,
    ) -> Result<Vec<bool>, Trouble> {
        let waits = self.crowded > 0 || jobs.len() < 2;
        self.crowded = self.crowded.saturating_sub(1);
        let contested = if waits { Contested::Wait } else { contested };
        let (session, facts) = (open(&mut self.session)?, &mut self.facts);
        let (more, skipped) = wanted.lock(session.connection(), facts, contested).await?;
        foreign.add(more);
        if skipped.is_empty() {
            return Ok(vec![false; jobs.len()]);
        }
        let put_off: Vec<bool> = jobs.iter().map(|job| skipped.holds_up(&Wanted::by_job(facts, job))).collect();
        if put_off.contains(&false) {
            return Ok(put_off);
        }
        // There is nothing to do meanwhile. Counters may be locked by now, and wallets are always locked first.
        self.crowded = CROWDED_BATCHES;
        session.rollback().await?;
        session.begin().await?;
        let (more, _nothing) = wanted.lock(session.connection(), facts, Contested::Wait).await?;
        foreign.add(more);
        Ok(vec![false; jobs.len()])
    }
}
