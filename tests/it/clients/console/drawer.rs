//! What stands open beside a list: it is in the address, Back and Esc close it, and its row is an ordinary link for whoever
//! wants the page.

use tests::{
    browser::Browser,
    home::{Home, Kind},
    operator_console::OperatorConsole,
    patience::wait_until,
};

use crate::rows::change_home;

const EMAIL: &str = "first@example.com";
const OTHER: &str = "second@example.com";

fn is_open(browser: &Browser) -> bool {
    browser.evaluate("document.getElementById('drawer').open") == true
}

/// Waits until the drawer is open, or is not, and the address says so.
#[track_caller]
fn expect(browser: &Browser, open: bool, url: &str) {
    wait_until("the drawer and its address", || (is_open(browser) == open && browser.url() == url).then_some(()));
    if open {
        let shown = browser.text_in("#drawer-body");
        assert!(shown.contains(EMAIL), "{shown}");
    }
}

/// Where the focus is, as the link there has it.
#[track_caller]
fn expect_focus(browser: &Browser, page: &str) {
    let focused = || browser.evaluate("document.activeElement.getAttribute('href')");
    wait_until("the focus is on the row again", || (focused() == page).then_some(()));
}

fn customers(console: &OperatorConsole) -> String {
    let made = [EMAIL, OTHER].map(|email| console.command(&["account", "create", "--email", email]));
    format!("/admin/accounts/{}", made[0]["account"].as_str().expect("an identifier"))
}

#[test]
fn what_stands_open_beside_a_list_is_in_the_address() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let page = customers(&console);
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let list = console.url("/admin/accounts?suspended=no");
    let link = format!("{list}&open={}", page.replace('/', "%2F"));
    let browser = ada.browser();

    assert_eq!(browser.open(&list), 200);
    browser.open_row(EMAIL);
    expect(&browser, true, &link);
    browser.key("Escape");
    expect(&browser, false, &list);
    expect_focus(&browser, &page);
    // Whoever has only a keyboard opens it from there.
    browser.key("Enter");
    expect(&browser, true, &link);
    browser.back();
    expect(&browser, false, &list);
    browser.see(OTHER);

    // A link that somebody sends, or the page loaded once more.
    assert_eq!(browser.open(&link), 200);
    expect(&browser, true, &link);
    browser.key("Escape");
    expect(&browser, false, &list);
    expect_focus(&browser, &page);
    browser.key("/");
    assert_eq!(browser.evaluate("document.activeElement.id"), "search");

    for beside in [browser.press_with_middle(EMAIL), browser.press_with_control(EMAIL)] {
        assert_eq!(beside, console.url(&page));
    }
    expect(&browser, false, &list);
    browser.expect_no_complaints();

    let plain = Browser::start_without_javascript();
    ada.visitor.go_on_in(&plain);
    assert_eq!(plain.open(&link), 200);
    plain.press("What stood open beside this list");
    assert_eq!(plain.url(), console.url(&page));
    plain.see(EMAIL);

    // Where the session has ended the whole window goes to the sign-in, and nothing opens.
    change_home(&home, "DELETE FROM operator_session");
    browser.press(EMAIL);
    browser.see("Password");
    assert_eq!(browser.url(), console.url(&format!("/admin/sign-in?next={}", page.replace('/', "%2F"))));
    assert_eq!(browser.evaluate("document.querySelectorAll('dialog').length"), 0);
    browser.expect_no_complaints();
}

/// A file has whatever its rows hold, which was never made into markup.
#[test]
fn only_pages_open_beside_a_list() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    customers(&console);
    let ada = console.owner();
    let browser = ada.browser();
    let list = console.url("/admin/accounts");
    // What does not open is a link; what is no page of ours is nothing.
    for (other, links) in
        [("%2Fadmin%2Faudit%2Fexport", 1), ("https%3A%2F%2Ftollgate.invalid%2Fadmin%2F", 0), ("%2Fhealthz", 0)]
    {
        assert_eq!(browser.open(&format!("{list}?open={other}")), 200);
        browser.see(EMAIL);
        let shown = || browser.evaluate("document.querySelectorAll('#opened:not([hidden])').length");
        wait_until("the link is there, or is not", || (shown() == links).then_some(()));
        // What is asked for next is answered behind it.
        browser.evaluate("htmx.ajax('GET', '/admin/me', { target: '#drawer-body' })");
        assert!(!is_open(&browser), "{other}");
        assert!(!browser.text_in("body").contains("operator.sign_in"), "{other}");
    }
    browser.expect_no_complaints();
}
