//! Paying publishers, and partners their margin.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use serde_json::json;

use super::{MovementError, MovementKind, Note, Order, check_positive};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{EntryId, PartnerId, PublisherId},
    ledger::{LedgerAccountId, Payout, movement::Statement},
    service::{
        Services,
        accounts::normalised,
        approvals::Moving,
        outbox::{MailTemplate, NewMail},
    },
    store::{StoreError, entity, journal, writer::Command},
};

/// Who can be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payee {
    /// The public form of their identifier.
    pub id: String,
    /// Their name, for people.
    pub name: String,
    /// Where their earnings stand.
    pub(super) account: LedgerAccountId,
}

/// A payout with its statement: from the payout before to this one. Amounts are micro-credits.
///
/// `opening + earned - taken_back - netted - paid = closing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOut {
    /// The ledger's transaction.
    pub id: EntryId,
    /// The key was used before for the same: nothing was paid now.
    pub is_replay: bool,
    /// What was payable after the payout before.
    pub opening: Credits,
    /// What came in since.
    pub earned: Credits,
    /// What went back since.
    pub taken_back: Credits,
    /// What was kept for a debt.
    pub netted: Credits,
    /// What was paid.
    pub paid: Credits,
    /// What is payable after it.
    pub closing: Credits,
    /// What is owed now.
    pub owed: Credits,
}

impl Services {
    /// A publisher by slug or identifier, or a partner by identifier.
    ///
    /// # Errors
    /// There is none, or the database cannot be read.
    pub async fn find_payee(&self, text: &str) -> Result<Payee, MovementError> {
        let readers = self.db.readers();
        if let Ok(id) = text.parse::<PartnerId>() {
            let row = entity::partner::Entity::find_by_id(id.uuid()).one(readers).await.map_err(StoreError::from)?;
            let row = row.ok_or(MovementError::NotFound("partner"))?;
            let account = LedgerAccountId::from_raw(row.margin);
            return Ok(Payee { id: id.to_string(), name: row.name, account });
        }
        let found = match text.parse::<PublisherId>() {
            Ok(id) => entity::publisher::Entity::find_by_id(id.uuid()).one(readers).await,
            Err(_) => {
                entity::publisher::Entity::find().filter(entity::publisher::Column::Slug.eq(text)).one(readers).await
            }
        };
        let row = found.map_err(StoreError::from)?.ok_or(MovementError::NotFound("publisher"))?;
        let id = PublisherId::from(row.id).to_string();
        Ok(Payee { id, name: row.slug, account: LedgerAccountId::from_raw(row.payable) })
    }

    /// Pays `credits` of what `payee` has earned, or all of it. What they owe is kept first.
    ///
    /// # Errors
    /// Less is there, the amount, the reason or the key cannot be used, another operator has to approve it, the ledger refuses,
    /// or the database failed.
    pub async fn pay_out(
        &self,
        by: &OpContext,
        payee: &Payee,
        credits: Option<Credits>,
        note: Note<'_>,
    ) -> Result<PaidOut, MovementError> {
        self.pay_out_and_tell(by, payee, credits, note, None).await
    }

    /// As [`Self::pay_out`], and mails the statement to the address `tell`: the program itself knows none of publishers and
    /// partners.
    ///
    /// # Errors
    /// As for [`Self::pay_out`]; or that is no address.
    pub async fn pay_out_and_tell(
        &self,
        by: &OpContext,
        payee: &Payee,
        credits: Option<Credits>,
        note: Note<'_>,
        tell: Option<&str>,
    ) -> Result<PaidOut, MovementError> {
        check_positive(credits)?;
        let tell = tell.map(|address| normalised(address).ok_or(MovementError::Address)).transpose()?;
        let order = Order { kind: MovementKind::Payout, subject: payee.id.clone(), credits, note };
        let moved = if let Some(moved) = self.find_moved(&order).await? {
            moved
        } else {
            let (from, to) = (payee.account, LedgerAccountId::CLEARING_MANUAL);
            let alone = self.check_alone(by, Moving::Payout { payee, credits }, note.key).await?;
            // All there is, is what was counted: what is earned from then on waits for the next payout.
            let amount = credits.or_else(|| alone.amount().filter(|counted| !counted.is_zero()));
            self.carry_out(by, &order, alone, |unit, draft| {
                let payout = Payout { id: draft.id, from, to, amount, meta: Some(draft.meta) };
                unit.command(Command::Payout(payout));
                if let Some(address) = &tell {
                    let new = NewMail {
                        to: address,
                        template: MailTemplate::Statement,
                        data: json!({"payout": draft.id.to_string()}),
                        about: ("payout", draft.id.to_string()),
                        key: None,
                    };
                    self.enqueue_mail(unit, new, draft.now_us);
                }
            })
            .await?
        };
        Ok(self.load_payout(payee, moved.id, moved.is_replay).await?)
    }

    pub(super) async fn load_payout(&self, payee: &Payee, id: EntryId, is_replay: bool) -> Result<PaidOut, StoreError> {
        let row = entity::payout::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or_else(|| StoreError::Inconsistent { table: "payout", what: id.to_string() })?;
        let debt = journal::load_turnover(&self.db, payee.account.receivable()).await?;
        let paid = self.state_payout(id, &statement_of(&row)).await?;
        let owed = Credits::from_micros(debt.debits.saturating_sub(debt.credits)).max(Credits::ZERO);
        Ok(PaidOut { is_replay, owed, ..paid })
    }

    /// A statement from the payout before to this one, without what is owed.
    pub(super) async fn state_payout(&self, id: EntryId, now: &Statement) -> Result<PaidOut, StoreError> {
        // Every payout is a debit: an earlier one saw fewer of them.
        let before = entity::payout::Entity::find()
            .filter(entity::payout::Column::Account.eq(now.account.raw()))
            .filter(entity::payout::Column::Debits.lt(now.debits))
            .order_by_desc(entity::payout::Column::Debits)
            .one(self.db.readers())
            .await?
            .map(|row| statement_of(&row));
        let spent = |at: &Statement| at.debits.saturating_add(at.netted).saturating_add(at.paid);
        let (credits_before, debits_before) = before.as_ref().map_or((0, 0), |row| (row.credits, spent(row)));
        let of = |from: i64, to: i64| Credits::from_micros(to.saturating_sub(from));
        Ok(PaidOut {
            id,
            is_replay: false,
            opening: of(debits_before, credits_before),
            earned: of(credits_before, now.credits),
            taken_back: of(debits_before, now.debits),
            netted: Credits::from_micros(now.netted),
            paid: Credits::from_micros(now.paid),
            closing: of(spent(now), now.credits),
            owed: Credits::ZERO,
        })
    }
}

fn statement_of(row: &entity::payout::Model) -> Statement {
    Statement {
        account: LedgerAccountId::from_raw(row.account),
        credits: row.credits,
        debits: row.debits,
        netted: row.netted,
        paid: row.paid,
        note: None,
    }
}
