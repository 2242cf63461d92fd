//! The index of PostgreSQL: a `tsvector` for each tool, with four weights, under a GIN index.

use sea_orm::Value;

use super::{Query, RANKED_MAX, RANKED_OF_A_WORD_MAX, Sought};

/// What a word counts for in the long description, the short one, the topics and the name.
const WEIGHTS: &str = "'{0.1, 0.3, 0.4, 1.0}'";

/// Tools with every word.
pub(super) fn with_all(sought: &Sought<'_>) -> Query {
    let mut values = Vec::new();
    let ranked = ranked(&sought.words.join(" "), sought.category, RANKED_MAX, &mut values);
    Query::naming(&format!("SELECT tool_id, -score AS score FROM {ranked}"), values)
}

/// Tools with any of the words, of each word no more than are ranked. A word that fewer tools have counts for more.
pub(super) fn with_some(sought: &Sought<'_>) -> Query {
    let mut values = Vec::new();
    let each: Vec<String> = sought
        .words
        .iter()
        .map(|word| {
            let ranked = ranked(word, sought.category, RANKED_OF_A_WORD_MAX, &mut values);
            format!("SELECT tool_id, -score / ln(3 + count(*) OVER ()) AS score FROM {ranked}")
        })
        .collect();
    Query::naming(&each.join(" UNION ALL "), values)
}

/// The tools with every word of `text`, which is made of words alone: no more than `count_max`, and how good each is.
fn ranked(text: &str, category: Option<&str>, count_max: usize, values: &mut Vec<Value>) -> String {
    let mut bind = |value: Value| {
        values.push(value);
        values.len()
    };
    let asked = format!("plainto_tsquery('pg_catalog.english', ${})", bind(text.into()));
    let category = category.map_or_else(String::new, |name| format!(" AND category = ${}", bind(name.into())));
    // The bound is inside the ranking: what is ranked has to be fetched.
    format!(
        "(SELECT tool_id, ts_rank({WEIGHTS}, words, {asked}) AS score FROM (
              SELECT tool_id, words FROM tool_document WHERE words @@ {asked} AND is_listed{category} LIMIT {count_max}
          ) AS matching) AS scored"
    )
}
