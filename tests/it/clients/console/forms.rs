//! Forms that are sent twice, too late, with a guessed password or with a key of something else, and the session in which
//! they are sent.

use rusqlite::Connection;
use serde_json::json;
use tests::{
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::{COOKIE, Operator, OperatorConsole, PASSWORD, expect_redirect, visitor::Visitor},
    program::Answer,
};

on_both_databases!(
    guesses_through_an_open_session_are_slowed,
    a_key_that_is_none_of_ours_does_nothing,
    two_copies_of_a_form_that_shows_the_password_do_one_thing,
    a_page_that_fails_after_the_password_was_shown_keeps_the_session,
    nobody_shows_the_password_for_what_they_may_not_do,
    a_form_that_is_sent_too_late_leads_back_to_its_page,
    a_part_of_a_page_leads_the_whole_window_to_the_sign_in,
    a_switch_that_was_thrown_before_stays_as_it_is,
    a_price_is_taken_back_only_as_it_was_shown,
);

/// How many guesses cost no pause.
const FREE_GUESSES: usize = 5;

/// Carries SQL out on the program's database, which goes on.
fn run(home: &Home, sql: &str) {
    match home.database() {
        Some(database) => drop(database.query(sql)),
        None => Connection::open(home.file()).unwrap().execute_batch(sql).unwrap(),
    }
}

/// A number from the program's database.
fn number(home: &Home, sql: &str) -> i64 {
    match home.database() {
        Some(database) => database.query(sql).trim().parse().unwrap(),
        None => Connection::open(home.file()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap(),
    }
}

/// From now on everybody has to show the password again.
fn make_stale(home: &Home) {
    run(home, "UPDATE operator_session SET fresh_us = 1");
}

fn account(console: &OperatorConsole) -> String {
    let made = console.command(&["account", "create", "--email", "buyer@example.com"]);
    format!("/admin/accounts/{}", made["account"].as_str().unwrap_or_else(|| panic!("{made}")))
}

fn grants(home: &Home) -> i64 {
    number(home, "SELECT count(*) FROM audit WHERE action = 'grant.create'")
}

/// The cookie that somebody has now.
fn secret(visitor: &Visitor) -> String {
    let cookies = visitor.cookies();
    let found = cookies.iter().find(|(name, _)| name == COOKIE);
    found.unwrap_or_else(|| panic!("no session in {cookies:?}")).1.clone()
}

/// Somebody else who has this cookie.
fn with_cookie(console: &OperatorConsole, secret: &str) -> Visitor {
    let visitor = console.visitor();
    visitor.set_cookie(COOKIE, secret);
    visitor
}

#[track_caller]
fn expect_refused(answer: &Answer, says: &str) {
    assert_eq!(answer.status, 422, "{}", html::text(&answer.body));
    assert!(html::text(&answer.body).contains(says), "{}", html::text(&answer.body));
}

/// What stands in a field of the form on a page.
#[track_caller]
fn value(page: &str, action: &str, name: &str) -> String {
    let forms = html::forms(page);
    let form = forms.iter().find(|form| form.method == "post" && form.action == action);
    let fields = &form.unwrap_or_else(|| panic!("no form to {action}")).fields;
    fields.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name} in {fields:?}")).1.clone()
}

fn guesses_through_an_open_session_are_slowed(kind: Kind) {
    for form in ["/admin/me/factor", "/admin/me/password"] {
        let home = Home::on(kind);
        let console = OperatorConsole::start(home.path());
        let ada = console.operator("Ada", "ada@example.com", "owner");
        make_stale(&home);
        let guess = |password: &str| {
            let new = "another-long-passphrase-17";
            match form {
                "/admin/me/factor" => {
                    ada.visitor.submit(form, form, &[("code", "000000"), ("step_up_password", password)])
                }
                _ => ada.visitor.submit(form, form, &[("old", password), ("password", new), ("again", new)]),
            }
        };
        let is_slowed = |answer: &Answer| html::text(&answer.body).contains("Too many wrong passwords");
        let answers: Vec<Answer> = (0..FREE_GUESSES * 6).map(|at| guess(&format!("a guess, number {at}"))).collect();
        assert!(answers.iter().all(|answer| answer.status == 422), "{form}: what was typed is kept");
        let first = answers.iter().position(is_slowed).expect("guesses are slowed");
        assert!((FREE_GUESSES..=FREE_GUESSES + 2).contains(&first), "{form}: slowed from {first} on");
        // Who has guessed so much waits with the right one, too, here and at the sign-in.
        let right = guess(PASSWORD);
        assert!(is_slowed(&right), "{form}: {}", html::text(&right.body));
        let fields = [("email", ada.email.as_str()), ("password", PASSWORD)];
        let sign_in = console.visitor().submit("/admin/sign-in", "/admin/sign-in", &fields);
        assert_eq!(sign_in.status, 429, "{form}: {}", html::text(&sign_in.body));
    }
}

fn a_key_that_is_none_of_ours_does_nothing(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let account = account(&console);
    let form = format!("{account}/grant");
    let fields = [("credits", "5"), ("reason", "so that there is something")];
    for key in ["approval:apr_0192f0c1000070008000000000000001", "x", ""] {
        let page = shown(&ada.visitor, &form, &fields);
        let refused = ada.visitor.submit_shown(&page, &form, &[("op", key), ("step", "confirm")]);
        expect_refused(&refused, "This form did not say which operation it is");
        let ours = value(&refused.body, &form, "op");
        assert!(ours.starts_with("req_"), "{key}: another key instead: {ours}");
        assert_eq!(grants(&home), 0, "{key}");
    }
    // Nor does a link say which key a form has.
    let theirs = "req_0192f0c1000070008000000000000001";
    let linked = ada.visitor.get(&format!("{form}?op={theirs}&credits=5&reason=x")).body;
    assert_ne!(value(&linked, &form, "op"), theirs);
    let page = shown(&ada.visitor, &form, &fields);
    for _ in 0..2 {
        expect_redirect(&ada.visitor.submit_shown(&page, &form, &[("step", "confirm")]), &account);
    }
    assert_eq!(grants(&home), 1);
}

fn two_copies_of_a_form_that_shows_the_password_do_one_thing(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let account = account(&console);
    let form = format!("{account}/grant");
    make_stale(&home);
    let page = shown(&ada.visitor, &form, &[("credits", "5"), ("reason", "so that there is something")]);
    let code = ada.code();
    let fields = [("step", "confirm"), ("step_up_password", PASSWORD), ("step_up_code", &*code)];
    let old = secret(&ada.visitor);
    let twin = with_cookie(&console, &old);
    expect_redirect(&ada.visitor.submit_shown(&page, &form, &fields), &account);
    assert_ne!(secret(&ada.visitor), old);
    assert_eq!(with_cookie(&console, &old).get("/admin/me").status, 303, "the old secret opens no page");

    // The second copy was under way with the old secret: it ends where the first one did, and goes on from there.
    expect_redirect(&twin.submit_shown(&page, &form, &fields), &account);
    assert!(secret(&twin) != old && secret(&twin) != secret(&ada.visitor));
    for visitor in [&twin, &ada.visitor] {
        assert_eq!(visitor.get(&account).status, 200);
    }
    assert_eq!(grants(&home), 1);

    // Another form than that one is a stranger's.
    let own = value(&page, &form, "step_up_form");
    for other in ["", "req_0192f0c1000070008000000000000001"] {
        assert_ne!(own, other);
        let thief = with_cookie(&console, &old);
        let stolen = [&fields[..], &[("step_up_form", other)]].concat();
        let answer = thief.submit_shown(&page, &form, &stolen);
        assert_eq!(answer.status, 303);
        assert!(answer.header("location").is_some_and(|to| to.starts_with("/admin/sign-in?next=")), "{answer:?}");
        assert_eq!(secret(&thief), old, "and gets no session");
    }
    assert_eq!(grants(&home), 1);
}

fn a_page_that_fails_after_the_password_was_shown_keeps_the_session(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let who = ["--role", "support", "--name", "Bob", "--email", "bob@example.com"];
    let bob = console.command(&[&["operator", "create"][..], &who].concat());
    let form = format!("/admin/operators/{}/roles", bob["operator"].as_str().unwrap());
    make_stale(&home);
    let page = ada.visitor.get(&form).body;
    let (old, code) = (secret(&ada.visitor), ada.code());
    let fields = [
        ("roles", "finance"),
        ("reason", "a new task"),
        ("step_up_password", PASSWORD),
        ("step_up_code", code.as_str()),
    ];
    // Where requests are kept is away for a moment.
    run(&home, "ALTER TABLE approval RENAME TO approval_away");
    let failed = ada.visitor.submit_shown(&page, &form, &fields);
    run(&home, "ALTER TABLE approval_away RENAME TO approval");
    assert_eq!(failed.status, 503, "{}", html::text(&failed.body));
    assert_ne!(secret(&ada.visitor), old, "the answer has the new secret: {failed:?}");
    assert_eq!(ada.visitor.get("/admin/me").status, 200);
    // And the password counts as shown.
    let again = ada.visitor.submit(&form, &form, &[("roles", "finance"), ("reason", "a new task")]);
    assert_eq!(again.status, 303, "{}", html::text(&again.body));
}

/// Asks for so many credits that somebody else has to approve them; the page of the request.
fn asked_grant(ada: &Operator, account: &str) -> String {
    let form = format!("{account}/grant");
    let fields = [("credits", "150"), ("reason", "a big start")];
    expect_redirect(&previewed(&ada.visitor, &form, &fields), account);
    let list = ada.visitor.get("/admin/approvals?view=all").body;
    let links = html::links(&list);
    let link = links.iter().find(|link| link.contains("/approvals/apr_"));
    link.unwrap_or_else(|| panic!("{links:?}")).split('?').next().unwrap().to_owned()
}

fn nobody_shows_the_password_for_what_they_may_not_do(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let request = asked_grant(&ada, &account(&console));
    // Bob decides in his part of the house, and moves no money.
    let mut bob = console.operator("Bob", "bob@example.com", "operator");
    bob.enrol();
    make_stale(&home);
    let old = secret(&bob.visitor);
    for deed in ["approve", "reject"] {
        let form = format!("{request}/{deed}");
        let fields = [("reason", "no"), ("note", "no"), ("step_up_password", PASSWORD), ("step_up_code", "000000")];
        let answer = bob.visitor.post(&form, &fields);
        assert_eq!(answer.status, 403, "{deed}: {}", html::text(&answer.body));
        assert_eq!(secret(&bob.visitor), old, "{deed}");
    }
    assert_eq!(number(&home, "SELECT count(*) FROM audit WHERE action = 'operator.step_up'"), 0);
}

fn a_form_that_is_sent_too_late_leads_back_to_its_page(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    run(&home, "DELETE FROM operator_session");
    let page = "/admin/partners/new?name=b%40example.com&reason=a+start";
    let back = "/admin/sign-in?next=%2Fadmin%2Fpartners%2Fnew%3Fname%3Db%2540example.com%26reason%3Da%2Bstart";
    let late = |referer: &str| {
        let headers = [("sec-fetch-site", "same-origin"), ("referer", referer)];
        ada.visitor.post_with("/admin/partners/new", &headers, &[("name", "b@example.com"), ("reason", "a start")])
    };
    expect_redirect(&late(&console.url(page)), back);
    // What says nothing of a page of ours leads to the form.
    for referer in ["https://evil.example/", "nonsense", &console.url("/elsewhere"), &console.url("/admin/sign-in")] {
        expect_redirect(&late(referer), "/admin/sign-in?next=%2Fadmin%2Fpartners%2Fnew");
    }
    // A form that is sent from beside a list has a page of its own, which the list is not.
    let list = console.url("/admin/partners?open=%2Fadmin%2Fpartners%2Fnew");
    expect_redirect(&late(&list), "/admin/sign-in?next=%2Fadmin%2Fpartners%2Fnew");
    let fields = [("email", ada.email.as_str()), ("password", PASSWORD)];
    expect_redirect(&ada.visitor.submit(back, "/admin/sign-in", &fields), page);
    let shown = ada.visitor.get(page).body;
    assert_eq!(value(&shown, "/admin/partners/new", "reason"), "a start");
}

/// Whoever fetches a part of a page follows a redirection without seeing its headers: it would get the sign-in as the part.
fn a_part_of_a_page_leads_the_whole_window_to_the_sign_in(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    run(&home, "DELETE FROM operator_session");
    let part = [("hx-request", "true"), ("sec-fetch-site", "same-origin")];
    let editor = console.url("/admin/policies/edit?from=1");
    let typed = [&part[..], &[("referer", editor.as_str())]].concat();
    let shown = ada.visitor.send("GET", "/admin/accounts?email=a&open=%2Fadmin%2Fme", &part, None);
    let checked = ada.visitor.post_with("/admin/policies/edit/check", &typed, &[("text", "{}")]);
    for (answer, page) in [
        (shown, "%2Fadmin%2Faccounts%3Femail%3Da%26open%3D%252Fadmin%252Fme"),
        (checked, "%2Fadmin%2Fpolicies%2Fedit%3Ffrom%3D1"),
    ] {
        let found = (answer.status, answer.header("hx-redirect"), answer.header("location"));
        let to = format!("/admin/sign-in?next={page}");
        assert_eq!(found, (200, Some(to.as_str()), None), "{}", answer.body);
        assert_eq!(answer.body, "", "nothing to show as a part");
    }
}

const REASON: (&str, &str) = ("reason", "a test");

fn a_switch_that_was_thrown_before_stays_as_it_is(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let account = account(&console);
    let partner = [("name", "Globex"), ("margin_bps", "500"), REASON];
    let partner = ada.visitor.submit("/admin/partners/new", "/admin/partners/new", &partner);
    let partner = partner.header("location").unwrap().to_owned();
    for (place, action) in [(account, "account"), (partner, "partner")] {
        let form = format!("{place}/suspend");
        let page = ada.visitor.get(&form).body;
        assert_eq!(value(&page, &form, "suspended"), "yes");
        let linked = ada.visitor.get(&format!("{form}?suspended=no")).body;
        assert_eq!(value(&linked, &form, "suspended"), "yes", "a link does not turn the button around");
        let filled = [REASON, ("step", "confirm"), ("suspended", "yes")];
        for _ in 0..2 {
            expect_redirect(&ada.visitor.post(&form, &filled), &place);
        }
        assert_eq!(number(&home, &format!("SELECT count(*) FROM audit WHERE action = '{action}.suspend'")), 1);
        assert_eq!(number(&home, &format!("SELECT count(*) FROM audit WHERE action = '{action}.resume'")), 0);
        assert_eq!(value(&ada.visitor.get(&form).body, &form, "suspended"), "no");
        // What was typed is kept, and the button does what it says.
        let refused = ada.visitor.submit(&form, &form, &[("reason", "")]);
        assert_eq!((refused.status, value(&refused.body, &form, "suspended").as_str()), (422, "no"), "{action}");
    }
}

/// What a form that is filled in like this shows that it would do.
#[track_caller]
fn shown(visitor: &Visitor, form: &str, fields: &[(&str, &str)]) -> String {
    let shown = visitor.submit(form, form, &[fields, &[("step", "preview")]].concat());
    assert_eq!(shown.status, 200, "{}", html::text(&shown.body));
    shown.body
}

/// The same, sent again as it was shown.
#[track_caller]
fn previewed(visitor: &Visitor, form: &str, fields: &[(&str, &str)]) -> Answer {
    visitor.submit_shown(&shown(visitor, form, fields), form, &[("step", "confirm")])
}

fn a_price_is_taken_back_only_as_it_was_shown(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let make = |page: &str, action: &str, fields: &[(&str, &str)]| {
        let made = ada.visitor.submit(page, action, fields);
        assert_eq!(made.status, 303, "{action}: {}", html::text(&made.body));
        made.header("location").unwrap().to_owned()
    };
    let named = [("slug", "acme"), ("display_name", "Acme"), ("share_bps", "8000"), REASON];
    let publisher = make("/admin/publishers/new", "/admin/publishers/new", &named);
    let page = format!("/admin/namespaces/new?publisher={}", publisher.rsplit('/').next().unwrap());
    make(&page, "/admin/namespaces/new", &[("name", "acme"), ("description", "x"), REASON]);
    let described = [
        ("name", "lookup"),
        ("short_description", "Looks a text up"),
        ("url", "https://tools.example.com/lookup"),
        ("fixed_credit_cost", "150"),
        REASON,
    ];
    let tool = make("/admin/tools/new?namespace=acme", "/admin/tools/new", &described);
    let price = format!("{tool}/price");
    let mut cancels: Vec<String> = Vec::new();
    for (credits, from) in [("120", "2031-01-01T00:00"), ("100", "2032-01-01T00:00")] {
        let fields = [("fixed_credit_cost", credits), ("valid_from", from), REASON];
        expect_redirect(&previewed(&ada.visitor, &price, &fields), &tool);
        let links = html::links(&ada.visitor.get(&tool).body);
        let new = links.into_iter().find(|link| link.contains("/admin/prices/") && !cancels.contains(link));
        cancels.push(new.expect("a price that can be taken back"));
    }
    let [first, second] = <[String; 2]>::try_from(cancels).unwrap();
    let seen = ada.visitor.get(&second).body;
    assert!(html::text(&seen).contains("120"), "{}", html::text(&seen));
    // Somebody who runs commands is quicker.
    let id = first.trim_start_matches("/admin/prices/").trim_end_matches("/cancel");
    console.command(&["price", "cancel", id]);

    let stale = ada.visitor.submit_shown(&seen, &second, &[REASON, ("step", "confirm")]);
    expect_refused(&stale, "Other prices have changed since this was shown");
    assert!(html::text(&stale.body).contains("150"), "what is in force instead by now: {}", html::text(&stale.body));
    // Calls would be dearer without it: somebody else has to approve that.
    assert!(html::text(&stale.body).contains("Some call may cost more without this price"));
    let shown = ada.visitor.submit_shown(&stale.body, &second, &[("step", "confirm")]);
    expect_redirect(&shown, &tool);
    let told = |action: &str| number(&home, &format!("SELECT count(*) FROM audit WHERE action = '{action}'"));
    assert_eq!((told("price.cancel"), told("approval.request")), (1, 1));
}

/// Under the name that belongs to the other kind of connection a neighbour of this host could have planted it.
#[test]
fn a_session_is_taken_from_the_cookie_of_its_kind_of_connection_only() {
    const PROTECTED: &str = "__Host-tollgate-session";
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let plain = secret(&ada.visitor);
    let visitor = console.visitor();
    visitor.set_cookie(PROTECTED, &plain);
    assert_eq!(visitor.get("/admin/me").status, 303);
    visitor.set_cookie(COOKIE, &plain);
    visitor.set_cookie(PROTECTED, "planted");
    assert_eq!(visitor.get("/admin/me").status, 200);
    drop((ada, console));

    let server = json!({"server": {"public_url": "https://console.example", "trusted_proxies": ["127.0.0.0/8"]}});
    let console = OperatorConsole::start_with(home.path(), &server);
    let get = |cookies: &[(&str, &str)]| {
        let visitor = console.visitor();
        cookies.iter().for_each(|(name, value)| visitor.set_cookie(name, value));
        visitor.send("GET", "/admin/me", &[("x-forwarded-proto", "https")], None).status
    };
    for (cookies, status) in [
        (&[(COOKIE, plain.as_str())][..], 303),
        (&[(PROTECTED, plain.as_str())], 200),
        (&[(COOKIE, "planted"), (PROTECTED, plain.as_str())], 200),
        (&[(COOKIE, plain.as_str()), (PROTECTED, "planted")], 303),
    ] {
        assert_eq!(get(cookies), status, "{cookies:?}");
    }
}
