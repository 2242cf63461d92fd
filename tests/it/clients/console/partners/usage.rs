//! Usage by day, month, end user and tool: the picture, the list, the file, and ranges that are none.

use jiff::Timestamp;
use tests::{home::Kind, html, on_both_databases};
use uuid::Uuid;

use super::{House, NOBODY, expect_beside, expect_page};
use crate::rows;

on_both_databases!(usage_is_shown_in_days_and_months_and_as_a_file, what_is_no_range_is_named_beside_its_field);

impl House {
    /// What calls of a day or a month came to, as it is counted behind them: 1 all calls of a day, 2 of a month, 3 by end user
    /// and day, 5 by tool and day.
    pub(super) fn add_usage(&self, kind: i16, (day, subject): (&str, Uuid), (calls, paid, charged): (i64, i64, i64)) {
        let start: Timestamp = format!("{day}T00:00:00Z").parse().expect("a day");
        let sql = format!(
            "INSERT INTO partner_usage (partner_id, kind, start_us, subject_id, calls, paid_calls, charged)
             VALUES ({}, {kind}, {}, {}, {calls}, {paid}, {charged})",
            self.partner_literal(),
            start.as_microsecond(),
            self.literal(subject),
        );
        rows::change_home(&self.home, &sql);
    }
}

/// The bars of the picture on a page.
fn bars(body: &str) -> usize {
    html::elements(body).iter().filter(|element| element.name == "rect" && element.get("class") == Some("s1")).count()
}

fn usage_is_shown_in_days_and_months_and_as_a_file(kind: Kind) {
    let house = House::open(kind);
    let empty = house.page("/usage");
    assert!(html::text(&empty).contains("In this time no call was counted") && bars(&empty) == 0, "{empty}");

    let ann = house.end_user("=ann", 7);
    let (user, tool) = (Uuid::from_u128(7), Uuid::from_u128(9));
    house.add_usage(1, ("2026-11-01", NOBODY), (4, 2, 12_500_000));
    house.add_usage(1, ("2026-11-03", NOBODY), (1, 1, 7_000_000));
    house.add_usage(1, ("2026-11-05", NOBODY), (9, 9, 1_000_000_000));
    house.add_usage(2, ("2026-11-01", NOBODY), (14, 12, 1_019_500_000));
    house.add_usage(3, ("2026-11-01", user), (3, 1, 5_000_000));
    house.add_usage(3, ("2026-11-01", NOBODY), (1, 1, 7_500_000));
    house.add_usage(5, ("2026-11-03", tool), (1, 1, 7_000_000));

    let range = "from=2026-11-01&to=2026-11-03";
    let days = house.page(&format!("/usage?{range}"));
    assert_eq!(bars(&days), 2, "a bar for every day with calls");
    let cells = html::texts_of(&days, "td");
    for wanted in ["2026-11-01", "2026-11-03", "12.5", "7"] {
        assert!(cells.iter().any(|cell| cell.trim().starts_with(wanted)), "{wanted}: {cells:?}");
    }
    let text = html::text(&days);
    assert!(text.contains("19.5") && !text.contains("2026-11-05"), "the sum of the days that are asked for: {text}");
    assert!(html::texts_of(&days, "th").iter().any(|cell| cell == "2026-11-02"), "the picture's table has every day");

    let months = html::text(&house.page(&format!("/usage?{range}&per=month")));
    assert!(months.contains("1,019.5"), "a month is whole: {months}");
    let users = house.page(&format!("/usage?{range}&by=user"));
    assert!(html::links(&users).contains(&ann), "the end user's page: {users}");
    assert!(html::text(&users).contains("nobody or nothing that is known"), "{users}");
    assert_eq!(bars(&users), 2, "the picture is of all calls");
    let one = house.page(&format!("/usage?{range}&user=usr_{}", user.as_simple()));
    assert!(html::text(&one).contains("What the calls for =ann were charged") && bars(&one) == 1, "{one}");
    let tools = html::text(&house.page(&format!("/usage?{range}&by=tool")));
    assert!(tools.contains("tol_"), "a tool that is gone has its identifier: {tools}");

    let path = house.at(&format!("/usage/export?{range}&by=user"));
    let file = house.owner.visitor.get(&path);
    assert_eq!(
        file.header("content-disposition"),
        Some(&*format!("attachment; filename=\"partner-usage-{}.csv\"", house.id()))
    );
    let lines: Vec<&str> = file.body.lines().skip(1).collect();
    let named = format!("2026-11-01,usr_{},'=ann,3,1,5", user.as_simple());
    let expected =
        ["period,about,name,calls,paid_calls,charged_credits", "2026-11-01,,,1,1,7.5", named.as_str(), "# the end"];
    assert_eq!(lines, expected);
    let told = house.told("export.create").pop().expect("it is told");
    let after = told.after.unwrap_or_default();
    assert!(after.contains(house.id()) && after.contains("by=user"), "{after}");

    let support = house.somebody("support");
    let seen = expect_page(&support, &house.at(&format!("/usage?{range}")));
    assert!(!html::links(&seen).iter().any(|link| link.contains("/usage/export")), "support takes nothing away");
    assert_eq!(support.visitor.get(&path).status, 403);
}

fn what_is_no_range_is_named_beside_its_field(kind: Kind) {
    let house = House::open(kind);
    for (query, field) in [
        ("from=yesterday", "from"),
        ("to=x", "to"),
        ("from=2026-11-03&to=2026-11-01", "to"),
        ("from=2020-01-01&to=2026-11-01", "from"),
        ("user=nobody", "user"),
        ("user=usr_00000000000070008000000000000000", "user"),
    ] {
        let path = house.at(&format!("/usage?{query}"));
        expect_beside(&house.owner.visitor.get(&path), field);
        let file = house.owner.visitor.get(&house.at(&format!("/usage/export?{query}")));
        assert_eq!(file.status, 400, "{query}");
    }
    assert_eq!(house.owner.visitor.get(&house.at("/usage?after=x")).status, 400);
    assert_eq!(house.told("export.create"), [], "nothing was taken away");
}
