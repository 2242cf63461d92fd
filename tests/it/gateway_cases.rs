//! The conformance cases of `gateway.jsonl`: every line as a request to the real program over HTTP, once for each dialect
//! that it names; what HTTP cannot express (a sender, a model) is put to the policy engine.
//!
//! `GATEWAY_CASES=DIR cargo test -p tests -- gateway_cases --nocapture` runs the cases of another folder; the default is
//! `tests/cases`, a copy of what the cases' authors keep. Every line is run, and every failure is printed. What the gateway
//! answers on purpose in another way stands in `deviations.json`, with the reason.
//!
//! `expect_impl` (exact details of older programs) is checked as well, but for one thing: an error without `ok`. Here every
//! JSON error says `ok: false`.

mod case;
mod deviations;
mod expectations;
pub(crate) mod fixture;
mod stage;
mod unit;

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
};

use case::{Case, Run};
use deviations::Deviation;
use tests::workspace_root;

/// How many servers run at a time.
const SERVERS: usize = 4;

fn default_folder() -> PathBuf {
    workspace_root().join("tests/cases")
}

#[expect(clippy::disallowed_methods, reason = "the one variable of this test, named by the cases' own instructions")]
fn folder() -> PathBuf {
    std::env::var_os("GATEWAY_CASES").filter(|folder| !folder.is_empty()).map_or_else(default_folder, PathBuf::from)
}

/// What became of one run.
#[derive(Debug)]
struct Report {
    name: String,
    /// `Ok(true)` for a deviation that deviates as it says.
    outcome: Result<bool, String>,
}

fn judge(
    run: &Run,
    deviations: &[Deviation],
    outcome: Result<(), String>,
    again: impl Fn(&Run) -> Result<(), String>,
) -> Report {
    let name = format!("{} ({})", run.case.id, run.dialect);
    let deviation = deviations.iter().find(|deviation| deviation.is_for(run));
    let outcome = match deviation {
        None => outcome.map(|()| false),
        Some(_) if outcome.is_ok() => Err("stands in deviations.json, but does not deviate".to_owned()),
        Some(deviation) => {
            again(&deviation.applied_to(run)).map(|()| true).map_err(|why| format!("deviates in another way: {why}"))
        }
    };
    Report { name, outcome }
}

/// Runs everything, servers side by side.
fn run_all(cases: &[Case], deviations: &[Deviation]) -> Vec<Report> {
    let runs: Vec<Run> = cases.iter().flat_map(Run::all_of).collect();
    let queue = Mutex::new(stage::groups(runs));
    let reports = Mutex::new(Vec::new());
    let upstream = fixture::upstream();
    thread::scope(|scope| {
        for _ in 0..SERVERS {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(group) = next else { return };
                    let done = stage::run_group(&group, &upstream, deviations);
                    reports.lock().unwrap_or_else(PoisonError::into_inner).extend(done);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by(|left, right| left.name.cmp(&right.name));
    reports
}

#[test]
fn every_case_holds_in_every_dialect_that_it_names() {
    let folder = folder();
    let cases = case::load(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let reports = run_all(&cases, &deviations::load());
    let failures: Vec<String> = reports
        .iter()
        .filter_map(|report| report.outcome.as_ref().err().map(|why| format!("{}: {why}", report.name)))
        .collect();
    let deviated: Vec<&str> =
        reports.iter().filter(|report| matches!(report.outcome, Ok(true))).map(|report| &*report.name).collect();
    println!("gateway cases from {}: {} lines, {} runs", folder.display(), cases.len(), reports.len());
    let holding = reports.len() - failures.len() - deviated.len();
    println!("  {holding} hold, {} deviate as stated {deviated:?}, {} fail", deviated.len(), failures.len());
    for failure in &failures {
        println!("  FAILED {failure}");
    }
    assert!(!reports.is_empty(), "no case in {}", folder.display());
    assert!(failures.is_empty(), "{} of {} runs fail:\n{}", failures.len(), reports.len(), failures.join("\n"));
}

#[test]
fn an_altered_case_fails() {
    let cases = case::load(&default_folder()).unwrap();
    let alterations = [
        ("auth-token-01", "/expect/status", "200"),
        ("action-02", "/expect/json_equals_at/result.args", r#"{"n": 3}"#),
        ("method-01", "/expect/headers/allow", r#""GET""#),
        ("tool-errors-06", "/expect/body_not_contains/0", r#""tool execution failed""#),
        ("per-sender-07", "/expect/tool_available", "true"),
    ];
    for (id, pointer, value) in alterations {
        let case = cases.iter().find(|case| case.id == id).unwrap_or_else(|| panic!("no case {id}"));
        let altered = case.altered(pointer, serde_json::from_str(value).unwrap());
        for (case, holds) in [(case, true), (&altered, false)] {
            let mut only = case.clone();
            only.dialects.truncate(1);
            let reports = run_all(&[only], &[]);
            assert_eq!(reports.len(), 1, "{id}");
            assert_eq!(reports[0].outcome.is_ok(), holds, "{id} {pointer}: {:?}", reports[0]);
        }
    }
}

#[test]
fn an_empty_folder_a_broken_line_and_an_unknown_word_are_failures() {
    let folder = tempfile::tempdir().unwrap();
    assert!(case::load(&folder.path().join("absent")).is_err());
    assert!(case::load(folder.path()).is_err(), "no file");
    let file = folder.path().join("gateway.jsonl");
    std::fs::write(&file, "\n").unwrap();
    assert!(case::load(folder.path()).is_err(), "no line");
    std::fs::write(&file, "{\"id\": 1}").unwrap();
    assert!(case::load(folder.path()).unwrap_err().contains(":1"));
    let line = r#"{"id": "x-1", "dialects": ["fased"], "config": {}, "request": {"method": "GET", "path": "/tools/invoke", "headers": {}}, "expect": {"status": 405}, "fixture": "std", "weather": "fine"}"#;
    assert!(Case::parse(line).unwrap_err().contains("weather"));
}

#[test]
fn deviations_are_few_and_each_has_its_reason() {
    let deviations = deviations::load();
    let cases = case::load(&default_folder()).unwrap();
    for deviation in &deviations {
        let case = cases.iter().find(|case| case.id == deviation.id);
        let case = case.unwrap_or_else(|| panic!("{} is no case", deviation.id));
        assert!(deviation.reason.len() > 40, "{} has no reason", deviation.id);
        // The documents are followed, but where the design says otherwise.
        assert!(case.basis != "doc" || deviation.quote.starts_with("`gateway-api.md` "), "{}", deviation.id);
    }
    let undecided = deviations.iter().filter(|deviation| deviation.quote.is_empty()).count();
    assert!(undecided <= 10, "{undecided} deviations without a decision");
}
