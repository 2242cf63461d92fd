use std::{
    future::Future,
    pin::pin,
    sync::mpsc,
    task::{Context, Waker},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::*;
use crate::errands::{ERRANDS_PER_OWNER_MAX, Errands};

/// As many tools as a namespace may have.
fn many() -> Vec<FoundTool> {
    let tool = |number: usize| FoundTool {
        name: format!("tool-{number}"),
        title: None,
        description: String::new(),
        input_schema: r#"{"type":"object","properties":{"a":{"type":"string","maxLength":9}}}"#.to_owned(),
        annotations: Value::Null,
    };
    (0..engine::service::publishing::OWN_TOOLS_MAX).map(tool).collect()
}

fn errands() -> (Arc<Errands>, Uuid) {
    (Arc::default(), Uuid::from_u128(1))
}

/// What comes of `work`, which is not done on the thread that asks: the only other one is taken when it is first asked for.
async fn done_aside<T>(work: impl Future<Output = Result<T, Problem>>) -> T {
    let (go, gone) = mpsc::channel::<()>();
    let taken = tokio::task::spawn_blocking(move || gone.recv().ok());
    let mut work = pin!(work);
    let is_pending = work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
    drop(go);
    taken.await.unwrap();
    assert!(is_pending, "it was done on the thread that asks");
    work.await.unwrap()
}

#[test]
fn a_large_import_keeps_no_request_waiting() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (errands, account) = errands();
        let found = Found::new(many(), errands.begin(account).unwrap());
        assert_eq!(done_aside(found.shown()).await.len(), found.tools().len());
        assert_eq!(done_aside(found.checked(Visibility::Private)).await.len(), found.tools().len());
        let known = |schema: &str| vec![("tool-7".to_owned(), schema.to_owned())];
        assert_eq!(done_aside(found.changed(known("{}"))).await, ["tool-7"]);
        let same = r#" {"properties":{"a":{"maxLength":9,"type":"string"}},"type":"object"}"#;
        assert_eq!(done_aside(found.changed(known(same))).await, [""; 0]);
    });
}

#[actix_web::test]
async fn an_errand_is_under_way_until_its_work_is_done_though_nobody_waits() {
    let (errands, account) = errands();
    let held: Vec<_> = (1..ERRANDS_PER_OWNER_MAX).map(|_| errands.begin(account).unwrap()).collect();
    let (go, gone) = mpsc::channel::<()>();
    {
        let errand = errands.begin(account).unwrap();
        let mut work = pin!(aside(&errand, move || gone.recv().ok()));
        assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert!(errands.begin(account).is_err(), "it is still worked on");
    drop(go);
    let start = Instant::now();
    while errands.begin(account).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never ends");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(held);
}

#[actix_web::test]
async fn a_schema_that_cannot_be_used_is_named() {
    let (errands, account) = errands();
    let mut tools = many();
    tools[3].input_schema = r#"{"$ref":"https://example.com/"}"#.to_owned();
    let refused = Found::new(tools, errands.begin(account).unwrap()).checked(Visibility::Private).await.unwrap_err();
    assert_eq!(refused.body()["detail"][0]["loc"], json!(["body", "tools.tool-3.input_schema"]));
}
