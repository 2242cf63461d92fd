use super::*;

#[test]
fn an_address_is_told_without_what_may_be_secret() {
    for (url, told) in [
        ("https://a.example/x", "https://a.example/x"),
        ("https://u:p@a.example:8443/x?key=secret#there", "https://a.example:8443/x"),
        ("https://a.example?key=secret", "https://a.example/"),
        ("https://a@b@c.example/x@y", "https://c.example/x@y"),
    ] {
        assert_eq!(without_secrets(url), told);
    }
}
