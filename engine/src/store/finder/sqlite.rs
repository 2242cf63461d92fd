//! The index of SQLite: FTS5 tables, of everything that a tool is found by, ranked by `bm25`, and of its name alone.
//!
//! `bm25` counts the tools that have a word before it ranks the first one, which takes it milliseconds for a word that most
//! of a hundred thousand tools have. Such a word tells no tool apart: how common a word is, is found out first, up to a
//! bound. Tools have to have the common words, too, but are ranked by the others.

use sea_orm::{ConnectionTrait as _, Statement, Value};

use super::{EVERY_WORD_SCORE, NAMED_MAX, NAMED_SCORE, Query, RANKED_MAX, Sought, ranked_of_a_word};
use crate::store::{StoreError, readers::Readers};

/// A word that more tools have is a common one.
const RARE_MAX: i64 = 3_000;

/// What a word counts for in the name, the topics, the two descriptions, and in the column that only narrows down.
const RANK: &str = "bm25(tool_index, 10.0, 4.0, 3.0, 1.0, 0.0)";
/// Compares texts byte by byte.
const COLLATION: &str = "BINARY";

/// Which of the words some tools have, and which of these are common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counted {
    rare: Vec<String>,
    common: Vec<String>,
    /// No tool has one of the words.
    is_one_nowhere: bool,
}

impl Counted {
    fn of<'w>(counts: impl IntoIterator<Item = (&'w String, i64)>) -> Self {
        let mut counted = Self::default();
        for (word, count) in counts {
            match count {
                0 => counted.is_one_nowhere = true,
                1..=RARE_MAX => counted.rare.push(word.clone()),
                _ => counted.common.push(word.clone()),
            }
        }
        counted
    }

    /// The words that tell tools apart, and what they are ranked by.
    fn telling(&self) -> (&[String], &'static str) {
        if self.rare.is_empty() { (&self.common, "-1.0") } else { (&self.rare, RANK) }
    }
}

/// Counts the tools with each word, up to the bound.
pub(super) async fn count(readers: &Readers, words: &[String]) -> Result<Counted, StoreError> {
    let count_max = RARE_MAX.saturating_add(1);
    let each: Vec<String> = (1..=words.len())
        .map(|place| {
            format!(
                "(SELECT count(*) FROM (SELECT 1 FROM tool_index WHERE tool_index MATCH ${place} LIMIT {count_max}))"
            )
        })
        .collect();
    let values = words.iter().map(|word| Value::from(quoted(word)));
    let sql = format!("SELECT {}", each.join(", "));
    let statement = Statement::from_sql_and_values(readers.get_database_backend(), sql, values);
    let Some(row) = readers.query_one_raw(statement).await? else { return Ok(Counted::default()) };
    let counts: Vec<i64> = (0..words.len()).map(|place| row.try_get_by_index(place)).collect::<Result<_, _>>()?;
    Ok(Counted::of(words.iter().zip(counts)))
}

/// Tools with every word. Behind them stand those that have every word but common ones.
pub(super) fn with_all(sought: &Sought<'_>, counted: &Counted) -> Option<Query> {
    if counted.is_one_nowhere {
        return None;
    }
    let mut values = Vec::new();
    let all = every(sought.words);
    let mut parts = vec![
        matching(NAMES, &format!("name : ({all})"), sought.category, (NAMED_SCORE, NAMED_MAX), &mut values),
        matching(WORDS, &all, sought.category, (EVERY_WORD_SCORE, RANKED_MAX), &mut values),
    ];
    if !counted.rare.is_empty() {
        parts.push(matching(WORDS, &every(&counted.rare), sought.category, (RANK, RANKED_MAX), &mut values));
    }
    Some(Query::naming(&parts.join(" UNION ALL "), values, COLLATION))
}

/// Tools with any of the words, of each word no more than are ranked.
pub(super) fn with_some(sought: &Sought<'_>, counted: &Counted) -> Option<Query> {
    let (words, rank) = counted.telling();
    if words.is_empty() {
        return None;
    }
    let count_max = ranked_of_a_word(words.len());
    let mut values = Vec::new();
    let each: Vec<String> = words
        .iter()
        .map(|word| matching(WORDS, &quoted(word), sought.category, (rank, count_max), &mut values))
        .collect();
    Some(Query::naming(&each.join(" UNION ALL "), values, COLLATION))
}

/// The table of everything that a tool is found by.
const WORDS: &str = "tool_index";
/// The table of the names alone: a word that every tool has would have to be looked at in every tool, to find those that are
/// called so.
const NAMES: &str = "tool_name_index";

/// The listed tools that match, no more than `count_max`, with their rank: the smaller, the better.
fn matching(
    table: &str,
    expression: &str,
    category: Option<&str>,
    (rank, count_max): (&str, usize),
    values: &mut Vec<Value>,
) -> String {
    let mut bind = |value: Value| {
        values.push(value);
        values.len()
    };
    let (expression, category) = match category {
        None => (expression.to_owned(), String::new()),
        // Found by its words, so that not every tool is looked at; and then compared as it is written.
        Some(name) => (
            format!("({expression}) AND category : {}", quoted(name)),
            format!(" AND d.category = ${}", bind(name.into())),
        ),
    };
    // The order of the tables is that of the text: the index of words comes first.
    format!(
        "SELECT tool_id, score FROM (
             SELECT d.tool_id AS tool_id, {rank} AS score
             FROM {table} CROSS JOIN tool_document d ON d.number = {table}.rowid
             WHERE {table} MATCH ${} AND d.is_listed{category} LIMIT {count_max}
         )",
        bind(expression.into())
    )
}

/// Every one of the words.
fn every(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" AND ")
}

/// A text as FTS5 takes it for words and nothing else.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
