//! End users of partners as they call: known by the partner's own names for them, made by their first call.

use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::{CapOwner, OwnedCap, PartnerPrincipal, Remembered};
use crate::{
    audit::OpContext,
    id::{CapId, EndUserId, PartnerId},
    ledger::{LedgerAccountId, leaf::sha256},
    service::{Services, partners::Funding},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How often an end user is made again when somebody else was at its name at the same moment.
const TRIES_MAX: u32 = 3;

/// A partner's customer as it calls.
#[derive(Debug, Clone)]
pub struct EndUser {
    /// Which.
    pub id: EndUserId,
    /// Its public form, for policies.
    pub name: String,
    /// The partner or an operator has blocked it.
    pub is_blocked: bool,
    /// The limits on it alone.
    pub caps: Vec<OwnedCap>,
    /// Where its end users pay themselves: who pays. Read by [`Services::load_calling_end_user`] alone.
    pub wallet: Option<LedgerAccountId>,
}

impl Services {
    /// A partner's end user by the partner's own name for it; made on first use.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn load_end_user(&self, partner: PartnerId, external_id: &str) -> Result<Arc<EndUser>, StoreError> {
        let key = (partner.uuid(), external_id.to_owned());
        let generation = self.access.generation();
        if let Some(known) = self.access.end_users.get(&key)
            && known.generation == generation
        {
            return Ok(known.value);
        }
        let row = match self.find_end_user(partner, external_id).await? {
            Some(row) => row,
            None => self.create_end_user(partner, external_id).await?,
        };
        let end_user = Arc::new(EndUser {
            id: EndUserId::from(row.id),
            name: EndUserId::from(row.id).to_string(),
            is_blocked: row.is_blocked,
            caps: self.end_user_caps(partner, row.id).await?,
            wallet: None,
        });
        self.access.end_users.insert(key, Remembered { generation, value: Arc::clone(&end_user) });
        Ok(end_user)
    }

    /// The same for a call: with its wallet where it pays itself, which is opened by its first call. Where the partner pays,
    /// nothing more is asked of the database than by [`Self::load_end_user`].
    ///
    /// # Errors
    /// As for [`Self::load_end_user`].
    pub async fn load_calling_end_user(
        &self,
        partner: &PartnerPrincipal,
        external_id: &str,
    ) -> Result<Arc<EndUser>, StoreError> {
        // Before anything is read: what has changed since then is read again by the next call.
        let generation = self.access.generation();
        let known = self.load_end_user(partner.id, external_id).await?;
        if partner.funding == Funding::Partner || known.wallet.is_some() {
            return Ok(known);
        }
        let wallet = self.open_end_user_wallet(partner.id, known.id).await?;
        let paying = Arc::new(EndUser { wallet: Some(wallet), ..(*known).clone() });
        let key = (partner.id.uuid(), external_id.to_owned());
        self.access.end_users.insert(key, Remembered { generation, value: Arc::clone(&paying) });
        Ok(paying)
    }

    pub(in crate::service) async fn find_end_user(
        &self,
        partner: PartnerId,
        external_id: &str,
    ) -> Result<Option<entity::end_user::Model>, StoreError> {
        Ok(entity::end_user::Entity::find()
            .filter(entity::end_user::Column::PartnerId.eq(partner.uuid()))
            .filter(entity::end_user::Column::ExternalId.eq(external_id))
            .one(self.db.readers())
            .await?)
    }

    async fn create_end_user(
        &self,
        partner: PartnerId,
        external_id: &str,
    ) -> Result<entity::end_user::Model, StoreError> {
        for _ in 0..TRIES_MAX {
            let waiting = self.find_waiting_limits(partner, external_id).await?;
            let now_us = self.clock.now_us();
            let row = entity::end_user::Model {
                id: EndUserId::new(&*self.ids, now_us).uuid(),
                partner_id: partner.uuid(),
                external_id: external_id.to_owned(),
                is_blocked: false,
                created_us: now_us,
                metadata: None,
                erased_us: None,
            };
            let mut unit = UnitOfWork::new();
            unit.one(self.db.backend(), &entity::end_user::Entity::insert(row.clone().into_active_model()));
            let told = self.hand_over_limits(&mut unit, &OpContext::system(), (&row, &waiting), now_us)?;
            // Made by the way of a paid call, which leaves its trace in the books.
            match self.ledger.save(unit.unaudited("an end user is noted by the first call for it").and(told)).await {
                Ok(_) => return Ok(row),
                // Another call of the same user was first, or an operator was at the limits that wait for it.
                Err(NotSaved::Conflict { .. } | NotSaved::Refused(_)) => {
                    if let Some(known) = self.find_end_user(partner, external_id).await? {
                        return Ok(known);
                    }
                }
                Err(NotSaved::Writer(error)) => return Err(error.into()),
            }
        }
        Err(StoreError::Inconsistent { table: "end_user", what: partner.to_string() })
    }

    /// The end user's own caps, and those that the partner sets for each of its users.
    async fn end_user_caps(&self, partner: PartnerId, user: Uuid) -> Result<Vec<OwnedCap>, StoreError> {
        let mut caps = self.list_caps(user, CapOwner::EndUser).await?;
        caps.extend(self.each_end_user_caps(partner, user).await?);
        Ok(caps)
    }

    /// The caps that a partner sets for each of its users, as they limit this one: they count for every user apart, under an
    /// identifier made from the cap's and the user's.
    pub(in crate::service) async fn each_end_user_caps(
        &self,
        partner: PartnerId,
        user: Uuid,
    ) -> Result<Vec<OwnedCap>, StoreError> {
        let mut caps = self.list_caps(partner.uuid(), CapOwner::EndUser).await?;
        for owned in &mut caps {
            owned.cap.id = each_user_cap(owned.cap.id, user);
        }
        Ok(caps)
    }
}

/// What a cap on each end user counts under for this one.
pub(in crate::service) fn each_user_cap(cap: CapId, user: Uuid) -> CapId {
    let digest = sha256(&[cap.uuid().into_bytes(), user.into_bytes()].concat());
    let (id, _) = digest.split_at(16);
    CapId::from(Uuid::from_slice(id).unwrap_or_default())
}
