//! The requests of `marketplace-wire.jsonl`, as the published clients sent them, to the real program on both databases.
//!
//! `MARKETPLACE_CASES=DIR cargo test -p tests -- marketplace_wire --nocapture` runs the requests of another folder; the
//! default is `tests/cases`, a copy of what the cases' authors keep. Every line is sent, in the order of the file, with the
//! headers that it has; what it names (tokens, identifiers, hosts) is replaced by what the server has. `classes.rs` says
//! what each is to be answered with: a 2xx with what the client reads, or a refusal with its reason.

mod classes;
mod line;
mod read_back;
mod stage;

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::json;
use tests::{home::Kind, on_both_databases, program::Answer, workspace_root};

use self::{
    classes::{Class, RULES, Rule, judge, rule_of},
    line::Line,
    read_back::Proof,
    stage::Stage,
};

on_both_databases!(every_request_of_the_published_clients_is_answered_as_its_class_says);

fn default_folder() -> PathBuf {
    workspace_root().join("tests/cases")
}

fn folder() -> PathBuf {
    std::env::var_os("MARKETPLACE_CASES").filter(|folder| !folder.is_empty()).map_or_else(default_folder, PathBuf::from)
}

/// What became of the lines.
#[derive(Debug, Default)]
struct Report {
    answered: usize,
    /// By the reason.
    refused: BTreeMap<&'static str, usize>,
    read_back: usize,
    failures: Vec<String>,
}

impl Report {
    fn note(&mut self, line: &Line, class: Result<Class, String>, answer: impl FnOnce() -> Answer) {
        let judged = class.and_then(|class| judge(class, &answer()).map(|()| class));
        match judged {
            Ok(Class::Answered(_) | Class::Text) => self.answered += 1,
            Ok(Class::Refused(..)) => {
                let reason = rule_of(line, RULES).map_or("", |rule| rule.reason);
                *self.refused.entry(reason).or_default() += 1;
            }
            Err(why) => self.failures.push(format!("line {}, {}: {why}", line.number, line.request())),
        }
    }
}

impl Report {
    fn note_read_back(&mut self, line: &Line, seen: Result<(), String>) {
        match seen {
            Ok(()) => self.read_back += 1,
            Err(why) => self.failures.push(format!("line {}, {}: {why}", line.number, line.request())),
        }
    }
}

fn class_of(line: &Line) -> Result<Class, String> {
    rule_of(line, RULES).map(Rule::class)
}

fn every_request_of_the_published_clients_is_answered_as_its_class_says(kind: Kind) {
    let folder = folder();
    let lines = line::load(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let stage = Stage::open(kind);
    stage.register();
    let mut report = Report::default();
    for line in &lines {
        let (sent, answer) = stage.send(line);
        let class = class_of(line);
        if line.writes() && matches!(class, Ok(Class::Answered(_) | Class::Text)) {
            report.note_read_back(line, read_back::check(&stage, &sent, &answer));
        }
        report.note(line, class, || answer);
    }
    let refused = report.refused.values().sum::<usize>();
    println!("marketplace requests from {}: {} lines", folder.display(), lines.len());
    println!("  {} are answered, {refused} are refused as documented {:?}", report.answered, report.refused);
    println!("  of {} it was looked what they have changed", report.read_back);
    for failure in &report.failures {
        println!("  FAILED {failure}");
    }
    assert!(report.answered > 0, "no line of {} is answered", folder.display());
    assert!(report.failures.is_empty(), "{} fail:\n{}", report.failures.len(), report.failures.join("\n"));
    assert_eq!(report.answered + refused, lines.len(), "every line is in one class");
}

fn answer(status: u16, body: &serde_json::Value) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status, headers, json: body.clone(), body: body.to_string() }
}

#[test]
fn every_write_is_read_back_by_one_row_and_shown_to_act_by_a_test() {
    let lines = line::load(&default_folder()).unwrap();
    let writes = |line: &&Line| line.writes() && matches!(class_of(line), Ok(Class::Answered(_) | Class::Text));
    let writes: Vec<&Line> = lines.iter().filter(writes).collect();
    assert!(writes.len() >= 40, "{}", writes.len());
    for line in &writes {
        assert_eq!(read_back::rows_of(line, read_back::ROWS).len(), 1, "{}", line.request());
    }
    for row in read_back::ROWS {
        assert!(writes.iter().any(|line| line.is_one_of(row.requests)), "{} has no request", row.requests);
        match row.proof {
            Proof::Shown(_, test) => assert!(read_back::is_test(test), "{}: there is no {test}", row.requests),
            Proof::Nothing(reason) => assert!(reason.len() > 20, "{}", row.requests),
        }
    }
    let unknown = lines[0].with("/auth/login", "/auth/something");
    assert!(read_back::rows_of(&unknown, read_back::ROWS).is_empty());
    for nothing in ["tests/it/marketplace_wire.rs::nothing", "tests/it/marketplace_wire.rs", "nowhere"] {
        assert!(!read_back::is_test(nothing), "{nothing}");
    }
    assert!(read_back::is_test("tests/it/marketplace_wire.rs::every_rule_has_its_line_and_every_refusal_its_reason"));
}

#[test]
fn an_answer_of_another_class_is_a_failure() {
    let refusal = |code: &str| json!({"detail": "no", "error": {"code": code}});
    let (login, item) = (json!({"access_token": "x"}), json!({"items": [{"name": "echo"}]}));
    let text = || Answer { headers: Vec::new(), ..answer(200, &json!("# hi")) };
    for (class, answer, holds) in [
        (Class::Answered(&["/access_token"]), answer(200, &login), true),
        (Class::Answered(&["/access_token"]), answer(200, &json!({})), false),
        (Class::Answered(&["/access_token"]), answer(401, &login), false),
        (Class::Answered(&["/items/0/name"]), answer(201, &item), true),
        (Class::Answered(&["/items/1/name"]), answer(201, &item), false),
        (Class::Answered(&[]), answer(307, &json!({})), false),
        (Class::Answered(&[]), answer(404, &refusal("not_found")), false),
        (Class::Answered(&[]), text(), false),
        (Class::Text, text(), true),
        (Class::Text, answer(200, &json!({})), false),
        (Class::Refused(404, "not_found"), answer(404, &refusal("not_found")), true),
        (Class::Refused(404, "not_found"), answer(404, &refusal("internal")), false),
        (Class::Refused(404, "not_found"), answer(404, &json!({"error": {"code": "not_found"}})), false),
        (Class::Refused(501, "not_found"), answer(404, &refusal("not_found")), false),
        (Class::Refused(404, "not_found"), answer(200, &json!({"detail": "x"})), false),
        (Class::Refused(501, ""), answer(501, &refusal("whichever")), true),
    ] {
        assert_eq!(judge(class, &answer).is_ok(), holds, "{class:?}: {answer:?}");
    }
}

#[test]
fn an_altered_line_is_in_another_class_or_in_none() {
    let lines = line::load(&default_folder()).unwrap();
    assert_eq!(lines.len(), 121, "the requests that the published clients sent");
    let find = |request: &str| lines.iter().find(|line| line.request() == request).unwrap();
    let login = find("POST /auth/login");
    assert_eq!(class_of(login), Ok(Class::Answered(&["/access_token"])));
    for (old, new) in [("/auth/login", "/auth/logon"), ("/auth/login", "/auth/login/"), ("/auth/login", "/auth")] {
        assert!(class_of(&login.with(old, new)).is_err(), "{new}");
    }
    let mut other = login.clone();
    other.method = "PUT".to_owned();
    assert!(class_of(&other).is_err());
    let listed = find("GET /connections/");
    assert_eq!(class_of(listed), Ok(Class::Answered(&[])));
    assert!(class_of(&listed.with("/connections/", "/connection/")).is_err());
    let pricing = lines.iter().filter(|line| line.path.ends_with("/pricing")).map(|line| class_of(line).unwrap());
    assert_eq!(pricing.collect::<Vec<_>>(), [Class::Answered(&[]), Class::Refused(422, "invalid_request")]);
}

#[test]
fn an_altered_expectation_fails_a_line() {
    let mut report = Report::default();
    let lines = line::load(&default_folder()).unwrap();
    let line = lines.iter().find(|line| line.request() == "GET /catalog/public/x").unwrap();
    let told = || answer(404, &json!({"detail": "no", "error": {"code": "not_found"}}));
    report.note(line, class_of(line), told);
    assert_eq!((report.refused.len(), report.failures.len()), (1, 0), "{report:?}");
    report.note(line, Ok(Class::Answered(&[])), told);
    report.note(line, Err("is in no class".to_owned()), told);
    assert_eq!((report.answered, report.failures.len()), (0, 2), "{report:?}");
    assert!(report.failures[0].contains("GET /catalog/public/x"), "{report:?}");
}

#[test]
fn every_rule_has_its_line_and_every_refusal_its_reason() {
    let lines = line::load(&default_folder()).unwrap();
    for rule in RULES {
        let is_used = lines.iter().any(|line| rule_of(line, RULES).is_ok_and(|found| std::ptr::eq(found, rule)));
        assert!(is_used, "{rule:?} decides nothing");
        let is_refusal = matches!(rule.class(), Class::Refused(..));
        assert_eq!(is_refusal, rule.reason.len() > 20, "{rule:?}");
    }
}

#[test]
fn an_empty_folder_a_broken_line_and_an_unknown_word_are_failures() {
    let folder = tempfile::tempdir().unwrap();
    assert!(line::load(folder.path()).is_err(), "no file");
    let file = folder.path().join("marketplace-wire.jsonl");
    std::fs::write(&file, "\n").unwrap();
    assert!(line::load(folder.path()).is_err(), "no line");
    let good = r#"{"m": "GET", "path": "/x", "auth": null, "ct": "", "inm": null, "ua": "httpx", "body": ""}"#;
    std::fs::write(&file, format!("{good}\n{good}\n")).unwrap();
    let lines = line::load(folder.path()).unwrap();
    assert_eq!((lines.len(), lines[1].number, lines[1].headers.len()), (2, 2, 1), "the same request twice is two");
    for broken in
        [good.replace("\"m\"", "\"n\""), good.replace("\"\"}", "\"\", \"weather\": \"fine\"}"), "{".to_owned()]
    {
        std::fs::write(&file, format!("{good}\n{broken}\n")).unwrap();
        assert!(line::load(folder.path()).unwrap_err().contains(":2"), "{broken}");
    }
}
