//! The records of calls.

use rusqlite::{CachedStatement, Connection, params};
use uuid::Uuid;

use super::Written;
use crate::{
    code::Code,
    id::{EntryId, InvocationId},
    invocation::{CallEnd, CallRecord},
    ledger::{
        LedgerAccountId,
        facts::Facts,
        plan::{CallWrite, Plan},
    },
};

/// Writes the calls of `plan` in the writer's term `epoch`.
pub(super) fn write(connection: &Connection, epoch: i64, facts: &Facts, plan: &Plan) -> Written {
    let mut insert = connection.prepare_cached(
        "INSERT INTO invocation (id, surface, account_id, token_id, partner_id, end_user_id, tool_id, price_id,
             wallet, held, snapshot_version, policy_version, denied_by, key_scope, key, epoch, created_us, state,
             charged, shortfall, error, warning, ended_us, resolves_us, requested, session_key, channel,
             channel_account, is_owner, explanation, priced_units, returned_value)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                 ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)",
    )?;
    let mut update = connection.prepare_cached(
        "UPDATE invocation SET state = ?2, charged = ?3, shortfall = ?4, error = ?5, warning = ?6, ended_us = ?7,
             resolves_us = ?8, returned_value = ?9 WHERE id = ?1",
    )?;
    for call in &plan.calls {
        match call {
            CallWrite::Insert(record) => {
                let open = || facts.holds.get(&EntryId::from(record.id)).and_then(|open| open.expires_us);
                let resolves_us = record.end.as_ref().map_or_else(open, |end| end.resolves_us);
                insert_call(&mut insert, epoch, record, resolves_us)?;
            }
            CallWrite::End(id, end) => end_call(&mut update, id.uuid(), end)?,
        }
    }
    each(connection, "INSERT INTO open_call (id) VALUES (?1)", &plan.free_opened)?;
    each(connection, "DELETE FROM open_call WHERE id = ?1", &plan.free_closed)
}

fn each(connection: &Connection, sql: &str, ids: &[InvocationId]) -> Written {
    let mut statement = connection.prepare_cached(sql)?;
    ids.iter().try_for_each(|id| statement.execute([id.uuid().as_bytes()]).map(drop))
}

fn insert_call(
    statement: &mut CachedStatement<'_>,
    epoch: i64,
    call: &CallRecord,
    resolves_us: Option<i64>,
) -> Written {
    let end = call.end.as_ref();
    let parties = &call.parties;
    let asked = call.asked.as_deref();
    statement
        .execute(params![
            call.id.uuid().as_bytes(),
            call.surface.raw(),
            parties.account.map(|id| id.uuid().into_bytes()),
            parties.token.map(|id| id.uuid().into_bytes()),
            parties.partner.map(|id| id.uuid().into_bytes()),
            parties.end_user.map(|id| id.uuid().into_bytes()),
            call.tool.map(|id| id.uuid().into_bytes()),
            call.price.map(|id| id.uuid().into_bytes()),
            call.wallet.map(LedgerAccountId::raw),
            call.held.micros(),
            call.snapshot_version,
            &*call.policy_version,
            call.denied_by,
            call.key.as_ref().map(|(scope, _)| scope.into_bytes()),
            call.key.as_ref().map(|(_, key)| &**key),
            epoch,
            call.created_us,
            call.state.raw(),
            end.map_or(0, |end| end.charged.micros()),
            end.map_or(0, |end| end.shortfall.micros()),
            end.and_then(|end| end.error).map(Code::as_str),
            end.and_then(|end| end.warning.as_deref()),
            end.map(|end| end.ended_us),
            resolves_us,
            asked.map(|asked| &asked.tool),
            asked.map(|asked| &asked.session_key),
            asked.and_then(|asked| asked.channel.as_ref()),
            asked.and_then(|asked| asked.account.as_ref()),
            asked.map(|asked| asked.is_owner),
            call.explanation.as_deref(),
            call.units,
            end.and_then(|end| end.returned.as_deref())
        ])
        .map(drop)
}

fn end_call(statement: &mut CachedStatement<'_>, id: Uuid, end: &CallEnd) -> Written {
    statement
        .execute(params![
            id.as_bytes(),
            end.state.raw(),
            end.charged.micros(),
            end.shortfall.micros(),
            end.error.map(Code::as_str),
            end.warning,
            end.ended_us,
            end.resolves_us,
            end.returned
        ])
        .map(drop)
}
