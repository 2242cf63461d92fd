use engine::ledger::LedgerAccountId;

use super::{Accounts, Seen, Shift, read_line, sum};
use crate::charging::Until;

fn seen(latencies_ns: Vec<(u64, u64)>, measured: u64) -> Seen {
    Seen { latencies_ns, captures: measured + 10, measured, requests: 300, batches: 20 }
}

#[test]
fn the_crew_s_figures_are_those_of_all_its_processes() {
    let found = sum(&[seen(vec![(1_000_000, 90)], 90), seen(vec![(1_000_000, 9), (8_000_000, 2)], 11)], 2).unwrap();
    assert_eq!(found.captures, 121);
    assert!((found.rate.hold_captures_per_s - 50.5).abs() < 1e-9);
    assert!((found.rate.p50_ms - 1.0).abs() < 0.01 && (found.rate.p99_ms - 8.0).abs() < 0.01, "{found:?}");
    assert!((found.rate.requests_per_batch - 15.0).abs() < 1e-9);
    assert!(sum(&[], 1).unwrap().rate.hold_captures_per_s.abs() < 1e-9);
}

#[test]
fn a_shift_arrives_as_it_was_sent() {
    let accounts = Accounts { first: 7, count: 2 };
    assert_eq!(accounts.ids(), [7, 8].map(LedgerAccountId::from_raw));
    let sent =
        Shift { url: "postgres://x".to_owned(), wallets: accounts, payees: accounts, until: Until::Dry, number: 3 };
    let line = format!("{}\ntrue\n", serde_json::to_string(&sent).unwrap());
    let mut from = line.as_bytes();
    let received: Shift = read_line(&mut from).unwrap();
    assert_eq!((received.url, received.until, received.number), (sent.url, Until::Dry, 3));
    assert!(read_line::<bool>(&mut from).unwrap());
    assert!(read_line::<bool>(&mut from).is_err(), "nobody is there any more");
}
