//! The way in and out.

use tests::{
    browser::Browser,
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::{COOKIE, OperatorConsole, PASSWORD, expect_redirect},
};

on_both_databases!(
    without_an_operator_the_sign_in_says_how_to_make_one,
    a_link_sets_a_password_once,
    an_operator_gets_in_and_out_with_scripts_and_without,
    a_cookie_that_means_nothing_leads_through_the_sign_in_to_the_page_that_was_wanted,
    a_sign_in_gives_a_new_session_and_leads_nowhere_else,
    a_code_of_the_second_factor_is_asked_for_and_good_once,
);

const WRONG: &str = "E-mail, password and code do not belong together.";

fn without_an_operator_the_sign_in_says_how_to_make_one(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let browser = Browser::start();
    assert_eq!(browser.open(&console.url("/admin/")), 200);
    assert_eq!(browser.url(), console.url("/admin/sign-in?next=%2Fadmin%2F"));
    browser.see("tollgate operator create --role owner");
    assert_eq!(html::forms(&browser.html()), []);
    browser.expect_no_complaints();

    console.invite("Ada", "ada@example.com", "owner");
    browser.open(&console.url("/admin/"));
    browser.fill("E-mail", "ada@example.com");
    browser.expect_no_complaints();
}

fn a_link_sets_a_password_once(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let link = console.url(&console.invite("Ada", "ada@example.com", "owner"));
    let browser = Browser::start();
    let choose = |password: &str, again: &str| {
        browser.fill("New password", password);
        browser.fill("Once more", again);
        browser.press("Set the password");
    };
    browser.open(&link);
    browser.see("ada@example.com");
    choose(PASSWORD, "something else entirely");
    browser.see("The two passwords differ.");
    choose("short", "short");
    assert_eq!(browser.url(), link);
    choose(PASSWORD, PASSWORD);
    assert_eq!(browser.url(), console.url("/admin/sign-in"));
    assert_eq!(browser.open(&link), 422);
    browser.see("This link cannot be used any more");
    assert_eq!(browser.open(&console.url("/admin/link/nothing")), 422);
    browser.expect_no_complaints();
}

fn an_operator_gets_in_and_out_with_scripts_and_without(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    for browser in [Browser::start(), Browser::start_without_javascript()] {
        let wanted = console.url("/admin/accounts?email=a");
        browser.open(&wanted);
        browser.fill("E-mail", &ada.email);
        browser.fill("Password", "not this one, surely");
        browser.press("Sign in");
        browser.see(WRONG);
        // What was typed is kept, but for the password.
        assert_eq!(browser.evaluate("document.querySelector('[name=email]').value"), ada.email.as_str());
        assert_eq!(browser.evaluate("document.querySelector('[name=password]').value"), "");
        browser.fill("Password", PASSWORD);
        browser.press("Sign in");
        assert_eq!(browser.url(), wanted);
        browser.see("Accounts");

        browser.press_in("header", "Ada");
        assert_eq!(browser.url(), console.url("/admin/me"));
        browser.see("Where I am signed in");
        browser.press("Sign out");
        browser.see("Signed out");
        assert_eq!(browser.cookies(), []);
        browser.back();
        assert_eq!(browser.url(), console.url("/admin/sign-in?next=%2Fadmin%2Fme"));
        browser.expect_no_complaints();
    }
}

fn a_cookie_that_means_nothing_leads_through_the_sign_in_to_the_page_that_was_wanted(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let [(name, ended)] = <[_; 1]>::try_from(ada.visitor.cookies()).unwrap();
    assert_eq!(name, COOKIE);
    let bye = ada.visitor.submit("/admin/me", "/admin/sign-out", &[]);
    assert_eq!((bye.status, ada.visitor.cookies().len()), (200, 0), "{}", bye.body);

    for value in ["", "unknown", ended.as_str(), &"x".repeat(2_000)] {
        let visitor = console.visitor();
        visitor.set_cookie(COOKIE, value);
        let wanted = "/admin/accounts?email=a%26b&suspended=no";
        let sign_in = "/admin/sign-in?next=%2Fadmin%2Faccounts%3Femail%3Da%2526b%26suspended%3Dno";
        expect_redirect(&visitor.get(wanted), sign_in);
        let fields = [("email", ada.email.as_str()), ("password", PASSWORD)];
        let signed_in = visitor.submit(sign_in, "/admin/sign-in", &fields);
        expect_redirect(&signed_in, wanted);
        assert_eq!(visitor.get(wanted).status, 200, "{value}");
    }
    // A form that was sent too late leads back to its page.
    let late = console.visitor().post("/admin/me/password", &[("old", "x")]);
    expect_redirect(&late, "/admin/sign-in?next=%2Fadmin%2Fme%2Fpassword");
}

fn a_sign_in_gives_a_new_session_and_leads_nowhere_else(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let mut seen = vec![ada.visitor.cookies()[0].1.clone()];
    for next in
        ["//evil.example", "/\\evil.example", "https://evil.example/admin/", "/administrator", "/", "javascript:x"]
    {
        let visitor = console.visitor();
        let planted = "a".repeat(43);
        visitor.set_cookie(COOKIE, &planted);
        let fields = [("email", ada.email.as_str()), ("password", PASSWORD), ("next", next)];
        expect_redirect(&visitor.submit("/admin/sign-in", "/admin/sign-in", &fields), "/admin/");
        let given = visitor.cookies()[0].1.clone();
        assert!(given != planted && !seen.contains(&given), "{next}");
        seen.push(given);
    }
}

fn a_code_of_the_second_factor_is_asked_for_and_good_once(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let sign_in = |code: &str| {
        let fields = [("email", ada.email.as_str()), ("password", PASSWORD), ("code", code)];
        console.visitor().submit("/admin/sign-in", "/admin/sign-in", &fields)
    };
    for code in ["", "000000", "12345", "nothing"] {
        let refused = sign_in(code);
        assert_eq!(refused.status, 422, "{code}");
        assert!(html::text(&refused.body).contains(WRONG), "{code}: {}", refused.body);
    }
    let code = ada.code();
    expect_redirect(&sign_in(&code), "/admin/");
    assert_eq!(sign_in(&code).status, 422, "the same code again");
}
