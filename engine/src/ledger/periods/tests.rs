use uuid::Uuid;

use super::*;

const DAY_US: i64 = 86_400_000_000;
/// The first of November 2026, in UTC.
const NOVEMBER_US: i64 = 1_793_491_200_000_000;

const fn at(slot: i64, seq: i64) -> Position {
    Position { slot, seq }
}

fn close(period: i64, start_us: i64, end_us: i64, cut: &[Position]) -> PeriodClose {
    let id = EntryId::from(Uuid::from_u128(7));
    PeriodClose { id, period, start_us, end_us, cut: cut.to_vec(), digest: [0; 32] }
}

#[test]
fn a_transaction_belongs_to_the_first_period_that_was_neither_over_nor_closed() {
    let calendar = Calendar::of(vec![
        close(1, 0, 100, &[at(0, 10)]),
        close(2, 100, 200, &[at(0, 20), at(3, 5)]),
        close(3, 200, 300, &[at(0, 20), at(3, 9)]),
    ]);
    for (position, effective_us, period) in [
        (at(0, 1), 0, 1),
        (at(0, 1), -500, 1),
        (at(0, 10), 99, 1),
        (at(0, 10), 100, 2),
        (at(0, 11), 99, 2),
        (at(0, 11), -500, 2),
        (at(0, 20), 199, 2),
        (at(0, 20), 299, 3),
        (at(0, 21), 0, 4),
        (at(0, 20), 300, 4),
        (at(3, 1), 50, 2),
        (at(3, 5), 50, 2),
        (at(3, 6), 50, 3),
        (at(3, 10), 50, 4),
        (at(9, 1), 50, 4),
        (at(9, 1), 900, 4),
    ] {
        assert_eq!(calendar.period_of(position, effective_us), period, "{position:?} at {effective_us}");
    }
    assert_eq!((calendar.open(), Calendar::default().open()), (4, 1));
    assert_eq!(Calendar::default().period_of(at(0, 1), 0), 1);
}

#[test]
fn months_begin_and_end_in_utc() {
    let december = NOVEMBER_US + 30 * DAY_US;
    assert_eq!(start_of_month(NOVEMBER_US), NOVEMBER_US);
    assert_eq!(start_of_month(december - 1), NOVEMBER_US);
    assert_eq!(end_of_month(NOVEMBER_US), Some(december));
    assert_eq!(end_of_month(december - 1), Some(december));
    assert_eq!(month_of(NOVEMBER_US, december).as_deref(), Some("2026-11"));
    for (start_us, end_us) in [(NOVEMBER_US, december - 1), (NOVEMBER_US + 1, december), (NOVEMBER_US, december + 1)] {
        assert_eq!(month_of(start_us, end_us), None);
    }
}

#[test]
fn a_trial_balance_goes_on_where_the_last_one_ended() {
    let wallet = (AccountKind::Wallet.raw(), 0);
    let payable = (AccountKind::Payable.raw(), 77);
    let first = trial_balance(&[], &BTreeMap::from([(wallet, (30, 100)), (payable, (0, 30))])).unwrap();
    let keys: Vec<BalanceKey> = first.iter().map(|row| row.key).collect();
    assert!(keys.is_sorted() && lasting_keys().all(|key| keys.contains(&key)) && keys.len() == 10, "{keys:?}");
    let of = |rows: &[BalanceRow], key| rows.iter().find(|row| row.key == key).copied().unwrap();
    assert_eq!(of(&first, wallet), BalanceRow { key: wallet, opening: 0, debits: 30, credits: 100, closing: 70 });
    let second = trial_balance(&first, &BTreeMap::from([(wallet, (70, 0))])).unwrap();
    assert_eq!(of(&second, wallet), BalanceRow { key: wallet, opening: 70, debits: 70, credits: 0, closing: 0 });
    assert_eq!(of(&second, payable), BalanceRow { key: payable, opening: 30, debits: 0, credits: 0, closing: 30 });
    let wide = i128::from(i64::MAX) + 1;
    assert_eq!(trial_balance(&[], &BTreeMap::from([(wallet, (0, wide))])), Err(TooLarge));
    assert_ne!(digest(1, &first), digest(2, &first));
    assert_ne!(digest(1, &first), digest(1, &second));
    assert_eq!(balance_key(AccountKind::Grant, LedgerAccountId::from_raw(5)), (10, 0));
    assert_eq!(balance_key(AccountKind::Payable, LedgerAccountId::from_raw(77)), payable);
}

#[test]
fn a_cut_is_read_as_it_was_written() {
    let cut = [at(0, 1), at(15, i64::MAX)];
    assert_eq!(decode_cut(&encode_cut(&cut)).as_deref(), Some(&cut[..]));
    assert_eq!(decode_cut(&[]), Some(Vec::new()));
    assert_eq!(decode_cut(&[0; 15]), None);
    let close = close(1, 0, 1, &cut);
    assert_eq!((close.cut_of(0), close.cut_of(15), close.cut_of(1)), (1, i64::MAX, 0));
}
