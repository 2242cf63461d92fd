//! What must be known before a batch can be decided. The store loads it; a writer that owns its database may keep it
//! between batches.

use std::collections::{BTreeSet, HashMap};

use super::{
    accounts::{AccountKind, LedgerAccountId},
    caps::{CapUse, Counter, CounterKey},
    grants::Grants,
    key::{KeyName, StoredKey},
    leaf::{HoldEntry, SettlementEntry, TransactionEntry},
    movement::{RefundTotal, Turnover},
};
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId},
};

/// A limited account's balance, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wallet {
    /// Everything that ever came in.
    pub credits: i64,
    /// Everything that ever went out.
    pub debits: i64,
    /// Reserved by open holds.
    pub held: i64,
    /// How far below zero it may go.
    pub overdraft: i64,
    /// Rises by one with every change.
    pub version: i64,
}

impl Wallet {
    /// What may be spent now; below zero only if the overdraft was lowered.
    pub fn available(&self) -> i64 {
        self.credits.saturating_sub(self.debits).saturating_sub(self.held).saturating_add(self.overdraft)
    }

    /// With `amount` more reserved; `None` on overflow.
    pub fn holding(self, amount: i64) -> Option<Self> {
        Some(Self { held: self.held.checked_add(amount)?, version: self.version.checked_add(1)?, ..self })
    }

    /// With `held` less reserved and `captured` of it spent; `None` on overflow or if less is reserved.
    pub fn settling(self, held: i64, captured: i64) -> Option<Self> {
        Some(Self {
            held: self.held.checked_sub(held).filter(|rest| *rest >= 0)?,
            debits: self.debits.checked_add(captured)?,
            version: self.version.checked_add(1)?,
            ..self
        })
    }

    /// With `amount` spent; `None` on overflow.
    pub fn debited(self, amount: i64) -> Option<Self> {
        Some(Self { debits: self.debits.checked_add(amount)?, version: self.version.checked_add(1)?, ..self })
    }

    /// With `amount` received; `None` on overflow.
    pub fn credited(self, amount: i64) -> Option<Self> {
        Some(Self { credits: self.credits.checked_add(amount)?, version: self.version.checked_add(1)?, ..self })
    }
}

/// What is known of an account besides its balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountFacts {
    /// What it is for.
    pub kind: AccountKind,
    /// A closed account takes no money and spends none; held money may go back.
    pub is_closed: bool,
}

/// A hold that nobody has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHold {
    /// As placed.
    pub entry: HoldEntry,
    /// When the sweep settles it, in microseconds since the Unix epoch; `None`: never.
    pub expires_us: Option<i64>,
}

/// A call that has begun and whose end has not been recorded, or whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCall {
    /// The key that it holds.
    pub key: Option<KeyName>,
    /// The term of the writer that began it: a lower one than the present writer's means that its server died.
    pub epoch: i64,
    /// Its outcome is already known to be unknown.
    pub is_unknown: bool,
}

/// What an identifier already names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A transaction.
    Transaction(TransactionEntry),
    /// A hold, with its end if it has ended. The store loads ended ones only: open ones stand in [`Facts::holds`].
    Hold(HoldEntry, Option<SettlementEntry>),
    /// A settlement with an identifier of its own.
    Settlement(SettlementEntry),
}

/// Everything that a batch may need. What is absent does not exist: the store loads completely.
#[derive(Debug, Default)]
pub struct Facts {
    /// Accounts that the batch touches.
    pub accounts: HashMap<LedgerAccountId, AccountFacts>,
    /// Balances of the wallets among them.
    pub wallets: HashMap<LedgerAccountId, Wallet>,
    /// Counters of the caps involved.
    pub counters: HashMap<CounterKey, Counter>,
    /// The open grants of the wallets.
    pub grants: Grants,
    /// Open holds.
    pub holds: HashMap<EntryId, OpenHold>,
    /// The open holds that expire, soonest first.
    pub expiries: BTreeSet<(i64, EntryId)>,
    /// Open calls.
    pub calls: HashMap<InvocationId, OpenCall>,
    /// What the identifiers of the batch already name.
    pub known: HashMap<EntryId, Known>,
    /// The keys of the batch as they stand.
    pub keys: HashMap<KeyName, StoredKey>,
    /// How much of the transactions that the batch takes back was taken back before.
    pub refunds: HashMap<EntryId, RefundTotal>,
    /// Turnovers of the unlimited accounts whose balance decides something, as they were before the batch.
    pub turnovers: HashMap<LedgerAccountId, Turnover>,
}

impl Facts {
    /// Takes a hold in, and its expiry.
    pub fn insert_hold(&mut self, hold: OpenHold) {
        let id = hold.entry.id;
        if let Some(expires_us) = hold.expires_us {
            self.expiries.insert((expires_us, id));
        }
        self.holds.insert(id, hold);
    }

    /// Takes a hold out, and its expiry.
    pub fn remove_hold(&mut self, id: EntryId) -> Option<OpenHold> {
        let hold = self.holds.remove(&id)?;
        if let Some(expires_us) = hold.expires_us {
            self.expiries.remove(&(expires_us, id));
        }
        Some(hold)
    }

    /// A hold that is known, open or ended.
    pub fn hold_mut(&mut self, id: EntryId) -> Option<&mut HoldEntry> {
        match self.known.get_mut(&id) {
            Some(Known::Hold(hold, _)) => Some(hold),
            _ => self.holds.get_mut(&id).map(|open| &mut open.entry),
        }
    }

    /// The open holds whose time is over at `now_us`, soonest first, at most `count_max`. At the instant of its expiry
    /// a hold has expired.
    pub fn expired_holds(&self, now_us: i64, count_max: usize) -> Vec<EntryId> {
        self.expiries
            .iter()
            .take_while(|(expires_us, _)| *expires_us <= now_us)
            .take(count_max)
            .map(|(_, id)| *id)
            .collect()
    }

    /// Whether the time of a hold or of a grant is over at `now_us`, or a call of an earlier term than `epoch` has no outcome.
    pub fn is_anything_due(&self, now_us: i64, epoch: i64) -> bool {
        let is_lost = |call: &OpenCall| call.epoch < epoch && !call.is_unknown;
        self.is_anything_over(now_us) || self.calls.values().any(is_lost)
    }

    /// Whether the time of a hold or of a grant is over at `now_us`.
    pub fn is_anything_over(&self, now_us: i64) -> bool {
        let expiries = &self.grants.expiries;
        !self.expired_holds(now_us, 1).is_empty() || !expiries.due(now_us, 1).is_empty() || expiries.wants_more()
    }

    /// What a wallet can spend at `now_us`, with what its grants can: in micro-credits, below zero only if the overdraft was
    /// lowered.
    pub fn available(&self, wallet: LedgerAccountId, now_us: i64) -> i64 {
        let own = self.wallets.get(&wallet).map_or(0, Wallet::available);
        own.saturating_add(self.grants.available(wallet, &self.wallets, now_us))
    }

    /// What can be spent at `now_us`: the smallest of the wallet with its grants and every cap, in micro-credits, never
    /// below zero.
    pub fn spendable(&self, wallet: LedgerAccountId, caps: &[CapUse], now_us: i64) -> Credits {
        let balance = self.available(wallet, now_us).max(0);
        caps.iter()
            .map(|cap| {
                let counter = cap.counter().and_then(|key| self.counters.get(&key)).copied().unwrap_or_default();
                counter.remaining(cap.cap.limit)
            })
            .fold(Credits::from_micros(balance), Ord::min)
    }

    /// Forgets what is known of an account. A wallet and its grants are forgotten together.
    pub fn forget_account(&mut self, id: LedgerAccountId) {
        let wallet = self.grants.forget(id);
        for id in [id, wallet] {
            self.accounts.remove(&id);
            self.wallets.remove(&id);
        }
    }

    /// Forgets what is known of all accounts.
    pub fn forget_accounts(&mut self) {
        self.accounts.clear();
        self.wallets.clear();
        self.grants.forget_wallets();
    }

    /// Forgets what only the finished batch needed.
    pub fn end_batch(&mut self) {
        self.known.clear();
        self.keys.clear();
        self.refunds.clear();
        self.turnovers.clear();
    }
}
