//! Webhooks: made with a secret that is shown once, told, told again, removed; and what waits for them is seen.

use aws_lc_rs::hmac;
use serde_json::json;
use tests::{home::Kind, html, on_both_databases, patience::wait_until, upstream::Upstream};
use uuid::Uuid;

use super::{House, REASON, expect_beside, expect_page, led_to, linked, uuid_of};
use crate::rows;

on_both_databases!(
    a_webhook_is_made_with_a_secret_that_is_shown_once,
    what_was_given_up_is_seen_and_sent_again,
    nothing_is_told_at_an_address_that_the_rules_close,
);

const HOOK: &str = "/partners/{id}/webhooks/{webhook}";
const REPLAY: &str = "/partners/{id}/webhooks/{webhook}/deliveries/{delivery}/replay";

fn secrets(body: &str) -> Vec<String> {
    html::texts_of(body, "code").into_iter().filter(|code| code.starts_with("whsec_")).collect()
}

impl House {
    /// Makes a webhook for this address; its secret, and the path of its page.
    fn hook(&self, url: &str) -> (String, String) {
        let made = self.submit("/webhooks", &[("url", url), REASON]);
        assert_eq!(made.status, 200, "{}", html::text(&made.body));
        let secret = secrets(&made.body).pop().expect("a secret");
        (secret, linked(&made.body, HOOK))
    }

    /// Something that the webhook with this page was told in vain.
    fn give_up(&self, hook: &str, number: u128) {
        let hook = uuid_of(hook.rsplit('/').next().unwrap_or_default());
        let id = self.literal(Uuid::from_u128(number));
        let sql = format!(
            "INSERT INTO partner_event (id, partner_id, kind, key, data, created_us)
             VALUES ({id}, {}, 'cap.threshold', 'event {number}', '{{\"window\": \"day\", \"percent\": 80}}', 1);
             INSERT INTO webhook_delivery (id, webhook_id, event_id, state, attempts, next_us, last_error, created_us)
             VALUES ({id}, {}, {id}, 'failed', 30, 1, 'answered with 500', 1)",
            self.partner_literal(),
            self.literal(hook),
        );
        rows::change_home(&self.home, &sql);
    }
}

fn a_webhook_is_made_with_a_secret_that_is_shown_once(kind: Kind) {
    let house = House::open(kind);
    assert!(house.text("/webhooks").contains("The partner is told nowhere"));
    let (form, page) = (house.at("/webhooks"), house.page("/webhooks"));
    let fields = [("url", "http://127.0.0.1:9/told?key=quince"), REASON];
    let made = house.owner.visitor.submit_shown(&page, &form, &fields);
    assert_eq!((made.status, secrets(&made.body).len()), (200, 1), "{}", html::text(&made.body));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let again = house.owner.visitor.submit_shown(&page, &form, &fields);
    assert_eq!((again.status, secrets(&again.body).len()), (422, 0), "{}", html::text(&again.body));
    assert!(html::text(&again.body).contains("Its secret was shown then"), "{}", html::text(&again.body));

    let hook = linked(&made.body, HOOK);
    for path in [form.as_str(), hook.as_str()] {
        let shown = expect_page(&house.owner, path);
        assert!(shown.contains("http://127.0.0.1:9/told"), "{shown}");
        assert!(!shown.contains("whsec_") && !shown.contains("quince"), "{path}: {shown}");
    }
    let told = house.told("webhook.create");
    assert_eq!(told.len(), 1);
    assert!(!told[0].after.clone().unwrap_or_default().contains("127.0.0.1"), "{told:?}");

    let remove = format!("{hook}/remove");
    let asked = expect_page(&house.owner, &remove);
    for _ in 0..2 {
        assert_eq!(led_to(&house.owner.visitor.submit_shown(&asked, &remove, &[REASON])), form);
    }
    assert_eq!(house.owner.visitor.get(&hook).status, 404);
    assert_eq!(house.told("webhook.remove").len(), 1);

    // Support looks; finance, too; neither makes one.
    for role in ["support", "finance"] {
        let somebody = house.somebody(role);
        assert!(!html::forms(&expect_page(&somebody, &form)).iter().any(|sent| sent.action == form), "{role}");
        assert_eq!(somebody.visitor.post(&form, &fields).status, 403, "{role}");
    }
}

fn what_was_given_up_is_seen_and_sent_again(kind: Kind) {
    let house = House::open(kind);
    let calm = html::text(&expect_page(&house.owner, "/admin/"));
    assert!(!calm.contains("Webhooks of partners were told in vain"), "{calm}");
    let receiver = Upstream::answering("{}");
    let (secret, hook) = house.hook(&receiver.url("/told"));
    house.give_up(&hook, 5);

    let list = "/admin/partners/deliveries?state=failed".to_owned();
    for path in ["/admin/", "/admin/health"] {
        assert!(html::links(&expect_page(&house.owner, path)).contains(&list), "{path} leads there");
    }
    assert!(html::text(&expect_page(&house.owner, "/admin/")).contains("Webhooks of partners were told in vain"));
    let shown = expect_page(&house.owner, &list);
    let text = html::text(&shown);
    assert!(text.contains("Globex") && text.contains("answered with 500") && text.contains("given up"), "{text}");
    assert_eq!(linked(&shown, HOOK), hook);
    assert!(house.text("/events").contains("80 %"), "what it was told stands in its list");

    let replay = linked(&expect_page(&house.owner, &hook), REPLAY);
    let asked = expect_page(&house.owner, &replay);
    expect_beside(&house.owner.visitor.submit_shown(&asked, &replay, &[("reason", "")]), "reason");
    assert_eq!(led_to(&house.owner.visitor.submit_shown(&asked, &replay, &[REASON])), hook);
    let stale = house.owner.visitor.submit_shown(&asked, &replay, &[REASON]);
    assert_eq!(stale.status, 422, "{}", html::text(&stale.body));
    assert!(html::text(&stale.body).contains("It does not stand as this form says any more"));
    let told = house.told("webhook.replay");
    assert_eq!(told.len(), 1, "{told:?}");
    let change = (told[0].before.clone().unwrap_or_default(), told[0].after.clone().unwrap_or_default());
    assert!(change.0.contains("failed") && change.1.contains("queued"), "{change:?}");

    wait_until("it is sent again", || (receiver.count("/told") == 1).then_some(()));
    let received = receiver.received().pop().expect("it was told");
    let timestamp = received.header("x-tollgate-timestamp").expect("a timestamp");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let made = hmac::sign(&key, format!("{timestamp}.{}", received.body).as_bytes());
    let digits: String = made.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        received.header("x-tollgate-signature"),
        Some(&*format!("v1={digits}")),
        "with the secret that was shown"
    );
    let (sent, _) = wait_until("it is noted", || {
        let shown = expect_page(&house.owner, "/admin/partners/deliveries?state=sent");
        html::text(&shown).contains("Globex").then_some(shown)
    });
    assert_eq!(linked(&sent, HOOK), hook);

    // What is given up belongs to nobody any more once its webhook is removed.
    house.give_up(&hook, 6);
    let remove = format!("{hook}/remove");
    led_to(&house.owner.visitor.submit(&remove, &remove, &[REASON]));
    let calm = html::text(&expect_page(&house.owner, "/admin/"));
    assert!(!calm.contains("Webhooks of partners were told in vain"), "{calm}");
    let shown = expect_page(&house.owner, &list);
    assert!(!html::links(&shown).contains(&hook) && html::text(&shown).contains("answered with 500"), "{shown}");
}

fn nothing_is_told_at_an_address_that_the_rules_close(kind: Kind) {
    let house = House::open_with(kind, &json!({}));
    for url in [
        "",
        "example.com",
        "ftp://example.com/",
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
    ] {
        expect_beside(&house.submit("/webhooks", &[("url", url), REASON]), "url");
    }
    // Nobody learns here where a name leads.
    let refused = html::text(&house.submit("/webhooks", &[("url", "https://localhost/"), REASON]).body);
    assert!(refused.contains("may not be called: its host has no address, or none that is allowed"), "{refused}");
    assert!(!refused.contains("127.0.0.1") && !refused.contains("::1"), "{refused}");
    assert_eq!(house.told("webhook.create"), []);
    assert_eq!(rows::of_home(&house.home, "SELECT count(*) FROM webhook").concat(), ["0"]);
}
