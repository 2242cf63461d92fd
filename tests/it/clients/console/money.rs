//! Money through the console's forms: what one operator does alone, what becomes a request, and what is not offered.

use serde_json::json;
use tests::{
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::{Operator, OperatorConsole},
    program::{Answer, configure, curl},
};

use super::routes::leads_to;

on_both_databases!(
    many_small_gifts_become_a_request_that_says_why,
    the_same_form_makes_one_account_whose_secret_is_shown_once,
    a_charge_that_is_none_is_said_beside_its_field,
    a_purchase_offers_what_can_be_done_and_refuses_the_rest,
);

const REASON: (&str, &str) = ("reason", "As agreed");

fn start(home: &Home) -> (OperatorConsole, Operator) {
    configure(home.path(), &json!({"payments": {"provider": "manual"}}));
    let console = OperatorConsole::start_demo(home.path());
    let owner = console.owner();
    (console, owner)
}

/// Where a form led.
#[track_caller]
fn led_to(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", html::text(&answer.body));
    answer.header("location").expect("where it leads").to_owned()
}

/// Sends a form that shows first what it would do, and confirms what it shows.
#[track_caller]
fn previewed(owner: &Operator, form: &str, fields: &[(&str, &str)]) -> Answer {
    let shown = owner.visitor.submit(form, form, &[fields, &[("step", "preview")]].concat());
    assert_eq!(shown.status, 200, "{}", html::text(&shown.body));
    owner.visitor.submit_shown(&shown.body, form, &[("step", "confirm")])
}

/// The page of the demo's customer.
fn customer(owner: &Operator) -> String {
    let list = owner.visitor.get("/admin/accounts?email=demo%40tollgate.localhost");
    let links = html::links(&list.body);
    links.iter().find(|link| leads_to(link, "/accounts/{id}")).expect("the demo's customer").clone()
}

fn many_small_gifts_become_a_request_that_says_why(kind: Kind) {
    let home = Home::on(kind);
    let (_console, owner) = start(&home);
    let account = customer(&owner);
    let form = format!("{account}/grant");
    let give = |credits: &str| {
        assert_eq!(led_to(&previewed(&owner, &form, &[("credits", credits), REASON])), account);
        html::text(&owner.visitor.get(&account).body)
    };
    let said = give("80");
    assert!(said.contains("80 credits were given."), "{said}");
    let shown = html::text(&owner.visitor.get(&form).body);
    assert!(shown.contains("you have given 80 credits so far"), "{shown}");
    let said = give("40");
    let why = "With the 80 credits that you have given or corrected within the last 24 hours, this is 120";
    assert!(said.contains(why) && said.contains("Asked for: apr_"), "{said}");
    let waiting = owner.visitor.get("/admin/approvals?view=mine&kind=grant.create");
    let waiting = html::links(&waiting.body).into_iter().filter(|link| leads_to(link, "/approvals/{id}")).count();
    assert!(waiting > 0, "it waits for somebody else");
    // A correction is counted with it, and its preview says so.
    let form = format!("{account}/adjust");
    let fields = [("direction", "in"), ("credits", "21"), REASON, ("step", "preview")];
    let shown = owner.visitor.submit(&form, &form, &fields);
    let text = html::text(&shown.body);
    assert!(shown.status == 200 && text.contains("this is 101"), "{text}");
    let asked = owner.visitor.submit_shown(&shown.body, &form, &[("step", "confirm")]);
    assert!(leads_to(&led_to(&asked), "/approvals/{id}"));
}

fn the_same_form_makes_one_account_whose_secret_is_shown_once(kind: Kind) {
    let home = Home::on(kind);
    let (_console, owner) = start(&home);
    let form = "/admin/accounts/new";
    let page = owner.visitor.get(form).body;
    let fields = [("email", "new@example.com"), ("token", "first"), ("credits", "60"), REASON];
    let send = |fields: &[(&str, &str)]| owner.visitor.submit_shown(&page, form, fields);
    let secrets = |answer: &Answer| {
        html::texts_of(&answer.body, "code").into_iter().filter(|code| code.starts_with("faro_")).count()
    };
    let first = send(&fields);
    assert_eq!((first.status, secrets(&first)), (200, 1), "{}", html::text(&first.body));
    let again = send(&fields);
    let said = html::text(&again.body);
    assert_eq!((again.status, secrets(&again)), (200, 0), "{said}");
    assert!(said.contains("the account was made then") && !said.contains("Asked for"), "{said}");
    let other = send(&[("email", "other@example.com"), fields[1], fields[2], REASON]);
    assert_eq!(other.status, 422);
    assert!(html::text(&other.body).contains("the account of another address"), "{}", html::text(&other.body));
    let list = html::text(&owner.visitor.get("/admin/accounts?email=other").body);
    assert!(!list.contains("other@example.com"), "{list}");
    // What is too much is asked for, once.
    let page = owner.visitor.get(form).body;
    let fields = [("email", "third@example.com"), ("token", "first"), ("credits", "60"), REASON];
    for secret_count in [1, 0] {
        let answer = owner.visitor.submit_shown(&page, form, &fields);
        let said = html::text(&answer.body);
        assert_eq!((answer.status, secrets(&answer)), (200, secret_count), "{said}");
        assert!(said.contains("this is 120") && said.contains("Asked for: apr_"), "{said}");
    }
}

fn a_charge_that_is_none_is_said_beside_its_field(kind: Kind) {
    let home = Home::on(kind);
    let (_console, owner) = start(&home);
    let unknown = format!("inv_{}", "0".repeat(32));
    for (page, said) in
        [("refunds/new", "There is no such charge."), ("refunds/reverse", "There is no such transaction.")]
    {
        assert_eq!(owner.visitor.get(&format!("/admin/{page}")).status, 200);
        for query in ["invocation=zz", "transaction=acc_1", &format!("invocation={unknown}")] {
            let answer = owner.visitor.get(&format!("/admin/{page}?{query}"));
            let text = html::text(&answer.body);
            assert!(answer.status == 422 && text.contains(said), "{page}?{query}: {} {text}", answer.status);
            let forms = html::forms(&answer.body);
            let form = forms.iter().find(|form| form.action == format!("/admin/{page}")).expect("the form");
            let typed = form.fields.iter().find(|(name, _)| name == "transaction").expect("its field");
            assert!(query.ends_with(&typed.1) && !typed.1.is_empty(), "what was named is kept: {typed:?}");
        }
    }
}

fn a_purchase_offers_what_can_be_done_and_refuses_the_rest(kind: Kind) {
    let home = Home::on(kind);
    let (console, owner) = start(&home);
    let token = console.demo().expect("the demo").token();
    let buy = |credits: u32| {
        let (bearer, body) = (format!("Authorization: Bearer {token}"), json!({"credits": credits}).to_string());
        let headers = ["-H", bearer.as_str(), "-H", "Content-Type: application/json", "-d", body.as_str()];
        let bought = curl(&console.url("/credits/purchase"), &headers);
        assert_eq!(bought.status, 201, "{}", bought.body);
        format!("/admin/purchases/{}", bought.json["purchase_id"].as_str().expect("an identifier"))
    };
    let (small, large) = (buy(10), buy(150));
    let post = |page: &str| owner.visitor.post(page, &[REASON, ("op", "req_00000000000000000000000000000001")]);
    let has_form = |page: &str| {
        let shown = owner.visitor.get(page);
        assert_eq!(shown.status, 200, "{page}");
        html::forms(&shown.body).iter().any(|form| form.action == page)
    };
    let dispute = |purchase: &str| format!("{purchase}/dispute");
    // Nothing was paid, so nothing is disputed.
    assert!(!has_form(&dispute(&small)));
    assert_eq!(post(&dispute(&small)).status, 422);

    let confirm = format!("{small}/confirm");
    assert_eq!(led_to(&previewed(&owner, &confirm, &[REASON])), small);
    for word in ["confirm", "fail"] {
        let page = format!("{small}/{word}");
        assert!(!has_form(&page));
        let refused = post(&page);
        let said = html::text(&refused.body);
        assert!(refused.status == 422 && said.contains("does not wait for its payment any more"), "{said}");
    }
    assert!(has_form(&dispute(&small)));
    led_to(&previewed(&owner, &dispute(&small), &[REASON]));
    assert!(!has_form(&dispute(&small)), "it is disputed already");
    let links = html::links(&owner.visitor.get(&small).body);
    assert!(links.iter().all(|link| !link.starts_with(&format!("{small}/"))), "{links:?}");

    // Much needs somebody else.
    let confirm = format!("{large}/confirm");
    let shown = html::text(&owner.visitor.get(&confirm).body);
    assert!(shown.contains("this is 160: above 100 it becomes a request"), "{shown}");
    let asked = led_to(&previewed(&owner, &confirm, &[REASON]));
    assert!(leads_to(&asked, "/approvals/{id}"), "{asked}");
    assert!(has_form(&confirm), "nothing is confirmed before");
    let shown = html::text(&owner.visitor.get(&asked).body);
    assert!(shown.contains("Confirmation of a payment") && shown.contains("150"), "{shown}");
}
