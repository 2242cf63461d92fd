//! What a namespace in public is to become, as the database keeps it.

use serde_json::{Map, Value, json};

use super::{ListingEdit, ToolListing};
use crate::{
    catalog::Visibility,
    id::{ToolGroupId, ToolId},
    service::publishing::own_json,
    store::{StoreError, entity},
};

/// What a namespace in public is to become. Of one that is not in public it only holds when it was handed in, and what an
/// operator said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListingDraft {
    /// It was handed in.
    pub is_submitted: bool,
    /// When what waits was handed in, in microseconds since the Unix epoch; `None` while nothing waits.
    pub submitted_us: Option<i64>,
    /// Why it was rejected the last time.
    pub rejected_because: Option<String>,
    /// What is to be different.
    pub edit: ListingEdit,
    /// New prices of groups, as the database keeps them.
    pub pricing: Vec<(ToolGroupId, String)>,
    /// Tools that were added since the last approval, and who is to see them with the next one. Until then each is its
    /// publisher's alone.
    pub new_tools: Vec<(ToolId, Visibility)>,
}

impl ListingDraft {
    /// There is nothing in it that could be handed in.
    pub fn is_empty(&self) -> bool {
        let is_for_all = |(_, wanted): &(ToolId, Visibility)| *wanted == Visibility::Public;
        self.edit.is_empty() && self.pricing.is_empty() && !self.new_tools.iter().any(is_for_all)
    }

    /// As the database keeps it; `None` if there is nothing to be kept.
    pub(in crate::service::publishing) fn to_json(&self) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<Value>| members.extend(value.map(|value| (name.to_owned(), value)));
        // Lists look for this member by its text: see `store::listings`.
        put("submitted", Some(self.is_submitted.into()));
        put("submitted_us", self.submitted_us.map(Value::from));
        put("rejected_because", self.rejected_because.clone().map(Value::from));
        put("listing_name", self.edit.listing_name.clone().map(Value::from));
        put("namespace_icon_url", self.edit.icon_url.clone().map(Value::from));
        put("description", self.edit.description.clone().map(Value::from));
        put("readme_content", self.edit.readme_content.clone().map(Value::from));
        put("category", self.edit.category.clone().map(Value::from));
        put("tags", self.edit.tags.clone().map(Value::from));
        let tools: Vec<Value> = self.edit.tools.iter().map(|(tool, listing)| tool_json(*tool, listing)).collect();
        put("tools", Some(tools.into()));
        let price = |(group, spec): &(ToolGroupId, String)| json!({"group": group.to_string(), "spec": spec});
        put("pricing", Some(self.pricing.iter().map(price).collect()));
        if !self.new_tools.is_empty() {
            let new = |(tool, wanted): &(ToolId, Visibility)| json!({"tool": tool.to_string(), "visibility": wanted.as_str()});
            members.insert("new_tools".to_owned(), self.new_tools.iter().map(new).collect());
        }
        Some(Value::Object(members).to_string())
    }

    /// Reads what [`Self::to_json`] wrote.
    pub(in crate::service::publishing) fn of(row: &entity::namespace::Model) -> Result<Self, StoreError> {
        let Some(text) = &row.draft_listing else { return Ok(Self::default()) };
        read(&own_json(text)).ok_or_else(|| StoreError::Inconsistent {
            table: "namespace",
            what: format!("the draft of `{}`", row.name),
        })
    }

    /// The price of a group, where the draft has a new one.
    pub(in crate::service::publishing) fn pricing_of(&self, group: ToolGroupId) -> Option<&str> {
        self.pricing.iter().find(|(known, _)| *known == group).map(|(_, spec)| spec.as_str())
    }

    pub(in crate::service::publishing) fn set_pricing(&mut self, group: ToolGroupId, spec: String) {
        self.pricing.retain(|(known, _)| *known != group);
        self.pricing.push((group, spec));
    }

    /// Who is to see a tool with the next approval that was added since the last one; `None` of every other tool.
    pub(in crate::service::publishing) fn wanted_of(&self, tool: ToolId) -> Option<Visibility> {
        self.new_tools.iter().find(|(known, _)| *known == tool).map(|(_, wanted)| *wanted)
    }

    /// Notes a tool that nobody has approved, and who is to see it.
    pub(in crate::service::publishing) fn set_new_tool(&mut self, tool: ToolId, wanted: Visibility) {
        self.new_tools.retain(|(known, _)| *known != tool);
        self.new_tools.push((tool, wanted));
    }

    /// Notes what is to be different about a tool.
    pub(in crate::service::publishing) fn edit_tool(&mut self, tool: ToolId, listing: &ToolListing) {
        if *listing != ToolListing::default() {
            self.edit.merge(&ListingEdit { tools: vec![(tool, listing.clone())], ..ListingEdit::default() });
        }
    }

    /// A tool as it is to be with the next approval.
    pub(in crate::service::publishing) fn apply_to_tool(&self, row: &entity::tool::Model) -> entity::tool::Model {
        let mut new = self.edit.apply_to_tool(row);
        if let Some(wanted) = self.wanted_of(row.id.into()) {
            wanted.as_str().clone_into(&mut new.visibility);
        }
        new
    }

    /// What is left of it when it is thrown away: which tools nobody has approved.
    pub(in crate::service::publishing) fn discarded(self) -> Self {
        let new_tools = self.new_tools.into_iter().map(|(tool, _)| (tool, Visibility::Private)).collect();
        Self { new_tools, ..Self::default() }
    }
}

fn tool_json(tool: ToolId, listing: &ToolListing) -> Value {
    let mut members = Map::from_iter([("tool".to_owned(), Value::from(tool.to_string()))]);
    let parts = [
        ("short_description", listing.short_description.clone().map(Value::from)),
        ("long_description", listing.long_description.clone().map(Value::from)),
        ("example_prompts", listing.example_prompts.clone().map(Value::from)),
        ("display_order", listing.display_order.map(Value::from)),
    ];
    members.extend(parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    members.into()
}

fn read(draft: &Value) -> Option<ListingDraft> {
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let texts = |of: &Value, name: &str| {
        let list = of.get(name)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
    };
    let tools = draft.get("tools")?.as_array()?.iter().map(|tool| {
        let listing = ToolListing {
            short_description: text(tool, "short_description"),
            long_description: text(tool, "long_description"),
            example_prompts: texts(tool, "example_prompts"),
            display_order: tool.get("display_order").and_then(Value::as_i64),
        };
        Some((text(tool, "tool")?.parse().ok()?, listing))
    });
    let pricing = draft.get("pricing")?.as_array()?.iter();
    let pricing = pricing.map(|price| Some((text(price, "group")?.parse().ok()?, text(price, "spec")?)));
    // A draft that was written before there was such a list has none.
    let new_tools = draft.get("new_tools").and_then(Value::as_array).into_iter().flatten();
    let new_tools = new_tools
        .map(|new| Some((text(new, "tool")?.parse().ok()?, Visibility::from_wire(&text(new, "visibility")?)?)));
    Some(ListingDraft {
        is_submitted: draft.get("submitted")?.as_bool()?,
        submitted_us: draft.get("submitted_us").and_then(Value::as_i64),
        rejected_because: text(draft, "rejected_because"),
        edit: ListingEdit {
            listing_name: text(draft, "listing_name"),
            icon_url: text(draft, "namespace_icon_url"),
            description: text(draft, "description"),
            readme_content: text(draft, "readme_content"),
            category: text(draft, "category"),
            tags: texts(draft, "tags"),
            tools: tools.collect::<Option<_>>()?,
        },
        pricing: pricing.collect::<Option<_>>()?,
        new_tools: new_tools.collect::<Option<_>>()?,
    })
}
