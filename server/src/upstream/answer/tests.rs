use super::*;
use crate::upstream::http::{class_of, is_healthy};

fn head(status: u16, media_type: &str) -> Head {
    Head {
        status,
        class: class_of(status),
        media_type: Some(media_type.to_owned()).filter(|text| !text.is_empty()),
        coding: None,
    }
}

fn completed(result: &str) -> UpstreamAnswer {
    UpstreamAnswer::Completed { result: Some(result.to_owned()), meta: None }
}

#[test]
fn a_2xx_body_is_passed_on_as_it_was_written() {
    let cases = [
        ("application/json", r#"{"b": 1.50, "a":[1e2, "é\u00e9"]}"#),
        ("application/problem+json", "[1,2]"),
        ("text/html", r#"{"declared": "as something else"}"#),
        ("", "null"),
        ("application/json", "12345678901234567890123456789"),
        ("text/plain", "\"text\"\n"),
    ];
    for (media_type, body) in cases {
        assert_eq!(decide_completed(&head(200, media_type), body.into()), completed(body), "{media_type}");
    }
}

#[test]
fn text_that_is_not_json_is_wrapped_unless_it_claimed_to_be_json() {
    let wrapped = completed(r#"{"text":"hello \"world\"\n"}"#);
    for media_type in ["text/plain", "", "application/octet-stream", "text/html"] {
        assert_eq!(decide_completed(&head(200, media_type), "hello \"world\"\n".into()), wrapped, "{media_type}");
    }
    for media_type in ["application/json", "text/json", "application/vnd.api+json"] {
        for body in ["hello", "{\"a\":1", "{\"a\":1}}", "{'a':1}", "NaN", "{\"a\":1,}"] {
            let answer = decide_completed(&head(200, media_type), body.into());
            assert!(matches!(answer, UpstreamAnswer::Failed { .. }), "{media_type} {body}: {answer:?}");
        }
    }
}

#[test]
fn an_empty_answer_has_no_result() {
    for (status, body) in [(204, ""), (200, ""), (202, ""), (200, " \r\n"), (200, "\u{feff}"), (202, "\n")] {
        let answer = decide_completed(&head(status, "application/json"), body.into());
        assert_eq!(answer, UpstreamAnswer::Completed { result: None, meta: None }, "{status} {body:?}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_result() {
    assert_eq!(decide_completed(&head(200, "application/json"), "\u{feff}{}".into()), completed("{}"));
}

#[test]
fn binary_encoded_and_deep_bodies_are_broken() {
    let binary = decide_completed(&head(200, "image/png"), vec![0x89, b'P', b'N', b'G', 0xff]);
    assert!(matches!(binary, UpstreamAnswer::Failed { .. }), "{binary:?}");
    let coded = Head { coding: Some("gzip".to_owned()), ..head(200, "application/json") };
    let answer = decide_completed(&coded, b"{}".to_vec());
    assert!(matches!(answer, UpstreamAnswer::Failed { .. }), "{answer:?}");
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    let at_the_limit = decide_completed(&head(200, ""), nested(JSON_DEPTH_MAX));
    assert!(matches!(at_the_limit, UpstreamAnswer::Completed { .. }), "{at_the_limit:?}");
    for depth in [JSON_DEPTH_MAX + 1, 200_000] {
        let answer = decide_completed(&head(200, ""), nested(depth));
        assert!(matches!(answer, UpstreamAnswer::Failed { .. }), "{depth}");
    }
    let brackets_in_text = format!(r#"{{"a\"[": "{}"}}"#, "[".repeat(1_000));
    assert_eq!(decide_completed(&head(200, ""), brackets_in_text.clone().into()), completed(&brackets_in_text));
}

#[test]
fn a_refusal_carries_the_upstreams_own_message() {
    let cases: &[(&str, Option<&str>)] = &[
        (r#"{"error": {"message": "too long"}, "message": "other", "detail": "third"}"#, Some("too long")),
        (r#"{"error": "text", "message": "other", "detail": "third"}"#, Some("other")),
        (r#"{"message": "", "detail": "third"}"#, Some("third")),
        (r#"{"detail": [{"msg": "a list"}]}"#, None),
        (r#"{"message": 5}"#, None),
        ("[]", None),
        ("not json", None),
        ("", None),
        (r#"{"message": " two\nlines\u0000 "}"#, Some("two lines")),
    ];
    for (body, message) in cases {
        let message = message.map(str::to_owned);
        for status in [400, 422] {
            let expected = UpstreamAnswer::Rejected { status, message: message.clone() };
            assert_eq!(decide_refused(&head(status, "application/json"), body.as_bytes()), expected, "{body}");
        }
        for status in [401, 403] {
            let expected = UpstreamAnswer::Forbidden { status, message: message.clone() };
            assert_eq!(decide_refused(&head(status, "application/json"), body.as_bytes()), expected, "{body}");
        }
    }
}

#[test]
fn a_message_is_bounded_in_characters() {
    let body = json!({ "message": "é".repeat(MESSAGE_CHARS_MAX * 2) }).to_string();
    let UpstreamAnswer::Rejected { message: Some(message), .. } = decide_refused(&head(422, ""), body.as_bytes())
    else {
        panic!("not rejected with a message");
    };
    assert_eq!(message.chars().count(), MESSAGE_CHARS_MAX);
}

#[test]
fn every_other_status_is_a_failure_and_only_some_speak_against_the_upstream() {
    let cases = [
        (301, true),
        (302, true),
        (304, true),
        (307, true),
        (404, true),
        (405, true),
        (409, true),
        (418, true),
        (429, false),
        (451, true),
        (500, false),
        (502, false),
        (503, false),
        (599, false),
        (999, false),
    ];
    for (status, healthy) in cases {
        let answer = decide_refused(&head(status, ""), br#"{"message": "inner"}"#);
        let detail = format!("the upstream answered with status {status}: inner");
        assert_eq!(answer, UpstreamAnswer::Failed { detail, message: Some("inner".to_owned()) });
        assert_eq!(is_healthy(status, &answer), healthy, "{status}");
    }
    assert!(is_healthy(422, &decide_refused(&head(422, ""), b"")));
    assert!(is_healthy(401, &decide_refused(&head(401, ""), b"")));
    assert!(!is_healthy(200, &decide_completed(&head(200, "application/json"), b"{".to_vec())));
}
