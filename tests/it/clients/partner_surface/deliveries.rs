//! What webhooks do not take: sent again, and in nobody else's way.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tests::{
    home::Kind,
    on_both_databases,
    patience::wait_until,
    upstream::{Upstream, hang, json_answer},
};

use super::{GLOBEX, House, INITECH, alerts::assert_signed};
use crate::rows;

on_both_databases!(what_was_not_taken_is_sent_again_signed_anew, a_webhook_that_never_answers_keeps_nobody_waiting,);

const SECOND_US: i64 = 1_000_000;
/// Many enough for more than one round, if nobody sees to it that all get their turn.
const MANY: i64 = 25;

/// Makes a webhook; where its deliveries are listed, and its secret.
fn hook(house: &House, token: &str, url: &str) -> (String, String) {
    let made = house.send(token, "POST", "/partners/webhooks", &json!({"url": url}).to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
    (format!("/partners/webhooks/{}/deliveries", text("id")), text("secret"))
}

/// Everything that one call spends is limited, and these parts of it are told.
fn watch(house: &House, token: &str, percents: impl Iterator<Item = i64>) {
    let limit = json!({"credits": 50}).to_string();
    assert_eq!(house.send(token, "PUT", "/partners/caps/partner/total", &limit).status, 200);
    for percent in percents {
        let alert = json!({"applies_to": "partner", "window": "total", "percent": percent}).to_string();
        let made = house.send(token, "POST", "/partners/alerts", &alert);
        assert_eq!(made.status, 201, "{}", made.body);
    }
}

/// The one delivery to a webhook, once it is `as_wanted`.
fn wait_for(house: &House, path: &str, what: &str, as_wanted: impl Fn(&Value) -> bool) -> Value {
    let look = || {
        let page = house.get(path);
        let all = page["deliveries"].as_array().unwrap();
        assert!(all.len() < 2, "{page}");
        all.first().filter(|delivery| as_wanted(delivery)).cloned()
    };
    wait_until(what, look).0
}

fn what_was_not_taken_is_sent_again_signed_anew(kind: Kind) {
    let house = House::open(kind);
    let is_up = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_up);
    let shaky = Upstream::start(move |_, stream| {
        let status = if seen.load(Ordering::SeqCst) { "200 OK" } else { "500 Internal Server Error" };
        stream.write_all(json_answer(status, "{}").as_bytes()).is_ok()
    });
    let well = Upstream::answering("{}");
    let (path, secret) = hook(&house, GLOBEX, &shaky.url("/told"));
    let (well_path, _) = hook(&house, GLOBEX, &well.url("/told"));
    watch(&house, GLOBEX, std::iter::once(80));
    house.paid(GLOBEX, "ann");
    let failed = wait_for(&house, &path, "the first attempt", |delivery| delivery["attempts"] == 1);
    assert_eq!((&failed["state"], &failed["last_error"]), (&json!("queued"), &json!("answered with 500")), "{failed}");
    assert_eq!(failed["sent_at"], Value::Null);
    // It is due again after the first pause: 30 seconds, or less by up to a quarter.
    let first = shaky.received().remove(0);
    let sent_s = |received: &tests::upstream::Received| -> i64 {
        received.header("x-tollgate-timestamp").unwrap().parse().unwrap()
    };
    let due: jiff::Timestamp = failed["next_attempt_at"].as_str().unwrap().parse().unwrap();
    let now_us = SystemClock::start().now_us();
    assert!(due.as_microsecond() >= sent_s(&first) * SECOND_US + 22 * SECOND_US, "{failed}");
    assert!(due.as_microsecond() <= now_us + 31 * SECOND_US, "{failed}");
    let told = wait_for(&house, &well_path, "the other one has taken it", |delivery| delivery["state"] == "sent");

    // Another process does not send it earlier either: what comes behind it passes it by.
    let house = house.restart(|home| {
        rows::change_home(home, "UPDATE webhook_delivery SET next_us = next_us + 3600000000 WHERE state = 'queued'");
    });
    let replay = format!("{well_path}/{}/replay", told["id"].as_str().unwrap());
    assert_eq!(house.ask("POST", &replay, &Value::Null).status, 200);
    wait_until("the other one is sent it again", || (well.count("/told") == 2).then_some(()));
    assert_eq!(shaky.count("/told"), 1, "its time has not come");

    // When its time has come it is sent again: the same event, with a signature of its own.
    is_up.store(true, Ordering::SeqCst);
    let has_passed = || (SystemClock::start().now_us() > (sent_s(&first) + 2) * SECOND_US).then_some(());
    wait_until("another second has begun", has_passed);
    let house = house.restart(|home| {
        rows::change_home(home, "UPDATE webhook_delivery SET next_us = 1 WHERE state = 'queued'");
    });
    let sent = wait_for(&house, &path, "it is taken", |delivery| delivery["state"] == "sent");
    assert_eq!((&sent["attempts"], &sent["last_error"]), (&json!(2), &Value::Null), "{sent}");
    assert!(sent["sent_at"].is_string() && sent["next_attempt_at"].is_null(), "{sent}");
    let replay = format!("{path}/{}/replay", sent["id"].as_str().unwrap());
    let replayed = house.ask("POST", &replay, &Value::Null);
    assert_eq!(
        (&replayed.json["state"], &replayed.json["attempts"]),
        (&json!("queued"), &json!(0)),
        "{}",
        replayed.body
    );
    wait_until("it is sent once more", || (shaky.count("/told") == 3).then_some(()));
    let again = wait_for(&house, &path, "it is taken again", |delivery| delivery["state"] == "sent");
    assert_eq!(again["attempts"], 1, "{again}");

    let received = shaky.received();
    for received in &received {
        assert_signed(received, &secret);
        assert_eq!(received.header("x-tollgate-event"), sent["event_id"].as_str());
        assert_eq!(received.header("x-tollgate-delivery"), sent["id"].as_str());
        assert_eq!(received.body, first.body, "the same event");
    }
    assert!(sent_s(&received[1]) > sent_s(&first) && sent_s(&received[2]) >= sent_s(&received[1]));
    assert_ne!(received[1].header("x-tollgate-signature"), first.header("x-tollgate-signature"));
    house.server.verified_postings();
}

fn a_webhook_that_never_answers_keeps_nobody_waiting(kind: Kind) {
    let house = House::open(kind);
    let dead = Upstream::start(|_, stream| {
        hang(stream);
        false
    });
    let well = Upstream::answering("{}");
    let (dead_path, _) = hook(&house, GLOBEX, &dead.url("/told"));
    hook(&house, INITECH, &well.url("/told"));
    watch(&house, GLOBEX, 1..=MANY);
    watch(&house, INITECH, std::iter::once(80));
    house.paid(GLOBEX, "ann");
    wait_until("much is due for the one", || {
        let listed = house.get(&dead_path)["deliveries"].as_array().unwrap().len();
        (i64::try_from(listed).unwrap() == MANY).then_some(())
    });
    house.paid(INITECH, "ben");
    wait_until("the other one is told", || (well.count("/told") == 1).then_some(()));
    // One at a time is tried, and then it rests.
    assert!(dead.count("/told") <= 2, "{} are waited for", dead.count("/told"));
}
