//! Identifiers that come out the same for the same seed.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use super::dice::{GAMMA, mix};
use crate::id::{IdSource, uuid_v7};

/// A seeded source of identifiers; may be shared between threads.
#[derive(Debug)]
pub struct SeededIds(AtomicU64);

impl SeededIds {
    /// The same seed gives the same identifiers, as long as one thread asks.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(mix(seed)))
    }
}

impl IdSource for SeededIds {
    fn next_uuid(&self, now_us: i64) -> Uuid {
        let state = self.0.fetch_add(GAMMA, Ordering::Relaxed);
        let mut random = [0; 10];
        let (first, last) = random.split_at_mut(8);
        first.copy_from_slice(&mix(state).to_be_bytes());
        last.copy_from_slice(mix(!state).to_be_bytes().split_at(2).0);
        uuid_v7(now_us, random)
    }
}
