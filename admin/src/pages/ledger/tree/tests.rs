use engine::ledger::LedgerAccountId;

use super::*;

const fn sum(kind: AccountKind, accounts: i64, debits: i64, credits: i64) -> ClassSum {
    ClassSum { kind, accounts, debits, credits, held: 0 }
}

fn account(number: i64, code: &str, class: AccountKind, balance: i64) -> LargeAccount {
    LargeAccount { id: LedgerAccountId::from_raw(number), code: code.to_owned(), class, balance }
}

#[test]
fn every_part_has_its_classes_and_every_class_its_accounts() {
    let sums = [
        sum(AccountKind::Wallet, 1_000, 5, 105),
        sum(AccountKind::Payable, 2, 0, 10),
        sum(AccountKind::PlatformFee, 1, 0, 3),
        sum(AccountKind::Loss, 0, 0, 0),
        sum(AccountKind::Clearing, 1, 113, 0),
    ];
    let large = [
        account(5, "assets:clearing:manual", AccountKind::Clearing, -113),
        account(11, "liabilities:wallet:one", AccountKind::Wallet, 60),
        account(12, "liabilities:wallet:two", AccountKind::Wallet, 30),
        account(21, "liabilities:payable:acme", AccountKind::Payable, 10),
        account(1, "revenue:platform:fee", AccountKind::PlatformFee, 3),
    ];
    let found: Vec<(usize, String, Option<i64>, i64)> = branches(&sums, &large)
        .into_iter()
        .map(|branch| (branch.depth, branch.name, branch.count, branch.amount.micros()))
        .collect();
    let expected = [
        (0, t("ledger-part-assets"), Some(1), -113),
        (1, class_text(AccountKind::Clearing), Some(1), -113),
        (2, "assets:clearing:manual".to_owned(), None, -113),
        (0, t("ledger-part-liabilities"), Some(1_002), 110),
        (1, class_text(AccountKind::Wallet), Some(1_000), 100),
        (2, "liabilities:wallet:one".to_owned(), None, 60),
        (2, "liabilities:wallet:two".to_owned(), None, 30),
        (2, t_with("ledger-tree-others", &[("count", 998.into())]), Some(998), 10),
        (1, class_text(AccountKind::Payable), Some(2), 10),
        (2, "liabilities:payable:acme".to_owned(), None, 10),
        (2, t_with("ledger-tree-others", &[("count", 1.into())]), Some(1), 0),
        (0, t("ledger-part-revenue"), Some(1), 3),
        (1, class_text(AccountKind::PlatformFee), Some(1), 3),
        (2, "revenue:platform:fee".to_owned(), None, 3),
    ];
    assert_eq!(found, expected);
}

/// The class of wallets counts grants, so what it leads to has both.
#[test]
fn a_class_leads_to_all_that_it_counts() {
    for (kind, word) in [(AccountKind::Wallet, "wallets_and_grants"), (AccountKind::Payable, "payable")] {
        let found = branches(&[sum(kind, 3, 0, 1)], &[]);
        let hrefs: Vec<&str> = found.iter().map(|branch| branch.href.as_str()).collect();
        let list = format!("/admin/ledger/accounts?kind={word}");
        assert_eq!(hrefs, ["", list.as_str(), list.as_str()], "{kind:?}");
    }
}

#[test]
fn every_kind_of_accounts_has_its_place() {
    for kind in AccountKind::all() {
        let found = branches(&[sum(kind, 1, 0, 1)], &[]);
        assert_eq!(found.iter().map(|branch| branch.depth).collect::<Vec<_>>(), [0, 1, 2], "{kind:?}");
        assert!(!found[0].name.starts_with("ledger-part-"), "{kind:?}: {}", found[0].name);
    }
    assert!(branches(&[], &[]).is_empty());
}
