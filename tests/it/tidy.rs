//! Habits that no compiler checks, read from the text of the files.

use std::collections::{BTreeMap, BTreeSet};

use tests::source::{SourceFile, lex, source_files};
use tests::workspace;

mod statuses;

/// The longest file of shipped code, in lines. The aim is 400; this is where reading it gets hard.
const LINES_MAX: usize = 450;

/// Modules of the engine that hold rules, not wire shapes: no serde there.
const PURE_MODULES: [&str; 16] = [
    "audit",
    "catalog",
    "clock",
    "code",
    "credits",
    "dialect",
    "gateway",
    "id",
    "invocation",
    "ledger",
    "limits",
    "operator",
    "policy",
    "pricing",
    "publishing",
    "sealing",
];

/// The demo's own tools play the part of an upstream, which is another program: they answer what they like.
const STATUS_FOLDER_OF_THE_DEMO: &str = "server/src/demo/";

fn shipped_code() -> impl Iterator<Item = &'static SourceFile> {
    source_files().iter().filter(|file| file.is_shipped_code())
}

fn check_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// `path:line` of every line of the code (comments and strings blanked out) for which `is_wrong`.
fn lines_where(file: &SourceFile, is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let code = lex(&file.text).code;
    let wrong = code.lines().enumerate().filter(|(_, line)| is_wrong(line));
    wrong.map(|(at, line)| format!("{}:{}: {}", file.path, at + 1, line.trim())).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').filter(|word| !word.is_empty())
}

/// Whether a line of code writes down what an error says of itself. What `Fault::Broken` takes stands in the log alone.
fn lets_an_error_speak(line: &str) -> bool {
    let mut written: Vec<&str> = line.split(".to_string()").collect();
    // Behind the last call nothing is written down.
    written.pop();
    let is_error = |before: &&str| {
        let is_path = |part: char| part.is_alphanumeric() || matches!(part, '_' | ':' | '.');
        let path = before.rsplit(|part| !is_path(part)).next().unwrap_or_default();
        matches!(path, "error" | "refusal" | "fault" | "problem" | "failure" | "denial")
            || path.split_once("::").is_some_and(|(kind, _)| kind.ends_with("Error") || kind.ends_with("Refusal"))
    };
    written.iter().any(is_error) && !line.contains("Fault::Broken(")
}

#[test]
fn pages_say_what_went_wrong_in_their_own_words() {
    let found: Vec<String> = shipped_code()
        .filter(|file| file.path.starts_with("admin/src/pages/"))
        .flat_map(|file| lines_where(file, lets_an_error_speak))
        .collect();
    check_none(&found, "show `said()` (admin/src/text/said.rs), whose sentences stand in the files of texts");
    for (line, expected) in [
        ("        error => problems.add(\"\", error.to_string()),", true),
        ("    Err(refusal) => Notice::new(Tone::Bad, refusal.to_string()),", true),
        ("        CatalogError::Reason => problems.add(\"\", CatalogError::Reason.to_string()),", true),
        ("        error => problems.add(\"\", error.said()),", false),
        ("        Err(error) => Err(Fault::Broken(error.to_string())),", false),
        ("        ids.push(default.to_string());", false),
        ("        RequestError::Missing { .. } => count.to_string(),", false),
    ] {
        assert_eq!(lets_an_error_speak(line), expected, "{line}");
    }
}

#[test]
fn pure_modules_have_no_wire_format() {
    let is_pure = |path: &str| {
        PURE_MODULES.iter().any(|module| {
            path == format!("engine/src/{module}.rs") || path.starts_with(&format!("engine/src/{module}/"))
        })
    };
    let found: Vec<String> = shipped_code()
        .filter(|file| is_pure(&file.path))
        .flat_map(|file| lines_where(file, |line| words(line).any(|word| matches!(word, "Serialize" | "Deserialize"))))
        .collect();
    check_none(&found, "wire shapes belong to server and admin, not to a pure module");
}
/// The only files of shipped code that mount something: where what is mounted is counted (`http/routes.rs`, which
/// `openapi/tests.rs` compares with the document), where all of it is put together, and the console, whose table of routes is
/// its own.
const MOUNTING_FILES: [&str; 4] =
    ["admin/src/console.rs", "admin/src/console/route.rs", "server/src/app/mounted.rs", "server/src/http/routes.rs"];

/// Whether a line of code puts a route somewhere, or could.
fn mounts_something(line: &str) -> bool {
    let is_word = words(line).any(|word| matches!(word, "ServiceConfig" | "Resource" | "Scope"));
    let made = ["web::resource(", "web::scope(", "web::redirect(", "App::new("];
    is_word || made.iter().any(|call| line.contains(call)) || mounts_by_attribute(line)
}

/// actix-web's attributes on handlers.
fn mounts_by_attribute(line: &str) -> bool {
    ["get", "post", "put", "patch", "delete", "head", "route", "routes"]
        .iter()
        .any(|verb| line.trim_start().starts_with(&format!("#[{verb}")))
}

#[test]
fn routes_are_mounted_where_they_are_counted() {
    let is_free = |path: &str| MOUNTING_FILES.contains(&path) || path.starts_with(STATUS_FOLDER_OF_THE_DEMO);
    let is_at_the_edge = |path: &str| path.starts_with("server/") || path.starts_with("admin/");
    let found: Vec<String> = shipped_code()
        .filter(|file| is_at_the_edge(&file.path) && !is_free(&file.path))
        .flat_map(|file| lines_where(file, mounts_something))
        // The server itself takes what `app/mounted.rs` has put together.
        .filter(|line| !(line.starts_with("server/src/app.rs:") && line.ends_with("App::new()")))
        .collect();
    check_none(&found, "mount it through `http::routes::Mount`, which counts it");
    // What is put together is mounted by nothing else there.
    let together = shipped_code().find(|file| file.path == "server/src/app/mounted.rs").unwrap();
    let is_own =
        |line: &str| ["web::resource(", "web::scope(", "web::redirect("].iter().any(|call| line.contains(call));
    check_none(&lines_where(together, is_own), "mount it through `http::routes::Mount`, which counts it");
    for (line, expected) in [
        ("    routes.service(web::resource(path));", true),
        ("pub fn configure(routes: &mut web::ServiceConfig) {", true),
        ("    #[get(\"/x\")]", true),
        ("pub fn configure(routes: &mut Mount<'_>) {", false),
        ("    routes.service(resource(path, [(Method::GET, web::to(show))]))", false),
    ] {
        assert_eq!(mounts_something(line), expected, "{line}");
    }
}

#[test]
fn no_shipped_file_is_too_long() {
    let found: Vec<String> = shipped_code()
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{}: {lines} lines", file.path))
        .collect();
    check_none(&found, "split the file by subject");
}

#[test]
fn modules_are_files_named_after_themselves() {
    let found: Vec<String> =
        source_files().iter().map(|file| file.path.clone()).filter(|path| path.ends_with("/mod.rs")).collect();
    check_none(&found, "foo.rs + foo/, never mod.rs");
}

#[test]
fn unit_tests_have_files_of_their_own() {
    let is_inline = |line: &str| line.trim_start().starts_with("mod tests {");
    let found: Vec<String> =
        source_files().iter().filter(|file| file.is_rust()).flat_map(|file| lines_where(file, is_inline)).collect();
    check_none(&found, "`#[cfg(test)] mod tests;` and a file foo/tests.rs");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
    let is_mark = |word: &str| marks.contains(&word);
    let mut found = Vec::new();
    for file in source_files() {
        let marked = file.text.lines().enumerate().filter(|(_, line)| words(line).any(is_mark));
        found.extend(marked.map(|(at, line)| format!("{}:{}: {}", file.path, at + 1, line.trim())));
        if file.is_rust() {
            found.extend(lines_where(file, |line| line.contains("todo!") || line.contains("unimplemented!")));
        }
    }
    check_none(&found, "finish it, or leave it out and say so in an issue");
}

#[test]
fn no_test_is_ignored_and_no_lint_is_allowed_away() {
    let is_wrong = |line: &str| {
        let line: String = line.split_whitespace().collect();
        ["#[ignore", "#[allow(", "#![allow("].iter().any(|attribute| line.contains(attribute))
    };
    let found: Vec<String> =
        source_files().iter().filter(|file| file.is_rust()).flat_map(|file| lines_where(file, is_wrong)).collect();
    check_none(&found, "tests run, and an exception is `#[expect(lint, reason = \"…\")]`");
}

#[test]
fn tests_wait_for_commands_with_a_bound() {
    let waits_for_ever =
        |line: &str| [concat!(".out", "put()"), concat!("wait_with", "_output")].iter().any(|call| line.contains(call));
    let tests = source_files().iter().filter(|file| file.is_rust() && file.path.starts_with("tests/"));
    let found: Vec<String> = tests.flat_map(|file| lines_where(file, waits_for_ever)).collect();
    check_none(&found, "`ended()` (tests/src/patience.rs): a command that hangs would hold up the whole run");
}

/// Whether a string is SQL, by the capital words that ours is written with.
fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    let follows = |first: &str, second: &str| words.windows(2).any(|pair| pair == [first, second]);
    (has("SELECT") && (has("FROM") || words.first() == Some(&"SELECT")))
        || (has("UPDATE") && has("SET"))
        || ["INSERT", "REPLACE"].iter().any(|verb| follows(verb, "INTO"))
        || follows("DELETE", "FROM")
        || ["TABLE", "INDEX", "TRIGGER", "VIEW"].iter().any(|what| follows("CREATE", what) || follows("DROP", what))
        || follows("ALTER", "TABLE")
        || words.first().is_some_and(|first| matches!(*first, "PRAGMA" | "BEGIN" | "COMMIT" | "ROLLBACK"))
}

#[test]
fn sql_stays_in_the_store_and_the_migrations() {
    let is_allowed = |path: &str| {
        path == "engine/src/store.rs" || path.starts_with("engine/src/store/") || path.starts_with("migrations/")
    };
    let mut found = Vec::new();
    for file in shipped_code().filter(|file| !is_allowed(&file.path)) {
        let statements = lex(&file.text).strings.into_iter().filter(|(_, text)| is_sql(text));
        found.extend(statements.map(|(line, text)| format!("{}:{line}: {text}", file.path)));
    }
    check_none(&found, "ask the store");
}

#[test]
fn the_sql_check_tells_a_statement_from_a_sentence() {
    for text in ["SELECT 1", "INSERT INTO t VALUES (1)", "UPDATE t\nSET a = 1", "DELETE FROM t", "PRAGMA foreign_keys"]
    {
        assert!(is_sql(text), "{text}");
    }
    for text in ["select a tool from the list", "UPDATE the price", "DELETE", "CREATE an account", "the SELECT word"] {
        assert!(!is_sql(text), "{text}");
    }
}

/// The texts in backticks of a paragraph.
fn quoted(paragraph: &str) -> Vec<&str> {
    paragraph.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with the references of one invariant to the tests that enforce it.
fn broken_references(invariant: &str) -> Vec<String> {
    let Some((_, enforced_by)) = invariant.split_once("Enforced by") else {
        return vec!["names nothing that enforces it".to_owned()];
    };
    let mut found = Vec::new();
    let references = quoted(enforced_by);
    if references.is_empty() {
        found.push("names nothing that enforces it".to_owned());
    }
    for reference in references {
        let (path, name) = reference.split_once("::").unwrap_or((reference, ""));
        match source_files().iter().find(|file| file.path == path) {
            None => found.push(format!("`{path}` is not there")),
            Some(file) if !name.is_empty() && !file.text.contains(&format!("fn {name}(")) => {
                found.push(format!("`{path}` has no test `{name}`"));
            }
            Some(_) => {}
        }
    }
    found
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let text = workspace::read("ARCHITECTURE.md");
    let invariants: Vec<&str> = text.split("\n\n").filter(|paragraph| paragraph.contains("**Invariant:**")).collect();
    assert!(invariants.len() >= 12, "only {} invariants were found", invariants.len());
    let mut found = Vec::new();
    for invariant in invariants {
        assert_eq!(invariant.matches("**Invariant:**").count(), 1, "one paragraph each: {invariant}");
        found.extend(broken_references(invariant).into_iter().map(|problem| format!("{problem}: {invariant}")));
    }
    check_none(&found, "ARCHITECTURE.md promises what nothing enforces");
}

#[test]
fn every_decision_record_is_listed() {
    let index = workspace::read("docs/adr/README.md");
    let records: Vec<&str> = source_files()
        .iter()
        .filter_map(|file| file.path.strip_prefix("docs/adr/"))
        .filter(|name| *name != "README.md")
        .collect();
    let unlisted = records.iter().filter(|name| !index.contains(&format!("({name})")));
    check_none(&unlisted.map(|name| (*name).to_owned()).collect::<Vec<_>>(), "not listed in docs/adr/README.md");
    let mut by_number: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in records {
        by_number.entry(name.split('-').next().unwrap_or_default()).or_default().push(name);
    }
    let doubled: Vec<String> =
        by_number.values().filter(|names| names.len() > 1).map(|names| names.join(", ")).collect();
    check_none(&doubled, "one number each");
}

#[test]
fn every_code_has_a_section_and_every_section_a_code() {
    let codes: BTreeSet<&str> = engine::code::Code::ALL.iter().map(|code| code.as_str()).collect();
    let text = workspace::read("docs/errors.md");
    let sections: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
    assert_eq!(codes, sections, "left: engine::code, right: docs/errors.md");
}

#[test]
fn the_checks_see_the_code() {
    let paths: Vec<&str> = shipped_code().map(|file| file.path.as_str()).collect();
    for path in ["engine/src/lib.rs", "server/src/main.rs", "admin/src/lib.rs", "migrations/src/lib.rs"] {
        assert!(paths.contains(&path), "{path}");
    }
}
