//! What a namespace or a tool is about: fields for its category and its tags, and how they are shown.

use engine::catalog::Topics;

use crate::{
    console::Fields,
    kit::{Cell, Control, Facts, Field, Form},
    text::t,
};

/// Adds the fields, with what is so now.
pub(super) fn fields(form: Form, topics: Option<&Topics>) -> Form {
    let category = topics.and_then(|topics| topics.category.clone()).unwrap_or_default();
    form.field(Field::line("category", t("catalog-category")).hint(t("catalog-category-hint")).value(category)).field(
        Field::new("tags", t("catalog-tags"), Control::Lines { rows: 3, is_code: false })
            .hint(t("catalog-tags-hint"))
            .value(topics.map_or_else(String::new, text_of)),
    )
}

/// What was typed into them.
pub(super) fn of(fields: &Fields) -> Topics {
    Topics { category: optional(fields, "category"), tags: lines_of(fields.raw("tags")) }
}

/// A line that may be left out.
pub(super) fn optional(fields: &Fields, name: &str) -> Option<String> {
    Some(fields.text(name).to_owned()).filter(|text| !text.is_empty())
}

/// The tags as they are typed: one a line, because a tag may have a comma in it.
pub(super) fn text_of(topics: &Topics) -> String {
    topics.tags.join("\n")
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// Adds the facts.
pub(super) fn facts(facts: Facts, topics: &Topics) -> Facts {
    let tags = topics.tags.join(" · ");
    facts
        .fact(t("catalog-category"), Cell::maybe(topics.category.as_deref()))
        .fact(t("catalog-tags"), Cell::maybe(Some(tags).filter(|tags| !tags.is_empty())))
}

#[cfg(test)]
mod tests;
