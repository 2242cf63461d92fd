//! What a writer does about a batch that was not written.

use sea_orm::sqlx;
use uuid::Uuid;

use super::{
    pace::{TRIES_MAX, pause},
    session::Trouble,
    slot::{self, Slot},
    task::Writer,
    wanted::Contested,
};
use crate::store::writer::count;

/// How often a lost connection is made again for the same batch.
const RECONNECTS_MAX: u32 = 2;

impl Writer {
    /// After a failed attempt: whether it was committed all the same. Returns the trouble if another attempt is useless.
    pub(super) async fn recover(
        &mut self,
        trouble: &Trouble,
        name: Option<Uuid>,
        races: &mut u32,
        reconnects: &mut u32,
    ) -> Result<bool, Trouble> {
        // What a unit's statements find happens before anything is read or decided: all is as it was.
        self.is_stale |= !matches!(trouble, Trouble::Conflict);
        tracing::debug!(?trouble, "a batch is tried again");
        match trouble {
            Trouble::Raced(why) => {
                *races = races.saturating_add(1);
                self.roll_back().await;
                // It may have waited long for a lock, and may do so again.
                if let Some(session) = &mut self.session
                    && let Err(trouble) = slot::renew(session, &self.head).await
                {
                    tracing::debug!(?trouble, "the lease was not renewed");
                }
                if *races >= TRIES_MAX {
                    return Err(Trouble::Raced(why.clone()));
                }
                tokio::time::sleep(pause(*races, name.unwrap_or_default())).await;
                Ok(false)
            }
            Trouble::Lost(why) | Trouble::LostAtCommit(why) => {
                *reconnects = reconnects.saturating_add(1);
                self.session = None;
                if *reconnects > RECONNECTS_MAX {
                    return Err(Trouble::Lost(why.clone()));
                }
                if matches!(trouble, Trouble::Lost(_)) {
                    return Ok(false);
                }
                match name {
                    Some(name) => self.was_committed(name).await,
                    None => Ok(false),
                }
            }
            Trouble::Fenced => {
                *reconnects = reconnects.saturating_add(1);
                self.roll_back().await;
                if *reconnects > RECONNECTS_MAX {
                    return Err(Trouble::Fenced);
                }
                self.take_slot().await.map(|()| false)
            }
            Trouble::Refused(why) => {
                self.roll_back().await;
                Err(Trouble::Refused(why.clone()))
            }
            Trouble::Conflict => {
                self.roll_back().await;
                Err(Trouble::Conflict)
            }
        }
    }

    /// Writes the records that wait, without jobs: those that the database does not take are lost, which costs nobody
    /// anything, and the others are not lost with them.
    pub(super) async fn save_records(&mut self) {
        let mut pending = vec![std::mem::take(&mut self.records)];
        while let Some(mut records) = pending.pop() {
            self.records.clone_from(&records);
            let saved = self.try_batch(&[], Contested::Wait).await;
            self.records.clear();
            match saved {
                Ok(_nothing) => count(&self.counters.batches, 1),
                Err(Trouble::Raced(_) | Trouble::Refused(_)) if records.len() > 1 => {
                    let half = records.split_off(records.len().div_ceil(2));
                    pending.extend([half, records]);
                }
                Err(Trouble::Raced(why) | Trouble::Refused(why)) => {
                    tracing::error!(why, call = ?records.first().map(|record| record.id), "a call is not recorded");
                    count(&self.counters.failures, 1);
                }
                // They wait for better times.
                Err(_gone) => {
                    self.records = pending.drain(..).rev().fold(records, |mut all, more| {
                        all.extend(more);
                        all
                    });
                }
            }
        }
    }

    /// Whether `name` was written. The old session may still be at it, or may not even have begun with it: renaming the
    /// owner waits for the one, and keeps the other from happening later.
    async fn was_committed(&mut self, name: Uuid) -> Result<bool, Trouble> {
        let (slot, epoch) = (self.head.slot, self.head.epoch);
        let session = self.session().await?;
        if let Some((owner, last_write)) = slot::rename_owner(session, slot, epoch).await? {
            self.owner = owner;
            return Ok(last_write == Some(name));
        }
        // Somebody else has the slot, and has written since; the next attempt finds out.
        let sql = "SELECT EXISTS (SELECT FROM batch WHERE client_batch_id = $1)";
        Ok(sqlx::query_scalar(sql).bind(name).fetch_one(session.connection()).await?)
    }

    /// Another server has the slot: this one goes on in a new one. What it had opened is settled by rule.
    async fn take_slot(&mut self) -> Result<(), Trouble> {
        let session = self.session().await?;
        let slot = slot::take(session).await?;
        (self.head, self.owner) = slot.map(|Slot { head, owner }| (head, owner)).ok_or(Trouble::Fenced)?;
        (self.is_stale, self.has_lost) = (true, true);
        tracing::warn!(
            slot = self.head.slot,
            epoch = self.head.epoch,
            "the writer's slot was lost; another one was taken"
        );
        Ok(())
    }
}
