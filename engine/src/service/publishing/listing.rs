//! How a namespace presents itself, and what it is to become while it is in public: a draft that lies over it until an
//! operator approves it.

mod draft;

use std::collections::HashSet;

pub use self::draft::ListingDraft;
use super::{
    PublishingError, assets::check_picture, check_optional_line, check_text, check_url, texts_of, unless_empty,
};
use crate::{
    audit::{Action, OpContext},
    catalog::{NamespaceState, check_line},
    id::{NamespaceId, PublisherId, ToolId},
    limits::DESCRIPTION_CHARS_MAX,
    service::{Services, catalog::tags_to_json},
    store::{StoreError, entity},
};

/// Longest text about a namespace, in characters.
const README_CHARS_MAX: usize = 100_000;
/// Longest category, in characters.
const CATEGORY_CHARS_MAX: usize = 64;
/// How many tags a namespace may have.
const TAGS_MAX: usize = 20;
/// Longest tag, in characters.
const TAG_CHARS_MAX: usize = 40;
/// How many examples a tool may have.
const PROMPTS_MAX: usize = 10;
/// The largest number in the order of tools.
const ORDER_MAX: i64 = 1_000_000;

/// What is to be different about a tool: `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolListing {
    /// One line about it.
    pub short_description: Option<String>,
    /// More about it.
    pub long_description: Option<String>,
    /// What somebody could ask an agent to use it.
    pub example_prompts: Option<Vec<String>>,
    /// Where it stands: the lowest first.
    pub display_order: Option<i64>,
}

/// What is to be different about a listing: `None` stays, an empty text takes away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListingEdit {
    /// Its title.
    pub listing_name: Option<String>,
    /// Its picture: a URL.
    pub icon_url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// More about it, in Markdown.
    pub readme_content: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
    /// Its tools, each at most once.
    pub tools: Vec<(ToolId, ToolListing)>,
}

/// Where a change has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingTarget {
    /// Into the namespace itself, which nobody else knows of yet.
    Namespace,
    /// Into the draft of what it is to become.
    Draft,
}

impl ListingTarget {
    /// The word of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Draft => "draft",
        }
    }
}

impl ToolListing {
    fn merge(&mut self, newer: &Self) {
        let newer = newer.clone();
        self.short_description = newer.short_description.or(self.short_description.take());
        self.long_description = newer.long_description.or(self.long_description.take());
        self.example_prompts = newer.example_prompts.or(self.example_prompts.take());
        self.display_order = newer.display_order.or(self.display_order);
    }

    /// `row` with what is different.
    pub(super) fn apply(&self, row: &entity::tool::Model) -> entity::tool::Model {
        let mut new = row.clone();
        if let Some(text) = &self.short_description {
            new.short_description.clone_from(text);
        }
        if let Some(text) = &self.long_description {
            new.long_description.clone_from(text);
        }
        if let Some(prompts) = &self.example_prompts {
            new.example_prompts = tags_to_json(prompts);
        }
        if let Some(order) = self.display_order {
            new.display_order = order;
        }
        new
    }
}

impl ListingEdit {
    /// Nothing is different.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn merge(&mut self, newer: &Self) {
        let own = std::mem::take(self);
        let given = newer.clone();
        *self = Self {
            listing_name: given.listing_name.or(own.listing_name),
            icon_url: given.icon_url.or(own.icon_url),
            description: given.description.or(own.description),
            readme_content: given.readme_content.or(own.readme_content),
            category: given.category.or(own.category),
            tags: given.tags.or(own.tags),
            tools: own.tools,
        };
        for (tool, listing) in &newer.tools {
            match self.tools.iter_mut().find(|(known, _)| known == tool) {
                Some((_, known)) => known.merge(listing),
                None => self.tools.push((*tool, listing.clone())),
            }
        }
    }

    /// `row` with what is different.
    pub(super) fn apply(&self, row: &entity::namespace::Model) -> entity::namespace::Model {
        let mut new = row.clone();
        if let Some(name) = &self.listing_name {
            new.listing_name = unless_empty(name);
        }
        if let Some(icon) = &self.icon_url {
            new.icon = unless_empty(icon);
        }
        if let Some(text) = &self.description {
            new.description.clone_from(text);
        }
        if let Some(text) = &self.readme_content {
            new.readme_content = unless_empty(text);
        }
        if let Some(category) = &self.category {
            new.category = unless_empty(category);
        }
        if let Some(tags) = &self.tags {
            new.tags = tags_to_json(tags);
        }
        new
    }

    /// A tool with what is different about it.
    pub(super) fn apply_to_tool(&self, row: &entity::tool::Model) -> entity::tool::Model {
        match self.tools.iter().find(|(tool, _)| tool.uuid() == row.id) {
            Some((_, listing)) => listing.apply(row),
            None => row.clone(),
        }
    }

    /// The same, checked, with addresses as they are stored.
    fn checked(&self, tools: &[entity::tool::Model]) -> Result<Self, PublishingError> {
        check_optional_line("listing_name", self.listing_name.as_deref().unwrap_or_default())?;
        check_text("description", self.description.as_deref().unwrap_or_default(), DESCRIPTION_CHARS_MAX)?;
        check_text("readme_content", self.readme_content.as_deref().unwrap_or_default(), README_CHARS_MAX)?;
        let category = self.category.as_deref().unwrap_or_default();
        check_optional_line("category", category)?;
        if category.chars().count() > CATEGORY_CHARS_MAX {
            return Err(PublishingError::field(
                "category",
                format!("must have at most {CATEGORY_CHARS_MAX} characters"),
            ));
        }
        let tags = self.tags.as_deref().unwrap_or_default();
        let is_tag = |tag: &String| check_line(tag).is_ok() && tag.chars().count() <= TAG_CHARS_MAX;
        let distinct: HashSet<&String> = tags.iter().collect();
        if tags.len() > TAGS_MAX || !tags.iter().all(is_tag) || distinct.len() != tags.len() {
            let message = format!("must be at most {TAGS_MAX} different texts of 1 to {TAG_CHARS_MAX} characters");
            return Err(PublishingError::field("tags", message));
        }
        let mut seen = HashSet::new();
        for (index, (tool, listing)) in self.tools.iter().enumerate() {
            if !tools.iter().any(|row| row.id == tool.uuid()) {
                return Err(PublishingError::field(format!("tools.{index}.tool_id"), "is no tool of this namespace"));
            }
            if !seen.insert(*tool) {
                return Err(PublishingError::field(format!("tools.{index}.tool_id"), "stands there twice"));
            }
            check_tool_listing(&format!("tools.{index}"), listing)?;
        }
        let icon_url = self.icon_url.as_deref().map(|icon| check_picture("namespace_icon_url", icon)).transpose()?;
        Ok(Self { icon_url, ..self.clone() })
    }
}

fn check_tool_listing(place: &str, listing: &ToolListing) -> Result<(), PublishingError> {
    let field = |name: &str| format!("{place}.{name}");
    check_optional_line(&field("short_description"), listing.short_description.as_deref().unwrap_or_default())?;
    let prompts = listing.example_prompts.as_deref().unwrap_or_default();
    if prompts.len() > PROMPTS_MAX {
        let message = format!("must be at most {PROMPTS_MAX} texts");
        return Err(PublishingError::field(field("example_prompts"), message));
    }
    for prompt in prompts {
        check_line(prompt).map_err(|error| PublishingError::field(field("example_prompts"), error))?;
    }
    if listing.display_order.is_some_and(|order| !(0..=ORDER_MAX).contains(&order)) {
        let message = format!("must be a whole number from 0 to {ORDER_MAX}");
        return Err(PublishingError::field(field("display_order"), message));
    }
    Ok(())
}

impl Services {
    /// Changes how a namespace presents itself: at once while it is a draft, in its draft while it is in public.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn edit_listing(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: NamespaceId,
        edit: &ListingEdit,
    ) -> Result<ListingTarget, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_namespace_row(publisher, id).await?;
        let tools = self.load_tool_rows(old.id).await?;
        let edit = edit.checked(&tools)?;
        if is_public(&old) {
            let mut draft = ListingDraft::of(&old)?;
            draft.edit.merge(&edit);
            let new = entity::namespace::Model { draft_listing: draft.to_json(), ..old.clone() };
            change.change_namespace(Action::NamespaceChange, &old, &new);
            change.check_pictures(publisher.uuid(), "namespace_icon_url").await?;
            change.save().await?;
            return Ok(ListingTarget::Draft);
        }
        change.change_namespace(Action::NamespaceChange, &old, &edit.apply(&old));
        change.check_pictures(publisher.uuid(), "namespace_icon_url").await?;
        for tool in &tools {
            change.change_tool(&old.name, tool, &edit.apply_to_tool(tool));
        }
        change.save().await?;
        Ok(ListingTarget::Namespace)
    }

    /// Makes a file a namespace's picture.
    ///
    /// # Errors
    /// It is no picture, and see [`PublishingError`].
    pub async fn set_namespace_icon(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: NamespaceId,
        file: &[u8],
    ) -> Result<String, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_namespace_row(publisher, id).await?;
        let icon = change.add_asset(file).map_err(|error| PublishingError::field("file", error))?;
        change.set_listing(&old, &ListingEdit { icon_url: Some(icon.clone()), ..ListingEdit::default() })?;
        change.check_pictures(publisher.uuid(), "file").await?;
        change.save().await?;
        Ok(icon)
    }

    /// Sets what a namespace says of itself at length, as it was found at `source_url`.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn set_namespace_readme(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: NamespaceId,
        (source_url, content): (&str, &str),
    ) -> Result<ListingTarget, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_namespace_row(publisher, id).await?;
        let source_url = check_url("url", source_url)?;
        check_text("readme_content", content, README_CHARS_MAX)?;
        let with_source = entity::namespace::Model { readme_source_url: Some(source_url), ..old.clone() };
        let edit = ListingEdit { readme_content: Some(content.to_owned()), ..ListingEdit::default() };
        let (new, target) = edited(&with_source, &edit)?;
        change.change_namespace(Action::NamespaceChange, &old, &new);
        change.save().await?;
        Ok(target)
    }
}

impl super::Change<'_> {
    fn set_listing(&mut self, old: &entity::namespace::Model, edit: &ListingEdit) -> Result<(), PublishingError> {
        let (new, _) = edited(old, edit)?;
        self.change_namespace(Action::NamespaceChange, old, &new);
        Ok(())
    }
}

/// A namespace with an edit that was checked before and is about no tool: in itself, or in its draft.
pub(super) fn edited(
    row: &entity::namespace::Model,
    edit: &ListingEdit,
) -> Result<(entity::namespace::Model, ListingTarget), PublishingError> {
    if !is_public(row) {
        return Ok((edit.apply(row), ListingTarget::Namespace));
    }
    let mut draft = ListingDraft::of(row)?;
    draft.edit.merge(edit);
    Ok((entity::namespace::Model { draft_listing: draft.to_json(), ..row.clone() }, ListingTarget::Draft))
}

/// Whether a namespace was approved: what is public is changed by way of a draft.
pub(super) fn is_public(row: &entity::namespace::Model) -> bool {
    row.status == NamespaceState::Active.as_str()
}

/// The words that a namespace is found by.
pub(super) fn tags_of(row: &entity::namespace::Model) -> Result<Vec<String>, StoreError> {
    texts_of("namespace", &row.tags)
}
