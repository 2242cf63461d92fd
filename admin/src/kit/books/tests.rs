use super::*;
use crate::kit::Block;

const fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

#[test]
fn bars_stand_on_the_side_of_their_sign() {
    let drawn = Diverging {
        title: "Balances".to_owned(),
        amounts: "Balance".to_owned(),
        rows: vec![
            ("owed".to_owned(), credits(1_000_000)),
            ("owned".to_owned(), credits(-500_000)),
            ("little".to_owned(), credits(1)),
            ("none".to_owned(), credits(0)),
            ("least".to_owned(), credits(i64::MIN)),
        ],
    };
    let bars = drawn.bars();
    assert!(bars.iter().all(|bar| bar.x >= 0 && bar.x + bar.length <= 720 && bar.y < drawn.size().1));
    let sides: Vec<(bool, bool)> = bars.iter().map(|bar| (bar.is_below, bar.length > 0)).collect();
    assert_eq!(sides, [(false, true), (true, true), (false, true), (false, false), (true, true)]);
    let html = Block::from(drawn).to_string();
    assert!(html.contains("<details>") && html.contains("role=\"img\"") && !html.contains("style="), "{html}");
}

#[test]
fn bars_are_as_long_as_they_should_be() {
    let rows = [2_000_000, -1_000_000].map(|micros| (String::new(), credits(micros)));
    let bars = Diverging { title: String::new(), amounts: String::new(), rows: rows.into() }.bars();
    assert_eq!(bars.iter().map(|bar| bar.length).collect::<Vec<_>>(), [340, 170]);
}

#[test]
fn a_t_has_debits_left_and_credits_right() {
    let account = TAccount {
        name: Cell::text("<b>wallet"),
        debits: vec![credits(2_000_000)],
        credits: vec![credits(1_000_000), credits(3_000_000)],
    };
    assert_eq!(
        account.lines(),
        [
            (Cell::Money(credits(2_000_000)), Cell::Money(credits(1_000_000))),
            (Cell::None, Cell::Money(credits(3_000_000)))
        ]
    );
    let drawn = TAccounts { debit: "Debit".to_owned(), credit: "Credit".to_owned(), accounts: vec![account] };
    let html = Block::from(drawn).to_string();
    assert!(!html.contains("<b>") && html.find("Debit") < html.find("Credit"), "{html}");
}
