use std::sync::atomic::AtomicI64;

use super::*;
use crate::upstream::breaker::{CONSECUTIVE_FAILURES_MAX, OPEN_US_FIRST};

#[derive(Debug, Default)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn load(endpoints: &Endpoints, url: &str) -> Arc<Endpoint> {
    endpoints.load(&Url::parse(url).unwrap())
}

fn busy(admitted: Result<Permit, Busy>) -> Option<Busy> {
    admitted.err()
}

#[test]
fn an_endpoint_is_a_url_without_its_query() {
    let endpoints = Endpoints::default();
    let one = load(&endpoints, "https://example.com/a");
    assert!(Arc::ptr_eq(&one, &load(&endpoints, "https://EXAMPLE.com:443/a?x=1")));
    assert!(!Arc::ptr_eq(&one, &load(&endpoints, "https://example.com/b")));
    assert!(!Arc::ptr_eq(&one, &load(&endpoints, "https://example.com:444/a")));
}

#[test]
fn the_calls_of_all_endpoints_of_an_origin_are_limited_together() {
    let endpoints = Endpoints::default();
    let clock: Arc<dyn Clock> = Arc::new(HandClock::default());
    let (one, two) = (load(&endpoints, "https://example.com/a"), load(&endpoints, "https://example.com/b"));
    let mut permits: Vec<Permit> = (0..CALLS_PER_ORIGIN_MAX).map(|_| one.admit(&clock).ok().unwrap()).collect();
    assert_eq!(busy(one.admit(&clock)), Some(Busy::TooManyCalls));
    assert_eq!(busy(two.admit(&clock)), Some(Busy::TooManyCalls));
    assert_eq!(busy(load(&endpoints, "https://example.org/a").admit(&clock)), None);
    permits.pop().unwrap().finish(true);
    let permit = two.admit(&clock).ok().unwrap();
    assert_eq!(busy(one.admit(&clock)), Some(Busy::TooManyCalls));
    drop(permit);
    assert_eq!(busy(one.admit(&clock)), None);
}

#[test]
fn a_refusal_of_the_breaker_takes_no_place() {
    let (endpoints, hand) = (Endpoints::default(), Arc::new(HandClock::default()));
    let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(&hand);
    let endpoint = load(&endpoints, "https://example.com/a");
    for _ in 0..CONSECUTIVE_FAILURES_MAX {
        endpoint.admit(&clock).ok().unwrap().finish(false);
    }
    for _ in 0..=CALLS_PER_ORIGIN_MAX {
        assert_eq!(busy(endpoint.admit(&clock)), Some(Busy::BreakerOpen));
    }
    assert_eq!(busy(load(&endpoints, "https://example.com/b").admit(&clock)), None);
    // a probe whose call was dropped half-way does not block the next one
    hand.0.store(OPEN_US_FIRST, Ordering::Relaxed);
    drop(endpoint.admit(&clock).ok().unwrap());
    endpoint.admit(&clock).ok().unwrap().finish(true);
    assert_eq!(busy(endpoint.admit(&clock)), None);
}

#[test]
fn endpoints_that_nobody_uses_are_forgotten() {
    let endpoints = Endpoints::default();
    let kept = load(&endpoints, "https://kept.example/");
    for number in 0..ENDPOINTS_KEPT * 2 {
        load(&endpoints, &format!("https://host-{number}.example/"));
    }
    let known = endpoints.known.lock().unwrap();
    assert!(known.endpoints.len() <= ENDPOINTS_KEPT && known.origins.len() <= ENDPOINTS_KEPT + 1);
    assert!(known.endpoints.get("https://kept.example/").is_some_and(|endpoint| Arc::ptr_eq(endpoint, &kept)));
}
