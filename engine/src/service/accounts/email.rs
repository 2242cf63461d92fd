//! What an email address must look like. Whether it exists is found out by mail.

/// Longest address, in bytes (RFC 5321, section 4.5.3.1.3, without its angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Longest part before the `@`, in bytes (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Longest label of a host name, in bytes (RFC 1035, section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Whether a mail can be sent to `text`: one plain address, without quoted parts, comments or control characters.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= EMAIL_BYTES_MAX && is_local(local) && domain.split('.').all(is_label)
}

/// The address as new accounts keep it: in small letters, so that it is one account however it is typed.
pub(super) fn normalised(text: &str) -> Option<String> {
    is_email(text).then(|| text.to_ascii_lowercase())
}

fn is_local(part: &str) -> bool {
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    (1..=LOCAL_BYTES_MAX).contains(&part.len())
        && part.bytes().all(is_atom)
        && !part.starts_with('.')
        && !part.ends_with('.')
        && !part.contains("..")
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric())
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
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
}
