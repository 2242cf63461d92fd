//! Groups of tools with one price.

use sea_orm::{ActiveModelTrait as _, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use super::{
    Change, GROUPS_MAX, ListingDraft, ListingTarget, PublishingError, check_text,
    listing::is_public,
    pricing::{check_group, free, prices_of_groups},
    trail,
};
use crate::{
    audit::{Action, OpContext},
    catalog::check_line,
    id::{NamespaceId, PublisherId, ToolGroupId},
    pricing::PricingSpec,
    service::{Services, catalog::spec_to_json},
    store::entity,
};

/// What the first group of a namespace is called.
const DEFAULT_NAME: &str = "Default";
/// Longest text about a group, in characters.
const DESCRIPTION_CHARS_MAX: usize = 2_000;
/// The largest number in the order of groups.
const ORDER_MAX: i64 = 1_000_000;

/// A new group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewGroup {
    /// Unique in its namespace.
    pub name: String,
    /// About it.
    pub description: String,
    /// Where it stands: the lowest first.
    pub sort_order: i64,
}

/// What is to be different about a group: `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// Unique in its namespace.
    pub name: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// Where it stands.
    pub sort_order: Option<i64>,
}

/// A group as its publisher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnGroup {
    /// Which.
    pub id: ToolGroupId,
    /// Its name.
    pub name: String,
    /// About it.
    pub description: String,
    /// Where it stands.
    pub sort_order: i64,
    /// Tools that have no group of their own are in it.
    pub is_default: bool,
    /// Its price, as JSON in the wire's field names.
    pub pricing: String,
    /// The price that waits to be approved.
    pub staged_pricing: Option<String>,
}

impl OwnGroup {
    /// All of it, for [`super::OwnNamespace::fingerprint`].
    pub(super) fn said(&self) -> Value {
        let Self { id, name, description, sort_order, is_default, pricing, staged_pricing } = self;
        json!([id.to_string(), name, description, sort_order, is_default, pricing, staged_pricing])
    }
}

pub(super) fn group(row: entity::tool_group::Model, draft: &ListingDraft) -> OwnGroup {
    let id = ToolGroupId::from(row.id);
    OwnGroup {
        id,
        name: row.name,
        description: row.description,
        sort_order: row.sort_order,
        is_default: row.is_default,
        pricing: row.pricing,
        staged_pricing: draft.pricing_of(id).map(str::to_owned),
    }
}

fn check(row: &entity::tool_group::Model, others: &[entity::tool_group::Model]) -> Result<(), PublishingError> {
    check_line(&row.name).map_err(|error| PublishingError::field("name", error))?;
    if others.iter().any(|other| other.id != row.id && other.name == row.name) {
        return Err(PublishingError::field("name", "is the name of another group of this namespace"));
    }
    check_text("description", &row.description, DESCRIPTION_CHARS_MAX)?;
    if !(0..=ORDER_MAX).contains(&row.sort_order) {
        return Err(PublishingError::field("sort_order", format!("must be a whole number from 0 to {ORDER_MAX}")));
    }
    Ok(())
}

impl Services {
    /// The groups of a namespace, in the order of its publisher.
    ///
    /// # Errors
    /// The publisher has no such namespace, or the database failed.
    pub async fn list_groups(
        &self,
        publisher: PublisherId,
        namespace: NamespaceId,
    ) -> Result<Vec<OwnGroup>, PublishingError> {
        let row = self.load_namespace_row(publisher, namespace).await?;
        let draft = ListingDraft::of(&row)?;
        Ok(self.load_group_rows(row.id).await?.into_iter().map(|row| group(row, &draft)).collect())
    }

    /// Adds a group. Its tools cost nothing until it has a price.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn create_group(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        namespace: NamespaceId,
        new: &NewGroup,
    ) -> Result<OwnGroup, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let namespace = self.load_namespace_row(publisher, namespace).await?;
        let others = self.load_group_rows(namespace.id).await?;
        if others.len() >= GROUPS_MAX {
            return Err(PublishingError::conflict(format!("a namespace has at most {GROUPS_MAX} groups")));
        }
        let row = entity::tool_group::Model {
            id: ToolGroupId::new(&*self.ids, change.now_us).uuid(),
            namespace_id: namespace.id,
            name: new.name.clone(),
            description: new.description.clone(),
            sort_order: new.sort_order,
            is_default: false,
            pricing: free(),
            created_us: change.now_us,
        };
        check(&row, &others)?;
        change.add_group(&row);
        change.save().await?;
        Ok(group(row, &ListingDraft::default()))
    }

    /// Changes a group, but not its price.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn change_group(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        (namespace, id): (NamespaceId, ToolGroupId),
        wanted: &GroupChange,
    ) -> Result<OwnGroup, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let namespace = self.load_namespace_row(publisher, namespace).await?;
        let old = self.load_group_row(&namespace, id).await?;
        let mut new = old.clone();
        if let Some(name) = &wanted.name {
            new.name.clone_from(name);
        }
        if let Some(description) = &wanted.description {
            new.description.clone_from(description);
        }
        new.sort_order = wanted.sort_order.unwrap_or(old.sort_order);
        check(&new, &self.load_group_rows(namespace.id).await?)?;
        change.change_group_row(&old, &new);
        change.save().await?;
        Ok(group(new, &ListingDraft::of(&namespace)?))
    }

    /// Removes a group: its tools are in the default group from now on. Of a namespace in public their prices stay until that
    /// is approved.
    ///
    /// # Errors
    /// It is the default group, and see [`PublishingError`].
    pub async fn remove_group(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        (namespace, id): (NamespaceId, ToolGroupId),
    ) -> Result<(), PublishingError> {
        let mut change = self.begin_change(by).await?;
        let namespace = self.load_namespace_row(publisher, namespace).await?;
        let row = self.load_group_row(&namespace, id).await?;
        if row.is_default {
            return Err(PublishingError::conflict("the default group stays: tools without another group are in it"));
        }
        let groups = self.load_group_rows(namespace.id).await?;
        let default = groups.iter().find(|group| group.is_default).map(|group| group.id);
        let tools = self.load_tool_rows(namespace.id).await?;
        let mut moved = Vec::new();
        for old in tools.iter().filter(|tool| tool.group_id == Some(row.id)) {
            let new = entity::tool::Model { group_id: default, ..old.clone() };
            change.change_tool(&namespace.name, old, &new);
            moved.push(new);
        }
        let mut draft = ListingDraft::of(&namespace)?;
        draft.pricing.retain(|(group, _)| *group != id);
        if !is_public(&namespace) {
            change.reprice(&namespace.name, &moved, &prices_of_groups(&groups, &draft)?).await?;
        }
        let new = entity::namespace::Model { draft_listing: draft.to_json(), ..namespace.clone() };
        change.change_namespace(Action::NamespaceChange, &namespace, &new);
        change.tell(by.entry(Action::ToolGroupRemove, "tool_group", id).before(trail::group(&row)));
        change.one(&entity::tool_group::Entity::delete_by_id(row.id));
        change.save().await
    }

    /// Sets what the tools of a group cost: at once while the namespace is a draft, with the next approval while it is in
    /// public.
    ///
    /// # Errors
    /// The price makes no sense for the group or one of its tools, and see [`PublishingError`].
    pub async fn set_group_pricing(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        (namespace, id): (NamespaceId, ToolGroupId),
        spec: &PricingSpec,
    ) -> Result<(OwnGroup, ListingTarget), PublishingError> {
        let mut change = self.begin_change(by).await?;
        let namespace = self.load_namespace_row(publisher, namespace).await?;
        let old = self.load_group_row(&namespace, id).await?;
        let tools = self.load_tool_rows(namespace.id).await?;
        let tools: Vec<entity::tool::Model> = tools.into_iter().filter(|tool| tool.group_id == Some(old.id)).collect();
        check_group(spec, &tools.iter().collect::<Vec<_>>())?;
        let text = spec_to_json(spec);
        let mut draft = ListingDraft::of(&namespace)?;
        if is_public(&namespace) {
            draft.set_pricing(id, text);
            let new = entity::namespace::Model { draft_listing: draft.to_json(), ..namespace.clone() };
            change.change_namespace(Action::NamespaceChange, &namespace, &new);
            change.save().await?;
            return Ok((group(old, &draft), ListingTarget::Draft));
        }
        let new = entity::tool_group::Model { pricing: text, ..old.clone() };
        change.change_group_row(&old, &new);
        let prices = prices_of_groups(std::slice::from_ref(&new), &draft)?;
        change.reprice(&namespace.name, &tools, &prices).await?;
        change.save().await?;
        Ok((group(new, &draft), ListingTarget::Namespace))
    }
}

impl Change<'_> {
    /// The group that a new namespace begins with.
    pub(super) fn add_default_group(&mut self, namespace: NamespaceId) -> entity::tool_group::Model {
        let row = entity::tool_group::Model {
            id: ToolGroupId::new(&*self.services.ids, self.now_us).uuid(),
            namespace_id: namespace.uuid(),
            name: DEFAULT_NAME.to_owned(),
            description: String::new(),
            sort_order: 0,
            is_default: true,
            pricing: free(),
            created_us: self.now_us,
        };
        self.add_group(&row);
        row
    }

    fn add_group(&mut self, row: &entity::tool_group::Model) {
        let entry = self.by.entry(Action::ToolGroupCreate, "tool_group", ToolGroupId::from(row.id));
        self.tell(entry.after(trail::group(row)));
        self.one(&entity::tool_group::Entity::insert(row.clone().into_active_model()));
    }

    /// Changes a group to `new`, and tells of it if anything is different.
    pub(super) fn change_group_row(&mut self, old: &entity::tool_group::Model, new: &entity::tool_group::Model) {
        if old == new {
            return;
        }
        let entry = self.by.entry(Action::ToolGroupChange, "tool_group", ToolGroupId::from(new.id));
        self.tell(entry.before(trail::group(old)).after(trail::group(new)));
        let update = entity::tool_group::Entity::update_many()
            .set(new.clone().into_active_model().reset_all())
            .filter(entity::tool_group::Column::Id.eq(new.id));
        self.one(&update);
    }
}
