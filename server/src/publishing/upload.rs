//! A file in a form (`multipart/form-data`, RFC 7578): the one in the field `file`. What the form calls the file, and says that
//! it is, does not matter: what it is is found out from its content.

use actix_web::http::header;
use engine::limits::IMAGE_BYTES_MAX;

use crate::{
    http::{
        asked::{Asked, Known},
        body::read_bytes,
        problem::Problem,
    },
    marketplace::auth::fields,
};

/// The field of the form that has the file.
const FIELD: &str = "file";
/// How much a form may have beside the file, in bytes.
const AROUND_BYTES_MAX: usize = 16 * 1024;
/// Longest boundary (RFC 2046, section 5.1.1), in characters.
const BOUNDARY_CHARS_MAX: usize = 70;
/// How many parts of a form are looked at.
const PARTS_MAX: usize = 16;

/// The file of a request.
///
/// # Errors
/// The request is no form, is too large, or has no such file.
pub(super) async fn read_file<W: Known>(asking: &Asked<W>) -> Result<Vec<u8>, Problem> {
    let bytes_max = IMAGE_BYTES_MAX.saturating_add(AROUND_BYTES_MAX);
    let content_type = asking.request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type.and_then(boundary_of).map(str::to_owned);
    let body = read_bytes(asking.payload()?, bytes_max, &asking.state.config.limits).await?;
    let file = boundary.as_deref().and_then(|boundary| file_of(&body, boundary));
    let file =
        file.ok_or_else(|| fields::fault(FIELD, "is missing: send a form (`multipart/form-data`) with this field"))?;
    Ok(file.to_vec())
}

fn boundary_of(content_type: &str) -> Option<&str> {
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parts.find_map(|part| parameter(part, "boundary"))?;
    (1..=BOUNDARY_CHARS_MAX).contains(&value.len()).then_some(value)
}

/// The value of `name=value`, with or without quotes.
fn parameter<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (key, value) = text.split_once('=')?;
    let value = value.trim();
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    key.trim().eq_ignore_ascii_case(name).then_some(bare)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// What stands before `wanted`, and what behind it.
fn split<'b>(bytes: &'b [u8], wanted: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = find(bytes, wanted)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    Some((before, rest.get(wanted.len()..)?))
}

fn file_of<'b>(body: &'b [u8], boundary: &str) -> Option<&'b [u8]> {
    let first = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let (_preamble, mut rest) = split(body, first.as_bytes())?;
    for _ in 0..PARTS_MAX {
        // Behind the last part stand two hyphens.
        let part = rest.strip_prefix(b"\r\n")?;
        let (headers, content) = split(part, b"\r\n\r\n")?;
        let (content, behind) = split(content, next.as_bytes())?;
        if is_file(headers) {
            return Some(content);
        }
        rest = behind;
    }
    None
}

/// Whether these are the headers of the file.
fn is_file(headers: &[u8]) -> bool {
    let Ok(headers) = std::str::from_utf8(headers) else { return false };
    headers.lines().any(|line| {
        let Some((name, value)) = line.split_once(':') else { return false };
        name.trim().eq_ignore_ascii_case("content-disposition")
            && value.split(';').any(|part| parameter(part.trim(), "name") == Some(FIELD))
    })
}

#[cfg(test)]
mod tests;
