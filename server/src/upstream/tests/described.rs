//! Requests as their publishers describe them, with the secrets that upstreams ask for.

use std::sync::mpsc;

use engine::{
    catalog::CredentialPlace,
    json,
    publishing::rest::{RestShape, ShapedRequest},
    upstream::Credential,
};
use url::Url;

use super::{
    hostile::{Hostile, answer, fine},
    *,
};
use crate::upstream::FetchError;

fn shaped(base: &str, shape: &str, arguments: &str) -> ShapedRequest {
    let shape = RestShape::read(&json::parse(shape).unwrap()).unwrap();
    shape.shape(&Url::parse(base).unwrap(), arguments).unwrap()
}

fn listening() -> (Hostile, mpsc::Receiver<(String, String)>) {
    let (heard, requests) = mpsc::channel();
    let upstream = Hostile::start(move |connection| {
        while let Some(request) = connection.read_request() {
            heard.send(request).unwrap();
            connection.write(fine().as_bytes());
        }
    });
    (upstream, requests)
}

fn secret(secret: &str, name: &str, place: CredentialPlace, url: &str) -> Option<Arc<Credential>> {
    Credential::new(secret.into(), name.to_owned(), place, url).map(Arc::new)
}

#[tokio::test]
async fn a_described_request_is_sent_as_it_is_described() {
    let (upstream, requests) = listening();
    let base = upstream.url("/v1");
    let shape = r#"{"rest_method":"PATCH","rest_path":"/notes/{id}","rest_param_map":{"lang":{"in":"header","name":"Accept-Language"},"page":"query"},"rest_static_headers":{"X-App":"tollgate"}}"#;
    let arguments = r#"{"id":"a/b","lang":"de","page":2,"text":"x","price":1.50}"#;
    let outgoing = UpstreamRequest {
        shaped: Some(shaped(&base, shape, arguments)),
        credential: secret("k 12345678", "api_key", CredentialPlace::Query, &base),
        ..request(&base)
    };
    assert_eq!(kind(&upstreams(allow_private()).call(outgoing).await), "completed");
    let (head, body) = requests.recv().unwrap();
    assert!(head.starts_with("PATCH /v1/notes/a%2Fb?page=2&api_key=k+12345678 HTTP/1.1\r\n"), "{head}");
    let lines: Vec<&str> = head.lines().collect();
    for line in ["accept-language: de", "x-app: tollgate", "content-type: application/json", "idempotency-key: key-1"] {
        assert!(lines.contains(&line), "`{line}` is missing from {head}");
    }
    assert_eq!(body, r#"{"text":"x","price":1.50}"#);
}

#[tokio::test]
async fn no_caller_gives_a_parameter_that_is_the_secrets() {
    let (upstream, requests) = listening();
    let base = upstream.url("/v1?api%5Fkey=old&a=%7e");
    let upstreams = upstreams(allow_private());
    let arguments = r#"{"api_key":["mine","again"],"q":"a b"}"#;
    let outgoing = UpstreamRequest {
        shaped: Some(shaped(&base, r#"{"rest_method":"GET","rest_path":"/notes"}"#, arguments)),
        credential: secret("k12345678", "api_key", CredentialPlace::Query, &base),
        ..request(&base)
    };
    assert_eq!(kind(&upstreams.call(outgoing).await), "completed");
    let (head, _) = requests.recv().unwrap();
    assert!(head.starts_with("GET /v1/notes?a=%7e&q=a+b&api_key=k12345678 HTTP/1.1\r\n"), "{head}");
    // an endpoint whose request nobody describes
    let target = UpstreamTarget::Http {
        method: "GET".to_owned(),
        url: upstream.url("/plain"),
        timeout: Duration::from_secs(10),
    };
    let outgoing = UpstreamRequest {
        target: Arc::new(target),
        arguments: Arc::from(arguments),
        credential: secret("k12345678", "api_key", CredentialPlace::Query, &base),
        ..request(&base)
    };
    assert_eq!(kind(&upstreams.call(outgoing).await), "completed");
    let (head, _) = requests.recv().unwrap();
    assert!(head.starts_with("GET /plain?q=a+b&api_key=k12345678 HTTP/1.1\r\n"), "{head}");
}

#[tokio::test]
async fn a_secret_goes_to_its_own_host_and_nowhere_else() {
    let (upstream, requests) = listening();
    let upstreams = upstreams(allow_private());
    let url = upstream.url("/a");
    let with = |credential| UpstreamRequest { credential, ..request(&url) };
    let own = secret("Bearer 0123456789", "Authorization", CredentialPlace::Header, &upstream.url("/other"));
    assert_eq!(kind(&upstreams.call(with(own)).await), "completed");
    assert!(requests.recv().unwrap().0.contains("authorization: Bearer 0123456789"));
    for credential in [
        secret("0123456789", "X-Key", CredentialPlace::Header, "http://127.0.0.1:1/a"),
        secret("0123456789", "key", CredentialPlace::Query, "https://example.com/"),
        secret("0123456789", "Host", CredentialPlace::Header, &url),
        secret("0123456789", "Content-Length", CredentialPlace::Header, &url),
        secret("a\r\nx-evil: 1", "X-Key", CredentialPlace::Header, &url),
    ] {
        assert!(credential.is_some());
        let answer = upstreams.call(with(credential)).await;
        assert_eq!(kind(&answer), "not dispatched");
        assert!(!format!("{answer:?}").contains("0123456789"), "{answer:?}");
    }
    // what was put together for another host is not sent either
    let elsewhere = shaped("https://example.com/", r#"{"rest_method":"GET","rest_path":"/"}"#, "{}");
    let answer = upstreams.call(UpstreamRequest { shaped: Some(elsewhere), ..request(&url) }).await;
    assert_eq!(kind(&answer), "not dispatched");
    assert_eq!(upstream.executed(), 1);
}

#[tokio::test]
async fn a_redirect_takes_no_secret_along() {
    let (other, requests) = listening();
    let location = other.url("/");
    let upstream = Hostile::start(move |connection| {
        while connection.read_request().is_some() {
            let text = answer("307 Temporary Redirect", "text/plain", "");
            connection.write(text.replacen("\r\n", &format!("\r\nlocation: {location}\r\n"), 1).as_bytes());
        }
    });
    let credential = secret("Bearer 0123456789", "Authorization", CredentialPlace::Header, &upstream.url("/"));
    let outgoing = UpstreamRequest { credential, ..request(&upstream.url("/")) };
    assert_eq!(kind(&upstreams(allow_private()).call(outgoing).await), "failed");
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn an_upstream_that_repeats_the_secret_tells_it_to_nobody() {
    for status in ["200 OK", "422 Unprocessable Entity", "401 Unauthorized", "500 Internal Server Error"] {
        let upstream = Hostile::start(move |connection| {
            while let Some((head, _)) = connection.read_request() {
                let sent = head.lines().find(|line| line.starts_with("authorization:")).unwrap_or_default();
                let body = serde_json::json!({"message": format!("who is {sent}?")}).to_string();
                connection.write(answer(status, "application/json", &body).as_bytes());
            }
        });
        let credential = secret("Bearer 0123456789", "Authorization", CredentialPlace::Header, &upstream.url("/"));
        let answer =
            upstreams(allow_private()).call(UpstreamRequest { credential, ..request(&upstream.url("/")) }).await;
        let told = format!("{answer:?}");
        assert!(told.contains("[credential]") && !told.contains("0123456789"), "{told}");
    }
}

#[tokio::test]
async fn a_document_is_fetched_within_bounds() {
    let wait = Duration::from_secs(10);
    let open = upstreams(allow_private());
    let fine = Hostile::answering(fine());
    let fetched = open.fetch_text(&fine.url("/spec"), 1_000, wait).await.unwrap();
    assert_eq!((fetched.text.as_str(), fetched.url.path()), (r#"{"fine":true}"#, "/spec"));
    assert_eq!(open.fetch_text(&fine.url("/"), 5, wait).await, Err(FetchError::TooLong(5)));
    let refused = upstreams(EgressRules::default()).fetch_text(&fine.url("/"), 1_000, wait).await;
    assert!(matches!(refused, Err(FetchError::NoWay(_))), "{refused:?}");
    for (status, expected) in [("404 Not Found", 404), ("301 Moved", 301), ("500 Oops", 500)] {
        let upstream = Hostile::answering(answer(status, "text/plain", "x"));
        assert_eq!(open.fetch_text(&upstream.url("/"), 1_000, wait).await, Err(FetchError::Status(expected)));
    }
    let silent = Hostile::start(|connection| {
        connection.read_request();
        connection.hang();
    });
    let within = Duration::from_millis(300);
    assert_eq!(open.fetch_text(&silent.url("/"), 1_000, within).await, Err(FetchError::Late(within)));
}
