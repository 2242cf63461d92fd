//! The static files: built into the program, packed, named after their contents.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, VARY},
    web,
};

use super::{ROOT, fault::nothing_here};

/// One static file.
#[derive(Debug)]
struct Asset {
    file: &'static str,
    served_as: &'static str,
    media_type: &'static str,
    plain: &'static [u8],
    packed: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Where a page finds the file with this name.
pub(crate) fn href(file: &str) -> String {
    let name = ASSETS.iter().find(|asset| asset.file == file).map_or("", |asset| asset.served_as);
    format!("{ROOT}/static/{name}")
}

/// How many bytes a browser fetches for the file with this name, packed.
#[must_use]
pub fn packed_bytes(file: &str) -> usize {
    ASSETS.iter().find(|asset| asset.file == file).map_or(0, |asset| asset.packed.len())
}

/// A file. Its name changes with its contents, so it may be kept for ever.
pub(super) async fn serve(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.iter().find(|asset| asset.served_as == name.as_str()) else { return nothing_here() };
    let takes_packed = request
        .headers()
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|part| part.trim().split(';').next() == Some("gzip")));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((VARY, "accept-encoding"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        .content_type(asset.media_type);
    if takes_packed {
        response.insert_header((CONTENT_ENCODING, "gzip")).body(asset.packed)
    } else {
        response.body(asset.plain)
    }
}
