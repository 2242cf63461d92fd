//! The folder into which the file transport writes mails, read as their receivers would.

use std::path::Path;

use crate::patience::wait_until;

/// The path (with its leading slash) of the link in the newest mail to `email` in `folder`. Waits for it to be written.
///
/// # Panics
/// No such mail comes.
pub fn wait_for_link(folder: &Path, email: &str) -> String {
    let (link, _) = wait_until(&format!("a mail to {email}"), || {
        let mut mails: Vec<_> = std::fs::read_dir(folder)
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect();
        // Their names are their identifiers, which grow with time.
        mails.sort();
        mails.iter().rev().find_map(|path| find_link(&std::fs::read_to_string(path).ok()?, email))
    });
    link
}

fn find_link(mail: &str, email: &str) -> Option<String> {
    let to = mail.lines().find_map(|line| line.strip_prefix("To: "))?;
    let text = decode_quoted_printable(mail);
    let (_, link) = text.split_once("/auth/link/").filter(|_| to.contains(email))?;
    let end = link.find(|character: char| !character.is_ascii_alphanumeric() && !"-_".contains(character));
    Some(format!("/auth/link/{}", link.get(..end.unwrap_or(link.len()))?))
}

/// Quoted-printable text as it was before (RFC 2045, section 6.7). What is no escape stays as it is.
pub fn decode_quoted_printable(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        let broken = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n'));
        let escaped = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match (broken, escaped) {
            (Some(joined), _) => joined,
            (None, Some(byte)) => {
                bytes.push(byte);
                after.get(2..).unwrap_or_default()
            }
            (None, None) => {
                bytes.push(b'=');
                after
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
