use std::borrow::Cow;

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Hints, RequestFault> {
    let mut dialect = super::super::tests::dialect();
    let names = &mut dialect.http.headers;
    names.channel = Some("x-test-channel".to_owned());
    names.account = Some("x-test-account".to_owned());
    names.thread = Some("x-test-thread".to_owned());
    dialect.chain.channel_aliases.insert("imsg".to_owned(), "imessage".to_owned());
    Hints::read(&dialect, &pairs.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))).collect())
}

#[test]
fn hints_are_trimmed_and_channels_have_one_name() {
    for (sent, channel) in
        [("  SLACK ", Some("slack")), ("IMsg", Some("imessage")), ("unheard-of", Some("unheard-of")), ("  ", None)]
    {
        assert_eq!(read(&[("x-test-channel", sent)]).unwrap().channel.as_deref(), channel, "{sent}");
    }
    let hints = read(&[("x-test-account", " Work "), ("x-test-thread", ""), ("x-other-channel", "slack")]).unwrap();
    assert_eq!(hints, Hints { account: Some("Work".to_owned()), ..Hints::default() });
}

#[test]
fn a_header_that_the_dialect_does_not_have_is_not_looked_at() {
    assert_eq!(read(&[("x-test-to", "room")]).unwrap().to, None);
}

#[test]
fn hints_are_bounded() {
    for value in ["x".repeat(CONTEXT_BYTES_MAX + 1), "a\tb".to_owned()] {
        assert_eq!(read(&[("x-test-thread", &value)]).unwrap_err().kind, FailureKind::InvalidRequest);
    }
}

#[test]
fn upstreams_are_told_what_is_known() {
    let session = Session::new("agent:a:main".to_owned(), "a".to_owned());
    let hints = Hints { channel: Some("slack".to_owned()), to: Some("room".to_owned()), ..Hints::default() };
    let headers = hints.upstream_headers(&session);
    let expected = [
        ("x-tollgate-session-key", "agent:a:main"),
        ("x-tollgate-agent-id", "a"),
        ("x-tollgate-channel", "slack"),
        ("x-tollgate-message-to", "room"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
}
