use actix_web::ResponseError as _;
use engine::code::Code;

use super::{AuthLimiter, RESETS_MAX, RateHeaders, account_key};
use crate::{
    config::{ConfigSource, Environment, load},
    http::problem::Problem,
};

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
    let problem = Problem::from(limiter.check_login_address(address).unwrap_err());
    assert_eq!(problem.code(), Code::RateLimited);
    let response = problem.error_response();
    let wait: u64 = response.headers().get("retry-after").unwrap().to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert!(limiter.check_login_address("203.0.113.10".parse().unwrap()).is_ok(), "another address is free");
}

fn headers() -> RateHeaders {
    RateHeaders { limit: "\"a\";r=1".to_owned(), policy: "\"a\";q=1;w=60".to_owned() }
}

#[test]
fn an_account_is_counted_however_its_address_is_typed() {
    let limiter = limiter();
    let begin = |email: &str, address: &str| {
        let mut rate = headers();
        let begun = limiter.begin_login(email, address.parse().unwrap(), 0, &mut rate);
        (begun.is_ok(), rate.limit)
    };
    let first = begin("a@example.com", "203.0.113.1");
    assert_eq!(first, (true, "\"a\";r=1, \"login-account\";r=1, \"login-wrong\";r=4".to_owned()));
    assert!(begin("A@Example.com", "203.0.113.2").0);
    let (is_ok, limit) = begin("a@EXAMPLE.com", "203.0.113.3");
    assert!(!is_ok && limit.starts_with("\"a\";r=1, \"login-account\";r=0;t="), "{limit}");
    assert!(begin("b@example.com", "203.0.113.3").0);
}

#[test]
fn guesses_from_elsewhere_do_not_keep_the_owner_out_of_a_known_address() {
    let limiter = limiter();
    let begin = |address: &str| limiter.begin_login("a@example.com", address.parse().unwrap(), 0, &mut headers());
    begin("203.0.113.1").unwrap().succeed();
    begin("203.0.113.2").unwrap();
    assert!(begin("203.0.113.3").is_err(), "the account's limit is used up");
    assert!(begin("203.0.113.1").is_ok());
}

#[test]
fn what_is_typed_as_an_address_is_kept_at_one_length() {
    assert_eq!(account_key("A@Example.com"), account_key("a@example.com"));
    assert_eq!(account_key(&"x".repeat(1_000_000)).len(), 64);
    assert_ne!(account_key("a@example.com"), account_key("operator a@example.com"));
}

#[test]
fn a_new_password_is_asked_for_so_often_for_an_email_whether_it_has_an_account_or_not() {
    let text = "{limits: {mail_per_account_per_hour: 2}}".to_owned();
    let source = ConfigSource::Text { name: "test".to_owned(), text };
    let limiter = AuthLimiter::new(&load(&source, &Environment::default()).unwrap().config.limits);
    let begin = |email: &str| {
        let mut rate = headers();
        let begun = limiter.begin_reset(email, &mut rate);
        (begun.map(drop).map_err(|problem| problem.code()), rate.limit)
    };
    assert_eq!(begin("a@example.com"), (Ok(()), "\"a\";r=1, \"reset-account\";r=1".to_owned()));
    assert!(begin("A@Example.com").0.is_ok());
    let (refused, limit) = begin("a@EXAMPLE.com");
    assert_eq!(refused, Err(Code::RateLimited));
    assert!(limit.starts_with("\"a\";r=1, \"reset-account\";r=0;t="), "{limit}");
    assert!(begin("b@example.com").0.is_ok());
}

#[test]
fn so_many_mails_wait_to_be_written_and_no_more() {
    let limiter = limiter();
    let begin = |number: usize| limiter.begin_reset(&format!("n{number}@example.com"), &mut headers());
    let permits: Vec<_> = (0..RESETS_MAX).map(|number| begin(number).unwrap()).collect();
    assert_eq!(begin(RESETS_MAX).unwrap_err().code(), Code::Overloaded);
    drop(permits);
    assert!(begin(RESETS_MAX + 1).is_ok());
}
