//! The conformance cases of `ledger.jsonl`, through the services and the writer on both databases.
//!
//! `LEDGER_CASES=DIR cargo test -p tests -- ledger_cases --nocapture` runs the cases of another folder; the default is
//! `tests/cases`, a copy of what the cases' authors keep. Every line is run, and every failure is printed. What this
//! ledger answers on purpose in another way stands in `deviations.json`, with the sentence that says so.
//!
//! How the words of the cases map to this ledger's:
//!
//! * An account is a wallet: `rule: no_overdraft` has no overdraft, `overdraft: n` has that one, `{}` has a huge one.
//!   Money that is `in` was posted from `equity:opening`.
//! * `transfer` is a post, `group` a post with several legs, `hold`, `capture` and `void` (our *release*) are what they
//!   are; a hold's `to` is its payee, who gets everything. `parallel` sends everything at once.
//! * `split` is a hold with shares and its capture. The first share takes what rounding leaves, as the platform does
//!   here; the second and the third are the publisher's and the partner's.
//! * A `history` happens to one account without overdraft; `backdate` is a post that counts earlier than it is recorded.
//! * `http` is a call that claims its key, holds and settles, as the program's own calls do.

mod accounts;
mod calls;
mod case;
mod chain;
mod commands;
mod deviations;
mod expectations;
mod stage;
mod time;
mod words;

use std::{collections::BTreeMap, path::PathBuf};

use case::Case;
use deviations::Deviation;
use tests::workspace_root;

use crate::ledger::desk::{Kind, on_both};

/// The groups that are built: all of their cases must hold.
const GROUPS: [&str; 12] =
    ["hold", "expiry", "limit", "idem", "key", "split", "over", "cap", "chain", "conc", "close", "time"];

/// How often a case is run in which things happen at once.
const ROUNDS: usize = 8;

fn default_folder() -> PathBuf {
    workspace_root().join("tests/cases")
}

#[expect(clippy::disallowed_methods, reason = "the one variable of this test, named by the cases' own instructions")]
fn folder() -> PathBuf {
    std::env::var_os("LEDGER_CASES").filter(|folder| !folder.is_empty()).map_or_else(default_folder, PathBuf::from)
}

/// Runs a case as often as it takes to believe it.
async fn run(case: &Case, kind: Kind) -> Result<(), String> {
    let rounds = if case.has_races() { ROUNDS } else { 1 };
    for round in 0..rounds {
        stage::run(case, kind).await.map_err(|why| if rounds > 1 { format!("round {round}: {why}") } else { why })?;
    }
    Ok(())
}

/// What became of one case: `Ok(true)` for a deviation that deviates as it says.
async fn judge(case: &Case, deviation: Option<&Deviation>, kind: Kind) -> Result<bool, String> {
    let Some(deviation) = deviation else { return run(case, kind).await.map(|()| false) };
    if run(case, kind).await.is_ok() {
        return Err("stands in deviations.json, but does not deviate".to_owned());
    }
    run(&deviation.applied_to(case), kind).await.map(|()| true).map_err(|why| format!("deviates in another way: {why}"))
}

on_both! {
    every_case_of_the_built_groups_holds,
}

async fn every_case_of_the_built_groups_holds(kind: Kind) {
    let folder = folder();
    let cases = case::load(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let deviations = deviations::load();
    let (mut waiting, mut ran, mut deviated, mut failures) = (BTreeMap::new(), 0, Vec::new(), Vec::new());
    for case in &cases {
        if !GROUPS.contains(&case.group()) {
            *waiting.entry(case.group()).or_insert(0) += 1;
            continue;
        }
        ran += 1;
        match judge(case, deviations.iter().find(|deviation| deviation.is_for(case)), kind).await {
            Ok(false) => {}
            Ok(true) => deviated.push(case.id.as_str()),
            Err(why) => failures.push(format!("{}: {why}", case.id)),
        }
    }
    let passed = ran - deviated.len() - failures.len();
    println!("ledger cases from {}: {} lines", folder.display(), cases.len());
    println!("  {ran} ran: {passed} hold, {} deviate as stated {deviated:?}, {} fail", deviated.len(), failures.len());
    println!("  {} wait for what is not built yet: {waiting:?}", waiting.values().sum::<usize>());
    for failure in &failures {
        println!("  FAILED {failure}");
    }
    assert!(ran > 0, "no case of a built group in {}", folder.display());
    assert!(failures.is_empty(), "{} of {ran} cases fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_cases_are_those_of_their_authors_byte_for_byte() {
    let (ours, theirs) = (default_folder(), workspace_root().join("../shared/cases"));
    let lines = case::load(&ours).unwrap();
    assert!(!lines.is_empty());
    if !theirs.is_dir() {
        println!("{} is not here: nothing to compare with", theirs.display());
        return;
    }
    for entry in std::fs::read_dir(&theirs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let copy = ours.join(path.file_name().unwrap());
            assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&path).unwrap(), "{}", copy.display());
        }
    }
}

#[test]
fn deviations_are_few_and_each_quotes_the_design() {
    let deviations = deviations::load();
    let cases = case::load(&default_folder()).unwrap();
    assert!(deviations.len() <= 6, "{} deviations", deviations.len());
    for deviation in &deviations {
        let known = cases.iter().any(|case| deviation.is_for(case));
        assert!(known || deviation.is_pattern(), "{} is no case", deviation.id);
        assert!(deviation.quote.starts_with("`product.md` ") && deviation.quote.contains('"'), "{}", deviation.quote);
        assert!(deviation.reason.len() > 20, "{} has no reason", deviation.id);
    }
}

#[tokio::test]
async fn an_empty_folder_a_broken_line_and_an_unknown_word_are_failures() {
    let folder = tempfile::tempdir().unwrap();
    assert!(case::load(&folder.path().join("absent")).is_err());
    assert!(case::load(folder.path()).is_err(), "no file");
    let file = folder.path().join("ledger.jsonl");
    std::fs::write(&file, "\n").unwrap();
    assert!(case::load(folder.path()).is_err(), "no line");
    std::fs::write(&file, "{\"id\": \"hold-1\", \"when\": [], \"then\": {}}\n{\"id\"").unwrap();
    assert!(case::load(folder.path()).unwrap_err().contains(":2"));
    let of = |line: &str| Case::parse(line).unwrap();
    for line in [
        r#"{"id": "hold-1", "given": {}, "when": [{"op": "levitate"}], "then": {"results": ["ok"]}}"#,
        r#"{"id": "hold-2", "given": {}, "when": [{"op": "read"}], "then": {"weather": "fine"}}"#,
        r#"{"id": "hold-3", "given": {"moon": 1}, "when": [{"op": "read"}], "then": {"note": "x", "results": []}}"#,
        r#"{"id": "hold-4", "given": {}, "when": [{"op": "read"}], "then": {"note": "nothing is expected"}}"#,
        r#"{"id": "hold-5", "given": {"accounts": {"A": {"in": 5}}}, "when": [{"op": "transfer", "from": "A", "to": "B", "amount": 6}], "then": {"results": ["ok"]}}"#,
        r#"{"id": "hold-6", "given": {"accounts": {"A": {"in": 5}}}, "when": [{"op": "transfer", "from": "A", "to": "B", "amount": 5, "colour": 1}], "then": {"results": ["ok"]}}"#,
    ] {
        assert!(run(&of(line), Kind::Sqlite).await.is_err(), "{line}");
    }
}
