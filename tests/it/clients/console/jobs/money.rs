//! Money that goes back, and the end of a period.

use super::{
    Story,
    job::Job,
    world::{now_us, second_text},
};

/// 120 of 150 credits go back, which is more than one operator decides alone.
pub(super) fn refund_a_part(job: &Job<'_>, story: &mut Story) {
    let world = job.world;
    let before = world.balance();
    let quin = job.sign_in(world.who("Quin"), "/admin/", "/admin/");
    quin.search(&story.call, "the call's identifier");
    quin.press("Give back");
    quin.fill("Credits", "120");
    quin.fill("Why", "Half of the answer was missing");
    quin.press("Show what it will do");
    quin.press("Give back");
    let request = quin.path();
    let request = request.split('?').next().unwrap_or_default().to_owned();
    quin.see("approval.request");
    assert!(request.starts_with("/admin/approvals/apr_"), "{request}");
    assert_eq!(world.rows("refunds").len(), 0, "nothing moves before somebody else agrees");
    assert!((world.balance() - before).abs() < 1e-9);

    let rosa = job.sign_in(world.who("Rosa"), &request, "the request's address");
    rosa.press("Approve, and do it now");
    let refunds = world.rows("refunds");
    let [refund] = refunds.as_slice() else { panic!("{refunds:?}") };
    assert_eq!(refund["reverses"], story.call.trim_start_matches("inv_"));
    let micros = ["wallet", "publisher", "partner", "platform"].map(|whose| refund[format!("{whose}_micros")].as_str());
    assert_eq!(micros, [Some("120000000"), Some("-96000000"), Some("0"), Some("-24000000")], "{refund}");
    assert!((world.balance() - before - 120.0).abs() < 1e-9);
    world.expect_told("approval.request", "Half of the answer was missing");
    let (told, approved) = (world.told("refund.create"), world.told("approval.approve"));
    assert_eq!((told["method"].as_str(), &told["actor"]), (Some("approval"), &approved["actor"]), "{told}");
    assert_ne!(world.told("approval.request")["actor"], approved["actor"], "two people");
    rosa.see("approval.approve");
}

/// A column of a CSV file with a header: the value in the row that begins with `name`.
#[track_caller]
fn cell<'t>(csv: &'t str, name: &str, column: &str) -> &'t str {
    let mut lines = csv.lines().skip_while(|line| line.starts_with('#'));
    let head = lines.next().unwrap_or_default();
    let place = head.split(',').position(|known| known == column);
    let row = lines.find(|line| line.split(',').next() == Some(name));
    let value = row.zip(place).and_then(|(row, place)| row.split(',').nth(place));
    value.unwrap_or_else(|| panic!("no {column} of {name} in {csv}"))
}

/// The period ends now, and its trial balance goes to the bookkeeper.
pub(super) fn close_a_period(job: &Job<'_>, _: &mut Story) {
    let world = job.world;
    let ulla = job.sign_in(world.who("Ulla"), "/admin/", "/admin/");
    ulla.press("Ledger");
    ulla.press("Periods");
    ulla.press("Close a period");
    ulla.fill("Until (UTC)", &second_text(now_us()));
    ulla.fill("Why", "The quarter is over");
    ulla.press("Show what it will do");
    ulla.press("Close it for ever");
    ulla.browser.see("period.close");
    ulla.press("Export");
    let file = ulla.download("Download");

    let told = world.told("period.close");
    assert_eq!(told["reason"], "The quarter is over", "{told}");
    assert_eq!(told["object"]["id"], "1", "{told}");
    let closed = world.console.command(&["ledger", "trial-balance", "--period", "1"]);
    let lines = closed["accounts"].as_array().expect("lines");
    assert!(file.name.contains("trial-balance"), "{}", file.name);
    for code in ["revenue:platform:fee", "expenses:promo", "equity:opening"] {
        let line = lines.iter().find(|line| line["code"] == code).unwrap_or_else(|| panic!("no {code} in {closed}"));
        for column in ["opening_micros", "debits_micros", "credits_micros", "closing_micros"] {
            assert_eq!(cell(&file.text, code, column), line[column], "{code} {column}");
        }
    }
    assert_ne!(cell(&file.text, "revenue:platform:fee", "closing_micros"), "0", "{}", file.text);
    // It is of the period, and of nothing behind it.
    for (end, of_period) in [("from", "start"), ("to", "end")] {
        let moment = closed[of_period].as_str().expect("a moment").trim_end_matches('Z');
        assert!(file.text.contains(&format!("\"{end}\":\"{moment}")), "{end} {moment}: {}", file.text);
    }
    ulla.see("Exports");
}
