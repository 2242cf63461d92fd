//! Pictures, as they were uploaded. Nothing in one is ever carried out: the browser is told so, whatever it is.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::missing;
use crate::{
    http::{address::client_address, etag::is_known, problem::Problem},
    marketplace::auth::store_problem,
    state::AppState,
};

/// Where a picture is: one that was uploaded here, or another one at its URL.
pub(crate) fn address_of(icon: &str, base_url: &str) -> String {
    if icon.contains(':') { icon.to_owned() } else { format!("{base_url}/assets/{icon}") }
}

/// The same the other way round: of a picture that was uploaded here, the path alone, wherever this server is.
pub(super) fn own_path(url: String, base_url: &str) -> String {
    let path = url.strip_prefix(base_url).filter(|path| path.starts_with("/assets/")).map(str::to_owned);
    path.unwrap_or(url)
}

/// A picture. Its name is the digest of its content, so it never changes.
#[utoipa::path(
    get,
    path = "/assets/{id}",
    params(("id" = String, Path)),
    responses(
        (status = OK, description = "The picture"),
        (status = NOT_MODIFIED, description = "The caller has it"),
        (status = NOT_FOUND, description = "There is none of this name"),
        (status = TOO_MANY_REQUESTS, description = "This address asks too fast")
    )
)]
pub(crate) async fn serve(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    // Browsers ask for it without a token, and nobody needs one.
    let address = client_address(&request, &state.config.server.trusted_proxies);
    let rate = state.discovery_limiter.check_address(address)?;
    let tag = format!("\"{id}\"");
    // Whoever has it is not worth reading it.
    let found = if is_known(&request, &tag) {
        state.services.has_asset(&id).await.map(|is_there| is_there.then_some(None))
    } else {
        state.services.find_asset(&id).await.map(|found| found.map(Some))
    };
    let asset = found.map_err(store_problem).and_then(|found| found.ok_or_else(|| missing("picture")));
    let asset = asset.map_err(|problem| rate.announce(problem))?;
    let mut response = if asset.is_some() { HttpResponse::Ok() } else { HttpResponse::NotModified() };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("cross-origin-resource-policy", "cross-origin"));
    let mut response = match asset {
        Some(asset) => response.content_type(asset.media_type).body(asset.bytes),
        None => response.finish(),
    };
    rate.insert_into(&mut response);
    Ok(response)
}
