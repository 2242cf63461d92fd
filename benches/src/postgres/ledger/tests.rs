use std::collections::HashSet;

use super::{ACCOUNTS, DRY_WALLET, MANY_PAYEES, MANY_WALLETS, ONE_PAYEE, ONE_WALLET, Samples, statements};
use crate::{
    charging::SpreadIds,
    report::{LedgerRate, RunDry, Unbatched},
};

fn rate(hold_captures_per_s: f64) -> LedgerRate {
    LedgerRate { hold_captures_per_s, p50_ms: 1.0, p99_ms: 2.0, requests_per_batch: 64.0 }
}

fn unbatched(per_s: f64) -> Unbatched {
    Unbatched { connections: 16, per_s, mean_ms: 4.0 }
}

#[test]
fn no_account_is_two() {
    let all = [MANY_WALLETS, ONE_WALLET, DRY_WALLET, MANY_PAYEES];
    for (index, one) in all.iter().enumerate() {
        for other in all.iter().skip(index + 1) {
            assert!(one.first + one.count <= other.first, "{one:?} {other:?}");
        }
    }
    assert_eq!(ONE_PAYEE.ids(), MANY_PAYEES.ids()[..1]);
}

#[test]
fn every_account_is_stated_once() {
    let stated = statements(&SpreadIds::default(), 7);
    let ids: HashSet<_> = stated.iter().map(|post| post.id).collect();
    let things: HashSet<_> = stated.iter().filter_map(|post| post.reverses).collect();
    let count = ACCOUNTS.iter().map(|(accounts, _)| accounts.ids().len()).sum::<usize>();
    assert_eq!([stated.len(), ids.len(), things.len()], [count; 3]);
    assert!(stated.iter().all(|post| post.legs.is_empty() && post.meta.is_some()));
}

#[test]
fn ratios_are_taken_within_a_round() {
    // the machine slows down tenfold in the second round; every round says the same
    let samples = Samples {
        one_publisher: vec![rate(8_000.0), rate(800.0)],
        many_publishers: vec![rate(10_000.0), rate(1_000.0)],
        one_wallet: vec![rate(2_000.0), rate(200.0)],
        unbatched: vec![unbatched(400.0), unbatched(40.0)],
        row_locks: vec![unbatched(800.0), unbatched(80.0)],
    };
    let found = samples.figures(RunDry { funded: 7, captured: 7 });
    let ratios = [found.one_over_thousand, found.over_unbatched, found.over_row_locks];
    for (ratio, expected) in ratios.into_iter().zip([0.8, 20.0, 10.0]) {
        assert!((ratio - expected).abs() < 1e-9, "{found:?}");
    }
    assert!((found.one_publisher.hold_captures_per_s - 4_400.0).abs() < 1e-9, "{found:?}");
    assert_eq!(found.unbatched.connections, 16);
}
