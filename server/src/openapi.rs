//! The OpenAPI document, made from the handlers themselves.

use std::sync::OnceLock;

use actix_web::{HttpRequest, HttpResponse, http::header, web::Bytes};
use engine::code::Code;
use utoipa::OpenApi;

use crate::http::{
    etag::{is_known, tag_of},
    problem::Problem,
};

/// The body of an invocation.
#[derive(Debug, utoipa::ToSchema)]
pub struct InvokeBody {
    /// Matches the tool's `input_schema`; `{}` when absent.
    pub arguments: Option<serde_json::Value>,
    /// At most 255 bytes; a retry with the same key gets the first answer again.
    pub idempotency_key: Option<String>,
}

/// The body of a call on the agent gateway. Other members are ignored.
#[derive(Debug, utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ToolsInvokeBody {
    /// The tool's name; needed, unless `name` is there.
    pub tool: Option<String>,
    /// The same, in the words of newer clients.
    pub name: Option<String>,
    /// Goes into `args` if the tool's schema has a property `action` and `args` has none.
    pub action: Option<String>,
    /// The tool's arguments; `{}` when absent.
    pub args: Option<serde_json::Value>,
    /// The session; the main session when absent or `main`.
    pub session_key: Option<String>,
    /// The agent whose main session is meant.
    pub agent_id: Option<String>,
    /// At most 255 bytes; a retry in the same session with the same key gets the first answer again.
    pub idempotency_key: Option<String>,
    /// Reserved; ignored.
    pub dry_run: Option<bool>,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Tollgate", license(name = "Apache-2.0 OR MIT"), description = "Pay-per-call tools for agents."),
    paths(
        crate::http::health::healthz,
        crate::http::health::readyz,
        crate::marketplace::invoke::invoke,
        crate::gateway::invoke::invoke,
        crate::marketplace::invocations::show,
        crate::marketplace::discovery::search::search,
        crate::marketplace::discovery::search::search_by_body,
        crate::marketplace::discovery::tools::show,
        crate::marketplace::discovery::namespaces::list,
        crate::marketplace::discovery::namespaces::show,
        crate::marketplace::discovery::guide::guide,
        crate::marketplace::discovery::guide::tool_guide,
        crate::marketplace::discovery::mirror::index,
        crate::marketplace::discovery::mirror::all,
        crate::marketplace::discovery::mirror::topic,
        crate::marketplace::discovery::mirror::namespace,
        crate::marketplace::discovery::mirror::tool,
        crate::marketplace::auth::signup,
        crate::marketplace::auth::login,
        crate::marketplace::auth::resend,
        crate::marketplace::auth::reset::request_password_reset,
        crate::marketplace::auth::reset::confirm_password_reset,
        crate::marketplace::auth::me,
        crate::marketplace::tokens::create,
        crate::marketplace::tokens::list,
        crate::marketplace::tokens::revoke,
        crate::marketplace::tokens::caps::list_token_caps,
        crate::marketplace::tokens::caps::set_token_cap,
        crate::marketplace::tokens::caps::remove_token_cap,
        crate::marketplace::credits::balance,
        crate::marketplace::credits::purchase,
        crate::marketplace::credits::list,
        crate::marketplace::credits::transactions::list_transactions,
        crate::marketplace::partners::me,
        crate::marketplace::partners::tokens::list_partner_tokens,
        crate::marketplace::partners::tokens::create_partner_token,
        crate::marketplace::partners::tokens::revoke_partner_token,
        crate::marketplace::partners::users::list_end_users,
        crate::marketplace::partners::users::create_end_user,
        crate::marketplace::partners::users::show_end_user,
        crate::marketplace::partners::users::change_end_user,
        crate::marketplace::partners::users::erase_end_user,
        crate::marketplace::partners::users::export::export_end_user,
        crate::marketplace::partners::funding::fund_end_user,
        crate::marketplace::partners::funding::withdraw_from_end_user,
        crate::marketplace::partners::usage::show_usage,
        crate::marketplace::partners::usage::list_statements,
        crate::marketplace::partners::usage::show_statement,
        crate::marketplace::partners::caps::list_caps,
        crate::marketplace::partners::caps::set_cap,
        crate::marketplace::partners::caps::remove_cap,
        crate::marketplace::partners::caps::list_user_caps,
        crate::marketplace::partners::caps::set_user_cap,
        crate::marketplace::partners::caps::remove_user_cap,
        crate::marketplace::partners::caps::list_token_caps,
        crate::marketplace::partners::caps::set_token_cap,
        crate::marketplace::partners::caps::remove_token_cap,
        crate::marketplace::partners::alerts::list_alerts,
        crate::marketplace::partners::alerts::create_alert,
        crate::marketplace::partners::alerts::remove_alert,
        crate::marketplace::partners::alerts::list_events,
        crate::marketplace::partners::webhooks::list_webhooks,
        crate::marketplace::partners::webhooks::create_webhook,
        crate::marketplace::partners::webhooks::remove_webhook,
        crate::marketplace::partners::webhooks::list_deliveries,
        crate::marketplace::partners::webhooks::replay_delivery,
        crate::publishing::assets::serve,
        crate::publishing::profile::register,
        crate::publishing::profile::me,
        crate::publishing::profile::change_me,
        crate::publishing::profile::set_logo,
        crate::publishing::sales::earnings,
        crate::publishing::sales::sales_summary,
        crate::publishing::sales::invocations,
        crate::publishing::sales::acknowledge,
        crate::publishing::connections::list,
        crate::publishing::connections::create,
        crate::publishing::connections::show,
        crate::publishing::connections::remove,
        crate::publishing::connections::set_credentials,
        crate::publishing::namespaces::list,
        crate::publishing::namespaces::create,
        crate::publishing::namespaces::show,
        crate::publishing::namespaces::change,
        crate::publishing::namespaces::set_icon,
        crate::publishing::namespaces::show_credentials,
        crate::publishing::namespaces::set_credentials,
        crate::publishing::imports::document::import_openapi,
        crate::publishing::imports::document::fetch_readme,
        crate::publishing::imports::scan::scan_connection,
        crate::publishing::imports::scan::scan_namespace,
        crate::publishing::imports::scan::import_tools,
        crate::publishing::imports::setup::quick_setup,
        crate::publishing::listing::edit,
        crate::publishing::listing::publish,
        crate::publishing::listing::set_status,
        crate::publishing::listing::discard,
        crate::publishing::listing::generate,
        crate::publishing::listing::auto,
        crate::publishing::tools::create_rest,
        crate::publishing::tools::change_rest,
        crate::publishing::tools::rename,
        crate::publishing::tools::set_visibility,
        crate::publishing::tools::set_group,
        crate::publishing::tools::set_arguments,
        crate::publishing::groups::list,
        crate::publishing::groups::create,
        crate::publishing::groups::change,
        crate::publishing::groups::remove,
        crate::publishing::groups::set_pricing,
        crate::auditors::export::export,
        crate::books::list,
        crate::books::show,
        crate::books::keys
    )
)]
struct Document;

/// The document as JSON, indented, with a line break at its end.
///
/// # Errors
/// It cannot be written as JSON.
pub fn document() -> Result<String, serde_json::Error> {
    Ok(format!("{}\n", Document::openapi().to_pretty_json()?))
}

/// The document as it is sent, with its entity tag. It is written once.
static WRITTEN: OnceLock<(Bytes, String)> = OnceLock::new();

/// `GET /openapi.json`.
pub(crate) async fn serve(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (text, tag) = if let Some(written) = WRITTEN.get() {
        written
    } else {
        let text = document().map_err(|error| {
            tracing::error!(%error, "the OpenAPI document cannot be written");
            Problem::new(Code::Internal, "the document cannot be written")
        })?;
        let tag = tag_of(&text);
        WRITTEN.get_or_init(|| (Bytes::from(text), tag))
    };
    // Another version of the program has another document: whoever keeps it asks every time.
    let keeping = (header::CACHE_CONTROL, "no-cache");
    if is_known(&request, tag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, tag.as_str()))
            .insert_header(keeping)
            .finish());
    }
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::ETAG, tag.as_str()))
        .insert_header(keeping)
        .body(text.clone()))
}

#[cfg(test)]
mod tests;
