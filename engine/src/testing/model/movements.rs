//! Money that goes back or out.

use super::{
    Model, Objections, Reserved, credits,
    identity::{Named, verdict},
    micros,
    settle::shares,
    sums_in,
};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        AccountKind, Collect, LedgerAccountId, Leg, OnExpiry, Payout, PlaceHold, Post, Refund, Refusal, Revert, Secure,
        TransactionKind,
        batch::Done,
        leaf::Digest,
        refusal::{Difference, Limit},
    },
    pricing::ShareTerms,
};

fn total(legs: &[Leg]) -> i128 {
    legs.iter().map(|leg| micros(leg.amount)).sum()
}

/// `amount × part / whole`, rounded up.
fn part_up(amount: i128, part: i128, whole: i128) -> i128 {
    if whole == 0 { 0 } else { (amount * part + whole - 1).div_euclid(whole) }
}

/// What each of `parts` has given back when `amount` of their sum has gone back.
fn given_back(parts: &[i128], amount: i128) -> Vec<i128> {
    let (mut whole, mut rest) = (parts.iter().sum::<i128>(), amount);
    let give = |part: &i128| {
        let back = part_up(rest, *part, whole);
        whole -= part;
        rest -= back;
        back
    };
    parts.iter().map(give).collect()
}

/// What each of the postings has given back: first the parties share it, then the postings of each.
fn given_back_by(charged: &[Leg], amount: i128) -> Vec<i128> {
    let mut parties: Vec<(LedgerAccountId, Vec<i128>)> = Vec::new();
    for leg in charged {
        match parties.last_mut() {
            Some((party, parts)) if *party == leg.credit => parts.push(micros(leg.amount)),
            _ => parties.push((leg.credit, vec![micros(leg.amount)])),
        }
    }
    let sums: Vec<i128> = parties.iter().map(|(_, parts)| parts.iter().sum()).collect();
    let backs = given_back(&sums, amount);
    parties.iter().zip(backs).flat_map(|((_, parts), back)| given_back(parts, back)).collect()
}

impl Model {
    /// The kind and the postings of what `of` names, and of a charge the wallet.
    fn moved(&self, of: EntryId) -> Result<(TransactionKind, Vec<Leg>, Option<LedgerAccountId>), Refusal> {
        if let Some(post) = self.posts.iter().find(|post| post.id == of) {
            return Ok((post.kind, post.legs.clone(), None));
        }
        let is_charge = |hold: &&Reserved| hold.end.as_ref().is_some_and(|end| end.id == of && end.captured > 0);
        match self.holds.iter().find(is_charge) {
            Some(hold @ Reserved { place, end: Some(end), .. }) => {
                let legs = Self::overlaps(hold, &shares(place, end.captured));
                Ok((TransactionKind::Charge, legs, Some(place.wallet)))
            }
            _ if self.named(of).is_some() => Err(Refusal::NotReversible(None)),
            _ => Err(Refusal::TransactionNotFound),
        }
    }

    /// What a grant has paid goes back to it as long as it can be spent, and to its wallet after that.
    fn home_of(&self, debited: LedgerAccountId, wallet: Option<LedgerAccountId>, now_us: i64) -> LedgerAccountId {
        let is_open = self
            .grants
            .iter()
            .any(|given| given.give.account == debited && !given.has_lapsed && now_us < given.give.expires_us);
        if is_open { debited } else { wallet.unwrap_or(debited) }
    }

    /// How much of `of` went back so far, in micro-credits.
    pub fn refunded(&self, of: EntryId) -> i128 {
        use TransactionKind::{Chargeback, Refund, Reversal};
        let takes_back =
            |post: &&Post| post.reverses == Some(of) && matches!(post.kind, Refund | Chargeback | Reversal);
        self.posts.iter().filter(takes_back).map(|post| total(&post.legs)).sum()
    }

    /// What a limited account, or a payable, can give after `legs`.
    fn spare(&self, legs: &[Leg], id: LedgerAccountId) -> Option<i128> {
        let all: Vec<Leg> = self.legs.iter().chain(legs).copied().collect();
        match self.kind(id)? {
            AccountKind::Wallet | AccountKind::Grant => {
                Some(self.available_after(&all, id, self.overdraft(id)?).max(0))
            }
            AccountKind::Payable => {
                let (credits, debits) = sums_in(&all, id);
                Some((credits - debits).max(0))
            }
            _ => None,
        }
    }

    fn give_back(&self, legs: &mut Vec<Leg>, leg: Leg) -> Result<(), Refusal> {
        let amount = micros(leg.amount);
        let covered = match self.kind(leg.debit) {
            Some(AccountKind::Payable) => self.spare(legs, leg.debit).unwrap_or(0).min(amount),
            _ => amount,
        };
        legs.push(Leg { amount: credits(covered), ..leg });
        let debtor = leg.debit.receivable();
        if covered < amount && self.account(debtor).is_none() {
            return Err(Refusal::UnknownAccount(debtor));
        }
        legs.push(Leg { debit: debtor, amount: credits(amount - covered), ..leg });
        legs.retain(|leg| micros(leg.amount) > 0);
        Ok(())
    }

    fn write_down(&mut self, post: Post, now_us: i64) -> Result<Done, Refusal> {
        let mut objections = Objections::default();
        for id in post.legs.iter().flat_map(|leg| [leg.debit, leg.credit]) {
            self.object_to_account(id, now_us, &mut objections);
        }
        objections.first()?;
        self.move_money(&post.legs)?;
        self.posts.push(post);
        Ok(Done::Posted)
    }

    fn before(
        &self,
        id: EntryId,
        kind: TransactionKind,
        (of, amount, meta): (EntryId, Option<Credits>, Option<Digest>),
    ) -> Option<Result<Done, Refusal>> {
        let Named::Post(before) = self.named(id)? else { return Some(Err(Refusal::Exists(Difference::Operation))) };
        Some(verdict(&[
            (Difference::Operation, before.kind != kind || before.reverses != Some(of)),
            (Difference::Amount, amount.is_some_and(|amount| micros(amount) != total(&before.legs))),
            (Difference::Metadata, before.meta != meta),
        ]))
    }

    /// Gives back a part of a charge.
    pub fn refund(&mut self, refund: &Refund, now_us: i64) -> Result<Done, Refusal> {
        let kind = TransactionKind::Refund;
        if let Some(before) = self.before(refund.id, kind, (refund.of, refund.amount, refund.meta)) {
            return before;
        }
        if refund.amount.is_some_and(|amount| micros(amount) <= 0) {
            return Err(Refusal::OutOfRange);
        }
        let (moved, charged, wallet) = self.moved(refund.of)?;
        if moved != TransactionKind::Charge {
            return Err(Refusal::NotReversible(Some(moved)));
        }
        let (captured, refunded) = (total(&charged), self.refunded(refund.of));
        let amount = refund.amount.map_or(captured - refunded, micros);
        if amount == 0 || amount > captured - refunded {
            let needed = refund.amount.unwrap_or_default();
            let (captured, refunded) = (credits(captured), credits(refunded));
            return Err(Refusal::ExceedsRefundable { needed, captured, refunded });
        }
        let (before, after) = (given_back_by(&charged, refunded), given_back_by(&charged, refunded + amount));
        let mut legs = Vec::new();
        for (leg, (before, after)) in charged.iter().zip(before.into_iter().zip(after)) {
            let credit = self.home_of(leg.debit, wallet, now_us);
            self.give_back(&mut legs, Leg { debit: leg.credit, credit, amount: credits(after - before) })?;
        }
        let (id, meta, reverses) = (refund.id, refund.meta, Some(refund.of));
        self.write_down(Post { id, kind, legs, reverses, effective_us: None, meta }, now_us)
    }

    /// Takes a whole transaction back.
    pub fn revert(&mut self, revert: &Revert, now_us: i64) -> Result<Done, Refusal> {
        let kind = TransactionKind::Reversal;
        if let Some(before) = self.before(revert.id, kind, (revert.of, None, revert.meta)) {
            return before;
        }
        let (moved, legs, wallet) = self.moved(revert.of)?;
        let goes_back =
            matches!(moved, TransactionKind::Refund | TransactionKind::Chargeback | TransactionKind::Reversal);
        if goes_back || legs.is_empty() {
            return Err(Refusal::NotReversible(Some(moved)));
        }
        let refunded = self.refunded(revert.of);
        if refunded > 0 {
            let (captured, refunded) = (credits(total(&legs)), credits(refunded));
            return Err(Refusal::AlreadyReversed { captured, refunded });
        }
        let mut back = Vec::new();
        for leg in legs.iter().rev() {
            let credit = self.home_of(leg.debit, wallet, now_us);
            self.give_back(&mut back, Leg { debit: leg.credit, credit, amount: leg.amount })?;
        }
        let (id, meta, reverses) = (revert.id, revert.meta, Some(revert.of));
        self.write_down(Post { id, kind, legs: back, reverses, effective_us: None, meta }, now_us)
    }

    /// Collects an amount from several accounts.
    pub fn collect(&mut self, collect: &Collect, now_us: i64) -> Result<Done, Refusal> {
        if let Some(named) = self.named(collect.id) {
            let Named::Post(before) = named else { return Err(Refusal::Exists(Difference::Operation)) };
            let (taken, asked) = (total(&before.legs), micros(collect.amount));
            let is_other_amount = if collect.is_at_most { taken > asked } else { taken != asked };
            return verdict(&[
                (Difference::Operation, before.kind != collect.kind || before.reverses != collect.reverses),
                (Difference::DebitAccount, before.legs.iter().any(|leg| !collect.sources.contains(&leg.debit))),
                (Difference::CreditAccount, before.legs.iter().any(|leg| leg.credit != collect.to)),
                (Difference::Amount, is_other_amount),
                (Difference::Metadata, before.meta != collect.meta),
            ]);
        }
        if micros(collect.amount) <= 0 {
            return Err(Refusal::OutOfRange);
        }
        if collect.sources.contains(&collect.to) {
            return Err(Refusal::SameAccount);
        }
        let is_chargeback = collect.kind == TransactionKind::Chargeback;
        if collect.reverses.is_some() != is_chargeback || (super::has_own_rules(collect.kind) && !is_chargeback) {
            return Err(Refusal::WrongKind(collect.kind));
        }
        if let Some(of) = collect.reverses {
            let (moved, legs, _) = self.moved(of)?;
            if moved != TransactionKind::Purchase {
                return Err(Refusal::NotReversible(Some(moved)));
            }
            let (needed, captured, refunded) = (collect.amount, total(&legs), self.refunded(of));
            if micros(needed) > captured - refunded {
                let (captured, refunded) = (credits(captured), credits(refunded));
                return Err(Refusal::ExceedsRefundable { needed, captured, refunded });
            }
        }
        let mut objections = Objections::default();
        for id in collect.sources.iter().chain([&collect.to]) {
            self.object_to_account(*id, now_us, &mut objections);
        }
        objections.first()?;
        let (mut legs, mut missing) = (Vec::new(), micros(collect.amount));
        for source in &collect.sources {
            let part = self.spare(&legs, *source).unwrap_or(missing).min(missing);
            missing -= part;
            legs.push(Leg { debit: *source, credit: collect.to, amount: credits(part) });
            legs.retain(|leg| micros(leg.amount) > 0);
        }
        if let Some(first) = collect.sources.first().filter(|_| missing > 0 && !collect.is_at_most) {
            let available = credits(micros(collect.amount) - missing);
            return Err(Refusal::Insufficient { limit: Limit::Wallet(*first), needed: collect.amount, available });
        }
        let Collect { id, kind, reverses, meta, .. } = *collect;
        self.write_down(Post { id, kind, legs, reverses, effective_us: None, meta }, now_us)
    }

    /// Reserves what a wallet has, up to an amount.
    pub fn secure(&mut self, secure: &Secure, now_us: i64) -> Result<Done, Refusal> {
        if let Some(named) = self.named(secure.id) {
            let Named::Hold(before) = named else { return Err(Refusal::Exists(Difference::Operation)) };
            return verdict(&[
                (Difference::DebitAccount, before.place.wallet != secure.wallet),
                (Difference::CreditAccount, before.place.payee != secure.payee),
                (Difference::Amount, before.place.amount > secure.at_most),
                (Difference::Metadata, before.place.meta != secure.meta),
            ]);
        }
        if micros(secure.at_most) <= 0 {
            return Err(Refusal::OutOfRange);
        }
        if secure.wallet == secure.payee {
            return Err(Refusal::SameAccount);
        }
        let mut objections = Objections::default();
        self.object_to_party(secure.wallet, now_us, &mut objections);
        objections.add(self.overdraft(secure.wallet).is_none(), Refusal::UnknownAccount(secure.wallet));
        self.object_to_party(secure.payee, now_us, &mut objections);
        objections.first()?;
        let there = self.spare(&[], secure.wallet).unwrap_or(0);
        let shares = ShareTerms::new(10_000, 0).map_err(|_above| Refusal::Overflow)?;
        let Secure { id, wallet, payee, meta, .. } = *secure;
        let (ttl_us, partner, on_expiry, caps) = (0, None, OnExpiry::Release, Vec::new());
        let amount = credits(there.min(micros(secure.at_most)));
        let place = PlaceHold { id, wallet, payee, amount, ttl_us, shares, partner, on_expiry, caps, meta };
        self.holds.push(Reserved { place, sources: Vec::new(), expires_us: None, end: None });
        Ok(Done::Held)
    }

    /// Pays out what was earned.
    pub fn pay_out(&mut self, payout: &Payout, now_us: i64) -> Result<Done, Refusal> {
        let debtor = payout.from.receivable();
        if let Some(named) = self.named(payout.id) {
            let Named::Post(before) = named else { return Err(Refusal::Exists(Difference::Operation)) };
            let to = |leg: &&Leg| leg.credit == payout.to;
            let paid: i128 = before.legs.iter().filter(to).map(|leg| micros(leg.amount)).sum();
            let is_expected = |leg: &Leg| leg.credit == payout.to || leg.credit == debtor;
            return verdict(&[
                (Difference::Operation, before.kind != TransactionKind::Payout),
                (Difference::DebitAccount, before.legs.iter().any(|leg| leg.debit != payout.from)),
                (Difference::CreditAccount, !before.legs.iter().all(is_expected)),
                (Difference::Amount, payout.amount.is_some_and(|amount| micros(amount) != paid)),
            ]);
        }
        if payout.amount.is_some_and(|amount| micros(amount) <= 0) {
            return Err(Refusal::OutOfRange);
        }
        if [payout.from, debtor].contains(&payout.to) {
            return Err(Refusal::SameAccount);
        }
        let mut objections = Objections::default();
        for id in [payout.from, payout.to] {
            self.object_to_account(id, now_us, &mut objections);
        }
        objections.first()?;
        if !matches!(self.kind(payout.from), Some(AccountKind::Payable | AccountKind::PartnerMargin)) {
            return Err(Refusal::WrongKind(TransactionKind::Payout));
        }
        let balance = |id| {
            let (credits, debits) = sums_in(&self.legs, id);
            credits - debits
        };
        let (payable, owed) = (balance(payout.from).max(0), (-balance(debtor)).max(0));
        let netted = payable.min(owed);
        let paid = payout.amount.map_or(payable - netted, micros);
        if paid > payable - netted || paid + netted == 0 {
            let (payable, owed) = (credits(payable), credits(owed));
            return Err(Refusal::ExceedsPayable { needed: payout.amount.unwrap_or_default(), payable, owed });
        }
        let leg = |credit, amount| Leg { debit: payout.from, credit, amount: credits(amount) };
        let mut legs = vec![leg(debtor, netted), leg(payout.to, paid)];
        legs.retain(|leg| micros(leg.amount) > 0);
        let (id, kind, meta) = (payout.id, TransactionKind::Payout, payout.meta);
        self.write_down(Post { id, kind, legs, reverses: None, effective_us: None, meta }, now_us)
    }
}
