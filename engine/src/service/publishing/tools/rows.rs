//! New tools of a publisher: their rows, with what they cost.

use super::{ANY_ARGUMENTS, MCP_METHOD, NewOwnTool, OwnUpstream};
use crate::{
    audit::Action,
    catalog::{Visibility, check_tool_name},
    id::{PriceVersionId, ToolGroupId, ToolId},
    limits::{DESCRIPTION_CHARS_MAX, UPSTREAM_TIMEOUT_MS_DEFAULT},
    publishing::schema::CheckedSchema,
    service::{
        catalog::{blank_tool, price_facts},
        publishing::{
            Change, ConnectionKind, ListingDraft, OWN_TOOLS_MAX, PublishingError, ToolUnits, check_optional_line,
            check_text, connections,
            listing::is_public,
            pricing::{price_of, prices_of_groups},
            review::with_draft,
            trail,
        },
    },
    store::entity,
};

impl Change<'_> {
    /// Adds tools to a namespace, at the price of their groups: to one in public as their publisher's alone, until they are
    /// approved. `connection` is that of the namespace, where it is known.
    pub(in crate::service::publishing) async fn add_own_tools(
        &mut self,
        (namespace, groups): (&entity::namespace::Model, &[entity::tool_group::Model]),
        connection: Option<&entity::connection::Model>,
        new: Vec<NewOwnTool>,
    ) -> Result<Vec<entity::tool::Model>, PublishingError> {
        let connection = match connection {
            Some(row) => row.clone(),
            None => self.connection_of(namespace).await?,
        };
        let mut known: Vec<String> =
            self.services.load_tool_rows(namespace.id).await?.into_iter().map(|tool| tool.name).collect();
        if known.len().saturating_add(new.len()) > OWN_TOOLS_MAX {
            return Err(PublishingError::conflict(format!("a namespace has at most {OWN_TOOLS_MAX} tools")));
        }
        // The prices that were approved: a new tool has no other one.
        let prices = prices_of_groups(groups, &ListingDraft::default())?;
        let former = self.services.load_former_tool_names(namespace.id).await?;
        let mut draft = ListingDraft::of(namespace)?;
        let mut added = Vec::with_capacity(new.len());
        for tool in new {
            let wanted = tool.visibility;
            let mut row = self.own_tool_row(namespace, groups, &connection, tool)?;
            if known.contains(&row.name) {
                let message = format!("is the name of another tool of this namespace: `{}`", row.name);
                return Err(PublishingError::field("name", message));
            }
            known.push(row.name.clone());
            self.take_tool_name((namespace, &former), row.id, &row.name)?;
            if is_public(namespace) {
                Visibility::Private.as_str().clone_into(&mut row.visibility);
                draft.set_new_tool(row.id.into(), wanted);
            }
            let price = row.group_id.and_then(|id| prices.get(&id));
            let price = price.map(|group| price_of(group, &ToolUnits::default())).transpose()?;
            self.insert_own_tool(&namespace.name, &row, price);
            added.push(row);
        }
        self.change_namespace(Action::NamespaceChange, namespace, &with_draft(namespace, &draft));
        Ok(added)
    }

    async fn connection_of(
        &self,
        namespace: &entity::namespace::Model,
    ) -> Result<entity::connection::Model, PublishingError> {
        let missing = || PublishingError::conflict("this namespace has no connection: an operator has declared it");
        let id = namespace.connection_id.ok_or_else(missing)?;
        Ok(self.services.kind_of_connection(namespace.publisher_id.into(), id).await?.0)
    }

    fn own_tool_row(
        &self,
        namespace: &entity::namespace::Model,
        groups: &[entity::tool_group::Model],
        connection: &entity::connection::Model,
        new: NewOwnTool,
    ) -> Result<entity::tool::Model, PublishingError> {
        let kind = connections::kind_of(connection)?;
        let group = match new.group {
            Some(id) => group_in(groups, id)?,
            None => groups
                .iter()
                .find(|group| group.is_default)
                .ok_or_else(|| PublishingError::conflict("this namespace has no default group"))?,
        };
        let id = ToolId::new(&*self.services.ids, self.now_us);
        let blank = blank_tool(id.uuid(), Some(namespace.id), &new.name, self.now_us);
        let (method, upstream_tool, rest) = match (new.upstream, kind) {
            (OwnUpstream::Rest(shape), ConnectionKind::Rest) => {
                (shape.method().to_owned(), None, Some(shape.to_text()))
            }
            (OwnUpstream::Mcp(tool), ConnectionKind::Mcp) => (MCP_METHOD.to_owned(), Some(tool), None),
            (OwnUpstream::Rest(_), ConnectionKind::Mcp) => {
                return Err(PublishingError::field("rest_path", "needs a namespace whose connection is a REST server"));
            }
            (OwnUpstream::Mcp(_), ConnectionKind::Rest) => {
                return Err(PublishingError::field("connection_id", "is no MCP server"));
            }
        };
        let row = entity::tool::Model {
            short_description: new.short_description,
            long_description: new.long_description,
            input_schema: new.input_schema.map_or_else(|| ANY_ARGUMENTS.to_owned(), CheckedSchema::into_text),
            upstream_method: method,
            upstream_url: connection.url.clone(),
            timeout_ms: i64::try_from(UPSTREAM_TIMEOUT_MS_DEFAULT).unwrap_or(i64::MAX),
            upstream_tool,
            group_id: Some(group.id),
            visibility: new.visibility.as_str().to_owned(),
            rest,
            ..blank
        };
        check_texts(&row)?;
        Ok(row)
    }

    fn insert_own_tool(&mut self, namespace: &str, row: &entity::tool::Model, price: Option<String>) {
        let path = format!("{namespace}/{}", row.name);
        let mut facts = trail::tool(&path, row);
        self.services.add_tool(&mut self.unit, row.clone(), self.now_us);
        if let (Some(spec), Some(members)) = (price, facts.as_object_mut()) {
            members.insert("price".to_owned(), price_facts(&path, &spec, self.now_us));
            let id = PriceVersionId::new(&*self.services.ids, self.now_us);
            let version = entity::price_version::Model {
                id: id.uuid(),
                tool_id: row.id,
                effective_from_us: self.now_us,
                spec,
                created_us: self.now_us,
                key: None,
            };
            self.services.add_price(&mut self.unit, version, self.now_us);
        }
        self.tell(self.by.entry(Action::ToolCreate, "tool", ToolId::from(row.id)).after(facts));
    }
}

pub(super) fn group_in(
    groups: &[entity::tool_group::Model],
    id: ToolGroupId,
) -> Result<&entity::tool_group::Model, PublishingError> {
    let found = groups.iter().find(|group| group.id == id.uuid());
    found.ok_or_else(|| PublishingError::field("tool_group_id", "is no group of this namespace"))
}

pub(super) fn check_texts(row: &entity::tool::Model) -> Result<(), PublishingError> {
    check_tool_name(&row.name).map_err(|error| PublishingError::field("name", error))?;
    check_optional_line("short_description", &row.short_description)?;
    check_text("long_description", &row.long_description, DESCRIPTION_CHARS_MAX)
}
