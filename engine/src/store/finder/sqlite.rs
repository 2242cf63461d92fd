//! The index of SQLite: an FTS5 table, ranked by `bm25`.
//!
//! `bm25` counts the tools that have a word before it ranks the first one, and a word that most tools have takes it tens of
//! milliseconds at a hundred thousand tools. Such a word tells no tool apart: how common a word is, is found out first, up to
//! a bound, and common ones count only where there are no others.

use sea_orm::{ConnectionTrait as _, Statement, Value};

use super::{Query, RANKED_MAX, RANKED_OF_A_WORD_MAX, Sought};
use crate::store::{StoreError, readers::Readers};

/// A word that more tools have is a common one.
const RARE_MAX: i64 = 5_000;
/// Up to how many common words a tool is looked for that is called so.
const NAMING_WORDS_MAX: usize = 2;

/// What a word counts for in the name, the topics, the two descriptions, and in the column that only narrows down.
const RANK: &str = "bm25(tool_index, 10.0, 4.0, 3.0, 1.0, 0.0)";

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

    /// The words that tell tools apart, and whether they do so well enough to be ranked by.
    fn telling(&self) -> (&[String], bool) {
        if self.rare.is_empty() { (&self.common, false) } else { (&self.rare, true) }
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

/// Tools with every word.
pub(super) fn with_all(sought: &Sought<'_>, counted: &Counted) -> Option<Query> {
    if counted.is_one_nowhere {
        return None;
    }
    let (words, is_ranked) = counted.telling();
    let all = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" AND ");
    let mut values = Vec::new();
    let matching = if is_ranked {
        matching(&all, sought.category, (RANK, RANKED_MAX), &mut values)
    } else {
        // Nearly every tool has them: those that are called so, then whichever come first. Names that have many words are so
        // rare that finding them would be looking at every tool.
        let others = matching(&all, sought.category, ("0.0", RANKED_OF_A_WORD_MAX), &mut values);
        if words.len() > NAMING_WORDS_MAX {
            others
        } else {
            let named = format!("name : ({all})");
            let named = matching(&named, sought.category, ("-1.0", RANKED_OF_A_WORD_MAX), &mut values);
            format!("{named} UNION ALL {others}")
        }
    };
    Some(Query::naming(&matching, values))
}

/// Tools with any of the words, of each word no more than are ranked.
pub(super) fn with_some(sought: &Sought<'_>, counted: &Counted) -> Option<Query> {
    let (words, is_ranked) = counted.telling();
    if words.is_empty() {
        return None;
    }
    let rank = if is_ranked { RANK } else { "-1.0" };
    let mut values = Vec::new();
    let each: Vec<String> = words
        .iter()
        .map(|word| matching(&quoted(word), sought.category, (rank, RANKED_OF_A_WORD_MAX), &mut values))
        .collect();
    Some(Query::naming(&each.join(" UNION ALL "), values))
}

/// The listed tools that match, no more than `count_max`, with their rank: the smaller, the better.
fn matching(
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
             FROM tool_index CROSS JOIN tool_document d ON d.number = tool_index.rowid
             WHERE tool_index MATCH ${} AND d.is_listed{category} LIMIT {count_max}
         )",
        bind(expression.into())
    )
}

/// A text as FTS5 takes it for words and nothing else.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
