//! Whether pages are fit for everybody, in a real browser: those that everybody meets, and what each of them weighs.
//! `gallery` looks at all of them.

use tests::{
    browser::{Browser, Scheme},
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::{Operator, OperatorConsole},
};

use super::{headers::faults, routes::leads_to};

on_both_databases!(the_first_pages_are_fit_for_everybody);

/// What a page may weigh with all that it needs, packed, in bytes.
const WEIGHT_MAX: u64 = 60 * 1024;

/// The widths at which pages are looked at: a desk, a phone.
pub(super) static WIDTHS: [u32; 2] = [1280, 390];
/// At this width a page must still not scroll sideways.
const WIDTH_MIN: u32 = 320;

/// What is wrong with the page at `url` in these colours and widths, a text for each fault. `shown` is called at each width.
pub(super) fn faults_in(
    browser: &Browser,
    url: &str,
    scheme: Scheme,
    widths: &[u32],
    shown: impl Fn(u32),
) -> Vec<String> {
    let mut found = Vec::new();
    for &width in widths {
        browser.look(width, scheme);
        let status = browser.open(url);
        if status != 200 {
            found.push(format!("the status is {status}"));
        }
        shown(width);
        let barriers = browser.barriers().into_iter();
        found.extend(barriers.map(|barrier| format!("at {width} px in {} colours: {barrier}", scheme.name())));
    }
    browser.look(WIDTH_MIN, scheme);
    found.extend(browser.sticking_out().map(|what| format!("at {WIDTH_MIN} px: {what}")));
    found.extend(browser.complaints().iter().map(ToString::to_string));
    found
}

/// The same in both colours, with the headers and the text of the page as it is sent.
fn expect_fit(browser: &Browser, operator: &Operator, console: &OperatorConsole, path: &str) {
    let mut found = faults(&operator.visitor.get(path));
    for scheme in Scheme::ALL {
        found.extend(faults_in(browser, &console.url(path), scheme, &WIDTHS, |_width| ()));
    }
    assert!(found.is_empty(), "{path}:\n{}", found.join("\n"));
}

fn the_first_pages_are_fit_for_everybody(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start_demo(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");

    let nobody = Browser::start();
    for scheme in Scheme::ALL {
        let found = faults_in(&nobody, &console.url("/admin/sign-in"), scheme, &WIDTHS, |_width| ());
        assert_eq!(found, Vec::<String>::new());
    }
    // With errors beside its fields, too.
    nobody.press("Sign in");
    nobody.see("Fill this in.");
    nobody.expect_no_barriers();
    nobody.expect_no_complaints();

    let browser = ada.browser();
    let links = html::links(&ada.visitor.get("/admin/accounts").body);
    let account = links.iter().find(|link| leads_to(link, "/accounts/{id}")).expect("an account in the list");
    for path in ["/admin/me", "/admin/accounts", account.as_str()] {
        expect_fit(&browser, &ada, &console, path);
    }
}

#[test]
fn a_page_without_data_is_light_and_is_one_request() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let browser = ada.browser();
    let url = console.url("/admin/accounts");
    assert_eq!(browser.open(&url), 200);
    browser.see("tollgate account create");
    let traffic = browser.traffic();
    assert!(traffic.iter().all(|fetched| fetched.status == 200 && fetched.method == "GET"), "{traffic:#?}");
    let files = console.url("/admin/static/");
    let pages: Vec<&str> =
        traffic.iter().map(|fetched| fetched.url.as_str()).filter(|url| !url.starts_with(&files)).collect();
    let pages: Vec<&str> = pages.into_iter().filter(|url| url.starts_with("http")).collect();
    assert_eq!(pages, [url.as_str()], "{traffic:#?}");
    let weight: u64 = traffic.iter().map(|fetched| fetched.bytes).sum();
    assert!(weight > 0 && weight < WEIGHT_MAX, "{weight} bytes: {traffic:#?}");

    // The next page is the page alone: the files are kept.
    assert_eq!(browser.open(&console.url("/admin/me")), 200);
    let again = browser.traffic().iter().filter(|fetched| fetched.url.starts_with(&files) && fetched.bytes > 0).count();
    assert_eq!(again, 0);
}
