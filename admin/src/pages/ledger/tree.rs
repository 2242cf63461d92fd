//! The chart of accounts as a tree: what is owned, owed, earned and spent, what that is made of, and who has most of it.

use engine::{
    credits::Credits,
    ledger::AccountKind,
    service::chart::{ClassSum, ClassSums, LARGE_ACCOUNTS, LargeAccount},
};

use super::{account_href, class_href, class_text, short_code};
use crate::{
    kit::{Block, Branch, Text, Tree},
    text::{t, t_with},
};

/// The parts of the books, by the words that the names of their accounts begin with; what is owned stands first.
const PARTS: [&str; 5] = ["assets", "liabilities", "equity", "revenue", "expenses"];

/// The tree, with what stands in it by name; nothing before anything has moved.
pub(super) fn blocks(found: &ClassSums) -> Vec<Block> {
    let tree = Tree {
        title: t("ledger-tree"),
        called: t("ledger-balance"),
        counted: t("ledger-count"),
        branches: branches(&found.sums, &found.large),
    };
    if tree.branches.is_empty() {
        return Vec::new();
    }
    vec![tree.into(), Text::new(t_with("ledger-tree-text", &[("count", LARGE_ACCOUNTS.into())])).into()]
}

/// The classes of accounts that belong to a part of the books and have moved.
fn classes<'a>(sums: &'a [ClassSum], part: &str) -> Vec<&'a ClassSum> {
    let is_of = |kind: AccountKind| kind.code("").split(':').next() == Some(part);
    sums.iter().filter(|sum| sum.accounts > 0 && is_of(sum.kind)).collect()
}

/// What several amounts of micro-credits come to.
fn together(amounts: impl Iterator<Item = i64>) -> Credits {
    Credits::from_micros(amounts.fold(0, i64::saturating_add))
}

fn branches(sums: &[ClassSum], large: &[LargeAccount]) -> Vec<Branch> {
    let mut out = Vec::new();
    for part in PARTS {
        let classes = classes(sums, part);
        if classes.is_empty() {
            continue;
        }
        out.push(Branch {
            depth: 0,
            name: t(&["ledger-part-", part].concat()),
            href: String::new(),
            count: Some(classes.iter().fold(0, |count: i64, sum| count.saturating_add(sum.accounts))),
            amount: together(classes.iter().map(|sum| sum.balance())),
        });
        for sum in classes {
            out.extend(class(sum, large));
        }
    }
    out
}

/// A class with the accounts that have most, and what all others have together.
fn class(sum: &ClassSum, large: &[LargeAccount]) -> Vec<Branch> {
    let list = class_href(sum.kind);
    let named: Vec<&LargeAccount> = large.iter().filter(|account| account.class == sum.kind).collect();
    let mut out = vec![Branch {
        depth: 1,
        name: class_text(sum.kind),
        href: list.clone(),
        count: Some(sum.accounts),
        amount: Credits::from_micros(sum.balance()),
    }];
    out.extend(named.iter().map(|account| Branch {
        depth: 2,
        name: short_code(&account.code),
        href: account_href(account.id),
        count: None,
        amount: Credits::from_micros(account.balance),
    }));
    let others = sum.accounts.saturating_sub(i64::try_from(named.len()).unwrap_or(i64::MAX));
    if others > 0 {
        let of_named = together(named.iter().map(|account| account.balance)).micros();
        out.push(Branch {
            depth: 2,
            name: t_with("ledger-tree-others", &[("count", others.into())]),
            href: list,
            count: Some(others),
            amount: Credits::from_micros(sum.balance().saturating_sub(of_named)),
        });
    }
    out
}

#[cfg(test)]
mod tests;
