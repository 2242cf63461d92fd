//! From nothing to a paid call, with `curl` and the mailbox alone.

use std::path::Path;

use serde_json::json;
use tests::{
    home::{Home, Kind},
    mailbox::wait_for_link,
    on_both_databases,
    program::{Answer, Demo, curl},
};

use crate::rows;

on_both_databases!(a_stranger_gets_from_sign_up_to_a_paid_call, a_link_works_once_and_for_half_an_hour);

const PASSWORD: &str = "correct horse battery";
const JSON: [&str; 2] = ["-H", "Content-Type: application/json"];

/// One stranger with curl.
struct Stranger<'a> {
    demo: &'a Demo,
    folder: &'a Path,
    email: &'a str,
}

impl Stranger<'_> {
    fn curl(&self, path: &str, arguments: &[&str]) -> Answer {
        curl(&format!("{}{path}", self.demo.base_url()), arguments)
    }

    fn as_bearer(&self, token: &str, path: &str, arguments: &[&str]) -> Answer {
        let bearer = format!("Authorization: Bearer {token}");
        self.curl(path, &[&["-H", &bearer], arguments].concat())
    }

    fn sign_up(&self) -> Answer {
        let body = json!({"email": self.email}).to_string();
        let signed_up = self.curl("/auth/agent-signup", &[&JSON[..], &["-d", &body]].concat());
        assert_eq!(signed_up.status, 201, "{}", signed_up.body);
        signed_up
    }

    fn mailed_link(&self) -> String {
        wait_for_link(&self.folder.join("data/mail"), self.email)
    }

    /// Fills the form behind a link in.
    fn set_password(&self, link: &str) -> Answer {
        let fields = [format!("password={PASSWORD}"), format!("again={PASSWORD}")];
        self.curl(link, &["--data-urlencode", &fields[0], "--data-urlencode", &fields[1]])
    }

    fn log_in(&self, password: &str) -> Answer {
        let body = json!({"email": self.email, "password": password}).to_string();
        self.curl("/auth/login", &[&JSON[..], &["-d", &body]].concat())
    }
}

fn a_stranger_gets_from_sign_up_to_a_paid_call(kind: Kind) {
    let home = Home::on(kind);
    let demo = Demo::start(home.path());
    let stranger = Stranger { demo: &demo, folder: home.path(), email: "agent@example.com" };

    let signed_up = stranger.sign_up();
    assert_eq!(signed_up.json["api_key"], signed_up.json["token"]);
    let key = signed_up.json["token"].as_str().unwrap();
    let me = stranger.as_bearer(key, "/auth/me", &[]);
    assert_eq!((me.status, &me.json["email"], &me.json["verified"]), (200, &json!("agent@example.com"), &json!(false)));
    assert_eq!(me.json["tier"], "unverified", "{}", me.body);
    let balance = stranger.as_bearer(key, "/credits/balance", &[]);
    assert_eq!((balance.status, &balance.json["available"]), (200, &json!(0)), "{}", balance.body);

    // Not before the address is confirmed; and a leaked key must not make its own successors.
    let call = [&JSON[..], &["-d", r#"{"arguments": {"text": "one two three"}}"#]].concat();
    let refused = stranger.as_bearer(key, "/invoke/demo/text_stats", &call);
    assert_eq!((refused.status, refused.code()), (403, "email_unverified"), "{}", refused.body);
    let minted = stranger.as_bearer(key, "/tokens/", &["-d", r#"{"name": "more"}"#]);
    assert_eq!((minted.status, minted.code()), (403, "session_required"), "{}", minted.body);

    let link = stranger.mailed_link();
    assert_eq!(stranger.curl(&link, &[]).status, 200, "looking uses nothing up");
    assert_eq!(stranger.set_password(&link).status, 200);
    let me = stranger.as_bearer(key, "/auth/me", &[]);
    assert_eq!((&me.json["verified"], &me.json["has_password"]), (&json!(true), &json!(true)));
    assert_eq!(me.json["tier"], "verified", "{}", me.body);

    let session = stranger.log_in(PASSWORD);
    assert_eq!((session.status, &session.json["token_type"]), (200, &json!("bearer")), "{}", session.body);
    let jwt = session.json["access_token"].as_str().unwrap();
    let minted = stranger.as_bearer(jwt, "/tokens/", &[&JSON[..], &["-d", r#"{"name": "cli"}"#]].concat());
    assert_eq!(minted.status, 201, "{}", minted.body);
    let token = minted.json["token"].as_str().unwrap();

    let poor = stranger.as_bearer(token, "/invoke/demo/text_stats", &call);
    assert_eq!((poor.status, poor.code()), (402, "insufficient_credits"), "{}", poor.body);
    let way_out = &poor.json["error"]["ways_out"][0];
    assert_eq!((&way_out["method"], &way_out["path"]), (&json!("POST"), &json!("/credits/purchase")));
    assert_eq!(way_out["body"], json!({"credits": 2.5}), "what the refusal says can be sent as it is");
    let bought = stranger.as_bearer(token, "/credits/purchase", &["-d", &way_out["body"].to_string()]);
    assert_eq!((bought.status, &bought.json["status"]), (201, &json!("confirmed")), "{}", bought.body);
    assert_eq!(stranger.as_bearer(token, "/auth/me", &[]).json["tier"], "paid");

    let paid = stranger.as_bearer(token, "/invoke/demo/text_stats", &call);
    assert_eq!(
        (paid.status, &paid.json["result"]["words"], &paid.json["credits_charged"], &paid.json["credits_remaining"]),
        (200, &json!(3), &json!(2.5), &json!(0)),
        "{}",
        paid.body
    );
    let id = paid.json["invocation_id"].as_str().unwrap();
    let seen = stranger.as_bearer(token, &format!("/invocations/{id}"), &[]);
    assert_eq!((seen.status, &seen.json["state"]), (200, &json!("succeeded")), "{}", seen.body);
    let balance = stranger.as_bearer(token, "/credits/balance", &[]);
    assert_eq!((&balance.json["balance"], &balance.json["reserved"]), (&json!(0), &json!(0)), "{}", balance.body);

    // The demo can be started again on a database in which strangers have signed up.
    drop(demo);
    let demo = Demo::start(home.path());
    let again = Stranger { demo: &demo, folder: home.path(), email: "agent@example.com" };
    assert_eq!(again.as_bearer(token, "/auth/me", &[]).status, 200);
}

fn a_link_works_once_and_for_half_an_hour(kind: Kind) {
    let home = Home::on(kind);
    let demo = Demo::start(home.path());
    let stranger = |email| Stranger { demo: &demo, folder: home.path(), email };

    let anna = stranger("anna@example.com");
    anna.sign_up();
    let mailed = anna.mailed_link();
    assert_eq!(anna.set_password(&mailed).status, 200);
    assert_eq!(anna.set_password(&mailed).status, 410, "used");
    assert_eq!(anna.curl(&mailed, &[]).status, 410, "used");

    let berta = stranger("berta@example.com");
    let shown = berta.sign_up();
    let url = shown.json["login_url"].as_str().unwrap();
    let shown_link = url.strip_prefix(demo.base_url()).unwrap();
    let mailed = berta.mailed_link();
    assert_eq!(move_links_by_half_an_hour(&home), 2, "the shown and the mailed one; Anna's are used");
    for link in [shown_link, &mailed] {
        assert_eq!(berta.curl(link, &[]).status, 410, "its time is over");
        assert_eq!(berta.set_password(link).status, 410, "its time is over");
    }
    assert_eq!(berta.log_in(PASSWORD).status, 401, "no password was set");

    // Another mail brings another link.
    let key = format!("Authorization: Bearer {}", shown.json["token"].as_str().unwrap());
    let resent = berta.curl("/auth/resend-verification", &["-H", &key, "-X", "POST"]);
    assert_eq!((resent.status, &resent.json["status"]), (200, &json!("queued")), "{}", resent.body);
    let (newer, _) = tests::patience::wait_until("a newer link", || {
        let link = berta.mailed_link();
        (link != mailed).then_some(link)
    });
    assert_eq!(berta.set_password(&newer).status, 200);
    assert_eq!(berta.log_in(PASSWORD).status, 200);
}

/// Lets the time of every open link pass: exactly the half hour that a new one has, so one that had longer would still
/// work. Nothing else about them is changed.
fn move_links_by_half_an_hour(home: &Home) -> usize {
    let half_an_hour_us = 30 * 60 * 1_000_000_i64;
    let sql = format!(
        "UPDATE login_link SET expires_us = expires_us - {half_an_hour_us} WHERE used_us IS NULL RETURNING expires_us"
    );
    rows::of_home(home, &sql).len()
}
