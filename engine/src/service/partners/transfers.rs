//! Credits that go between a partner's wallet and those of its end users, where each pays for itself.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{
    Funding, PartnerProfile,
    funding::still_per_user,
    named_by_key,
    own::{REASON, TRIES_MAX, is_external_id},
};
use crate::{
    audit::{Action, OpContext},
    credits::Credits,
    id::{EndUserId, EntryId, PartnerId},
    ledger::{LedgerAccountId, Leg, Post, Refusal, TransactionKind},
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// Which way credits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferDirection {
    /// From the partner's wallet into the end user's.
    ToUser,
    /// Back.
    ToPartner,
}

/// A transfer as a partner asks for it.
#[derive(Debug, Clone, Copy)]
pub struct NewTransfer<'a> {
    /// The partner's own name for the end user.
    pub external_id: &'a str,
    /// Which way.
    pub direction: TransferDirection,
    /// How much, in micro-credits.
    pub credits: Credits,
    /// The partner's own name for this transfer: the same again moves nothing more.
    pub key: &'a str,
}

/// Credits that went between a partner's wallet and an end user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndUserTransfer {
    /// The ledger's transaction.
    pub id: EntryId,
    /// Whose wallet it was.
    pub user: EndUserId,
    /// How much, in micro-credits; below zero: back into the partner's wallet.
    pub credits: Credits,
    /// The key was used before for the same: nothing was moved now.
    pub is_replay: bool,
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The partner has none of this name.
    #[error("there is no such end user")]
    NotFound,
    /// The partner pays for its end users: nothing would be spent from the end user's wallet.
    #[error("the partner pays for all its end users: this one's wallet would pay for nothing")]
    PartnerPays,
    /// Nothing, or less.
    #[error("must be more than 0")]
    NotPositive,
    /// The key moved something else.
    #[error("this key was used for another transfer, of {credits} credits")]
    KeyReused {
        /// Which.
        id: EntryId,
        /// How much, in micro-credits; below zero: back into the partner's wallet.
        credits: Credits,
    },
    /// The end user has never had anything that could go back.
    #[error("the end user has no wallet: {needed} cannot be taken from it")]
    NoWallet {
        /// How much was asked for, in micro-credits.
        needed: Credits,
    },
    /// Others change the end user at the same time.
    #[error("somebody else is changing this end user")]
    Changed,
    /// The ledger said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// Moves credits between this partner's wallet and that of one of its end users, in one transaction. Into the end user's
    /// where each pays for itself; back always.
    ///
    /// # Errors
    /// There is none of this name, the partner pays for all, the amount cannot be used, the key moved something else, the
    /// wallet has less, others change the end user at the same time, or the database failed.
    pub async fn transfer(
        &self,
        by: &OpContext,
        partner: PartnerId,
        new: NewTransfer<'_>,
    ) -> Result<EndUserTransfer, TransferError> {
        if new.credits <= Credits::ZERO {
            return Err(TransferError::NotPositive);
        }
        let missing = || StoreError::Inconsistent { table: "partner", what: partner.to_string() };
        let profile = self.find_partner(partner).await?.ok_or_else(missing)?;
        // The key names the row and the transaction: whoever comes second finds it.
        let id = EntryId::from(named_by_key(partner, "transfer", new.key).uuid());
        for _ in 0..TRIES_MAX {
            let row = self.find_end_user(partner, new.external_id).await?;
            let row = row.filter(|_| is_external_id(new.external_id)).ok_or(TransferError::NotFound)?;
            if let Some(done) = self.find_transfer(id, EndUserId::from(row.id), new).await? {
                return Ok(done);
            }
            if new.direction == TransferDirection::ToUser
                && self.load_partner_funding(partner).await? == Funding::Partner
            {
                return Err(TransferError::PartnerPays);
            }
            if let Some(done) = self.save_transfer(by, (&profile, &row), id, new).await? {
                return Ok(done);
            }
        }
        Err(TransferError::Changed)
    }

    /// What the key has moved before, if it has.
    async fn find_transfer(
        &self,
        id: EntryId,
        user: EndUserId,
        new: NewTransfer<'_>,
    ) -> Result<Option<EndUserTransfer>, TransferError> {
        let row = entity::end_user_transfer::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        let Some(row) = row.map_err(StoreError::from)? else { return Ok(None) };
        let (moved, credits) = (signed(new), Credits::from_micros(row.credits));
        if row.end_user_id != user.uuid() || credits != moved {
            return Err(TransferError::KeyReused { id, credits });
        }
        Ok(Some(EndUserTransfer { id, user, credits, is_replay: true }))
    }

    /// `None`: somebody else has changed the end user or who pays, or used the key.
    async fn save_transfer(
        &self,
        by: &OpContext,
        (partner, row): (&PartnerProfile, &entity::end_user::Model),
        id: EntryId,
        new: NewTransfer<'_>,
    ) -> Result<Option<EndUserTransfer>, TransferError> {
        use entity::end_user::Column;
        let (backend, user) = (self.db.backend(), EndUserId::from(row.id));
        let mut unit = UnitOfWork::new();
        // It is still called so: it has not been erased, and is not before this is written.
        let is_there = entity::end_user::Entity::update_many()
            .col_expr(Column::CreatedUs, Expr::col(Column::CreatedUs))
            .filter(Column::Id.eq(row.id))
            .filter(Column::ExternalId.eq(&*row.external_id));
        unit.one(backend, &is_there);
        if new.direction == TransferDirection::ToUser {
            unit.one(backend, &still_per_user(row.partner_id));
        }
        let wallet = match (self.find_end_user_wallet(user).await?, new.direction) {
            (Some(known), _) => LedgerAccountId::from_raw(known.wallet),
            (None, TransferDirection::ToUser) => self.add_end_user_wallet(&mut unit, partner.id, user),
            (None, TransferDirection::ToPartner) => return Err(TransferError::NoWallet { needed: new.credits }),
        };
        let credits = signed(new);
        let moved = entity::end_user_transfer::Model {
            id: id.uuid(),
            end_user_id: row.id,
            credits: credits.micros(),
            created_us: self.clock.now_us(),
        };
        unit.one(backend, &entity::end_user_transfer::Entity::insert(moved.into_active_model()));
        let (debit, credit) = match new.direction {
            TransferDirection::ToUser => (partner.wallet, wallet),
            TransferDirection::ToPartner => (wallet, partner.wallet),
        };
        unit.post(Post {
            id,
            kind: TransactionKind::Transfer,
            legs: vec![Leg { debit, credit, amount: new.credits }],
            reverses: None,
            effective_us: None,
            meta: None,
        });
        // Its name is the partner's, and may be an address.
        let after = json!({
            "partner": partner.id.to_string(), "transaction": id.to_string(), "credits": credits.to_string(),
        });
        let told = by.entry(Action::EndUserTransfer, "end_user", user).after(after).because(REASON);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(Some(EndUserTransfer { id, user, credits, is_replay: false })),
            Err(NotSaved::Refused(refusal)) => Err(refusal.into()),
            Err(NotSaved::Conflict { .. }) => Ok(None),
            Err(not_saved) => Err(unexpected("end_user_transfer", not_saved).into()),
        }
    }
}

/// What it adds to the end user's wallet.
fn signed(new: NewTransfer<'_>) -> Credits {
    match new.direction {
        TransferDirection::ToUser => new.credits,
        TransferDirection::ToPartner => Credits::from_micros(new.credits.micros().saturating_neg()),
    }
}
