use super::{super::auth::Admitted, *};

const RIGHT: Verdict = Verdict::Right(Ok(Admitted { is_owner: true }));
const WRONG: Verdict = Verdict::Wrong { counts: true };
const SECOND: i64 = 1_000_000;

fn limit() -> Limit {
    Limit { max_attempts: 3, window_ms: 60_000, lockout_ms: 60_000, exempts_loopback: false }
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn the_failure_that_reaches_the_limit_is_the_last_one_that_is_looked_at() {
    let mut limiter = Limiter::new(Some(limit()), &[]);
    let client = address("203.0.113.5");
    for at in 0..3 {
        assert_eq!(limiter.note(client, &WRONG, at * SECOND), Attempt::Counted);
    }
    // 60 s from the third failure, right or wrong; further attempts do not prolong it
    for (at_us, retry_after_s) in [(2 * SECOND + 1, 60), (3 * SECOND, 59), (3 * SECOND + 1, 59), (61_999_999, 1)] {
        assert_eq!(limiter.note(client, &RIGHT, at_us), Attempt::LockedOut { retry_after_s }, "{at_us}");
        assert_eq!(limiter.note(client, &WRONG, at_us), Attempt::LockedOut { retry_after_s }, "{at_us}");
    }
    // and then from zero
    for at in 0..3 {
        assert_eq!(limiter.note(client, &WRONG, 62 * SECOND + at), Attempt::Counted);
    }
    assert!(matches!(limiter.note(client, &RIGHT, 63 * SECOND), Attempt::LockedOut { .. }));
}

#[test]
fn the_window_slides_and_a_right_credential_clears_the_count() {
    let mut limiter = Limiter::new(Some(limit()), &[]);
    let client = address("203.0.113.5");
    for at in [0, 30, 60, 90, 120] {
        // never three within 60 seconds
        assert_eq!(limiter.note(client, &WRONG, at * SECOND), Attempt::Counted, "{at}");
    }
    assert_eq!(limiter.note(client, &RIGHT, 121 * SECOND), Attempt::Counted);
    for at in [122, 123, 124] {
        assert_eq!(limiter.note(client, &WRONG, at * SECOND), Attempt::Counted, "{at}");
    }
    assert!(matches!(limiter.note(client, &WRONG, 125 * SECOND), Attempt::LockedOut { .. }));
}

#[test]
fn clients_are_counted_apart_and_loopback_may_be_exempt() {
    let mut limiter = Limiter::new(Some(limit()), &[]);
    for _ in 0..3 {
        limiter.note(address("203.0.113.5"), &WRONG, 0);
        limiter.note(None, &WRONG, 0);
    }
    assert_eq!(limiter.note(address("203.0.113.6"), &RIGHT, 1), Attempt::Counted);
    assert!(matches!(limiter.note(None, &RIGHT, 1), Attempt::LockedOut { .. }));
    // the same customer, the same machine
    assert!(matches!(limiter.note(address("::ffff:203.0.113.5"), &RIGHT, 1), Attempt::LockedOut { .. }));

    for (exempts_loopback, is_locked) in [(true, false), (false, true)] {
        let mut limiter = Limiter::new(Some(Limit { exempts_loopback, ..limit() }), &[]);
        for near in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            for _ in 0..5 {
                limiter.note(address(near), &WRONG, 0);
            }
            let attempt = limiter.note(address(near), &RIGHT, 1);
            assert_eq!(matches!(attempt, Attempt::LockedOut { .. }), is_locked, "{near}");
        }
    }
}

#[test]
fn failures_that_do_not_count_and_the_absence_of_a_limit_lock_nobody_out() {
    let mut limiter = Limiter::new(Some(limit()), &[]);
    for _ in 0..10 {
        assert_eq!(limiter.note(address("203.0.113.5"), &Verdict::Wrong { counts: false }, 0), Attempt::Counted);
    }
    let mut limiter = Limiter::new(None, &[]);
    for _ in 0..100 {
        assert_eq!(limiter.note(address("203.0.113.5"), &WRONG, 0), Attempt::Counted);
    }
}

#[test]
fn failures_from_this_machine_wait_longer_each_time() {
    let mut limiter = Limiter::new(Some(Limit { exempts_loopback: true, ..limit() }), &[250, 500, 1_000]);
    let near = address("127.0.0.1");
    for pause_ms in [250, 500, 1_000, 1_000, 1_000] {
        assert_eq!(limiter.note(near, &WRONG, 5), Attempt::Delayed { pause: Duration::from_millis(pause_ms) });
    }
    assert_eq!(limiter.note(near, &RIGHT, 6), Attempt::Counted);
    assert_eq!(limiter.note(near, &WRONG, 7), Attempt::Delayed { pause: Duration::from_millis(250) });
    assert_eq!(limiter.note(address("203.0.113.5"), &WRONG, 5), Attempt::Counted, "others do not wait");
}

#[test]
fn memory_is_bounded_and_who_failed_longest_ago_is_forgotten_first() {
    let mut limiter = Limiter::new(Some(limit()), &[]);
    limiter.failures_max = 10;
    for at in 0..1_000_i64 {
        let client = address(&format!("203.0.{}.{}", at / 250, at % 250));
        limiter.note(client, &WRONG, at);
        assert!(limiter.remembered <= 10 && limiter.clients.len() <= 10 && limiter.order.len() <= 10, "{at}");
    }
    assert_eq!(limiter.clients.len(), 10);
    assert!(limiter.clients.contains_key(&address("203.0.3.249")));
    // a locked-out client costs no more than one failure
    let mut limiter = Limiter::new(Some(Limit { max_attempts: 9, ..limit() }), &[]);
    limiter.failures_max = 10;
    for _ in 0..9 {
        limiter.note(address("203.0.113.5"), &WRONG, 0);
    }
    assert_eq!(limiter.remembered, 1);
}
