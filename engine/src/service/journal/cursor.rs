//! Where a list of the journal goes on.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// More slots than there are.
const SLOTS_MAX: usize = 1_024;

/// Of every slot with entries that are to come, the first one that is not: `0.120_3.7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalCursor(BTreeMap<i64, i64>);

/// The text is no place in the journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place in the journal: take `next` of the page before")]
pub struct InvalidJournalCursor(String);

impl JournalCursor {
    pub(super) const fn of(left: BTreeMap<i64, i64>) -> Self {
        Self(left)
    }

    /// The first entry of `slot` that is not wanted any more; 1 if none is.
    pub(super) fn before(&self, slot: i64) -> i64 {
        self.0.get(&slot).copied().unwrap_or(1)
    }
}

impl fmt::Display for JournalCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, (slot, before)) in self.0.iter().enumerate() {
            let between = if count == 0 { "" } else { "_" };
            write!(f, "{between}{slot}.{before}")?;
        }
        Ok(())
    }
}

impl FromStr for JournalCursor {
    type Err = InvalidJournalCursor;

    fn from_str(text: &str) -> Result<Self, InvalidJournalCursor> {
        let pair = |part: &str| {
            let (slot, before) = part.split_once('.')?;
            Some((slot.parse().ok()?, before.parse().ok()?))
        };
        let pairs: Option<BTreeMap<i64, i64>> = text.split('_').take(SLOTS_MAX).map(pair).collect();
        pairs.map(Self).ok_or_else(|| InvalidJournalCursor(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests;
