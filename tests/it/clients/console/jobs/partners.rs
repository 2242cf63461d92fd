//! Partners, their limits and their keys.

use serde_json::json;
use tests::{html, operator_console::expect_redirect, program::Answer};

use super::{
    Story,
    job::Job,
    world::{World, expected},
};

/// What a call of the demo's tool costs is 2.5 credits: one fits, two do not.
const LIMIT: &str = "4";

fn call(world: &World, token: &str) -> Answer {
    world.call_as(token, &[("x-faro-user", "user-1")], "demo/text_stats", &json!({"text": "Hello."}))
}

/// The partner gets credits, which is the affair of somebody else.
fn fund(world: &World, partner: &str) {
    let finance = world.somebody_of_finance();
    let form = format!("{partner}/grant");
    let fields = [("credits", "50"), ("reason", "To begin with"), ("step", "preview")];
    let shown = finance.visitor.submit(&form, &form, &fields);
    let given = finance.visitor.submit_shown(&shown.body, &form, &[("step", "confirm")]);
    expect_redirect(&given, given.header("location").unwrap_or_default());
}

/// A partner who may spend four credits a day, with a key.
pub(super) fn add_a_partner(job: &Job<'_>, _: &mut Story) {
    let world = job.world;
    let olga = job.sign_in(world.who("Olga"), "/admin/", "/admin/");
    olga.press("Partners");
    olga.press("Add a partner");
    olga.fill("Name", "Globex");
    olga.fill("Margin, in basis points", "500");
    olga.fill("Why", "They bring users");
    olga.press("Add a partner");
    let partner = olga.path();
    let partner = partner.split('?').next().unwrap_or_default();
    olga.press("Limits");
    olga.choose("Limits", "the partner as a whole");
    olga.choose("In each", "day (UTC)");
    olga.fill("Limit", LIMIT);
    olga.fill("Why", "Until we know them");
    olga.press("Set a limit");
    olga.press("Make a token");
    olga.fill("Name of the token", "production");
    olga.fill("Why", "Their server");
    olga.press("Make a token");
    let shown = html::texts_of(&olga.browser.html(), "code");
    let token = shown.iter().find(|text| text.starts_with("faro_partner_")).expect("a token").clone();
    olga.press("I have kept it");

    fund(world, partner);
    let paid = call(world, &token);
    assert_eq!((paid.status, &paid.json["credits_charged"]), (200, &json!(2.5)), "{}", paid.body);
    let wallet = "liabilities:wallet:par";
    let shares = [
        (wallet, "liabilities:payable:pub", 2_000_000),
        (wallet, "liabilities:partner:par", 125_000),
        (wallet, "revenue:platform:fee", 375_000),
    ];
    let id = paid.json["invocation_id"].as_str().expect("an identifier");
    assert_eq!(world.postings(id), expected(shares));
    let posted = world.rows("postings");
    let refused = call(world, &token);
    assert_eq!((refused.status, refused.code()), (402, "cap_reached"), "{}", refused.body);
    assert_eq!(refused.json["error"]["limit"]["per"], "partner", "{}", refused.body);
    assert_eq!(world.rows("postings"), posted, "a refused call moves nothing");
    world.expect_told("partner.create", "They bring users");
    world.expect_told("cap.set", "Until we know them");
    world.expect_told("token.create", "Their server");
    olga.see("token.create");
}
