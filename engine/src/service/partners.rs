//! Partners: platforms that call for end users of their own. Whoever runs the house makes, changes and stops them here, or
//! declares them in the configuration.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Services,
    accounts::{REASON_CHARS_MAX, is_reason},
    outbox::unexpected,
    paging::{Listed, PAGE_READ, begins_in_any_case},
};
use crate::{
    audit::{Action, OpContext},
    id::{PartnerId, RequestId},
    ledger::{AccountKind, LedgerAccountId, movement::Turnover},
    pricing::{BASIS_POINTS, ShareTerms},
    store::{NotSaved, StoreError, UnitOfWork, entity, journal},
};

mod alerts;
mod deliveries;
mod erased;
mod erasure;
mod funding;
mod hooks;
mod notices;
mod own;
mod payouts;
mod queue;
mod transfers;
mod usage;
mod users;

pub use alerts::{CapAlert, CapAlertError, NewCapAlert};
pub use deliveries::{
    DELIVERIES_EACH_MAX, DELIVERY_AGE_US, DELIVERY_ATTEMPTS_MAX, DELIVERY_BATCH_MAX, DELIVERY_CLAIM_US,
    OutgoingDelivery,
};
pub use erasure::{EraseEndUserError, Erasure};
pub use funding::{Funding, FundingError, HeldByUsers};
pub use hooks::{Delivery, DeliveryState, Webhook, WebhookError, WebhookNote};
pub use notices::{NoticeRound, PartnerEvent};
pub use own::{ChangeEndUserError, EndUserChange, MetadataChange, is_external_id, named_by_key};
pub use payouts::PartnerPayout;
pub use queue::{DeliveryCursor, InvalidDeliveryCursor, PartnerDelivery, WebhookQueue};
pub use transfers::{EndUserTransfer, NewTransfer, TransferDirection, TransferError};
pub use usage::{
    InvalidUsageCursor, UsageBy, UsageCursor, UsageLine, UsagePage, UsagePeriod, UsageQuery, UsageSubject,
};
pub use users::{BlockEndUserError, EndUserFilter, EndUserProfile};

pub(super) use erased::ErasedNames;

/// Longest name of a partner, in characters.
pub const PARTNER_NAME_CHARS_MAX: usize = 100;
/// Up to how many end users are counted.
pub const END_USERS_COUNTED_MAX: u64 = 10_000;

/// Which partners are wanted. What is empty or `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartnerFilter {
    /// How its name begins, in any case.
    pub name: String,
    /// Suspended ones, or those that are not.
    pub is_suspended: Option<bool>,
}

/// A partner as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerProfile {
    /// Which.
    pub id: PartnerId,
    /// Its name.
    pub name: String,
    /// Its calls are refused.
    pub is_suspended: bool,
    /// Its share of every charge, in basis points.
    pub margin_bps: u16,
    /// What pays for the calls of its end users, or fills their wallets where each pays for itself.
    pub wallet: LedgerAccountId,
    /// Where its share goes.
    pub margin: LedgerAccountId,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// How much there is of what belongs to a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartnerSize {
    /// Its tokens that are not revoked.
    pub tokens: u64,
    /// Its end users; one more than [`END_USERS_COUNTED_MAX`] says that there are more.
    pub end_users: u64,
}

/// A new partner.
#[derive(Debug, Clone, Copy)]
pub struct NewPartner<'a> {
    /// What it is called. Nobody else is.
    pub name: &'a str,
    /// Its share of every charge, in basis points.
    pub margin_bps: u16,
    /// Why.
    pub reason: &'a str,
    /// The form's own identifier: with the same one again no other partner is made.
    pub key: Option<RequestId>,
}

/// Why no partner was made or changed.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// There is none.
    #[error("there is no such partner")]
    NotFound,
    /// The name cannot be used.
    #[error("a partner's name is one line of 1 to {PARTNER_NAME_CHARS_MAX} characters")]
    Name,
    /// The key has made another partner.
    #[error("this was sent before, and made the partner `{0}`: begin anew for another one")]
    MadeBefore(String),
    /// Another partner has it.
    #[error("a partner of this name exists")]
    NameTaken,
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// Publisher and partner would get more than the whole.
    #[error(
        "a margin of {margin_bps} basis points and a publisher's share of {share_bps} are more than {BASIS_POINTS}"
    )]
    Margin {
        /// What the partner would get, in basis points.
        margin_bps: u16,
        /// The largest share of a publisher, in basis points.
        share_bps: u16,
    },
    /// It is so already.
    #[error("the partner is {} already", if *.0 { "suspended" } else { "not suspended" })]
    AlreadySo(bool),
    /// The margin is not what whoever changes it has seen.
    #[error("somebody else has changed the margin in the meantime: it is {now_bps} basis points")]
    Changed {
        /// What it is now, in basis points.
        now_bps: u16,
    },
    /// Somebody else changed the catalog at the same moment: a publisher's share may be another one.
    #[error("the catalog was changed at the same moment: try again")]
    Overtaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Services {
    /// The partners that `filter` wants, the newest first, from behind the one named by `after`. The primary key serves this;
    /// there are as many partners as contracts.
    ///
    /// # Errors
    /// The database cannot be read, or holds a margin that makes no sense.
    pub async fn list_partners(
        &self,
        filter: &PartnerFilter,
        after: Option<Uuid>,
    ) -> Result<Listed<PartnerProfile>, StoreError> {
        use entity::partner::Column;
        let mut query = entity::partner::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
        if !filter.name.is_empty() {
            query = query.filter(begins_in_any_case(Column::Name, &filter.name));
        }
        if let Some(is_suspended) = filter.is_suspended {
            query = query.filter(Column::IsSuspended.eq(is_suspended));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let rows = query.all(self.db.readers()).await?;
        let listed = Listed::of(rows, |row| row.id.as_simple().to_string());
        let profiles = listed.rows.iter().map(profile).collect::<Result<Vec<_>, _>>()?;
        Ok(Listed { rows: profiles, next: listed.next })
    }

    /// A partner.
    ///
    /// # Errors
    /// As for [`Self::list_partners`].
    pub async fn find_partner(&self, id: PartnerId) -> Result<Option<PartnerProfile>, StoreError> {
        let row = entity::partner::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.as_ref().map(profile).transpose()
    }

    /// What a partner's share of the charges has come to, and what of it went back or was paid out.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_partner_margin(&self, partner: &PartnerProfile) -> Result<Turnover, StoreError> {
        journal::load_turnover(&self.db, partner.margin).await
    }

    /// How much there is of what belongs to a partner.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_partner_size(&self, id: PartnerId) -> Result<PartnerSize, StoreError> {
        let tokens = entity::token::Entity::find()
            .filter(entity::token::Column::PartnerId.eq(id.uuid()))
            .filter(entity::token::Column::RevokedUs.is_null())
            .count(self.db.readers())
            .await?;
        // A count has no limit of its own; the unique key of partner and name serves this.
        let users: Vec<Uuid> = entity::end_user::Entity::find()
            .select_only()
            .column(entity::end_user::Column::Id)
            .filter(entity::end_user::Column::PartnerId.eq(id.uuid()))
            .limit(END_USERS_COUNTED_MAX.saturating_add(1))
            .into_tuple()
            .all(self.db.readers())
            .await?;
        Ok(PartnerSize { tokens, end_users: u64::try_from(users.len()).unwrap_or(u64::MAX) })
    }

    /// Makes a partner with an empty wallet, which pays for the calls of all its end users. It calls as soon as it has a
    /// token. The same key again gives the same partner.
    ///
    /// # Errors
    /// Name, margin or reason cannot be used, the name is taken, the catalog was changed at the same moment, or the database
    /// failed.
    pub async fn create_partner(&self, by: &OpContext, new: NewPartner<'_>) -> Result<PartnerProfile, PartnerError> {
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > PARTNER_NAME_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(PartnerError::Name);
        }
        if !is_reason(new.reason) {
            return Err(PartnerError::Reason);
        }
        if let Some(known) = self.find_made_partner(name, new.key).await? {
            return known;
        }
        let version = self.check_margin(new.margin_bps).await?;
        let now_us = self.clock.now_us();
        // The key names the row: whoever comes second finds it.
        let id = new.key.map_or_else(|| PartnerId::new(&*self.ids, now_us), |key| PartnerId::from(key.uuid()));
        let mut unit = UnitOfWork::new();
        let wallet = self.open_ledger_account(&mut unit, AccountKind::Wallet, &id.to_string(), now_us);
        let margin = self.open_ledger_account(&mut unit, AccountKind::PartnerMargin, &id.to_string(), now_us);
        let row = entity::partner::Model {
            id: id.uuid(),
            name: name.to_owned(),
            is_suspended: false,
            margin_bps: new.margin_bps.into(),
            wallet: wallet.raw(),
            margin: margin.raw(),
            created_us: now_us,
        };
        self.state(&mut unit, &row, now_us);
        unit.one(self.db.backend(), &entity::partner::Entity::insert(row.clone().into_active_model()));
        self.bump_catalog_from(&mut unit, version);
        let after = json!({"name": row.name, "margin_bps": row.margin_bps});
        let told = by.entry(Action::PartnerCreate, "partner", id).after(after).because(new.reason);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(profile(&row)?),
            // The same form, or the same name, or a publisher's share, at the same moment.
            Err(NotSaved::Conflict { .. }) => {
                self.find_made_partner(name, new.key).await?.unwrap_or(Err(PartnerError::Overtaken))
            }
            Err(not_saved) => Err(unexpected("partner", not_saved).into()),
        }
    }

    /// What came of making a partner of this name with this key, if there is a partner of one of them.
    async fn find_made_partner(
        &self,
        name: &str,
        key: Option<RequestId>,
    ) -> Result<Option<Result<PartnerProfile, PartnerError>>, StoreError> {
        let find = entity::partner::Entity::find;
        if let Some(key) = key
            && let Some(row) = find().filter(entity::partner::Column::Id.eq(key.uuid())).one(self.db.readers()).await?
        {
            let made = profile(&row)?;
            return Ok(Some(if made.name == name { Ok(made) } else { Err(PartnerError::MadeBefore(made.name)) }));
        }
        let named = find().filter(entity::partner::Column::Name.eq(name)).one(self.db.readers()).await?;
        Ok(named.map(|_row| Err(PartnerError::NameTaken)))
    }

    /// Whether every publisher's share leaves this much of a charge: as long as the catalog has the version that comes back.
    /// Shares are checked against margins in the same way, so of two that do not fit together only one is written.
    async fn check_margin(&self, margin_bps: u16) -> Result<i64, PartnerError> {
        let version = self.catalog_version().await?;
        let largest = entity::publisher::Entity::find()
            .order_by_desc(entity::publisher::Column::ShareBps)
            .one(self.db.readers())
            .await
            .map_err(StoreError::from)?;
        let share_bps = largest.map_or(Ok(0), |row| bps(row.share_bps, "publisher", &row.slug))?;
        let fits = ShareTerms::new(share_bps, margin_bps);
        fits.map(|_fits| version).map_err(|_more_than_the_whole| PartnerError::Margin { margin_bps, share_bps })
    }

    /// Changes a partner's share of the charges to come from `from_bps`, which whoever asks has seen, to `to_bps` (basis
    /// points): in force on every server within a second. Says whether anything had to be changed.
    ///
    /// # Errors
    /// There is none, its margin is another one than `from_bps`, margin or reason cannot be used, the catalog was changed at
    /// the same moment, or the database failed.
    pub async fn change_partner(
        &self,
        by: &OpContext,
        id: PartnerId,
        (from_bps, to_bps): (u16, u16),
        reason: &str,
    ) -> Result<bool, PartnerError> {
        if !is_reason(reason) {
            return Err(PartnerError::Reason);
        }
        let row = self.load_partner_row(id).await?;
        let now_bps = bps(row.margin_bps, "partner", &row.name)?;
        if now_bps == to_bps {
            return Ok(false);
        }
        if now_bps != from_bps {
            return Err(PartnerError::Changed { now_bps });
        }
        let version = self.check_margin(to_bps).await?;
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        let update = entity::partner::Entity::update_many()
            .set(entity::partner::ActiveModel { margin_bps: Set(to_bps.into()), ..Default::default() })
            .filter(entity::partner::Column::Id.eq(row.id))
            .filter(entity::partner::Column::MarginBps.eq(row.margin_bps));
        unit.one(self.db.backend(), &update);
        self.state(&mut unit, &entity::partner::Model { margin_bps: to_bps.into(), ..row }, now_us);
        self.bump_catalog_from(&mut unit, version);
        self.bump_version(&mut unit, "access");
        let facts = |bps: u16| json!({"margin_bps": bps});
        let told = by.entry(Action::PartnerChange, "partner", id).before(facts(from_bps)).after(facts(to_bps));
        match self.ledger.save(unit.audited(told.because(reason))).await {
            Ok(_) => {
                self.forget_access();
                Ok(true)
            }
            Err(NotSaved::Conflict { .. }) => {
                let row = self.load_partner_row(id).await?;
                let now_bps = bps(row.margin_bps, "partner", &row.name)?;
                Err(if now_bps == from_bps { PartnerError::Overtaken } else { PartnerError::Changed { now_bps } })
            }
            Err(not_saved) => Err(unexpected("partner", not_saved).into()),
        }
    }

    /// Suspends a partner with all its end users, or lets it go on: the next call is decided by that, on every server within
    /// a second. Its money stays.
    ///
    /// # Errors
    /// There is none, it is so already, the reason cannot be used, or the database failed.
    pub async fn set_partner_suspended(
        &self,
        by: &OpContext,
        id: PartnerId,
        is_suspended: bool,
        reason: &str,
    ) -> Result<(), PartnerError> {
        if !is_reason(reason) {
            return Err(PartnerError::Reason);
        }
        let row = self.load_partner_row(id).await?;
        if row.is_suspended == is_suspended {
            return Err(PartnerError::AlreadySo(is_suspended));
        }
        let mut unit = UnitOfWork::new();
        let update = entity::partner::Entity::update_many()
            .set(entity::partner::ActiveModel { is_suspended: Set(is_suspended), ..Default::default() })
            .filter(entity::partner::Column::Id.eq(row.id))
            .filter(entity::partner::Column::IsSuspended.eq(row.is_suspended));
        unit.one(self.db.backend(), &update);
        self.bump_version(&mut unit, "access");
        let action = if is_suspended { Action::PartnerSuspend } else { Action::PartnerResume };
        let facts = |is_suspended: bool| json!({"suspended": is_suspended});
        let told = by.entry(action, "partner", id).before(facts(row.is_suspended)).after(facts(is_suspended));
        match self.ledger.save(unit.audited(told.because(reason))).await {
            Ok(_) => {
                self.forget_access();
                Ok(())
            }
            Err(NotSaved::Conflict { .. }) => Err(PartnerError::AlreadySo(is_suspended)),
            Err(not_saved) => Err(unexpected("partner", not_saved).into()),
        }
    }

    async fn load_partner_row(&self, id: PartnerId) -> Result<entity::partner::Model, PartnerError> {
        let row = entity::partner::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        row.map_err(StoreError::from)?.ok_or(PartnerError::NotFound)
    }
}

fn bps(stored: i32, table: &'static str, name: &str) -> Result<u16, StoreError> {
    u16::try_from(stored).map_err(|_outside| StoreError::Inconsistent { table, what: name.to_owned() })
}

fn profile(row: &entity::partner::Model) -> Result<PartnerProfile, StoreError> {
    Ok(PartnerProfile {
        id: PartnerId::from(row.id),
        name: row.name.clone(),
        is_suspended: row.is_suspended,
        margin_bps: bps(row.margin_bps, "partner", &row.name)?,
        wallet: LedgerAccountId::from_raw(row.wallet),
        margin: LedgerAccountId::from_raw(row.margin),
        created_us: row.created_us,
    })
}
