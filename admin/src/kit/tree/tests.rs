use super::*;

fn tree(of: &[(usize, &str, i64)]) -> Tree {
    let branch = |(depth, name, micros): &(usize, &str, i64)| Branch {
        depth: *depth,
        name: (*name).to_owned(),
        href: if *depth == 2 { "/admin/ledger/accounts/1".to_owned() } else { String::new() },
        count: (*depth < 2).then_some(1),
        amount: Credits::from_micros(*micros),
    };
    Tree {
        title: "Balances".to_owned(),
        called: "Balance".to_owned(),
        counted: "Accounts".to_owned(),
        branches: of.iter().map(branch).collect(),
    }
}

#[test]
fn branches_lie_on_one_scale_to_both_sides_of_nothing() {
    for (says, of, expected) in [
        (
            "one side each",
            &[(0, "owned", -200), (1, "cash", -100), (0, "owed", 200)][..],
            &[(20, 340), (190, 170), (360, 340)][..],
        ),
        ("very little is seen", &[(0, "much", 1_000_000), (0, "little", -1)], &[(360, 340), (359, 1)]),
        ("nothing", &[(0, "nothing", 0)], &[(360, 0)]),
        ("as much as there can be", &[(0, "least", i64::MIN), (0, "most", i64::MAX)], &[(20, 340), (360, 339)]),
    ] {
        let tree = tree(of);
        let found: Vec<(i64, i64)> = tree.bars().iter().map(|bar| (bar.x, bar.length)).collect();
        assert_eq!(found, expected, "{says}");
    }
}

#[test]
fn in_the_table_every_branch_has_what_leads_to_it() {
    let tree =
        tree(&[(0, "owed", 3), (1, "wallets", 3), (2, "one", 2), (2, "others", 1), (0, "owned", -3), (1, "cash", -3)]);
    let paths: Vec<String> = tree.numbers().into_iter().map(|(path, _)| path).collect();
    let expected =
        ["owed", "owed / wallets", "owed / wallets / one", "owed / wallets / others", "owned", "owned / cash"];
    assert_eq!(paths, expected);
}

#[test]
fn a_tree_is_drawn_and_written() {
    let html = tree(&[(0, "<owed>", 3), (2, "one", 2)]).to_string();
    assert!(html.matches("<rect").count() == 2 && html.matches("<tr>").count() == 3, "{html}");
    assert!(!html.contains("style=") && !html.contains("<owed>") && !html.contains("<text"), "{html}");
    assert_eq!(html.matches("href=\"/admin/ledger/accounts/1\"").count(), 1, "{html}");
    assert!(html.contains("class=\"deep2\"") && html.contains("class=\"deep0\""), "{html}");
}
