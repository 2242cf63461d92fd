use super::{Samples, level_of, proxies_of};
use crate::driver::Drive;

fn found(calls: u64, p50_ms: f64) -> Drive {
    Drive { calls, seconds: 1.0, p50_ms, p99_ms: p50_ms * 2.0, ..Drive::default() }
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-6
}

#[test]
fn ratios_are_taken_within_a_round() {
    // the machine slows down tenfold in the second round; every round says one half
    let samples = Samples {
        bare: vec![found(1_000, 1.0), found(100, 10.0), found(2_000, 0.5)],
        nginx: Vec::new(),
        paid: vec![found(500, 1.5), found(50, 10.5), found(1_000, 1.0)],
        keyed: vec![found(250, 2.0), found(25, 11.0), found(500, 1.5)],
    };
    let level = level_of(&samples);
    assert!(close(level.paid.paid_over_bare, 0.5) && close(level.keyed.paid_over_bare, 0.25), "{level:?}");
    assert!(close(level.paid.added_p50_ms, 0.5) && close(level.keyed.added_p50_ms, 1.0), "{level:?}");
    assert!(close(level.paid.paid_per_s, 500.0) && close(level.proxies.bare_per_s, 1_000.0), "{level:?}");
    assert_eq!(level.paid_over_nginx, None);
}

#[test]
fn a_side_that_was_not_driven_has_no_figures() {
    let samples = Samples { bare: vec![found(1_000, 1.0)], ..Samples::default() };
    let proxies = proxies_of(&samples);
    assert_eq!((proxies.nginx_per_s, proxies.nginx_p50_ms, proxies.bare_over_nginx), (None, None, None));
    let with_nginx = Samples { nginx: vec![found(2_000, 0.5)], ..samples };
    assert_eq!(proxies_of(&with_nginx).bare_over_nginx, Some(0.5));
}
