//! A forgotten password: what is mailed, what it changes, and what nobody learns by asking.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    mailbox::wait_for_link,
    on_both_databases,
    patience::wait_until,
    program::Answer,
    server::Server,
};

use super::{PASSWORD, assert_names, config, sign_in};
use crate::rows;

on_both_databases!(
    a_forgotten_password_is_replaced_by_mail,
    nobody_learns_by_asking_who_has_an_account,
    a_link_that_is_over_replaces_nothing,
    of_two_who_use_one_link_at_once_one_does,
);

const NEW_PASSWORD: &str = "another horse and its battery";
const ASK: &str = "/auth/password-reset";
const CONFIRM: &str = "/auth/password-reset/confirm";
/// What somebody signs up with who has an account already.
const ANN: &str = "ann@example.com";

/// The tests play a proxy, so that they can come from many addresses.
fn start(home: &Home) -> Server {
    Server::start(home.path(), &config("", "", "server: {trusted_proxies: ['127.0.0.1']},"))
}

/// Asks for a new password from an address of its own.
fn ask(server: &Server, from: &str, email: &str) -> Answer {
    server.send("POST", ASK, &[("x-forwarded-for", from)], &json!({"email": email}).to_string())
}

/// Uses a link, from an address of its own.
fn confirm(server: &Server, secret: &str, password: &str) -> Answer {
    send_confirm(server, &json!({"secret": secret, "password": password}))
}

fn send_confirm(server: &Server, body: &Value) -> Answer {
    server.send("POST", CONFIRM, &[("x-forwarded-for", "203.0.113.77")], &body.to_string())
}

/// Ann, signed up, with the password that she will forget; what her sign-up was answered with, and the link that was mailed
/// to verify her address.
fn sign_up(server: &Server, home: &Home) -> (Value, String) {
    let made = server.send("POST", "/auth/agent-signup", &[], &json!({"email": ANN}).to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    let shown = made.json["login_url"].as_str().unwrap().strip_prefix(server.base_url()).unwrap().to_owned();
    let form = format!("password={0}&again={0}", PASSWORD.replace(' ', "+"));
    assert_eq!(server.send("POST", &shown, &[], &form).status, 200);
    (made.json, wait_for_link(&home.path().join("data/mail"), ANN))
}

fn secret_of(link: &str) -> &str {
    link.rsplit('/').next().unwrap()
}

/// The link of the mail that comes after the one with `before`.
fn next_link(home: &Home, email: &str, before: &str) -> String {
    let newer = || Some(wait_for_link(&home.path().join("data/mail"), email)).filter(|link| link != before);
    wait_until("a newer link", newer).0
}

fn resets_mailed(home: &Home) -> String {
    rows::of_home(home, "SELECT count(*) FROM mail WHERE template = 'password_reset'")[0][0].clone()
}

fn a_forgotten_password_is_replaced_by_mail(kind: Kind) {
    let home = Home::on(kind);
    let server = start(&home);
    let (made, verification) = sign_up(&server, &home);
    let key = made["token"].as_str().unwrap();
    let old = sign_in(&server, ANN, PASSWORD).json["access_token"].as_str().unwrap().to_owned();

    let asked = ask(&server, "198.51.100.7", "Ann@Example.com");
    assert_eq!(asked.status, 202, "{}", asked.body);
    let text = "if this address has an account, a mail is on its way; its link is good for 30 minutes and once";
    assert_eq!(asked.json, json!({"status": "accepted", "text": text}));
    for header in ["ratelimit", "ratelimit-policy"] {
        let value = asked.header(header).unwrap();
        assert!(value.contains("\"reset-address\"") && value.contains("\"reset-account\""), "{header}: {value}");
    }
    let link = next_link(&home, ANN, &verification);
    let secret = secret_of(&link);
    assert!(secret.starts_with('v') && secret.len() == 44, "{secret}");

    // Nothing has changed yet; and what is wrong is named and uses nothing up.
    let still = sign_in(&server, ANN, PASSWORD);
    assert_eq!(still.status, 200, "{}", still.body);
    let second = still.json["access_token"].as_str().unwrap().to_owned();
    names_what_is_wrong(&server, secret);
    assert_eq!(server.get(&second, "/auth/me").json["verified"], json!(false));

    let set = confirm(&server, secret, NEW_PASSWORD);
    assert_eq!(set.status, 200, "{}", set.body);
    assert_eq!(
        set.json,
        json!({
            "status": "password_set",
            "email": ANN,
            "verified": true,
            "next": {
                "action": "sign_in",
                "text": "sign in with the new password",
                "method": "POST",
                "path": "/auth/login",
            },
        })
    );
    assert_eq!(set.header("cache-control"), Some("no-store"));
    // Whoever was signed in is not any more; keys are not passwords.
    for session in [&old, &second] {
        let me = server.get(session, "/auth/me");
        assert_eq!((me.status, me.code()), (401, "invalid_token"), "{}", me.body);
    }
    assert_eq!((server.get(key, "/auth/me").status, sign_in(&server, ANN, PASSWORD).status), (200, 401));
    let fresh = sign_in(&server, ANN, NEW_PASSWORD);
    let me = server.get(fresh.json["access_token"].as_str().unwrap(), "/auth/me");
    assert_eq!((me.status, &me.json["verified"], &me.json["tier"]), (200, &json!(true), &json!("verified")));

    // Used up, and with it everything else that was mailed.
    assert_names(&confirm(&server, secret, PASSWORD), ["body", "secret"]);
    assert_names(&confirm(&server, secret_of(&verification), PASSWORD), ["body", "secret"]);
    assert_eq!(server.send("GET", &link, &[], "").status, 410);
    assert_eq!(sign_in(&server, ANN, NEW_PASSWORD).status, 200);
    let account = made["account_id"].as_str().unwrap();
    let told = rows::of_home(
        &home,
        &format!(
            "SELECT actor_kind, method FROM audit WHERE action = 'account.request_reset' AND object_id = '{account}'"
        ),
    );
    assert_eq!(told, [["stranger", "none"]]);
    assert!(!server.log().contains(secret) && !server.log().contains(ANN));
}

/// Everything that is wrong with these is named, and uses the link up no more than looking does.
fn names_what_is_wrong(server: &Server, secret: &str) {
    for (body, place) in [
        (json!({"password": NEW_PASSWORD}), ["body", "secret"]),
        (json!({"secret": secret}), ["body", "password"]),
        (json!({"secret": 5, "password": NEW_PASSWORD}), ["body", "secret"]),
        (json!({"secret": secret, "password": "short"}), ["body", "password"]),
        (json!({"secret": secret, "password": "x".repeat(129)}), ["body", "password"]),
        (json!({"secret": secret, "password": ANN}), ["body", "password"]),
        (json!({"secret": secret, "password": NEW_PASSWORD, "email": ANN}), ["body", "email"]),
        (json!({"secret": secret.to_uppercase(), "password": NEW_PASSWORD}), ["body", "secret"]),
    ] {
        assert_names(&send_confirm(server, &body), place);
    }
}

fn nobody_learns_by_asking_who_has_an_account(kind: Kind) {
    let home = Home::on(kind);
    let server = start(&home);
    let (_, verification) = sign_up(&server, &home);
    rows::change_home(&home, "UPDATE account SET is_suspended = true WHERE email = 'bob@example.com'");

    let unknown = ask(&server, "198.51.100.1", "nobody@example.com");
    let suspended = ask(&server, "198.51.100.2", "bob@example.com");
    let known = ask(&server, "198.51.100.3", ANN);
    for answer in [&unknown, &suspended] {
        assert_eq!((answer.status, &answer.body), (known.status, &known.body));
        for header in ["ratelimit", "ratelimit-policy", "content-type", "content-length"] {
            assert_eq!(answer.header(header), known.header(header), "{header}");
        }
    }
    next_link(&home, ANN, &verification);
    assert_eq!(resets_mailed(&home), "1", "whoever has no account, or a suspended one, gets no mail");

    // So many an hour for an address, whoever asks, and whether it has an account or not.
    for email in [ANN, "nobody@example.com"] {
        let limited = (4..20)
            .map(|host| ask(&server, &format!("198.51.100.{host}"), email))
            .find(|answer| answer.status != 202)
            .expect("an end");
        assert_eq!((limited.status, limited.code()), (429, "rate_limited"), "{}", limited.body);
        assert!(limited.header("ratelimit").unwrap().contains("\"reset-account\";r=0;t="), "{}", limited.body);
        assert!(limited.header("retry-after").is_some_and(|wait| wait.parse::<u64>().unwrap() > 0));
    }
    // And so many a minute from an address, for whomever.
    let limited = (0..30).map(|n| ask(&server, "203.0.113.9", &format!("n{n}@example.com"))).find(|a| a.status != 202);
    let limited = limited.expect("an end");
    assert_eq!((limited.status, limited.code()), (429, "rate_limited"), "{}", limited.body);
    assert!(limited.header("ratelimit").unwrap().starts_with("\"reset-address\";r=0;t="), "{}", limited.body);

    for (body, place) in [
        ("{}", ["body", "email"]),
        (r#"{"email": null}"#, ["body", "email"]),
        (r#"{"email": ["ann@example.com"]}"#, ["body", "email"]),
        (r#"{"email": "ann"}"#, ["body", "email"]),
        (r#"{"email": "ann@example.com\r\nbcc: eve@example.com"}"#, ["body", "email"]),
        (r#"{"email": "ann@example.com", "password": "x"}"#, ["body", "password"]),
    ] {
        assert_names(&server.send("POST", ASK, &[("x-forwarded-for", "203.0.113.10")], body), place);
    }
    let broken = server.send("POST", ASK, &[("x-forwarded-for", "203.0.113.10")], "{");
    assert_eq!((broken.status, broken.code()), (400, "invalid_json"), "{}", broken.body);
}

fn a_link_that_is_over_replaces_nothing(kind: Kind) {
    let home = Home::on(kind);
    let server = start(&home);
    let (_, verification) = sign_up(&server, &home);
    ask(&server, "198.51.100.7", ANN);
    let suspended = next_link(&home, ANN, &verification);

    // A suspended account is taken over by nobody; once it goes on, so does the link.
    let suspend = |to: bool| {
        rows::change_home(&home, &format!("UPDATE account SET is_suspended = {to} WHERE email = '{ANN}'"));
    };
    suspend(true);
    assert_names(&confirm(&server, secret_of(&suspended), NEW_PASSWORD), ["body", "secret"]);
    assert_eq!(server.send("GET", &suspended, &[], "").status, 410);
    suspend(false);
    assert_eq!(sign_in(&server, ANN, PASSWORD).status, 200, "nothing was replaced");
    assert_eq!(server.send("GET", &suspended, &[], "").status, 200);

    // Exactly the half hour that a link has.
    let half_an_hour_us = 30 * 60 * 1_000_000_i64;
    rows::change_home(&home, &format!("UPDATE login_link SET expires_us = expires_us - {half_an_hour_us}"));
    assert_names(&confirm(&server, secret_of(&suspended), NEW_PASSWORD), ["body", "secret"]);
    for secret in ["", "v", &format!("v{}", "A".repeat(43)), &"v".repeat(100_000)] {
        assert_names(&confirm(&server, secret, NEW_PASSWORD), ["body", "secret"]);
    }
    assert_eq!(sign_in(&server, ANN, PASSWORD).status, 200, "nothing was replaced");
    assert_eq!(rows::of_home(&home, "SELECT count(*) FROM audit WHERE action = 'account.set_password'"), [["1"]]);
}

fn of_two_who_use_one_link_at_once_one_does(kind: Kind) {
    let home = Home::on(kind);
    let server = start(&home);
    let (_, verification) = sign_up(&server, &home);
    ask(&server, "198.51.100.7", ANN);
    let link = next_link(&home, ANN, &verification);
    let passwords: Vec<String> = (0..4).map(|n| format!("{NEW_PASSWORD} {n}")).collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = passwords
            .iter()
            .map(|password| scope.spawn(|| confirm(&server, secret_of(&link), password).status))
            .collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    // Who comes while others' passwords are hashed may be told to come back.
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 422, 503].contains(status)), "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 200).unwrap();
    for (number, password) in passwords.iter().enumerate() {
        let expected = if number == winner { 200 } else { 401 };
        assert_eq!(sign_in(&server, ANN, password).status, expected, "{password}");
    }
}
