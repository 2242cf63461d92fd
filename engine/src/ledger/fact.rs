//! Facts: what decides over money and stands in tables of its own, such as prices, caps and policies, is stated in the
//! books whenever it changes. A fact is a transaction without postings: `reverses` names the thing, `meta_hash` is the
//! digest of its row. So nobody changes such a row behind the books' back, and the chain tells what it was and since when.

use uuid::Uuid;

use super::{
    command::{Post, TransactionKind},
    leaf::{Bytes, Digest, sha256},
};
use crate::id::EntryId;

/// A value of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Absent.
    Null,
    /// Any whole number, also a truth value as 0 or 1.
    Int(i64),
    /// Also identifiers.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
}

/// A table whose rows are stated, and which of their columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactTable {
    /// The first byte of its things' names: it never changes.
    tag: u8,
    /// Its name.
    pub table: &'static str,
    /// The column that names a row.
    pub key: &'static str,
    /// The columns that are stated.
    pub columns: &'static [&'static str],
    /// Where the last of [`Self::columns`] stand if that is another table.
    pub beside: Option<Beside>,
}

/// A table that may have a row for a row of a [`FactTable`]. Where it has none, its columns are stated as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// Its name.
    pub table: &'static str,
    /// Its column with the other table's key.
    pub key: &'static str,
}

/// What a call costs.
pub const PRICE_VERSION: FactTable = FactTable {
    tag: 1,
    table: "price_version",
    key: "id",
    columns: &["tool_id", "effective_from_us", "spec", "created_us"],
    beside: None,
};
/// How much may be spent.
pub const CAP: FactTable = FactTable {
    tag: 2,
    table: "cap",
    key: "id",
    columns: &["owner_id", "owner_kind", "window", "limit_credits", "created_us"],
    beside: None,
};
/// Who gets which share of a charge.
pub const PUBLISHER: FactTable = FactTable {
    tag: 3,
    table: "publisher",
    key: "id",
    columns: &["slug", "share_bps", "payable", "created_us"],
    beside: None,
};
/// Whose margin is which part of a charge.
pub const PARTNER: FactTable = FactTable {
    tag: 4,
    table: "partner",
    key: "id",
    columns: &["name", "margin_bps", "wallet", "margin", "created_us"],
    beside: None,
};
/// Who may call what.
pub const POLICY_VERSION: FactTable = FactTable {
    tag: 5,
    table: "policy_version",
    key: "number",
    columns: &["text", "sha256", "author", "note", "state", "replaces", "created_us", "published_us", "retired_us"],
    beside: None,
};

/// What an account of the books is, whose, and by how much it may be overdrawn: absent where it has no limit.
pub const LEDGER_ACCOUNT: FactTable = FactTable {
    tag: 6,
    table: "ledger_account",
    key: "id",
    columns: &["code", "kind", "created_us", "overdraft"],
    beside: Some(Beside { table: "wallet_balance", key: "account_id" }),
};
/// Whose wallet is whose. Addresses are not stated: the books keep for ever what they say.
pub const ACCOUNT: FactTable =
    FactTable { tag: 7, table: "account", key: "id", columns: &["wallet", "created_us"], beside: None };
/// Who may spend from an account.
pub const TOKEN: FactTable = FactTable {
    tag: 8,
    table: "token",
    key: "id",
    columns: &["account_id", "partner_id", "digest", "created_us", "revoked_us"],
    beside: None,
};
/// A price that was taken back before its time.
pub const PRICE_CANCELLATION: FactTable = FactTable {
    tag: 9,
    table: "price_cancellation",
    key: "price_version_id",
    columns: &["cancelled_us"],
    beside: None,
};
/// Who earns with a namespace. Callers name it: two namespaces that swap their names swap what they earn.
pub const NAMESPACE: FactTable = FactTable {
    tag: 10,
    table: "namespace",
    key: "id",
    columns: &["name", "publisher_id", "created_us"],
    beside: None,
};
/// To which namespace a tool belongs, if to any, and by which name it is called.
pub const TOOL: FactTable =
    FactTable { tag: 11, table: "tool", key: "id", columns: &["namespace_id", "name", "created_us"], beside: None };
/// Whose end users pay for their own calls.
pub const PARTNER_FUNDING: FactTable =
    FactTable { tag: 12, table: "partner_funding", key: "partner_id", columns: &["created_us"], beside: None };
/// Which wallet is which end user's, and whether what is in it goes to the partner.
pub const END_USER_WALLET: FactTable = FactTable {
    tag: 13,
    table: "end_user_wallet",
    key: "end_user_id",
    columns: &["partner_id", "wallet", "created_us", "ended_us"],
    beside: None,
};

/// All of them.
pub const FACT_TABLES: [FactTable; 13] = [
    PRICE_VERSION,
    CAP,
    PUBLISHER,
    PARTNER,
    POLICY_VERSION,
    LEDGER_ACCOUNT,
    ACCOUNT,
    TOKEN,
    PRICE_CANCELLATION,
    NAMESPACE,
    TOOL,
    PARTNER_FUNDING,
    END_USER_WALLET,
];

impl FactTable {
    /// The table whose thing this is.
    pub fn of_thing(thing: EntryId) -> Option<Self> {
        FACT_TABLES.into_iter().find(|table| thing.uuid().as_bytes().first() == Some(&table.tag))
    }

    /// What the row with this `key` is called in the books: the table's tag, then 15 bytes of a digest.
    pub fn thing(&self, key: Cell<'_>) -> EntryId {
        let mut out = Vec::with_capacity(64);
        self.begin(&mut out, key);
        let mut name = [0; 16];
        for (byte, from) in name.iter_mut().zip(std::iter::once(self.tag).chain(sha256(&out))) {
            *byte = from;
        }
        EntryId::from(Uuid::from_bytes(name))
    }

    /// The digest of a row: SHA-256 of `0x04`, the table, the key, and of every stated column its name and its value, in
    /// the order of [`Self::columns`].
    pub fn digest(&self, key: Cell<'_>, values: &[Cell<'_>]) -> Digest {
        let mut out = Vec::with_capacity(512);
        self.begin(&mut out, key);
        let mut bytes = Bytes(&mut out);
        bytes.length(self.columns.len());
        for (column, value) in self.columns.iter().zip(values) {
            bytes.text(column);
            push_value(&mut bytes, *value);
        }
        sha256(&out)
    }

    fn begin(&self, out: &mut Vec<u8>, key: Cell<'_>) {
        out.push(0x04);
        let mut bytes = Bytes(out);
        bytes.text(self.table);
        push_value(&mut bytes, key);
    }

    /// The transaction `id` that states the row.
    pub fn state(&self, id: EntryId, key: Cell<'_>, values: &[Cell<'_>]) -> Post {
        Post {
            id,
            kind: TransactionKind::Fact,
            legs: Vec::new(),
            reverses: Some(self.thing(key)),
            effective_us: None,
            meta: Some(self.digest(key, values)),
        }
    }
}

fn push_value(bytes: &mut Bytes<'_>, value: Cell<'_>) {
    match value {
        Cell::Null => bytes.raw(&[0x00]),
        Cell::Int(value) => {
            bytes.raw(&[0x01]);
            bytes.int(value);
        }
        Cell::Bytes(value) => {
            bytes.raw(&[0x02]);
            bytes.length(value.len());
            bytes.raw(value);
        }
        Cell::Text(value) => {
            bytes.raw(&[0x03]);
            bytes.text(value);
        }
    }
}

#[cfg(test)]
mod tests;
