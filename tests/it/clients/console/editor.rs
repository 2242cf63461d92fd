//! The chain's editor while somebody types, in a real browser: what is wrong with the text, whom it would change what for, the
//! buttons of the lanes, and the end of the session.

use tests::{
    browser::Browser,
    home::{Home, Kind},
    on_both_databases,
    operator_console::PASSWORD,
    patience::wait_until,
};

use super::samples::World;
use crate::rows::change_home;

on_both_databases!(the_editor_answers_while_somebody_types, a_cell_of_the_replay_lists_its_calls,);

const DOCUMENT: &str = "Document (JSON5)";
const BROKEN: &str = "{\n  tools: { deny: [ },\n}\n";
const RIGHT: &str = "{\n  // Nobody counts words over HTTP.\n  tools: { deny: [\"text_stats\"] },\n}\n";

/// What the tables beside the text have in them.
fn beside(browser: &Browser) -> String {
    let rows = "[...document.querySelectorAll('#sheet-beside tbody tr')].map((row) => row.innerText).join('\\n')";
    browser.evaluate(rows).as_str().unwrap_or_default().to_owned()
}

fn the_editor_answers_while_somebody_types(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    let browser = world.owner.browser();
    let editor = world.console.url(&format!("/admin/policies/edit?from={}", world.id_for("draft")));
    assert_eq!(browser.open(&editor), 200);
    browser.see("Nothing changes for anybody.");

    browser.fill(DOCUMENT, BROKEN);
    browser.see("The policy cannot be used");
    assert!(beside(&browser).contains("2:"), "line and column: {}", beside(&browser));
    browser.fill(DOCUMENT, RIGHT);
    browser.see("Newly denied");
    assert!(beside(&browser).contains("text_stats"), "{}", beside(&browser));
    assert_eq!(browser.url(), editor, "nothing was sent");

    browser.press("Take text_stats out of tools.deny");
    browser.see("The text was changed.");
    let text = browser.evaluate("document.getElementById('field-text').value");
    let text = text.as_str().expect("a text");
    assert!(text.contains("Nobody counts words") && !text.contains("text_stats"), "{text}");
    browser.expect_no_complaints();

    // Somebody typed for so long that the session has ended: the window goes to the sign-in, and comes back.
    assert_eq!(browser.open(&editor), 200);
    change_home(&home, "DELETE FROM operator_session");
    browser.fill(DOCUMENT, RIGHT);
    let sign_in = world.console.url("/admin/sign-in?next=");
    wait_until("the sign-in", || browser.url().starts_with(&sign_in).then_some(()));
    // A code is good for a moment, which the wait may outlast.
    let code = world.owner.code();
    browser.fill("E-mail", &world.owner.email);
    browser.fill("Password", PASSWORD);
    browser.fill("code", &code);
    browser.press("Sign in");
    assert_eq!(browser.url(), editor, "{}", browser.text());
    browser.expect_no_complaints();
}

fn a_cell_of_the_replay_lists_its_calls(kind: Kind) {
    const CELL: &str = "a[href*=\"cell=allow-allow\"]";
    let home = Home::on(kind);
    let world = World::start(&home);
    let browser = world.owner.browser();
    assert_eq!(browser.open(&world.console.url(&format!("/admin/policies/{}/replay", world.id_for("draft")))), 200);
    let count = browser.text_in(CELL);
    let calls: u64 = count.parse().expect("a number");
    assert!(calls > 0, "some calls were allowed");
    browser.press_in(&format!("td:has({CELL})"), &count);
    browser.see("Allowed, and would be again");
    let listed = browser.evaluate("document.querySelectorAll('tr[data-href^=\"/admin/invocations/\"]').length");
    assert_eq!(listed, calls.min(50), "{}", browser.text());
    browser.expect_no_complaints();
}
