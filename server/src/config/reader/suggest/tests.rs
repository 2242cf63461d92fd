use super::*;

#[test]
fn distances_count_letters_and_swaps() {
    let cases = [
        ("", "", 0),
        ("a", "", 1),
        ("", "abc", 3),
        ("bind", "bnid", 1),
        ("port", "ports", 1),
        ("kitten", "sitting", 3),
        ("ab", "ba", 1),
        ("abc", "abc", 0),
    ];
    for (from, to, wanted) in cases {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&letters(from), &letters(to)), wanted, "from `{from}` to `{to}`");
        assert_eq!(distance(&letters(to), &letters(from)), wanted, "from `{to}` to `{from}`");
    }
}

#[test]
fn only_a_near_key_is_suggested() {
    let known = ["bind", "public_url", "tls", "trusted_proxies"];
    let cases = [
        ("bnid", Some("bind")),
        ("publicURL", Some("public_url")),
        ("TRUSTED_PROXY", Some("trusted_proxies")),
        ("tsl", Some("tls")),
        ("t", None),
        ("workers", None),
        ("", None),
    ];
    for (key, wanted) in cases {
        assert_eq!(find_suggestion(key, &known), wanted, "for `{key}`");
    }
}
