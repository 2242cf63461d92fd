use super::{decode_quoted_printable, find_link};

#[test]
fn quoted_printable_is_read_back() {
    for (written, meant) in [
        ("a=3Db", "a=b"),
        ("one=\r\n two=\n three", "one two three"),
        ("f=C3=BCr", "für"),
        ("x = y =", "x = y ="),
        ("", ""),
    ] {
        assert_eq!(decode_quoted_printable(written), meant, "{written}");
    }
}

#[test]
fn a_link_is_found_in_the_mail_to_its_receiver() {
    let mail = "From: t@x\r\nTo: a@example.com\r\n\r\nopen http://x/auth/link/vAb-=\r\n_9\r\n\r\nbye";
    assert_eq!(find_link(mail, "a@example.com").as_deref(), Some("/auth/link/vAb-_9"));
    assert_eq!(find_link(mail, "b@example.com"), None);
}
