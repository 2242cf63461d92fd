//! What other servers are asked for somebody who waits: which tools they have, or for a document. Each such errand may take many
//! seconds, a connection and megabytes, and then a processor for a while: their number is bounded, for one owner and in all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use engine::code::Code;
use uuid::Uuid;

use crate::http::problem::Problem;

/// How many errands of one account or partner may be under way at a time.
pub const ERRANDS_PER_OWNER_MAX: usize = 2;
/// How many errands may be under way at a time in this process.
pub const ERRANDS_MAX: usize = 32;
/// How long whoever comes too many is told to wait, in seconds.
const RETRY_AFTER_S: u64 = 5;

/// The errands under way, by the account or the partner whose they are.
#[derive(Debug, Default)]
pub struct Errands(Mutex<HashMap<Uuid, usize>>);

/// An errand under way: counted until it is dropped.
#[derive(Debug)]
pub struct Errand {
    errands: Arc<Errands>,
    owner: Uuid,
}

impl Errands {
    /// Counts an errand of `owner`: an account or a partner.
    ///
    /// # Errors
    /// Too many are under way: 429, with the time to wait.
    pub fn begin(self: &Arc<Self>, owner: Uuid) -> Result<Arc<Errand>, Problem> {
        let refused = |message: &str| Problem::new(Code::RateLimited, message).retry_after_s(RETRY_AFTER_S);
        let mut under_way = self.lock();
        let own = under_way.get(&owner).copied().unwrap_or(0);
        if own >= ERRANDS_PER_OWNER_MAX {
            return Err(refused("other servers are asked for this caller as often as they may be at a time"));
        }
        if under_way.values().copied().fold(0, usize::saturating_add) >= ERRANDS_MAX {
            return Err(refused("too many other servers are being asked just now"));
        }
        under_way.insert(owner, own.saturating_add(1));
        Ok(Arc::new(Errand { errands: Arc::clone(self), owner }))
    }

    fn end(&self, owner: Uuid) {
        let mut under_way = self.lock();
        match under_way.get_mut(&owner) {
            Some(own) if *own > 1 => *own = own.saturating_sub(1),
            Some(_) | None => drop(under_way.remove(&owner)),
        }
    }

    /// Nothing that holds the lock can be interrupted half-way.
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.errands.end(self.owner);
    }
}

#[cfg(test)]
mod tests;
