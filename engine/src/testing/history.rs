//! Random histories: what callers might ask of the ledger, sensible and not, one step after the other.

use uuid::Uuid;

use super::{Dice, SeededIds, World};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        CaptureAmount, Collect, LedgerAccountId, Leg, OnExpiry, Payout, PlaceHold, Post, Refund, Revert, Secure,
        Settle, SettleAction, TransactionKind,
        batch::{Begin, Finish},
        caps::CapUse,
        grants::GiveGrant,
        leaf::sha256,
    },
    pricing::ShareTerms,
};

mod calls;
mod movements;

const SECOND_US: i64 = 1_000_000;

/// Shares with and without a rest, and some that leave units over.
const TERMS: [ShareTerms; 8] = [
    terms(0, 0),
    terms(10_000, 0),
    terms(8_000, 500),
    terms(7_000, 3_000),
    terms(3_333, 3_333),
    terms(9_999, 1),
    terms(19, 0),
    terms(1, 9_998),
];

#[expect(clippy::panic, reason = "worked out while compiling: terms above the whole do not compile")]
const fn terms(publisher_bps: u16, partner_bps: u16) -> ShareTerms {
    match ShareTerms::new(publisher_bps, partner_bps) {
        Ok(terms) => terms,
        Err(_) => panic!("the shares are above the whole"),
    }
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Step {
    /// Money moves at once.
    Post(Post),
    /// Money is reserved.
    Hold(PlaceHold),
    /// A hold is ended.
    Settle(Settle),
    /// A call begins.
    Begin(Begin),
    /// A call ends.
    Finish(Finish),
    /// A part of a charge goes back.
    Refund(Refund),
    /// A transaction is taken back.
    Revert(Revert),
    /// An amount is collected.
    Collect(Collect),
    /// What a wallet has is reserved.
    Secure(Secure),
    /// What was earned is paid out.
    Payout(Payout),
    /// So many microseconds pass.
    Advance(i64),
    /// Credits are given that expire, in an account that is opened for them.
    Give(GiveGrant),
    /// An account is closed.
    Close(LedgerAccountId),
    /// The writer ends and another one begins its term.
    Restart,
}

/// Writes a history as it is asked for it. The same seed writes the same one.
#[derive(Debug)]
pub struct History {
    world: World,
    dice: Dice,
    ids: SeededIds,
    now_us: i64,
    posts: Vec<Post>,
    holds: Vec<PlaceHold>,
    settles: Vec<Settle>,
    calls: Vec<Begin>,
    movements: Vec<Step>,
    gives: Vec<GiveGrant>,
    is_anything_closed: bool,
}

fn micros(amount: i64) -> Credits {
    Credits::from_micros(amount)
}

impl History {
    /// Begins at `now_us` (microseconds since the Unix epoch).
    pub const fn new(seed: u64, world: World, now_us: i64) -> Self {
        Self {
            world,
            dice: Dice::new(seed),
            ids: SeededIds::new(seed),
            now_us,
            posts: Vec::new(),
            holds: Vec::new(),
            settles: Vec::new(),
            calls: Vec::new(),
            movements: Vec::new(),
            gives: Vec::new(),
            is_anything_closed: false,
        }
    }

    /// What time it is in the history, in microseconds since the Unix epoch.
    pub const fn now_us(&self) -> i64 {
        self.now_us
    }

    /// What happens next.
    pub fn next_step(&mut self) -> Step {
        match self.dice.below(115) {
            0..=10 => self.step_of_post(Self::funding),
            11..=14 => self.step_of_give(),
            15..=21 => self.step_of_post(Self::any_post),
            22..=39 => self.step_of_hold(),
            40..=60 => self.step_of_settle(),
            61..=69 => self.repeated(),
            70..=81 => self.begin(),
            82..=92 => self.finish(),
            93..=97 => self.advance(),
            98 => self.close(),
            100..=114 => self.step_of_movement(),
            _ => Step::Restart,
        }
    }

    fn uuid(&self) -> Uuid {
        crate::id::IdSource::next_uuid(&self.ids, self.now_us)
    }

    fn fresh(&self) -> EntryId {
        self.uuid().into()
    }

    fn account(&mut self) -> LedgerAccountId {
        let accounts = self.world.accounts();
        let stranger = self.world.stranger;
        let granted = self.dice.pick(&self.gives).map(|give| give.account).filter(|_| self.dice.chance(10));
        if let Some(granted) = granted {
            return granted;
        }
        if self.dice.chance(2) { stranger } else { self.dice.pick(&accounts).map_or(stranger, |(id, _)| *id) }
    }

    fn wallet(&mut self) -> LedgerAccountId {
        let stranger = self.world.stranger;
        self.dice.pick(&self.world.wallets).map_or(stranger, |(id, _)| *id)
    }

    fn payee(&mut self) -> LedgerAccountId {
        let stranger = self.world.stranger;
        self.dice.pick(&self.world.payables).map_or(stranger, |(id, _)| *id)
    }

    /// Mostly small, so that products and rests of shares are all met; now and then nothing, too much or negative.
    fn amount(&mut self) -> Credits {
        micros(match self.dice.below(40) {
            0 => 0,
            1 => self.dice.between(-5, -1),
            2 => self.dice.between(10_000, 1_000_000),
            _ => self.dice.between(1, 180),
        })
    }

    fn meta(&mut self) -> Option<[u8; 32]> {
        let text = [b'a', b'b'];
        let letter = self.dice.pick(&text).copied();
        letter.filter(|_| self.dice.chance(25)).map(|letter| sha256(&[letter]))
    }

    fn step_of_post(&mut self, legs: fn(&mut Self) -> Vec<Leg>) -> Step {
        let legs = legs(self);
        let kinds =
            [TransactionKind::Grant, TransactionKind::Adjustment, TransactionKind::Purchase, TransactionKind::Transfer];
        let kind = self.dice.pick(&kinds).copied().unwrap_or(TransactionKind::Opening);
        let kind = if self.dice.chance(2) { TransactionKind::Payout } else { kind };
        let reverses = if self.dice.chance(5) { self.posts.last().map(|post| post.id) } else { None };
        // Most count when they are recorded, some did before, and what counts later is refused.
        let effective_us = match self.dice.below(20) {
            0 => Some(self.now_us.saturating_sub(self.dice.between(0, 90) * 24 * 3_600 * SECOND_US)),
            1 => Some(self.now_us.saturating_add(self.dice.between(0, 2))),
            _ => None,
        };
        let post = Post { id: self.fresh(), kind, legs, reverses, effective_us, meta: self.meta() };
        self.posts.push(post.clone());
        Step::Post(post)
    }

    fn step_of_give(&mut self) -> Step {
        let account = LedgerAccountId::from_raw(4_000_i64.saturating_add(i64::try_from(self.gives.len()).unwrap_or(0)));
        let amount = micros(self.dice.between(1, 600));
        let legs = vec![Leg { debit: LedgerAccountId::PROMO, credit: account, amount }];
        let meta = self.meta();
        let post =
            Post { id: self.fresh(), kind: TransactionKind::Grant, legs, reverses: None, effective_us: None, meta };
        let expires_us = self.now_us.saturating_add(match self.dice.below(12) {
            0 => 0,
            1 => 40 * 24 * 3_600 * SECOND_US,
            _ => self.dice.between(1, 60) * SECOND_US,
        });
        let give = GiveGrant { post, wallet: self.wallet(), account, priority: self.dice.between(0, 2), expires_us };
        self.gives.push(give.clone());
        Step::Give(give)
    }

    fn funding(&mut self) -> Vec<Leg> {
        let amount = micros(self.dice.between(1, 900));
        vec![Leg { debit: LedgerAccountId::OPENING, credit: self.wallet(), amount }]
    }

    fn any_post(&mut self) -> Vec<Leg> {
        let count = self.dice.below(4);
        (0..count)
            .map(|_| {
                let amount = if self.dice.chance(4) { micros(0) } else { self.amount() };
                Leg { debit: self.account(), credit: self.account(), amount }
            })
            .collect()
    }

    fn caps(&mut self) -> Vec<CapUse> {
        let now_us = self.now_us;
        let caps = self.world.caps.clone();
        caps.into_iter().filter(|_| self.dice.chance(30)).map(|cap| CapUse::at(cap, now_us)).collect()
    }

    fn place_hold(&mut self, id: EntryId) -> PlaceHold {
        let amount = self.amount();
        let ttl_us = match self.dice.below(20) {
            0 => -1,
            1..=6 => 0,
            _ => self.dice.between(1, 20) * SECOND_US,
        };
        let shares = self.dice.pick(&TERMS).copied().unwrap_or(terms(0, 0));
        let partner = if self.dice.chance(40) { Some(self.payee()) } else { None };
        let on_expiry =
            if self.dice.chance(30) { OnExpiry::Capture(micros(self.dice.between(0, 200))) } else { OnExpiry::Release };
        let wallet = if self.dice.chance(3) { self.account() } else { self.wallet() };
        let payee = if self.dice.chance(10) { self.account() } else { self.payee() };
        let partner = if self.dice.chance(2) { Some(wallet) } else { partner };
        PlaceHold {
            id,
            wallet,
            payee,
            amount,
            ttl_us,
            shares,
            partner,
            on_expiry,
            caps: self.caps(),
            meta: self.meta(),
        }
    }

    fn step_of_hold(&mut self) -> Step {
        let hold = self.place_hold(self.fresh());
        self.holds.push(hold.clone());
        Step::Hold(hold)
    }

    /// Mostly one of the last holds, so that many are still open.
    fn some_hold(&mut self) -> Option<PlaceHold> {
        let recent = self.holds.len().saturating_sub(12);
        let from = if self.dice.chance(80) { recent } else { 0 };
        self.dice.pick(self.holds.get(from..)?).cloned()
    }

    fn some_name(&mut self) -> EntryId {
        let fresh = self.fresh();
        match self.dice.below(4) {
            0 => self.dice.pick(&self.posts).map_or(fresh, |post| post.id),
            1 => self.dice.pick(&self.settles).map_or(fresh, |settle| settle.id),
            2 => self.dice.pick(&self.holds).map_or(fresh, |hold| hold.id),
            _ => fresh,
        }
    }

    fn step_of_settle(&mut self) -> Step {
        let hold = self.some_hold();
        let amount = hold.as_ref().map_or(0, |hold| hold.amount.micros());
        let action = match self.dice.below(12) {
            0..=2 => SettleAction::Capture(CaptureAmount::All),
            3..=6 => {
                SettleAction::Capture(CaptureAmount::Exactly(micros(self.dice.between(-1, amount.saturating_add(3)))))
            }
            7 => SettleAction::Capture(CaptureAmount::Exactly(Credits::ZERO)),
            8 => SettleAction::Release(Some(micros(amount))),
            9 => SettleAction::Release(Some(micros(self.dice.between(-1, amount.saturating_add(2))))),
            _ => SettleAction::Release(None),
        };
        let named = hold.as_ref().map(|hold| hold.id);
        let hold_id = if self.dice.chance(4) { self.some_name() } else { named.unwrap_or_else(|| self.fresh()) };
        let id = match self.dice.below(10) {
            0..=3 => hold_id,
            4 if self.dice.chance(40) => self.some_name(),
            _ => self.fresh(),
        };
        let wallet = self.checked_party(hold.as_ref().map(|hold| hold.wallet));
        let payee = self.checked_party(hold.as_ref().map(|hold| hold.payee));
        let settle = Settle { id, hold: hold_id, action, wallet, payee, meta: self.meta() };
        self.settles.push(settle.clone());
        Step::Settle(settle)
    }

    /// Mostly nothing, sometimes the truth, seldom somebody else.
    fn checked_party(&mut self, truth: Option<LedgerAccountId>) -> Option<LedgerAccountId> {
        match self.dice.below(20) {
            0..=3 => truth,
            4 => Some(self.account()),
            _ => None,
        }
    }

    /// An earlier command once more, as it was or with one thing changed.
    fn repeated(&mut self) -> Step {
        let is_changed = self.dice.chance(60);
        let what = self.dice.below(3);
        if what == 0
            && let Some(mut post) = self.dice.pick(&self.posts).cloned()
        {
            if is_changed {
                self.change_post(&mut post);
            }
            return Step::Post(post);
        }
        if what == 1
            && let Some(mut hold) = self.dice.pick(&self.holds).cloned()
        {
            if is_changed {
                self.change_hold(&mut hold);
            }
            return Step::Hold(hold);
        }
        match self.dice.pick(&self.settles).cloned() {
            Some(mut settle) => {
                if is_changed {
                    self.change_settle(&mut settle);
                }
                Step::Settle(settle)
            }
            None => self.step_of_settle(),
        }
    }

    fn change_post(&mut self, post: &mut Post) {
        match self.dice.below(6) {
            0 => post.kind = TransactionKind::Refund,
            1 => post.meta = self.meta(),
            2 => post.legs = self.any_post(),
            3 => post.id = self.some_name(),
            4 => post.reverses = Some(self.fresh()),
            _ => {
                let account = self.account();
                let amount = self.amount();
                for leg in post.legs.iter_mut().take(1) {
                    if self.dice.chance(50) {
                        leg.amount = amount;
                    } else {
                        leg.credit = account;
                    }
                }
            }
        }
    }

    fn change_hold(&mut self, hold: &mut PlaceHold) {
        match self.dice.below(8) {
            0 => hold.amount = self.amount(),
            1 => hold.ttl_us = hold.ttl_us.saturating_add(1),
            2 => hold.meta = self.meta(),
            3 => hold.wallet = self.account(),
            4 => hold.payee = self.account(),
            5 => hold.on_expiry = OnExpiry::Capture(micros(7)),
            6 => hold.caps = self.caps(),
            _ => hold.id = self.some_name(),
        }
    }

    fn change_settle(&mut self, settle: &mut Settle) {
        match self.dice.below(6) {
            0 => settle.action = SettleAction::Release(None),
            1 => settle.action = SettleAction::Capture(CaptureAmount::Exactly(self.amount())),
            2 => settle.meta = self.meta(),
            3 => settle.wallet = Some(self.account()),
            4 => settle.hold = self.some_name(),
            _ => settle.id = self.some_name(),
        }
    }

    fn advance(&mut self) -> Step {
        let by_us = match self.dice.below(30) {
            0 => 25 * 3_600 * SECOND_US,
            1 => 31 * 24 * 3_600 * SECOND_US,
            2..=6 => 1,
            _ => self.dice.between(0, 12) * SECOND_US,
        };
        self.now_us += by_us;
        Step::Advance(by_us)
    }

    /// At most one account, and late: a world where everything is closed shows nothing.
    fn close(&mut self) -> Step {
        if self.is_anything_closed || self.holds.len() < 20 {
            return self.advance();
        }
        self.is_anything_closed = true;
        let account = if self.dice.chance(50) { self.payee() } else { self.wallet() };
        Step::Close(account)
    }
}
