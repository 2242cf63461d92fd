//! What is sold: a publisher with a tool, its price, and the end of it.

use tests::{patience::wait_until, program::Answer};

use super::{
    Story,
    job::Job,
    world::{expected, now_us, second_text},
};

const WALLET: &str = "liabilities:wallet:acc";
const PUBLISHER: &str = "liabilities:payable:pub";
const FEE: &str = "revenue:platform:fee";
const SCHEMA: &str = r#"{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}"#;
/// How far ahead a price is scheduled: longer than it takes to fill the form in and confirm it.
const AHEAD_US: i64 = 12_000_000;

/// A publisher with a namespace and a tool for 150 credits.
pub(super) fn add_a_publisher(job: &Job<'_>, story: &mut Story) {
    let world = job.world;
    let mara = job.sign_in(world.who("Mara"), "/admin/", "/admin/");
    mara.press("Publishers");
    mara.press("Add a publisher");
    mara.fill("Slug", "acme");
    mara.fill("Name", "Acme");
    mara.fill("Share of every charge, in basis points", "8000");
    mara.fill("Why", "They have signed");
    mara.press("Add a publisher");
    mara.press("Add a namespace");
    mara.fill("Namespace", "acme");
    mara.fill("Why", "Their first one");
    mara.press("Add a namespace");
    mara.press("Add a tool");
    mara.fill("Name", "lookup");
    mara.fill("Short description", "Looks a text up");
    mara.fill("JSON Schema of the arguments", SCHEMA);
    mara.fill("Address of the upstream", &format!("http://{}/lookup", world.upstream.address()));
    mara.fill("Fixed: credits for a call", "150");
    mara.fill("Why", "They sell lookups");
    mara.press("Add a tool");
    mara.browser.see("tool.create");

    let (answer, _) = wait_until("the new tool", || {
        let answer = world.call();
        (answer.code() != "not_found").then_some(answer)
    });
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json["credits_charged"], 150);
    story.call = answer.json["invocation_id"].as_str().expect("an identifier").to_owned();
    assert_eq!(world.invocation(&story.call)["credits_charged"], 150);
    let shares = expected([(WALLET, PUBLISHER, 120_000_000), (WALLET, FEE, 30_000_000)]);
    assert_eq!(world.postings(&story.call), shares);
    assert_eq!(world.upstream.log().len(), 1);
    world.expect_told("publisher.create", "They have signed");
    world.expect_told("namespace.create", "Their first one");
    world.expect_told("tool.create", "They sell lookups");

    mara.press("show them");
    mara.see("150 cr");
}

/// From a time on a call costs 140 credits, which is less: nobody else has to approve that.
pub(super) fn schedule_a_price(job: &Job<'_>, _: &mut Story) {
    let world = job.world;
    let nils = job.sign_in(world.who("Nils"), "/admin/", "/admin/");
    nils.press("Tools");
    nils.open_row("acme/lookup");
    nils.press("Schedule a price");
    let from_us = (now_us() + AHEAD_US) / 1_000_000 * 1_000_000;
    nils.fill("Fixed: credits for a call", "140");
    nils.fill("In force from", &second_text(from_us));
    nils.fill("Why", "A better offer");
    nils.press("Show what it will do");
    nils.press("Schedule a price");
    nils.browser.see("price.schedule");
    world.expect_told("price.schedule", "A better offer");

    let (_, before) = world.paid_call();
    if now_us() < from_us {
        assert_eq!(before, 150, "the price to come is not in force yet");
    }
    wait_until("the time of the price", || (now_us() >= from_us).then_some(()));
    let (call, after) = world.paid_call();
    assert_eq!(after, 140);
    let shares = expected([(WALLET, PUBLISHER, 112_000_000), (WALLET, FEE, 28_000_000)]);
    assert_eq!(world.postings(&call), shares);
    nils.open(&nils.path(), "the same page again");
    nils.see("140 credits a call, charged when it succeeds");
}

/// All calls of its tools are refused within a second.
pub(super) fn suspend_a_publisher(job: &Job<'_>, story: &mut Story) {
    let world = job.world;
    let vito = job.sign_in(world.who("Vito"), "/admin/", "/admin/");
    vito.press("Publishers");
    vito.open_row("Acme");
    vito.press("Suspend");
    let (last, _) = world.paid_call();
    vito.fill("Why", story.why_suspended);
    vito.press("Suspend");
    let is_refused = |answer: &Answer| answer.status != 200;
    let (answer, took) = wait_until("the first refused call", || Some(world.call()).filter(is_refused));
    println!("a call was refused {} ms after the form was sent", took.as_millis());
    assert_eq!((answer.status, answer.code()), (403, "policy_denied"), "{}", answer.body);
    let (posted, asked) = (world.rows("postings"), world.upstream.log().len());
    assert!(!world.postings(&last).is_empty());
    assert!(is_refused(&world.call()));
    assert_eq!((world.rows("postings"), world.upstream.log().len()), (posted, asked), "a refused call does nothing");
    world.expect_told("publisher.suspend", story.why_suspended);
    vito.see("publisher.suspend");
}
