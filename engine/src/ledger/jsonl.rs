//! The books as text: one JSON object on every line, with every column that is hashed under its column's name.
//! `docs/ledger-format.md` describes it, and `docs/verify_export.py` reads it. Written by hand, without an object in
//! between: an export writes millions of lines.
//!
//! Numbers are whole. Identifiers and hashes are lower-case hexadecimal. What is absent is `null`.

use std::io::Write as _;

use serde_json::{Value, json};

use super::{
    LedgerAccountId,
    chain::BatchHeader,
    checkpoint::{Checkpoint, OtherHead, SignedCheckpoint, SlotHead},
    command::OnExpiry,
    grants::GrantEntry,
    hex::{from_hex, hex, push_hex},
    leaf::{Digest, Entry, HoldEntry, Position, RefusalEntry, SettlementEntry, TransactionEntry},
    merkle::Step,
    periods::PeriodClose,
    signing::{NumberedKey, PublicKey},
    verify::Line,
};

/// What the first line of an export says of its form.
pub const FORMAT: &str = "tollgate-books";
/// Rises when a reader of an earlier form would misunderstand an export.
pub const VERSION: i64 = 1;

/// One JSON object that is being written.
#[derive(Debug)]
struct Object<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut Vec<u8>, line: &str) -> Self {
        out.extend_from_slice(b"{\"line\":\"");
        out.extend_from_slice(line.as_bytes());
        out.push(b'"');
        Self { out }
    }

    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn int(&mut self, name: &str, value: i64) -> &mut Self {
        self.name(name);
        push_int(self.out, value);
        self
    }

    fn optional_int(&mut self, name: &str, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.int(name, value),
            None => self.null(name),
        }
    }

    fn hex(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        self.name(name);
        self.out.push(b'"');
        push_hex(self.out, bytes);
        self.out.push(b'"');
        self
    }

    fn optional_hex(&mut self, name: &str, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.hex(name, bytes),
            None => self.null(name),
        }
    }

    fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.name(name);
        push_text(self.out, text);
        self
    }

    fn null(&mut self, name: &str) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(b"null");
        self
    }

    /// A list whose items `write` writes.
    fn list<T>(&mut self, name: &str, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) -> &mut Self {
        self.name(name);
        self.out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write(self.out, item);
        }
        self.out.push(b']');
        self
    }

    fn close(&mut self) {
        self.out.extend_from_slice(b"}\n");
    }
}

fn push_int(out: &mut Vec<u8>, value: i64) {
    // Writing to memory does not fail.
    drop(write!(out, "{value}"));
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(Value::from(text).to_string().as_bytes());
}

/// The first line.
pub fn write_header(out: &mut Vec<u8>) {
    Object::open(out, "header").text("format", FORMAT).int("version", VERSION).close();
}

/// The last line: how many lines stand before it. Without it an export was cut off.
pub fn write_end(out: &mut Vec<u8>, lines: i64) {
    Object::open(out, "end").int("lines", lines).close();
}

/// Writes a line of the books; says whether there is one for it. What the database keeps beside the books is left out,
/// but for the balances.
pub fn write_line(out: &mut Vec<u8>, line: &Line) -> bool {
    match line {
        Line::Account { id, kind, code } => {
            Object::open(out, "account").int("id", id.raw()).int("kind", kind.raw().into()).text("code", code).close();
        }
        Line::Key(key) => write_key(out, key),
        Line::Checkpoint(signed) => write_checkpoint(out, signed),
        Line::Batch(header, hash) => write_batch(out, header, hash),
        Line::Entry(position, batch_no, entry) => write_entry(out, *position, *batch_no, entry),
        Line::Wallet { id, credits, debits, held } => {
            let mut object = Object::open(out, "balance");
            object.int("account", id.raw()).null("slot").int("credits", *credits).int("debits", *debits);
            object.int("held", *held).close();
        }
        Line::Hot { id, slot, credits, debits } => {
            let mut object = Object::open(out, "balance");
            object.int("account", id.raw()).int("slot", *slot).int("credits", *credits).int("debits", *debits);
            object.null("held").close();
        }
        _ => return false,
    }
    true
}

fn write_batch(out: &mut Vec<u8>, header: &BatchHeader, hash: &Digest) {
    let mut object = Object::open(out, "batch");
    object.int("slot", header.slot).int("batch_no", header.batch_no).int("epoch", header.epoch);
    object.int("first_seq", header.first_seq).int("n_entry", header.entries).int("n_posting", header.postings);
    object.int("total", header.total).int("recorded_us", header.recorded_us);
    object.hex("client_batch_id", header.client_batch.as_bytes());
    object.hex("merkle_root", &header.root).hex("prev_hash", &header.prev_hash).hex("hash", hash).close();
}

fn write_entry(out: &mut Vec<u8>, position: Position, batch_no: i64, entry: &Entry) {
    let mut open = |line: &str| {
        let mut object = Object::open(&mut *out, line);
        object.int("slot", position.slot).int("seq", position.seq).int("batch_no", batch_no);
    };
    match entry {
        Entry::Transaction(transaction) => {
            open("transaction");
            write_transaction(&mut Object { out }, transaction);
        }
        Entry::Hold(hold) => {
            open("hold");
            write_hold(&mut Object { out }, hold);
        }
        Entry::Settlement(settlement) => {
            open("settlement");
            write_settlement(&mut Object { out }, settlement);
        }
        Entry::Refusal(refusal) => {
            open("refusal");
            write_refusal(&mut Object { out }, refusal);
        }
        Entry::Grant(grant) => {
            open("grant");
            write_grant(&mut Object { out }, grant);
        }
        Entry::Close(close) => {
            open("close");
            write_close(&mut Object { out }, close);
        }
    }
}

fn write_transaction(object: &mut Object<'_>, entry: &TransactionEntry) {
    object.hex("id", entry.id.uuid().as_bytes()).int("kind", entry.kind.raw().into());
    object.text("kind_name", entry.kind.as_str());
    object.optional_hex("hold_id", entry.hold.map(|id| id.uuid().into_bytes()).as_ref().map(<[u8; 16]>::as_slice));
    object.optional_hex("reverses", entry.reverses.map(|id| id.uuid().into_bytes()).as_ref().map(<[u8; 16]>::as_slice));
    object.int("effective_us", entry.effective_us);
    object.optional_hex("meta_hash", entry.meta.as_ref().map(Digest::as_slice));
    object.list("postings", &entry.legs, |out, leg| {
        out.push(b'[');
        push_int(out, leg.debit.raw());
        out.push(b',');
        push_int(out, leg.credit.raw());
        out.push(b',');
        push_int(out, leg.amount.micros());
        out.push(b']');
    });
    object.close();
}

fn write_hold(object: &mut Object<'_>, entry: &HoldEntry) {
    object.hex("id", entry.id.uuid().as_bytes()).int("wallet", entry.wallet.raw()).int("payee", entry.payee.raw());
    object.int("amount", entry.amount.micros()).int("ttl_us", entry.ttl_us);
    object.int("publisher_bps", entry.shares.publisher_bps().into());
    object.int("partner_bps", entry.shares.partner_bps().into());
    object.optional_int("partner", entry.partner.map(LedgerAccountId::raw));
    let expiry_capture = match entry.on_expiry {
        OnExpiry::Release => None,
        OnExpiry::Capture(amount) => Some(amount.micros()),
    };
    object.optional_int("expiry_capture", expiry_capture);
    object.list("counters", &entry.counters, |out, counter| {
        out.extend_from_slice(b"[\"");
        push_hex(out, counter.cap.uuid().as_bytes());
        out.extend_from_slice(b"\",");
        push_int(out, counter.start_us);
        out.push(b']');
    });
    object.list("sources", &entry.sources, |out, source| {
        out.extend_from_slice(b"[\"");
        push_hex(out, source.grant.uuid().as_bytes());
        out.extend_from_slice(b"\",");
        push_int(out, source.account.raw());
        out.push(b',');
        push_int(out, source.amount.micros());
        out.push(b']');
    });
    object.optional_hex("meta_hash", entry.meta.as_ref().map(Digest::as_slice)).close();
}

fn write_settlement(object: &mut Object<'_>, entry: &SettlementEntry) {
    object.hex("id", entry.id.uuid().as_bytes()).hex("hold_id", entry.hold.uuid().as_bytes());
    object.int("outcome", entry.settled.raw().into()).text("outcome_name", entry.settled.as_str());
    object.int("captured", entry.captured.micros());
    object.optional_hex("meta_hash", entry.meta.as_ref().map(Digest::as_slice)).close();
}

fn write_refusal(object: &mut Object<'_>, entry: &RefusalEntry) {
    object.hex("id", entry.id.uuid().as_bytes()).optional_int("wallet", entry.wallet.map(LedgerAccountId::raw));
    object.text("reason", entry.reason).int("needed", entry.needed.micros()).close();
}

fn write_grant(object: &mut Object<'_>, entry: &GrantEntry) {
    object.hex("id", entry.id.uuid().as_bytes()).int("wallet", entry.wallet.raw()).int("account", entry.account.raw());
    object.int("priority", entry.priority).int("expires_us", entry.expires_us).close();
}

fn write_close(object: &mut Object<'_>, entry: &PeriodClose) {
    object.hex("id", entry.id.uuid().as_bytes()).int("period", entry.period);
    object.int("start_us", entry.start_us).int("end_us", entry.end_us);
    object.list("cut", &entry.cut, |out, last| {
        out.push(b'[');
        push_int(out, last.slot);
        out.push(b',');
        push_int(out, last.seq);
        out.push(b']');
    });
    object.hex("digest", &entry.digest).close();
}

fn write_key(out: &mut Vec<u8>, key: &NumberedKey) {
    let mut object = Object::open(out, "key");
    object.int("number", key.number).hex("public_key", &key.public).int("from_us", key.from_us).close();
}

fn write_checkpoint(out: &mut Vec<u8>, signed: &SignedCheckpoint) {
    let mut view = checkpoint_view(signed);
    if let Some(object) = view.as_object_mut() {
        object.insert("line".to_owned(), "checkpoint".into());
    }
    drop(writeln!(out, "{view}"));
}

/// A checkpoint as JSON: in the file beside the database, on the way to whoever asks, in an export, in a receipt.
pub fn checkpoint_view(signed: &SignedCheckpoint) -> Value {
    let checkpoint = &signed.checkpoint;
    let heads: Vec<_> = checkpoint
        .heads
        .iter()
        .map(|head| {
            json!({"slot": head.slot, "batch_no": head.batch_no, "seq": head.seq, "hash": hex(&head.hash),
                   "after": head.after, "span": hex(&head.span)})
        })
        .collect();
    let others: Vec<_> = checkpoint
        .others
        .iter()
        .map(|other| json!({"name": other.name, "count": other.count, "hash": hex(&other.hash)}))
        .collect();
    json!({
        "number": checkpoint.number,
        "made_us": checkpoint.made_us,
        "key": checkpoint.key,
        "prev_hash": hex(&checkpoint.prev_hash),
        "heads": heads,
        "others": others,
        "successor": checkpoint.successor.map(|key| hex(&key)),
        "hash": hex(&checkpoint.hash()),
        "signature": hex(&signed.signature),
    })
}

/// A checkpoint as JSON with the key that signed it: complete in itself.
pub fn checkpoint_view_with_key(signed: &SignedCheckpoint, key: &PublicKey) -> Value {
    let mut view = checkpoint_view(signed);
    if let Some(object) = view.as_object_mut() {
        object.insert("public_key".to_owned(), hex(key).into());
    }
    view
}

/// Reads what [`checkpoint_view_with_key`] made; `None` if it is anything else, or its `hash` is not its own.
pub fn read_checkpoint(view: &Value) -> Option<(SignedCheckpoint, PublicKey)> {
    let int = |value: &Value, name: &str| value.get(name)?.as_i64();
    let text = |value: &Value, name: &str| Some(value.get(name)?.as_str()?.to_owned());
    let digest = |value: &Value, name: &str| from_hex::<32>(value.get(name)?.as_str()?);
    let head = |value: &Value| {
        Some(SlotHead {
            slot: int(value, "slot")?,
            batch_no: int(value, "batch_no")?,
            seq: int(value, "seq")?,
            hash: digest(value, "hash")?,
            after: int(value, "after")?,
            span: digest(value, "span")?,
        })
    };
    let other = |value: &Value| {
        Some(OtherHead { name: text(value, "name")?, count: int(value, "count")?, hash: digest(value, "hash")? })
    };
    let checkpoint = Checkpoint {
        number: int(view, "number")?,
        made_us: int(view, "made_us")?,
        key: int(view, "key")?,
        prev_hash: digest(view, "prev_hash")?,
        heads: view.get("heads")?.as_array()?.iter().map(head).collect::<Option<_>>()?,
        others: view.get("others")?.as_array()?.iter().map(other).collect::<Option<_>>()?,
        successor: match view.get("successor")? {
            Value::Null => None,
            _ => Some(digest(view, "successor")?),
        },
    };
    let signature = from_hex(view.get("signature")?.as_str()?)?;
    let is_own = digest(view, "hash")? == checkpoint.hash();
    is_own.then_some((SignedCheckpoint { checkpoint, signature }, digest(view, "public_key")?))
}

/// A way up a Merkle tree, as JSON.
pub fn path_view(steps: &[Step]) -> Value {
    let view = |step: &Step| match step {
        Step::Left(digest) => json!({"left": hex(digest)}),
        Step::Right(digest) => json!({"right": hex(digest)}),
    };
    steps.iter().map(view).collect()
}

/// A line of the books as a JSON value; `None` if there is no such line.
pub fn line_view(line: &Line) -> Option<Value> {
    let mut out = Vec::with_capacity(512);
    let is_written = write_line(&mut out, line);
    serde_json::from_slice(&out).ok().filter(|_| is_written)
}

#[cfg(test)]
mod tests;
