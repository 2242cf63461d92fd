//! Payments that their provider takes back: disputed first, then won or lost.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::{MovementError, MovementKind, Note, Order, check_positive};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{EntryId, PurchaseId},
    ledger::{
        AccountKind, Collect, LedgerAccountId, Refusal, Secure, Settle, SettleAction, TransactionKind,
        movement::RefundTotal,
    },
    service::{
        Services,
        approvals::Alone,
        purchases::{Purchase, PurchaseStatus},
    },
    store::{StoreError, UnitOfWork, entity, journal, writer::Command},
};

/// How a dispute stands. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargebackState {
    /// The customer's share is held.
    Open,
    /// The payment stays, and the customer's share is theirs again.
    Won,
    /// The payment is gone, and so is the customer's share.
    Lost,
}

impl ChargebackState {
    const ALL: [(Self, &'static str); 3] = [(Self::Open, "open"), (Self::Won, "won"), (Self::Lost, "lost")];

    /// The word of the wire and the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored)| *stored == word).map(|(state, _)| *state)
    }
}

/// A dispute, and what became of the customer's share. Amounts are micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chargeback {
    /// The hold on the customer's share.
    pub id: EntryId,
    /// What was bought.
    pub purchase: PurchaseId,
    /// The customer's wallet.
    pub wallet: LedgerAccountId,
    /// How it stands.
    pub state: ChargebackState,
    /// How much of the payment is disputed.
    pub credits: Credits,
    /// What the wallet had of it when the dispute was opened.
    pub held: Credits,
    /// What the wallet gave when the dispute was lost.
    pub taken: Credits,
    /// What it no longer had then: the platform's loss.
    pub loss: Credits,
    /// The key was used before for the same: nothing was changed now.
    pub is_replay: bool,
}

/// A purchase with the wallet that it went to.
pub(super) struct Paid {
    pub(super) purchase: Purchase,
    wallet: LedgerAccountId,
}

impl Services {
    /// A payment is disputed: of the customer's credits `credits` are held, or as many as were bought, or what is there.
    ///
    /// # Errors
    /// There is no such purchase, it was not paid, it is disputed already or was lost, less of it is left, the amount, the
    /// reason or the key cannot be used, or the database failed.
    pub async fn open_chargeback(
        &self,
        by: &OpContext,
        purchase: PurchaseId,
        credits: Option<Credits>,
        note: Note<'_>,
    ) -> Result<Chargeback, MovementError> {
        check_positive(credits)?;
        let order = Order { kind: MovementKind::ChargebackOpen, subject: purchase.to_string(), credits, note };
        let paid = self.load_paid(purchase).await?;
        if let Some(moved) = self.find_moved(&order).await? {
            return self.load_chargeback(&paid, moved.id, true).await;
        }
        if let Some(before) = self.find_chargeback(purchase).await?
            && before.state != ChargebackState::Won.as_str()
        {
            return Err(disputed(&before)?);
        }
        let total = self.load_total(&paid.purchase).await?;
        let amount = credits.unwrap_or(Credits::from_micros(total.left()));
        if amount.micros() > total.left() || amount.is_zero() {
            return Err(exceeds(credits, total));
        }
        let (backend, clearing, wallet) = (self.db.backend(), paid.purchase.provider.clearing(), paid.wallet);
        let opened = self
            .carry_out(by, &order, Alone::DECIDED_ELSEWHERE, |unit, draft| {
                let row = entity::chargeback::Model {
                    id: draft.id.uuid(),
                    purchase_id: purchase.uuid(),
                    credits: amount.micros(),
                    state: ChargebackState::Open.as_str().to_owned(),
                    opened_us: draft.now_us,
                    closing: None,
                    closed_us: None,
                };
                unit.one(backend, &entity::chargeback::Entity::insert(row.into_active_model()));
                let meta = Some(draft.meta);
                unit.command(Command::Secure(Secure { id: draft.id, wallet, payee: clearing, at_most: amount, meta }));
            })
            .await;
        match opened {
            Ok(moved) => self.load_chargeback(&paid, moved.id, moved.is_replay).await,
            // Somebody else opened one at the same moment.
            Err(MovementError::Changed) => match self.find_chargeback(purchase).await? {
                Some(row) => Err(disputed(&row)?),
                None => Err(MovementError::Changed),
            },
            Err(error) => Err(error),
        }
    }

    /// The dispute is over and the payment stays: what was held is the customer's again.
    ///
    /// # Errors
    /// There is no such purchase, none of its payment is disputed, the reason or the key cannot be used, or the database
    /// failed.
    pub async fn win_chargeback(
        &self,
        by: &OpContext,
        purchase: PurchaseId,
        note: Note<'_>,
    ) -> Result<Chargeback, MovementError> {
        self.close_chargeback(by, purchase, note, ChargebackState::Won).await
    }

    /// The dispute is over and the payment is gone: it is taken from the customer's wallet, and what that no longer has is
    /// the platform's loss.
    ///
    /// # Errors
    /// As for [`Self::win_chargeback`].
    pub async fn lose_chargeback(
        &self,
        by: &OpContext,
        purchase: PurchaseId,
        note: Note<'_>,
    ) -> Result<Chargeback, MovementError> {
        self.close_chargeback(by, purchase, note, ChargebackState::Lost).await
    }

    async fn close_chargeback(
        &self,
        by: &OpContext,
        purchase: PurchaseId,
        note: Note<'_>,
        state: ChargebackState,
    ) -> Result<Chargeback, MovementError> {
        let is_lost = state == ChargebackState::Lost;
        let kind = if is_lost { MovementKind::ChargebackLost } else { MovementKind::ChargebackWon };
        let order = Order { kind, subject: purchase.to_string(), credits: None, note };
        let paid = self.load_paid(purchase).await?;
        if let Some(moved) = self.find_moved(&order).await? {
            let row = self.find_closed_by(moved.id).await?.ok_or(MovementError::Changed)?;
            return self.load_chargeback(&paid, EntryId::from(row.id), true).await;
        }
        let row = self.find_chargeback(purchase).await?;
        let Some(row) = row.filter(|row| row.state == ChargebackState::Open.as_str()) else {
            return Err(MovementError::NotDisputed(self.last_state(purchase).await?));
        };
        let hold = EntryId::from(row.id);
        let closed = self
            .carry_out(by, &order, Alone::DECIDED_ELSEWHERE, |unit, draft| {
                self.close_row(unit, hold, state, (draft.id, draft.now_us));
                let release = SettleAction::Release(None);
                let end = |id, meta| Settle { id, hold, action: release, wallet: None, payee: None, meta };
                if is_lost {
                    unit.command(Command::Settle(end(hold, None)));
                    unit.command(Command::Collect(Collect {
                        id: draft.id,
                        kind: TransactionKind::Chargeback,
                        sources: vec![paid.wallet, LedgerAccountId::LOSS_CHARGEBACK],
                        to: paid.purchase.provider.clearing(),
                        amount: Credits::from_micros(row.credits),
                        is_at_most: false,
                        reverses: Some(EntryId::from(purchase.uuid())),
                        meta: Some(draft.meta),
                    }));
                } else {
                    unit.command(Command::Settle(end(draft.id, Some(draft.meta))));
                }
            })
            .await;
        match closed {
            Ok(moved) => self.load_chargeback(&paid, hold, moved.is_replay).await,
            // Somebody else closed it at the same moment.
            Err(MovementError::Changed) => Err(MovementError::NotDisputed(self.last_state(purchase).await?)),
            Err(error) => Err(error),
        }
    }

    fn close_row(&self, unit: &mut UnitOfWork, id: EntryId, state: ChargebackState, (closing, now_us): (EntryId, i64)) {
        let close = entity::chargeback::Entity::update_many()
            .set(entity::chargeback::ActiveModel {
                state: Set(state.as_str().to_owned()),
                closing: Set(Some(closing.uuid())),
                closed_us: Set(Some(now_us)),
                ..Default::default()
            })
            .filter(entity::chargeback::Column::Id.eq(id.uuid()))
            .filter(entity::chargeback::Column::State.eq(ChargebackState::Open.as_str()));
        unit.one(self.db.backend(), &close);
    }

    pub(super) async fn load_paid(&self, id: PurchaseId) -> Result<Paid, MovementError> {
        let purchase = self.find_purchase(id).await?.ok_or(MovementError::NotFound("purchase"))?;
        if purchase.status != PurchaseStatus::Confirmed {
            return Err(MovementError::NotConfirmed(purchase.status.as_str()));
        }
        let profile = self.find_profile(purchase.account).await?.ok_or(MovementError::NotFound("account"))?;
        Ok(Paid { purchase, wallet: profile.wallet })
    }

    /// The last chargeback of a purchase.
    async fn find_chargeback(&self, purchase: PurchaseId) -> Result<Option<entity::chargeback::Model>, StoreError> {
        Ok(entity::chargeback::Entity::find()
            .filter(entity::chargeback::Column::PurchaseId.eq(purchase.uuid()))
            .order_by_desc(entity::chargeback::Column::Id)
            .one(self.db.readers())
            .await?)
    }

    async fn find_closed_by(&self, closing: EntryId) -> Result<Option<entity::chargeback::Model>, StoreError> {
        Ok(entity::chargeback::Entity::find()
            .filter(entity::chargeback::Column::Closing.eq(closing.uuid()))
            .one(self.db.readers())
            .await?)
    }

    async fn last_state(&self, purchase: PurchaseId) -> Result<Option<ChargebackState>, StoreError> {
        self.find_chargeback(purchase).await?.map(|row| state_of(&row)).transpose()
    }

    /// How much of a purchase has been taken back.
    pub(super) async fn load_total(&self, purchase: &Purchase) -> Result<RefundTotal, StoreError> {
        let row = entity::refund_total::Entity::find_by_id(purchase.id.uuid()).one(self.db.readers()).await?;
        Ok(row.map_or(RefundTotal { captured: purchase.credits.micros(), refunded: 0 }, |row| RefundTotal {
            captured: row.captured,
            refunded: row.refunded,
        }))
    }

    pub(super) async fn load_chargeback(
        &self,
        paid: &Paid,
        id: EntryId,
        is_replay: bool,
    ) -> Result<Chargeback, MovementError> {
        let row = entity::chargeback::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        let missing = || StoreError::Inconsistent { table: "chargeback", what: id.to_string() };
        let row = row.map_err(StoreError::from)?.ok_or_else(missing)?;
        let state = state_of(&row)?;
        let held = journal::find_held(&self.db, row.id).await?.ok_or_else(missing)?;
        let legs = match row.closing.filter(|_| state == ChargebackState::Lost) {
            Some(closing) => journal::find_postings(&self.db, EntryId::from(closing)).await?,
            None => Vec::new(),
        };
        let given_by = |wanted: AccountKind| {
            let amounts = legs.iter().filter(|(kind, _)| *kind == wanted).map(|(_, leg)| leg.amount);
            Credits::checked_sum(amounts).unwrap_or_default()
        };
        Ok(Chargeback {
            id,
            purchase: paid.purchase.id,
            wallet: paid.wallet,
            state,
            credits: Credits::from_micros(row.credits),
            held,
            taken: given_by(AccountKind::Wallet),
            loss: given_by(AccountKind::Loss),
            is_replay,
        })
    }
}

pub(super) fn state_of(row: &entity::chargeback::Model) -> Result<ChargebackState, StoreError> {
    let broken = || StoreError::Inconsistent { table: "chargeback", what: EntryId::from(row.id).to_string() };
    ChargebackState::from_word(&row.state).ok_or_else(broken)
}

fn disputed(row: &entity::chargeback::Model) -> Result<MovementError, StoreError> {
    Ok(MovementError::AlreadyDisputed { credits: Credits::from_micros(row.credits), state: state_of(row)? })
}

fn exceeds(needed: Option<Credits>, total: RefundTotal) -> MovementError {
    let (captured, refunded) = (Credits::from_micros(total.captured), Credits::from_micros(total.refunded));
    Refusal::ExceedsRefundable { needed: needed.unwrap_or_default(), captured, refunded }.into()
}
