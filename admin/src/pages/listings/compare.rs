//! What a listing is beside what it is to become, and beside what somebody has looked at before.

use engine::{
    catalog::{NamespaceState, Visibility},
    ledger::{hex::hex, leaf::sha256},
    service::publishing::{OwnNamespace, OwnTool, Review, ToolListing},
};
use serde_json::{Value, json};

use crate::{
    kit::DiffLine,
    pages::{
        catalog::difference::lines_of,
        prices::{may_rise, stored_text},
    },
    text::t,
};

/// How much of a text a form carries, in characters: that it goes on, and that the rest differs, its digest says.
const CARRIED_CHARS: usize = 300;
/// How much a form carries in all, in bytes: of more than that only digests.
const CARRIED_BYTES: usize = 100_000;
/// How many bytes of a digest tell two texts apart.
const DIGEST_BYTES: usize = 8;
/// What stands between the parts of a line.
const BETWEEN: &str = " · ";

/// A namespace as it would be, with its draft in its place.
pub(super) struct Effective<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) category: &'a str,
    pub(super) tags: &'a [String],
    pub(super) icon: &'a str,
    pub(super) readme: &'a str,
}

impl<'a> Effective<'a> {
    pub(super) fn of(shown: &'a OwnNamespace) -> Self {
        let edit = &shown.draft.edit;
        let text = |new: &'a Option<String>, old: &'a Option<String>| new.as_ref().or(old.as_ref()).map_or("", |it| it);
        Self {
            title: text(&edit.listing_name, &shown.listing_name),
            description: edit.description.as_deref().unwrap_or(&shown.description),
            category: text(&edit.category, &shown.category),
            tags: edit.tags.as_deref().unwrap_or(&shown.tags),
            icon: text(&edit.icon_url, &shown.icon),
            readme: text(&edit.readme_content, &shown.readme_content),
        }
    }
}

/// What the draft says of a tool.
fn edit_of(shown: &OwnNamespace, tool: &OwnTool) -> ToolListing {
    let found = shown.draft.edit.tools.iter().find(|(id, _)| *id == tool.id);
    found.map(|(_, listing)| listing.clone()).unwrap_or_default()
}

/// What is said of a tool at length, with the draft in its place.
pub(super) fn long_of(shown: &OwnNamespace, tool: &OwnTool) -> String {
    edit_of(shown, tool).long_description.unwrap_or_else(|| tool.long_description.clone())
}

/// Who sees a tool with the approval.
pub(super) fn visibility_of(tool: &OwnTool) -> Visibility {
    tool.staged_visibility.unwrap_or(tool.visibility)
}

/// A tool's texts with the draft in their place: the line about it, its examples.
pub(super) fn texts_of(shown: &OwnNamespace, tool: &OwnTool) -> (String, Vec<String>) {
    let edit = edit_of(shown, tool);
    let line = edit.short_description.unwrap_or_else(|| tool.short_description.clone());
    (line, edit.example_prompts.unwrap_or_else(|| tool.example_prompts.clone()))
}

/// Whether some call of a tool may cost more with the approval than it costs those who call it now.
pub(super) fn rises(shown: &OwnNamespace, tool: &OwnTool) -> bool {
    let is_live = shown.status == NamespaceState::Active;
    let prices = tool.pricing.as_deref().zip(tool.staged_pricing.as_deref());
    is_live && prices.is_some_and(|(now, next)| may_rise(now, next))
}

/// What is in public, beside what it is to become; nothing where nothing is in public.
pub(super) fn differences(shown: &OwnNamespace) -> Vec<DiffLine> {
    if shown.status != NamespaceState::Active {
        return Vec::new();
    }
    let next = Effective::of(shown);
    let old = |text: &Option<String>| text.clone().unwrap_or_default();
    let texts = [
        ("catalog-listing-name", old(&shown.listing_name), next.title.to_owned()),
        ("catalog-description", shown.description.clone(), next.description.to_owned()),
        ("catalog-category", old(&shown.category), next.category.to_owned()),
        ("catalog-tags", shown.tags.join(BETWEEN), next.tags.join(BETWEEN)),
        ("listings-icon", old(&shown.icon), next.icon.to_owned()),
        ("listings-readme", old(&shown.readme_content), next.readme.to_owned()),
    ];
    let mut lines: Vec<DiffLine> = texts.iter().flat_map(|(key, old, new)| lines_of(&t(key), old, new)).collect();
    for group in &shown.groups {
        if let Some(next) = &group.staged_pricing {
            let name = [t("listings-group"), group.name.clone(), t("prices-price")].join(BETWEEN);
            lines.extend(lines_of(&name, &stored_text(&group.pricing), &stored_text(next)));
        }
    }
    lines.extend(shown.tools.iter().flat_map(|tool| tool_differences(shown, tool)));
    lines
}

fn tool_differences(shown: &OwnNamespace, tool: &OwnTool) -> Vec<DiffLine> {
    let edit = edit_of(shown, tool);
    let named = |key: &str| [tool.name.clone(), t(key)].join(BETWEEN);
    let mut lines = Vec::new();
    if let Some(text) = &edit.short_description {
        lines.extend(lines_of(&named("catalog-short-description"), &tool.short_description, text));
    }
    if let Some(text) = &edit.long_description {
        lines.extend(lines_of(&named("catalog-long-description"), &tool.long_description, text));
    }
    if let Some(visibility) = tool.staged_visibility {
        let word = |visibility: Visibility| t(&["catalog-visibility-", visibility.as_str()].concat());
        lines.extend(lines_of(&named("catalog-visibility"), &word(tool.visibility), &word(visibility)));
    }
    if let Some(prompts) = &edit.example_prompts {
        let (old, new) = (tool.example_prompts.join("\n"), prompts.join("\n"));
        lines.extend(lines_of(&named("catalog-example-prompts"), &old, &new));
    }
    if let Some(order) = edit.display_order {
        lines.extend(lines_of(&named("listings-order"), &tool.display_order.to_string(), &order.to_string()));
    }
    if let Some(next) = &tool.staged_pricing {
        let now = tool.pricing.as_deref().map_or_else(|| t("listings-no-price"), stored_text);
        lines.extend(lines_of(&named("prices-price"), &now, &stored_text(next)));
    }
    lines
}

fn digest(text: &str) -> String {
    hex(&sha256(text.as_bytes()).into_iter().take(DIGEST_BYTES).collect::<Vec<u8>>())
}

/// The beginning of a text, with the digest of all of it where there is more.
fn carried(text: &str) -> String {
    if text.chars().count() <= CARRIED_CHARS {
        return text.to_owned();
    }
    let begin: String = text.chars().take(CARRIED_CHARS).collect();
    format!("{begin}… #{}", digest(text))
}

/// Everything that is looked at, by name: whatever changes shows in one of them.
fn parts(review: &Review) -> Vec<(String, String)> {
    let shown = &review.facts.shown;
    let next = Effective::of(shown);
    let server = review.facts.connection.as_ref();
    let server = server.map(|server| format!("{} {}", server.kind, server.shown_url())).unwrap_or_default();
    let mut parts = vec![
        (t("catalog-namespace"), shown.name.clone()),
        (t("catalog-listing-name"), carried(next.title)),
        (t("catalog-description"), carried(next.description)),
        (t("catalog-category"), carried(next.category)),
        (t("catalog-tags"), carried(&next.tags.join(BETWEEN))),
        (t("listings-icon"), carried(next.icon)),
        (t("listings-readme"), carried(next.readme)),
        (t("catalog-connection"), carried(&server)),
    ];
    for group in &shown.groups {
        let price = group.staged_pricing.as_deref().unwrap_or(&group.pricing);
        let name = [t("listings-group"), group.name.clone()].join(BETWEEN);
        parts.push((name, format!("{} #{}", carried(&stored_text(price)), digest(&format!("{group:?}")))));
    }
    for tool in &shown.tools {
        let price = tool.staged_pricing.as_deref().or(tool.pricing.as_deref());
        let price = price.map_or_else(|| t("listings-no-price"), stored_text);
        let (line, prompts) = texts_of(shown, tool);
        // The digest is of everything else that is to be approved of it.
        let rest = digest(&format!("{tool:?}{prompts:?}{}", long_of(shown, tool)));
        let text = [visibility_of(tool).to_string(), price, carried(&line), format!("#{rest}")].join(BETWEEN);
        parts.push(([t("catalog-tool"), tool.name.clone()].join(BETWEEN), text));
    }
    parts
}

/// What a form was made from, for a field that nobody sees.
pub(super) fn seen_text(review: &Review) -> String {
    let parts = parts(review);
    let bytes: usize = parts.iter().map(|(name, text)| name.len().saturating_add(text.len())).sum();
    let is_whole = bytes <= CARRIED_BYTES;
    let part = |(name, text): &(String, String)| json!([name, digest(text), if is_whole { text } else { "" }]);
    Value::from(parts.iter().map(part).collect::<Vec<_>>()).to_string()
}

/// What is otherwise now than in what [`seen_text`] wrote. A text that is none of that kind says nothing.
pub(super) fn changed_since(seen: &str, review: &Review) -> Vec<DiffLine> {
    let seen: Vec<(String, String, String)> = serde_json::from_str(seen).unwrap_or_default();
    let now = parts(review);
    let mut lines = Vec::new();
    for (name, was, text) in &seen {
        match now.iter().find(|(known, _)| known == name) {
            Some((_, now)) if digest(now) == *was => {}
            Some((_, now)) => lines.extend(lines_of(name, text, now)),
            None => lines.extend(lines_of(name, text, "")),
        }
    }
    let is_new = |name: &String| !seen.is_empty() && !seen.iter().any(|(known, ..)| known == name);
    lines.extend(now.iter().filter(|(name, _)| is_new(name)).flat_map(|(name, text)| lines_of(name, "", text)));
    lines
}

#[cfg(test)]
mod tests;
