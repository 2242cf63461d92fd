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

#[test]
fn however_it_is_spelled_it_is_hidden() {
    let own = credential("key a/b+c=d&e<f>'\"\\ é");
    for (spelled, left) in [
        ("key a/b+c=d&e<f>'\"\\ é", "[credential]"),
        // JSON: as serde writes it, with `/` escaped, and with everything escaped that is dear to HTML
        (r#"key a/b+c=d&e<f>'\"\\ é"#, "[credential]"),
        (r#"key a\/b+c=d&e<f>'\"\\ \u00e9"#, "[credential]"),
        (r"key a\u002Fb\u002bc\u003Dd\u0026e\u003cf\u003E\u0027\u0022\u005C \u00E9", "[credential]"),
        (r#"key a/b+c=d\u0026e\u003cf\u003e'\"\\ é"#, "[credential]"),
        // percent-encoded, in capitals and not, all of it or in part, with and without `+`
        ("key%20a%2Fb%2Bc%3Dd%26e%3Cf%3E%27%22%5C%20%C3%A9", "[credential]"),
        ("key%20a%2fb%2bc%3dd%26e%3cf%3e%27%22%5c%20%c3%a9", "[credential]"),
        ("key+a%2Fb%2Bc%3Dd%26e%3Cf%3E%27%22%5C+%C3%A9", "[credential]"),
        ("key%20a/b+c=d&e%3Cf%3E'%22%5C%20%C3%A9", "[credential]"),
        ("%6B%65%79%20%61%2F%62%2B%63%3D%64%26%65%3C%66%3E%27%22%5C%20%C3%A9", "[credential]"),
        // beside bytes that are no text
        ("%FFkey%20a%2Fb%2Bc%3Dd%26e%3Cf%3E%27%22%5C%20%C3%A9%FF", "%FF[credential]%FF"),
        // percent-encoded within JSON
        (r"key+a\/b%2Bc=d\u0026e%3Cf%3E'%22%5C+%C3%A9", "[credential]"),
        // what is something else stays as it was
        ("key a/b c=d&e<f>'\"\\ é", "key a/b c=d&e<f>'\"\\ é"),
        (r"100 % \u00 \x %2 %zz \ud83d", r"100 % \u00 \x %2 %zz \ud83d"),
        ("", ""),
    ] {
        for (before, after) in [("", ""), ("a=", "&b=%41+\\u0041é"), ("é%C3", "%"), ("\\n\\\\", "\"}")] {
            let text = format!("{before}{spelled}{after}{spelled}");
            assert_eq!(own.hidden_in(text), format!("{before}{left}{after}{left}"), "{spelled}");
        }
    }
    // the word that says the same alone
    let bearer = credential("Bearer a/b+c==123\u{1F600}");
    for spelled in ["a/b+c==123\u{1F600}", "a%2Fb%2Bc%3D%3D123%F0%9F%98%80", r"a\/b\u002bc==123\ud83d\uDE00"] {
        assert_eq!(bearer.hidden_in(format!("<{spelled}>")), "<[credential]>", "{spelled}");
    }
    // a secret that looks encoded is no other one
    let odd = credential("a%2Fb%5Cc\\u0041");
    for (text, left) in [
        ("a%2Fb%5Cc\\u0041", "[credential]"),
        ("a%252Fb%255Cc%5Cu0041", "[credential]"),
        (r"a%2Fb%5Cc\\u0041", "[credential]"),
        (r"a/b\cA", r"a/b\cA"),
    ] {
        assert_eq!(odd.hidden_in(text.to_owned()), left, "{text}");
    }
}

#[test]
fn json_stays_json_without_it() {
    let own = credential(r"domain\user:\");
    let text = serde_json::json!({"a": r"domain\user:\", "b": "\u{1}\n"}).to_string();
    let left: serde_json::Value = serde_json::from_str(&own.hidden_in(text)).unwrap();
    assert_eq!(left, serde_json::json!({"a": "[credential]", "b": "\u{1}\n"}));
}
