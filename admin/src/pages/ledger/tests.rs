use super::*;

#[test]
fn every_kind_has_a_word_and_a_text() {
    for kind in AccountKind::all() {
        assert!(!kind_slug(kind).is_empty(), "{kind:?}");
        assert!(!kind_text(kind).starts_with(KIND), "{kind:?}");
    }
    for kind in TransactionKind::all() {
        assert!(!transaction_text(kind).starts_with(TRANSACTION), "{kind:?}");
    }
}

#[test]
fn names_of_accounts_are_cut_short_where_identifiers_are() {
    let id = "acc_0192f0c1a2b37c4d8e5f60718293a4b5";
    assert_eq!(short_code(&format!("liabilities:wallet:{id}")), "liabilities:wallet:acc_0192…93a4b5");
    assert_eq!(short_code("expenses:loss:chargeback"), "expenses:loss:chargeback");
}

#[test]
fn what_does_not_balance_is_said() {
    let sum = |kind, debits, credits| ClassSum { kind, accounts: 1, debits, credits, held: 0 };
    let mut sums = [sum(AccountKind::Wallet, 3, 10), sum(AccountKind::Opening, 7, 0)];
    assert_eq!(difference(&sums), 0);
    assert!(balanced(0).to_string().contains("good"));
    sums[0].credits = i64::MAX;
    assert!(difference(&sums) > 0 && balanced(difference(&sums)).to_string().contains("bad"));
}

#[test]
fn a_picture_has_what_has_moved() {
    let sum = |kind, accounts, credits| ClassSum { kind, accounts, debits: 0, credits, held: 0 };
    let drawn = class_picture(&[sum(AccountKind::Wallet, 1, 5), sum(AccountKind::Loss, 0, 0)]);
    assert_eq!(drawn.rows, [(class_text(AccountKind::Wallet), vec![Credits::from_micros(5)])]);
}
