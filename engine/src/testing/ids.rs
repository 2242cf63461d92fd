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
        let [a, b, c, d, e, f, g, h] = mix(state).to_be_bytes();
        let [i, j, ..] = mix(!state).to_be_bytes();
        uuid_v7(now_us, [a, b, c, d, e, f, g, h, i, j])
    }
}
