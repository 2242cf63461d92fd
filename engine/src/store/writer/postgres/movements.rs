//! What has to be known, and kept as it is until the commit, to take money back and to pay it out.

use std::collections::BTreeSet;

use sea_orm::sqlx::{self, Row as _, postgres::PgConnection};
use uuid::Uuid;

use super::{columns::Columns, session::Trouble, write::Before};
use crate::{
    id::EntryId,
    ledger::{
        LedgerAccountId,
        facts::Facts,
        movement::{RefundTotal, Turnover},
        plan::Plan,
    },
};

const TOTALS: &str = "SELECT txn_id, captured, refunded FROM refund_total WHERE txn_id = ANY($1::uuid[])
                      ORDER BY txn_id FOR UPDATE";

/// The rows of all slots, in the order in which every writer changes its own.
const LOCK_HOT: &str = "SELECT slot FROM hot_balance WHERE account_id = ANY($1::bigint[])
                        ORDER BY account_id, slot FOR UPDATE";

const WEIGH_HOT: &str = "SELECT account_id, sum(credits)::bigint, sum(debits)::bigint FROM hot_balance
                         WHERE account_id = ANY($1::bigint[]) GROUP BY account_id";

/// Reads how much of `taken_back` went back before, and what the weighed accounts among `parties` have. No other server
/// changes either of them until the transaction ends, but for what comes in on a slot that never had any of it.
pub(super) async fn load(
    connection: &mut PgConnection,
    facts: &mut Facts,
    parties: &BTreeSet<LedgerAccountId>,
    taken_back: &BTreeSet<EntryId>,
) -> Result<(), Trouble> {
    let ids: Vec<Uuid> = taken_back.iter().map(|id| id.uuid()).collect();
    for row in sqlx::query(TOTALS).bind(ids).fetch_all(&mut *connection).await? {
        let total = RefundTotal { captured: row.try_get(1)?, refunded: row.try_get(2)? };
        facts.refunds.insert(EntryId::from(row.try_get::<Uuid, _>(0)?), total);
    }
    let is_weighed = |id: &&LedgerAccountId| facts.accounts.get(id).is_some_and(|account| account.kind.is_weighed());
    let weighed: Vec<i64> = parties.iter().filter(is_weighed).map(|id| id.raw()).collect();
    if weighed.is_empty() {
        return Ok(());
    }
    sqlx::query(LOCK_HOT).bind(&weighed).execute(&mut *connection).await?;
    // In a statement of its own: whoever had the locks before may have added a row that the one above does not see.
    for row in sqlx::query(WEIGH_HOT).bind(&weighed).fetch_all(connection).await? {
        let turnover = Turnover { credits: row.try_get(1)?, debits: row.try_get(2)? };
        facts.turnovers.insert(LedgerAccountId::from_raw(row.try_get(0)?), turnover);
    }
    Ok(())
}

impl Columns {
    /// Running totals of what was taken back, and the statements of payouts.
    pub(super) fn add_movements(&mut self, facts: &Facts, before: &Before, plan: &Plan) {
        for (id, total) in plan.refunds.iter().filter_map(|id| facts.refunds.get(id).map(|total| (id, total))) {
            if let Some(was) = before.refunds.get(id) {
                self.total_id.push(id.uuid());
                self.total_refunded.push(total.refunded);
                self.total_refunded_before.push(was.refunded);
            } else {
                self.first_total_id.push(id.uuid());
                self.first_total_captured.push(total.captured);
                self.first_total_refunded.push(total.refunded);
            }
        }
        for (id, statement) in &plan.statements {
            self.payout_id.push(id.uuid());
            self.payout_account.push(statement.account.raw());
            self.payout_credits.push(statement.credits);
            self.payout_debits.push(statement.debits);
            self.payout_netted.push(statement.netted);
            self.payout_paid.push(statement.paid);
            self.payout_note.push(statement.note.map(|note| note.to_vec()));
        }
    }
}
