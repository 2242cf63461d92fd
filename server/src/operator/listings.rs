//! What publishers have handed in, as operators look at it, approve and reject it; and the secrets of publishers under a new
//! master key.

mod shown;

use engine::{
    audit::OpContext,
    service::{
        Services,
        publishing::{HandedIn, PublishingError},
    },
};
use serde_json::{Value, json};

use self::shown::{lines_of, visible};
use super::{Done, NotDone, done};
use crate::publishing::review_view;

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
        format!("{:<32} {what}, of {} ({})", of.name, visible(&of.publisher_name), of.publisher)
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
    done(&json!({"name": name}), vec![format!("`{}` is free", visible(name))])
}

#[cfg(test)]
mod tests;
