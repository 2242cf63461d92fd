//! From a draft into public, and back: what a publisher hands in, and takes back.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{
    Change, ListingDraft, OwnNamespace, PublishingError,
    listing::{is_public, tags_of},
    pricing::{price_fault, prices_of_groups},
};
use crate::{
    audit::{Action, OpContext},
    catalog::{NamespaceState, Visibility},
    id::{NamespaceId, PublisherId},
    pricing::PricingSpec,
    publishing::FieldFault,
    service::Services,
    store::entity,
};

/// What a publisher does with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishAction {
    /// Hands it in.
    Review,
    /// Takes it back.
    Draft,
}

/// What a publisher does with a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnStatus {
    /// Nobody calls it any more.
    Suspended,
    /// Nobody else knows of it any more.
    Draft,
}

/// Something that waits for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedIn {
    /// The namespace.
    pub namespace: NamespaceId,
    /// Its slug.
    pub name: String,
    /// Who has handed it in.
    pub publisher: PublisherId,
    /// What it is called for people.
    pub publisher_name: String,
    /// It is in public, and what was handed in is its draft.
    pub is_draft: bool,
}

/// A namespace as it would be, with its tools.
pub(super) struct Effective {
    namespace: entity::namespace::Model,
    tools: Vec<entity::tool::Model>,
    /// The price of every group.
    prices: HashMap<Uuid, PricingSpec>,
}

impl Effective {
    /// What is missing before anybody could use it, and which tools their prices make no sense for.
    pub(super) fn faults(&self) -> Result<Vec<FieldFault>, PublishingError> {
        let mut faults = Vec::new();
        let mut need = |field: String, is_there: bool, what: &str| {
            if !is_there {
                faults.push(FieldFault::new(field, what));
            }
        };
        let row = &self.namespace;
        let is_text = |text: Option<&str>| text.is_some_and(|text| !text.trim().is_empty());
        need("listing_name".to_owned(), is_text(row.listing_name.as_deref()), "is missing");
        need("description".to_owned(), is_text(Some(&row.description)), "is missing");
        need("category".to_owned(), is_text(row.category.as_deref()), "is missing");
        need("tags".to_owned(), !tags_of(row)?.is_empty(), "needs at least one");
        let is_shown = |tool: &&entity::tool::Model| tool.visibility == Visibility::Public.as_str();
        need("tools".to_owned(), self.tools.iter().any(|tool| is_shown(&tool)), "needs at least one public tool");
        for tool in self.tools.iter().filter(is_shown) {
            let field = format!("tools.{}.short_description", tool.name);
            need(field, is_text(Some(&tool.short_description)), "is missing");
        }
        for tool in &self.tools {
            if let Some(error) = price_fault(tool, &self.prices)? {
                faults
                    .push(FieldFault::new(format!("tools.{}.{}", tool.name, error.field()), error.fault().to_string()));
            }
        }
        Ok(faults)
    }

    pub(super) fn check(&self) -> Result<(), PublishingError> {
        let faults = self.faults()?;
        if faults.is_empty() { Ok(()) } else { Err(PublishingError::Incomplete(faults)) }
    }
}

pub(super) fn with_draft(row: &entity::namespace::Model, draft: &ListingDraft) -> entity::namespace::Model {
    entity::namespace::Model { draft_listing: draft.to_json(), ..row.clone() }
}

pub(super) fn with_status(row: &entity::namespace::Model, status: NamespaceState) -> entity::namespace::Model {
    entity::namespace::Model { status: status.as_str().to_owned(), ..row.clone() }
}

fn status_of(row: &entity::namespace::Model) -> NamespaceState {
    NamespaceState::from_wire(&row.status).unwrap_or(NamespaceState::Draft)
}

impl Services {
    /// A namespace with the draft in its place.
    pub(super) async fn effective(
        &self,
        row: &entity::namespace::Model,
        draft: &ListingDraft,
    ) -> Result<Effective, PublishingError> {
        let tools = self.load_tool_rows(row.id).await?;
        let tools = tools.iter().map(|tool| draft.apply_to_tool(tool)).collect();
        let prices = prices_of_groups(&self.load_group_rows(row.id).await?, draft)?;
        Ok(Effective { namespace: draft.edit.apply(row), tools, prices })
    }

    /// Hands a namespace, or the draft of one that is in public, in or takes it back. What is so already is no change.
    ///
    /// # Errors
    /// It is not complete ([`PublishingError::Incomplete`]), and see [`PublishingError`].
    pub async fn publish_namespace(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: NamespaceId,
        action: PublishAction,
    ) -> Result<OwnNamespace, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_namespace_row(publisher, id).await?;
        let draft = ListingDraft::of(&old)?;
        if old.is_suspended {
            return Err(PublishingError::conflict("the namespace is suspended: set its status to `draft` first"));
        }
        let new = match (action, status_of(&old)) {
            (PublishAction::Review, NamespaceState::Active) => {
                self.check_staged(&old, &draft).await?;
                let submitted_us = draft.submitted_us.or(Some(change.now_us));
                with_draft(&old, &ListingDraft { is_submitted: true, submitted_us, rejected_because: None, ..draft })
            }
            (PublishAction::Review, _) => {
                self.effective(&old, &ListingDraft::default()).await?.check()?;
                let submitted_us = draft.submitted_us.or(Some(change.now_us));
                let waiting = ListingDraft { submitted_us, ..ListingDraft::default() };
                with_draft(&with_status(&old, NamespaceState::Review), &waiting)
            }
            (PublishAction::Draft, NamespaceState::Active) if !draft.is_submitted => {
                return Err(PublishingError::conflict(
                    "nothing was handed in: set the namespace's status to `draft` to take it out of public",
                ));
            }
            (PublishAction::Draft, NamespaceState::Active) => {
                with_draft(&old, &ListingDraft { is_submitted: false, submitted_us: None, ..draft })
            }
            (PublishAction::Draft, _) => {
                with_draft(&with_status(&old, NamespaceState::Draft), &ListingDraft { submitted_us: None, ..draft })
            }
        };
        let told = match action {
            PublishAction::Review => Action::ListingSubmit,
            PublishAction::Draft => Action::ListingWithdraw,
        };
        change.change_namespace(told, &old, &new);
        change.save().await?;
        self.view_namespace(&new).await
    }

    /// Whether there is a draft that can be handed in.
    async fn check_staged(&self, row: &entity::namespace::Model, draft: &ListingDraft) -> Result<(), PublishingError> {
        let has_news = !draft.is_empty() || self.view_namespace(row).await?.staged_tools().next().is_some();
        if !has_news {
            return Err(PublishingError::conflict("there is no draft: nothing has changed since the last approval"));
        }
        self.effective(row, draft).await?.check()
    }

    /// Suspends a namespace, or makes it a draft again, which has to be handed in anew. With that, what it was to become is
    /// what it is. What is so already is no change.
    ///
    /// # Errors
    /// An operator has suspended it, and see [`PublishingError`].
    pub async fn set_own_status(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: NamespaceId,
        status: OwnStatus,
    ) -> Result<OwnNamespace, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_namespace_row(publisher, id).await?;
        if old.is_suspended && !old.is_own_suspension {
            return Err(PublishingError::conflict("an operator has suspended this namespace"));
        }
        let new = match status {
            OwnStatus::Suspended => {
                let new = entity::namespace::Model { is_suspended: true, is_own_suspension: true, ..old.clone() };
                change.change_namespace(Action::NamespaceSuspend, &old, &new);
                new
            }
            OwnStatus::Draft => {
                let open = entity::namespace::Model { is_suspended: false, is_own_suspension: false, ..old.clone() };
                let told = if old.is_suspended { Action::NamespaceResume } else { Action::ListingWithdraw };
                change.take_over_draft((told, &old), &with_status(&open, NamespaceState::Draft)).await?
            }
        };
        change.save().await?;
        self.view_namespace(&new).await
    }

    /// Throws away what a namespace in public was to become. Where there is nothing, nothing changes.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn discard_draft(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        id: NamespaceId,
    ) -> Result<OwnNamespace, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let old = self.load_namespace_row(publisher, id).await?;
        let new = with_draft(&old, &ListingDraft::of(&old)?.discarded());
        change.change_namespace(Action::ListingDiscard, &old, &new);
        change.save().await?;
        self.view_namespace(&new).await
    }

    /// What waits for an operator, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_handed_in(&self) -> Result<Vec<HandedIn>, PublishingError> {
        use entity::namespace::Column;
        let waiting = Condition::any()
            .add(Column::Status.eq(NamespaceState::Review.as_str()))
            .add(Column::DraftListing.is_not_null());
        let rows = entity::namespace::Entity::find().filter(waiting).order_by_asc(Column::Name);
        let mut found = Vec::new();
        for row in rows.all(self.db.readers()).await? {
            let shown = OwnNamespace::head(&row)?;
            if shown.is_handed_in() {
                let publisher = self.load_publisher_row(shown.publisher).await?;
                found.push(HandedIn {
                    namespace: shown.id,
                    name: row.name.clone(),
                    publisher: shown.publisher,
                    publisher_name: publisher.display_name,
                    is_draft: is_public(&row),
                });
            }
        }
        Ok(found)
    }

    /// A namespace as its publisher sees it, for an operator; by its slug or its identifier.
    ///
    /// # Errors
    /// There is none, or the database failed.
    pub async fn load_for_review(&self, text: &str) -> Result<OwnNamespace, PublishingError> {
        let found = self.find_namespace(text).await?.ok_or(PublishingError::NotFound("namespace"))?;
        self.load_own_namespace(found.publisher, found.id).await
    }
}

impl Change<'_> {
    /// Changes a namespace from `old` to `new` with its draft taken over: the listing, the groups, and what the tools cost. A
    /// tool that its new price makes no sense for keeps the one that it has: nothing with such a tool is approved, but it can be
    /// made a draft again.
    pub(super) async fn take_over_draft(
        &mut self,
        (action, old): (Action, &entity::namespace::Model),
        new: &entity::namespace::Model,
    ) -> Result<entity::namespace::Model, PublishingError> {
        let draft = ListingDraft::of(old)?;
        let new = with_draft(&draft.edit.apply(new), &ListingDraft::default());
        self.change_namespace(action, old, &new);
        let tools = self.services.load_tool_rows(old.id).await?;
        for tool in &tools {
            self.change_tool(&old.name, tool, &draft.apply_to_tool(tool));
        }
        let groups = self.services.load_group_rows(old.id).await?;
        for group in &groups {
            if let Some(spec) = draft.pricing_of(group.id.into()) {
                let priced = entity::tool_group::Model { pricing: spec.to_owned(), ..group.clone() };
                self.change_group_row(group, &priced);
            }
        }
        let prices = prices_of_groups(&groups, &draft)?;
        let mut priced = Vec::with_capacity(tools.len());
        for tool in tools {
            if price_fault(&tool, &prices)?.is_none() {
                priced.push(tool);
            }
        }
        self.reprice(&old.name, &priced, &prices).await?;
        Ok(new)
    }
}
