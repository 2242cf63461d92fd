use super::{FORGET_S, FREE_TRIES, LoginBackoff, PAUSE_S_MAX, Pair, US_PER_S, us};
use crate::http::problem::Problem;

const NONE: [u64; 0] = [];

/// Tries at once, as often as it may; returns the pauses that it was told, in seconds.
fn pauses(backoff: &LoginBackoff, pair: &Pair, now_us: &mut i64, count: u32) -> Vec<u64> {
    let mut told = Vec::new();
    for _ in 0..count {
        let mut begun = backoff.begin(pair, *now_us);
        if let Err(limited) = begun {
            told.push(limited.wait_s());
            *now_us += us(limited.wait_s());
            begun = backoff.begin(pair, *now_us);
        }
        assert!(begun.is_ok(), "who waits as told may try");
    }
    told
}

#[test]
fn pauses_grow_to_a_bound_and_end() {
    let (backoff, pair) = (LoginBackoff::default(), Pair::new("a@example.com", "203.0.113.9"));
    let mut now_us = 1_000 * US_PER_S;
    assert_eq!(pauses(&backoff, &pair, &mut now_us, FREE_TRIES), NONE, "the first ones are free");
    assert_eq!(
        pauses(&backoff, &pair, &mut now_us, 13),
        [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, PAUSE_S_MAX, PAUSE_S_MAX, PAUSE_S_MAX]
    );
    assert_eq!(pauses(&backoff, &Pair::new("A@example.com", "203.0.113.10"), &mut now_us, FREE_TRIES), NONE);
    now_us += us(FORGET_S);
    assert_eq!(pauses(&backoff, &pair, &mut now_us, FREE_TRIES), NONE, "after an hour it begins again");
}

#[test]
fn being_refused_does_not_make_the_pause_longer() {
    let (backoff, pair) = (LoginBackoff::default(), Pair::new("a@example.com", "203.0.113.9"));
    let mut now_us = 0;
    pauses(&backoff, &pair, &mut now_us, FREE_TRIES + 2);
    for _ in 0..1_000 {
        let limited = backoff.begin(&pair, now_us).unwrap_err();
        assert_eq!(limited.wait_s(), 4);
    }
    let problem = Problem::from(backoff.begin(&pair, now_us).unwrap_err());
    let response = actix_web::ResponseError::error_response(&problem);
    let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("retry-after"), "4");
    assert_eq!(header("ratelimit"), "\"login-wrong\";r=0;t=4");
    assert_eq!(header("ratelimit-policy"), "\"login-wrong\";q=5;w=3600");
}

#[test]
fn a_right_password_clears_the_count_and_makes_the_address_known() {
    let (backoff, pair) = (LoginBackoff::default(), Pair::new("a@example.com", "203.0.113.9"));
    for _ in 1..FREE_TRIES {
        backoff.begin(&pair, 0).unwrap();
    }
    assert!(!backoff.is_known(&pair));
    backoff.begin(&pair, 0).unwrap().0.succeed();
    assert!(backoff.is_known(&Pair::new("A@EXAMPLE.com", "203.0.113.9")));
    assert!(!backoff.is_known(&Pair::new("b@example.com", "203.0.113.9")));
    let (_, headers) = backoff.begin(&pair, 0).unwrap();
    assert_eq!(headers.limit, "\"login-wrong\";r=4");
}

#[test]
fn a_password_that_was_not_looked_at_costs_nothing() {
    let (backoff, pair) = (LoginBackoff::default(), Pair::new("a@example.com", "203.0.113.9"));
    for _ in 0..100 {
        backoff.begin(&pair, 0).unwrap().0.take_back();
    }
    assert!(backoff.begin(&pair, 0).is_ok());
}
