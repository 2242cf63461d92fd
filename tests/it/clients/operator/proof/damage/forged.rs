//! Books that somebody cut or wrote again, so that their chain is in order.

use engine::ledger::{
    LedgerAccountId, Leg, TransactionKind,
    chain::BatchHeader,
    leaf::{Entry, Position, TransactionEntry, leaf_hash},
};
use tests::home::Home;
use uuid::Uuid;

use crate::rows;

/// The batches of slot 0 as they stand.
pub(super) fn headers(home: &Home) -> Vec<BatchHeader> {
    let sql = "SELECT slot, batch_no, epoch, first_seq, n_entry, n_posting, total, recorded_us, client_batch_id, \
               HEX(merkle_root), HEX(prev_hash) FROM batch WHERE slot = 0 ORDER BY batch_no";
    let digest = |text: &str| engine::ledger::hex::from_hex(&text.to_lowercase()).unwrap();
    let read = |row: Vec<String>| {
        let int = |index: usize| row[index].parse().unwrap();
        BatchHeader {
            slot: int(0),
            batch_no: int(1),
            epoch: int(2),
            first_seq: int(3),
            entries: int(4),
            postings: int(5),
            total: int(6),
            recorded_us: int(7),
            client_batch: row[8].parse::<Uuid>().unwrap(),
            root: digest(&row[9]),
            prev_hash: digest(&row[10]),
        }
    };
    rows::of_home(home, &in_words_of(home, sql)).into_iter().map(read).collect()
}

/// SQLite's way to write bytes as digits, or PostgreSQL's.
pub(super) fn in_words_of(home: &Home, sql: &str) -> String {
    let mut parts = sql.split("HEX(");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (bytes, rest) = part.split_once(')').unwrap();
        let digits =
            if home.database().is_some() { format!("encode({bytes}, 'hex')") } else { format!("hex({bytes})") };
        out += &format!("{digits}{rest}");
    }
    out
}

pub(super) fn bytes(home: &Home, bytes: &[u8]) -> String {
    let digits = engine::ledger::hex::hex(bytes);
    if home.database().is_some() { format!("'\\x{digits}'::bytea") } else { format!("x'{digits}'") }
}

/// Takes everything away that was recorded after a batch, so that the chain is in order again.
pub(super) fn cut(home: &Home, last: &BatchHeader) -> String {
    let (batch_no, seq) = (last.batch_no, last.first_seq + last.entries - 1);
    let mut sql = format!("DELETE FROM batch WHERE slot = 0 AND batch_no > {batch_no};");
    for table in ["posting", "txn", "hold", "hold_resolution", "refusal"] {
        sql += &format!("DELETE FROM {table} WHERE slot = 0 AND seq > {seq};");
    }
    let (epoch, recorded_us, hash) = (last.epoch, last.recorded_us, bytes(home, &last.hash()));
    sql + &format!(
        "UPDATE chain_head SET epoch = {epoch}, batch_no = {batch_no}, seq = {seq}, last_us = {recorded_us}, hash = {hash} WHERE slot = 0;"
    )
}

/// What whoever has the database and no key can take away.
pub(super) const NO_CHECKPOINTS: &str = "DELETE FROM checkpoint; DELETE FROM signing_key;";

/// A grant of so much more: the batch's new root, and what has to be changed beside the chain.
pub(super) fn enlarge(row: &[String], more: i64) -> (engine::ledger::leaf::Digest, String) {
    let int = |index: usize| row[index].parse::<i64>().unwrap();
    let account = |index: usize| LedgerAccountId::from_raw(int(index));
    let amount = engine::credits::Credits::from_micros(int(7) + more);
    let entry = Entry::Transaction(TransactionEntry {
        id: row[2].parse::<Uuid>().unwrap().into(),
        kind: TransactionKind::from_raw(row[3].parse().unwrap()).unwrap(),
        hold: None,
        reverses: None,
        effective_us: int(4),
        meta: engine::ledger::hex::from_hex(&row[8].to_lowercase()),
        legs: vec![Leg { debit: account(5), credit: account(6), amount }],
    });
    let (seq, debit, credit) = (int(1), int(5), int(6));
    let mut sql = format!("UPDATE posting SET amount = amount + {more} WHERE slot = 0 AND seq = {seq};");
    for table in ["wallet_balance", "hot_balance"] {
        sql += &format!("UPDATE {table} SET debits = debits + {more} WHERE account_id = {debit};");
        sql += &format!("UPDATE {table} SET credits = credits + {more} WHERE account_id = {credit};");
    }
    (leaf_hash(Position { slot: 0, seq }, &entry, &mut Vec::new()), sql)
}
