//! What the postings did to one wallet and to its grants, which for their owner are one purse.

use sea_orm::{ConnectionTrait as _, Value};
use uuid::Uuid;

use super::pages::{COLUMN_COUNT, COLUMNS, MovedRow, Window, query, transaction};
use crate::{
    ledger::{LedgerAccountId, TransactionKind},
    store::{StoreError, readers::Readers},
};

/// A wallet with all that were ever granted to its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purse {
    /// The wallet.
    pub(crate) wallet: LedgerAccountId,
    /// Whose: the identifier of an account, or of a partner or an end user, who are granted nothing that expires.
    pub(crate) owner: Uuid,
}

/// The accounts of a purse. Grants are found by the index of their owners.
const ACCOUNTS: &str = "SELECT g.account FROM credit_grant c JOIN wallet_grant g ON g.id = c.id WHERE c.account_id = $5
     UNION ALL SELECT CAST($6 AS bigint)";

/// What the newest `limit` transactions of `window` that touch `purse` did to it, the newest first; only those of `kind` if
/// there is one, which also says whether they take something back. As [`super::pages::moves`] it reads the window along the
/// primary key of `posting` and no further.
pub(crate) async fn moves(
    readers: &Readers,
    window: Window,
    purse: Purse,
    kind: Option<(TransactionKind, Option<bool>)>,
    limit: u64,
) -> Result<Vec<MovedRow>, StoreError> {
    // A value of each row, not a join: no plan looks at a transaction that the window's own postings do not lead to.
    let only =
        |more: &str| format!("AND (SELECT k.kind FROM txn k WHERE k.slot = p.slot AND k.seq = p.seq{more}) = $7");
    let of_kind = match kind {
        None => String::new(),
        Some((_, None)) => only(""),
        Some((_, Some(true))) => only(" AND k.reverses IS NOT NULL"),
        Some((_, Some(false))) => only(" AND k.reverses IS NULL"),
    };
    let sql = format!(
        "WITH own AS ({ACCOUNTS})
         SELECT {COLUMNS}, m.debits, m.credits
         FROM (SELECT p.slot, p.seq,
                      CAST(sum(CASE WHEN p.debit IN (SELECT * FROM own) THEN p.amount ELSE 0 END) AS bigint) AS debits,
                      CAST(sum(CASE WHEN p.credit IN (SELECT * FROM own) THEN p.amount ELSE 0 END) AS bigint) AS credits
               FROM posting p
               WHERE p.slot = $1 AND p.seq >= $2 AND p.seq < $3
                 AND (p.debit IN (SELECT * FROM own) OR p.credit IN (SELECT * FROM own)) {of_kind}
               GROUP BY p.slot, p.seq ORDER BY p.seq DESC LIMIT $4) AS m
         JOIN txn t ON t.slot = m.slot AND t.seq = m.seq
         JOIN batch b ON b.slot = t.slot AND b.batch_no = t.batch_no ORDER BY t.seq DESC"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [window.slot, window.from, window.before, limit].map(Value::from);
    let values = values.into_iter().chain([Value::from(purse.owner), Value::from(purse.wallet.raw())]);
    let values = values.chain(kind.map(|(kind, _)| Value::from(kind.raw())));
    let mut found = Vec::new();
    for row in readers.query_all_raw(query(readers, &sql, values)).await? {
        found.push(MovedRow {
            transaction: transaction(&row)?,
            debits: row.try_get_by_index(COLUMN_COUNT)?,
            credits: row.try_get_by_index(COLUMN_COUNT.saturating_add(1))?,
        });
    }
    Ok(found)
}
