//! What the address of an upstream may be. Whether calls may go there is decided at every call, by the egress rules.

use url::Url;

/// The methods of an upstream.
pub const HTTP_METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The text is no address that is accepted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an absolute `http` or `https` URL without user, password and fragment")]
pub struct HttpUrlError;

/// Reads an absolute `http` or `https` URL without user, password and fragment.
pub fn http_url(text: &str) -> Result<Url, HttpUrlError> {
    let url = Url::parse(text).map_err(|_cause| HttpUrlError)?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain { Ok(url) } else { Err(HttpUrlError) }
}
