//! Reads what a wallet has: its own balance, and that of each of its grants.

use std::collections::HashMap;

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

/// What the open holds of a wallet whose time is over took from which grants. SQLite joins in the order that stands here: few
/// holds are open, and the parts of all holds are many.
const EXPIRED: &str = "
SELECT s.account, CAST(sum(s.amount) AS bigint) FROM open_hold o CROSS JOIN hold h CROSS JOIN hold_source s
WHERE h.id = o.hold_id AND s.slot = h.slot AND s.seq = h.seq AND o.wallet = $1 AND o.expires_us <= $2
GROUP BY s.account";

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

/// The same of several wallets at once, by the wallet.
pub(crate) async fn purses_of(
    readers: &Readers,
    wallets: &[LedgerAccountId],
) -> Result<HashMap<LedgerAccountId, Vec<Purse>>, StoreError> {
    let places = places(wallets, 1);
    let sql = format!(
        "SELECT w.account_id, w.credits, w.debits, w.held, w.overdraft,
                CAST(NULL AS uuid), CAST(NULL AS bigint), CAST(NULL AS bigint), w.account_id
         FROM wallet_balance w WHERE w.account_id IN ({places})
         UNION ALL
         SELECT w.account_id, w.credits, w.debits, w.held, w.overdraft, g.id, g.priority, g.expires_us, g.wallet
         FROM open_grant g JOIN wallet_balance w ON w.account_id = g.account WHERE g.wallet IN ({places})"
    );
    let values = wallets.iter().map(|wallet| wallet.raw().into());
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let mut found: HashMap<LedgerAccountId, Vec<Purse>> = HashMap::new();
    for row in readers.query_all_raw(statement).await? {
        let wallet = LedgerAccountId::from_raw(row.try_get_by_index(8)?);
        found.entry(wallet).or_default().push(purse(&row)?);
    }
    Ok(found)
}

/// What open holds of these wallets reserve whose time is over at `now_us`, in micro-credits; those that have none are
/// missing. Looks at all open holds, which are few.
pub(crate) async fn expired_of(
    readers: &Readers,
    wallets: &[LedgerAccountId],
    now_us: i64,
) -> Result<HashMap<LedgerAccountId, i64>, StoreError> {
    if wallets.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT wallet, CAST(sum(amount) AS bigint) FROM open_hold WHERE expires_us <= $1 AND wallet IN ({}) GROUP BY wallet",
        places(wallets, 2)
    );
    let values = std::iter::once(now_us).chain(wallets.iter().map(|wallet| wallet.raw())).map(Into::into);
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let rows = readers.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((LedgerAccountId::from_raw(row.try_get_by_index(0)?), row.try_get_by_index(1)?))).collect()
}

/// When grants expire from `from_us` on and before `before_us` (microseconds since the Unix epoch), and what is left of each
/// in micro-credits: at most `limit` of them, the soonest first, by the index of expiries.
pub(crate) async fn expiring(
    readers: &Readers,
    (from_us, before_us): (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let sql = "SELECT o.expires_us, w.credits - w.debits
               FROM (SELECT expires_us, id, account FROM open_grant WHERE expires_us >= $1 AND expires_us < $2
                     ORDER BY expires_us, id LIMIT $3) AS o
               JOIN wallet_balance w ON w.account_id = o.account ORDER BY o.expires_us, o.id";
    let values = [from_us.into(), before_us.into(), limit.into()];
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let rows = readers.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// How many end users of a partner have something in wallets of their own, and how much that is, in micro-credits.
pub(crate) async fn held_by_users(readers: &Readers, partner: uuid::Uuid) -> Result<(i64, i64), StoreError> {
    // PostgreSQL adds integers up to a number of another type.
    let sql = "SELECT count(*), CAST(coalesce(sum(b.credits - b.debits), 0) AS bigint)
               FROM end_user_wallet u JOIN wallet_balance b ON b.account_id = u.wallet
               WHERE u.partner_id = $1 AND u.ended_us IS NULL AND b.credits > b.debits";
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, [partner.into()]);
    let row = readers.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| StoreError::Inconsistent { table: "end_user_wallet", what: partner.to_string() })?;
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
}

/// A place in a statement for each wallet, from number `first` on.
fn places(wallets: &[LedgerAccountId], first: usize) -> String {
    (first..).take(wallets.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
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
