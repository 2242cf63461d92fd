use super::*;
use crate::ledger::leaf::Position;

const fn place(recorded_us: i64, slot: i64, seq: i64) -> Place {
    Place { recorded_us, position: Position { slot, seq } }
}

/// A slot whose entries (their numbers are their times) were found, and what was not looked at.
fn part(slot: i64, found: &[i64], count: u64, unread: Option<i64>) -> Part<i64> {
    let rows = found.iter().map(|at| (place(*at, slot, *at), *at)).collect();
    Part::new(rows, count, unread.map(|at| place(at, slot, at)))
}

#[test]
fn slots_are_put_together_by_time() {
    let merged = merge(vec![part(0, &[9, 5, 1], 4, None), part(3, &[8, 7], 4, None)], 4);
    assert_eq!(merged.rows, [9, 8, 7, 5]);
    assert_eq!(merged.left, BTreeMap::from([(0, 2)]), "slot 3 has nothing left");
    assert_eq!(merged.looked_back_to_us, None);
}

#[test]
fn a_slot_with_more_than_a_page_goes_on_behind_its_last_row() {
    let merged = merge(vec![part(0, &[9, 8, 7], 2, None), part(1, &[6], 2, None)], 2);
    assert_eq!(merged.rows, [9, 8]);
    assert_eq!(merged.left, BTreeMap::from([(0, 8), (1, 7)]));
}

#[test]
fn nothing_is_listed_before_something_newer_that_was_not_looked_at() {
    let merged = merge(vec![part(0, &[90], 4, Some(60)), part(1, &[70, 50], 4, None)], 4);
    assert_eq!(merged.rows, [90, 70], "50 may come behind what slot 0 has before 60");
    assert_eq!(merged.left, BTreeMap::from([(0, 61), (1, 51)]));
    assert_eq!(merged.looked_back_to_us, Some(60));
}

#[test]
fn a_page_on_which_nothing_is_found_goes_on_all_the_same() {
    let merged = merge(vec![part(0, &[], 4, Some(60)), part(1, &[50], 4, Some(10))], 4);
    assert!(merged.rows.is_empty());
    assert_eq!(merged.left, BTreeMap::from([(0, 61), (1, 51)]));
    let merged = merge(vec![part(0, &[], 4, None), part(1, &[50], 4, Some(10))], 4);
    assert_eq!((merged.rows, merged.left), (vec![50], BTreeMap::from([(1, 11)])));
}

#[test]
fn pages_together_list_everything_once() {
    // Two slots that were written to in turns, read through windows of five entries.
    let all: [(i64, Vec<i64>); 2] =
        [(0, (1..60).filter(|at| at % 3 == 0).collect()), (1, (1..60).filter(|at| at % 3 == 1).collect())];
    let mut before = BTreeMap::from([(0, 60), (1, 60)]);
    let mut listed = Vec::new();
    while !before.is_empty() {
        let parts = all.iter().filter_map(|(slot, entries)| {
            let end = *before.get(slot)?;
            let from = (end - 15).max(1);
            let found: Vec<i64> = entries.iter().rev().copied().filter(|at| (from..end).contains(at)).take(4).collect();
            let unread = entries.iter().rev().copied().find(|at| *at < from);
            Some(part(*slot, &found, 3, if found.len() > 3 { None } else { unread }))
        });
        let merged = merge(parts.collect(), 3);
        listed.extend(merged.rows);
        before = merged.left;
    }
    let mut expected: Vec<i64> = all.iter().flat_map(|(_, entries)| entries.iter().copied()).collect();
    expected.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
    assert_eq!(listed, expected);
}
