use super::*;

fn read(body: &str) -> GatewayRequest {
    read_request(body).unwrap_or_else(|fault| panic!("{body}: {fault:?}"))
}

#[test]
fn a_body_without_a_usable_tool_is_refused_in_the_same_way() {
    let bodies = [
        "",
        "  \n\t",
        "{}",
        "null",
        "[]",
        "5",
        "\"t\"",
        "true",
        r#"[{"tool":"t"}]"#,
        r#"{"tool":""}"#,
        r#"{"tool":"  "}"#,
        r#"{"tool":null}"#,
        r#"{"tool":true}"#,
        r#"{"tool":["t"]}"#,
        r#"{"args":{"tool":"t"}}"#,
        r#"{"tool":"t","tool":7}"#,
    ];
    for body in bodies {
        assert_eq!(read_request(body), Err(RequestFault::new(FailureKind::MissingTool, "")), "{body}");
    }
}

#[test]
fn a_body_that_is_not_json_says_where() {
    for (body, detail) in [
        ("tool=t", "expected `true`, `false` or `null` at line 1 column 2"),
        (r#"{"tool":"t"} x"#, "unexpected text after the JSON value at line 1 column 14"),
        (r#"{"tool":"#, "unexpected end of the JSON text at line 1 column 9"),
    ] {
        assert_eq!(read_request(body), Err(RequestFault::new(FailureKind::InvalidJson, detail)), "{body}");
    }
    let deep = format!(r#"{{"tool":"t","args":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
    assert_eq!(read_request(&deep).unwrap_err().kind, FailureKind::InvalidJson);
    let many = format!(r#"{{"tool":"t","args":[{}0]}}"#, "0,".repeat(200_000));
    assert_eq!(read_request(&many).unwrap_err().kind, FailureKind::BodyTooLarge);
}

#[test]
fn names_are_trimmed_and_name_stands_over_tool() {
    for (body, tool) in [
        (r#"{"tool":" t_echo\n"}"#, "t_echo"),
        (r#"{"tool":"a","name":"b"}"#, "b"),
        (r#"{"tool":"a","name":" "}"#, "a"),
        (r#"{"tool":"a","name":5}"#, "a"),
        (r#"{"name":"b"}"#, "b"),
        (r#"{"tool":"a","tool":"b"}"#, "b"),
    ] {
        assert_eq!(read(body).tool, tool, "{body}");
    }
}

#[test]
fn arguments_are_passed_on_as_they_were_written_and_anything_else_is_an_empty_object() {
    for (args, arguments) in [
        (r#"{ "a": 1.50, "b" : null }"#, r#"{ "a": 1.50, "b" : null }"#),
        ("[1,2]", "{}"),
        (r#""x=1""#, "{}"),
        ("false", "{}"),
        ("null", "{}"),
        ("7", "{}"),
        // the last one counts, and only one goes on
        (r#"{"a":1,"a":{"b":1,"b":2.0}}"#, r#"{"a":{"b":2.0}}"#),
    ] {
        assert_eq!(&*read(&format!(r#"{{"tool":"t","args":{args}}}"#)).arguments, arguments, "{args}");
    }
    assert_eq!(&*read(r#"{"tool":"t"}"#).arguments, "{}");
}

#[test]
fn members_of_the_wrong_type_count_as_absent_and_unknown_ones_are_ignored() {
    let request = read(r#"{"tool":"t","action":{"a":1},"sessionKey":5,"agentId":[],"dryRun":"x","zz":1}"#);
    assert_eq!((request.action, request.session_key, request.agent_id, request.key), (None, None, None, None));
    let request = read(r#"{"tool":"t","action":" list ","sessionKey":"  ","agentId":" ops "}"#);
    assert_eq!(request.action.as_deref(), Some("list"));
    assert_eq!((request.session_key, request.agent_id.as_deref()), (None, Some("ops")));
}

#[test]
fn an_idempotency_key_is_a_short_text_or_refused() {
    let of = |key: &str| read_request(&format!(r#"{{"tool":"t","idempotencyKey":{key}}}"#));
    assert_eq!(of("null").unwrap().key, None);
    assert_eq!(of(r#""k 1""#).unwrap().key.as_deref(), Some("k 1"));
    let longest = format!("\"{}\"", "k".repeat(IDEMPOTENCY_KEY_BYTES_MAX));
    assert!(of(&longest).unwrap().key.is_some());
    let too_long = format!("\"{}\"", "k".repeat(IDEMPOTENCY_KEY_BYTES_MAX + 1));
    for key in ["5", "\"\"", "{}", r#""a\u0000""#, &too_long] {
        let fault = of(key).unwrap_err();
        assert_eq!(fault.kind, FailureKind::InvalidRequest, "{key}");
        assert!(fault.detail.starts_with("`idempotencyKey` "), "{}", fault.detail);
    }
}

#[test]
fn an_action_is_put_in_unless_there_is_one_of_any_value() {
    for (arguments, merged) in [
        ("{}", r#"{"action":"li\"st"}"#),
        ("{ }", r#"{"action":"li\"st"}"#),
        (r#"{"n": 2.0 }"#, r#"{"n": 2.0,"action":"li\"st"}"#),
        (r#"{"action":null}"#, r#"{"action":null}"#),
        (r#"{"action":""}"#, r#"{"action":""}"#),
        (r#"{"a":{"action":1}}"#, r#"{"a":{"action":1},"action":"li\"st"}"#),
    ] {
        assert_eq!(&*with_action(&Arc::from(arguments), "li\"st"), merged, "{arguments}");
    }
}
