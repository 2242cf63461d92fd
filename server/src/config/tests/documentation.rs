//! `docs/configuration.md` says what the code does.

use std::collections::BTreeSet;

use super::load_with;
use crate::config::list_keys;

const DOCUMENT: &str = include_str!("../../../../docs/configuration.md");

/// Both kinds of tools have the same keys and are documented once.
fn documented_name(key: &str) -> String {
    let tools = ["catalog.core_tools[]", "catalog.publishers[].namespaces[].tools[]"];
    tools
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix).map(|rest| format!("tools[]{rest}")))
        .unwrap_or_else(|| key.to_owned())
}

/// The keys in the first columns of the tables whose first column is headed `key`.
fn documented_keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut is_table_of_keys = false;
    for line in DOCUMENT.lines() {
        is_table_of_keys = line.starts_with("| key |") || is_table_of_keys && line.starts_with('|');
        if let Some((key, _)) = line.strip_prefix("| `").and_then(|row| row.split_once("` |"))
            && is_table_of_keys
        {
            keys.insert(key.to_owned());
        }
    }
    keys
}

#[test]
fn every_key_is_documented_and_every_documented_key_exists() {
    let existing: BTreeSet<String> = list_keys().iter().map(|key| documented_name(key)).collect();
    let documented = documented_keys();
    let missing: Vec<_> = existing.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&existing).collect();
    assert!(missing.is_empty(), "not documented: {missing:#?}");
    assert!(invented.is_empty(), "documented, but not read: {invented:#?}");
    assert!(existing.len() > 100, "the list of keys looks incomplete: {}", existing.len());
}

#[test]
fn the_complete_example_is_accepted() {
    let example = DOCUMENT
        .split_once("```json5\n")
        .and_then(|(_, rest)| rest.split_once("\n```"))
        .map(|(example, _)| example)
        .expect("an example");
    let variables = [("SMTP_PASSWORD", "s3cret"), ("FASED_GATEWAY_TOKEN", "t0ken")];
    let loaded = load_with(example, &variables).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.unused_policy_keys, Vec::<String>::new());
    let catalog = loaded.config.catalog;
    assert_eq!((catalog.core_tools.len(), catalog.publishers.len(), catalog.partners.len()), (1, 1, 1));
    assert_eq!(catalog.publishers[0].namespaces[0].tools.len(), 2);
}

#[test]
fn the_messages_that_the_documentation_shows_are_real() {
    let text = format!("{}{{ egress: {{\n      prot: 1 }} }}", "\n".repeat(10));
    let error = load_with(&text, &[]).map(drop).expect_err("an unknown key");
    let shown = error.replacen("t:", "tollgate.json5:", 1);
    assert!(DOCUMENT.contains(&shown), "not in the document: {shown}");
}
