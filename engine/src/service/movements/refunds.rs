//! Charges, and whole transactions, that go back.

use sea_orm::EntityTrait;

use serde_json::json;

use super::{Draft, MovementError, MovementKind, Note, Order, check_positive};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{EntryId, InvocationId},
    ledger::{AccountKind, LedgerAccountId, Refund, Revert},
    service::{
        Services,
        approvals::Moving,
        outbox::{MailTemplate, NewMail},
    },
    store::{StoreError, UnitOfWork, entity, journal, writer::Command},
};

/// What came of a refund. Amounts are micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refunded {
    /// The ledger's transaction.
    pub id: EntryId,
    /// The key was used before for the same: nothing went back now.
    pub is_replay: bool,
    /// Whose money it is again.
    pub wallet: Option<LedgerAccountId>,
    /// What went back with it.
    pub credits: Credits,
    /// Of that, what the publisher's payable gave.
    pub publisher: Credits,
    /// What the publisher owes, because the payable had been paid out.
    pub owed: Credits,
    /// What the partner's margin gave.
    pub partner: Credits,
    /// What the platform gave.
    pub platform: Credits,
    /// What was charged.
    pub charged: Credits,
    /// What of it went back until now.
    pub refunded: Credits,
}

/// What came of a reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reverted {
    /// The ledger's transaction; `None` after a rehearsal, which writes none.
    pub id: Option<EntryId>,
    /// The key was used before for the same: nothing went back now.
    pub is_replay: bool,
}

impl Services {
    /// Gives back `credits` of the charge `of` (a call's charge has the call's identifier), or all that is left of it.
    /// Publisher, partner and platform give their shares of it.
    ///
    /// # Errors
    /// `of` is no charge, less than that is left of it, the amount, the reason or the key cannot be used, another operator has
    /// to approve it, or the database failed.
    pub async fn refund(
        &self,
        by: &OpContext,
        of: EntryId,
        credits: Option<Credits>,
        note: Note<'_>,
    ) -> Result<Refunded, MovementError> {
        check_positive(credits)?;
        let order = Order { kind: MovementKind::Refund, subject: of.to_string(), credits, note };
        let moved = if let Some(moved) = self.find_moved(&order).await? {
            moved
        } else {
            let alone = self.check_alone(by, Moving::Refund { of, credits }, note.key).await?;
            let buyer = self.find_buyer(of).await?;
            self.carry_out(by, &order, alone, |unit, draft| {
                let meta = Some(draft.meta);
                unit.command(Command::Refund(Refund { id: draft.id, of, amount: credits, meta }));
                self.add_refund_mail(unit, buyer.as_deref(), of, draft);
            })
            .await?
        };
        self.load_refunded(moved.id, of, moved.is_replay).await
    }

    /// The address of who paid the charge `of`. Of a partner's call, and of what is no charge, nobody is known.
    async fn find_buyer(&self, of: EntryId) -> Result<Option<String>, StoreError> {
        let call = entity::invocation::Entity::find_by_id(of.uuid()).one(self.db.readers()).await?;
        let paid = call.filter(|call| call.partner_id.is_none()).and_then(|call| call.account_id);
        let Some(account) = paid else { return Ok(None) };
        let row = entity::account::Entity::find_by_id(account).one(self.db.readers()).await?;
        Ok(row.map(|row| row.email))
    }

    /// Adds to `unit` a mail to whoever gets a charge back. How much that is, only the ledger knows.
    fn add_refund_mail(&self, unit: &mut UnitOfWork, buyer: Option<&str>, of: EntryId, draft: Draft) {
        let Some(email) = buyer else { return };
        let call = InvocationId::from(of.uuid()).to_string();
        let new = NewMail {
            to: email,
            template: MailTemplate::Refund,
            data: json!({"transaction": draft.id.to_string(), "call": call}),
            about: ("movement", draft.id.to_string()),
            key: None,
        };
        self.enqueue_mail(unit, new, draft.now_us);
    }

    async fn load_refunded(&self, id: EntryId, of: EntryId, is_replay: bool) -> Result<Refunded, MovementError> {
        let legs = journal::find_postings(&self.db, id).await?;
        let sum = |wanted: &dyn Fn(AccountKind) -> bool| {
            let amounts = legs.iter().filter(|(kind, _)| wanted(*kind)).map(|(_, leg)| leg.amount);
            Credits::checked_sum(amounts).unwrap_or_default()
        };
        let total = entity::refund_total::Entity::find_by_id(of.uuid())
            .one(self.db.readers())
            .await
            .map_err(StoreError::from)?;
        let total = total.ok_or_else(|| StoreError::Inconsistent { table: "refund_total", what: of.to_string() })?;
        let (publisher, owed) =
            (sum(&|kind| kind == AccountKind::Payable), sum(&|kind| kind == AccountKind::Receivable));
        let (partner, platform) =
            (sum(&|kind| kind == AccountKind::PartnerMargin), sum(&|kind| kind == AccountKind::PlatformFee));
        Ok(Refunded {
            id,
            is_replay,
            wallet: legs.first().map(|(_, leg)| leg.credit),
            credits: sum(&|_| true),
            publisher,
            owed,
            partner,
            platform,
            charged: Credits::from_micros(total.captured),
            refunded: Credits::from_micros(total.refunded),
        })
    }

    /// Takes the whole transaction `of` back, of which nothing went back before. A rehearsal decides and writes nothing.
    ///
    /// # Errors
    /// `of` is no transaction that can be taken back, something of it went back before, somebody no longer has what they
    /// got, the reason or the key cannot be used, another operator has to approve it, or the database failed.
    pub async fn revert(
        &self,
        by: &OpContext,
        of: EntryId,
        note: Note<'_>,
        is_rehearsal: bool,
    ) -> Result<Reverted, MovementError> {
        let order = Order { kind: MovementKind::Reversal, subject: of.to_string(), credits: None, note };
        if let Some(moved) = self.find_moved(&order).await? {
            return Ok(Reverted { id: Some(moved.id), is_replay: true });
        }
        if is_rehearsal {
            self.rehearse_reversal(of).await?;
            return Ok(Reverted { id: None, is_replay: false });
        }
        let alone = self.check_alone(by, Moving::Reversal { of }, note.key).await?;
        let buyer = self.find_buyer(of).await?;
        let moved = self
            .carry_out(by, &order, alone, |unit, draft| {
                unit.command(Command::Revert(Revert { id: draft.id, of, meta: Some(draft.meta) }));
                self.add_refund_mail(unit, buyer.as_deref(), of, draft);
            })
            .await?;
        Ok(Reverted { id: Some(moved.id), is_replay: moved.is_replay })
    }
}
