//! Telling partners in time that their limits are nearly spent. Paid calls know nothing of this: thresholds are looked at in
//! rounds, a few at a time, along their keys; a threshold of each end user along the end users' names.
//!
//! What is told is an event with a name of its own, made of the threshold, the counter and its window: so it is told once in
//! a window, whichever server sees it first, and its mail and what webhooks get are written with it.
//!
//! A window may end between two rounds, and calls that began in it end behind it. So the window before is looked at as well,
//! until a round has begun when all of its calls had ended.

use std::collections::HashSet;

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    alerts::{self, CapAlert},
    own::is_external_id,
};
use crate::{
    credits::Credits,
    id::{EndUserId, PartnerEventId, PartnerId, TokenId},
    ledger::caps::{Cap, CapUse},
    service::{
        Services,
        access::each_user_cap,
        caps::CapHolder,
        outbox::{MailTemplate, NewMail, unexpected},
        paging::{Listed, PAGE_READ},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// How many thresholds one step looks at.
const ALERTS_MAX: u64 = 100;
/// How many end users one step looks at.
const USERS_MAX: u64 = 500;
/// What has happened: a part of a limit is spent.
const CAP_THRESHOLD: &str = "cap.threshold";

/// How far back a process looks that knows of no round yet, in microseconds. What was a limit then may have been changed since.
const UNKNOWN_US: i64 = 3_600_000_000;

/// How far a round has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeRound {
    /// When it began, in microseconds since the Unix epoch; `None` before its first step.
    began_us: Option<i64>,
    /// When the last round began that this process brought to its end.
    before_us: Option<i64>,
    /// The last threshold that is done.
    after: Uuid,
    /// The one of each end user that is being looked at, and the last name that is done.
    walking: Option<(Uuid, String)>,
}

impl NoticeRound {
    /// Whether its first step is still to come: the round before it is over.
    pub const fn is_new(&self) -> bool {
        self.began_us.is_none()
    }

    /// The same from the beginning, after something went wrong.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { before_us: self.before_us, ..Self::default() }
    }
}

/// Something that a partner was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerEvent {
    /// Which.
    pub id: PartnerEventId,
    /// Whose.
    pub partner: PartnerId,
    /// What has happened.
    pub kind: String,
    /// More about it. Of an end user the name is in it as it is now.
    pub data: Value,
    /// When, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// A limit of a threshold as it counts for somebody.
struct Watched<'a> {
    alert: &'a CapAlert,
    /// As it is counted.
    cap: Cap,
    end_user: Option<EndUserId>,
}

impl Services {
    /// Looks at some thresholds, from where `round` has come to, and tells partners of those that are reached. Says where the
    /// next step begins: in the next round, if this was the last one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tell_of_thresholds(&self, round: NoticeRound) -> Result<NoticeRound, StoreError> {
        use entity::cap_alert::Column;
        let now_us = self.clock.now_us();
        let began_us = round.began_us.unwrap_or(now_us);
        let NoticeRound { before_us, mut after, walking, .. } = round;
        let at = |after: Uuid, walking| NoticeRound { began_us: Some(began_us), before_us, after, walking };
        let open_us = self.open_calls_us(before_us, now_us);
        if let Some((id, name)) = walking {
            let row = entity::cap_alert::Entity::find_by_id(id).one(self.db.readers()).await?;
            let walking = match row {
                Some(row) => self.tell_of_each(&alerts::read(&row)?, &name, open_us).await?.map(|name| (id, name)),
                None => None,
            };
            return Ok(at(if walking.is_some() { after } else { id }, walking));
        }
        let rows = entity::cap_alert::Entity::find()
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            .limit(ALERTS_MAX)
            .all(self.db.readers())
            .await?;
        let is_last = u64::try_from(rows.len()).unwrap_or(u64::MAX) < ALERTS_MAX;
        for row in &rows {
            let alert = alerts::read(row)?;
            if matches!(alert.holder, CapHolder::EachEndUser(_)) {
                return Ok(at(after, Some((row.id, String::new()))));
            }
            self.tell_of_one(&alert, open_us).await?;
            after = row.id;
        }
        if is_last {
            return Ok(NoticeRound { before_us: Some(began_us), ..NoticeRound::default() });
        }
        Ok(at(after, None))
    }

    /// Windows that ended before this moment were looked at when all of their calls had ended. All in microseconds since the Unix
    /// epoch.
    fn open_calls_us(&self, before_us: Option<i64>, now_us: i64) -> i64 {
        let may_take_us = now_us.saturating_sub(self.settled_us(now_us));
        before_us.map_or_else(|| now_us.saturating_sub(UNKNOWN_US), |at_us| at_us.saturating_sub(may_take_us))
    }

    async fn tell_of_one(&self, alert: &CapAlert, open_us: i64) -> Result<(), StoreError> {
        let Some(cap) = self.find_cap(alert.holder, alert.window).await? else { return Ok(()) };
        let end_user = match alert.holder {
            CapHolder::EndUser(id) => Some(id),
            _ => None,
        };
        self.tell_of(alert, &[Watched { alert, cap, end_user }], open_us).await
    }

    /// Looks at the end users behind the name `after`; the last one's name, if there are more.
    async fn tell_of_each(&self, alert: &CapAlert, after: &str, open_us: i64) -> Result<Option<String>, StoreError> {
        use entity::end_user::Column;
        let Some(cap) = self.find_cap(alert.holder, alert.window).await? else { return Ok(None) };
        let users = entity::end_user::Entity::find()
            .filter(Column::PartnerId.eq(alert.partner.uuid()))
            .filter(Column::ExternalId.gt(after))
            .order_by_asc(Column::ExternalId)
            .limit(USERS_MAX)
            .all(self.db.readers())
            .await?;
        let is_last = u64::try_from(users.len()).unwrap_or(u64::MAX) < USERS_MAX;
        let next = users.last().filter(|_| !is_last).map(|user| user.external_id.clone());
        let watched: Vec<Watched<'_>> = users
            .iter()
            .filter(|user| user.erased_us.is_none())
            .map(|user| Watched {
                alert,
                cap: Cap { id: each_user_cap(cap.id, user.id), ..cap },
                end_user: Some(EndUserId::from(user.id)),
            })
            .collect();
        self.tell_of(alert, &watched, open_us).await?;
        Ok(next)
    }

    /// Tells of those of this threshold that are reached: in the window before, if that ended since `open_us` and the threshold
    /// was there in it, and in the present one.
    async fn tell_of(&self, alert: &CapAlert, watched: &[Watched<'_>], open_us: i64) -> Result<(), StoreError> {
        let now_us = self.clock.now_us();
        let (start_us, end_us) = alert.window.bounds(now_us);
        if end_us.is_some() && start_us > open_us && alert.created_us < start_us {
            self.tell_of_window(watched, start_us.saturating_sub(1)).await?;
        }
        self.tell_of_window(watched, now_us).await
    }

    /// Tells of those that are reached in the window that contains `at_us`, and were not told of in it.
    async fn tell_of_window(&self, watched: &[Watched<'_>], at_us: i64) -> Result<(), StoreError> {
        let counters = self.load_counters(watched.iter().map(|watched| watched.cap), at_us).await?;
        let mut reached = Vec::new();
        for watched in watched {
            let used = CapUse::at(watched.cap, at_us);
            let spent = used.counter().and_then(|key| counters.get(&key)).map_or(0, |counter| counter.spent);
            if is_reached(spent, watched.cap.limit, watched.alert.percent) {
                let name = format!("cap {} {} {}", watched.alert.id, watched.cap.id, used.start_us);
                reached.push((watched, used, Credits::from_micros(spent), name));
            }
        }
        if reached.is_empty() {
            return Ok(());
        }
        let known = entity::partner_event::Entity::find()
            .filter(entity::partner_event::Column::Key.is_in(reached.iter().map(|(.., name)| name.clone())))
            .all(self.db.readers())
            .await?;
        let known: HashSet<String> = known.into_iter().map(|row| row.key).collect();
        for (watched, used, spent, name) in reached.into_iter().filter(|(.., name)| !known.contains(name)) {
            self.tell_partner(watched, &used, spent, name).await?;
        }
        Ok(())
    }

    async fn tell_partner(
        &self,
        watched: &Watched<'_>,
        used: &CapUse,
        spent: Credits,
        name: String,
    ) -> Result<(), StoreError> {
        let (now_us, alert, backend) = (self.clock.now_us(), watched.alert, self.db.backend());
        let (owner, per) = alert.holder.owner();
        let token = matches!(alert.holder, CapHolder::Token(_)).then(|| TokenId::from(owner).to_string());
        let data = json!({
            "alert_id": alert.id.to_string(),
            "per": per.as_str(),
            "user_id": watched.end_user.map(|id| id.to_string()),
            "token_id": token,
            "window": alert.window.as_str(),
            "percent": alert.percent,
            "limit": watched.cap.limit.to_string(),
            "spent": spent.to_string(),
            "resets_us": used.resets_us,
        });
        let row = entity::partner_event::Model {
            id: PartnerEventId::new(&*self.ids, now_us).uuid(),
            partner_id: alert.partner.uuid(),
            kind: CAP_THRESHOLD.to_owned(),
            key: name.clone(),
            data: data.to_string(),
            created_us: now_us,
        };
        let mut unit = UnitOfWork::new();
        unit.one(backend, &entity::partner_event::Entity::insert(row.clone().into_active_model()));
        if let Some(to) = &alert.email {
            let about = ("partner", alert.partner.to_string());
            let new = NewMail { to, template: MailTemplate::CapAlert, data, about, key: Some(name) };
            self.enqueue_mail(&mut unit, new, now_us);
        }
        self.enqueue_deliveries(&mut unit, &row).await?;
        match self.ledger.save(unit.unaudited("a notice follows from calls that are in the books")).await {
            // Another server has told it.
            Ok(_) | Err(NotSaved::Conflict { .. }) => Ok(()),
            Err(not_saved) => Err(unexpected("partner_event", not_saved)),
        }
    }

    /// What a partner was told, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_partner_events(
        &self,
        partner: PartnerId,
        after: Option<Uuid>,
    ) -> Result<Listed<PartnerEvent>, StoreError> {
        use entity::partner_event::Column;
        let mut query = entity::partner_event::Entity::find()
            .filter(Column::PartnerId.eq(partner.uuid()))
            .order_by_desc(Column::Id)
            .limit(PAGE_READ);
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        let listed = Listed::of(query.all(self.db.readers()).await?, |row| row.id.as_simple().to_string());
        let mut events = Vec::with_capacity(listed.rows.len());
        for row in &listed.rows {
            events.push(self.read_event(row).await?);
        }
        Ok(Listed { rows: events, next: listed.next })
    }

    /// An event with the present name of the end user that it is about: so a name that was erased is nowhere.
    pub(super) async fn read_event(&self, row: &entity::partner_event::Model) -> Result<PartnerEvent, StoreError> {
        let broken =
            || StoreError::Inconsistent { table: "partner_event", what: PartnerEventId::from(row.id).to_string() };
        let mut data: Value = serde_json::from_str(&row.data).map_err(|_no_json| broken())?;
        let name = self.find_named_user(&data).await?;
        if let Value::Object(members) = &mut data {
            members.insert("external_id".to_owned(), name.into());
        }
        Ok(PartnerEvent {
            id: PartnerEventId::from(row.id),
            partner: PartnerId::from(row.partner_id),
            kind: row.kind.clone(),
            data,
            created_us: row.created_us,
        })
    }

    /// The partner's own name for the end user that a notice is about; `None` if it is about nobody, or was erased.
    pub(in crate::service) async fn find_named_user(&self, data: &Value) -> Result<Option<String>, StoreError> {
        let id: Option<EndUserId> = data.get("user_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let Some(id) = id else { return Ok(None) };
        let row = entity::end_user::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        Ok(row.map(|row| row.external_id).filter(|name| is_external_id(name)))
    }
}

/// Whether `percent` hundredths of a limit are spent. Of nothing, nothing is ever a part.
fn is_reached(spent: i64, limit: Credits, percent: i16) -> bool {
    spent > 0 && i128::from(spent).saturating_mul(100) >= i128::from(limit.micros()).saturating_mul(i128::from(percent))
}

#[cfg(test)]
mod tests;
