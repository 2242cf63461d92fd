//! All prices of one tool, over time.

use std::sync::Arc;

use super::Price;

/// The price versions of one tool, in the order in which they come into force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceBook {
    /// Sorted by time, then by identifier: of two with the same time, the one made later stands.
    versions: Vec<Arc<Price>>,
}

impl PriceBook {
    /// A book of these versions, in whatever order they come.
    pub fn new(versions: impl IntoIterator<Item = Price>) -> Self {
        let mut versions: Vec<_> = versions.into_iter().map(Arc::new).collect();
        versions.sort_by_key(|price| (price.effective_from_us, price.id));
        Self { versions }
    }

    /// The price at the time `now_us` (microseconds since the Unix epoch). A version is in force from its very
    /// microsecond on. Nothing when there is none yet: such a tool cannot be called.
    pub fn in_force_at(&self, now_us: i64) -> Option<&Arc<Price>> {
        let started = self.versions.partition_point(|price| price.effective_from_us <= now_us);
        self.versions.get(started.checked_sub(1)?)
    }

    /// The versions that come into force after `now_us`, soonest first.
    pub fn scheduled_after(&self, now_us: i64) -> &[Arc<Price>] {
        let started = self.versions.partition_point(|price| price.effective_from_us <= now_us);
        self.versions.get(started..).unwrap_or_default()
    }

    /// Every version, oldest first.
    pub fn versions(&self) -> &[Arc<Price>] {
        &self.versions
    }
}
