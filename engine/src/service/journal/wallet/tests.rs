use uuid::Uuid;

use super::*;

#[test]
fn every_kind_has_a_word_of_its_own_and_is_found_by_it() {
    for kind in WalletMoveKind::ALL {
        assert_eq!(WalletMoveKind::from_word(kind.as_str()), Some(kind));
    }
    for word in ["", "payout", "fact", "Charge", "expired"] {
        assert_eq!(WalletMoveKind::from_word(word), None, "{word}");
    }
}

#[test]
fn a_grant_that_takes_one_back_is_an_expiry() {
    let other = Some(EntryId::from(Uuid::from_u128(1)));
    let transaction = WalletMoveKind::Transaction;
    for (kind, reverses, expected) in [
        (TransactionKind::Grant, None, transaction(TransactionKind::Grant)),
        (TransactionKind::Grant, other, WalletMoveKind::Expiry),
        (TransactionKind::Refund, other, transaction(TransactionKind::Refund)),
        (TransactionKind::Charge, None, transaction(TransactionKind::Charge)),
    ] {
        let told = WalletMoveKind::of(kind, reverses);
        assert_eq!(told, expected);
        let (booked, takes_back) = told.booked();
        assert_eq!(booked, kind);
        assert!(takes_back.is_none_or(|takes_back| takes_back == reverses.is_some()));
    }
}

fn map(pairs: &[(i64, i64)]) -> BTreeMap<i64, i64> {
    pairs.iter().copied().collect()
}

#[test]
fn a_page_looks_at_so_many_entries_and_at_none_before_the_floor() {
    const ALL: i64 = WALLET_ENTRIES_LOOKED_AT;
    for (starts, floors, expected) in [
        (vec![], vec![], vec![]),
        (vec![(0, 100)], vec![], vec![(0, 1, 100, 1)]),
        (vec![(0, ALL + 100)], vec![], vec![(0, 100, ALL + 100, 1)]),
        (vec![(0, ALL + 100)], vec![(0, 150)], vec![(0, 150, ALL + 100, 150)]),
        (vec![(0, ALL + 100), (3, 10)], vec![(0, 50)], vec![(0, ALL / 2 + 100, ALL + 100, 50), (3, 1, 10, 1)]),
        // Nothing of the slot is as new as what is asked for.
        (vec![(0, 100)], vec![(0, 100)], vec![]),
    ] {
        let found: Vec<_> = windows(&map(&starts), &map(&floors))
            .into_iter()
            .map(|(window, floor)| (window.slot, window.from, window.before, floor))
            .collect();
        assert_eq!(found, expected, "{starts:?} {floors:?}");
    }
}
