//! The reference model: a second ledger, written from the words of the design and not from the first one.
//!
//! It keeps lists of what happened and works every balance out again each time it is asked. It is slow, and meant to be
//! too simple to be wrong. Rules are not checked in an order: everything that speaks against a command is collected, and
//! the refusal that stands first in the documented order is given.

use super::World;
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId},
    ledger::{
        AccountKind, LedgerAccountId, Leg, OnExpiry, PlaceHold, Post, Refusal,
        batch::Done,
        caps::{CapUse, CapWindow, CounterKey},
        key::{KeyName, StoredKey},
        leaf::{Digest, Settled},
        refusal::Limit,
    },
};

mod calls;
mod grants;
mod identity;
mod settle;

use grants::{Given, held_of};

#[derive(Debug, Clone)]
struct Account {
    id: LedgerAccountId,
    kind: AccountKind,
    /// `None`: no limit.
    overdraft: Option<i128>,
    is_closed: bool,
}

/// A hold from its placing to its end.
#[derive(Debug, Clone)]
struct Reserved {
    place: PlaceHold,
    /// The grants that pay first, with what each pays at most.
    sources: Vec<(LedgerAccountId, i128)>,
    expires_us: Option<i64>,
    end: Option<End>,
}

#[derive(Debug, Clone)]
struct End {
    id: EntryId,
    settled: Settled,
    captured: i128,
    meta: Option<Digest>,
}

#[derive(Debug, Clone)]
struct Call {
    id: InvocationId,
    key: Option<KeyName>,
    epoch: i64,
    is_open: bool,
    is_unknown: bool,
}

/// What the lists say about one account, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Received.
    pub credits: i128,
    /// Spent.
    pub debits: i128,
    /// Reserved by open holds.
    pub held: i128,
}

/// What the lists say about one cap in one window, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CounterSums {
    /// Captured.
    pub spent: i128,
    /// Reserved by open holds.
    pub held: i128,
}

/// A ledger made of lists.
#[derive(Debug, Clone)]
pub struct Model {
    accounts: Vec<Account>,
    legs: Vec<Leg>,
    posts: Vec<Post>,
    holds: Vec<Reserved>,
    calls: Vec<Call>,
    keys: Vec<(KeyName, StoredKey)>,
    grants: Vec<Given>,
    /// How many transactions took back what was left of grants.
    lapses: usize,
}

/// Everything that speaks against a command.
#[derive(Debug, Default)]
struct Objections(Vec<Refusal>);

impl Objections {
    fn add(&mut self, applies: bool, refusal: Refusal) {
        if applies {
            self.0.push(refusal);
        }
    }

    /// The one that stands first in the documented order; of equal ones the first that was found.
    fn first(&self) -> Result<(), Refusal> {
        self.0.iter().min_by_key(|refusal| rank(refusal)).map_or(Ok(()), |refusal| Err(*refusal))
    }
}

/// The place of a refusal in the documented order.
const fn rank(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::Exists(_) => 0,
        Refusal::OutOfRange => 1,
        Refusal::SameAccount => 2,
        Refusal::UnknownAccount(_) => 3,
        Refusal::HoldNotFound => 4,
        Refusal::NotAHold => 5,
        Refusal::HoldHasOtherWallet => 6,
        Refusal::HoldHasOtherPayee => 7,
        Refusal::ExceedsHold { .. } => 8,
        Refusal::ReleaseIsPartial { .. } => 9,
        Refusal::AlreadyCaptured => 10,
        Refusal::AlreadyReleased => 11,
        Refusal::HoldExpired => 12,
        Refusal::AccountClosed(_) => 13,
        Refusal::Insufficient { .. } => 14,
        Refusal::Overflow => 15,
    }
}

fn micros(amount: Credits) -> i128 {
    amount.micros().into()
}

/// Amounts are kept in 128 bits so that the model cannot overflow; what it tells always fits.
fn credits(amount: i128) -> Credits {
    Credits::from_micros(i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX }))
}

fn sums_in(legs: &[Leg], account: LedgerAccountId) -> (i128, i128) {
    let sum = |side: fn(&Leg) -> LedgerAccountId| {
        legs.iter().filter(|leg| side(leg) == account).map(|leg| micros(leg.amount)).sum()
    };
    (sum(|leg| leg.credit), sum(|leg| leg.debit))
}

impl Model {
    /// With the accounts of `world` and nothing in them.
    pub fn new(world: &World) -> Self {
        let account =
            |(id, kind)| Account { id, kind, overdraft: world.overdraft_of(id).map(i128::from), is_closed: false };
        Self {
            accounts: world.accounts().into_iter().map(account).collect(),
            legs: Vec::new(),
            posts: Vec::new(),
            holds: Vec::new(),
            calls: Vec::new(),
            keys: Vec::new(),
            grants: Vec::new(),
            lapses: 0,
        }
    }

    /// Closes an account.
    pub fn close(&mut self, id: LedgerAccountId) {
        for account in self.accounts.iter_mut().filter(|account| account.id == id) {
            account.is_closed = true;
        }
    }

    /// The sums of an account over everything that ever happened.
    pub fn sums(&self, account: LedgerAccountId) -> Sums {
        let (credits, debits) = sums_in(&self.legs, account);
        let open = self.holds.iter().filter(|hold| hold.end.is_none());
        Sums { credits, debits, held: open.map(|hold| held_of(hold, account)).sum() }
    }

    /// The sums of a cap's window.
    pub fn counter(&self, key: CounterKey) -> CounterSums {
        let mut sums = CounterSums::default();
        for hold in self.holds.iter().filter(|hold| counts_for(hold, key)) {
            match &hold.end {
                None => sums.held += micros(hold.place.amount),
                Some(end) => sums.spent += end.captured,
            }
        }
        sums
    }

    /// The holds that nobody has ended.
    pub fn open_holds(&self) -> Vec<EntryId> {
        self.holds.iter().filter(|hold| hold.end.is_none()).map(|hold| hold.place.id).collect()
    }

    /// The calls that have not ended.
    pub fn open_calls(&self) -> Vec<InvocationId> {
        self.calls.iter().filter(|call| call.is_open).map(|call| call.id).collect()
    }

    /// The keys that are taken, with what became of them.
    pub fn keys(&self) -> &[(KeyName, StoredKey)] {
        &self.keys
    }

    /// How many holds have ended.
    pub fn ended_holds(&self) -> usize {
        self.holds.iter().filter(|hold| hold.end.is_some()).count()
    }

    /// How many transactions stand in the books: those posted, one for each capture of more than nothing, and one for each
    /// time that a grant lapsed or what was held of it came back later.
    pub fn transactions(&self) -> usize {
        let charges = self.holds.iter().filter(|hold| hold.end.as_ref().is_some_and(|end| end.captured > 0));
        self.posts.len() + charges.count() + self.lapses
    }

    /// How many postings stand in the books.
    pub fn postings(&self) -> usize {
        self.legs.len()
    }

    fn account(&self, id: LedgerAccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    fn overdraft(&self, id: LedgerAccountId) -> Option<i128> {
        self.account(id).and_then(|account| account.overdraft)
    }

    fn held(&self, id: LedgerAccountId) -> i128 {
        self.sums(id).held
    }

    fn object_to_account(&self, id: LedgerAccountId, now_us: i64, objections: &mut Objections) {
        let is_over = |given: &Given| given.give.account == id && (given.has_lapsed || given.give.expires_us <= now_us);
        match self.account(id) {
            None => objections.add(true, Refusal::UnknownAccount(id)),
            Some(account) => {
                let is_closed = account.is_closed || self.grants.iter().any(is_over);
                objections.add(is_closed, Refusal::AccountClosed(id));
            }
        }
    }

    /// The accounts of grants take part in no hold by themselves.
    fn object_to_party(&self, id: LedgerAccountId, now_us: i64, objections: &mut Objections) {
        let is_grant = self.account(id).is_some_and(|account| account.kind == AccountKind::Grant);
        objections.add(is_grant, Refusal::UnknownAccount(id));
        self.object_to_account(id, now_us, objections);
    }

    /// What a wallet could spend if `legs` were all that ever moved.
    fn available_after(&self, legs: &[Leg], wallet: LedgerAccountId, overdraft: i128) -> i128 {
        let (credits, debits) = sums_in(legs, wallet);
        credits - debits - self.held(wallet) + overdraft
    }

    fn spendable(&self, wallet: LedgerAccountId, caps: &[CapUse], now_us: i64) -> Credits {
        let overdraft = self.overdraft(wallet);
        let own = overdraft.map_or(0, |overdraft| self.available_after(&self.legs, wallet, overdraft));
        let balance = own + self.granted(wallet, now_us);
        let remainders = caps.iter().map(|cap| self.remainder(cap));
        credits(remainders.fold(balance.max(0), Ord::min))
    }

    fn remainder(&self, cap: &CapUse) -> i128 {
        let sums = cap.counter().map_or_else(CounterSums::default, |key| self.counter(key));
        (micros(cap.cap.limit) - sums.spent - sums.held).max(0)
    }

    /// Moves money at once.
    pub fn post(&mut self, post: &Post, now_us: i64) -> Result<Done, Refusal> {
        if let Some(same) = self.posted_before(post) {
            return same;
        }
        let mut objections = Objections::default();
        objections.add(post.effective_us.is_some_and(|effective_us| effective_us > now_us), Refusal::OutOfRange);
        for leg in &post.legs {
            objections.add(leg.amount.micros() <= 0, Refusal::OutOfRange);
            objections.add(leg.debit == leg.credit, Refusal::SameAccount);
            self.object_to_account(leg.debit, now_us, &mut objections);
            self.object_to_account(leg.credit, now_us, &mut objections);
        }
        objections.first()?;
        let mut after = self.legs.clone();
        for leg in &post.legs {
            if let Some(overdraft) = self.overdraft(leg.debit) {
                let available = self.available_after(&after, leg.debit, overdraft);
                if micros(leg.amount) > available {
                    let limit = Limit::Wallet(leg.debit);
                    return Err(Refusal::Insufficient { limit, needed: leg.amount, available: credits(available) });
                }
            }
            after.push(*leg);
            let is_too_much = |account| {
                let (credits, debits) = sums_in(&after, account);
                self.overdraft(account).is_some() && credits.max(debits) > i64::MAX.into()
            };
            if is_too_much(leg.debit) || is_too_much(leg.credit) {
                return Err(Refusal::Overflow);
            }
        }
        self.legs = after;
        self.posts.push(post.clone());
        Ok(Done::Posted)
    }

    /// Reserves money.
    pub fn hold(&mut self, hold: &PlaceHold, now_us: i64) -> Result<Done, Refusal> {
        if let Some(same) = self.held_before(hold) {
            return same;
        }
        let mut objections = Objections::default();
        objections.add(hold.amount.is_negative() || hold.ttl_us < 0, Refusal::OutOfRange);
        objections.add(hold.payee == hold.wallet || hold.partner == Some(hold.wallet), Refusal::SameAccount);
        self.object_to_party(hold.wallet, now_us, &mut objections);
        let overdraft = self.overdraft(hold.wallet);
        objections.add(overdraft.is_none(), Refusal::UnknownAccount(hold.wallet));
        self.object_to_party(hold.payee, now_us, &mut objections);
        if let Some(partner) = hold.partner {
            self.object_to_party(partner, now_us, &mut objections);
        }
        let own = self.available_after(&self.legs, hold.wallet, overdraft.unwrap_or(0));
        let available = own + self.granted(hold.wallet, now_us);
        let mut limits = vec![(Limit::Wallet(hold.wallet), available)];
        limits.extend(
            hold.caps
                .iter()
                .map(|used| (Limit::Cap { cap: used.cap.id, resets_us: used.resets_us }, self.remainder(used))),
        );
        for (limit, available) in limits {
            let refusal = Refusal::Insufficient { limit, needed: hold.amount, available: credits(available) };
            objections.add(micros(hold.amount) > available, refusal);
        }
        objections.first()?;
        let expires_us = (hold.ttl_us > 0).then(|| now_us.saturating_add(hold.ttl_us));
        let sources = self.sources(hold.wallet, micros(hold.amount), now_us);
        self.holds.push(Reserved { place: hold.clone(), sources, expires_us, end: None });
        Ok(Done::Held)
    }
}

/// Whether a hold reserves from a cap's window.
fn counts_for(hold: &Reserved, key: CounterKey) -> bool {
    hold.place
        .caps
        .iter()
        .any(|used| used.cap.window != CapWindow::Call && used.cap.id == key.cap && used.start_us == key.start_us)
}

/// What a hold charges when nobody ends it in time, and how that is called.
fn end_by_rule(hold: &Reserved) -> (Settled, i128) {
    match hold.place.on_expiry {
        OnExpiry::Release => (Settled::Expired, 0),
        OnExpiry::Capture(amount) => (Settled::CapturedAtExpiry, micros(amount.min(hold.place.amount))),
    }
}
