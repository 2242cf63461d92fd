use super::load;
use crate::program::folder;

#[test]
fn files_are_found_by_name_or_by_members_and_everything_wrong_is_named() {
    let rows: [(&[(&str, &str)], Result<&[&str], &str>); 7] = [
        (&[("b.jsonl", r#"{"when": 1, "then": 2, "id": "x"}"#), ("ledger.jsonl", "\n\"y\"\n")], Ok(&["x", "y"])),
        (&[("other.jsonl", r#"{"when": 1}"#), ("ledger-1.jsonl", "1"), ("ledger.txt", "2")], Ok(&["1"])),
        (&[("other.jsonl", r#"{"when": 1}"#)], Err("no file of ledger cases")),
        (&[], Err("no file of ledger cases")),
        (&[("ledger.jsonl", "\n  \n")], Err("ledger.jsonl holds no case")),
        (&[("ledger.jsonl", "1\n\n{")], Err("ledger.jsonl:3: EOF")),
        (&[("ledger-1.jsonl", "1"), ("ledger-2.jsonl", "2\n1")], Err("ledger-2.jsonl:2: there is another case `1`")),
    ];
    for (files, expected) in rows {
        let place = folder();
        for (name, text) in files {
            std::fs::write(place.path().join(name), text).unwrap();
        }
        let parse = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let id =
                value.get("id").and_then(|id| id.as_str()).or(value.as_str()).map_or(value.to_string(), str::to_owned);
            Ok((id.clone(), id))
        };
        let found = load(place.path(), "ledger", &["when", "then"], parse);
        match (&found, expected) {
            (Ok(ids), Ok(expected)) => assert_eq!(ids, expected, "{files:?}"),
            (Err(error), Err(part)) => assert!(error.starts_with(part), "{files:?}: {error}"),
            _ => panic!("{files:?}: {found:?}"),
        }
    }
}
