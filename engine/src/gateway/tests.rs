//! What the tests of the parts share, and the dialects' files as the parts read them.

use crate::dialect::{AuthMode, Dialect, FailureKind};

/// The three files that are shipped.
const FILES: [&str; 3] = [
    include_str!("../../../policies/dialects/fased.json5"),
    include_str!("../../../policies/dialects/zero.json5"),
    include_str!("../../../policies/dialects/openclaw.json5"),
];

pub(super) fn dialects() -> [Dialect; 3] {
    FILES.map(|text| Dialect::from_text(text).unwrap_or_else(|error| panic!("{error}")))
}

/// One to change at will.
pub(super) fn dialect() -> Dialect {
    let [fased, _, _] = dialects();
    fased
}

#[test]
fn every_failure_looks_as_the_documents_say() {
    use FailureKind::*;
    // Kind, detail, then status, type and message in each dialect.
    type Look = (u16, &'static str, &'static str);
    const UNAUTHORIZED: Look = (401, "unauthorized", "Unauthorized");
    const LOCKED: Look = (429, "rate_limited", "Too many failed authentication attempts. Please try again later.");
    const TOO_LARGE: Look = (413, "invalid_request_error", "Payload too large");
    const INTERNAL: Look = (500, "tool_error", "tool execution failed");
    let no_tool = |kind| (400, kind, "tools.invoke requires body.tool");
    let cases: [(FailureKind, &str, [Look; 3]); 8] = [
        (Unauthorized, "x", [UNAUTHORIZED; 3]),
        (LockedOut, "", [LOCKED, UNAUTHORIZED, LOCKED]),
        (BodyTooLarge, "", [TOO_LARGE, (400, "invalid_request_error", "payload too large"), TOO_LARGE]),
        (
            MissingTool,
            "",
            [
                no_tool("invalid_request_error"),
                no_tool("invalid_request_error"),
                (400, "invalid_request", "tools.invoke requires name"),
            ],
        ),
        (NotAvailable, "t {} x", [(404, "not_found", "Tool not available: t {} x"); 3]),
        (ToolInput, "", [(400, "tool_error", "invalid tool arguments"); 3]),
        (ToolFailed, "boom", [INTERNAL, (400, "tool_error", "boom"), INTERNAL]),
        (MissingScope, "operator.write", [(403, "forbidden", "missing scope: operator.write"); 3]),
    ];
    for (kind, detail, looks) in cases {
        for (dialect, (status, word, message)) in dialects().iter().zip(looks) {
            let rule = dialect.http.errors.rule(kind);
            let found = (rule.status, rule.kind.as_str(), rule.message_with(detail));
            assert_eq!(found, (status, word, message.to_owned()), "{kind:?} in {}", dialect.name);
        }
    }
    for kind in FailureKind::ALL {
        for dialect in dialects() {
            assert!(!dialect.http.errors.rule(*kind).kind.is_empty(), "{kind:?} in {}", dialect.name);
        }
    }
}

#[test]
fn dialects_differ_in_headers_modes_and_limiters() {
    let [fased, zero, openclaw] = dialects().map(|dialect| dialect.http);
    assert_eq!(fased.headers.to.as_deref(), Some("x-fased-message-to"));
    assert_eq!((&zero.headers.to, &zero.headers.thread), (&None, &None));
    assert_eq!(openclaw.headers.channel.as_deref(), Some("x-openclaw-message-channel"));
    assert_eq!(zero.auth.modes, [AuthMode::Token, AuthMode::Password]);
    assert_eq!(fased.auth.modes.len(), 4);
    assert_eq!([&fased, &zero, &openclaw].map(|http| http.limiter.is_always_on), [false, false, true]);
    assert!(fased.limiter.counts_missing && !openclaw.limiter.counts_missing);
    assert!(openclaw.auth.scopes.is_some() && fased.auth.scopes.is_none());
}
