//! Pages in the states in which people meet them besides a whole one: in both colours, fit for everybody. `gallery` looks at
//! every page as it is when all is well.

use tests::{
    browser::{Browser, Scheme},
    home::{Home, Kind},
    html,
    operator_console::OperatorConsole,
    patience::wait_until,
};

use super::{samples::World, sending::Senders};

/// In which state what is: what axe says of it in both colours, a line for each fault.
fn look(browser: &Browser, state: &str, found: &mut Vec<String>) {
    for scheme in Scheme::ALL {
        browser.look(390, scheme);
        let barriers = browser.barriers().into_iter();
        found.extend(barriers.map(|barrier| format!("{state}, {} colours: {barrier}", scheme.name())));
    }
}

/// Opens a page that answers with this status, and looks at it.
#[track_caller]
fn open(browser: &Browser, url: &str, (status, state): (u64, &str), found: &mut Vec<String>) {
    assert_eq!(browser.open(url), status, "{state}: {url}");
    look(browser, state, found);
}

#[test]
fn lists_and_refusals_are_fit_for_everybody() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let auditor = console.operator("Vito", "vito@example.com", "auditor");
    // A page of operators and one more: the others are only asked in.
    for number in 0..engine::service::paging::PAGE_ROWS {
        console.invite("Asked in", &format!("asked-{number}@example.com"), "support");
    }
    let (browser, of_auditor) = (ada.browser(), auditor.browser());
    let mut found = Vec::new();
    open(&browser, &console.url("/admin/accounts"), (200, "an empty list"), &mut found);
    open(&browser, &console.url("/admin/operators"), (200, "a list with a next page"), &mut found);
    assert!(browser.html().contains("rel=\"next\""), "there is a next page");
    open(&of_auditor, &console.url("/admin/partners/new"), (403, "403"), &mut found);
    open(&browser, &console.url("/admin/accounts/acc_nobody"), (404, "404"), &mut found);
    open(&browser, &console.url("/admin/accounts?after=%21nonsense"), (400, "400"), &mut found);
    open(&browser, &console.url("/admin/audit?from=someday"), (422, "a filter that cannot be read"), &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_forms_answer_is_fit_for_everybody() {
    let home = Home::on(Kind::Sqlite);
    let world = World::start(&home);
    let senders = Senders::of(&world);
    let partner = format!("/admin/partners/{}", world.id_for("partner"));
    let url = |path: &str| world.console.url(path);
    let browser = world.owner.browser();
    let mut found = Vec::new();

    browser.open(&url("/admin/partners/new"));
    browser.press_in("main", "Add a partner");
    assert!(browser.html().contains("role=\"alert\""), "the form is refused: {}", browser.text());
    look(&browser, "a form that was refused", &mut found);

    browser.open(&url(&format!("{partner}/suspend")));
    browser.fill("reason", "To see what it would do");
    browser.press("Show what it will do");
    look(&browser, "a preview", &mut found);

    // Somebody else sets the limit while the form is open.
    let form = format!("{partner}/caps");
    browser.open(&url(&form));
    let limit = [("credits", "4000"), ("window", "day"), ("reason", "Meanwhile")];
    let set = senders.other().visitor.submit(&form, &form, &limit);
    assert_eq!(set.status, 303, "{}", html::text(&set.body));
    browser.fill("credits", "3000");
    browser.fill("reason", "What I have seen is not so any more");
    browser.press("Set a limit");
    assert!(browser.text().contains("Changed since this form was opened"), "{}", browser.text());
    look(&browser, "a difference since the form was opened", &mut found);

    browser.open(&url(&format!("{partner}/tokens/new")));
    browser.fill("name", "once");
    browser.fill("reason", "To see the secret");
    browser.press_in("main", "Make a token");
    assert!(browser.text().contains("faro_partner_"), "{}", browser.text());
    assert!(browser.html().contains("data-copied=\"Copied\""), "what the button says once it was pressed");
    look(&browser, "a secret that is shown once", &mut found);

    browser.look(1280, Scheme::Light);
    browser.open(&url("/admin/partners"));
    browser.open_row("Globex");
    let is_open = "document.getElementById('drawer').open";
    wait_until("the drawer opens", || (browser.evaluate(is_open) == true).then_some(()));
    for scheme in Scheme::ALL {
        browser.look(1280, scheme);
        let barriers = browser.barriers().into_iter();
        found.extend(barriers.map(|barrier| format!("the open drawer, {} colours: {barrier}", scheme.name())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The next thing that is asked for gets no answer, until it is given up.
const NO_ANSWER: &str = "(() => { const real = window.fetch; window.fetch = (_url, init) => { window.fetch = real; \
                         return new Promise((_, refuse) => init.signal.addEventListener('abort', () => \
                         refuse(new DOMException('given up', 'AbortError')))); }; })()";
/// Nothing that is asked for gets anywhere.
const NO_NETWORK: &str = "void (window.fetch = () => Promise.reject(new TypeError('no network')))";

/// Whatever becomes of what is asked for: a row that is pressed leads to its page, beside the list or in its place.
#[test]
fn a_row_that_is_pressed_is_never_dead() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let [first, second] = ["first@example.com", "second@example.com"].map(|email| {
        let made = console.command(&["account", "create", "--email", email]);
        format!("/admin/accounts/{}", made["account"].as_str().expect("an identifier"))
    });
    let ada = console.owner();
    let browser = ada.browser();
    let list = console.url("/admin/accounts");
    let press = |page: &str| browser.evaluate(&format!("document.querySelector('tr a[href=\"{page}\"]').click()"));

    // While one is waited for another one is pressed, which is the one that counts.
    assert_eq!(browser.open(&list), 200);
    browser.evaluate(NO_ANSWER);
    press(&first);
    press(&second);
    let beside = format!("{list}?open={}", second.replace('/', "%2F"));
    wait_until("the second one stands open", || (browser.url() == beside).then_some(()));
    let shown = browser.text_in("#drawer-body");
    assert!(shown.contains("second@example.com") && !shown.contains("first@example.com"), "{shown}");

    // What cannot be opened beside the list is where the row leads.
    assert_eq!(browser.open(&list), 200);
    browser.evaluate(NO_NETWORK);
    press(&first);
    let page = console.url(&first);
    wait_until("the page itself", || (browser.url() == page).then_some(()));
    browser.see("first@example.com");
}
