//! Being told: thresholds by mail and by signed webhook, and addresses that nothing is sent to.

use std::path::Path;

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use tests::{
    home::Kind,
    mailbox::decode_quoted_printable,
    on_both_databases,
    patience::wait_until,
    upstream::{Received, Upstream},
};

use super::{GLOBEX, House, assert_names};

on_both_databases!(
    a_threshold_is_told_once_by_mail_and_webhook,
    thresholds_and_webhooks_are_made_once,
    what_is_wrong_with_a_threshold_is_named,
    nothing_is_sent_to_a_private_address,
);

/// The mails to this address, as their receiver reads them.
fn mails(folder: &Path, email: &str) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(folder.join("data/mail")) else { return Vec::new() };
    let texts = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
    texts.filter(|text| text.contains(&format!("To: {email}"))).map(|text| decode_quoted_printable(&text)).collect()
}

pub(super) fn assert_signed(received: &Received, secret: &str) {
    let timestamp = received.header("x-tollgate-timestamp").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, format!("{timestamp}.{}", received.body).as_bytes());
    let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(received.header("x-tollgate-signature"), Some(&*format!("v1={digits}")));
}

fn a_threshold_is_told_once_by_mail_and_webhook(kind: Kind) {
    let house = House::open(kind);
    let receiver = Upstream::answering("{}");
    let hook = house.ask("POST", "/partners/webhooks", &json!({"url": receiver.url("/told")}));
    assert_eq!((hook.status, hook.header("cache-control")), (201, Some("no-store")), "{}", hook.body);
    let secret = hook.json["secret"].as_str().unwrap();
    assert_eq!(house.ask("PUT", "/partners/caps/end_user/day", &json!({"credits": 100})).status, 200);
    house.paid(GLOBEX, "ann");
    assert_eq!(house.ask("PUT", "/partners/users/ann/caps/month", &json!({"credits": 200})).status, 200);
    for alert in [
        json!({"applies_to": "end_user", "external_id": "ann", "window": "month", "percent": 25, "email": "ops@example.com"}),
        json!({"applies_to": "each_end_user", "window": "day", "percent": 90}),
    ] {
        let made = house.ask("POST", "/partners/alerts", &alert);
        assert_eq!((made.status, &made.json["percent"]), (201, &alert["percent"]), "{}", made.body);
    }
    house.paid(GLOBEX, "ann");
    wait_until("both are told", || (receiver.count("/told") == 2).then_some(()));
    let mut told: Vec<(i64, String)> = Vec::new();
    for received in receiver.received() {
        assert_signed(&received, secret);
        let event: Value = serde_json::from_str(&received.body).unwrap();
        assert_eq!(
            (&event["type"], &event["data"]["external_id"]),
            (&json!("cap.threshold"), &json!("ann")),
            "{event}"
        );
        assert_eq!(received.header("x-tollgate-event"), event["id"].as_str());
        told.push((event["data"]["percent"].as_i64().unwrap(), event["data"]["spent"].as_str().unwrap().to_owned()));
    }
    told.sort();
    assert_eq!(told, [(25, "50".to_owned()), (90, "100".to_owned())]);
    let (mail, _) = wait_until("a mail", || mails(house.home.path(), "ops@example.com").pop());
    assert!(mail.contains("Subject: A part of a spending limit is used (25 %)"), "{mail}");
    assert!(mail.contains("the end user ann") && mail.contains("Limit:  200 credits"), "{mail}");

    // What was told stands in lists, and is sent again when it is asked for.
    let events = house.get("/partners/events");
    assert_eq!(events["events"].as_array().unwrap().len(), 2, "{events}");
    let path = format!("/partners/webhooks/{}/deliveries", hook.json["id"].as_str().unwrap());
    let (delivered, _) = wait_until("both are noted", || {
        let page = house.get(&path);
        let all = page["deliveries"].as_array().unwrap().clone();
        all.iter().all(|delivery| delivery["state"] == "sent").then_some(all)
    });
    assert_eq!(delivered.len(), 2, "{delivered:?}");
    let replay = format!("{path}/{}/replay", delivered[0]["id"].as_str().unwrap());
    assert_eq!(house.ask("POST", &replay, &Value::Null).json["state"], "queued");
    wait_until("it is sent again", || (receiver.count("/told") == 3).then_some(()));
    let again = receiver.received().pop().unwrap();
    assert_signed(&again, secret);
    assert_eq!(again.header("x-tollgate-event"), delivered[0]["event_id"].as_str());

    // Another call of another user: nothing that was told is told again.
    house.paid(GLOBEX, "ben");
    house.paid(GLOBEX, "ben");
    wait_until("ben's day is told", || (receiver.count("/told") == 4).then_some(()));
    assert_eq!(house.get("/partners/events")["events"].as_array().unwrap().len(), 3);
    assert_eq!(mails(house.home.path(), "ops@example.com").len(), 1);
    house.server.verified_postings();
}

fn thresholds_and_webhooks_are_made_once(kind: Kind) {
    let house = House::open(kind);
    let alert = json!({"applies_to": "partner", "window": "total", "percent": 80, "idempotency_key": "a"});
    let made = house.ask("POST", "/partners/alerts", &alert);
    let again = house.ask("POST", "/partners/alerts", &alert);
    assert_eq!((made.status, again.status, &again.json), (201, 200, &made.json), "{}", again.body);
    let other = json!({"applies_to": "partner", "window": "total", "percent": 90, "idempotency_key": "a"});
    let refused = house.ask("POST", "/partners/alerts", &other);
    assert_eq!((refused.status, refused.code()), (409, "idempotency_key_reused"), "{}", refused.body);
    assert_eq!(house.get("/partners/alerts")["alerts"], json!([made.json]));
    let path = format!("/partners/alerts/{}", made.json["id"].as_str().unwrap());
    assert_eq!(house.ask("DELETE", &path, &Value::Null).status, 204);
    assert_eq!(house.ask("DELETE", &path, &Value::Null).status, 404);

    let hook = json!({"url": "http://127.0.0.1:9/x", "idempotency_key": "h"});
    let made = house.ask("POST", "/partners/webhooks", &hook);
    let again = house.ask("POST", "/partners/webhooks", &hook);
    assert_eq!((made.status, again.status, &again.json), (201, 200, &made.json), "{}", again.body);
    let other = json!({"url": "http://127.0.0.1:9/y", "idempotency_key": "h"});
    assert_eq!(house.ask("POST", "/partners/webhooks", &other).code(), "idempotency_key_reused");
    let listed = house.get("/partners/webhooks");
    assert_eq!((listed.as_array().unwrap().len(), listed[0].get("secret")), (1, None), "{listed}");
    let path = format!("/partners/webhooks/{}", made.json["id"].as_str().unwrap());
    assert_eq!(house.ask("DELETE", &path, &Value::Null).status, 204);
    assert_eq!(house.ask("DELETE", &path, &Value::Null).status, 404);
    assert_eq!(house.ask("GET", &format!("{path}/deliveries"), &Value::Null).status, 404);
    assert_eq!(house.get("/partners/webhooks"), json!([]));
}

fn what_is_wrong_with_a_threshold_is_named(kind: Kind) {
    let house = House::open(kind);
    let fine = json!({"applies_to": "partner", "window": "day", "percent": 80});
    for (member, value, field) in [
        ("applies_to", json!("account"), "applies_to"),
        ("applies_to", json!("end_user"), "external_id"),
        ("window", json!("call"), "window"),
        ("percent", json!(0), "percent"),
        ("percent", json!(101), "percent"),
        ("percent", json!(1.5), "percent"),
        ("email", json!("a@example.com\r\nBcc: b@example.com"), "email"),
        ("email", json!("nobody"), "email"),
        ("url", json!("https://example.com/"), "url"),
    ] {
        let mut body = fine.clone();
        body[member] = value;
        assert_names(&house.ask("POST", "/partners/alerts", &body), ["body", field]);
    }
    let each = json!({"applies_to": "each_end_user", "window": "day", "percent": 80, "email": "a@example.com"});
    assert_names(&house.ask("POST", "/partners/alerts", &each), ["body", "email"]);
    let nobody = json!({"applies_to": "end_user", "external_id": "u-1", "window": "day", "percent": 80});
    assert_names(&house.ask("POST", "/partners/alerts", &nobody), ["body", "external_id"]);
    assert_eq!(house.get("/partners/alerts")["alerts"], json!([]));
    assert_names(&house.send(GLOBEX, "GET", "/partners/events?after=x", ""), ["query", "after"]);
}

fn nothing_is_sent_to_a_private_address(kind: Kind) {
    let house = House::open_with(kind, |config| config.replace("egress: {allow_private: true}, ", ""));
    for url in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://0x7f000001/",
        "https://localhost/",
        "http://example.com/",
        "https://example.com:22/",
        "https://user:secret@example.com/",
        "ftp://example.com/",
        "example.com",
        "",
    ] {
        assert_names(&house.ask("POST", "/partners/webhooks", &json!({"url": url})), ["body", "url"]);
    }
    // Nobody learns where a name leads, nor whether there is such a name.
    for url in ["https://localhost/", "https://nobody.invalid/"] {
        let answer = house.ask("POST", "/partners/webhooks", &json!({"url": url}));
        let told = "may not be called: its host has no address, or none that is allowed";
        assert_eq!(answer.json["detail"][0]["msg"], json!(told), "{url}: {}", answer.body);
        let request = answer.json["error"]["request_id"].as_str();
        assert!(request.is_some_and(|id| id.starts_with("req_")), "{url}: {}", answer.body);
        for address in ["127.0.0.1", "::1"] {
            assert!(!answer.body.contains(address), "{url}: {}", answer.body);
        }
    }
    assert_names(&house.ask("POST", "/partners/webhooks", &json!({})), ["body", "url"]);
    assert_eq!(house.get("/partners/webhooks"), json!([]));
}
