//! Thresholds of limits: a partner wants to be told when a part of a limit is spent. Each is told once in every window, by mail
//! and to the partner's webhooks; how that is found out is in `notices`.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    audit::{Action, OpContext},
    id::{CapAlertId, EndUserId, PartnerId, RequestId, TokenId},
    ledger::caps::CapWindow,
    limits::CAP_ALERTS_MAX,
    service::{
        Services,
        access::CapOwner,
        accounts::is_email,
        caps::{CapHolder, PartnerHolder},
        outbox::unexpected,
        paging::{Listed, PAGE_READ},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// A threshold that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewCapAlert<'a> {
    /// Whose spending.
    pub whom: PartnerHolder<'a>,
    /// In which window.
    pub window: CapWindow,
    /// From how many hundredths of the limit on.
    pub percent: i16,
    /// Who is told by mail.
    pub email: Option<&'a str>,
    /// Why, where an operator makes it.
    pub reason: Option<&'a str>,
    /// With the same one again no other threshold is made.
    pub key: Option<RequestId>,
}

/// A threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapAlert {
    /// Which.
    pub id: CapAlertId,
    /// Whose.
    pub partner: PartnerId,
    /// Whose spending.
    pub holder: CapHolder,
    /// In which window.
    pub window: CapWindow,
    /// From how many hundredths of the limit on.
    pub percent: i16,
    /// Who is told by mail.
    pub email: Option<String>,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// Why no threshold was made or removed.
#[derive(Debug, thiserror::Error)]
pub enum CapAlertError {
    /// The partner has no such end user or token.
    #[error("there is no such holder of a limit")]
    NoHolder,
    /// The partner has no such threshold.
    #[error("there is no such threshold")]
    NotFound,
    /// Of single calls nothing is counted.
    #[error("must be one of `day`, `month`, `total`: of single calls nothing is counted")]
    Window,
    /// No part of a limit.
    #[error("must be a whole number from 1 to 100")]
    Percent,
    /// No mail can be sent there.
    #[error("is not an email address")]
    Email,
    /// It would be a mail for every end user.
    #[error("cannot be told of each end user: it would be a mail for every one; use a webhook")]
    TooManyMails,
    /// The partner has too many.
    #[error("a partner has at most {CAP_ALERTS_MAX} thresholds; remove one first")]
    TooMany,
    /// The key has made another threshold.
    #[error("this was sent before, and made another threshold")]
    MadeBefore(CapAlertId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CapAlert {
    fn is_as(&self, other: &Self) -> bool {
        Self { created_us: other.created_us, ..self.clone() } == *other
    }

    /// What the audit trail tells of it: without the address, which is a person's.
    fn facts(&self) -> Value {
        let (_, per) = self.holder.owner();
        json!({
            "partner": self.partner.to_string(),
            "per": per.as_str(),
            "window": self.window.as_str(),
            "percent": self.percent,
            "mail": self.email.is_some(),
        })
    }
}

/// Reads a row. Each end user's limits are owned by the partner, one end user's by the end user.
pub(super) fn read(row: &entity::cap_alert::Model) -> Result<CapAlert, StoreError> {
    let broken = || StoreError::Inconsistent { table: "cap_alert", what: CapAlertId::from(row.id).to_string() };
    let partner = PartnerId::from(row.partner_id);
    let holder = match CapOwner::from_raw(row.owner_kind).ok_or_else(broken)? {
        CapOwner::Partner => CapHolder::Partner(partner),
        CapOwner::EndUser if row.owner_id == row.partner_id => CapHolder::EachEndUser(partner),
        CapOwner::EndUser => CapHolder::EndUser(EndUserId::from(row.owner_id)),
        CapOwner::Token => CapHolder::Token(TokenId::from(row.owner_id)),
        CapOwner::Account => return Err(broken()),
    };
    Ok(CapAlert {
        id: CapAlertId::from(row.id),
        partner,
        holder,
        window: CapWindow::from_raw(row.window).ok_or_else(broken)?,
        percent: row.percent,
        email: row.email.clone(),
        created_us: row.created_us,
    })
}

impl Services {
    /// Makes a threshold. The limit need not be there yet. Says whether the threshold is new: the same key again gives the
    /// same one.
    ///
    /// # Errors
    /// See [`CapAlertError`].
    pub async fn create_cap_alert(
        &self,
        by: &OpContext,
        partner: PartnerId,
        new: NewCapAlert<'_>,
    ) -> Result<(CapAlert, bool), CapAlertError> {
        let alert = self.check_cap_alert(partner, new).await?;
        if let Some(made) = self.find_made_alert(&alert).await? {
            return made;
        }
        let count = entity::cap_alert::Entity::find()
            .filter(entity::cap_alert::Column::PartnerId.eq(partner.uuid()))
            .count(self.db.readers())
            .await
            .map_err(StoreError::from)?;
        if count >= CAP_ALERTS_MAX {
            return Err(CapAlertError::TooMany);
        }
        let (owner_id, kind) = alert.holder.owner();
        let row = entity::cap_alert::Model {
            id: alert.id.uuid(),
            partner_id: partner.uuid(),
            owner_id,
            owner_kind: kind.raw(),
            window: alert.window.raw(),
            percent: alert.percent,
            email: alert.email.clone(),
            created_us: alert.created_us,
        };
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &entity::cap_alert::Entity::insert(row.into_active_model()));
        let told = by.entry(Action::CapAlertCreate, "cap_alert", alert.id).after(alert.facts()).because_of(new.reason);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok((alert, true)),
            // The same request at the same moment.
            Err(not_saved @ NotSaved::Conflict { .. }) => {
                let made = self.find_made_alert(&alert).await?;
                made.unwrap_or_else(|| Err(unexpected("cap_alert", not_saved).into()))
            }
            Err(not_saved) => Err(unexpected("cap_alert", not_saved).into()),
        }
    }

    async fn check_cap_alert(&self, partner: PartnerId, new: NewCapAlert<'_>) -> Result<CapAlert, CapAlertError> {
        if new.window == CapWindow::Call {
            return Err(CapAlertError::Window);
        }
        if !(1..=100).contains(&new.percent) {
            return Err(CapAlertError::Percent);
        }
        if new.email.is_some_and(|email| !is_email(email)) {
            return Err(CapAlertError::Email);
        }
        if new.email.is_some() && new.whom == PartnerHolder::EachEndUser {
            return Err(CapAlertError::TooManyMails);
        }
        let holder = self.find_partner_holder(partner, new.whom).await?.ok_or(CapAlertError::NoHolder)?;
        let now_us = self.clock.now_us();
        let id = new.key.map_or_else(|| CapAlertId::new(&*self.ids, now_us), |key| CapAlertId::from(key.uuid()));
        Ok(CapAlert {
            id,
            partner,
            holder,
            window: new.window,
            percent: new.percent,
            email: new.email.map(str::to_owned),
            created_us: now_us,
        })
    }

    async fn find_made_alert(
        &self,
        wanted: &CapAlert,
    ) -> Result<Option<Result<(CapAlert, bool), CapAlertError>>, StoreError> {
        let row = entity::cap_alert::Entity::find_by_id(wanted.id.uuid()).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let made = read(&row)?;
        Ok(Some(if made.is_as(wanted) { Ok((made, false)) } else { Err(CapAlertError::MadeBefore(made.id)) }))
    }

    /// The thresholds of a partner, in the order of their identifiers, from behind `after`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_cap_alerts(
        &self,
        partner: PartnerId,
        after: Option<Uuid>,
    ) -> Result<Listed<CapAlert>, StoreError> {
        use entity::cap_alert::Column;
        let rows = entity::cap_alert::Entity::find()
            .filter(Column::PartnerId.eq(partner.uuid()))
            .filter(Column::Id.gt(after.unwrap_or_default()))
            .order_by_asc(Column::Id)
            .limit(PAGE_READ)
            .all(self.db.readers())
            .await?;
        let listed = Listed::of(rows, |row| row.id.as_simple().to_string());
        let alerts = listed.rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Listed { rows: alerts, next: listed.next })
    }

    /// The thresholds on what one end user alone spends, in the order of their identifiers: no more than a partner may have.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_end_user_alerts(&self, id: EndUserId) -> Result<Vec<CapAlert>, StoreError> {
        use entity::cap_alert::Column;
        // Along `cap_alert_owner`.
        let rows = entity::cap_alert::Entity::find()
            .filter(Column::OwnerId.eq(id.uuid()))
            .filter(Column::OwnerKind.eq(CapOwner::EndUser.raw()))
            .order_by_asc(Column::Id)
            .limit(CAP_ALERTS_MAX)
            .all(self.db.readers())
            .await?;
        rows.iter().map(read).collect()
    }

    /// A threshold of this partner; `None` for any other.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_cap_alert(&self, partner: PartnerId, id: CapAlertId) -> Result<Option<CapAlert>, StoreError> {
        use entity::cap_alert::Column;
        let of_partner = entity::cap_alert::Entity::find_by_id(id.uuid()).filter(Column::PartnerId.eq(partner.uuid()));
        of_partner.one(self.db.readers()).await?.as_ref().map(read).transpose()
    }

    /// Removes a threshold of a partner; `reason` is what an operator says of it.
    ///
    /// # Errors
    /// The partner has none of this identifier, or the database failed.
    pub async fn remove_cap_alert(
        &self,
        by: &OpContext,
        partner: PartnerId,
        id: CapAlertId,
        reason: Option<&str>,
    ) -> Result<(), CapAlertError> {
        use entity::cap_alert::Column;
        let alert = self.find_cap_alert(partner, id).await?.ok_or(CapAlertError::NotFound)?;
        let mut unit = UnitOfWork::new();
        let delete = entity::cap_alert::Entity::delete_many()
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::PartnerId.eq(partner.uuid()));
        unit.one(self.db.backend(), &delete);
        let told = by.entry(Action::CapAlertRemove, "cap_alert", id).before(alert.facts()).because_of(reason);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(()),
            Err(NotSaved::Conflict { .. }) => Err(CapAlertError::NotFound),
            Err(not_saved) => Err(unexpected("cap_alert", not_saved).into()),
        }
    }
}
