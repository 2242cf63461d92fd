//! What of the present an operator sees at a glance. Every statement is served by an index, or looks at no more rows than
//! its `LIMIT` says: a count that reaches its limit is "at least".

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::{StoreError, readers::Readers};

/// How many rows are counted at most: what has more is said to have "10,000+".
pub(crate) const COUNTED_MAX: i64 = 10_001;
/// How many open holds are looked at for calls whose end is unknown.
const HOLDS_LOOKED_AT: i64 = 5_000;
/// How many of the newest rows are looked at where there is no index.
pub(crate) const NEWEST_LOOKED_AT: i64 = 10_000;

/// A number of rows with a sum, or a time, of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    /// How many.
    pub(crate) count: i64,
    /// Of amounts their sum, of times the earliest.
    pub(crate) value: Option<i64>,
}

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

async fn counted(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Counted, StoreError> {
    let row = readers.query_one_raw(query(readers, sql, values)).await?;
    let read = |row: QueryResult| -> Result<Counted, StoreError> {
        Ok(Counted { count: row.try_get_by_index(0)?, value: row.try_get_by_index(1)? })
    };
    row.map(read).transpose().map(Option::unwrap_or_default)
}

/// Holds that nobody has settled, and what they reserve.
pub(crate) async fn open_holds(readers: &Readers) -> Result<Counted, StoreError> {
    let sql = "SELECT count(*), CAST(sum(amount) AS bigint)
               FROM (SELECT amount FROM open_hold ORDER BY hold_id LIMIT $1) AS held";
    counted(readers, sql, [COUNTED_MAX.into()]).await
}

/// Calls with an open hold of which nobody knows how they ended (`state` as it is stored), and when the first came in.
pub(crate) async fn open_calls_in(readers: &Readers, state: i16) -> Result<Counted, StoreError> {
    // No join, so that every call is found by its key.
    let sql = "SELECT count(*), min(created_us)
               FROM (SELECT (SELECT i.created_us FROM invocation i WHERE i.id = held.hold_id AND i.state = $2) AS created_us
                     FROM (SELECT hold_id FROM open_hold ORDER BY hold_id LIMIT $1) AS held) AS called
               WHERE created_us IS NOT NULL";
    counted(readers, sql, [HOLDS_LOOKED_AT.into(), state.into()]).await
}

/// Mail that waits to be sent, and when the oldest was written. Served by the index of what is due.
pub(crate) async fn queued_mail(readers: &Readers) -> Result<Counted, StoreError> {
    let sql = "SELECT count(*), min(created_us)
               FROM (SELECT created_us FROM mail WHERE state = 'queued' ORDER BY next_us LIMIT $1) AS queued";
    counted(readers, sql, [COUNTED_MAX.into()]).await
}

/// Mail that was given up. Served by the index of states.
pub(crate) async fn failed_mail(readers: &Readers) -> Result<Counted, StoreError> {
    let sql = "SELECT count(*), min(created_us)
               FROM (SELECT created_us FROM mail WHERE state = 'failed' ORDER BY id DESC LIMIT $1) AS failed";
    counted(readers, sql, [COUNTED_MAX.into()]).await
}

/// What is still to be sent to webhooks, and when the oldest of it was written. Served by the index of what is due.
pub(crate) async fn queued_deliveries(readers: &Readers) -> Result<Counted, StoreError> {
    let sql = "SELECT count(*), min(created_us)
               FROM (SELECT created_us FROM webhook_delivery WHERE state = 'queued' ORDER BY next_us LIMIT $1) AS queued";
    counted(readers, sql, [COUNTED_MAX.into()]).await
}

/// What was given up and belongs to a webhook that is still there: of the latest of them. Served by the same index; each
/// webhook is found by its key.
pub(crate) async fn failed_deliveries(readers: &Readers) -> Result<Counted, StoreError> {
    let sql = "SELECT count(*), min(created_us)
               FROM (SELECT given_up.created_us, (SELECT w.created_us FROM webhook w
                                                  WHERE w.id = given_up.webhook_id AND w.removed_us IS NULL) AS hook_us
                     FROM (SELECT webhook_id, created_us FROM webhook_delivery WHERE state = 'failed'
                           ORDER BY next_us DESC LIMIT $1) AS given_up) AS failed
               WHERE hook_us IS NOT NULL";
    counted(readers, sql, [COUNTED_MAX.into()]).await
}

/// Purchases that wait for their provider, among the newest.
pub(crate) async fn pending_purchases(readers: &Readers) -> Result<Counted, StoreError> {
    let sql = "SELECT count(*), CAST(sum(credits) AS bigint)
               FROM (SELECT status, credits FROM purchase ORDER BY id DESC LIMIT $1) AS newest
               WHERE status = 'pending'";
    counted(readers, sql, [NEWEST_LOOKED_AT.into()]).await
}

/// Payments in dispute, among the newest.
pub(crate) async fn open_chargebacks(readers: &Readers) -> Result<Counted, StoreError> {
    let sql = "SELECT count(*), CAST(sum(credits) AS bigint)
               FROM (SELECT state, credits FROM chargeback ORDER BY id DESC LIMIT $1) AS newest WHERE state = 'open'";
    counted(readers, sql, [NEWEST_LOOKED_AT.into()]).await
}

/// Requests that wait for a decision, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitingRow {
    /// What is to be done.
    pub(crate) kind: String,
    /// How many wait.
    pub(crate) count: i64,
    /// How many of them this operator asked for.
    pub(crate) own: i64,
    /// When the oldest was asked for, in microseconds since the Unix epoch.
    pub(crate) oldest_us: i64,
}

/// What waits at `now_us` for a decision. Served by the index of what waits, which is small by nature.
pub(crate) async fn waiting(readers: &Readers, now_us: i64, author: Uuid) -> Result<Vec<WaitingRow>, StoreError> {
    let sql = "SELECT kind, count(*), count(CASE WHEN author = $2 THEN 1 END), min(created_us)
               FROM approval WHERE state = 'waiting' AND expires_us > $1 GROUP BY kind ORDER BY kind";
    let rows = readers.query_all_raw(query(readers, sql, [now_us.into(), author.into()])).await?;
    let read = |row: &QueryResult| {
        Ok(WaitingRow {
            kind: row.try_get_by_index(0)?,
            count: row.try_get_by_index(1)?,
            own: row.try_get_by_index(2)?,
            oldest_us: row.try_get_by_index(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// A cap of which most is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NearCap {
    /// Which.
    pub(crate) id: Uuid,
    /// Whose.
    pub(crate) owner: Uuid,
    /// What that is, as it is stored.
    pub(crate) owner_kind: i16,
    /// How long it counts, as it is stored.
    pub(crate) window: i16,
    /// In micro-credits.
    pub(crate) limit: i64,
    /// Spent and held, in micro-credits.
    pub(crate) used: i64,
}

/// Caps of which four fifths or more are used in the window that began at `day_us`, at `month_us`, or ever: of the newest
/// [`NEWEST_LOOKED_AT`] caps, at most `count_max`. Counters are found by their primary key.
pub(crate) async fn near_caps(
    readers: &Readers,
    day_us: i64,
    month_us: i64,
    count_max: i64,
) -> Result<Vec<NearCap>, StoreError> {
    // 2 is a day, 3 a month, 4 for ever; a cap on single calls (1) counts nothing. No join, for which PostgreSQL would read
    // the counters of all days.
    let sql = "SELECT id, owner_id, owner_kind, lasts, limit_credits, used
               FROM (SELECT c.id, c.owner_id, CAST(c.owner_kind AS bigint) AS owner_kind,
                            CAST(c.\"window\" AS bigint) AS lasts, c.limit_credits,
                            (SELECT w.spent + w.held FROM cap_window w WHERE w.cap_id = c.id
                             AND w.start_us = CASE c.\"window\" WHEN 2 THEN CAST($2 AS bigint)
                                 WHEN 3 THEN CAST($3 AS bigint) WHEN 4 THEN 0 ELSE -1 END) AS used
                     FROM (SELECT * FROM cap ORDER BY id DESC LIMIT $1) AS c WHERE c.limit_credits > 0) AS counted
               WHERE used >= limit_credits - limit_credits / 5 ORDER BY id DESC LIMIT $4";
    let values = [NEWEST_LOOKED_AT.into(), day_us.into(), month_us.into(), count_max.into()];
    let rows = readers.query_all_raw(query(readers, sql, values)).await?;
    let read = |row: &QueryResult| {
        let small = |index: usize| row.try_get_by_index::<i64>(index).map(|number| i16::try_from(number).unwrap_or(-1));
        Ok(NearCap {
            id: row.try_get_by_index(0)?,
            owner: row.try_get_by_index(1)?,
            owner_kind: small(2)?,
            window: small(3)?,
            limit: row.try_get_by_index(4)?,
            used: row.try_get_by_index(5)?,
        })
    };
    rows.iter().map(read).collect()
}

/// What the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatabaseFacts {
    /// Its version, in its own words.
    pub(crate) version: String,
    /// How large it is, in bytes.
    pub(crate) bytes: i64,
    /// How many migrations made it.
    pub(crate) migrations: i64,
    /// The name of the last one.
    pub(crate) newest: Option<String>,
}

/// Asks the database what it is.
pub(crate) async fn database(readers: &Readers) -> Result<DatabaseFacts, StoreError> {
    let is = match readers.get_database_backend() {
        DbBackend::Postgres => "SELECT current_setting('server_version'), pg_database_size(current_database())",
        _ => {
            "SELECT sqlite_version(), (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)"
        }
    };
    let row = readers.query_one_raw(query(readers, is, [])).await?;
    let row = row.ok_or_else(|| StoreError::Inconsistent { table: "database", what: "no version".to_owned() })?;
    let made = "SELECT count(*), max(version) FROM seaql_migrations";
    let migrations = readers.query_one_raw(query(readers, made, [])).await?;
    let migrations =
        migrations.ok_or_else(|| StoreError::Inconsistent { table: "seaql_migrations", what: "no row".to_owned() })?;
    Ok(DatabaseFacts {
        version: row.try_get_by_index(0)?,
        bytes: row.try_get_by_index(1)?,
        migrations: migrations.try_get_by_index(0)?,
        newest: migrations.try_get_by_index(1)?,
    })
}

/// Where a server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotRow {
    /// The slot.
    pub(crate) slot: i64,
    /// Its term.
    pub(crate) epoch: i64,
    /// Its last batch.
    pub(crate) batch_no: i64,
    /// Its last entry.
    pub(crate) seq: i64,
    /// When that was recorded, in microseconds since the Unix epoch.
    pub(crate) last_us: i64,
    /// On PostgreSQL: for how long its owner still has it, in microseconds; negative if nobody has it.
    pub(crate) lease_left_us: Option<i64>,
}

/// The slots that were ever written in, or are somebody's.
pub(crate) async fn slots(readers: &Readers) -> Result<Vec<SlotRow>, StoreError> {
    let sql = match readers.get_database_backend() {
        // By the database's own clock, which leases are made with.
        DbBackend::Postgres => {
            "SELECT slot, epoch, batch_no, seq, last_us, left_us FROM (
                 SELECT slot, epoch, batch_no, seq, last_us,
                        lease_until_us - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS left_us
                 FROM chain_head) AS head
             WHERE seq > 0 OR left_us > 0 ORDER BY slot"
        }
        _ => "SELECT slot, epoch, batch_no, seq, last_us, CAST(NULL AS bigint) FROM chain_head ORDER BY slot",
    };
    let rows = readers.query_all_raw(query(readers, sql, [])).await?;
    let read = |row: &QueryResult| {
        Ok(SlotRow {
            slot: row.try_get_by_index(0)?,
            epoch: row.try_get_by_index(1)?,
            batch_no: row.try_get_by_index(2)?,
            seq: row.try_get_by_index(3)?,
            last_us: row.try_get_by_index(4)?,
            lease_left_us: row.try_get_by_index(5)?,
        })
    };
    rows.iter().map(read).collect()
}
