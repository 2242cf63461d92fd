//! The same in Markdown, for language models: `/llms.txt` leads to the rest.

use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, web};
use engine::{
    code::Code,
    limits::NAMESPACES_LISTED_MAX,
    service::discovery::{ShownNamespace, ShownTool},
};

use super::{
    guide::{example, invoke_path},
    looker,
    namespaces::no_such_namespace,
    view,
};
use crate::{
    http::problem::Problem,
    marketplace::{auth::base_url, refusal::no_such_tool},
    state::AppState,
};

/// The pages by name, in reading order: what each is about, and its text. `{base_url}` stands for this server's origin.
const TOPICS: [(&str, &str, &str); 8] = [
    ("quickstart", "from nothing to a paid call", include_str!("topics/quickstart.md")),
    ("search", "finding tools", include_str!("topics/search.md")),
    ("invoke", "calling a tool and paying for it", include_str!("topics/invoke.md")),
    ("catalog", "tools, namespaces and prices", include_str!("topics/catalog.md")),
    ("cli", "the command-line clients", include_str!("topics/cli.md")),
    ("publish", "offering tools", include_str!("topics/publish.md")),
    ("skill", "skills, which this server does not offer", include_str!("topics/skill.md")),
    ("run", "running skills, which this server does not offer", include_str!("topics/run.md")),
];

/// What there is to read: topics and namespaces.
#[utoipa::path(
    get,
    path = "/llms.txt",
    responses(
        (status = OK, description = "The page, in Markdown"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn index(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let namespaces = state.services.list_shown_namespaces(&looker.viewer, None, NAMESPACES_LISTED_MAX);
    let mut page = "# Tollgate\n\n> Pay-per-call tools for agents.\n\n## Topics\n\n".to_owned();
    for (name, about, _) in TOPICS {
        push(&mut page, format_args!("- [{name}](/llms/{name}.md): {about}\n"));
    }
    push_namespaces(&mut page, &namespaces);
    Ok(looker.markdown(&request, page))
}

/// All topics on one page, and the namespaces.
#[utoipa::path(
    get,
    path = "/llms-full.txt",
    responses(
        (status = OK, description = "The page, in Markdown"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn all(request: HttpRequest, state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let namespaces = state.services.list_shown_namespaces(&looker.viewer, None, NAMESPACES_LISTED_MAX);
    let texts: Vec<&str> = TOPICS.iter().map(|(_, _, text)| *text).collect();
    let mut page = texts.join("\n").replace("{base_url}", &base_url(&state));
    push_namespaces(&mut page, &namespaces);
    Ok(looker.markdown(&request, page))
}

/// One topic.
#[utoipa::path(
    get,
    path = "/llms/{topic}.md",
    params(("topic" = String, Path)),
    responses(
        (status = OK, description = "The page, in Markdown"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = NOT_FOUND, description = "No such topic"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn topic(
    request: HttpRequest,
    name: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let found = TOPICS.iter().find(|(known, ..)| *known == *name);
    let missing = || Problem::new(Code::NotFound, "there is no such topic; GET /llms.txt lists what there is");
    let (_, _, text) = found.ok_or_else(|| looker.rate.announce(missing()))?;
    Ok(looker.markdown(&request, text.replace("{base_url}", &base_url(&state))))
}

/// A namespace with its tools.
#[utoipa::path(
    get,
    path = "/llms/namespaces/{slug}.md",
    params(("slug" = String, Path)),
    responses(
        (status = OK, description = "The page, in Markdown"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = NOT_FOUND, description = "No such namespace for this caller"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn namespace(
    request: HttpRequest,
    slug: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let found = state.services.find_shown_namespace(&looker.viewer, &slug);
    let found = found.ok_or_else(|| looker.rate.announce(no_such_namespace()))?;
    Ok(looker.markdown(&request, namespace_page(&found)))
}

/// A tool with an example of its call.
#[utoipa::path(
    get,
    path = "/llms/namespaces/{slug}/{tool_name}.md",
    params(("slug" = String, Path), ("tool_name" = String, Path)),
    responses(
        (status = OK, description = "The page, in Markdown"),
        (status = NOT_MODIFIED, description = "The caller has this answer"),
        (status = UNAUTHORIZED, description = "A token that is not valid; none is needed"),
        (status = NOT_FOUND, description = "No such tool for this caller"),
        (status = TOO_MANY_REQUESTS, description = "This caller asks too fast")
    )
)]
pub(crate) async fn tool(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let looker = looker(&request, &state).await?;
    let (namespace, name) = path.into_inner();
    let found = state.services.find_shown_tool(&looker.viewer, &namespace, &name);
    let found = found.ok_or_else(|| looker.rate.announce(no_such_tool()))?;
    Ok(looker.markdown(&request, tool_page(&found, &base_url(&state))))
}

fn push_namespaces(page: &mut String, namespaces: &[ShownNamespace]) {
    page.push_str("\n## Namespaces\n\n");
    for namespace in namespaces {
        let (slug, about) = (&namespace.name, one_line(&namespace.listing.description));
        push(page, format_args!("- [{slug}](/llms/namespaces/{slug}.md): {about}\n"));
    }
    if namespaces.len() >= NAMESPACES_LISTED_MAX {
        page.push_str("\nThere may be more: `GET /namespaces/public`.\n");
    }
}

fn namespace_page(namespace: &ShownNamespace) -> String {
    let title = namespace.listing.name.as_deref().unwrap_or(&namespace.name);
    let mut page = format!("# {}\n\n", one_line(title));
    push(&mut page, format_args!("- Namespace: `{}`\n", namespace.name));
    push(&mut page, format_args!("- Publisher: {}\n", one_line(&namespace.publisher)));
    if let Some(category) = &namespace.listing.topics.category {
        push(&mut page, format_args!("- Category: {}\n", one_line(category)));
    }
    push(&mut page, format_args!("\n{}\n\n## Tools\n\n", text_block(&namespace.listing.description)));
    for tool in &namespace.tools {
        let (slug, name) = (&namespace.name, &tool.offer.tool.name);
        let about = one_line(&tool.offer.tool.short_description);
        push(&mut page, format_args!("- [{name}](/llms/namespaces/{slug}/{name}.md): {about}\n"));
    }
    if namespace.has_more {
        page.push_str("\nThere are more tools than are listed here: search for them.\n");
    }
    page
}

fn tool_page(tool: &ShownTool, base_url: &str) -> String {
    let item = view::item(tool);
    let member = |name: &str| item.get(name).map_or_else(String::new, |value| format!("{value:#}"));
    format!(
        "# {}\n\n{}\n\n{}\n\n## Call\n\n`POST {}`\n\n{}\n\n## Price\n\n{}\n\n## Arguments\n\n{}",
        tool.offer.path,
        one_line(&tool.offer.tool.short_description),
        text_block(&tool.offer.tool.long_description),
        invoke_path(tool),
        fenced("sh", &example(tool, base_url)),
        fenced("json", &member("pricing")),
        fenced("json", &member("input_schema")),
    )
}

/// A text of somebody else's on one line, so that it adds no heading and no item.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A longer text of somebody else's as a quotation: whatever stands in it, it ends where it ends.
fn text_block(text: &str) -> String {
    text.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A block whose fence is longer than any in the text.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.saturating_add(1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n")
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a text cannot fail.
    let _infallible = page.write_fmt(text);
}

#[cfg(test)]
mod tests;
