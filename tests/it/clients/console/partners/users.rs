//! What is known of an end user: that there is something, all of it as a file, and that it goes.

use serde_json::{Value, json};
use tests::{home::Kind, html, on_both_databases, operator_console::PASSWORD};

use super::{House, REASON, expect_beside, expect_page, led_to};
use crate::rows;

on_both_databases!(
    what_is_known_of_an_end_user_is_taken_away_as_a_file,
    an_end_user_is_erased_after_it_was_shown_what_goes
);

/// What nobody but the partner should ever read of her again.
const NAME: &str = "ann.secret@example.com";

/// An end user of whom something is kept; the path of her page.
fn ann(house: &House) -> String {
    let page = house.end_user(NAME, 7);
    rows::change_home(&house.home, r#"UPDATE end_user SET metadata = '{"tier":"platinum"}'"#);
    page
}

/// The objects of a file.
fn objects(body: &str) -> Vec<Value> {
    body.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn what_is_known_of_an_end_user_is_taken_away_as_a_file(kind: Kind) {
    let house = House::open(kind);
    let page = ann(&house);
    let user = page.rsplit('/').next().unwrap_or_default().to_owned();
    let shown = expect_page(&house.owner, &page);
    assert!(
        html::text(&shown).contains("something") && !shown.contains("platinum"),
        "that there is something, not what"
    );
    let limit = format!("/caps?of={user}");
    led_to(&house.submit(&limit, &[("of", &*user), ("window", "day"), ("credits", "12.5"), REASON]));
    let threshold = format!("/alerts?of={user}");
    led_to(&house.submit(&threshold, &[("of", &*user), ("window", "day"), ("percent", "80"), REASON]));

    let path = format!("{page}/file");
    assert!(html::links(&expect_page(&house.owner, &page)).contains(&path));
    let file = house.owner.visitor.get(&path);
    assert_eq!(file.status, 200, "{}", file.body);
    assert_eq!(file.header("content-type"), Some("application/x-ndjson"));
    let disposition = format!("attachment; filename=\"{user}.jsonl\"");
    assert_eq!(file.header("content-disposition"), Some(&*disposition));
    let objects = objects(&file.body);
    let kinds: Vec<&str> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    assert_eq!(kinds, ["end_user", "limit", "threshold", "end"]);
    let first = &objects[0];
    assert_eq!((&first["external_id"], &first["metadata"]["tier"]), (&json!(NAME), &json!("platinum")), "{first}");
    assert_eq!((&objects[1]["credits"], &objects[2]["percent"]), (&json!("12.5"), &json!(80)));
    assert_eq!(objects[3]["is_whole"], true);
    let told = house.told("export.create");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].object, ("end_user".to_owned(), user));

    // An auditor takes it away as well; support and policy editors do not.
    assert_eq!(house.somebody("auditor").visitor.get(&path).status, 200);
    for role in ["support", "policy_editor"] {
        assert_eq!(house.somebody(role).visitor.get(&path).status, 403, "{role}");
    }
    assert_eq!(house.owner.visitor.get(&house.at("/users/usr_00000000000070008000000000000000/file")).status, 404);
    assert_eq!(house.told("export.create").len(), 2);
}

fn an_end_user_is_erased_after_it_was_shown_what_goes(kind: Kind) {
    let house = House::open(kind);
    let page = ann(&house);
    let form = format!("{page}/erase");
    let kept = || rows::of_home(&house.home, "SELECT external_id FROM end_user").concat();
    rows::change_home(&house.home, "UPDATE operator_session SET fresh_us = 1");
    let visitor = &house.owner.visitor;
    expect_beside(&visitor.submit(&form, &form, &[("reason", ""), ("step", "preview")]), "reason");
    let preview = visitor.submit(&form, &form, &[REASON, ("step", "preview")]);
    let text = html::text(&preview.body);
    assert_eq!(preview.status, 200, "{text}");
    for wanted in ["What goes", NAME, "something", "What stays", "identifier"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let refused = visitor.submit_shown(&preview.body, &form, &[("step", "confirm")]);
    expect_beside(&refused, "step_up_password");
    assert_eq!((kept(), house.told("end_user.erase")), (vec![NAME.to_owned()], Vec::new()), "nothing was done");

    let code = house.owner.code();
    let shown = [("step", "confirm"), ("step_up_password", PASSWORD), ("step_up_code", &code)];
    assert_eq!(led_to(&visitor.submit_shown(&refused.body, &form, &shown)), page);
    assert!(!kept().concat().contains("secret"), "{:?}", kept());
    let told = house.told("end_user.erase");
    assert_eq!(told.len(), 1, "{told:?}");
    let again = visitor.submit_shown(&preview.body, &form, &[("step", "confirm")]);
    assert_eq!(led_to(&again), page, "it is so already");
    assert_eq!(house.told("end_user.erase").len(), 1);

    let after = expect_page(&house.owner, &page);
    let text = html::text(&after);
    assert!(text.contains("erased") && !after.contains("secret") && !after.contains("platinum"), "{text}");
    let links = html::links(&after);
    assert!(!links.iter().any(|link| link.ends_with("/erase") || link.ends_with("/block")), "{links:?}");
    assert!(house.text("/users").contains("erased"));
    assert_eq!(visitor.get(&form).status, 404);
    let left = objects(&visitor.get(&format!("{page}/file")).body);
    assert_eq!((&left[0]["external_id"], &left[0]["state"]), (&Value::Null, &json!("erased")));
    for path in ["/admin/audit", "/admin/search?q=ann.secret"] {
        let shown = expect_page(&house.owner, path);
        assert!(!shown.contains(NAME), "{path}");
    }
    for role in ["finance", "support", "auditor"] {
        assert_eq!(house.somebody(role).visitor.get(&form).status, 403, "{role}");
    }
}
