//! `GET /docs/`: what this server takes, as JSON for programs; and one tool with an example of its call.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    code::Code,
    service::{
        access::{ACCOUNT_TOKEN_PREFIX, PARTNER_TOKEN_PREFIX},
        discovery::ShownTool,
    },
};
use serde_json::{Map, Value, json};

use super::{looker, view};
use crate::{
    http::problem::Problem,
    marketplace::{auth::base_url, refusal::no_such_tool},
    openapi,
    state::AppState,
};

/// The guide: how to say who one is, and every endpoint with its parameters.
#[utoipa::path(
    get,
    path = "/docs/",
    responses(
        (status = OK, description = "`version`, `authentication` and the `endpoints`"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn guide(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let guide = GUIDE.as_ref().map_err(|error| {
        tracing::error!(%error, "the guide cannot be written");
        Problem::new(Code::Internal, "the guide cannot be written")
    })?;
    Ok(looker.json(&request, guide))
}

/// It says the same to everybody and changes with the program alone.
static GUIDE: LazyLock<Result<Value, serde_json::Error>> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&openapi::document()?)?;
    Ok(guide_of(&document))
});

/// A tool as `GET /tools/{namespace}/{tool_name}` has it, with an example of its call.
#[utoipa::path(
    get,
    path = "/docs/namespaces/{slug}/{tool_name}",
    params(("slug" = String, Path), ("tool_name" = String, Path)),
    responses(
        (status = OK, description = "The tool, with `endpoint` and `example_curl`"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = NOT_FOUND, description = "No such tool for this caller"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn tool_guide(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let (namespace, name) = path.into_inner();
    let found = state.services.find_shown_tool(&looker.viewer, &namespace, &name);
    let tool = found.ok_or_else(|| looker.rate.announce(no_such_tool()))?;
    let mut body = view::tool(&tool);
    if let Value::Object(members) = &mut body {
        let endpoint = json!({"method": "POST", "path": invoke_path(&tool)});
        members.insert("endpoint".to_owned(), endpoint);
        members.insert("example_curl".to_owned(), example(&tool, &base_url(&state)).into());
    }
    Ok(looker.json(&request, &body))
}

/// Where a tool is called.
pub(super) fn invoke_path(tool: &ShownTool) -> String {
    format!("/invoke/{}", tool.offer.path)
}

/// A call that can be pasted into a shell.
pub(super) fn example(tool: &ShownTool, base_url: &str) -> String {
    let body = json!({"arguments": example_arguments(&view::schema(tool))}).to_string();
    format!(
        "curl -X POST {base_url}{} -H 'Authorization: Bearer <token>' -H 'Content-Type: application/json' -d '{}'",
        invoke_path(tool),
        // Inside quotation marks a shell takes everything as it is, but for their end.
        body.replace('\'', r"'\''")
    )
}

/// An object with the members that a schema wants: its own examples and defaults, else a value of the right type.
fn example_arguments(schema: &Value) -> Value {
    let wanted = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let properties = schema.get("properties");
    let arguments: Map<String, Value> = wanted
        .map(|name| (name.to_owned(), properties.and_then(|all| all.get(name)).map_or(Value::Null, example_value)))
        .collect();
    Value::Object(arguments)
}

fn example_value(schema: &Value) -> Value {
    let of_list = |name: &str| schema.get(name).and_then(Value::as_array).and_then(|list| list.first());
    let own = schema.get("default").or_else(|| schema.get("const")).or_else(|| of_list("examples"));
    if let Some(own) = own.or_else(|| of_list("enum")) {
        return own.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => json!("text"),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => Value::Null,
    }
}

/// The guide from the description of the interface, so that the two cannot say different things.
fn guide_of(document: &Value) -> Value {
    let method = |kind: &str, description: &str, prefix: Value| {
        json!({
            "type": kind, "description": description, "header": "Authorization: Bearer <token>", "prefix": prefix,
        })
    };
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let endpoints: Vec<Value> = paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(|(method, operation)| endpoint(path, method, operation)).collect::<Vec<_>>()
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "authentication": {
            "methods": [
                method("personal_token", "A token of an account, for agents: POST /tokens/", ACCOUNT_TOKEN_PREFIX.into()),
                method("session", "A signed-in session of an hour: POST /auth/login", Value::Null),
                method(
                    "partner_token",
                    "A partner's token; with calls it needs the header X-Faro-User",
                    PARTNER_TOKEN_PREFIX.into()
                ),
            ],
            "note": "Searching and reading need no token; calls of tools do.",
            "fastest_start": "POST /auth/agent-signup {\"email\": …} answers with a token.",
        },
        "endpoints": endpoints,
    })
}

fn endpoint(path: &str, method: &str, operation: &Value) -> Value {
    let text = |name: &str| operation.get(name).and_then(Value::as_str);
    // Where a token is only accepted, its refusal says so.
    let refusal = operation.pointer("/responses/401/description").and_then(Value::as_str);
    let listed = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let mut parameters: Vec<Value> = listed.map(parameter).collect();
    let body = operation.pointer("/requestBody/content/application~1json/schema/properties");
    let members = body.and_then(Value::as_object).into_iter().flatten();
    parameters.extend(members.map(|(name, schema)| {
        json!({"name": name, "in": "body", "type": type_of(schema), "description": description_of(schema)})
    }));
    json!({
        "method": method.to_uppercase(),
        "path": path,
        "description": text("summary").or_else(|| text("description")).unwrap_or_default(),
        "auth_required": refusal.is_some_and(|refusal| !refusal.ends_with("none is needed")),
        "parameters": parameters,
    })
}

fn parameter(parameter: &Value) -> Value {
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    json!({
        "name": parameter.get("name"),
        "in": parameter.get("in"),
        "type": type_of(schema),
        "description": description_of(parameter),
    })
}

fn description_of(described: &Value) -> &str {
    described.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// The type that a schema names; `any` where it names none. What may be absent has `null` beside its type.
fn type_of(schema: &Value) -> &str {
    let named = schema.get("type");
    let first = named.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    named.and_then(Value::as_str).or_else(|| first.into_iter().find(|name| *name != "null")).unwrap_or("any")
}

#[cfg(test)]
mod tests;
