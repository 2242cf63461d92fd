//! Accounts that become publishers, and what they say of themselves.

use actix_web::{HttpResponse, http::Method, web};
use engine::service::publishing::{ProfileChange, PublishingError};

use super::{Asking, Author, Changing, assets::own_path, insist, problem, upload::read_file, view};
use crate::{
    http::{
        asked::{Answer, Asked},
        routes::{Mount, resource},
    },
    marketplace::auth::{base_url, fields::Fields},
};

/// The body of a registration.
#[derive(Debug, utoipa::ToSchema)]
pub struct RegisterBody {
    /// Shown: one line.
    pub display_name: String,
    /// Its own site.
    pub website_url: Option<String>,
    /// Where its customers write to.
    pub support_email: Option<String>,
    /// About it.
    pub bio: Option<String>,
}

/// The body of a change: what is left out stays, an empty text takes away.
#[derive(Debug, utoipa::ToSchema)]
pub struct ProfileBody {
    /// Shown: one line.
    pub display_name: Option<String>,
    /// Its own site.
    pub website_url: Option<String>,
    /// Where its customers write to.
    pub support_email: Option<String>,
    /// About it.
    pub bio: Option<String>,
    /// Where its picture is.
    pub logo_url: Option<String>,
    /// Who is paid.
    pub legal_name: Option<String>,
    /// Two capital letters.
    pub country: Option<String>,
}

/// A form with a file.
#[derive(Debug, utoipa::ToSchema)]
pub struct FileForm {
    /// A picture: PNG, JPEG, WebP or SVG, at most 2 MiB.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/publishers/register", [(Method::POST, web::to(register))]))
        .service(resource("/publishers/me", [(Method::GET, web::to(me)), (Method::PUT, web::to(change_me))]))
        .service(resource("/publishers/me/logo", [(Method::POST, web::to(set_logo))]));
}

/// Makes the account a publisher, once.
#[utoipa::path(
    post,
    path = "/publishers/register",
    request_body(content = inline(RegisterBody)),
    responses(
        (status = CREATED, description = "The publisher"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "Not an account's token, or one with a limit of its own, or the account is not verified"),
        (status = CONFLICT, description = "The account is a publisher already"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn register(asking: Asked<Changing>) -> Answer {
    if !asking.account.is_verified {
        return Err(problem(PublishingError::Unverified));
    }
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let profile = ProfileChange {
        display_name: Some(fields.text("display_name")),
        website_url: fields.optional_text("website_url"),
        support_email: fields.optional_text("support_email"),
        bio: fields.optional_text("bio"),
        ..ProfileChange::default()
    };
    fields.finish()?;
    let by = asking.context();
    let made = insist!(asking.state.services.register_publisher(&by, asking.account.id, &profile))?;
    Ok(HttpResponse::Created().json(view::profile(&made, &base_url(&asking.state))))
}

/// The publisher itself.
#[utoipa::path(
    get,
    path = "/publishers/me",
    responses(
        (status = OK, description = "The publisher"),
        Asking
    )
)]
pub(crate) async fn me(asking: Asked<Asking>) -> Answer {
    let profile = asking.state.services.load_own_profile(asking.publisher).await.map_err(problem)?;
    Ok(HttpResponse::Ok().json(view::profile(&profile, &base_url(&asking.state))))
}

/// Changes what the publisher says of itself.
#[utoipa::path(
    put,
    path = "/publishers/me",
    request_body(content = inline(ProfileBody)),
    responses(
        (status = OK, description = "The publisher as it is now"),
        Author,
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used")
    )
)]
pub(crate) async fn change_me(asking: Asked<Author>) -> Answer {
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let wanted = ProfileChange {
        display_name: fields.optional_text("display_name"),
        website_url: fields.optional_text("website_url"),
        support_email: fields.optional_text("support_email"),
        bio: fields.optional_text("bio"),
        legal_name: fields.optional_text("legal_name"),
        country: fields.optional_text("country"),
        logo_url: fields.optional_text("logo_url").map(|url| own_path(url, &base_url(&asking.state))),
    };
    fields.finish()?;
    let by = asking.context();
    let changed = insist!(asking.state.services.change_own_profile(&by, asking.publisher, &wanted))?;
    Ok(HttpResponse::Ok().json(view::profile(&changed, &base_url(&asking.state))))
}

/// Makes a file the publisher's picture.
#[utoipa::path(
    post,
    path = "/publishers/me/logo",
    request_body(content = inline(FileForm), content_type = "multipart/form-data"),
    responses(
        (status = OK, description = "The publisher with its `logo_url`"),
        Author,
        (status = PAYLOAD_TOO_LARGE, description = "More than 2 MiB"),
        (status = UNPROCESSABLE_ENTITY, description = "No picture that can be used")
    )
)]
pub(crate) async fn set_logo(asking: Asked<Author>) -> Answer {
    let file = read_file(&asking).await?;
    let by = asking.context();
    let changed = insist!(asking.state.services.set_own_logo(&by, asking.publisher, &file))?;
    Ok(HttpResponse::Ok().json(view::profile(&changed, &base_url(&asking.state))))
}
