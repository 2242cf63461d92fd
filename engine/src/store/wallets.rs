//! Reads what a wallet has: its own balance, and that of each of its grants.

use sea_orm::{ConnectionTrait as _, DbErr, QueryResult, Statement};

use super::{StoreError, readers::Readers};
use crate::{id::EntryId, ledger::LedgerAccountId};

/// A balance that a wallet can spend from, in micro-credits: its own, or that of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purse {
    /// The account.
    pub(crate) account: LedgerAccountId,
    /// Received.
    pub(crate) credits: i64,
    /// Spent.
    pub(crate) debits: i64,
    /// Reserved by open holds.
    pub(crate) held: i64,
    /// How far below zero it may go.
    pub(crate) overdraft: i64,
    /// Of a grant: which, its priority, and when it expires, in microseconds since the Unix epoch.
    pub(crate) grant: Option<(EntryId, i64, i64)>,
}

const PURSES: &str = "
SELECT w.account_id, w.credits, w.debits, w.held, w.overdraft,
       CAST(NULL AS uuid), CAST(NULL AS bigint), CAST(NULL AS bigint)
FROM wallet_balance w WHERE w.account_id = $1
UNION ALL
SELECT w.account_id, w.credits, w.debits, w.held, w.overdraft, g.id, g.priority, g.expires_us
FROM open_grant g JOIN wallet_balance w ON w.account_id = g.account WHERE g.wallet = $1";

/// What the open holds of a wallet whose time is over took from which grants.
const EXPIRED: &str = "
SELECT s.account, CAST(sum(s.amount) AS bigint) FROM open_hold o JOIN hold h ON h.id = o.hold_id
JOIN hold_source s ON s.slot = h.slot AND s.seq = h.seq
WHERE o.wallet = $1 AND o.expires_us <= $2 GROUP BY s.account";

/// The wallet's own balance and those of its open grants, expired ones too, in the order in which they are spent; nothing
/// if there is no such wallet.
pub(crate) async fn purses(readers: &Readers, wallet: LedgerAccountId) -> Result<Vec<Purse>, StoreError> {
    let backend = readers.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, PURSES, [wallet.raw().into()]);
    let rows = readers.query_all_raw(statement).await?;
    let mut purses = rows.iter().map(purse).collect::<Result<Vec<_>, _>>()?;
    purses.sort_unstable_by_key(|purse| purse.grant.map(|(id, priority, expires_us)| (priority, expires_us, id)));
    Ok(purses)
}

fn purse(row: &QueryResult) -> Result<Purse, DbErr> {
    let grant: Option<uuid::Uuid> = row.try_get_by_index(5)?;
    let terms = grant.map(|id| Ok::<_, DbErr>((EntryId::from(id), row.try_get_by_index(6)?, row.try_get_by_index(7)?)));
    Ok(Purse {
        account: LedgerAccountId::from_raw(row.try_get_by_index(0)?),
        credits: row.try_get_by_index(1)?,
        debits: row.try_get_by_index(2)?,
        held: row.try_get_by_index(3)?,
        overdraft: row.try_get_by_index(4)?,
        grant: terms.transpose()?,
    })
}

/// Of holds of `wallet` whose time is over at `now_us` and that nobody has swept: what they took from which grant's account.
pub(crate) async fn expired_parts(
    readers: &Readers,
    wallet: LedgerAccountId,
    now_us: i64,
) -> Result<Vec<(LedgerAccountId, i64)>, StoreError> {
    let values = [wallet.raw().into(), now_us.into()];
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), EXPIRED, values);
    let mut parts = Vec::new();
    for row in readers.query_all_raw(statement).await? {
        parts.push((LedgerAccountId::from_raw(row.try_get_by_index(0)?), row.try_get_by_index(1)?));
    }
    Ok(parts)
}
