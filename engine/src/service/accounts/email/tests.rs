use super::{is_email, normalised};

#[test]
fn only_plain_addresses_are_accepted() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_label = format!("a@{}.com", "b".repeat(64));
    let too_long = format!("{}@{}.com", "a".repeat(64), ["b".repeat(60).as_str(); 4].join("."));
    let cases = [
        ("a@example.com", true),
        ("A.b+tag@mail.example.co.uk", true),
        ("a@localhost", true),
        ("", false),
        ("a", false),
        ("@example.com", false),
        ("a@", false),
        ("a@.com", false),
        ("a@-b.com", false),
        ("a@b-.com", false),
        ("a b@example.com", false),
        ("a@exa mple.com", false),
        ("a\r\nBcc: b@example.com", false),
        ("a@example.com\r\nBcc: b@example.com", false),
        ("a@example.com\0", false),
        ("a,b@example.com", false),
        ("<a@example.com>", false),
        ("\"a b\"@example.com", false),
        (".a@example.com", false),
        ("a..b@example.com", false),
        ("a@exämple.com", false),
        (&long_local, false),
        (&long_label, false),
        (&too_long, false),
    ];
    for (text, expected) in cases {
        assert_eq!(is_email(text), expected, "{text:?}");
    }
}

#[test]
fn an_address_is_kept_in_small_letters() {
    assert_eq!(normalised("Ann@Example.COM").as_deref(), Some("ann@example.com"));
    assert_eq!(normalised("Ann"), None);
}
