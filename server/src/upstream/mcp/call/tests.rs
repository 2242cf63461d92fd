use engine::{id::InvocationId, upstream::UpstreamTarget};
use std::time::Duration;
use uuid::Uuid;

use super::*;

fn request(arguments: &str) -> UpstreamRequest {
    UpstreamRequest {
        target: Arc::new(UpstreamTarget::Mcp {
            url: "https://x.example/mcp".to_owned(),
            tool: "add".to_owned(),
            timeout: Duration::from_secs(1),
        }),
        arguments: Arc::from(arguments),
        invocation: InvocationId::from(Uuid::from_u128(7)),
        idempotency_key: "key-1".to_owned(),
        shaped: None,
        credential: None,
        owner: None,
        headers: vec![("x-tollgate-session-key", "agent:main".to_owned())],
    }
}

fn new() -> (Arc<Call>, oneshot::Receiver<Ending>) {
    Call::new(&request("{}"), "add").unwrap()
}

#[test]
fn a_message_carries_the_arguments_as_written_and_its_context() {
    let (call, _ended) = Call::new(&request(r#"{"a": 1.0, "b":12345678901234567890.5}"#), "add \"two\"").unwrap();
    assert_eq!(
        call.message(&RequestId::Number(3)).unwrap(),
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"_meta":{"#.to_owned()
            + r#""tollgate/invocation-id":"inv_00000000000000000000000000000007","tollgate/idempotency-key":"key-1"},"#
            + r#""name":"add \"two\"","arguments":{"a": 1.0, "b":12345678901234567890.5}}}"#
    );
    let headers: Vec<_> = call.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(
        headers,
        [
            ("x-tollgate-session-key", "agent:main"),
            ("x-tollgate-invocation-id", "inv_00000000000000000000000000000007"),
            ("idempotency-key", "key-1"),
        ]
    );
}

#[test]
fn what_cannot_be_sent_is_no_call() {
    assert!(Call::new(&request("{"), "add").is_err());
    assert!(Call::new(&UpstreamRequest { idempotency_key: "a\r\nb".to_owned(), ..request("{}") }, "add").is_err());
}

#[test]
fn a_call_is_sent_once_and_not_after_it_was_given_up() {
    let (call, _ended) = new();
    assert!(call.may_send() && !call.may_send());
    assert!(matches!(call.give_up("late".to_owned()), Ending::Unknown(why) if why == "late"));
    let (call, _ended) = new();
    for _ in 0..2 {
        assert!(matches!(call.give_up("late".to_owned()), Ending::NotDispatched(why) if why == "late"));
    }
    assert!(!call.may_send());
}

#[test]
fn what_is_told_first_holds() {
    let (call, mut ended) = new();
    call.end(Ending::SessionLost);
    call.end(Ending::Unknown(String::new()));
    assert!(matches!(ended.try_recv(), Ok(Ending::SessionLost)));
    assert!(ended.try_recv().is_err());
}

#[test]
fn a_message_is_what_it_says() {
    let cases = [
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Heard::Reply),
        (r#"{"id":"1","error":{"code":1,"message":"x"}}"#, Heard::Reply),
        (r#"{"id":2,"result":{}}"#, Heard::OtherReply),
        (r#"{"id":"one","result":{}}"#, Heard::OtherReply),
        (r#"{"error":{"code":1,"message":"x"}}"#, Heard::OtherReply),
        (r#"{"id":1,"method":"ping"}"#, Heard::Request),
        (r#"{"method":"notifications/progress","params":{}}"#, Heard::Notification),
        (r#"{"id":1}"#, Heard::Garbage),
        (r#"{"id":1,"result":null}"#, Heard::Garbage),
        ("[]", Heard::Garbage),
        ("hello", Heard::Garbage),
        ("", Heard::Garbage),
    ];
    for (text, expected) in cases {
        let calls = Calls::default();
        let (call, mut ended) = new();
        calls.await_reply(RequestId::Number(1), call);
        assert_eq!(calls.hear(text, None), expected, "{text}");
        let told = ended.try_recv().ok();
        assert_eq!(
            matches!(&told, Some(Ending::Replied(reply)) if reply == text),
            expected == Heard::Reply,
            "{told:?}"
        );
    }
}

#[test]
fn in_the_answer_to_one_call_no_other_is_replied_to() {
    let calls = Calls::default();
    let (call, mut ended) = new();
    calls.await_reply(RequestId::Number(1), call);
    assert_eq!(calls.hear(r#"{"id":1,"result":{}}"#, Some(&RequestId::Number(2))), Heard::OtherReply);
    assert!(ended.try_recv().is_err());
    calls.end(Some(&RequestId::Number(1)), Ending::Failed("broken".to_owned()));
    assert!(matches!(ended.try_recv(), Ok(Ending::Failed(_))));
    assert!(calls.forget(&RequestId::Number(1)).is_none());
}

#[test]
fn the_rest_of_an_answer_is_for_a_call_that_still_waits() {
    let calls = Calls::default();
    let (call, _ended) = new();
    calls.await_reply(RequestId::Number(1), call);
    assert!(calls.find_come_to("e1").is_none() && calls.is_awaited(&RequestId::Number(1)));
    calls.come_to(&RequestId::Number(1), "e1");
    calls.come_to(&RequestId::Number(2), "e2");
    assert_eq!((calls.find_come_to("e1"), calls.find_come_to("e2")), (Some(RequestId::Number(1)), None));
    calls.forget(&RequestId::Number(1));
    assert!(calls.find_come_to("e1").is_none() && !calls.is_awaited(&RequestId::Number(1)));
}
