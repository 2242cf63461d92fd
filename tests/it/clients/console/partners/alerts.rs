//! Thresholds of limits: set, refused beside their fields, removed, and told of.

use tests::{home::Kind, html, on_both_databases};

use super::{House, REASON, expect_beside, expect_page, led_to, linked};

on_both_databases!(a_threshold_is_set_and_removed, what_is_no_threshold_is_refused_beside_its_field);

fn a_threshold_is_set_and_removed(kind: Kind) {
    let house = House::open(kind);
    assert!(house.text("/alerts").contains("Nobody is told before a limit is reached"));
    let page = house.page("/alerts");
    let form = house.at("/alerts");
    let fields = [("window", "month"), ("percent", "80"), ("email", "ops@example.com"), REASON];
    for _ in 0..2 {
        // The same form twice sets one.
        assert_eq!(led_to(&house.owner.visitor.submit_shown(&page, &form, &fields)), form);
    }
    let ann = house.end_user("ann", 7);
    let user = ann.rsplit('/').next().unwrap_or_default();
    let of_user = format!("/alerts?of={user}");
    assert!(html::links(&expect_page(&house.owner, &ann)).contains(&house.at(&of_user)), "her page leads there");
    led_to(&house.submit(&of_user, &[("percent", "50"), REASON]));

    let shown = house.page("/alerts");
    let text = html::text(&shown);
    for wanted in ["the partner as a whole", "80 %", "ops@example.com", "50 %"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let told = house.told("cap_alert.create");
    assert_eq!(told.len(), 2);
    let after = told[0].after.clone().unwrap_or_default();
    assert!(after.contains(house.id()) && !after.contains("ops@example.com"), "{after}");

    let remove = linked(&shown, "/partners/{id}/alerts/{alert}/remove");
    let asked = expect_page(&house.owner, &remove);
    for _ in 0..2 {
        assert_eq!(led_to(&house.owner.visitor.submit_shown(&asked, &remove, &[REASON])), form);
    }
    assert_eq!(house.owner.visitor.get(&remove).status, 404);
    let told = house.told("cap_alert.remove");
    assert!(told.len() == 1 && told[0].before.is_some() && told[0].after.is_none(), "{told:?}");

    // Whoever only looks has no form, and sends none.
    let support = house.somebody("support");
    let seen = expect_page(&support, &form);
    assert!(html::text(&seen).contains("50 %"), "{seen}");
    assert!(!html::forms(&seen).iter().any(|sent| sent.action == form), "{seen}");
    assert!(!html::links(&seen).iter().any(|link| link.ends_with("/remove")), "{seen}");
    assert_eq!(support.visitor.post(&form, &[("of", "whole"), ("percent", "1")]).status, 403);
}

fn what_is_no_threshold_is_refused_beside_its_field(kind: Kind) {
    let house = House::open(kind);
    let fine = [("of", "whole"), ("window", "day"), ("percent", "80"), ("email", ""), REASON];
    for (name, value, field) in [
        ("percent", "", "percent"),
        ("percent", "0", "percent"),
        ("percent", "101", "percent"),
        ("percent", "80.5", "percent"),
        ("window", "call", "window"),
        ("window", "week", "window"),
        ("of", "nobody", "of"),
        ("of", "usr_00000000000070008000000000000000", "of"),
        ("email", "nobody", "email"),
        ("email", "a@example.com\r\nBcc: b@example.com", "email"),
        ("reason", "", "reason"),
    ] {
        let fields = fine.map(|(known, typed)| (known, if known == name { value } else { typed }));
        let refused = house.submit("/alerts", &fields);
        expect_beside(&refused, field);
    }
    let each = fine.map(|(name, typed)| match name {
        "of" => (name, "each"),
        "email" => (name, "ops@example.com"),
        _ => (name, typed),
    });
    let refused = house.submit("/alerts", &each);
    expect_beside(&refused, "email");
    let forms = html::forms(&refused.body);
    let form = forms.iter().find(|form| form.action == house.at("/alerts")).expect("the form");
    for kept in each {
        let is_kept = form.fields.iter().any(|(name, value)| (name.as_str(), value.as_str()) == kept);
        assert!(is_kept, "{kept:?} in {:?}", form.fields);
    }
    assert_eq!(house.told("cap_alert.create"), []);
}
