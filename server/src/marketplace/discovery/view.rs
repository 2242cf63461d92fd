//! Tools and namespaces in the words of the marketplace's documents.

use engine::{
    pricing::PricingSpec,
    service::discovery::{ShownNamespace, ShownTool},
};
use serde_json::{Map, Number, Value, json};

use crate::publishing::assets::address_of;

/// A tool in a list of findings.
pub(super) fn item(tool: &ShownTool) -> Value {
    json!({
        "object_type": "tool",
        "namespace": namespace_of(tool),
        "name": tool.offer.tool.name,
        "display_name": tool.offer.path,
        "short_description": tool.offer.tool.short_description,
        "category": tool.topics().category,
        "input_schema": schema(tool),
        "pricing": pricing(tool),
    })
}

/// A tool with all that is said of it.
pub(super) fn tool(tool: &ShownTool) -> Value {
    let mut view = item(tool);
    if let Value::Object(members) = &mut view {
        members.insert("id".to_owned(), tool.offer.name.clone().into());
        members.insert("long_description".to_owned(), tool.offer.tool.long_description.clone().into());
        members.insert("tags".to_owned(), tool.topics().tags.into());
        members.insert("tier".to_owned(), tool.offer.tool.tier.as_str().into());
        let prompts = &tool.offer.tool.manner.example_prompts;
        if !prompts.is_empty() {
            members.insert("example_prompts".to_owned(), prompts.clone().into());
        }
    }
    view
}

/// A namespace in a list.
pub(super) fn namespace(namespace: &ShownNamespace, base_url: &str) -> Value {
    let mut view = json!({
        "namespace": namespace.name,
        "listing_name": namespace.listing.name,
        "description": namespace.listing.description,
        "category": namespace.listing.topics.category,
        "tags": namespace.listing.topics.tags,
        "publisher": namespace.publisher,
        "status": if namespace.is_public { "active" } else { "draft" },
    });
    if let (Some(icon), Value::Object(members)) = (&namespace.listing.icon, &mut view) {
        members.insert("namespace_icon_url".to_owned(), address_of(icon, base_url).into());
    }
    view
}

/// A namespace with its tools.
pub(super) fn whole_namespace(shown: &ShownNamespace, base_url: &str) -> Value {
    let mut view = namespace(shown, base_url);
    if let Value::Object(members) = &mut view {
        let tools: Vec<Value> = shown.tools.iter().map(item).collect();
        members.insert("tools".to_owned(), tools.into());
        members.insert("has_more_tools".to_owned(), shown.has_more.into());
    }
    view
}

/// The slug of a tool's namespace.
pub(super) fn namespace_of(tool: &ShownTool) -> &str {
    tool.offer.seller.as_ref().map_or("", |seller| &seller.namespace.name)
}

/// The tool's schema as a value. It was checked when it was declared.
pub(super) fn schema(tool: &ShownTool) -> Value {
    serde_json::from_str(&tool.offer.tool.input_schema_text).unwrap_or(Value::Bool(true))
}

/// The price in force, with the fields that its mode has.
fn pricing(tool: &ShownTool) -> Value {
    price(tool.price.to_spec())
}

/// A price, with the fields that are there.
pub(crate) fn price(spec: PricingSpec) -> Value {
    let PricingSpec {
        pricing_mode,
        fixed_credit_cost,
        returned_credit_cost_path,
        returned_credit_multiplier,
        base_credit_cost,
        estimated_max_credit_cost,
        charge_on,
        pricing_rules: _,
        pricing_unit_fields,
        pricing_credits_per_unit,
        pricing_description,
    } = spec;
    let mut view = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            view.insert(name.to_owned(), value);
        }
    };
    put("pricing_mode", pricing_mode.map(Value::from));
    put("fixed_credit_cost", fixed_credit_cost.and_then(decimal));
    put("returned_credit_cost_path", returned_credit_cost_path.map(Value::from));
    put("returned_credit_multiplier", returned_credit_multiplier.and_then(decimal));
    put("base_credit_cost", base_credit_cost.and_then(decimal));
    put("estimated_max_credit_cost", estimated_max_credit_cost.and_then(decimal));
    put("charge_on", charge_on.map(Value::from));
    put("pricing_unit_fields", pricing_unit_fields.map(Value::from));
    put("pricing_credits_per_unit", pricing_credits_per_unit.and_then(decimal));
    put("pricing_description", pricing_description.map(Value::from));
    Value::Object(view)
}

/// An amount as an exact JSON number, digit by digit as it is charged.
fn decimal(text: String) -> Option<Value> {
    text.parse::<Number>().map_or(Some(Value::String(text)), |number| Some(Value::Number(number)))
}
