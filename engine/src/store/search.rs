//! Looking things up for people who know a part of a name. Identifiers are looked up in a range of a primary key; names
//! among a bounded number of the newest rows, because the order of texts depends on the database's language, and an index
//! of them with it.

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use super::{StoreError, readers::Readers};

/// How many of the newest rows of a table are looked at for a name.
pub(crate) const LOOKED_AT: i64 = 20_000;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Which.
    pub(crate) id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// More about it; may be empty.
    pub(crate) note: String,
}

/// What can be looked up: a table, and how its rows are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    table: &'static str,
    /// What is shown as its name.
    name: &'static str,
    /// What is shown beside it.
    note: &'static str,
    /// By which of its columns it is looked up.
    columns: &'static [&'static str],
}

pub(crate) const ACCOUNTS: Place = Place { table: "account", name: "email", note: "''", columns: &["email"] };
pub(crate) const PARTNERS: Place = Place { table: "partner", name: "name", note: "''", columns: &["name"] };
pub(crate) const END_USERS: Place =
    Place { table: "end_user", name: "external_id", note: "''", columns: &["external_id"] };
pub(crate) const PUBLISHERS: Place =
    Place { table: "publisher", name: "display_name", note: "slug", columns: &["slug", "display_name"] };
pub(crate) const NAMESPACES: Place =
    Place { table: "namespace", name: "name", note: "description", columns: &["name"] };
pub(crate) const TOOLS: Place = Place { table: "tool", name: "name", note: "short_description", columns: &["name"] };
pub(crate) const TOKENS: Place = Place { table: "token", name: "name", note: "hint", columns: &["name"] };
pub(crate) const PRICES: Place = Place { table: "price_version", name: "''", note: "''", columns: &[] };
pub(crate) const CAPS: Place = Place { table: "cap", name: "''", note: "''", columns: &[] };
pub(crate) const PURCHASES: Place = Place { table: "purchase", name: "provider", note: "status", columns: &[] };
pub(crate) const CALLS: Place =
    Place { table: "invocation", name: "coalesce(requested, '')", note: "''", columns: &[] };
pub(crate) const MOVEMENTS: Place = Place { table: "movement", name: "kind", note: "subject", columns: &[] };
pub(crate) const GRANTS: Place = Place { table: "credit_grant", name: "reason", note: "''", columns: &[] };
pub(crate) const MAILS: Place = Place { table: "mail", name: "template", note: "state", columns: &[] };
pub(crate) const AUDITORS: Place = Place { table: "auditor_token", name: "name", note: "hint", columns: &["name"] };
pub(crate) const OPERATORS: Place =
    Place { table: "operator", name: "name", note: "email", columns: &["name", "email"] };
pub(crate) const APPROVALS: Place = Place { table: "approval", name: "kind", note: "state", columns: &[] };

fn query(readers: &Readers, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(readers.get_database_backend(), sql, values)
}

fn found(row: &QueryResult) -> Result<Found, StoreError> {
    Ok(Found { id: row.try_get_by_index(0)?, name: row.try_get_by_index(1)?, note: row.try_get_by_index(2)? })
}

/// The rows of `place` with identifiers from `first` to `last`, at most `count_max`, in their order. Served by the primary
/// key.
pub(crate) async fn by_id(
    readers: &Readers,
    place: Place,
    (first, last): (Uuid, Uuid),
    count_max: i64,
) -> Result<Vec<Found>, StoreError> {
    let Place { table, name, note, .. } = place;
    let sql = format!("SELECT id, {name}, {note} FROM {table} WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT $3");
    let rows = readers.query_all_raw(query(readers, &sql, [first.into(), last.into(), count_max.into()])).await?;
    rows.iter().map(found).collect()
}

/// Whether a transaction of the books has this identifier, beside charges of calls. Served by the index of identifiers.
pub(crate) async fn has_transaction(readers: &Readers, id: Uuid) -> Result<bool, StoreError> {
    let differs = match readers.get_database_backend() {
        // The index is found by the words of its own condition.
        DbBackend::Postgres => "IS DISTINCT FROM",
        _ => "IS NOT",
    };
    let sql = format!("SELECT slot FROM txn WHERE id = $1 AND id {differs} hold_id");
    Ok(readers.query_one_raw(query(readers, &sql, [id.into()])).await?.is_some())
}

/// How what begins with `text` may begin when the database has put it in small letters. One of the databases knows only the
/// letters of ASCII: there a name has its other letters as they are written, most of all as they were typed, or in
/// small letters but for the beginnings of words.
pub(crate) fn spellings(text: &str) -> Vec<String> {
    let small = text.to_lowercase();
    let mut named = String::with_capacity(small.len());
    let mut is_inside = false;
    for letter in small.chars() {
        if is_inside || letter.is_ascii() {
            named.push(letter);
        } else {
            named.extend(letter.to_uppercase());
        }
        is_inside = letter.is_alphanumeric();
    }
    let mut spellings = vec![small];
    for other in [text.to_ascii_lowercase(), named] {
        if !spellings.contains(&other) {
            spellings.push(other);
        }
    }
    spellings
}

/// The rows of `place` whose name begins with `text`, in any case, in the order of names, at most `count_max`: of the newest
/// [`LOOKED_AT`].
pub(crate) async fn by_name(
    readers: &Readers,
    place: Place,
    text: &str,
    count_max: i64,
) -> Result<Vec<Found>, StoreError> {
    let Place { table, name, note, columns } = place;
    let mut values: Vec<Value> = vec![LOOKED_AT.into(), count_max.into()];
    // Texts are compared as they are written: no pattern, so no letter means another one.
    let mut begins = Vec::new();
    let in_small_letters = spellings(text).into_iter().map(|spelling| (true, spelling));
    for (is_small, spelling) in in_small_letters.chain([(false, text.to_owned())]) {
        let length = i32::try_from(spelling.chars().count()).unwrap_or(i32::MAX);
        values.extend([spelling.into(), length.into()]);
        let (spelling, length) = (values.len().saturating_sub(1), values.len());
        begins.extend(columns.iter().map(|column| {
            let written = if is_small { format!("lower({column})") } else { (*column).to_owned() };
            format!("substr({written}, 1, CAST(${length} AS integer)) = ${spelling}")
        }));
    }
    let sql = format!(
        "SELECT id, {name} AS called, {note} AS beside FROM (SELECT * FROM {table} ORDER BY id DESC LIMIT $1) AS newest
         WHERE {} ORDER BY called, id LIMIT $2",
        begins.join(" OR ")
    );
    let rows = readers.query_all_raw(query(readers, &sql, values)).await?;
    rows.iter().map(found).collect()
}

/// The tools of the namespace called `namespace` whose names begin with `text` (in small letters), at most `count_max`.
/// Served by the indexes of names of namespaces and of tools.
pub(crate) async fn tools_of(
    readers: &Readers,
    namespace: &str,
    text: &str,
    count_max: i64,
) -> Result<Vec<Found>, StoreError> {
    let length = i32::try_from(text.chars().count()).unwrap_or(i32::MAX);
    // As the index of tools' names has it.
    let belongs = match readers.get_database_backend() {
        DbBackend::Postgres => "t.namespace_id = n.id",
        _ => "ifnull(t.namespace_id, x'') = n.id",
    };
    let sql = format!(
        "SELECT t.id, n.name || '/' || t.name AS called, t.short_description
         FROM namespace n JOIN tool t ON {belongs}
         WHERE n.name = $1 AND substr(lower(t.name), 1, CAST($3 AS integer)) = $2 ORDER BY called LIMIT $4"
    );
    let values = [namespace.into(), text.into(), length.into(), count_max.into()];
    let rows = readers.query_all_raw(query(readers, &sql, values)).await?;
    rows.iter().map(found).collect()
}

/// The account with this address, which is compared letter by letter. Served by the index of addresses: also one that is
/// not among the newest.
pub(crate) async fn account_of(readers: &Readers, email: &str) -> Result<Option<Found>, StoreError> {
    let sql = "SELECT id, email, '' FROM account WHERE email = $1";
    readers.query_one_raw(query(readers, sql, [email.into()])).await?.as_ref().map(found).transpose()
}

#[cfg(test)]
mod tests;
