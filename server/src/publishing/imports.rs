//! Tools that a publisher's servers and documents say they have. Whatever is asked of another server is asked first, within
//! bounds; then everything is written in one unit, or nothing is.

pub mod document;
mod found;
pub mod scan;
pub mod setup;

use std::{sync::Arc, time::Duration};

use actix_web::{http::Method, web};
use engine::{
    audit::OpContext,
    catalog::Visibility,
    code::Code,
    id::{AccountId, ConnectionId, NamespaceId},
    publishing::{FieldFault, openapi::Skipped},
    service::publishing::Imported,
    upstream::Credential,
};
use serde_json::{Value, json};

use self::found::Found;
use super::{Author, insist, place, problem, view};
use crate::{
    errands::Errand,
    http::{
        asked::Asked,
        problem::{Fault, Problem},
        routes::{Mount, resource},
    },
    marketplace::auth::fields,
    state::AppState,
    upstream::Fetched,
};

/// How long an MCP server may take to list its tools: the published client waits for 30 seconds.
const SCAN_WAIT: Duration = Duration::from_secs(20);
/// How long a document may take to come.
const FETCH_WAIT: Duration = Duration::from_secs(15);

/// The routes of this module. Before those of single connections and namespaces, whose paths these look like.
pub(super) fn configure(routes: &mut Mount<'_>) {
    routes
        .service(resource("/connections/import-openapi", [(Method::POST, web::to(document::import_openapi))]))
        .service(resource("/connections/{id}/scan", [(Method::POST, web::to(scan::scan_connection))]))
        .service(resource("/namespaces/quick-setup", [(Method::POST, web::to(setup::quick_setup))]))
        .service(resource("/namespaces/{id}/scan", [(Method::POST, web::to(scan::scan_namespace))]))
        .service(resource("/namespaces/{id}/import-tools", [(Method::POST, web::to(scan::import_tools))]))
        .service(resource("/namespaces/{id}/fetch-readme", [(Method::POST, web::to(document::fetch_readme))]));
}

/// The tools of the MCP server at `url`, asked on an errand of `account`; what is wrong with it is wrong with the field `field`.
async fn ask(
    (state, by, account): (&AppState, &OpContext, AccountId),
    url: &str,
    credential: Option<Credential>,
    field: &str,
) -> Result<Found, Problem> {
    let errand = state.errands.begin(account.uuid())?;
    let found = state.upstreams.list_mcp_tools(url, credential.map(Arc::new), SCAN_WAIT).await;
    let found =
        found.map_err(|error| fields::fault(field, &error.to_string()).explained_in_log(by, error.details()))?;
    Ok(Found::new(found, errand))
}

/// A text at `url`, which stands in the field `field`, and the errand that it came with.
async fn fetch(
    asking: &Asked<Author>,
    url: &str,
    bytes_max: usize,
    field: &str,
) -> Result<(Fetched, Arc<Errand>), Problem> {
    let errand = asking.state.errands.begin(asking.account().uuid())?;
    let fetched = asking.state.upstreams.fetch_text(url, bytes_max, FETCH_WAIT).await;
    let fetched = fetched.map_err(|error| {
        fields::fault(field, &error.to_string()).explained_in_log(&asking.context(), error.details())
    })?;
    Ok((fetched, errand))
}

/// Adds tools of a server to a namespace of its publisher.
async fn import(
    asking: &Asked<Author>,
    named: (NamespaceId, ConnectionId),
    found: &Found,
    visibility: Visibility,
) -> Result<Imported, Problem> {
    let tools = found.checked(visibility).await?;
    let by = asking.context();
    insist!(asking.state.services.import_own_tools(&by, asking.publisher, named, tools.clone()))
}

/// Something is wrong with what a server says of a tool, whose name may have any sign in it.
fn tool_fault(fault: FieldFault) -> Problem {
    let at = Fault { loc: vec!["body".to_owned(), fault.field], msg: fault.message };
    Problem::invalid(Code::InvalidRequest, vec![at])
}

/// Something is wrong with a document: the field, and the place in it.
fn document_fault(fault: &FieldFault) -> Problem {
    match fault.field.split_once('/') {
        Some((field, pointer)) => {
            let message = format!("at `/{pointer}`: {}", fault.message);
            Problem::invalid(Code::InvalidRequest, vec![place("body", field, message)])
        }
        None => fields::fault(&fault.field, &fault.message),
    }
}

fn imported_view(imported: &Imported) -> Value {
    json!({"imported": imported.added, "already_there": imported.known})
}

fn skipped_view(skipped: &[Skipped]) -> Value {
    skipped.iter().map(|skipped| json!({"at": skipped.at, "reason": skipped.reason})).collect()
}

fn visibility(fields: &mut fields::Fields<'_>) -> Visibility {
    let Some(text) = fields.optional_text("visibility") else { return Visibility::Private };
    Visibility::from_wire(&text).unwrap_or_else(|| {
        fields.fault("visibility", "must be `public` or `private`");
        Visibility::Private
    })
}

/// The namespace as it is now, for an answer.
async fn namespace_view(asking: &Asked<Author>, id: NamespaceId) -> Result<Value, Problem> {
    let found = asking.state.services.load_own_namespace(asking.publisher, id).await.map_err(problem)?;
    Ok(view::namespace(&found, &crate::marketplace::auth::base_url(&asking.state)))
}
