//! Monthly statements: the list, one of them, and the same for paper.

use tests::{home::Kind, html, on_both_databases};
use uuid::Uuid;

use super::{House, NOBODY, linked};

on_both_databases!(a_month_has_a_statement_that_can_be_printed);

fn a_month_has_a_statement_that_can_be_printed(kind: Kind) {
    let house = House::open(kind);
    assert!(house.text("/statements").contains("No call was counted yet"));
    let ann = house.end_user("ann", 7);
    house.add_usage(2, ("2025-02-01", NOBODY), (5, 3, 19_500_000));
    house.add_usage(2, ("2099-02-01", NOBODY), (1, 1, 1_000_000));
    house.add_usage(4, ("2025-02-01", Uuid::from_u128(7)), (4, 2, 12_000_000));
    house.add_usage(6, ("2025-02-01", NOBODY), (5, 3, 19_500_000));
    // Another month's are not in it.
    house.add_usage(4, ("2025-03-01", Uuid::from_u128(7)), (1, 1, 70_000_077));

    let list = house.page("/statements");
    let own = linked(&list, "/partners/{id}/statements/{period}");
    assert_eq!(own, house.at("/statements/2099-02"), "the latest first");
    assert!(html::links(&list).contains(&house.at("/statements/2025-02")), "{list}");

    let shown = house.page("/statements/2025-02");
    let text = html::text(&shown);
    for wanted in ["Statement of 2025-02", "complete", "19.5", "By tool", "By end user", "12"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(html::links(&shown).contains(&ann) && !text.contains("70.000077"), "{text}");
    assert!(house.text("/statements/2099-02").contains("not complete yet"));
    assert!(house.text("/statements/2024-12").contains("Statement of 2024-12"), "nobody called then");

    let print = linked(&shown, "/partners/{id}/statements/{period}/print");
    assert_eq!(print, house.at("/statements/2025-02/print"));
    let paper = html::text(&house.page("/statements/2025-02/print"));
    for wanted in ["Globex", house.id(), "2025-02", "19.5", "ann", "12"] {
        assert!(paper.contains(wanted), "{wanted}: {paper}");
    }
    for month in ["2025-13", "2025-2", "2025", "february", "2025-02-01"] {
        for below in ["", "/print"] {
            let path = house.at(&format!("/statements/{month}{below}"));
            assert_eq!(house.owner.visitor.get(&path).status, 404, "{path}");
        }
    }
}
