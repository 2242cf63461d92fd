//! A namespace as its publisher, and an operator who reviews it, see it.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ListingDraft, OwnGroup, PublishingError, ToolUnits, connections, groups,
    listing::tags_of,
    own_json,
    pricing::{price_of, prices_of_groups},
    texts_of,
};
use crate::{
    catalog::{NamespaceState, Visibility},
    id::{ConnectionId, NamespaceId, PublisherId, ToolGroupId, ToolId},
    ledger::{hex::hex, leaf::sha256},
    pricing::PricingSpec,
    publishing::arguments::SetArguments,
    service::Services,
    store::{StoreError, entity},
};

/// How many bytes of a digest name what was seen.
const SEEN_BYTES: usize = 16;

/// A namespace as its publisher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNamespace {
    /// Which.
    pub id: NamespaceId,
    /// The slug.
    pub name: String,
    /// Whose.
    pub publisher: PublisherId,
    /// Where its tools are.
    pub connection: Option<ConnectionId>,
    /// How far it has come.
    pub status: NamespaceState,
    /// It was an operator who suspended it.
    pub is_stopped: bool,
    /// Its title.
    pub listing_name: Option<String>,
    /// What it is for.
    pub description: String,
    /// Its category.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The name of a picture, or a URL.
    pub icon: Option<String>,
    /// Where more about it is said.
    pub readme_source_url: Option<String>,
    /// More about it.
    pub readme_content: Option<String>,
    /// What it is to become.
    pub draft: ListingDraft,
    /// Its tools, in the order of its publisher.
    pub tools: Vec<OwnTool>,
    /// Its groups, in the order of its publisher.
    pub groups: Vec<OwnGroup>,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
}

/// A tool as its publisher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTool {
    /// Which.
    pub id: ToolId,
    /// Unique in its namespace.
    pub name: String,
    /// Who sees it.
    pub visibility: Visibility,
    /// Who is to see it with the next approval, where nobody has approved it yet and that is somebody else.
    pub staged_visibility: Option<Visibility>,
    /// An operator has switched it off.
    pub is_disabled: bool,
    /// One line about it.
    pub short_description: String,
    /// More about it.
    pub long_description: String,
    /// What its server takes: JSON Schema.
    pub input_schema: String,
    /// What callers are shown and checked against.
    pub public_schema: String,
    /// What somebody could ask an agent to use it.
    pub example_prompts: Vec<String>,
    /// Where it stands: the lowest first.
    pub display_order: i64,
    /// Its group.
    pub group: Option<ToolGroupId>,
    /// Its name on its MCP server; `None` where that speaks plain HTTP.
    pub mcp_tool: Option<String>,
    /// How its request is made, as [`crate::publishing::rest::RestShape::to_text`] writes it.
    pub rest: Option<String>,
    /// The arguments that its publisher sets whatever the caller says, as JSON.
    pub static_args: Option<String>,
    /// The arguments that stand in for what the caller leaves out, as JSON.
    pub default_args: Option<String>,
    /// By which arguments it alone is priced.
    pub units: ToolUnits,
    /// What it costs now, as JSON in the wire's field names.
    pub pricing: Option<String>,
    /// What it will cost with the next approval, where that is something else.
    pub staged_pricing: Option<String>,
}

impl OwnNamespace {
    /// A namespace without its tools and groups.
    pub(super) fn head(row: &entity::namespace::Model) -> Result<Self, StoreError> {
        let broken = || StoreError::Inconsistent { table: "namespace", what: row.name.clone() };
        let status = NamespaceState::from_wire(&row.status).ok_or_else(broken)?;
        Ok(Self {
            id: row.id.into(),
            name: row.name.clone(),
            publisher: row.publisher_id.into(),
            connection: row.connection_id.map(ConnectionId::from),
            status: if row.is_suspended { NamespaceState::Suspended } else { status },
            is_stopped: row.is_suspended && !row.is_own_suspension,
            listing_name: row.listing_name.clone(),
            description: row.description.clone(),
            category: row.category.clone(),
            tags: tags_of(row)?,
            icon: row.icon.clone(),
            readme_source_url: row.readme_source_url.clone(),
            readme_content: row.readme_content.clone(),
            draft: ListingDraft::of(row)?,
            tools: Vec::new(),
            groups: Vec::new(),
            created_us: row.created_us,
        })
    }

    /// Something waits for an operator.
    pub fn is_handed_in(&self) -> bool {
        match self.status {
            NamespaceState::Review => true,
            NamespaceState::Active => self.draft.is_submitted,
            NamespaceState::Draft | NamespaceState::Pending | NamespaceState::Suspended => false,
        }
    }

    /// Its tools whose price is another one with the next approval.
    pub fn staged_tools(&self) -> impl Iterator<Item = &OwnTool> {
        self.tools.iter().filter(|tool| tool.staged_pricing.is_some())
    }

    /// What names all that an operator approves: it differs whenever something of it does. It is the same on every server, so
    /// it is made of what is said, in a fixed order, and not of how the program prints it.
    pub fn fingerprint(&self) -> String {
        let Self {
            id,
            name,
            publisher,
            connection,
            status,
            is_stopped,
            listing_name,
            description,
            category,
            tags,
            icon,
            readme_source_url,
            readme_content,
            draft,
            tools,
            groups,
            created_us,
        } = self;
        let whole = json!([
            id.to_string(),
            name,
            publisher.to_string(),
            connection.map(|id| id.to_string()),
            status.as_str(),
            is_stopped,
            listing_name,
            description,
            category,
            tags,
            icon,
            readme_source_url,
            readme_content,
            draft.to_json(),
            tools.iter().map(OwnTool::said).collect::<Vec<Value>>(),
            groups.iter().map(OwnGroup::said).collect::<Vec<Value>>(),
            created_us,
        ]);
        let seen: Vec<u8> = sha256(whole.to_string().as_bytes()).into_iter().take(SEEN_BYTES).collect();
        hex(&seen)
    }
}

impl OwnTool {
    /// All of it, for [`OwnNamespace::fingerprint`].
    fn said(&self) -> Value {
        let Self {
            id,
            name,
            visibility,
            staged_visibility,
            is_disabled,
            short_description,
            long_description,
            input_schema,
            public_schema,
            example_prompts,
            display_order,
            group,
            mcp_tool,
            rest,
            static_args,
            default_args,
            units: ToolUnits { fields, credits_per_unit },
            pricing,
            staged_pricing,
        } = self;
        json!([
            id.to_string(),
            name,
            visibility.as_str(),
            staged_visibility.map(Visibility::as_str),
            is_disabled,
            short_description,
            long_description,
            input_schema,
            public_schema,
            example_prompts,
            display_order,
            group.map(|id| id.to_string()),
            mcp_tool,
            rest,
            static_args,
            default_args,
            fields,
            credits_per_unit,
            pricing,
            staged_pricing,
        ])
    }

    /// The names of the arguments that its publisher sets; of those that it is priced by, now or with the next approval, with
    /// what they are set to, as JSON. What else is set may be meant for nobody else.
    pub fn set_arguments(&self) -> Vec<(String, Option<String>)> {
        let (fixed, defaults) = (self.static_args.as_deref(), self.default_args.as_deref());
        let set = SetArguments::read(fixed.unwrap_or_default(), defaults.unwrap_or_default()).unwrap_or_default();
        let specs = [&self.pricing, &self.staged_pricing].into_iter().flatten().map(|spec| own_json(spec));
        let fields = |spec: &Value| spec.get("pricing_unit_fields").and_then(Value::as_array).cloned();
        let priced: Vec<Value> = specs.filter_map(|spec| fields(&spec)).flatten().collect();
        let is_priced = |name: &str| {
            self.units.fields.iter().any(|field| field == name)
                || priced.iter().any(|field| field.as_str() == Some(name))
        };
        set.members().map(|(name, value)| (name.to_owned(), is_priced(name).then(|| value.to_owned()))).collect()
    }
}

impl Services {
    /// A namespace with everything in it.
    pub(super) async fn view_namespace(&self, row: &entity::namespace::Model) -> Result<OwnNamespace, PublishingError> {
        let mut shown = OwnNamespace::head(row)?;
        let (groups_of, tools) = (self.load_group_rows(row.id).await?, self.load_tool_rows(row.id).await?);
        let prices = self.prices_of_tools(row.id, self.clock.now_us()).await?;
        let wanted = prices_of_groups(&groups_of, &shown.draft)?;
        shown.tools =
            tools.into_iter().map(|tool| view(tool, &shown.draft, &prices, &wanted)).collect::<Result<_, _>>()?;
        shown.groups = groups_of.into_iter().map(|row| groups::group(row, &shown.draft)).collect();
        Ok(shown)
    }

    /// What a publisher's server speaks.
    pub(super) async fn kind_of_connection(
        &self,
        publisher: PublisherId,
        id: Uuid,
    ) -> Result<(entity::connection::Model, connections::ConnectionKind), PublishingError> {
        let row = self.load_connection_row(publisher, id.into()).await?;
        let kind = connections::kind_of(&row)?;
        Ok((row, kind))
    }
}

fn view(
    row: entity::tool::Model,
    draft: &ListingDraft,
    prices: &HashMap<Uuid, String>,
    wanted: &HashMap<Uuid, PricingSpec>,
) -> Result<OwnTool, StoreError> {
    let broken = |what: String| StoreError::Inconsistent { table: "tool", what };
    let units = ToolUnits::of(&row);
    let pricing = prices.get(&row.id).cloned();
    // A price that makes no sense for the tool is no price; it is named when the namespace is handed in, and to who reviews it.
    let next = row.group_id.and_then(|group| price_of(wanted.get(&group)?, &units).ok());
    let set = SetArguments::read(
        row.static_args.as_deref().unwrap_or_default(),
        row.default_args.as_deref().unwrap_or_default(),
    );
    let set = set.map_err(|fault| broken(fault.to_string()))?;
    let visibility = Visibility::from_wire(&row.visibility).ok_or_else(|| broken(row.name.clone()))?;
    Ok(OwnTool {
        id: row.id.into(),
        visibility,
        staged_visibility: draft.wanted_of(row.id.into()).filter(|wanted| *wanted != visibility),
        is_disabled: row.is_suspended,
        public_schema: set.public_schema(&row.input_schema).map_err(|fault| broken(fault.to_string()))?,
        example_prompts: texts_of("tool", &row.example_prompts)?,
        display_order: row.display_order,
        group: row.group_id.map(ToolGroupId::from),
        staged_pricing: next.filter(|next| pricing.as_ref() != Some(next)),
        pricing,
        units,
        name: row.name,
        short_description: row.short_description,
        long_description: row.long_description,
        input_schema: row.input_schema,
        mcp_tool: row.upstream_tool,
        rest: row.rest,
        static_args: row.static_args,
        default_args: row.default_args,
    })
}

#[cfg(test)]
mod tests;
