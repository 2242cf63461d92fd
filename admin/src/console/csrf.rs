//! Forms from other sites change nothing. The rule is that of the Fetch Metadata headers with the origin as the fallback,
//! as Go's `net/http.CrossOriginProtection` has it, but stricter: only browsers use the console, so who says nothing is
//! refused, too.

use actix_web::http::header::{CONTENT_TYPE, HeaderMap, ORIGIN};

/// Why a request that would change something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrossSite {
    /// A browser says that another site sent it.
    OtherSite,
    /// Nothing says where it comes from.
    Unknown,
    /// It is not a form.
    NotAForm,
}

/// Whether a request with these headers was sent by a page of ours, which is served at `origin`.
pub(super) fn check(headers: &HeaderMap, origin: &str) -> Result<(), CrossSite> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some("same-origin"), _) => {}
        (None, Some(from)) if from == origin => {}
        (None, None) => return Err(CrossSite::Unknown),
        (Some(_), _) | (None, Some(_)) => return Err(CrossSite::OtherSite),
    }
    let kind = text(CONTENT_TYPE.as_str()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") { Ok(()) } else { Err(CrossSite::NotAForm) }
}

#[cfg(test)]
mod tests;
