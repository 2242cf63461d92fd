//! Credits that expire. Each grant has an account of its own beside its wallet, limited as the wallet is: so what is left
//! of one grant is a balance like every other, and no rule has to guess which credits were spent.
//!
//! A hold reserves from the wallet's grants first ([`OpenGrant::order`]) and remembers what it took from which. At its
//! expiry a grant lapses: what is left and not held goes back to the platform. What is held follows its hold.

use std::collections::{BTreeSet, HashMap};

use super::{
    accounts::LedgerAccountId,
    command::{Leg, Post},
    facts::Wallet,
    leaf::{HoldEntry, sha256},
};
use crate::{credits::Credits, id::EntryId};

/// How many grants of a wallet may wait to be spent. Every hold looks at all of them.
pub const OPEN_GRANTS_MAX: usize = 100;

/// The last of the priorities; the first is 0.
pub const PRIORITY_MAX: i64 = 1_000;

/// The priority of a grant that names none.
pub const PRIORITY_DEFAULT: i64 = 100;

/// How many of the soonest expiries are remembered; more are read when these are over.
pub const EXPIRIES_MAX: usize = 4_096;

/// Gives credits that expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiveGrant {
    /// The transaction that funds it: every leg credits `account`. Its identifier is the grant's.
    pub post: Post,
    /// Whose credits.
    pub wallet: LedgerAccountId,
    /// The grant's own account, opened for it and never used before.
    pub account: LedgerAccountId,
    /// Lower ones are spent first.
    pub priority: i64,
    /// From this moment on nothing of it can be spent, in microseconds since the Unix epoch.
    pub expires_us: i64,
}

/// A grant as given: a line of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantEntry {
    /// The identifier, also of the transaction that funds it.
    pub id: EntryId,
    /// Whose credits.
    pub wallet: LedgerAccountId,
    /// Where they are.
    pub account: LedgerAccountId,
    /// Lower ones are spent first.
    pub priority: i64,
    /// When it expires, in microseconds since the Unix epoch.
    pub expires_us: i64,
}

/// What a hold took from one grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldSource {
    /// Which grant.
    pub grant: EntryId,
    /// Its account.
    pub account: LedgerAccountId,
    /// Micro-credits; above zero.
    pub amount: Credits,
}

/// A grant that has not lapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenGrant(pub GrantEntry);

impl OpenGrant {
    /// Grants are spent in this order: by priority, then whichever expires first, then the older one.
    pub const fn order(&self) -> (i64, i64, EntryId) {
        (self.0.priority, self.0.expires_us, self.0.id)
    }

    /// Whether it can be spent at `now_us`. At the instant of its expiry a grant has expired.
    pub const fn is_live(&self, now_us: i64) -> bool {
        now_us < self.0.expires_us
    }
}

/// The open grants of the wallets that are known, and the expiries that come next.
#[derive(Debug, Default)]
pub struct Grants {
    /// By wallet, in the order in which they are spent. A known wallet without grants has no line.
    open: HashMap<LedgerAccountId, Vec<OpenGrant>>,
    /// The wallet of each of their accounts.
    wallets: HashMap<LedgerAccountId, LedgerAccountId>,
    /// What expires next.
    pub expiries: Expiries,
}

impl Grants {
    /// The open grants of `wallet`, expired ones too, in the order in which they are spent.
    pub fn of(&self, wallet: LedgerAccountId) -> &[OpenGrant] {
        self.open.get(&wallet).map_or(&[], Vec::as_slice)
    }

    /// The open grant whose account this is.
    pub fn find(&self, account: LedgerAccountId) -> Option<&OpenGrant> {
        self.of(*self.wallets.get(&account)?).iter().find(|grant| grant.0.account == account)
    }

    /// Takes a grant in that is open. Its expiry is another matter: see [`Expiries`].
    pub fn insert(&mut self, grant: OpenGrant) {
        self.remove(grant.0.account);
        self.wallets.insert(grant.0.account, grant.0.wallet);
        let open = self.open.entry(grant.0.wallet).or_default();
        let at = open.partition_point(|other| other.order() < grant.order());
        open.insert(at, grant);
    }

    /// Takes a grant out, by its account.
    pub fn remove(&mut self, account: LedgerAccountId) {
        let Some(wallet) = self.wallets.remove(&account) else { return };
        if let Some(open) = self.open.get_mut(&wallet) {
            open.retain(|grant| grant.0.account != account);
            if open.is_empty() {
                self.open.remove(&wallet);
            }
        }
    }

    /// Forgets what is known of the grants of a wallet, which is named by itself or by one of its grants' accounts.
    /// Returns the wallet: nothing that is known of it may be used any more.
    pub fn forget(&mut self, id: LedgerAccountId) -> LedgerAccountId {
        let wallet = self.wallets.get(&id).copied().unwrap_or(id);
        for grant in self.open.remove(&wallet).unwrap_or_default() {
            self.wallets.remove(&grant.0.account);
        }
        wallet
    }

    /// Forgets all wallets. The expiries stay: they are not read again with them.
    pub fn forget_wallets(&mut self) {
        self.open.clear();
        self.wallets.clear();
    }

    /// What the grants of `wallet` can pay at `now_us`, in micro-credits.
    pub fn available(&self, wallet: LedgerAccountId, balances: &HashMap<LedgerAccountId, Wallet>, now_us: i64) -> i64 {
        let live = self.of(wallet).iter().filter(|grant| grant.is_live(now_us));
        live.fold(0, |sum, grant| sum.saturating_add(left(balances, grant)))
    }

    /// From which grants a hold of `amount` on `wallet` takes how much at `now_us`. What is missing is the wallet's own.
    pub fn sources(
        &self,
        wallet: LedgerAccountId,
        amount: Credits,
        balances: &HashMap<LedgerAccountId, Wallet>,
        now_us: i64,
    ) -> Vec<HoldSource> {
        let mut rest = amount.micros();
        let mut sources = Vec::new();
        for grant in self.of(wallet).iter().filter(|grant| grant.is_live(now_us)) {
            let part = rest.min(left(balances, grant));
            if part > 0 {
                rest = rest.saturating_sub(part);
                let amount = Credits::from_micros(part);
                sources.push(HoldSource { grant: grant.0.id, account: grant.0.account, amount });
            }
        }
        sources
    }

    /// Where a refund of what a charge took from `debited` belongs at `now_us`: there, if that is a wallet, or a grant that
    /// can still be spent; else the wallet that the grant was given to, which the caller knows as the `wallet` of the
    /// charge's hold.
    pub fn refund_account(&self, debited: LedgerAccountId, wallet: LedgerAccountId, now_us: i64) -> LedgerAccountId {
        let is_live = self.find(debited).is_some_and(|grant| grant.is_live(now_us));
        if is_live { debited } else { wallet }
    }
}

fn left(balances: &HashMap<LedgerAccountId, Wallet>, grant: &OpenGrant) -> i64 {
    balances.get(&grant.0.account).map_or(0, Wallet::available).max(0)
}

/// When which grant expires (in microseconds since the Unix epoch), and its account.
pub type Expiry = (i64, EntryId, LedgerAccountId);

/// The grants that expire next, soonest first. Where there are too many to remember, only the soonest are here.
#[derive(Debug, Default)]
pub struct Expiries {
    soonest: BTreeSet<Expiry>,
    /// Later ones exist that are not here.
    is_partial: bool,
}

impl Expiries {
    /// With `soonest` as read, in their order; `is_partial` if there are more.
    pub fn of(soonest: impl IntoIterator<Item = OpenGrant>, is_partial: bool) -> Self {
        Self { soonest: soonest.into_iter().map(key).collect(), is_partial }
    }

    /// Takes a grant in.
    pub fn insert(&mut self, grant: OpenGrant) {
        let key = key(grant);
        if self.is_partial && self.soonest.last().is_none_or(|last| key > *last) {
            return;
        }
        self.soonest.insert(key);
        if self.soonest.len() > EXPIRIES_MAX {
            self.soonest.pop_last();
            self.is_partial = true;
        }
    }

    /// Whether it is remembered.
    pub fn contains(&self, expiry: &Expiry) -> bool {
        self.soonest.contains(expiry)
    }

    /// Takes an expiry out.
    pub fn remove(&mut self, expiry: &Expiry) {
        self.soonest.remove(expiry);
    }

    /// Those that are over at `now_us`, soonest first, at most `count_max`.
    pub fn due(&self, now_us: i64, count_max: usize) -> Vec<Expiry> {
        self.soonest.iter().take_while(|(expires_us, ..)| *expires_us <= now_us).take(count_max).copied().collect()
    }

    /// All that were remembered are over, and there are more.
    pub fn wants_more(&self) -> bool {
        self.is_partial && self.soonest.is_empty()
    }
}

const fn key(grant: OpenGrant) -> Expiry {
    (grant.0.expires_us, grant.0.id, grant.0.account)
}

/// The parts of a hold in the order in which a capture drains them: what is held of which account, and what a capture of
/// `captured` takes from it. The wallet's own part is the last one, also if it is nothing.
pub fn parts(hold: &HoldEntry, captured: Credits) -> Vec<HoldPart> {
    let mut parts = Vec::with_capacity(hold.sources.len().saturating_add(1));
    let (mut own, mut rest) = (hold.amount.micros(), captured.micros());
    for source in &hold.sources {
        let held = source.amount.micros();
        let taken = rest.min(held);
        own = own.saturating_sub(held);
        rest = rest.saturating_sub(taken);
        parts.push(HoldPart { account: source.account, grant: Some(source.grant), held, captured: taken });
    }
    parts.push(HoldPart { account: hold.wallet, grant: None, held: own, captured: rest });
    parts
}

/// A part of a hold, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldPart {
    /// Where the money is.
    pub account: LedgerAccountId,
    /// The grant, unless it is the wallet's own.
    pub grant: Option<EntryId>,
    /// What is held there.
    pub held: i64,
    /// What is taken.
    pub captured: i64,
}

/// The postings that pay `shares` (who gets how much, in their order) out of `parts`: every share drains them where the one
/// before stopped. Nothing is posted for nothing.
pub fn pay(parts: &[HoldPart], shares: impl IntoIterator<Item = (LedgerAccountId, Credits)>) -> Vec<Leg> {
    let mut legs = Vec::with_capacity(3);
    let mut from = parts.iter().map(|part| (part.account, part.captured)).filter(|(_, rest)| *rest > 0);
    let mut part = from.next();
    for (credit, share) in shares {
        let mut due = share.micros();
        while let Some((debit, rest)) = part.filter(|_| due > 0) {
            let amount = due.min(rest);
            due = due.saturating_sub(amount);
            legs.push(Leg { debit, credit, amount: Credits::from_micros(amount) });
            part = if rest > amount { Some((debit, rest.saturating_sub(amount))) } else { from.next() };
        }
    }
    legs
}

/// The identifier of the transaction that takes back what lapses of a grant. A grant may lapse in steps, as its holds end:
/// `version` is that of its account before, which no two steps share.
pub fn lapse_id(grant: EntryId, version: i64) -> EntryId {
    let mut bytes = b"tollgate: a grant lapses".to_vec();
    bytes.extend_from_slice(grant.uuid().as_bytes());
    bytes.extend_from_slice(&version.to_be_bytes());
    // The form of a UUID that is made from a hash (RFC 9562, version 8).
    let mut half = [0; 16];
    for (byte, hashed) in half.iter_mut().zip(sha256(&bytes)) {
        *byte = hashed;
    }
    EntryId::from(uuid::Builder::from_custom_bytes(half).into_uuid())
}

#[cfg(test)]
mod tests;
