//! What orders would do, worked out by the ledger without doing it: which postings, whose money, what is left afterwards.

use super::{MovementError, PaidOut, Payee, Posting, Refundable, check_positive};
use crate::{
    credits::Credits,
    id::{AccountId, EntryId},
    ledger::{AccountKind, LedgerAccountId, Leg, Payout, Post, Refund, Revert, TransactionKind, leaf::Entry},
    service::Services,
    store::{NotSaved, Rehearsal, StoreError, UnitOfWork, journal, unit::Rehearsed, writer::Command},
};

/// What each party of a refund gives, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parties {
    /// The publisher's payable.
    pub publisher: Credits,
    /// What the publisher would owe, because the payable has been paid out.
    pub owed: Credits,
    /// The partner's margin.
    pub partner: Credits,
    /// The platform.
    pub platform: Credits,
    /// What of it all goes back to grants that expire; the rest goes to the wallet.
    pub to_grants: Credits,
}

impl Parties {
    /// Whose money these postings of a refund are.
    pub fn of(postings: &[Posting]) -> Self {
        let sum = |wanted: &dyn Fn(&Posting) -> bool| {
            let amounts = postings.iter().filter(|posting| wanted(posting)).map(|posting| posting.amount);
            Credits::checked_sum(amounts).unwrap_or_default()
        };
        let given_by = |kind| sum(&|posting| posting.debit.kind == kind);
        Self {
            publisher: given_by(AccountKind::Payable),
            owed: given_by(AccountKind::Receivable),
            partner: given_by(AccountKind::PartnerMargin),
            platform: given_by(AccountKind::PlatformFee),
            to_grants: sum(&|posting| posting.credit.kind == AccountKind::Grant),
        }
    }
}

/// What a refund would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRehearsal {
    /// The charge, as it stands now.
    pub charge: Refundable,
    /// What would go back, in micro-credits.
    pub credits: Credits,
    /// The postings.
    pub postings: Vec<Posting>,
    /// The same, by party.
    pub parties: Parties,
    /// What could still go back afterwards, in micro-credits.
    pub left: Credits,
}

/// What a payout would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRehearsal {
    /// Its statement.
    pub statement: PaidOut,
    /// The postings.
    pub postings: Vec<Posting>,
}

impl Services {
    /// What giving `credits` of the charge `of` back would do, or all that is left of it.
    ///
    /// # Errors
    /// As for [`Services::refund`].
    pub async fn rehearse_refund(
        &self,
        of: EntryId,
        credits: Option<Credits>,
    ) -> Result<RefundRehearsal, MovementError> {
        check_positive(credits)?;
        let charge = self.find_refundable(of).await?.ok_or(MovementError::NotFound("charge"))?;
        let id = self.rehearsed_name();
        let come_to = self.rehearse(Command::Refund(Refund { id, of, amount: credits, meta: None })).await?;
        let postings = self.name_rehearsed(&come_to).await?;
        let credits = Credits::checked_sum(postings.iter().map(|posting| posting.amount)).unwrap_or_default();
        let left = charge.left().checked_sub(credits).unwrap_or_default();
        Ok(RefundRehearsal { charge, credits, parties: Parties::of(&postings), postings, left })
    }

    /// What taking the whole transaction `of` back would post.
    ///
    /// # Errors
    /// As for [`Services::revert`].
    pub async fn rehearse_reversal(&self, of: EntryId) -> Result<Vec<Posting>, MovementError> {
        let id = self.rehearsed_name();
        let come_to = self.rehearse(Command::Revert(Revert { id, of, meta: None })).await?;
        Ok(self.name_rehearsed(&come_to).await?)
    }

    /// What correcting the wallet of `account` by `credits` would post.
    ///
    /// # Errors
    /// As for [`Services::adjust`].
    pub async fn rehearse_adjustment(
        &self,
        account: AccountId,
        credits: Credits,
    ) -> Result<Vec<Posting>, MovementError> {
        let leg = self.adjusting_leg(account, credits).await?;
        let come_to = self.rehearse(Command::Post(adjustment(self.rehearsed_name(), leg))).await?;
        Ok(self.name_rehearsed(&come_to).await?)
    }

    /// What paying `credits` to `payee` would come to, or all that they have earned.
    ///
    /// # Errors
    /// As for [`Services::pay_out`].
    pub async fn rehearse_payout(
        &self,
        payee: &Payee,
        credits: Option<Credits>,
    ) -> Result<PayoutRehearsal, MovementError> {
        check_positive(credits)?;
        let id = self.rehearsed_name();
        let payout =
            Payout { id, from: payee.account, to: LedgerAccountId::CLEARING_MANUAL, amount: credits, meta: None };
        let come_to = self.rehearse(Command::Payout(payout)).await?;
        let postings = self.name_rehearsed(&come_to).await?;
        let missing =
            || StoreError::Inconsistent { table: "payout", what: "a rehearsal without a statement".to_owned() };
        let (_, numbers) = come_to.statements.first().ok_or_else(missing)?;
        let statement = self.state_payout(id, numbers).await?;
        let debt = journal::load_turnover(&self.db, payee.account.receivable()).await?;
        let owed = debt.debits.saturating_sub(debt.credits).saturating_sub(numbers.netted).max(0);
        Ok(PayoutRehearsal { statement: PaidOut { owed: Credits::from_micros(owed), ..statement }, postings })
    }

    /// From which account to which a correction of the wallet of `account` moves how much.
    pub(super) async fn adjusting_leg(&self, account: AccountId, credits: Credits) -> Result<Leg, MovementError> {
        let amount = if credits.is_negative() { credits.checked_neg() } else { Some(credits) };
        let Some(amount) = amount.filter(|amount| !amount.is_zero()) else { return Err(MovementError::Nothing) };
        let wallet = self.find_profile(account).await?.ok_or(MovementError::NotFound("account"))?.wallet;
        let (debit, credit) =
            if credits.is_negative() { (wallet, LedgerAccountId::OPENING) } else { (LedgerAccountId::OPENING, wallet) };
        Ok(Leg { debit, credit, amount })
    }

    fn rehearsed_name(&self) -> EntryId {
        EntryId::new(&*self.ids, self.clock.now_us())
    }

    async fn rehearse(&self, command: Command) -> Result<Rehearsed, MovementError> {
        let rehearsal = Rehearsal::default();
        let mut unit = UnitOfWork::new();
        unit.command(command).rehearse_for(&rehearsal);
        match self.ledger.save(unit.unaudited("a rehearsal changes nothing")).await {
            Ok(_) => Ok(rehearsal.take()),
            Err(NotSaved::Refused(refusal)) => Err(refusal.into()),
            Err(NotSaved::Conflict { .. }) => Err(MovementError::Changed),
            Err(NotSaved::Writer(error)) => Err(StoreError::from(error).into()),
        }
    }

    async fn name_rehearsed(&self, come_to: &Rehearsed) -> Result<Vec<Posting>, StoreError> {
        let legs = come_to.entries.iter().filter_map(|entry| match entry {
            Entry::Transaction(transaction) => Some(&transaction.legs),
            _ => None,
        });
        let legs: Vec<Leg> = legs.flatten().copied().collect();
        journal::name_postings(&self.db, &legs).await
    }
}

/// A correction, as the ledger is told of it.
pub(super) fn adjustment(id: EntryId, leg: Leg) -> Post {
    Post { id, kind: TransactionKind::Adjustment, legs: vec![leg], reverses: None, effective_us: None, meta: None }
}
