//! Reads exports without a line of the program's code.

use std::collections::BTreeMap;

use serde_json::Value;

/// A row by the names of its columns.
pub(super) type Row = BTreeMap<String, String>;

/// Rows of a CSV file (RFC 4180).
pub(super) fn csv(text: &str) -> Vec<Row> {
    let mut lines = records(text).into_iter();
    let names = lines.next().expect("a line of names");
    lines
        .map(|values| {
            assert_eq!(values.len(), names.len(), "{values:?}");
            let plain = |value: String| match value.strip_prefix('\'') {
                // So that no spreadsheet takes it for a formula.
                Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest.to_owned(),
                _ => value,
            };
            names.iter().cloned().zip(values.into_iter().map(plain)).collect()
        })
        .collect()
}

/// The lines of a CSV file (RFC 4180), the one with the names, too.
pub(crate) fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut value) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (is_quoted, character) {
            (true, '"') if characters.next_if_eq(&'"').is_some() => value.push('"'),
            (_, '"') => is_quoted = !is_quoted,
            (false, ',') => record.push(std::mem::take(&mut value)),
            (false, '\n') => {
                record.push(std::mem::take(&mut value));
                records.push(std::mem::take(&mut record));
            }
            _ => value.push(character),
        }
    }
    assert!(!is_quoted && value.is_empty() && record.is_empty(), "the file ends in the middle of a line");
    records
}

/// Rows of a JSON Lines file; `null` as nothing.
pub(super) fn jsonl(text: &str) -> Vec<Row> {
    assert!(text.is_empty() || text.ends_with('\n'));
    let plain = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        number @ Value::Number(_) => number.to_string(),
        other => panic!("{other}"),
    };
    text.lines()
        .map(|line| {
            let object: Value = serde_json::from_str(line).unwrap();
            object.as_object().unwrap().iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        })
        .collect()
}

/// The number in a column; nothing counts as zero.
pub(super) fn number(row: &Row, column: &str) -> i128 {
    let text = &row[column];
    if text.is_empty() { 0 } else { text.parse().unwrap_or_else(|_| panic!("{column}: {text}")) }
}

/// Credits less debits by account, from rows of postings.
pub(super) fn sums(postings: &[Row]) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for row in postings {
        let amount = number(row, "amount_micros");
        assert!(amount > 0, "{row:?}");
        *sums.entry(row["credit"].clone()).or_insert(0) += amount;
        *sums.entry(row["debit"].clone()).or_insert(0) -= amount;
    }
    sums
}
