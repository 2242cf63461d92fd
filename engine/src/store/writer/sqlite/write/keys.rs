//! Idempotency keys and the answers that are kept for them.

use rusqlite::{Connection, params};

use super::Written;
use crate::{
    id::InvocationId,
    ledger::{
        key::{KEY_TTL_US, KeyName, KeyState, StoredKey},
        plan::KeyWrite,
    },
};

/// How many expired keys one transaction forgets.
const FORGOTTEN_MAX: i64 = 2_048;

pub(super) fn write(connection: &Connection, keys: &[KeyWrite]) -> Written {
    for key in keys {
        match key {
            KeyWrite::Claim(name, stored) => claim(connection, name, stored)?,
            KeyWrite::Complete(name, call, state) => complete(connection, name, *call, state)?,
            KeyWrite::Free(name, _) => free(connection, name)?,
        }
    }
    Ok(())
}

fn claim(connection: &Connection, name: &KeyName, stored: &StoredKey) -> Written {
    connection
        .prepare_cached(
            "INSERT INTO idem (scope, key, fingerprint, call, created_us, state) VALUES (?1, ?2, ?3, ?4, ?5, 1)",
        )?
        .execute(params![
            name.scope.as_bytes(),
            &*name.key,
            stored.fingerprint,
            stored.call.uuid().as_bytes(),
            stored.created_us
        ])
        .map(drop)
}

/// A key that was forgotten, or taken by another call since, is none of this call's business.
fn complete(connection: &Connection, name: &KeyName, call: InvocationId, state: &KeyState) -> Written {
    let (number, status, body) = match state {
        KeyState::Running => (1, None, None),
        KeyState::Finished { status, body } => (2, Some(*status), Some(body)),
        KeyState::Unknown => (3, None, None),
    };
    connection
        .prepare_cached("UPDATE idem SET state = ?4, status = ?5 WHERE scope = ?1 AND key = ?2 AND call = ?3")?
        .execute((name.scope.as_bytes(), &*name.key, call.uuid().as_bytes(), number, status))?;
    if let Some(body) = body {
        connection
            .prepare_cached("INSERT INTO idem_answer (call, body) VALUES (?1, ?2)")?
            .execute((call.uuid().as_bytes(), &**body))?;
    }
    Ok(())
}

fn free(connection: &Connection, name: &KeyName) -> Written {
    connection
        .prepare_cached("DELETE FROM idem_answer WHERE call = (SELECT call FROM idem WHERE scope = ?1 AND key = ?2)")?
        .execute((name.scope.as_bytes(), &*name.key))?;
    connection
        .prepare_cached("DELETE FROM idem WHERE scope = ?1 AND key = ?2")?
        .execute((name.scope.as_bytes(), &*name.key))
        .map(drop)
}

/// Forgets the oldest keys whose day is over, a limited number at a time. A running call keeps its key however old.
pub(in super::super) fn forget_expired(connection: &Connection, now_us: i64) -> Written {
    let mut oldest = connection.prepare_cached(
        "DELETE FROM idem WHERE rowid IN (SELECT rowid FROM idem ORDER BY rowid LIMIT ?1)
                           AND created_us <= ?2 AND state <> 1 RETURNING call",
    )?;
    let calls = oldest
        .query_map((FORGOTTEN_MAX, now_us.saturating_sub(KEY_TTL_US)), |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<[u8; 16]>>>()?;
    let mut delete = connection.prepare_cached("DELETE FROM idem_answer WHERE call = ?1")?;
    for call in calls {
        delete.execute([call])?;
    }
    Ok(())
}
