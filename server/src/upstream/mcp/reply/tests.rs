use super::{super::super::answer::MESSAGE_CHARS_MAX, *};

fn completed(result: Option<&str>, meta: Option<&str>) -> UpstreamAnswer {
    UpstreamAnswer::Completed { result: result.map(str::to_owned), meta: meta.map(str::to_owned) }
}

fn rejected(message: Option<&str>) -> UpstreamAnswer {
    UpstreamAnswer::Rejected { status: STATUS_REJECTED, message: message.map(str::to_owned) }
}

fn replied(result: &str) -> UpstreamAnswer {
    decide_reply(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#))
}

#[test]
fn a_result_is_what_is_structured_else_the_text() {
    let cases = [
        (
            r#"{"content":[{"type":"text","text":"no"}],"structuredContent":{"b": 1.50, "a":1}}"#,
            Some(r#"{"b": 1.50, "a":1}"#),
        ),
        (r#"{"structuredContent":[1, 12345678901234567890.123]}"#, Some("[1, 12345678901234567890.123]")),
        (r#"{"content":[{"type":"text","text":"{\"a\": 1.0}"}]}"#, Some(r#"{"a": 1.0}"#)),
        (r#"{"content":[{"type":"text","text":"hello \"you\""}]}"#, Some(r#"{"text":"hello \"you\""}"#)),
        (r#"{"content":[{"type":"text","text":"1"},{"type":"text","text":"two"}]}"#, Some(r#"{"text":"1\ntwo"}"#)),
        (r#"{"content":[{"type":"text","text":"x"}],"structuredContent":null}"#, Some(r#"{"text":"x"}"#)),
        (
            r#"{"content":[{"type":"text","text":"x"}],"isError":false,"resultType":"complete"}"#,
            Some(r#"{"text":"x"}"#),
        ),
        (r#"{"content":[]}"#, None),
        (r#"{"content":[{"type":"text","text":" "}]}"#, None),
        ("{}", None),
        (
            r#"{"content":[{"type":"text","text":"x"},{"type":"image","data":"AA==","size":1.00}]}"#,
            Some(r#"{"content":[{"type":"text","text":"x"},{"type":"image","data":"AA==","size":1.00}]}"#),
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(replied(result), completed(expected, None), "{result}");
    }
}

#[test]
fn what_stands_beside_a_result_is_kept_for_the_price() {
    let cases = [
        (r#"{"structuredContent":{},"_meta":{"cost": 0.10}}"#, Some(r#"{"cost": 0.10}"#)),
        (r#"{"structuredContent":{},"_meta":[1]}"#, None),
        (r#"{"structuredContent":{},"_meta":null}"#, None),
        (r#"{"structuredContent":{},"_meta":7}"#, None),
    ];
    for (result, expected) in cases {
        assert_eq!(replied(result), completed(Some("{}"), expected), "{result}");
    }
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(JSON_DEPTH_MAX), "]".repeat(JSON_DEPTH_MAX));
    assert_eq!(replied(&format!(r#"{{"structuredContent":{{}},"_meta":{deep}}}"#)), completed(Some("{}"), None));
}

#[test]
fn a_tool_that_says_no_is_heard_in_its_own_words() {
    let cases = [
        (r#"{"isError":true,"content":[{"type":"text","text":" no such\ncity "}]}"#, Some("no such city")),
        (r#"{"isError":true,"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#, Some("a b")),
        (r#"{"isError":true,"structuredContent":{"message":"too long"}}"#, Some("too long")),
        (r#"{"isError":true,"structuredContent":{"cost":5},"content":[]}"#, None),
        (r#"{"isError":true}"#, None),
    ];
    for (result, expected) in cases {
        assert_eq!(replied(result), rejected(expected), "{result}");
    }
    let long = format!(r#"{{"isError":true,"content":[{{"type":"text","text":"{}"}}]}}"#, "é".repeat(2_000));
    let UpstreamAnswer::Rejected { message: Some(message), .. } = replied(&long) else { panic!("not rejected") };
    assert_eq!(message.chars().count(), MESSAGE_CHARS_MAX);
}

#[test]
fn an_error_of_the_protocol_is_a_failure_unless_it_is_about_the_parameters() {
    let error =
        |code: &str| decide_reply(&format!(r#"{{"id":1,"error":{{"code":{code},"message":"inner\u0000 words"}}}}"#));
    assert_eq!(error("-32602"), rejected(Some("inner  words")));
    for code in ["-32601", "-32603", "-32000", "0", "404"] {
        let UpstreamAnswer::Failed { detail, message } = error(code) else { panic!("{code}") };
        assert!(detail.contains(code), "{detail}");
        assert_eq!(message.as_deref(), Some("inner  words"));
    }
    let bare = decide_reply(r#"{"error":{}}"#);
    assert!(matches!(bare, UpstreamAnswer::Failed { message: None, .. }), "{bare:?}");
}

#[test]
fn what_is_no_result_is_a_failure() {
    for text in [
        "",
        "[]",
        "7",
        "{}",
        r#"{"result":null}"#,
        r#"{"result":{},"error":{"code":1,"message":"x"}}"#,
        r#"{"result":{},"result":{}}"#,
        r#"{"error":"x"}"#,
        r#"{"error":{"code":1.5}}"#,
        r#"{"result":[]}"#,
        r#"{"result":[["x"]]}"#,
        r#"[{"content":[]}]"#,
        r#"{"result":"x"}"#,
        r#"{"result":{"content":"x"}}"#,
        r#"{"result":{"isError":"yes"}}"#,
        r#"{"result":{"resultType":"input_required"}}"#,
        r#"{"result":{"resultType":"task","content":[]}}"#,
    ] {
        let answer = decide_reply(text);
        assert!(matches!(answer, UpstreamAnswer::Failed { .. }), "{text}: {answer:?}");
    }
}

#[test]
fn a_result_is_bounded_in_length_and_depth() {
    let text = |length: usize| format!(r#"{{"structuredContent":"{}"}}"#, "x".repeat(length.saturating_sub(2)));
    assert!(matches!(replied(&text(BODY_BYTES_MAX)), UpstreamAnswer::Completed { .. }));
    assert!(matches!(replied(&text(BODY_BYTES_MAX + 1)), UpstreamAnswer::Failed { .. }));
    let deep = |depth: usize| format!(r#"{{"structuredContent":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(matches!(replied(&deep(JSON_DEPTH_MAX)), UpstreamAnswer::Completed { .. }));
    for depth in [JSON_DEPTH_MAX + 1, 100_000] {
        assert!(matches!(replied(&deep(depth)), UpstreamAnswer::Failed { .. }), "{depth}");
    }
}
