//! What a decided batch writes. The store turns every list into rows; it decides nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    accounts::LedgerAccountId,
    caps::CounterKey,
    grants::OpenGrant,
    key::{KeyName, KeyState, StoredKey},
    leaf::Entry,
    movement::Statement,
};
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId},
    invocation::{CallEnd, CallRecord},
};

/// What an unlimited account gained in one batch, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HotDelta {
    /// Received.
    pub credits: i64,
    /// Spent.
    pub debits: i64,
}

/// A change to an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyWrite {
    /// Taken by a call (over an expired one of the same name).
    Claim(KeyName, StoredKey),
    /// Its call ended.
    Complete(KeyName, InvocationId, KeyState),
    /// Its call leaves it: it may be used again.
    Free(KeyName, InvocationId),
}

/// A change to a call's record.
#[derive(Debug, Clone)]
pub enum CallWrite {
    /// A new record.
    Insert(Arc<CallRecord>),
    /// The end of a recorded call.
    End(InvocationId, CallEnd),
}

/// A grant that has lapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapse {
    /// Which.
    pub grant: EntryId,
    /// Its account.
    pub account: LedgerAccountId,
    /// What of it went back to the platform. What is held follows its hold.
    pub left: Credits,
}

/// The writes of one batch.
#[derive(Debug, Default)]
pub struct Plan {
    /// New lines of the books, in order; the store numbers and hashes them.
    pub entries: Vec<Entry>,
    /// Holds placed in this batch that expire at that time (microseconds since the Unix epoch), if ever.
    pub opened: Vec<(EntryId, Option<i64>)>,
    /// Open holds that get another expiry.
    pub postponed: Vec<(EntryId, i64)>,
    /// Holds that are no longer open.
    pub closed: Vec<EntryId>,
    /// Grants that are open from now on.
    pub granted: Vec<OpenGrant>,
    /// Grants that have lapsed.
    pub lapsed: Vec<Lapse>,
    /// Wallets whose balances changed: the new values stand in the facts.
    pub wallets: BTreeSet<LedgerAccountId>,
    /// Counters that changed: the new values stand in the facts.
    pub counters: BTreeSet<CounterKey>,
    /// Sums for unlimited accounts.
    pub hot: BTreeMap<LedgerAccountId, HotDelta>,
    /// Transactions of which something was taken back: the new totals stand in the facts.
    pub refunds: BTreeSet<EntryId>,
    /// Statements of payouts, by the payouts' identifiers.
    pub statements: Vec<(EntryId, Statement)>,
    /// Changes to keys, in order.
    pub keys: Vec<KeyWrite>,
    /// Changes to calls, in order.
    pub calls: Vec<CallWrite>,
    /// Calls without a hold that have begun; of the others [`Self::opened`] tells.
    pub free_opened: Vec<InvocationId>,
    /// Calls without a hold that have ended.
    pub free_closed: Vec<InvocationId>,
}

impl Plan {
    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.keys.is_empty() && self.calls.is_empty() && self.postponed.is_empty()
    }

    /// About how many rows it writes.
    pub fn rows(&self) -> usize {
        let (opened, closed) = (self.opened.len(), self.closed.len());
        let lists = [self.entries.len(), opened, closed, self.wallets.len(), self.keys.len(), self.calls.len()];
        lists.into_iter().fold(0, usize::saturating_add)
    }
}
