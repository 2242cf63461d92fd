//! Calls that somebody looks for.

use serde_json::json;

use super::{Story, job::Job};

/// A call failed: which one, and why did it cost nothing?
pub(super) fn explain_a_failing_call(job: &Job<'_>, _: &mut Story) {
    let world = job.world;
    let failed = world.call_as(world.token(), &[], "demo/flaky", &json!({"fail": true}));
    assert_eq!(failed.code(), "upstream_failed", "{}", failed.body);
    let call = failed.json["error"]["invocation_id"].as_str().expect("an identifier").to_owned();

    let pia = job.sign_in(world.who("Pia"), "/admin/", "/admin/");
    pia.press("Calls");
    pia.choose("Outcome", "failed");
    pia.press("Filter");
    pia.open_row("demo/flaky");
    pia.browser.see("The tool did not do the work, and the price asks nothing for that.");
    pia.press("Why");
    assert_eq!(pia.path(), format!("/admin/invocations/{call}/why"));

    let known = world.invocation(&call);
    assert_eq!((&known["state"], &known["credits_charged"]), (&json!("failed"), &json!(0)), "{known}");
    assert_eq!(known["error"]["code"].as_str().or(known["error"].as_str()), Some("upstream_failed"), "{known}");
    assert_eq!(world.postings(&call), []);
    pia.see("base.permit");
}

/// Somebody writes in with the identifier of a call.
pub(super) fn find_a_call(job: &Job<'_>, story: &mut Story) {
    let world = job.world;
    let wera = job.sign_in(world.who("Wera"), "/admin/", "/admin/");
    wera.search(&story.call, "the call's identifier");
    assert_eq!(wera.path(), format!("/admin/invocations/{}", story.call));
    let known = world.invocation(&story.call);
    assert_eq!((&known["state"], &known["credits_charged"]), (&json!("succeeded"), &json!(150)), "{known}");
    // A part of it went back, which the page tells.
    wera.see("refund.create");
}
