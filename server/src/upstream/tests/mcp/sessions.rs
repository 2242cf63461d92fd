//! When sessions are opened, kept, replaced and left.

use super::*;

/// Waits for what another thread is about to do.
async fn soon(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_share_one_session_and_are_each_made_once() {
    let server = McpServer::replying(r#"{"structuredContent":{}}"#);
    let upstreams = upstreams(allow_private());
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let (upstreams, url) = (upstreams.clone(), server.url());
            tokio::spawn(async move {
                for _ in 0..4 {
                    assert_eq!(call_tool(&upstreams, &url, &format!("tool-{number}")).await, completed("{}"));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!((server.calls(), server.opened(), upstreams.mcp().sessions()), (256, 1, 1));
}

#[test]
fn a_session_outlives_the_runtime_that_it_was_opened_from() {
    let server = McpServer::replying(r#"{"structuredContent":{}}"#);
    let upstreams = upstreams(allow_private());
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(call_tool(&upstreams, &server.url(), "add")), completed("{}"));
    }
    assert_eq!((server.calls(), server.opened()), (3, 1));
}

#[tokio::test]
async fn a_lost_session_is_replaced_and_no_call_is_made_twice() {
    let seen = AtomicI64::new(0);
    let server = McpServer::start(move |connection, message| {
        // every session is forgotten after its first call
        let text = if seen.fetch_add(1, Ordering::SeqCst) % 2 == 0 {
            reply(message, r#"{"structuredContent":{}}"#)
        } else {
            answer("404 Not Found", "text/plain", "no such session")
        };
        connection.write(text.as_bytes())
    });
    let upstreams = upstreams(allow_private());
    let mut kinds = Vec::new();
    for _ in 0..4 {
        kinds.push(kind(&call_tool(&upstreams, &server.url(), "add").await));
    }
    assert_eq!(kinds, ["completed", "not dispatched", "completed", "not dispatched"]);
    assert_eq!((server.calls(), server.opened()), (4, 2));
}

#[tokio::test]
async fn after_an_outcome_that_nobody_knows_the_server_is_asked_before_the_next_call() {
    let is_broken = Arc::new(AtomicI64::new(1));
    let broken = Arc::clone(&is_broken);
    let server = McpServer::start(move |connection, message| {
        if broken.swap(0, Ordering::SeqCst) == 1 {
            return false;
        }
        connection.write(reply(message, r#"{"structuredContent":{}}"#).as_bytes())
    });
    let upstreams = upstreams(allow_private());
    let kinds = [
        kind(&call_tool(&upstreams, &server.url(), "add").await),
        kind(&call_tool(&upstreams, &server.url(), "add").await),
    ];
    assert_eq!(kinds, ["unknown", "completed"]);
    assert_eq!((server.calls(), server.opened()), (2, 1));
    assert_eq!(server.record.pinged.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_that_opens_no_session_is_called_by_nobody_and_stops_no_other() {
    let fine = McpServer::replying(r#"{"structuredContent":{}}"#);
    let upstreams = upstreams(allow_private());
    let answers: [(&str, fn() -> Option<Vec<u8>>); 5] = [
        ("nonsense", || Some(answer("200 OK", "application/json", "hello").into())),
        ("an error", || Some(answer("503 Oops", "text/plain", "no").into())),
        ("nothing", || Some(answer("202 Accepted", "text/plain", "").into())),
        ("another protocol", || Some(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec())),
        ("silence", || Some(Vec::new())),
    ];
    for (name, bytes) in answers {
        let server = McpServer::speaking(move |_| bytes(), |_, _| true);
        let start = Instant::now();
        let within = Duration::from_millis(500);
        let hanging = upstreams.call(mcp_request(&server.url(), "add", within));
        let fine = fine.url();
        let (hanging, other) = tokio::join!(hanging, call_tool(&upstreams, &fine, "add"));
        assert_eq!((kind(&hanging), kind(&other)), ("not dispatched", "completed"), "{name}: {hanging:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{name}");
        assert_eq!(server.calls(), 0, "{name}");
    }
}

#[tokio::test]
async fn a_session_that_nobody_uses_is_left_with_a_word() {
    let server = McpServer::replying(r#"{"structuredContent":{}}"#);
    let upstreams = upstreams(allow_private());
    assert_eq!(kind(&call_tool(&upstreams, &server.url(), "add").await), "completed");
    upstreams.mcp().leave_idle();
    assert_eq!(upstreams.mcp().sessions(), 0);
    soon("the server hears that the session is left", || server.record.left.load(Ordering::SeqCst) == 1).await;
    assert_eq!(kind(&call_tool(&upstreams, &server.url(), "add").await), "completed");
    assert_eq!((server.calls(), server.opened()), (2, 2));
}

#[tokio::test]
async fn a_session_with_an_open_call_is_not_left() {
    let server = McpServer::start(|connection, _| {
        connection.hang();
        false
    });
    let upstreams = upstreams(allow_private());
    let calling = upstreams.call(mcp_request(&server.url(), "add", Duration::from_millis(1_500)));
    let leaving = async {
        soon("the call arrives", || server.calls() == 1).await;
        upstreams.mcp().leave_idle();
        upstreams.mcp().sessions()
    };
    let (answer, kept) = tokio::join!(calling, leaving);
    assert_eq!((kind(&answer), kept), ("unknown", 1), "{answer:?}");
}

#[tokio::test]
async fn whoever_waits_for_a_session_that_is_not_opened_does_not_try_in_turn() {
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let server = McpServer::speaking(
        move |_| {
            gone.lock().unwrap().recv().ok();
            Some(answer("503 Oops", "text/plain", "no").into())
        },
        |_, _| true,
    );
    let upstreams = upstreams(allow_private());
    let (url, calls) = (server.url(), upstreams.clone());
    let tasks: Vec<_> = (0..4)
        .map(|number| {
            let (upstreams, url) = (calls.clone(), url.clone());
            tokio::spawn(async move { call_tool(&upstreams, &url, &format!("tool-{number}")).await })
        })
        .collect();
    soon("one of them asks, and the others wait", || upstreams.mcp().waiting() == 4).await;
    drop(go);
    for task in tasks {
        assert_eq!(kind(&task.await.unwrap()), "not dispatched");
    }
    assert_eq!((server.calls(), server.hostile.executed()), (0, 1));
}
