//! A hash of what an item of the catalog says, whatever its formatting and the order of its keys.

use aws_lc_rs::digest::{SHA256, digest};

use super::tree::{Kind, Member, Node};

/// SHA-256 in hexadecimal over an object without some of its members.
///
/// Numbers count as written, so `50` and `50.0` differ: an import too many is harmless, one too few is not.
pub(super) fn fingerprint(members: &[Member], without: &[&str]) -> String {
    let mut canonical = String::new();
    write_object(&mut canonical, members.iter().filter(|member| !without.contains(&member.key.as_str())));
    let halves = |byte: &u8| [byte >> 4, byte & 0x0f];
    let hash = digest(&SHA256, canonical.as_bytes());
    hash.as_ref().iter().flat_map(halves).filter_map(|half| char::from_digit(u32::from(half), 16)).collect()
}

fn write_object<'a>(out: &mut String, members: impl Iterator<Item = &'a Member>) {
    let mut members: Vec<_> = members.collect();
    members.sort_by(|a, b| a.key.cmp(&b.key));
    out.push('{');
    for member in members {
        write_text(out, &member.key);
        write_node(out, &member.value);
    }
    out.push('}');
}

fn write_node(out: &mut String, node: &Node) {
    match &node.kind {
        Kind::Null => out.push('~'),
        Kind::Bool(value) => out.push(if *value { '+' } else { '-' }),
        Kind::Number(text) => {
            out.push('#');
            write_text(out, text);
        }
        Kind::Text(text) => {
            out.push('$');
            write_text(out, text);
        }
        Kind::List(items) => {
            out.push('[');
            for item in items {
                write_node(out, item);
            }
            out.push(']');
        }
        Kind::Object(members) => write_object(out, members.iter()),
    }
}

/// The length first, so that no text can look like the structure around it.
fn write_text(out: &mut String, text: &str) {
    out.push_str(&text.len().to_string());
    out.push(':');
    out.push_str(text);
}
