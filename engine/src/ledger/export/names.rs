//! Names of the chart of accounts in the words of other tools. Different accounts get different names.

use crate::ledger::AccountKind;

/// The class of an account and the part of its name that says whose it is.
fn parts(kind: AccountKind, code: &str) -> (String, &str) {
    let class = kind.code("");
    let owner = code.strip_prefix(class.as_str());
    let owner = owner.and_then(|rest| if rest.is_empty() { Some("") } else { rest.strip_prefix(':') });
    let owner = owner.unwrap_or(code);
    (class, owner)
}

/// The name for hledger: the same, but bytes with a meaning of their own (spaces, `;`, brackets, further colons) are
/// written as `%` and two hexadecimal digits.
pub fn hledger(kind: AccountKind, code: &str) -> String {
    let (mut name, owner) = parts(kind, code);
    if !owner.is_empty() {
        name.push(':');
    }
    for byte in owner.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@') {
            name.push(char::from(byte));
        } else {
            name.push('%');
            push_hex(&mut name, byte);
        }
    }
    name
}

/// The name for beancount, whose parts begin with a capital or a digit and go on with letters, digits and `-`. Small
/// letters and digits stay; the first letter becomes a capital; `_` becomes `-`; everything else, also a capital, a `-`
/// and a `z` at the beginning, is written as `Z` and two hexadecimal digits.
pub fn beancount(kind: AccountKind, code: &str) -> String {
    let (class, owner) = parts(kind, code);
    let mut name = String::new();
    for part in class.split(':') {
        if !name.is_empty() {
            name.push(':');
        }
        // Its own word for it.
        let part = if name.is_empty() && part == "revenue" { "income" } else { part };
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    if owner.is_empty() {
        return name;
    }
    name.push(':');
    for (at, byte) in owner.bytes().enumerate() {
        match byte {
            b'a'..=b'y' if at == 0 => name.push(char::from(byte.to_ascii_uppercase())),
            b'a'..=b'z' if at > 0 => name.push(char::from(byte)),
            b'0'..=b'9' => name.push(char::from(byte)),
            b'_' if at > 0 => name.push('-'),
            other => {
                name.push('Z');
                push_hex(&mut name, other);
            }
        }
    }
    name
}

fn push_hex(name: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 0x0f] {
        name.extend(char::from_digit(nibble.into(), 16));
    }
}
