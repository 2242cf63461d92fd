//! Finding tools by words, best first, in the index that the database keeps beside the catalog (record 0018).
//!
//! Tools that are called by every word come first, then those that have every word somewhere, then those with some of them.
//! How many tools are ranked is bounded, whatever is asked for: ranking takes as long as there are tools with the words. Of
//! more than that the ones that the database comes upon first are ranked, which are the same ones every time. Of equally
//! good ones the order is that of their names.

mod postgres;
mod sqlite;

use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement, Value};

use super::{StoreError, readers::Readers};
use crate::limits::SEARCH_CANDIDATES_MAX;

/// How many tools that are called by every word are ranked.
const NAMED_MAX: usize = 200;
/// How many tools with every word somewhere are ranked.
const RANKED_MAX: usize = 500;
/// How many tools with one of the words are ranked, of each word.
const RANKED_OF_A_WORD_MAX: usize = 150;
/// How many tools with one of the words are ranked, of all words together.
const RANKED_OF_WORDS_MAX: usize = 900;
/// How much better than any ranking it is to have every word in the name. The smaller the score, the better.
const NAMED_SCORE: &str = "-1000000.0";
/// How much better than any ranking of single words it is to have every word somewhere.
const EVERY_WORD_SCORE: &str = "-1000.0";

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sought<'a> {
    /// Words of letters and digits alone, in small letters; at least one.
    pub(crate) words: &'a [String],
    /// Only tools of exactly this category.
    pub(crate) category: Option<&'a str>,
}

/// A tool by the names that callers have for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundTool {
    /// The slug of its namespace.
    pub(crate) namespace: String,
    /// Its name there.
    pub(crate) name: String,
}

/// The tools that are listed and have the words, best first, at most [`SEARCH_CANDIDATES_MAX`]. Those that have only some of
/// the words are looked for if fewer than `enough` have all.
pub(crate) async fn find_tools(
    readers: &Readers,
    sought: &Sought<'_>,
    enough: usize,
) -> Result<Vec<FoundTool>, StoreError> {
    if sought.words.is_empty() {
        return Ok(Vec::new());
    }
    let is_server = readers.get_database_backend() == DbBackend::Postgres;
    let counted = if is_server { None } else { Some(sqlite::count(readers, sought.words).await?) };
    let query =
        counted.as_ref().map_or_else(|| Some(postgres::with_all(sought)), |counted| sqlite::with_all(sought, counted));
    let mut found = run(readers, query).await?;
    if found.len() < enough && sought.words.len() > 1 {
        let query = counted
            .as_ref()
            .map_or_else(|| Some(postgres::with_some(sought)), |counted| sqlite::with_some(sought, counted));
        let mut others = run(readers, query).await?;
        others.retain(|tool| !found.contains(tool));
        found.extend(others);
        found.truncate(SEARCH_CANDIDATES_MAX);
    }
    Ok(found)
}

/// How many tools with one of so many words are ranked, of each word.
fn ranked_of_a_word(words: usize) -> usize {
    RANKED_OF_WORDS_MAX.checked_div(words).unwrap_or(0).min(RANKED_OF_A_WORD_MAX)
}

/// A statement with its values.
#[derive(Debug, Clone, PartialEq)]
struct Query {
    sql: String,
    values: Vec<Value>,
}

impl Query {
    /// The statement around `ranked`, which gives identifiers of tools and how good they are, that gives their names. The
    /// better ones have the smaller score; `collation` is the one by which texts are compared byte by byte.
    fn naming(ranked: &str, values: Vec<Value>, collation: &str) -> Self {
        // Fractions are added up in one order: else sums that are equal would differ in their last digits.
        let sql = format!(
            "SELECT n.name, t.name FROM (
                 SELECT tool_id, sum(score ORDER BY score) AS score FROM ({ranked}) AS ranked
                 GROUP BY tool_id ORDER BY score, tool_id LIMIT {SEARCH_CANDIDATES_MAX}
             ) AS best JOIN tool t ON t.id = best.tool_id JOIN namespace n ON n.id = t.namespace_id
             ORDER BY best.score, n.name COLLATE {collation}, t.name COLLATE {collation}"
        );
        Self { sql, values }
    }
}

async fn run(readers: &Readers, query: Option<Query>) -> Result<Vec<FoundTool>, StoreError> {
    let Some(Query { sql, values }) = query else { return Ok(Vec::new()) };
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let rows = readers.query_all_raw(statement).await?;
    let found =
        |row: &QueryResult| Ok(FoundTool { namespace: row.try_get_by_index(0)?, name: row.try_get_by_index(1)? });
    rows.iter().map(found).collect()
}

#[cfg(test)]
mod tests;
