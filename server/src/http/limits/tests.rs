use actix_web::ResponseError as _;
use engine::code::Code;

use super::AuthLimiter;
use crate::config::{ConfigSource, Environment, load};

fn limiter() -> AuthLimiter {
    let text = "{limits: {login_per_address_per_min: 3, login_per_account_per_min: 2}}".to_owned();
    let source = ConfigSource::Text { name: "test".to_owned(), text };
    AuthLimiter::new(&load(&source, &Environment::default()).unwrap().config.limits)
}

#[test]
fn an_address_is_stopped_after_its_attempts_and_told_when_to_come_back() {
    let limiter = limiter();
    let address = "203.0.113.9".parse().unwrap();
    for left in ["2", "1", "0"] {
        let headers = limiter.check_login_address(address).unwrap();
        assert_eq!(headers.limit, format!("\"login-address\";r={left}"));
        assert_eq!(headers.policy, "\"login-address\";q=3;w=60");
    }
    let problem = limiter.check_login_address(address).unwrap_err();
    assert_eq!(problem.code(), Code::RateLimited);
    let response = problem.error_response();
    let wait: u64 = response.headers().get("retry-after").unwrap().to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert!(limiter.check_login_address("203.0.113.10".parse().unwrap()).is_ok(), "another address is free");
}

#[test]
fn an_account_is_counted_however_its_address_is_typed() {
    let limiter = limiter();
    assert!(limiter.check_login_account("a@example.com").is_ok());
    assert!(limiter.check_login_account("A@Example.com").is_ok());
    assert!(limiter.check_login_account("a@EXAMPLE.com").is_err());
    assert!(limiter.check_login_account("b@example.com").is_ok());
}
