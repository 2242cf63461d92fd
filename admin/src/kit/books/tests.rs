use super::*;
use crate::kit::Block;

const fn credits(micros: i64) -> Credits {
    Credits::from_micros(micros)
}

#[test]
fn bars_stand_on_the_side_of_their_sign() {
    let rows = [("owed", 1_000_000), ("owned", -500_000), ("little", 1), ("none", 0), ("least", i64::MIN)];
    let rows = rows.map(|(name, micros)| (name.to_owned(), credits(micros)));
    let drawn = Diverging::balances("Balances".to_owned(), "Balance".to_owned(), rows.into());
    let bars: Vec<Bar> = drawn.bars().into_iter().flat_map(|(_, bars)| bars).collect();
    assert!(bars.iter().all(|bar| bar.x >= 0 && bar.x + bar.length <= 720));
    let sides: Vec<(bool, bool)> = bars.iter().map(|bar| (bar.is_left, bar.length > 0)).collect();
    assert_eq!(sides, [(false, true), (true, true), (false, true), (false, false), (true, true)]);
    let html = Block::from(drawn).to_string();
    assert!(html.contains("<details>") && html.contains("aria-hidden") && !html.contains("style="), "{html}");
    assert!(!html.contains("<text"), "words stand outside the drawings: {html}");
}

#[test]
fn bars_are_as_long_as_they_should_be() {
    let rows = [2_000_000, -1_000_000].map(|micros| (String::new(), credits(micros)));
    let drawn = Diverging::balances(String::new(), String::new(), rows.into());
    let lengths: Vec<i64> = drawn.bars().iter().flat_map(|(_, bars)| bars).map(|bar| bar.length).collect();
    assert_eq!(lengths, [340, 170]);
}

#[test]
fn debits_and_credits_of_one_line_stand_on_both_sides() {
    let drawn = Diverging {
        title: "Classes".to_owned(),
        columns: vec![("Debits".to_owned(), Side::Left), ("Credits".to_owned(), Side::Right)],
        rows: vec![("wallets".to_owned(), vec![credits(1_000_000), credits(4_000_000)])],
    };
    let found: Vec<(i64, i64, bool)> =
        drawn.bars().iter().flat_map(|(_, bars)| bars).map(|bar| (bar.x, bar.length, bar.is_left)).collect();
    assert_eq!(found, [(275, 85, true), (360, 340, false)]);
    assert_eq!(drawn.bars()[0].1[0].says, "Debits 1 cr");
    let cells = vec![Cell::Money(credits(1_000_000)), Cell::Money(credits(4_000_000))];
    assert_eq!(drawn.numbers(), [("wallets".to_owned(), cells)], "as they stand in the books");
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
