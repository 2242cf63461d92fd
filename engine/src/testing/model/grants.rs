//! Credits that expire: from which grants a hold takes what, and what becomes of a grant whose time is over.

use super::{Account, Model, Objections, Reserved, credits, micros, sums_in};
use crate::ledger::{
    AccountKind, LedgerAccountId, Leg, Refusal,
    batch::Done,
    grants::{GiveGrant, GrantEntry},
};

/// A grant that was given.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) give: GiveGrant,
    pub(super) has_lapsed: bool,
}

impl Model {
    /// Gives credits that expire. If it is refused their account is not opened either.
    pub fn give(&mut self, give: &GiveGrant, now_us: i64) -> Result<Done, Refusal> {
        if let Some(same) = self.posted_before(&give.post) {
            return same;
        }
        let mut objections = Objections::default();
        let post = &give.post;
        objections.add(give.expires_us <= now_us || give.priority < 0 || post.legs.is_empty(), Refusal::OutOfRange);
        objections.add(post.effective_us.is_some_and(|effective_us| effective_us > now_us), Refusal::OutOfRange);
        let is_wallet = self.account(give.wallet).is_some_and(|account| account.kind == AccountKind::Wallet);
        objections.add(!is_wallet, Refusal::UnknownAccount(give.wallet));
        objections.add(self.account(give.account).is_some(), Refusal::UnknownAccount(give.account));
        for leg in &post.legs {
            objections.add(leg.amount.micros() <= 0 || leg.credit != give.account, Refusal::OutOfRange);
            self.object_to_account(leg.debit, now_us, &mut objections);
        }
        self.object_to_account(give.wallet, now_us, &mut objections);
        objections.first()?;
        self.accounts.push(Account {
            id: give.account,
            kind: AccountKind::Grant,
            overdraft: Some(0),
            is_closed: false,
        });
        self.legs.extend(&post.legs);
        self.posts.push(post.clone());
        self.grants.push(Given { give: give.clone(), has_lapsed: false });
        Ok(Done::Posted)
    }

    /// The grants that have not lapsed.
    pub fn open_grants(&self) -> Vec<GrantEntry> {
        let open = self.grants.iter().filter(|given| !given.has_lapsed).map(|given| &given.give);
        open.map(|give| GrantEntry {
            id: give.post.id,
            wallet: give.wallet,
            account: give.account,
            priority: give.priority,
            expires_us: give.expires_us,
        })
        .collect()
    }

    /// The accounts that were opened for grants.
    pub fn grant_accounts(&self) -> Vec<LedgerAccountId> {
        self.grants.iter().map(|given| given.give.account).collect()
    }

    /// What can be spent of the grants of `wallet`, each with its account, in the order in which they are spent.
    fn purses(&self, wallet: LedgerAccountId, now_us: i64) -> Vec<(LedgerAccountId, i128)> {
        let is_spendable = |given: &&Given| given.give.wallet == wallet && now_us < given.give.expires_us;
        let mut grants: Vec<_> = self.grants.iter().filter(is_spendable).filter(|given| !given.has_lapsed).collect();
        grants.sort_by_key(|given| (given.give.priority, given.give.expires_us, given.give.post.id));
        grants.iter().map(|given| (given.give.account, self.left(given.give.account))).collect()
    }

    /// What the grants of `wallet` can pay.
    pub(super) fn granted(&self, wallet: LedgerAccountId, now_us: i64) -> i128 {
        self.purses(wallet, now_us).iter().map(|(_, left)| left).sum()
    }

    fn left(&self, account: LedgerAccountId) -> i128 {
        let (credits, debits) = sums_in(&self.legs, account);
        credits - debits - self.held(account)
    }

    /// From which grants a hold of `amount` takes how much.
    pub(super) fn sources(&self, wallet: LedgerAccountId, amount: i128, now_us: i64) -> Vec<(LedgerAccountId, i128)> {
        let purses = self.purses(wallet, now_us);
        let before = |at: usize| purses.iter().take(at).map(|(_, left)| left).sum::<i128>();
        let taken = |(at, (account, left)): (usize, &(LedgerAccountId, i128))| {
            (*account, (amount - before(at)).clamp(0, *left))
        };
        purses.iter().enumerate().map(taken).filter(|(_, taken)| *taken > 0).collect()
    }

    /// Grants whose time is over lapse.
    pub(super) fn lapse(&mut self, now_us: i64) {
        for at in 0..self.grants.len() {
            let Some(given) = self.grants.get_mut(at).filter(|given| given.give.expires_us <= now_us) else { continue };
            if !std::mem::replace(&mut given.has_lapsed, true) {
                let account = given.give.account;
                let left = self.left(account);
                self.give_up(account, left);
            }
        }
    }

    /// What a hold that has ended gave back to grants that had lapsed by then.
    pub(super) fn lapse_rests(&mut self, hold: &Reserved, captured: i128) {
        let mut taken = captured;
        for (account, held) in &hold.sources {
            let drained = taken.min(*held);
            taken -= drained;
            let has_lapsed = self.grants.iter().any(|given| given.give.account == *account && given.has_lapsed);
            if has_lapsed && drained < *held {
                self.give_up(*account, held - drained);
            }
        }
    }

    fn give_up(&mut self, account: LedgerAccountId, amount: i128) {
        self.lapses += 1;
        if amount > 0 {
            self.legs.push(Leg { debit: account, credit: LedgerAccountId::PROMO, amount: credits(amount) });
        }
    }

    /// The postings of `shares` out of `hold`: both cover the same stretch of credits, one piece after the other, and
    /// where a piece of the one overlaps with a piece of the other there is a posting.
    pub(super) fn overlaps(hold: &Reserved, shares: &[(LedgerAccountId, i128)]) -> Vec<Leg> {
        let stretch = |pieces: &[(LedgerAccountId, i128)]| {
            let mut end = 0;
            let next = |(id, length): &(LedgerAccountId, i128)| {
                let start = end;
                end += length;
                (*id, start, end)
            };
            pieces.iter().map(next).collect::<Vec<_>>()
        };
        let mut purses = hold.sources.clone();
        purses.push((hold.place.wallet, micros(hold.place.amount)));
        let (purses, shares) = (stretch(&purses), stretch(shares));
        let mut legs = Vec::new();
        for (credit, from, until) in shares {
            for (debit, start, end) in &purses {
                let amount = until.min(*end) - from.max(*start);
                if amount > 0 {
                    legs.push(Leg { debit: *debit, credit, amount: credits(amount) });
                }
            }
        }
        legs
    }
}

/// What of a hold is held of `account`.
pub(super) fn held_of(hold: &Reserved, account: LedgerAccountId) -> i128 {
    let of_grants: i128 = hold.sources.iter().map(|(_, amount)| amount).sum();
    let own = if hold.place.wallet == account { micros(hold.place.amount) - of_grants } else { 0 };
    own + hold.sources.iter().filter(|(source, _)| *source == account).map(|(_, amount)| amount).sum::<i128>()
}
