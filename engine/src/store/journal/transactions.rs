//! Transactions as people look at them: what kind, when, which postings between which accounts.

use std::collections::HashMap;

use sea_orm::{DbBackend, FromQueryResult, Statement};
use uuid::Uuid;

use super::{Database, StoreError, statement};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{AccountKind, LedgerAccountId, Leg, TransactionKind, leaf::Position},
};

/// A transaction of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its name.
    pub id: EntryId,
    /// Where it stands.
    pub position: Position,
    /// Why money moved.
    pub kind: TransactionKind,
    /// The hold that it settled; a call's charge has its name.
    pub hold: Option<EntryId>,
    /// What it takes back, wholly or in part.
    pub reverses: Option<EntryId>,
    /// When it counts for the business, in microseconds since the Unix epoch.
    pub effective_us: i64,
    /// When it was written, in microseconds since the Unix epoch.
    pub recorded_us: i64,
}

/// One side of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingSide {
    /// Which account.
    pub account: LedgerAccountId,
    /// What it is for.
    pub kind: AccountKind,
    /// Its name in the chart of accounts.
    pub code: String,
}

/// One posting with the names of its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Who gives.
    pub debit: PostingSide,
    /// Who gets.
    pub credit: PostingSide,
    /// How much.
    pub amount: Credits,
}

#[derive(FromQueryResult)]
struct TransactionRow {
    id: Uuid,
    slot: i64,
    seq: i64,
    kind: i16,
    hold_id: Option<Uuid>,
    reverses: Option<Uuid>,
    effective_us: i64,
    recorded_us: i64,
}

#[derive(FromQueryResult)]
struct NamedPostingRow {
    debit: i64,
    debit_kind: i16,
    debit_code: String,
    credit: i64,
    credit_kind: i16,
    credit_code: String,
    amount: i64,
}

#[derive(FromQueryResult)]
struct SumRow {
    id: Uuid,
    amount: i64,
}

#[derive(FromQueryResult)]
struct AccountRow {
    id: i64,
    kind: i16,
    code: String,
}

const COLUMNS: &str = "t.id, t.slot, t.seq, t.kind, t.hold_id, t.reverses, t.effective_us, b.recorded_us";

/// The transaction with the name `id`; a call's charge has the name of its call.
///
/// # Errors
/// The database cannot be read, or the transaction's kind makes no sense.
pub async fn find_transaction(db: &Database, id: EntryId) -> Result<Option<Transaction>, StoreError> {
    // The index of identifiers is found by the words of its own condition.
    let differs = if db.backend() == DbBackend::Postgres { "IS DISTINCT FROM" } else { "IS NOT" };
    let of_its_own = format!(
        "SELECT {COLUMNS} FROM txn t JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
         WHERE t.id = ? AND t.id {differs} t.hold_id"
    );
    // A charge follows its settlement. What follows another end is told apart below: said in the statement, PostgreSQL reads
    // all transactions for it as long as it knows nothing of how many there are.
    let of_a_call = format!(
        "SELECT {COLUMNS} FROM hold_resolution r JOIN txn t ON t.slot = r.slot AND t.seq = r.seq + 1
         JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no
         WHERE r.hold_id = ?"
    );
    for sql in [of_its_own, of_a_call] {
        let query = statement(db.backend(), &sql, id.uuid());
        let row = TransactionRow::find_by_statement(query).one(db.readers()).await?;
        if let Some(row) = row.filter(|row| row.id == id.uuid()) {
            return read(&row).map(Some);
        }
    }
    Ok(None)
}

fn read(row: &TransactionRow) -> Result<Transaction, StoreError> {
    let id = EntryId::from(row.id);
    let kind = TransactionKind::from_raw(row.kind);
    Ok(Transaction {
        id,
        position: Position { slot: row.slot, seq: row.seq },
        kind: kind.ok_or_else(|| StoreError::Inconsistent { table: "txn", what: format!("kind of {id}") })?,
        hold: row.hold_id.map(EntryId::from),
        reverses: row.reverses.map(EntryId::from),
        effective_us: row.effective_us,
        recorded_us: row.recorded_us,
    })
}

/// The postings at `position`, in their order.
///
/// # Errors
/// The database cannot be read, or an account's kind makes no sense.
pub async fn list_postings(db: &Database, position: Position) -> Result<Vec<Posting>, StoreError> {
    let Position { slot, seq } = position;
    let sql = format!(
        "SELECT p.debit, d.kind AS debit_kind, d.code AS debit_code, p.credit, c.kind AS credit_kind,
                c.code AS credit_code, p.amount
         FROM posting p JOIN ledger_account d ON d.id = p.debit JOIN ledger_account c ON c.id = p.credit
         WHERE p.slot = {slot} AND p.seq = {seq} ORDER BY p.ord"
    );
    let query = Statement::from_string(db.backend(), sql);
    let rows = NamedPostingRow::find_by_statement(query).all(db.readers()).await?;
    let posting = |row: NamedPostingRow| {
        Ok(Posting {
            debit: side(row.debit, row.debit_kind, row.debit_code)?,
            credit: side(row.credit, row.credit_kind, row.credit_code)?,
            amount: Credits::from_micros(row.amount),
        })
    };
    rows.into_iter().map(posting).collect()
}

/// Postings that are not in the books, with the names of their accounts.
///
/// # Errors
/// The database cannot be read, has no such account, or an account's kind makes no sense.
pub async fn name_postings(db: &Database, legs: &[Leg]) -> Result<Vec<Posting>, StoreError> {
    if legs.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted: Vec<String> =
        legs.iter().flat_map(|leg| [leg.debit, leg.credit]).map(|id| id.raw().to_string()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let sql = format!("SELECT id, kind, code FROM ledger_account WHERE id IN ({})", wanted.join(", "));
    let rows = AccountRow::find_by_statement(Statement::from_string(db.backend(), sql)).all(db.readers()).await?;
    let named = |id: LedgerAccountId| {
        let row = rows.iter().find(|row| row.id == id.raw());
        let missing = || StoreError::Inconsistent { table: "ledger_account", what: id.to_string() };
        row.map(|row| side(row.id, row.kind, row.code.clone())).ok_or_else(missing)?
    };
    legs.iter()
        .map(|leg| Ok(Posting { debit: named(leg.debit)?, credit: named(leg.credit)?, amount: leg.amount }))
        .collect()
}

/// How much each of these transactions moved, none of which is a call's charge; those that moved nothing are left out.
///
/// # Errors
/// The database cannot be read.
pub async fn load_amounts(db: &Database, ids: &[EntryId]) -> Result<HashMap<EntryId, Credits>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let is_postgres = db.backend() == DbBackend::Postgres;
    let differs = if is_postgres { "IS DISTINCT FROM" } else { "IS NOT" };
    let places: Vec<String> =
        (1..=ids.len()).map(|number| if is_postgres { format!("${number}") } else { "?".to_owned() }).collect();
    let sql = format!(
        "SELECT t.id, CAST(sum(p.amount) AS bigint) AS amount
         FROM txn t JOIN posting p ON p.slot = t.slot AND p.seq = t.seq
         WHERE t.id IN ({}) AND t.id {differs} t.hold_id GROUP BY t.id",
        places.join(", ")
    );
    let values = ids.iter().map(|id| sea_orm::Value::from(id.uuid()));
    let query = Statement::from_sql_and_values(db.backend(), sql, values);
    let rows = SumRow::find_by_statement(query).all(db.readers()).await?;
    Ok(rows.iter().map(|row| (row.id.into(), Credits::from_micros(row.amount))).collect())
}

fn side(id: i64, kind: i16, code: String) -> Result<PostingSide, StoreError> {
    let kind = AccountKind::from_raw(kind);
    let kind = kind.ok_or_else(|| StoreError::Inconsistent { table: "ledger_account", what: "kind".to_owned() })?;
    Ok(PostingSide { account: LedgerAccountId::from_raw(id), kind, code })
}
