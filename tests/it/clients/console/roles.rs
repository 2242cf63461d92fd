//! Who may use which route: every route is asked as nobody and as an operator of every role, without a second factor and with
//! one, and answers as the committed table says.

use std::collections::BTreeMap;

use admin::console::{Access, Verb};
use engine::operator::Role;
use tests::{
    home::{Home, Kind},
    on_both_databases,
    operator_console::{Operator, OperatorConsole, visitor::Visitor},
    program::Answer,
    workspace_root,
};

use super::routes::with_stand_ins;

on_both_databases!(every_route_is_for_whom_the_table_says,);

/// Of a route, as `docs/console-roles.md` has it.
#[derive(Debug)]
struct Committed {
    /// Whether the roles may, in the order of [`Role::ALL`].
    may: Vec<bool>,
    needs_factor: bool,
}

/// The last table of the document, by method and path below the root. Nothing here asks the routes, or the policies.
fn committed() -> BTreeMap<(String, String), Committed> {
    let text = std::fs::read_to_string(workspace_root().join("docs/console-roles.md")).expect("the document");
    let (_, routes) = text.split_once("## Every route").expect("the routes stand in it");
    let rows = routes.lines().filter(|line| line.starts_with("| GET |") || line.starts_with("| POST |"));
    let read = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [method, path, _action, rest @ ..] = cells.as_slice() else { panic!("not a route: {line}") };
        assert!(rest.len() >= Role::ALL.len(), "a cell for each role: {line}");
        let (roles, needs) = rest.split_at(Role::ALL.len());
        let may = roles.iter().map(|cell| match *cell {
            "✔" => true,
            "✘" => false,
            amount if amount.starts_with('≤') => true,
            other => panic!("{other} is no answer: {line}"),
        });
        let path = path.trim_matches('`').strip_prefix("/admin").expect("a path of the console").to_owned();
        let committed = Committed { may: may.collect(), needs_factor: needs.concat().contains("second factor") };
        (((*method).to_owned(), path), committed)
    };
    rows.map(read).collect()
}

const fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "GET",
        Verb::Post => "POST",
    }
}

fn ask(visitor: &Visitor, verb: Verb, path: &str) -> Answer {
    match verb {
        Verb::Get => visitor.get(path),
        Verb::Post => visitor.post_with(path, &[("sec-fetch-site", "same-origin")], &[]),
    }
}

/// Asks every route that is not for everybody; what the answers have that the table does not say.
fn walk(table: &BTreeMap<(String, String), Committed>, place: usize, word: &str, operator: &Operator) -> Vec<String> {
    let mut wrong = Vec::new();
    let has_factor = operator.authenticator.is_some();
    for route in admin::routes() {
        // Signing out would end the walk.
        if route.access == Access::Anybody || route.path == "/sign-out" {
            continue;
        }
        let Some(row) = table.get(&(method(route.verb).to_owned(), route.path.to_owned())) else {
            wrong.push(format!("{route:?} is not in the table"));
            continue;
        };
        let may = row.may.get(place).copied().unwrap_or_default() && (has_factor || !row.needs_factor);
        let status = ask(&operator.visitor, route.verb, &with_stand_ins(route.path)).status;
        // What a form without fields is refused for is the form's own affair.
        let is_right = if may { status != 403 && status < 500 } else { status == 403 };
        if !is_right {
            wrong.push(format!("{word}, second factor: {has_factor}: {route:?}: {status}, {row:?}"));
        }
    }
    wrong
}

/// Who is not signed in is led to the sign-in, from every route that is not for everybody.
fn walk_as_nobody(nobody: &Visitor) -> Vec<String> {
    let mut wrong = Vec::new();
    for route in admin::routes().into_iter().filter(|route| route.access != Access::Anybody) {
        let stopped = ask(nobody, route.verb, &with_stand_ins(route.path));
        let to = stopped.header("location").unwrap_or_default();
        if stopped.status != 303 || !to.starts_with("/admin/sign-in?next=") {
            wrong.push(format!("nobody: {route:?}: {} {to}", stopped.status));
        }
    }
    wrong
}

fn every_route_is_for_whom_the_table_says(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let table = committed();
    let mut wrong = walk_as_nobody(&console.visitor());
    for (place, (_, word)) in Role::ALL.into_iter().enumerate() {
        let mut operator = console.operator(word, &format!("{word}@example.com"), word);
        wrong.extend(walk(&table, place, word, &operator));
        // The password was shown a moment ago, with the sign-in.
        operator.enrol();
        wrong.extend(walk(&table, place, word, &operator));
    }
    let known = admin::routes().len();
    assert_eq!(table.len(), known, "the table has routes that there are not");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
