//! Running totals of what was taken back, and the statements of payouts.

use rusqlite::{Connection, params};

use super::Written;
use crate::ledger::{facts::Facts, plan::Plan};

pub(super) fn write(connection: &Connection, facts: &Facts, plan: &Plan) -> Written {
    if !plan.refunds.is_empty() {
        let mut upsert = connection.prepare_cached(
            "INSERT INTO refund_total (txn_id, captured, refunded) VALUES (?1, ?2, ?3)
             ON CONFLICT (txn_id) DO UPDATE SET refunded = excluded.refunded",
        )?;
        for id in &plan.refunds {
            if let Some(total) = facts.refunds.get(id) {
                upsert.execute((id.uuid().as_bytes(), total.captured, total.refunded))?;
            }
        }
    }
    for (id, statement) in &plan.statements {
        connection
            .prepare_cached(
                "INSERT INTO payout (txn_id, account, credits, debits, netted, paid, note)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                id.uuid().as_bytes(),
                statement.account.raw(),
                statement.credits,
                statement.debits,
                statement.netted,
                statement.paid,
                statement.note
            ])?;
    }
    Ok(())
}
