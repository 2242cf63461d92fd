//! What moved in a wallet, as its owner sees it: charges, purchases, grants, refunds, expiries. A wallet's grants have
//! accounts of their own, and for its owner they are one purse.

use std::collections::BTreeMap;

use super::{JournalCursor, JournalPage, JournalStart, merge::Part, merge::merge, page};
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId, PurchaseId},
    ledger::TransactionKind,
    service::{
        Services,
        access::{EndUser, Owner, PartnerPrincipal},
        partners::Funding,
    },
    store::{
        StoreError,
        journal::{
            pages::{self, MovedRow, Window},
            wallet::{Purse, moves},
        },
        periods,
    },
};

/// How many entries of all slots together are looked at for one page. No index leads from a wallet to what moved in it: every
/// charge of every caller would pay for that index (ADR 0006), for lists that are asked for seldom. So the work of a page is
/// bounded and not its reach: a wallet that little moves in has short or empty pages, which say how far they looked and where
/// the next one begins. Whoever owns a wallet may ask as often as it likes, so this is less than what operators get.
pub const WALLET_ENTRIES_LOOKED_AT: i64 = 20_000;
/// How many rows a page has, if nothing else is asked for.
pub const WALLET_PAGE_ROWS: u64 = 50;
/// How many rows a page has at most.
pub const WALLET_PAGE_ROWS_MAX: u64 = 200;

/// Why something moved in a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletMoveKind {
    /// What was left of a grant went back, because its time was over.
    Expiry,
    /// Anything else, by the kind of the transaction.
    Transaction(TransactionKind),
}

impl WalletMoveKind {
    /// Those that there are in wallets.
    pub const ALL: [Self; 10] = [
        Self::Transaction(TransactionKind::Charge),
        Self::Transaction(TransactionKind::Purchase),
        Self::Transaction(TransactionKind::Grant),
        Self::Transaction(TransactionKind::Refund),
        Self::Expiry,
        Self::Transaction(TransactionKind::Adjustment),
        Self::Transaction(TransactionKind::Chargeback),
        Self::Transaction(TransactionKind::Reversal),
        Self::Transaction(TransactionKind::Opening),
        Self::Transaction(TransactionKind::Transfer),
    ];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expiry => "expiry",
            Self::Transaction(kind) => kind.as_str(),
        }
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// That a grant lapses is booked as a grant that takes one back; nothing else of this kind takes anything back.
    fn of(kind: TransactionKind, reverses: Option<EntryId>) -> Self {
        match (kind, reverses) {
            (TransactionKind::Grant, Some(_)) => Self::Expiry,
            _ => Self::Transaction(kind),
        }
    }

    /// As the books have it: the kind, and whether it takes something back, where that matters.
    const fn booked(self) -> (TransactionKind, Option<bool>) {
        match self {
            Self::Expiry => (TransactionKind::Grant, Some(true)),
            Self::Transaction(TransactionKind::Grant) => (TransactionKind::Grant, Some(false)),
            Self::Transaction(kind) => (kind, None),
        }
    }
}

/// Which movements are wanted. What is `None` does not matter. Times are those of recording, in microseconds since the Unix
/// epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalletFilter {
    /// Of this kind.
    pub kind: Option<WalletMoveKind>,
    /// Not before this moment.
    pub from_us: Option<i64>,
    /// Before this moment.
    pub to_us: Option<i64>,
}

/// Something that moved in a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalletMove {
    /// The transaction; a charge has the identifier of its call.
    pub id: EntryId,
    /// Why.
    pub kind: WalletMoveKind,
    /// What came in, in micro-credits; below zero: what left.
    pub amount: Credits,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub recorded_us: i64,
    /// Of a charge, and of what went back of one: the call.
    pub invocation: Option<InvocationId>,
    /// Of a purchase.
    pub purchase: Option<PurchaseId>,
    /// What it takes back, wholly or in part.
    pub reverses: Option<EntryId>,
}

impl WalletMove {
    fn of(row: MovedRow) -> Self {
        let MovedRow { transaction, debits, credits } = row;
        let entry = transaction.entry;
        let kind = WalletMoveKind::of(entry.kind, entry.reverses);
        let call = match entry.kind {
            TransactionKind::Charge => entry.hold,
            TransactionKind::Refund => entry.reverses,
            _ => None,
        };
        Self {
            id: entry.id,
            kind,
            amount: Credits::from_micros(credits.saturating_sub(debits)),
            recorded_us: transaction.place.recorded_us,
            invocation: call.map(|id| InvocationId::from(id.uuid())),
            purchase: (entry.kind == TransactionKind::Purchase).then(|| PurchaseId::from(entry.id.uuid())),
            reverses: entry.reverses,
        }
    }
}

impl Services {
    /// What moved in the wallet of `owner`, or in that of its `end_user` where each pays for itself, and in its grants, the
    /// newest first: at most `count_max` movements, never more than [`WALLET_PAGE_ROWS_MAX`], and those among
    /// [`WALLET_ENTRIES_LOOKED_AT`] entries of the books; from behind the page that ended at `after`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_wallet_moves(
        &self,
        owner: &Owner,
        end_user: Option<&EndUser>,
        filter: WalletFilter,
        after: Option<JournalCursor>,
        count_max: u64,
    ) -> Result<JournalPage<WalletMove>, StoreError> {
        let count = count_max.clamp(1, WALLET_PAGE_ROWS_MAX);
        let own = end_user.and_then(|user| Some(Purse { wallet: user.wallet?, owner: user.id.uuid() }));
        let purse = match (owner, own) {
            (Owner::Account(account), _) => Purse { wallet: account.wallet, owner: account.id.uuid() },
            (Owner::Partner(PartnerPrincipal { funding: Funding::PerUser, .. }), Some(own)) => own,
            (Owner::Partner(partner), _) => Purse { wallet: partner.wallet, owner: partner.id.uuid() },
        };
        let readers = self.db.readers();
        let heads = periods::heads(readers).await?;
        let start = match (after, filter.to_us) {
            (Some(cursor), _) => JournalStart::After(cursor),
            (None, Some(to_us)) => JournalStart::Before(to_us),
            (None, None) => JournalStart::Newest,
        };
        let starts = self.begin(&heads, &start).await?;
        let floors = match filter.from_us {
            Some(from_us) => self.begin(&heads, &JournalStart::Before(from_us)).await?,
            None => BTreeMap::new(),
        };
        let kind = filter.kind.map(WalletMoveKind::booked);
        let mut parts = Vec::with_capacity(starts.len());
        for (window, floor) in windows(&starts, &floors) {
            let rows = moves(readers, window, purse, kind, count.saturating_add(1)).await?;
            let is_full = u64::try_from(rows.len()).is_ok_and(|found| found > count);
            let unread = if is_full || window.from <= floor {
                None
            } else {
                // What is before the floor is not wanted, so it is not left either.
                let place = pages::last_before(readers, window.slot, window.from).await?;
                place.filter(|place| place.position.seq >= floor)
            };
            let rows = rows.into_iter().map(|row| (row.transaction.place, row)).collect();
            parts.push(Part::new(rows, count, unread));
        }
        Ok(page(merge(parts, count)).map(WalletMove::of))
    }
}

/// The entries that are looked at, each stretch with the first entry of its slot that is wanted at all.
fn windows(starts: &BTreeMap<i64, i64>, floors: &BTreeMap<i64, i64>) -> Vec<(Window, i64)> {
    let slots = i64::try_from(starts.len()).unwrap_or(i64::MAX).max(1);
    let length = WALLET_ENTRIES_LOOKED_AT.checked_div(slots).unwrap_or(1).max(1);
    let stretch = |(slot, before): (&i64, &i64)| {
        let floor = floors.get(slot).copied().unwrap_or(1);
        let from = before.saturating_sub(length).max(floor);
        (Window { slot: *slot, from, before: *before }, floor)
    };
    starts.iter().map(stretch).filter(|(window, _)| window.from < window.before).collect()
}

#[cfg(test)]
mod tests;
