//! Looking single things up in the books, for those who moved money and want to say what came of it.

use std::collections::HashMap;

use sea_orm::{DbBackend, FromQueryResult, Statement};
use uuid::Uuid;

use super::{Database, StoreError};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{AccountKind, LedgerAccountId, Leg, movement::Turnover},
};

mod transactions;

pub use transactions::{
    Posting, PostingSide, Transaction, find_transaction, list_postings, load_amounts, name_postings,
};
pub(crate) mod entries;
pub(crate) mod grant;
pub(crate) mod pages;
pub(crate) mod wallet;

#[derive(FromQueryResult)]
struct PostingRow {
    debit: i64,
    credit: i64,
    amount: i64,
    kind: i16,
}

#[derive(FromQueryResult)]
struct TurnoverRow {
    credits: i64,
    debits: i64,
}

#[derive(FromQueryResult)]
struct NamedTurnoverRow {
    account_id: i64,
    credits: i64,
    debits: i64,
}

#[derive(FromQueryResult)]
struct AmountRow {
    amount: i64,
}

/// `sql` with `?` for its one value.
fn statement(backend: DbBackend, sql: &str, value: impl Into<sea_orm::Value>) -> Statement {
    let sql = if backend == DbBackend::Postgres { sql.replace('?', "$1") } else { sql.to_owned() };
    Statement::from_sql_and_values(backend, sql, [value.into()])
}

/// The postings of the transaction `id`, which is no call's charge, each with the kind of the account that it debits.
///
/// # Errors
/// The database cannot be read, or an account's kind makes no sense.
pub async fn find_postings(db: &Database, id: EntryId) -> Result<Vec<(AccountKind, Leg)>, StoreError> {
    // The index of identifiers is found by the words of its own condition.
    let differs = if db.backend() == DbBackend::Postgres { "IS DISTINCT FROM" } else { "IS NOT" };
    let sql = format!(
        "SELECT p.debit, p.credit, p.amount, a.kind FROM txn t JOIN posting p ON p.slot = t.slot AND p.seq = t.seq
         JOIN ledger_account a ON a.id = p.debit WHERE t.id = ? AND t.id {differs} t.hold_id ORDER BY p.ord"
    );
    let rows = PostingRow::find_by_statement(statement(db.backend(), &sql, id.uuid())).all(db.readers()).await?;
    let leg = |row: PostingRow| {
        let kind = AccountKind::from_raw(row.kind);
        let kind = kind.ok_or_else(|| StoreError::Inconsistent { table: "ledger_account", what: "kind".to_owned() })?;
        let (debit, credit) = (LedgerAccountId::from_raw(row.debit), LedgerAccountId::from_raw(row.credit));
        Ok((kind, Leg { debit, credit, amount: Credits::from_micros(row.amount) }))
    };
    rows.into_iter().map(leg).collect()
}

/// How much the hold `id` reserved, open or not; `None`: there is no such hold.
///
/// # Errors
/// The database cannot be read.
pub async fn find_held(db: &Database, id: Uuid) -> Result<Option<Credits>, StoreError> {
    let query = statement(db.backend(), "SELECT amount FROM hold WHERE id = ?", id);
    let row = AmountRow::find_by_statement(query).one(db.readers()).await?;
    Ok(row.map(|row| Credits::from_micros(row.amount)))
}

/// What unlimited accounts received and spent, over all slots; those that never did are left out.
///
/// # Errors
/// The database cannot be read.
pub async fn load_turnovers(
    db: &Database,
    ids: &[LedgerAccountId],
) -> Result<HashMap<LedgerAccountId, Turnover>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<String> = ids.iter().map(|id| id.raw().to_string()).collect();
    let sql = format!(
        "SELECT account_id, CAST(sum(credits) AS bigint) AS credits, CAST(sum(debits) AS bigint) AS debits
         FROM hot_balance WHERE account_id IN ({}) GROUP BY account_id",
        ids.join(", ")
    );
    let query = Statement::from_string(db.backend(), sql);
    let rows = NamedTurnoverRow::find_by_statement(query).all(db.readers()).await?;
    let turnover = |row: &NamedTurnoverRow| Turnover { credits: row.credits, debits: row.debits };
    Ok(rows.iter().map(|row| (LedgerAccountId::from_raw(row.account_id), turnover(row))).collect())
}

/// What an unlimited account received and spent, over all slots.
///
/// # Errors
/// The database cannot be read.
pub async fn load_turnover(db: &Database, id: LedgerAccountId) -> Result<Turnover, StoreError> {
    let sql = "SELECT CAST(coalesce(sum(credits), 0) AS bigint) AS credits,
                      CAST(coalesce(sum(debits), 0) AS bigint) AS debits FROM hot_balance WHERE account_id = ?";
    let row = TurnoverRow::find_by_statement(statement(db.backend(), sql, id.raw())).one(db.readers()).await?;
    Ok(row.map_or_else(Turnover::default, |row| Turnover { credits: row.credits, debits: row.debits }))
}
