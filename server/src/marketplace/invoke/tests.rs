use super::*;

fn faults_of(body: &str) -> String {
    parse_body(body).unwrap_err().to_string()
}

#[test]
fn the_documented_body_is_taken_as_written() {
    let request =
        parse_body(r#"{"arguments": {"n": 1.50, "big": 12345678901234567890123}, "idempotency_key": "k"}"#).unwrap();
    assert_eq!(&*request.arguments, r#"{"n": 1.50, "big": 12345678901234567890123}"#);
    assert_eq!(request.key.as_deref(), Some("k"));
}

#[test]
fn arguments_and_key_may_be_left_out() {
    let request = parse_body("{}").unwrap();
    assert_eq!((&*request.arguments, request.key), ("{}", None));
}

#[test]
fn wrong_bodies_are_refused_with_the_name_of_the_field() {
    for (body, expected) in [
        (r#"{"arguments": []}"#, "invalid_request: body.arguments: must be an object"),
        (r#"{"arguments": null}"#, "invalid_request: body.arguments: must be an object"),
        (r#"{"idempotency_key": 5}"#, "invalid_request: body.idempotency_key: must be a text"),
        (r#"{"idempotency_key": ""}"#, "invalid_request: body.idempotency_key: is empty"),
        (r#"{"idempotency_key": "a\u0000"}"#, "invalid_request: body.idempotency_key: holds a control character"),
        (r#"{"argument": {}}"#, "invalid_request: body.argument: is not a member of this request"),
    ] {
        assert_eq!(faults_of(body), expected, "{body}");
    }
    let long = format!(r#"{{"idempotency_key": "{}"}}"#, "k".repeat(IDEMPOTENCY_KEY_BYTES_MAX + 1));
    assert!(faults_of(&long).contains("longer than 255 bytes"));
    assert!(faults_of("{").starts_with("invalid_json"));
    assert!(faults_of(r#"{"arguments": {"a": 1, "a": 2}}"#).contains("invalid_request"));
}

#[test]
fn results_that_are_no_objects_are_wrapped() {
    for (result, expected) in [
        (None, "{}"),
        (Some("[1]"), r#"{"value":[1]}"#),
        (Some("\"x\""), r#"{"value":"x"}"#),
        (Some(" {\"a\":1}"), r#"{"a":1}"#),
    ] {
        assert_eq!(as_object(result), expected);
    }
}
