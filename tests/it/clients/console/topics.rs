//! What a namespace and a tool are about: typed into the console, checked beside its fields, and shown.

use tests::{
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::{Operator, OperatorConsole},
    program::Answer,
};

use super::sending::trail;

on_both_databases!(what_something_is_about_is_typed_shown_and_changed_by_who_has_seen_it);

const REASON: (&str, &str) = ("reason", "So that it is found");

#[track_caller]
fn led_to(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", html::text(&answer.body));
    answer.header("location").expect("where it leads").to_owned()
}

#[track_caller]
fn text(owner: &Operator, path: &str) -> String {
    let shown = owner.visitor.get(path);
    assert_eq!(shown.status, 200, "{path}: {}", html::text(&shown.body));
    html::text(&shown.body)
}

#[track_caller]
fn expect_beside(answer: &Answer, field: &str) {
    assert_eq!(answer.status, 422, "{}", html::text(&answer.body));
    let id = format!("field-{field}-problem");
    let is_there = html::elements(&answer.body).iter().any(|element| element.get("id") == Some(&id));
    assert!(is_there, "nothing beside `{field}`: {}", html::text(&answer.body));
}

fn what_something_is_about_is_typed_shown_and_changed_by_who_has_seen_it(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let owner = console.owner();
    let named = [("slug", "acme"), ("display_name", "Acme"), ("share_bps", "8000"), REASON];
    let publisher = led_to(&owner.visitor.submit("/admin/publishers/new", "/admin/publishers/new", &named));
    let form = format!("/admin/namespaces/new?publisher={}", publisher.rsplit('/').next().unwrap_or_default());
    let (many, long) = ("tag\n".repeat(51), "x".repeat(301));
    for (name, value) in [("listing_name", &long), ("category", &long), ("tags", &long), ("tags", &many)] {
        let fields = [("name", "notes"), (name, value.as_str()), REASON];
        expect_beside(&owner.visitor.submit(&form, "/admin/namespaces/new", &fields), name);
    }
    let about = [
        ("name", "notes"),
        ("listing_name", "Acme's notes"),
        ("category", "Office"),
        ("tags", " to do \r\n\r\nlists, long"),
        REASON,
    ];
    let namespace = led_to(&owner.visitor.submit(&form, "/admin/namespaces/new", &about));
    let shown = text(&owner, &namespace);
    for wanted in ["Acme's notes", "Office", "to do · lists, long"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }

    // Of two forms that were opened together the second one shows what the first one has changed.
    let form = format!("{namespace}/edit");
    let [first, second] = [(); 2].map(|()| owner.visitor.get(&form).body);
    expect_beside(&owner.visitor.submit_shown(&first, &form, &[("category", &long), REASON]), "category");
    let changed = owner.visitor.submit_shown(&first, &form, &[("category", "Home"), REASON]);
    assert_eq!(led_to(&changed), namespace);
    let stale = owner.visitor.submit_shown(&second, &form, &[("category", "Garden"), REASON]);
    let said = html::text(&stale.body);
    assert!(stale.status == 422 && said.contains("Home") && said.contains("Garden"), "{said}");
    assert!(text(&owner, &namespace).contains("Home"));
    let confirmed = owner.visitor.submit_shown(&stale.body, &form, &[REASON]);
    assert_eq!(led_to(&confirmed), namespace);
    let told: Vec<_> = trail(&home).into_iter().filter(|entry| entry.action == "namespace.change").collect();
    assert_eq!(told.len(), 2, "{told:?}");
    let after = told[1].after.clone().unwrap_or_default();
    assert!(after.contains("Garden") && after.contains("lists, long"), "what was not typed stays: {after}");

    let tool = [
        ("name", "add"),
        ("url", "https://tools.example/add"),
        ("category", "Writing"),
        ("tags", "pen"),
        ("fixed_credit_cost", "0"),
        REASON,
    ];
    let made = owner.visitor.submit("/admin/tools/new?namespace=notes", "/admin/tools/new", &tool);
    let tool = led_to(&made);
    let shown = text(&owner, &tool);
    assert!(shown.contains("Writing") && shown.contains("pen"), "{shown}");
    let form = format!("{tool}/edit");
    expect_beside(&owner.visitor.submit(&form, &form, &[("tags", &many), REASON]), "tags");
    led_to(&owner.visitor.submit(&form, &form, &[("tags", "pen\npaper"), REASON]));
    assert!(text(&owner, &tool).contains("pen · paper"));
    // Who searches finds it by what it is about.
    let found = owner.visitor.get("/namespaces/public/notes");
    assert!(found.status == 200 && found.body.contains("lists, long"), "{}", found.body);
}
