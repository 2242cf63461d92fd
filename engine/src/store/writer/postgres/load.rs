//! Reads what is open (holds, calls) and what identifiers name: after a start, for the heirs of dead servers, and for plain
//! commands.

use std::collections::{HashMap, hash_map::Entry};

use sea_orm::sqlx::{
    self, Row as _,
    postgres::{PgConnection, PgRow},
};
use uuid::Uuid;

use super::session::Trouble;
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId},
    ledger::{
        LedgerAccountId, Leg, OnExpiry, TransactionKind,
        chain::ChainHead,
        facts::{Facts, Known, OpenCall, OpenHold},
        grants::{EXPIRIES_MAX, Expiries, GrantEntry, HoldSource, OpenGrant},
        key::KeyName,
        leaf::{Digest, HoldEntry, Settled, SettlementEntry, TransactionEntry, decode_counters},
    },
    pricing::ShareTerms,
};

/// How many holds and calls of dead servers one batch settles.
const LOST_MAX: i64 = 512;

/// Other servers' expired holds are left to them for so long, in microseconds.
const OTHERS_SWEEP_US: i64 = 2_000_000;

const HOLD_COLUMNS: &str = "h.id, h.wallet, h.payee, h.amount, h.ttl_us, h.publisher_bps, h.partner_bps, h.partner, \
                            h.expiry_capture, h.counters, h.meta_hash";

const GRANT_COLUMNS: &str = "id, wallet, account, priority, expires_us";

/// Open holds and calls in the facts that this server did not open; forgotten after the batch.
#[derive(Debug, Default)]
pub(super) struct Foreign(Vec<EntryId>);

impl Foreign {
    pub(super) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn forget(self, facts: &mut Facts) {
        for id in self.0 {
            facts.remove_hold(id);
            facts.calls.remove(&InvocationId::from(id.uuid()));
        }
    }
}

/// What is open in this server's slot, from the database: its own, and what earlier owners of the slot left behind.
pub(super) async fn reload(connection: &mut PgConnection, head: &ChainHead) -> Result<Facts, Trouble> {
    let mut facts = Facts::default();
    let sql = format!(
        "SELECT {HOLD_COLUMNS}, o.expires_us FROM open_hold o JOIN hold h ON h.id = o.hold_id
         WHERE o.slot = $1"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(head.slot).fetch_all(&mut *connection).await?;
    for row in rows {
        facts.insert_hold(OpenHold { entry: hold_from(&row)?, expires_us: row.try_get(11)? });
    }
    let ids: Vec<Uuid> = facts.holds.keys().map(|id| id.uuid()).collect();
    load_sources(&mut *connection, &mut facts, &ids).await?;
    facts.grants.expiries = load_expiries(&mut *connection, head.slot).await?;
    let rows = sqlx::query(
        "SELECT i.id, i.key_scope, i.key, i.state, open.epoch
         FROM (SELECT hold_id, epoch FROM open_hold WHERE slot = $1
               UNION ALL SELECT id, epoch FROM open_call WHERE slot = $1) AS open (id, epoch) JOIN invocation i USING (id)",
    )
    .bind(head.slot)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let id = InvocationId::from(row.try_get::<Uuid, _>(0)?);
        facts.calls.insert(id, call_from(&row, 1, row.try_get(4)?)?);
    }
    Ok(facts)
}

/// Reads what is open in the slots of dead servers, and what expired some time ago and nobody swept, into `facts`. The
/// calls get a term below `head`'s: so the batch knows them as lost. A slot that was taken again is its new owner's.
pub(super) async fn load_lost(
    connection: &mut PgConnection,
    facts: &mut Facts,
    head: &ChainHead,
    now_us: i64,
) -> Result<Foreign, Trouble> {
    let rows = sqlx::query(
        "SELECT o.id
         FROM (SELECT hold_id, slot, epoch, expires_us FROM open_hold
               UNION ALL SELECT id, slot, epoch, NULL FROM open_call) AS o (id, slot, epoch, expires_us)
         JOIN chain_head c USING (slot) LEFT JOIN invocation i USING (id)
         WHERE o.slot <> $2
           AND (o.expires_us <= $1 - $3
                OR (i.state = 1 AND c.lease_until_us < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint))
         ORDER BY o.id LIMIT $4",
    )
    .bind(now_us)
    .bind(head.slot)
    .bind(OTHERS_SWEEP_US)
    .bind(LOST_MAX)
    .fetch_all(&mut *connection)
    .await?;
    let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    let sql = format!(
        "SELECT {GRANT_COLUMNS} FROM open_grant WHERE expires_us <= $1 AND slot <> $2 ORDER BY expires_us, id LIMIT $3"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now_us.saturating_sub(OTHERS_SWEEP_US));
    for row in query.bind(head.slot).bind(LOST_MAX).fetch_all(&mut *connection).await? {
        facts.grants.expiries.insert(grant_from(&row)?);
    }
    if ids.is_empty() {
        return Ok(Foreign::default());
    }
    let foreign = load_open(connection, facts, &ids, head.epoch.saturating_sub(1)).await?;
    Ok(foreign)
}

/// Reads those of `ids` that name open holds or calls of others, as of term `epoch`.
async fn load_open(
    connection: &mut PgConnection,
    facts: &mut Facts,
    ids: &[Uuid],
    epoch: i64,
) -> Result<Foreign, Trouble> {
    let sql = format!(
        "SELECT {HOLD_COLUMNS}, o.expires_us FROM open_hold o JOIN hold h ON h.id = o.hold_id WHERE o.hold_id = ANY($1)"
    );
    let mut foreign = Foreign::default();
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *connection).await?;
    for row in rows {
        let hold = OpenHold { entry: hold_from(&row)?, expires_us: row.try_get(11)? };
        if !facts.holds.contains_key(&hold.entry.id) {
            foreign.0.push(hold.entry.id);
            facts.insert_hold(hold);
        }
    }
    let others: Vec<Uuid> = foreign.0.iter().map(|id| id.uuid()).collect();
    load_sources(&mut *connection, facts, &others).await?;
    let rows = sqlx::query("SELECT id, key_scope, key, state FROM invocation WHERE id = ANY($1) AND state IN (1, 2)")
        .bind(ids)
        .fetch_all(connection)
        .await?;
    for row in rows {
        let id = row.try_get::<Uuid, _>(0)?;
        let call = call_from(&row, 1, epoch)?;
        if let Entry::Vacant(place) = facts.calls.entry(InvocationId::from(id)) {
            foreign.0.push(EntryId::from(id));
            place.insert(call);
        }
    }
    Ok(foreign)
}

/// What the holds among `ids` took from grants.
async fn load_sources(connection: &mut PgConnection, facts: &mut Facts, ids: &[Uuid]) -> Result<(), Trouble> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query(
        "SELECT h.id, s.grant_id, s.account, s.amount
         FROM hold h JOIN hold_source s ON s.slot = h.slot AND s.seq = h.seq WHERE h.id = ANY($1) ORDER BY h.id, s.ord",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    for row in rows {
        if let Some(hold) = facts.hold_mut(EntryId::from(row.try_get::<Uuid, _>(0)?)) {
            hold.sources.push(HoldSource {
                grant: row.try_get::<Uuid, _>(1)?.into(),
                account: LedgerAccountId::from_raw(row.try_get(2)?),
                amount: Credits::from_micros(row.try_get(3)?),
            });
        }
    }
    Ok(())
}

/// Which of the grants that were given in `slot` expire next.
pub(super) async fn load_expiries(connection: &mut PgConnection, slot: i64) -> Result<Expiries, Trouble> {
    let sql = format!("SELECT {GRANT_COLUMNS} FROM open_grant WHERE slot = $1 ORDER BY expires_us, id LIMIT $2");
    // One more than are kept tells whether there are more.
    let most = i64::try_from(EXPIRIES_MAX).unwrap_or(i64::MAX).saturating_add(1);
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(slot).bind(most).fetch_all(connection).await?;
    let mut soonest = rows.iter().map(grant_from).collect::<Result<Vec<_>, _>>()?;
    let is_partial = soonest.len() > EXPIRIES_MAX;
    soonest.truncate(EXPIRIES_MAX);
    Ok(Expiries::of(soonest, is_partial))
}

fn grant_from(row: &PgRow) -> Result<OpenGrant, Trouble> {
    Ok(OpenGrant(GrantEntry {
        id: row.try_get::<Uuid, _>(0)?.into(),
        wallet: LedgerAccountId::from_raw(row.try_get(1)?),
        account: LedgerAccountId::from_raw(row.try_get(2)?),
        priority: row.try_get(3)?,
        expires_us: row.try_get(4)?,
    }))
}

/// What `ids` name already: open holds of others, ended holds, transactions, settlements.
pub(super) async fn load_known(
    connection: &mut PgConnection,
    facts: &mut Facts,
    ids: &[Uuid],
) -> Result<Foreign, Trouble> {
    let sql = format!(
        "SELECT {HOLD_COLUMNS}, r.id, r.hold_id, r.outcome, r.captured, r.meta_hash
         FROM hold_resolution r JOIN hold h ON h.id = r.hold_id WHERE r.hold_id = ANY($1)"
    );
    let mut ended = Vec::new();
    for row in sqlx::query(sqlx::AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *connection).await? {
        let hold = hold_from(&row)?;
        ended.push(hold.id.uuid());
        facts.known.insert(hold.id, Known::Hold(hold, Some(settlement_from(&row, 11)?)));
    }
    // What comes back of a charge goes back to where it came from.
    load_sources(&mut *connection, facts, &ended).await?;
    for (id, transaction) in load_transactions(connection, ids).await? {
        facts.known.entry(id).or_insert(Known::Transaction(transaction));
    }
    let rows = sqlx::query(
        "SELECT id, hold_id, outcome, captured, meta_hash FROM hold_resolution WHERE id = ANY($1) AND id <> hold_id",
    )
    .bind(ids)
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let settlement = settlement_from(&row, 0)?;
        facts.known.entry(settlement.id).or_insert(Known::Settlement(settlement));
    }
    // As of this server's own term: it is alive, so nothing is lost. Calls stay with whoever began them.
    let foreign = load_open(connection, facts, ids, i64::MAX).await?;
    Ok(foreign)
}

/// Transactions that do not share the identifier of a hold.
async fn load_transactions(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<EntryId, TransactionEntry>, Trouble> {
    let rows = sqlx::query(
        "SELECT t.id, t.kind, t.hold_id, t.reverses, t.effective_us, t.meta_hash, p.debit, p.credit, p.amount
         FROM txn t LEFT JOIN posting p USING (slot, seq)
         WHERE t.id = ANY($1) AND t.id IS DISTINCT FROM t.hold_id ORDER BY t.slot, t.seq, p.ord",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut found: HashMap<EntryId, TransactionEntry> = HashMap::new();
    for row in rows {
        let id = EntryId::from(row.try_get::<Uuid, _>(0)?);
        let kind = TransactionKind::from_raw(row.try_get(1)?).ok_or_else(|| damaged("transaction kind"))?;
        let entry = found.entry(id).or_insert(TransactionEntry {
            id,
            kind,
            hold: optional_id(&row, 2)?,
            reverses: optional_id(&row, 3)?,
            effective_us: row.try_get(4)?,
            meta: optional_digest(&row, 5)?,
            legs: Vec::new(),
        });
        if let Some(debit) = row.try_get::<Option<i64>, _>(6)? {
            entry.legs.push(Leg {
                debit: LedgerAccountId::from_raw(debit),
                credit: LedgerAccountId::from_raw(row.try_get(7)?),
                amount: Credits::from_micros(row.try_get(8)?),
            });
        }
    }
    Ok(found)
}

/// From `key_scope, key, state` at column `first`.
fn call_from(row: &PgRow, first: usize, epoch: i64) -> Result<OpenCall, Trouble> {
    let at = |offset: usize| first.saturating_add(offset);
    let key = match (row.try_get::<Option<Uuid>, _>(first)?, row.try_get::<Option<String>, _>(at(1))?) {
        (Some(scope), Some(key)) => Some(KeyName { scope, key: key.into() }),
        _ => None,
    };
    Ok(OpenCall { key, epoch, is_unknown: row.try_get::<i16, _>(at(2))? == 2 })
}

fn settlement_from(row: &PgRow, first: usize) -> Result<SettlementEntry, Trouble> {
    let at = |offset: usize| first.saturating_add(offset);
    Ok(SettlementEntry {
        id: row.try_get::<Uuid, _>(first)?.into(),
        hold: row.try_get::<Uuid, _>(at(1))?.into(),
        settled: Settled::from_raw(row.try_get(at(2))?).ok_or_else(|| damaged("outcome"))?,
        captured: Credits::from_micros(row.try_get(at(3))?),
        meta: optional_digest(row, at(4))?,
    })
}

fn hold_from(row: &PgRow) -> Result<HoldEntry, Trouble> {
    let bps = |column: usize| -> Result<u16, Trouble> {
        u16::try_from(row.try_get::<i32, _>(column)?).map_err(|_outside| damaged("shares"))
    };
    Ok(HoldEntry {
        id: row.try_get::<Uuid, _>(0)?.into(),
        wallet: LedgerAccountId::from_raw(row.try_get(1)?),
        payee: LedgerAccountId::from_raw(row.try_get(2)?),
        amount: Credits::from_micros(row.try_get(3)?),
        ttl_us: row.try_get(4)?,
        shares: ShareTerms::new(bps(5)?, bps(6)?).map_err(|_above| damaged("shares"))?,
        partner: row.try_get::<Option<i64>, _>(7)?.map(LedgerAccountId::from_raw),
        on_expiry: row
            .try_get::<Option<i64>, _>(8)?
            .map_or(OnExpiry::Release, |micros| OnExpiry::Capture(Credits::from_micros(micros))),
        counters: decode_counters(&row.try_get::<Vec<u8>, _>(9)?).ok_or_else(|| damaged("counters"))?,
        // Whoever reads holds adds them.
        sources: Vec::new(),
        meta: optional_digest(row, 10)?,
    })
}

fn optional_id(row: &PgRow, column: usize) -> Result<Option<EntryId>, Trouble> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(EntryId::from))
}

fn optional_digest(row: &PgRow, column: usize) -> Result<Option<Digest>, Trouble> {
    row.try_get::<Option<Vec<u8>>, _>(column)?.map(digest).transpose()
}

pub(super) fn digest(bytes: Vec<u8>) -> Result<Digest, Trouble> {
    Digest::try_from(bytes).map_err(|_length| damaged("digest"))
}

/// A stored value that no version of this program wrote.
pub(super) fn damaged(what: &str) -> Trouble {
    Trouble::Refused(format!("damaged {what}"))
}
