//! Calls over real sockets on loopback, to upstreams that behave badly and keep a record of what they executed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use engine::{
    clock::Clock,
    id::InvocationId,
    upstream::{Upstream, UpstreamAnswer, UpstreamRequest, UpstreamTarget},
};
use uuid::Uuid;

use super::{
    egress::EgressRules,
    http::HttpUpstreams,
    lookup::{Looking, NameService},
    tls,
};

mod bad_answers;
mod calls;
mod described;
mod forbidden;
mod hooks;
mod hostile;
mod mcp;
mod secure;

/// A clock that moves by hand.
#[derive(Debug, Default)]
struct HandClock(AtomicI64);

impl HandClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A name service that answers from a function and counts its questions.
struct Names<F> {
    asked: Arc<AtomicI64>,
    answer: F,
}

impl<F: Fn(&str, i64) -> Vec<std::net::IpAddr> + Send + Sync + 'static> NameService for Names<F> {
    fn look_up(&self, name: &str) -> Looking {
        let found = (self.answer)(name, self.asked.fetch_add(1, Ordering::Relaxed));
        Box::pin(std::future::ready(Ok(found)))
    }
}

fn allow_private() -> EgressRules {
    EgressRules { allow_private: true, ..EgressRules::default() }
}

fn upstreams(rules: EgressRules) -> HttpUpstreams {
    HttpUpstreams::new(rules, Arc::new(HandClock::default())).unwrap()
}

/// As [`upstreams`], where a name has the addresses that `answer` gives for it and the number of the question.
fn upstreams_with_names(
    rules: EgressRules,
    answer: impl Fn(&str, i64) -> Vec<std::net::IpAddr> + Send + Sync + 'static,
) -> (HttpUpstreams, Arc<AtomicI64>) {
    let asked = Arc::new(AtomicI64::new(0));
    let names = Arc::new(Names { asked: Arc::clone(&asked), answer });
    let clock = Arc::new(HandClock::default());
    (HttpUpstreams::with_parts(rules, clock, names, tls::client_config().unwrap()), asked)
}

fn request(url: &str) -> UpstreamRequest {
    request_within(url, Duration::from_secs(10))
}

fn request_within(url: &str, timeout: Duration) -> UpstreamRequest {
    UpstreamRequest {
        target: Arc::new(UpstreamTarget::Http { method: "POST".to_owned(), url: url.to_owned(), timeout }),
        arguments: Arc::from(r#"{"a": 1.0, "b":"é"}"#),
        invocation: InvocationId::from(Uuid::from_u128(7)),
        idempotency_key: "key-1".to_owned(),
        shaped: None,
        credential: None,
        owner: None,
        headers: Vec::new(),
    }
}

/// The name of an answer's variant, for tables.
fn kind(answer: &UpstreamAnswer) -> &'static str {
    match answer {
        UpstreamAnswer::Completed { .. } => "completed",
        UpstreamAnswer::Rejected { .. } => "rejected",
        UpstreamAnswer::Forbidden { .. } => "forbidden",
        UpstreamAnswer::Failed { .. } => "failed",
        UpstreamAnswer::NotDispatched { .. } => "not dispatched",
        UpstreamAnswer::Unknown { .. } => "unknown",
    }
}

async fn call(upstreams: &HttpUpstreams, url: &str) -> UpstreamAnswer {
    upstreams.call(request(url)).await
}
