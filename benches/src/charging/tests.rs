use std::collections::{BTreeMap, BTreeSet};

use engine::{id::IdSource as _, ledger::LedgerAccountId};

use super::{AMOUNT_MICRO, PUBLISHER_BPS, SPLIT, SpreadIds, draw};
use crate::driver::scatter;

#[test]
fn the_split_is_that_of_the_shares() {
    assert_eq!(SPLIT.price_micro(), AMOUNT_MICRO);
    assert_eq!(SPLIT.publisher, AMOUNT_MICRO * i64::from(PUBLISHER_BPS) / 10_000);
}

#[test]
fn every_account_is_drawn_as_often_as_the_others() {
    let accounts: Vec<_> = (0..1_000).map(LedgerAccountId::from_raw).collect();
    for shift in [0, 32] {
        let mut drawn = BTreeMap::<LedgerAccountId, u32>::new();
        for number in 0..100_000 {
            *drawn.entry(draw(&accounts, scatter(number) >> shift).unwrap()).or_default() += 1;
        }
        assert_eq!(drawn.len(), accounts.len());
        assert!(drawn.values().all(|count| (50..=150).contains(count)));
    }
    assert!(draw(&[], 1).is_err());
}

#[test]
fn processes_that_begin_apart_make_different_identifiers() {
    let sources = [SpreadIds::starting_at(0), SpreadIds::starting_at(1 << 48)];
    let made: BTreeSet<_> = sources.iter().flat_map(|ids| (0..10_000).map(|_| ids.next_uuid(7))).collect();
    assert_eq!(made.len(), 20_000);
}
