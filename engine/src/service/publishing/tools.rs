//! A publisher's tools.

mod names;
mod rows;

use self::rows::{check_texts, group_in};
use super::{
    Change, ListingDraft, OwnTool, PublishingError, ToolListing,
    listing::is_public,
    pricing::{price_of, prices_of_groups},
    review::with_draft,
};
use crate::{
    audit::{Action, OpContext},
    catalog::{Visibility, check_tool_name},
    id::{NamespaceId, PublisherId, ToolGroupId, ToolId},
    json::Json,
    publishing::{
        FieldFault,
        arguments::SetArguments,
        beginning,
        rest::RestShape,
        schema::{self, CheckedSchema},
    },
    service::Services,
    store::entity,
};

/// The schema of a tool that says nothing of its arguments.
const ANY_ARGUMENTS: &str = r#"{"type":"object"}"#;
/// How a tool of an MCP server is called.
const MCP_METHOD: &str = "POST";

/// Where a new tool's calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnUpstream {
    /// To a server that speaks plain HTTP: how the request is made.
    Rest(RestShape),
    /// To an MCP server: its name there.
    Mcp(String),
}

/// A new tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOwnTool {
    /// Unique in its namespace.
    pub name: String,
    /// One line about it.
    pub short_description: String,
    /// More about it.
    pub long_description: String,
    /// What its server takes: JSON Schema; `None`: any object.
    pub input_schema: Option<CheckedSchema>,
    /// Who sees it.
    pub visibility: Visibility,
    /// Its group; `None`: the default one.
    pub group: Option<ToolGroupId>,
    /// Where its calls go.
    pub upstream: OwnUpstream,
}

/// What is to be different about a tool of a server that speaks plain HTTP: `None` stays.
#[derive(Debug, Default)]
pub struct RestToolChange<'a> {
    /// Unique in its namespace.
    pub name: Option<String>,
    /// One line about it.
    pub short_description: Option<String>,
    /// More about it.
    pub long_description: Option<String>,
    /// What its server takes.
    pub input_schema: Option<String>,
    /// Who sees it.
    pub visibility: Option<Visibility>,
    /// Its group.
    pub group: Option<ToolGroupId>,
    /// How its request is made: an object with the fields that [`RestShape::changed`] reads.
    pub shape: Option<Json<'a>>,
}

/// What is to be different about the arguments of a tool: `None` stays, an empty object or list takes away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArgumentsChange {
    /// Set whatever the caller says, and hidden: a JSON object.
    pub static_args: Option<String>,
    /// Set where the caller says nothing: a JSON object.
    pub default_args: Option<String>,
    /// What its server takes.
    pub input_schema: Option<String>,
    /// By which arguments it is priced.
    pub unit_fields: Option<Vec<String>>,
    /// What a unit costs, in credits; `0` takes away.
    pub credits_per_unit: Option<String>,
}

/// A tool with what is around it.
struct Place {
    namespace: entity::namespace::Model,
    groups: Vec<entity::tool_group::Model>,
    old: entity::tool::Model,
}

/// What waits while others know of a tool.
#[derive(Debug, Default)]
struct Wish {
    /// What it is to say of itself.
    texts: ToolListing,
    /// Who is to see it.
    visibility: Option<Visibility>,
}

impl Wish {
    fn shown_as(&self, row: entity::tool::Model) -> entity::tool::Model {
        match self.visibility {
            Some(visibility) => entity::tool::Model { visibility: visibility.as_str().to_owned(), ..row },
            None => row,
        }
    }
}

impl Services {
    /// Adds a tool to a namespace whose server speaks plain HTTP. In a namespace in public it is its publisher's alone until
    /// that is approved.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn create_rest_tool(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        namespace: NamespaceId,
        new: NewOwnTool,
    ) -> Result<OwnTool, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let row = self.load_namespace_row(publisher, namespace).await?;
        let groups = self.load_group_rows(row.id).await?;
        let added = change.add_own_tools((&row, &groups), None, vec![new]).await?;
        change.save().await?;
        let id = added.first().map_or_else(uuid::Uuid::nil, |tool| tool.id).into();
        self.load_own_tool(publisher, namespace, id).await
    }

    /// One tool of a publisher's namespace.
    ///
    /// # Errors
    /// There is no such tool, or the database failed.
    pub async fn load_own_tool(
        &self,
        publisher: PublisherId,
        namespace: NamespaceId,
        id: ToolId,
    ) -> Result<OwnTool, PublishingError> {
        let shown = self.load_own_namespace(publisher, namespace).await?;
        shown.tools.into_iter().find(|tool| tool.id == id).ok_or(PublishingError::NotFound("tool"))
    }

    async fn load_place(
        &self,
        publisher: PublisherId,
        (namespace, id): (NamespaceId, ToolId),
    ) -> Result<Place, PublishingError> {
        let namespace = self.load_namespace_row(publisher, namespace).await?;
        let old = self.load_tool_row(&namespace, id).await?;
        let groups = self.load_group_rows(namespace.id).await?;
        Ok(Place { namespace, groups, old })
    }

    /// Changes a tool of a server that speaks plain HTTP: what it says of itself, of a namespace in public, with the next
    /// approval.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn change_rest_tool(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        named: (NamespaceId, ToolId),
        wanted: &RestToolChange<'_>,
    ) -> Result<OwnTool, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let place = self.load_place(publisher, named).await?;
        let Some(text) = &place.old.rest else {
            return Err(PublishingError::conflict(
                "this is no tool of a REST server: its server says how it is called",
            ));
        };
        let mut new = place.old.clone();
        if let Some(fields) = &wanted.shape {
            let shape = RestShape::from_text(text)?.changed(fields)?;
            shape.method().clone_into(&mut new.upstream_method);
            new.rest = Some(shape.to_text());
        }
        if let Some(name) = &wanted.name {
            new.name.clone_from(name);
        }
        if let Some(text) = &wanted.input_schema {
            new.input_schema = CheckedSchema::new(text.clone())?.into_text();
        }
        if let Some(group) = wanted.group {
            new.group_id = Some(group_in(&place.groups, group)?.id);
        }
        let texts = ToolListing {
            short_description: wanted.short_description.clone(),
            long_description: wanted.long_description.clone(),
            ..ToolListing::default()
        };
        check_texts(&texts.apply(&new))?;
        change.change_own_tool(&place, new, &Wish { texts, visibility: wanted.visibility }).await?;
        change.save().await?;
        self.load_own_tool(publisher, named.0, named.1).await
    }

    /// Calls a tool something else: from now on nobody finds it under the old name.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn rename_tool(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        named: (NamespaceId, ToolId),
        name: &str,
    ) -> Result<OwnTool, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let place = self.load_place(publisher, named).await?;
        let new = entity::tool::Model { name: name.to_owned(), ..place.old.clone() };
        change.change_own_tool(&place, new, &Wish::default()).await?;
        change.save().await?;
        self.load_own_tool(publisher, named.0, named.1).await
    }

    /// Says who sees a tool: with the next search and the next call. One that was added to a namespace in public is its
    /// publisher's alone until that is approved.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn set_tool_visibility(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        named: (NamespaceId, ToolId),
        visibility: Visibility,
    ) -> Result<OwnTool, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let place = self.load_place(publisher, named).await?;
        let wish = Wish { visibility: Some(visibility), ..Wish::default() };
        change.change_own_tool(&place, place.old.clone(), &wish).await?;
        change.save().await?;
        self.load_own_tool(publisher, named.0, named.1).await
    }

    /// Puts a tool into another group, with its price: of a namespace in public, when that is approved.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn set_tool_group(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        named: (NamespaceId, ToolId),
        group: ToolGroupId,
    ) -> Result<OwnTool, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let place = self.load_place(publisher, named).await?;
        let group_id = Some(group_in(&place.groups, group)?.id);
        let new = entity::tool::Model { group_id, ..place.old.clone() };
        change.change_own_tool(&place, new, &Wish::default()).await?;
        change.save().await?;
        self.load_own_tool(publisher, named.0, named.1).await
    }

    /// Sets the arguments of a tool that its publisher decides on, and those that it is priced by.
    ///
    /// # Errors
    /// See [`PublishingError`].
    pub async fn set_tool_arguments(
        &self,
        by: &OpContext,
        publisher: PublisherId,
        named: (NamespaceId, ToolId),
        wanted: &ArgumentsChange,
    ) -> Result<OwnTool, PublishingError> {
        let mut change = self.begin_change(by).await?;
        let place = self.load_place(publisher, named).await?;
        let mut new = place.old.clone();
        if let Some(text) = &wanted.input_schema {
            new.input_schema = CheckedSchema::new(text.clone())?.into_text();
        }
        let text = |given: &Option<String>, known: &Option<String>| {
            given.clone().or_else(|| known.clone()).unwrap_or_default()
        };
        let set = SetArguments::read(
            &text(&wanted.static_args, &place.old.static_args),
            &text(&wanted.default_args, &place.old.default_args),
        );
        // As they are called on the wire.
        let set = set.map_err(|fault| FieldFault::new(format!("mcp_{}", fault.field), fault.message))?;
        let unless_none = |text: String| (text != "{}").then_some(text);
        (new.static_args, new.default_args) = (unless_none(set.static_text()), unless_none(set.default_text()));
        if let Some(fields) = &wanted.unit_fields {
            new.unit_fields = (!fields.is_empty()).then(|| serde_json::Value::from(fields.as_slice()).to_string());
        }
        if let Some(credits) = &wanted.credits_per_unit {
            let price = crate::credits::Decimal::parse_exact(credits)
                .and_then(crate::credits::Decimal::non_negative)
                .map_err(|error| PublishingError::field("pricing_credits_per_unit", error))?;
            new.credits_per_unit = (!price.is_zero()).then(|| price.to_string());
        }
        change.change_own_tool(&place, new, &Wish::default()).await?;
        change.save().await?;
        self.load_own_tool(publisher, named.0, named.1).await
    }
}

impl Change<'_> {
    /// Changes a tool, and what it costs while nobody else knows of it. While its namespace is in public, what it is to say of
    /// itself waits, and who is to see it as well if nobody has approved it.
    async fn change_own_tool(
        &mut self,
        place: &Place,
        mut new: entity::tool::Model,
        wish: &Wish,
    ) -> Result<(), PublishingError> {
        let Place { namespace, groups, old } = place;
        if new.name != old.name {
            check_tool_name(&new.name).map_err(|error| PublishingError::field("name", error))?;
            let others = self.services.load_tool_rows(namespace.id).await?;
            if others.iter().any(|other| other.id != new.id && other.name == new.name) {
                return Err(PublishingError::field("name", "is the name of another tool of this namespace"));
            }
        }
        let mut draft = ListingDraft::of(namespace)?;
        if new.name != old.name {
            let was_known = is_public(namespace) && draft.wanted_of(old.id.into()).is_none();
            self.rename_own_tool((namespace, was_known), old, &new.name).await?;
        }
        if is_public(namespace) {
            let id = ToolId::from(old.id);
            if draft.wanted_of(id).is_none() {
                new = wish.shown_as(new);
                self.check_priced_arguments(old, &new).await?;
            } else if let Some(visibility) = wish.visibility {
                draft.set_new_tool(id, visibility);
            }
            draft.edit_tool(id, &wish.texts);
        } else {
            new = wish.texts.apply(&wish.shown_as(new));
        }
        check_public_schema(old, &new)?;
        self.change_tool(&namespace.name, old, &new);
        if is_public(namespace) {
            self.change_namespace(Action::NamespaceChange, namespace, &with_draft(namespace, &draft));
        }
        let priced_by = |row: &entity::tool::Model| (row.group_id, super::ToolUnits::of(row));
        if priced_by(old) == priced_by(&new) {
            return Ok(());
        }
        // What its group costs has to make sense for it, also where it counts only when it is approved.
        let prices = prices_of_groups(groups, &draft)?;
        if let Some(group) = new.group_id.and_then(|id| prices.get(&id)) {
            price_of(group, &super::ToolUnits::of(&new))?;
        }
        if is_public(namespace) { Ok(()) } else { self.reprice(&namespace.name, &[new], &prices).await }
    }

    /// What others pay by is not set anew while they call it: it would be another price, and nobody has approved that.
    async fn check_priced_arguments(
        &self,
        old: &entity::tool::Model,
        new: &entity::tool::Model,
    ) -> Result<(), PublishingError> {
        let (was, is) = (set_of(old)?, set_of(new)?);
        let differences = was.differences(&is);
        if differences.is_empty() {
            return Ok(());
        }
        let priced = self.services.priced_by(old, self.now_us).await?;
        match differences.into_iter().find(|(_, name)| priced.contains(*name)) {
            Some((field, name)) => {
                let message = format!(
                    "sets `{}`, by which the tool is priced: make the namespace a draft, change it, and hand it in anew",
                    beginning(name)
                );
                Err(PublishingError::field(format!("mcp_{field}"), message))
            }
            None => Ok(()),
        }
    }
}

fn set_of(row: &entity::tool::Model) -> Result<SetArguments, FieldFault> {
    SetArguments::read(row.static_args.as_deref().unwrap_or_default(), row.default_args.as_deref().unwrap_or_default())
}

/// What callers are checked against has to be a schema as well: it has the defaults in it, so it may be the longer one. A
/// catalog with a tool whose schema cannot be used would be one that nobody can load. And what is hidden has to stay so.
fn check_public_schema(old: &entity::tool::Model, new: &entity::tool::Model) -> Result<(), PublishingError> {
    let set = set_of(new)?;
    // The field that the request has: as it is called on the wire.
    let field = if old.input_schema != new.input_schema {
        "input_schema"
    } else if old.static_args != new.static_args {
        "mcp_static_args"
    } else {
        "mcp_default_args"
    };
    let named = |fault: FieldFault| FieldFault::new(field, fault.message);
    if field != "mcp_default_args" {
        set.check_hidden(&new.input_schema).map_err(named)?;
    }
    schema::check(&set.public_schema(&new.input_schema).map_err(named)?).map_err(named)?;
    Ok(())
}
