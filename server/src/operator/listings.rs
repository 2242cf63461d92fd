//! What publishers have handed in, as operators look at it, approve and reject it; and the secrets of publishers under a new
//! master key.

use std::fmt::Write as _;

use engine::{
    audit::OpContext,
    service::{
        Services,
        publishing::{HandedIn, OwnNamespace, OwnTool, PublishingError},
    },
};
use serde_json::{Value, json};

use super::{Done, NotDone, done};
use crate::publishing::{address_free, review_view};

fn refused(error: PublishingError) -> NotDone {
    match error {
        PublishingError::Store(error) => error.into(),
        PublishingError::Incomplete(faults) => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            NotDone::refused(format!("the listing is not complete: {}", faults.join("; ")))
        }
        other => NotDone::refused(other),
    }
}

/// What waits for an operator.
///
/// # Errors
/// The database failed.
pub async fn list(services: &Services) -> Result<Done, NotDone> {
    let found = services.list_handed_in().await.map_err(refused)?;
    let view = |of: &HandedIn| {
        json!({
            "namespace": of.name,
            "namespace_id": of.namespace.to_string(),
            "publisher": of.publisher_name,
            "publisher_id": of.publisher.to_string(),
            "what": if of.is_draft { "draft" } else { "namespace" },
        })
    };
    let line = |of: &HandedIn| {
        let what = if of.is_draft { "the draft of a public namespace" } else { "a new namespace" };
        format!("{:<32} {what}, of {} ({})", of.name, of.publisher_name, of.publisher)
    };
    let lines = if found.is_empty() { vec!["nothing waits".to_owned()] } else { found.iter().map(line).collect() };
    done(&json!({"listings": found.iter().map(view).collect::<Vec<Value>>()}), lines)
}

/// One namespace with what it is to become.
///
/// # Errors
/// There is none, or the database failed.
pub async fn show(services: &Services, namespace: &str) -> Result<Done, NotDone> {
    let shown = services.load_for_review(namespace).await.map_err(refused)?;
    let mut view = review_view(&shown);
    if let Value::Object(members) = &mut view {
        members.insert("seen".to_owned(), shown.fingerprint().into());
    }
    done(&view, lines_of(&shown))
}

fn lines_of(shown: &OwnNamespace) -> Vec<String> {
    let edit = &shown.draft.edit;
    let mut lines = vec![format!("{} is {}", shown.name, shown.status)];
    if shown.is_handed_in() {
        lines.push(format!("handed in; what you see here is {}", shown.fingerprint()));
    }
    let mut put = |name: &str, now: &str, next: Option<&String>| {
        let mut line = format!("{name}: {}", one_line(now));
        if let Some(next) = next {
            // writing to a string never fails
            let _written = write!(line, "  ->  {}", one_line(next));
        }
        lines.push(line);
    };
    put("title", shown.listing_name.as_deref().unwrap_or_default(), edit.listing_name.as_ref());
    put("description", &shown.description, edit.description.as_ref());
    put("category", shown.category.as_deref().unwrap_or_default(), edit.category.as_ref());
    put("tags", &shown.tags.join(", "), edit.tags.as_ref().map(|tags| tags.join(", ")).as_ref());
    let icon = |icon: &str| address_free(icon);
    put("icon", &icon(shown.icon.as_deref().unwrap_or_default()), edit.icon_url.as_deref().map(icon).as_ref());
    lines.extend(shown.tools.iter().map(|tool| tool_line(shown, tool)));
    lines
}

fn tool_line(shown: &OwnNamespace, tool: &OwnTool) -> String {
    let edit = shown.draft.edit.tools.iter().find(|(id, _)| *id == tool.id).map(|(_, edit)| edit);
    let mut line = format!("tool {} ({}", tool.name, tool.visibility);
    let mut put = |text: &str, next: Option<String>| {
        line.push_str(text);
        if let Some(next) = next {
            // writing to a string never fails
            let _written = write!(line, "  ->  {next}");
        }
    };
    let next = |text: Option<&String>| text.map(|text| one_line(text));
    put("", tool.staged_visibility.map(|next| next.to_string()));
    let short = format!("): {}", one_line(&tool.short_description));
    put(&short, next(edit.and_then(|edit| edit.short_description.as_ref())));
    let long = if tool.long_description.is_empty() { "" } else { "; " };
    let long = format!("{long}{}", one_line(&tool.long_description));
    put(&long, next(edit.and_then(|edit| edit.long_description.as_ref())));
    put(&format!("; {}", tool.pricing.as_deref().unwrap_or("no price")), tool.staged_pricing.clone());
    for (name, value) in tool.set_arguments() {
        let value = value.map(|value| format!(" = {}, by which it is priced", one_line(&value))).unwrap_or_default();
        put(&format!("; sets {}{value}", one_line(&name)), None);
    }
    line
}

/// The beginning of a text, as one line: no text of a publisher moves a terminal's cursor.
fn one_line(text: &str) -> String {
    const SHOWN_CHARS: usize = 200;
    text.chars().take(SHOWN_CHARS).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

pub(super) async fn approve(services: &Services, by: &OpContext, namespace: &str, seen: &str) -> Result<Done, NotDone> {
    let found = services.load_for_review(namespace).await.map_err(refused)?;
    let approved = services.approve_listing(by, found.id, seen, None).await.map_err(refused)?;
    done(&review_view(&approved), vec![format!("{} is public as it was handed in", approved.name)])
}

pub(super) async fn reject(
    services: &Services,
    by: &OpContext,
    (namespace, seen): (&str, &str),
    reason: &str,
) -> Result<Done, NotDone> {
    let found = services.load_for_review(namespace).await.map_err(refused)?;
    let rejected = services.reject_listing(by, found.id, seen, reason).await.map_err(refused)?;
    done(&review_view(&rejected), vec![format!("{} was given back to its publisher", rejected.name)])
}

/// Lets anybody have a name that a namespace had before.
pub(super) async fn free(
    services: &Services,
    by: &OpContext,
    name: &str,
    reason: Option<&str>,
) -> Result<Done, NotDone> {
    services.free_former_name(by, name, reason).await.map_err(refused)?;
    done(&json!({"name": name}), vec![format!("`{}` is free", one_line(name))])
}
