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
pub(in crate::service) fn normalised(text: &str) -> Option<String> {
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
mod tests;
