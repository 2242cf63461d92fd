//! Reading the audit trail, and telling in it what changes nothing: exports.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait as _},
};

use super::{Services, outbox::unexpected};
use crate::{
    audit::{Action, Actor, AuditRow, OpContext},
    ledger::leaf::Digest,
    store::{StoreError, UnitOfWork, entity, trail},
};

/// How many rows a page has at most.
pub const AUDIT_PAGE_MAX: u64 = 1_000;
/// How many rows a page looks at where no index finds what is wanted.
pub const AUDIT_LOOKED_AT: i64 = 20_000;

/// How far apart rows of one request are looked for, in microseconds: a request is answered within moments.
const REQUEST_SPAN_US: i64 = 1_000_000;
/// How many rows of one request are shown.
const REQUEST_ROWS_MAX: u64 = 100;

/// Which rows are wanted. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before this time, in microseconds since the Unix epoch.
    pub from_us: Option<i64>,
    /// Before this time, in microseconds since the Unix epoch.
    pub to_us: Option<i64>,
    /// By this actor: a kind, or which one (`uid:1000`, `acc_…`).
    pub actor: Option<String>,
    /// An action (`price.schedule`), or all of a category (`price`).
    pub action: Option<String>,
    /// To this object: a kind, or which one.
    pub object: Option<String>,
}

/// A place in the trail: what comes after it in a list is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCursor {
    /// When the row was written, in microseconds since the Unix epoch.
    pub recorded_us: i64,
    /// In which slot.
    pub slot: i64,
    /// Under which number.
    pub seq: i64,
}

impl From<&AuditRow> for AuditCursor {
    fn from(row: &AuditRow) -> Self {
        Self { recorded_us: row.recorded_us, slot: row.slot, seq: row.seq }
    }
}

impl std::fmt::Display for AuditCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.recorded_us, self.slot, self.seq)
    }
}

/// The text is no place in the trail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place in the audit trail: take `next` of the page before")]
pub struct InvalidCursor(String);

impl std::str::FromStr for AuditCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let numbers: Option<Vec<i64>> = text.split('.').map(|word| word.parse().ok()).collect();
        match numbers.as_deref() {
            Some([recorded_us, slot, seq]) => Ok(Self { recorded_us: *recorded_us, slot: *slot, seq: *seq }),
            _ => Err(InvalidCursor(text.chars().take(64).collect())),
        }
    }
}

impl Services {
    /// The newest rows that `filter` wants, newest first, at most `count_max`; those behind `after`, if it is given. With
    /// the place to go on from, if there are more. Objects and actors by their identifiers have an index each; what is
    /// narrowed by a kind or an action alone is looked for among [`AUDIT_LOOKED_AT`] rows, so a page may have fewer rows than
    /// it could and another one behind it all the same.
    ///
    /// # Errors
    /// The database cannot be read, or holds a row that makes no sense.
    pub async fn list_audit(
        &self,
        filter: &AuditFilter,
        after: Option<AuditCursor>,
        count_max: u64,
    ) -> Result<(Vec<AuditRow>, Option<AuditCursor>), StoreError> {
        use entity::audit::Column;
        let count = count_max.clamp(1, AUDIT_PAGE_MAX);
        let (wanted, is_bounded) = self.wanted_audit(filter).await?;
        let until = (filter.to_us.unwrap_or(i64::MAX), i64::MIN, i64::MIN);
        let below = after.map_or(until, |after| until.min((after.recorded_us, after.slot, after.seq)));
        let from_us = filter.from_us.unwrap_or(i64::MIN);
        let floor =
            if is_bounded { None } else { trail::floor(self.db.readers(), from_us, below, AUDIT_LOOKED_AT).await? };
        let place = || Expr::tuple([Column::RecordedUs, Column::Slot, Column::Seq].map(Expr::col));
        let at = |(at_us, slot, seq): trail::TrailPlace| Expr::tuple([at_us, slot, seq].map(Expr::value));
        // A range of the index of times, read backwards.
        let from = floor.unwrap_or((from_us, i64::MIN, i64::MIN));
        let wanted = wanted.add(place().gte(at(from))).add(place().lt(at(below)));
        let rows = entity::audit::Entity::find()
            .filter(wanted)
            .order_by_desc(Column::RecordedUs)
            .order_by_desc(Column::Slot)
            .order_by_desc(Column::Seq)
            .limit(count.saturating_add(1))
            .all(self.db.readers())
            .await?;
        let has_more = u64::try_from(rows.len()).unwrap_or(u64::MAX) > count;
        let shown = rows.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX));
        let rows = shown.map(read).collect::<Result<Vec<_>, _>>()?;
        let looked_to = floor.map(|(recorded_us, slot, seq)| AuditCursor { recorded_us, slot, seq });
        let next = if has_more { rows.last().map(AuditCursor::from) } else { looked_to };
        Ok((rows, next))
    }

    /// What of `filter` is not a time, and whether an index finds it, or everything.
    async fn wanted_audit(&self, filter: &AuditFilter) -> Result<(Condition, bool), StoreError> {
        use entity::audit::Column;
        let AuditFilter { actor, action, object, from_us: _, to_us: _ } = filter;
        let mut wanted = Condition::all();
        let mut is_found = actor.is_none() && action.is_none() && object.is_none();
        if let Some(actor) = actor {
            let is_kind = Actor::KINDS.contains(&actor.as_str());
            wanted = wanted.add(if is_kind { Column::ActorKind } else { Column::ActorId }.eq(actor));
            is_found |= !is_kind;
        }
        if let Some(action) = action {
            wanted = wanted.add(Column::Action.eq(action).or(Column::Action.starts_with(format!("{action}."))));
        }
        if let Some(object) = object {
            let is_one = trail::has_object(self.db.readers(), object).await?;
            wanted = wanted.add(if is_one { Column::ObjectId } else { Column::ObjectKind }.eq(object));
            is_found |= is_one;
        }
        Ok((wanted, is_found))
    }

    /// The row under this number in this slot.
    ///
    /// # Errors
    /// The database cannot be read, or holds a row that makes no sense.
    pub async fn find_audit(&self, slot: i64, seq: i64) -> Result<Option<AuditRow>, StoreError> {
        let row = entity::audit::Entity::find_by_id((slot, seq)).one(self.db.readers()).await?;
        row.map(read).transpose()
    }

    /// What else was told in the request of `row`, the oldest first: of a second before and a second after it, which the
    /// index of times finds, and at most 100 rows. Nothing, if it was told in no request.
    ///
    /// # Errors
    /// As for [`Self::find_audit`].
    pub async fn list_audit_beside(&self, row: &AuditRow) -> Result<Vec<AuditRow>, StoreError> {
        use entity::audit::Column;
        let Some(request) = &row.request_id else { return Ok(Vec::new()) };
        let (from_us, to_us) =
            (row.recorded_us.saturating_sub(REQUEST_SPAN_US), row.recorded_us.saturating_add(REQUEST_SPAN_US));
        let rows = entity::audit::Entity::find()
            .filter(Column::RecordedUs.between(from_us, to_us))
            .filter(Column::RequestId.eq(request))
            .filter(Condition::any().add(Column::Slot.ne(row.slot)).add(Column::Seq.ne(row.seq)))
            .order_by_asc(Column::RecordedUs)
            .order_by_asc(Column::Slot)
            .order_by_asc(Column::Seq)
            .limit(REQUEST_ROWS_MAX)
            .all(self.db.readers())
            .await?;
        rows.into_iter().map(read).collect()
    }

    /// The newest rows about any of these objects (a kind, and which one), newest first, at most `count_max`; and whether
    /// there are more. Each object is looked up by the index of objects, so they should be few.
    ///
    /// # Errors
    /// The database cannot be read, or holds a row that makes no sense.
    pub async fn list_events(
        &self,
        objects: &[(&str, String)],
        count_max: u64,
    ) -> Result<(Vec<AuditRow>, bool), StoreError> {
        use entity::audit::Column;
        let count = count_max.clamp(1, AUDIT_PAGE_MAX);
        let mut found = Vec::new();
        for (kind, id) in objects {
            let rows = entity::audit::Entity::find()
                .filter(Column::ObjectId.eq(id))
                .filter(Column::ObjectKind.eq(*kind))
                .order_by_desc(Column::RecordedUs)
                .order_by_desc(Column::Slot)
                .order_by_desc(Column::Seq)
                .limit(count.saturating_add(1))
                .all(self.db.readers())
                .await?;
            found.extend(rows);
        }
        found.sort_unstable_by_key(|row| std::cmp::Reverse((row.recorded_us, row.slot, row.seq)));
        let has_more = u64::try_from(found.len()).unwrap_or(u64::MAX) > count;
        let shown = found.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX));
        Ok((shown.map(read).collect::<Result<_, _>>()?, has_more))
    }

    /// Tells that a report of the books is given away: which one, and in `facts` (JSON) what it is about. To be called
    /// before its first byte goes out.
    ///
    /// # Errors
    /// The database cannot be written: then nothing may be given away.
    pub async fn record_export(
        &self,
        by: &OpContext,
        report: &str,
        facts: &serde_json::Value,
    ) -> Result<(), StoreError> {
        self.record(by, Action::ExportCreate, ("report", report), facts).await
    }

    /// Tells that a backup was made, under the file's name and with its size in bytes.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn record_backup(&self, by: &OpContext, name: &str, bytes: u64) -> Result<(), StoreError> {
        self.record(by, Action::BooksBackup, ("file", name), &serde_json::json!({"bytes": bytes})).await
    }

    /// Tells that the books were restored from the backup of this name.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn record_restore(&self, by: &OpContext, name: &str) -> Result<(), StoreError> {
        self.record(by, Action::BooksRestore, ("file", name), &serde_json::json!({})).await
    }

    /// Tells of something that changes nothing in the database.
    pub(super) async fn record(
        &self,
        by: &OpContext,
        action: Action,
        (kind, id): (&'static str, &str),
        facts: &serde_json::Value,
    ) -> Result<(), StoreError> {
        let unit = UnitOfWork::new().audited(by.entry(action, kind, id).after(facts));
        self.ledger.save(unit).await.map(drop).map_err(|not_saved| unexpected("audit", not_saved))
    }
}

fn read(row: entity::audit::Model) -> Result<AuditRow, StoreError> {
    let key = format!("{}/{}", row.slot, row.seq);
    let prev_hash: Digest = row
        .prev_hash
        .try_into()
        .map_err(|_length| StoreError::Inconsistent { table: "audit", what: format!("`prev_hash` of {key}") })?;
    Ok(AuditRow {
        slot: row.slot,
        seq: row.seq,
        recorded_us: row.recorded_us,
        actor_kind: row.actor_kind,
        actor_id: row.actor_id,
        method: row.method,
        credential: row.credential,
        action: row.action,
        object_kind: row.object_kind,
        object_id: row.object_id,
        before: row.before_json,
        after: row.after_json,
        reason: row.reason,
        request_id: row.request_id,
        prev_hash,
    })
}
