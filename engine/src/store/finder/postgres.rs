//! The index of PostgreSQL: for each tool a `tsvector` with four weights, and one of its name alone, each under a GIN index.

use sea_orm::Value;

use super::{EVERY_WORD_SCORE, NAMED_MAX, NAMED_SCORE, Query, RANKED_MAX, Sought, ranked_of_a_word};

/// What a word counts for in the long description, the short one, the topics and the name.
const WEIGHTS: &str = "'{0.1, 0.3, 0.4, 1.0}'";
/// Compares texts byte by byte.
const COLLATION: &str = "\"C\"";

/// Tools with every word.
pub(super) fn with_all(sought: &Sought<'_>) -> Query {
    let mut values = Vec::new();
    let text = sought.words.join(" ");
    // The name is looked for by itself: of a word that every tool has, the tools that are called so are not the first ones.
    let named = ranked("name", &text, sought.category, NAMED_MAX, &mut values);
    let all = ranked("words", &text, sought.category, RANKED_MAX, &mut values);
    let ranked = format!(
        "SELECT tool_id, {NAMED_SCORE} - score AS score FROM {named}
         UNION ALL SELECT tool_id, {EVERY_WORD_SCORE} - score AS score FROM {all}"
    );
    Query::naming(&ranked, values, COLLATION)
}

/// Tools with any of the words, of each word no more than are ranked. A word that fewer tools have counts for more.
pub(super) fn with_some(sought: &Sought<'_>) -> Query {
    let mut values = Vec::new();
    let count_max = ranked_of_a_word(sought.words.len());
    let each: Vec<String> = sought
        .words
        .iter()
        .map(|word| {
            let ranked = ranked("words", word, sought.category, count_max, &mut values);
            format!("SELECT tool_id, -score / ln(3 + count(*) OVER ()) AS score FROM {ranked}")
        })
        .collect();
    Query::naming(&each.join(" UNION ALL "), values, COLLATION)
}

/// The tools with every word of `text`, which is made of words alone, in `column`: no more than `count_max`, and how good
/// each is.
fn ranked(column: &str, text: &str, category: Option<&str>, count_max: usize, values: &mut Vec<Value>) -> String {
    let mut bind = |value: Value| {
        values.push(value);
        values.len()
    };
    let asked = format!("plainto_tsquery('pg_catalog.english', ${})", bind(text.into()));
    let category = category.map_or_else(String::new, |name| format!(" AND category = ${}", bind(name.into())));
    // The bound is inside the ranking: what is ranked has to be fetched.
    format!(
        "(SELECT tool_id, ts_rank({WEIGHTS}, words, {asked}) AS score FROM (
              SELECT tool_id, words FROM tool_document WHERE {column} @@ {asked} AND is_listed{category} LIMIT {count_max}
          ) AS matching) AS scored"
    )
}
