//! From the address of an MCP server to a namespace with its tools, in one step.

use actix_web::HttpResponse;
use engine::{
    catalog::{Visibility, check_slug, http_url},
    service::publishing::{ConnectionKind, NewConnection, SetUp},
};

use super::ask;
use crate::{
    http::asked::{Answer, Asked},
    marketplace::auth::{base_url, fields::Fields},
    publishing::{Changing, insist, problem, view},
};

/// The body of a quick start.
#[derive(Debug, utoipa::ToSchema)]
pub struct SetupBody {
    /// The slug of the new namespace.
    pub namespace: String,
    /// The URL of the MCP server.
    pub mcp_url: String,
    /// Where more about it is said.
    pub readme_source_url: Option<String>,
}

/// Makes a connection, asks it for its tools, and makes a namespace with all of them: all of it, or nothing. An account that is
/// no publisher yet becomes one, called as the namespace is.
#[utoipa::path(
    post,
    path = "/namespaces/quick-setup",
    request_body(content = inline(SetupBody)),
    responses(
        (status = CREATED, description = "The namespace with its tools, which are private"),
        (status = UNAUTHORIZED, description = "No valid token"),
        (status = FORBIDDEN, description = "The token has a limit of its own, or is a partner's, or the account is no publisher and not verified"),
        (status = CONFLICT, description = "There are too many of something, or the name is kept for the publisher who had it"),
        (status = UNPROCESSABLE_ENTITY, description = "A field cannot be used, or the server cannot be asked or says what cannot be used"),
        (status = TOO_MANY_REQUESTS, description = "Too many servers are being asked, for this account or in all")
    )
)]
pub(crate) async fn quick_setup(asking: Asked<Changing>) -> Answer {
    let body = asking.body().await?;
    let mut fields = Fields::parse(&body)?;
    let (namespace, mcp_url) = (fields.text("namespace"), fields.text("mcp_url"));
    let readme_source_url = fields.optional_text("readme_source_url");
    // Nobody's server is asked for what could not be made anyway.
    if let (false, Err(error)) = (fields.has_fault("namespace"), check_slug(&namespace)) {
        fields.fault("namespace", &error.to_string());
    }
    if let (false, Err(error)) = (fields.has_fault("mcp_url"), http_url(&mcp_url)) {
        fields.fault("mcp_url", &error.to_string());
    }
    fields.finish()?;
    asking.state.services.check_may_publish(asking.account.id).await.map_err(problem)?;
    let by = asking.context();
    let found = ask((&asking.state, &by, asking.account.id), &mcp_url, None, "mcp_url").await?;
    let tools = found.checked(Visibility::Private).await?;
    let wanted = SetUp {
        register_as: Some(&namespace),
        connection: NewConnection { label: &namespace, kind: ConnectionKind::Mcp, url: &mcp_url },
        namespace: &namespace,
        readme_source_url: readme_source_url.as_deref(),
        tools,
    };
    let made = insist!(asking.state.services.set_up_namespace(&by, asking.account.id, wanted.clone()))?;
    Ok(HttpResponse::Created().json(view::namespace(&made, &base_url(&asking.state))))
}
