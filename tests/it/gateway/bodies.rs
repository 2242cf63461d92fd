//! Bodies that are too large, too slow or cut off.

use std::time::Duration;

use serde_json::json;
use tests::{
    environment::{Extent, extent},
    program::folder,
    wire::{self, Wire},
};

use super::{Gateway, TOKEN, is_error};
use crate::gateway_cases::fixture;

const BYTES_MAX: usize = 2_097_152;

/// A call of exactly so many bytes.
fn padded(bytes: usize) -> String {
    let empty = json!({"tool": "t_echo", "args": {"pad": ""}}).to_string();
    empty.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - empty.len())))
}

#[test]
fn exactly_two_mebibytes_pass_and_one_byte_more_is_answered_cleanly() {
    let upstream = fixture::upstream();
    for (dialect, status) in [("fased", 413), ("zero", 400), ("openclaw", 413)] {
        let folder = folder();
        let gateway = Gateway::start(folder.path(), dialect, json!({}), &upstream);
        let bearer = format!("Bearer {TOKEN}");
        let send = |bytes: usize| gateway.send("POST", "/tools/invoke", &[("authorization", &bearer)], &padded(bytes));
        assert_eq!(send(BYTES_MAX).status, 200, "{dialect}");
        for bytes in [BYTES_MAX + 1, 3 * BYTES_MAX] {
            let refused = send(bytes);
            assert!(is_error(&refused, status, "invalid_request_error"), "{dialect} {bytes}: {}", refused.status);
        }
        // The credential comes first: a stranger's body is not even looked at.
        assert_eq!(gateway.send("POST", "/tools/invoke", &[], "{").status, 401);
    }
}

#[test]
fn a_caller_that_goes_away_before_its_body_is_complete_causes_nothing() {
    let upstream = fixture::upstream();
    let folder = folder();
    let gateway = Gateway::start(folder.path(), "fased", json!({}), &upstream);
    let whole = wire::request(
        "POST",
        "/tools/invoke",
        &[("authorization", &format!("Bearer {TOKEN}"))],
        r#"{"tool": "t_echo", "args": {"a": 1}}"#,
    );
    let mut gone = Wire::open(gateway.address);
    gone.write(&whole.as_bytes()[..whole.len() - 3]);
    drop(gone);
    assert_eq!(gateway.call(&json!({"tool": "t_action"})).status, 200);
    assert_eq!((upstream.count("/t_echo"), upstream.count("/t_action")), (0, 1));
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_longer_than_documented() {
    if extent() != Extent::Long {
        return; // it takes the documented half minute
    }
    let upstream = fixture::upstream();
    let folder = folder();
    let gateway = Gateway::start(folder.path(), "fased", json!({}), &upstream);
    let mut slow = Wire::open(gateway.address);
    let head = format!(
        "POST /tools/invoke HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 9\r\n\r\n{{"
    );
    slow.write(head.as_bytes());
    let answer = slow.answer_within(Duration::from_secs(45)).unwrap();
    assert!(is_error(&answer, 408, "invalid_request_error"), "{}", answer.body);
}
