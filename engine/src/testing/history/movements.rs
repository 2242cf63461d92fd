//! Money that goes back or out, in a random history.

use super::{History, Step, micros};
use crate::{
    id::EntryId,
    ledger::{Collect, LedgerAccountId, Payout, Refund, Revert, Secure, TransactionKind},
};

impl History {
    pub(super) fn step_of_movement(&mut self) -> Step {
        let step = match self.dice.below(14) {
            0..=5 => Step::Refund(self.any_refund()),
            6 => Step::Revert(Revert { id: self.fresh(), of: self.any_target(), meta: self.meta() }),
            7 | 8 => Step::Collect(self.any_collection()),
            9 => Step::Secure(self.any_security()),
            10 | 11 => Step::Payout(self.any_payout()),
            _ => return self.repeated_movement(),
        };
        self.movements.push(step.clone());
        step
    }

    fn any_refund(&mut self) -> Refund {
        let amount = match self.dice.below(10) {
            0..=2 => None,
            3 => Some(self.amount()),
            _ => Some(micros(self.dice.between(1, 40))),
        };
        Refund { id: self.fresh(), of: self.some_charge(), amount, meta: self.meta() }
    }

    /// Often one of which something went back before.
    fn any_target(&mut self) -> EntryId {
        let before = self.dice.pick(&self.movements).and_then(target_of);
        let is_again = self.dice.chance(40);
        before.filter(|_| is_again).unwrap_or_else(|| self.some_transaction())
    }

    /// Mostly a charge of late, so that several refunds meet at one.
    fn some_charge(&mut self) -> EntryId {
        if self.dice.chance(10) {
            return self.some_transaction();
        }
        let recent = self.settles.len().saturating_sub(8);
        let settle = self.dice.pick(self.settles.get(recent..).unwrap_or_default()).map(|settle| settle.id);
        let recent = self.calls.len().saturating_sub(6);
        let call = self.dice.pick(self.calls.get(recent..).unwrap_or_default()).map(|call| EntryId::from(call.call.id));
        let (first, second) = if self.dice.chance(50) { (settle, call) } else { (call, settle) };
        first.or(second).unwrap_or_else(|| self.fresh())
    }

    fn some_transaction(&mut self) -> EntryId {
        let recent = self.posts.len().saturating_sub(20);
        let post = self.dice.pick(self.posts.get(recent..).unwrap_or_default()).map(|post| post.id);
        match self.dice.below(6) {
            0 => self.some_name(),
            1 => self.dice.pick(&self.movements).map_or_else(|| self.fresh(), name_of),
            _ => post.unwrap_or_else(|| self.fresh()),
        }
    }

    fn any_collection(&mut self) -> Collect {
        let is_chargeback = self.dice.chance(40);
        let count = self.dice.between(1, 3);
        let mut sources: Vec<LedgerAccountId> = Vec::new();
        for _ in 0..count {
            let next = if self.dice.chance(10) { self.account() } else { self.wallet() };
            sources.push(next);
        }
        if self.dice.chance(50) {
            sources.push(LedgerAccountId::LOSS_CHARGEBACK);
        }
        let kinds =
            [TransactionKind::Adjustment, TransactionKind::Grant, TransactionKind::Transfer, TransactionKind::Refund];
        let free = self.dice.pick(&kinds).copied().unwrap_or(TransactionKind::Adjustment);
        let is_named = is_chargeback ^ self.dice.chance(5);
        let reverses = is_named.then(|| self.some_transaction());
        Collect {
            id: self.fresh(),
            kind: if is_chargeback { TransactionKind::Chargeback } else { free },
            sources,
            to: if self.dice.chance(10) { self.account() } else { LedgerAccountId::CLEARING_MANUAL },
            amount: self.amount(),
            is_at_most: self.dice.chance(30),
            reverses,
            meta: self.meta(),
        }
    }

    fn any_security(&mut self) -> Secure {
        let wallet = if self.dice.chance(5) { self.account() } else { self.wallet() };
        let payee = if self.dice.chance(5) { self.account() } else { LedgerAccountId::CLEARING_MANUAL };
        Secure { id: self.fresh(), wallet, payee, at_most: self.amount(), meta: self.meta() }
    }

    fn any_payout(&mut self) -> Payout {
        let from = if self.dice.chance(10) { self.account() } else { self.payee() };
        let to = if self.dice.chance(10) { self.account() } else { LedgerAccountId::CLEARING_MANUAL };
        let amount = if self.dice.chance(50) { None } else { Some(self.amount()) };
        Payout { id: self.fresh(), from, to, amount, meta: self.meta() }
    }

    /// An earlier movement once more, often with one thing changed.
    fn repeated_movement(&mut self) -> Step {
        let Some(mut step) = self.dice.pick(&self.movements).cloned() else { return Step::Refund(self.any_refund()) };
        let (amount, of, meta, account) = (self.amount(), self.some_charge(), self.meta(), self.account());
        let change = self.dice.below(6);
        match &mut step {
            Step::Refund(refund) => match change {
                0 => refund.amount = Some(amount),
                1 => refund.of = of,
                2 => refund.meta = meta,
                _ => {}
            },
            Step::Revert(revert) => match change {
                0 => revert.of = of,
                1 => revert.meta = meta,
                _ => {}
            },
            Step::Collect(collect) => match change {
                0 => collect.amount = amount,
                1 => collect.to = account,
                2 => collect.sources = vec![account],
                3 => collect.is_at_most = true,
                _ => {}
            },
            Step::Secure(secure) => match change {
                0 => secure.at_most = amount,
                1 => secure.wallet = account,
                2 => secure.payee = account,
                _ => {}
            },
            Step::Payout(payout) => match change {
                0 => payout.amount = Some(amount),
                1 => payout.from = account,
                2 => payout.to = account,
                _ => {}
            },
            _ => {}
        }
        step
    }
}

/// What a movement takes back.
const fn target_of(step: &Step) -> Option<EntryId> {
    match step {
        Step::Refund(refund) => Some(refund.of),
        Step::Revert(revert) => Some(revert.of),
        _ => None,
    }
}

/// The identifier of a movement.
fn name_of(step: &Step) -> EntryId {
    match step {
        Step::Refund(refund) => refund.id,
        Step::Revert(revert) => revert.id,
        Step::Collect(collect) => collect.id,
        Step::Secure(secure) => secure.id,
        Step::Payout(payout) => payout.id,
        _ => EntryId::from(uuid::Uuid::nil()),
    }
}
