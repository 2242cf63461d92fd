//! Reads the chart of accounts with its balances: a page of it, one account, and the sums of its classes.

use std::cmp::Reverse;

use sea_orm::{ConnectionTrait as _, QueryResult, Statement, Value};

use super::{StoreError, readers::Readers};
use crate::ledger::{AccountKind, LedgerAccountId};

/// How many accounts are looked at for one page where no index knows which are wanted.
pub(crate) const ACCOUNTS_LOOKED_AT: i64 = 20_000;

/// An account of the chart with its balance, in micro-credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartLine {
    /// Its number.
    pub id: LedgerAccountId,
    /// Its name.
    pub code: String,
    /// What it is for.
    pub kind: AccountKind,
    /// When it was opened, in microseconds since the Unix epoch.
    pub opened_us: i64,
    /// When it was closed, in microseconds since the Unix epoch.
    pub closed_us: Option<i64>,
    /// Everything that left it.
    pub debits: i64,
    /// Everything that came in.
    pub credits: i64,
    /// Reserved by open holds; of an account without a limit always 0.
    pub held: i64,
    /// How far below zero it may go; `None`: it has no limit.
    pub overdraft: Option<i64>,
}

impl ChartLine {
    /// Credits less debits: positive for what is owed (liabilities, revenue, equity), negative for what is owned or was
    /// spent (assets, expenses).
    pub const fn balance(&self) -> i64 {
        self.credits.saturating_sub(self.debits)
    }

    /// The part of its name that says whose it is; empty if it is nobody's.
    pub fn owner(&self) -> &str {
        let class = self.kind.code("");
        let rest = self.code.strip_prefix(class.as_str()).and_then(|rest| rest.strip_prefix(':'));
        rest.and_then(|rest| rest.split(':').next()).unwrap_or_default()
    }
}

/// What all accounts of a kind have together, in micro-credits. Wallets and the grants that belong to them are one line,
/// that of [`AccountKind::Wallet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassSum {
    /// The kind.
    pub kind: AccountKind,
    /// How many accounts have moved.
    pub accounts: i64,
    /// Everything that left them.
    pub debits: i64,
    /// Everything that came in.
    pub credits: i64,
    /// Reserved by open holds.
    pub held: i64,
}

impl ClassSum {
    /// As [`ChartLine::balance`].
    pub const fn balance(&self) -> i64 {
        self.credits.saturating_sub(self.debits)
    }
}

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

fn inconsistent(what: &str) -> StoreError {
    StoreError::Inconsistent { table: "ledger_account", what: what.to_owned() }
}

/// What is selected of accounts, `l`.
const COLUMNS: &str = "SELECT l.id, l.code, l.kind, l.created_us, l.closed_us";

/// The lines of the accounts that `inner` selects, the newest first.
async fn lines(readers: &Readers, inner: &str, values: Vec<Value>) -> Result<Vec<ChartLine>, StoreError> {
    let sql = format!(
        "SELECT a.id, a.code, a.kind, a.created_us, a.closed_us,
                coalesce(w.debits, (SELECT CAST(coalesce(sum(debits), 0) AS bigint) FROM hot_balance
                                    WHERE account_id = a.id)),
                coalesce(w.credits, (SELECT CAST(coalesce(sum(credits), 0) AS bigint) FROM hot_balance
                                     WHERE account_id = a.id)),
                coalesce(w.held, 0), w.overdraft
         FROM ({inner}) AS a LEFT JOIN wallet_balance w ON w.account_id = a.id ORDER BY a.id DESC"
    );
    let read = |row: &QueryResult| {
        Ok(ChartLine {
            id: LedgerAccountId::from_raw(row.try_get_by_index(0)?),
            code: row.try_get_by_index(1)?,
            kind: AccountKind::from_raw(row.try_get_by_index(2)?).ok_or_else(|| inconsistent("kind"))?,
            opened_us: row.try_get_by_index(3)?,
            closed_us: row.try_get_by_index(4)?,
            debits: row.try_get_by_index(5)?,
            credits: row.try_get_by_index(6)?,
            held: row.try_get_by_index(7)?,
            overdraft: row.try_get_by_index(8)?,
        })
    };
    let rows = readers.query_all_raw(query(readers, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// Selects at most `$2` numbers below `$1` of the accounts of a kind, the greatest first, without looking at all accounts:
/// those of publishers and partners stand in these tables under an index of their own, and the platform's are
/// [`LedgerAccountId::WELL_KNOWN`]. `None`: only the accounts themselves say so.
fn numbers_of(kind: AccountKind) -> Option<String> {
    match kind {
        AccountKind::Wallet | AccountKind::Grant => None,
        AccountKind::Payable => {
            Some("SELECT payable AS id FROM publisher WHERE payable < $1 ORDER BY payable DESC LIMIT $2".to_owned())
        }
        AccountKind::Receivable => Some(
            "SELECT -payable AS id FROM publisher WHERE payable > -CAST($1 AS bigint) ORDER BY payable LIMIT $2"
                .to_owned(),
        ),
        AccountKind::PartnerMargin => {
            Some("SELECT margin AS id FROM partner WHERE margin < $1 ORDER BY margin DESC LIMIT $2".to_owned())
        }
        AccountKind::PlatformFee
        | AccountKind::Promo
        | AccountKind::Clearing
        | AccountKind::Loss
        | AccountKind::Opening => {
            let known = LedgerAccountId::WELL_KNOWN.iter().filter(|(_, known)| *known == kind);
            let numbers: Vec<String> = known.map(|(id, _)| id.raw().to_string()).collect();
            let numbers = numbers.join(", ");
            Some(format!("SELECT id FROM ledger_account WHERE id < $1 AND id IN ({numbers}) ORDER BY id DESC LIMIT $2"))
        }
    }
}

/// At most `limit` accounts below the number `before`, the newest first; only those of `kind` if there is one. With them
/// the number down to which was looked, if that is not the end.
///
/// The order is that of the primary key. Wallets and grants are told apart by looking at [`ACCOUNTS_LOOKED_AT`] accounts.
pub(crate) async fn page(
    readers: &Readers,
    kind: Option<AccountKind>,
    before: i64,
    limit: i64,
) -> Result<(Vec<ChartLine>, Option<i64>), StoreError> {
    let Some(kind) = kind else {
        let inner = format!("{COLUMNS} FROM ledger_account l WHERE id < $1 ORDER BY id DESC LIMIT $2");
        return Ok((lines(readers, &inner, vec![before.into(), limit.into()]).await?, None));
    };
    if let Some(numbers) = numbers_of(kind) {
        let inner = format!("{COLUMNS} FROM ({numbers}) AS k JOIN ledger_account l ON l.id = k.id");
        return Ok((lines(readers, &inner, vec![before.into(), limit.into()]).await?, None));
    }
    let looked_at = "(SELECT * FROM ledger_account WHERE id < $1 ORDER BY id DESC LIMIT $2) AS l";
    let inner = format!("{COLUMNS} FROM {looked_at} WHERE l.kind = $3 ORDER BY l.id DESC LIMIT $4");
    let values = vec![before.into(), ACCOUNTS_LOOKED_AT.into(), kind.raw().into(), limit.into()];
    let found = lines(readers, &inner, values).await?;
    let sql = format!("SELECT count(*), min(id) FROM {looked_at}");
    let row = readers.query_one_raw(query(readers, &sql, [before.into(), ACCOUNTS_LOOKED_AT.into()])).await?;
    let row = row.ok_or_else(|| inconsistent("id"))?;
    let is_end = row.try_get_by_index::<i64>(0)? < ACCOUNTS_LOOKED_AT;
    let lowest: Option<i64> = row.try_get_by_index(1)?;
    Ok((found, lowest.filter(|_lowest| !is_end)))
}

/// The accounts with these numbers, as far as there are such.
pub(crate) async fn find(readers: &Readers, ids: &[LedgerAccountId]) -> Result<Vec<ChartLine>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=ids.len()).map(|number| format!("${number}")).collect();
    let inner = format!("{COLUMNS} FROM ledger_account l WHERE l.id IN ({})", places.join(", "));
    lines(readers, &inner, ids.iter().map(|id| id.raw().into()).collect()).await
}

/// The account of this name, by the index of names.
pub(crate) async fn find_by_code(readers: &Readers, code: &str) -> Result<Option<LedgerAccountId>, StoreError> {
    let row = readers.query_one_raw(query(readers, "SELECT id FROM ledger_account WHERE code = $1", [code.into()]));
    let row = row.await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.map(LedgerAccountId::from_raw))
}

/// The numbers of at most `limit` grants of a wallet, the newest first.
pub(crate) async fn grants_of(
    readers: &Readers,
    wallet: LedgerAccountId,
    limit: i64,
) -> Result<Vec<LedgerAccountId>, StoreError> {
    let sql = "SELECT account FROM open_grant WHERE wallet = $1 ORDER BY account DESC LIMIT $2";
    let rows = readers.query_all_raw(query(readers, sql, [wallet.raw().into(), limit.into()])).await?;
    let read = |row: &QueryResult| Ok(LedgerAccountId::from_raw(row.try_get_by_index(0)?));
    rows.iter().map(read).collect()
}

/// One of the accounts of its class with the greatest balances, whatever their sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeAccount {
    /// Its number.
    pub id: LedgerAccountId,
    /// Its name.
    pub code: String,
    /// Its class, as a [`ClassSum`] has it: a grant is in that of wallets.
    pub class: AccountKind,
    /// As [`ChartLine::balance`].
    pub balance: i64,
}

/// What all accounts of each kind have together, and of each class at most `$2` accounts that have most, of which $1 is the
/// kind of those that are limited. What stands behind the sums is 0 where a row is a sum.
const CLASS_SUMS: &str = "
SELECT CAST($1 AS smallint), CAST(count(*) AS bigint), CAST(coalesce(sum(debits), 0) AS bigint),
       CAST(coalesce(sum(credits), 0) AS bigint), CAST(coalesce(sum(held), 0) AS bigint), CAST(0 AS bigint),
       CAST('' AS text) FROM wallet_balance
UNION ALL
SELECT a.kind, CAST(count(DISTINCT h.account_id) AS bigint), CAST(sum(h.debits) AS bigint),
       CAST(sum(h.credits) AS bigint), CAST(0 AS bigint), CAST(0 AS bigint), CAST('' AS text)
FROM hot_balance h JOIN ledger_account a ON a.id = h.account_id GROUP BY a.kind
UNION ALL
SELECT CAST($1 AS smallint), CAST(1 AS bigint), w.debits, w.credits, w.held, a.id, a.code
FROM (SELECT account_id, debits, credits, held FROM wallet_balance WHERE credits <> debits
      ORDER BY abs(credits - debits) DESC, account_id DESC LIMIT $2) AS w
JOIN ledger_account a ON a.id = w.account_id
UNION ALL
SELECT r.kind, CAST(1 AS bigint), r.debits, r.credits, CAST(0 AS bigint), r.id, r.code
FROM (SELECT a.kind, a.id, a.code, CAST(sum(h.debits) AS bigint) AS debits, CAST(sum(h.credits) AS bigint) AS credits,
             row_number() OVER (PARTITION BY a.kind
                                ORDER BY abs(sum(h.credits) - sum(h.debits)) DESC, a.id DESC) AS place
      FROM hot_balance h JOIN ledger_account a ON a.id = h.account_id GROUP BY a.kind, a.id, a.code) AS r
WHERE r.place <= $2 AND r.credits <> r.debits";

/// What all accounts of each kind have together, and of each class at most `large_max` accounts that have most, the greatest
/// balance first: at one moment. Balances are kept, so no posting is read. Reads a row for every wallet, and for every other
/// account one for each slot.
pub(crate) async fn class_sums(
    readers: &Readers,
    large_max: i64,
) -> Result<(Vec<ClassSum>, Vec<LargeAccount>), StoreError> {
    let values = [AccountKind::Wallet.raw().into(), large_max.into()];
    let (mut sums, mut large) = (Vec::new(), Vec::new());
    for row in readers.query_all_raw(query(readers, CLASS_SUMS, values)).await? {
        let sum = ClassSum {
            kind: AccountKind::from_raw(row.try_get_by_index(0)?).ok_or_else(|| inconsistent("kind"))?,
            accounts: row.try_get_by_index(1)?,
            debits: row.try_get_by_index(2)?,
            credits: row.try_get_by_index(3)?,
            held: row.try_get_by_index(4)?,
        };
        match row.try_get_by_index(5)? {
            0_i64 => sums.push(sum),
            id => large.push(LargeAccount {
                id: LedgerAccountId::from_raw(id),
                code: row.try_get_by_index(6)?,
                class: sum.kind,
                balance: sum.balance(),
            }),
        }
    }
    large.sort_unstable_by_key(|account: &LargeAccount| (Reverse(account.balance.unsigned_abs()), Reverse(account.id)));
    Ok((sums, large))
}
