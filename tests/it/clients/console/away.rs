//! The database goes away under the console: every page says so, nothing is done by half, and when it is back so is the
//! console, with the same session and the same form.

use rusqlite::Connection;
use serde_json::json;
use tests::{
    home::{Home, Kind},
    html,
    operator_console::{OperatorConsole, visitor::fill},
    patience::wait_until,
    postgres::Cluster,
    program::{Answer, folder},
};

use super::routes::{pages, with_stand_ins};
use crate::rows;

const NEW: &str = "/admin/partners/new";
const SAID: &str = "The database does not answer";

fn says_so(answer: &Answer) -> bool {
    let text = html::text(&answer.body);
    answer.status == 503 && answer.header("retry-after") == Some("5") && text.contains(SAID) && text.contains("again")
}

/// The form for a partner, filled in.
fn form_on(page: &str) -> Vec<(String, String)> {
    let forms = html::forms(page);
    let form = forms.iter().find(|form| form.action == NEW).expect("a form");
    fill(form, &[("name", "Globex"), ("margin_bps", "500"), ("reason", "Before it went away")])
}

fn send(console: &OperatorConsole, cookies: &[(String, String)], filled: &[(String, String)]) -> Answer {
    let visitor = console.visitor();
    cookies.iter().for_each(|(name, value)| visitor.set_cookie(name, value));
    let filled: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    visitor.post(NEW, &filled)
}

#[test]
fn every_page_says_that_the_database_is_away_and_is_back_with_it() {
    let (cluster, home) = (Cluster::start(), folder());
    let database = cluster.database();
    let console = OperatorConsole::start_with(home.path(), &json!({"database": {"url": database.url()}}));
    let owner = console.owner();
    let browser = owner.browser();
    let url = console.url("/admin/partners");
    assert_eq!(browser.open(&url), 200);
    let filled = form_on(&owner.visitor.get(NEW).body);

    cluster.kill();
    let wrong: Vec<String> = pages()
        .into_iter()
        .filter_map(|page| {
            let answer = owner.visitor.get(&with_stand_ins(page));
            (!says_so(&answer)).then(|| format!("{page}: {} {}", answer.status, html::text(&answer.body)))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cookies = owner.visitor.cookies();
    assert!(says_so(&send(&console, &cookies, &filled)));
    assert_eq!(browser.open(&url), 503);
    browser.see(SAID);
    browser.expect_no_barriers();

    cluster.restart();
    wait_until("the console is back", || (owner.visitor.get(NEW).status == 200).then_some(()));
    // Nobody has to sign in again, and the form that was refused does what it says: once.
    assert_eq!(browser.open(&url), 200);
    assert_eq!(browser.url(), url);
    let done = [(); 2].map(|()| send(&console, &cookies, &filled));
    assert_eq!(done[0].status, 303, "{}", html::text(&done[0].body));
    assert_eq!(database.query("SELECT count(*) FROM partner"), "1");
    browser.expect_no_complaints();
}

#[test]
fn while_somebody_locks_the_database_pages_are_shown_and_forms_say_that_nothing_was_done() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let owner = console.owner();
    let filled = form_on(&owner.visitor.get(NEW).body);
    let intruder = Connection::open(home.file()).unwrap();
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(owner.visitor.get("/admin/partners").status, 200);
    let cookies = owner.visitor.cookies();
    let refused = send(&console, &cookies, &filled);
    assert!(says_so(&refused), "{} {}", refused.status, html::text(&refused.body));
    intruder.execute_batch("ROLLBACK").unwrap();
    let done = wait_until("the form is taken", || {
        let answer = send(&console, &cookies, &filled);
        (answer.status != 503).then_some(answer)
    });
    assert_eq!(done.0.status, 303, "{}", html::text(&done.0.body));
    assert_eq!(rows::of_home(&home, "SELECT count(*) FROM partner"), [["1"]]);
}
