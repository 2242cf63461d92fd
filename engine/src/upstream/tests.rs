use super::*;

fn credential(secret: &str) -> Credential {
    let secret = SecretString::from(secret);
    Credential::new(secret, "Authorization".to_owned(), CredentialPlace::Header, "https://api.example.com/v1").unwrap()
}

#[test]
fn a_secret_is_for_one_host_and_port_alone() {
    let credential = credential("Bearer 0123456789");
    for (url, is_for) in [
        ("https://api.example.com/other?a=b", true),
        ("https://api.example.com:443/", true),
        ("http://api.example.com/", false),
        ("https://api.example.com:8443/", false),
        ("https://example.com/", false),
        ("https://api.example.com.evil.example/", false),
    ] {
        assert_eq!(credential.is_for(&Url::parse(url).unwrap()), is_for, "{url}");
    }
    assert!(Credential::new("a".into(), "b".to_owned(), CredentialPlace::Query, "nowhere").is_none());
}

#[test]
fn what_an_upstream_repeats_of_it_is_hidden() {
    let own = credential("Bearer 01234\"6789");
    for (text, hidden) in [
        ("no Bearer 01234\"6789 here", "no [credential] here"),
        ("key=01234\"6789", "key=[credential]"),
        (r#"{"authorization":"Bearer 01234\"6789"}"#, r#"{"authorization":"[credential]"}"#),
        ("Bearer of news", "Bearer of news"),
    ] {
        assert_eq!(own.hidden_in(text.to_owned()), hidden);
    }
    // too short to be told from other texts
    assert_eq!(credential("abc").hidden_in("abcdef".to_owned()), "abcdef");
    let answer = UpstreamAnswer::Rejected { status: 422, message: Some("bad 01234\"6789".to_owned()) };
    assert_eq!(
        answer.without(&own),
        UpstreamAnswer::Rejected { status: 422, message: Some("bad [credential]".to_owned()) }
    );
    assert!(!format!("{own:?}").contains("01234"));
}
