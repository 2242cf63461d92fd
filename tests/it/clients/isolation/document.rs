//! Which routes there are, and what they name: from `docs/openapi.json`.

use std::collections::BTreeSet;

use serde_json::Value;

/// Parameters and members that name something which is somebody's, or a place in somebody's list.
const IDENTIFIERS: &str = "\
    account after agentId before connection_id delivery email external_id gid group group_id id idempotencyKey \
    idempotency_key namespace namespace_id number partner publisher sessionKey slug tid token_id tool \
    tool_group_id tool_id tool_name user";

/// What says how, when, how much or what for, and whatever is kept as it is typed.
const PLAIN: &str = "\
    action api_key applies_to args arguments base_credit_cost base_url base_url_override bio category charge_on \
    connection_type country credits description display_name display_order dryRun estimated_max_credit_cost \
    example_prompts file fixed_credit_cost format from full group_by input_schema key_identifier kind label \
    legal_name limit listing_name logo_url long_description mcp_default_args mcp_static_args mcp_tool_names \
    mcp_url metadata month name namespace_icon_url param_description param_location password per percent period \
    pricing_credits_per_unit pricing_description pricing_mode pricing_rules pricing_unit_fields q readme_content \
    readme_source_url report rest_body_template rest_method rest_param_map rest_path rest_static_headers \
    rest_static_query returned_credit_cost_path returned_credit_multiplier secret short_description sort_order \
    spec spec_url state status support_email tags to token_name tools topic url usd visibility website_url window";

/// Where the name of an identifier is none: an address that mails are sent to.
const PLAIN_HERE: [(&str, &str); 1] = [("POST /partners/alerts", "email")];

/// Below these everything is somebody's: each of their routes has a row, whether it names something or not.
const OWN: [&str; 8] = [
    "/connections/",
    "/credits/",
    "/invocations/",
    "/namespaces/",
    "/partners/",
    "/publishers/",
    "/tokens/",
    "/invoke/",
];

fn is_in(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|known| known == name)
}

/// A route and what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// `METHOD /path`, with `{}` for every parameter.
    pub(super) name: String,
    /// How many of the path's parameters are identifiers.
    pub(super) in_path: usize,
    /// The identifiers of the query and the body.
    pub(super) named: BTreeSet<String>,
}

impl Route {
    /// Whether it has to have a row.
    pub(super) fn needs_row(&self) -> bool {
        let path = self.name.split_once(' ').map_or("", |(_, path)| path);
        self.in_path > 0 || !self.named.is_empty() || OWN.iter().any(|own| path.starts_with(own))
    }
}

/// `METHOD /path` without the names of the path's parameters: who writes a route may call them as they like.
pub(super) fn plain_name(route: &str) -> String {
    let mut parts = route.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| format!("{name}{{}}{}", part.split_once('}').map_or("", |(_, rest)| rest)))
}

/// All routes of a description of the interface; else which names nobody has judged yet.
pub(super) fn routes(document: &Value) -> Result<Vec<Route>, String> {
    let (mut routes, mut unknown) = (Vec::new(), BTreeSet::new());
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let full = format!("{} {path}", method.to_uppercase());
            let mut is_identifier = |name: &str| {
                let is_plain_here = PLAIN_HERE.contains(&(full.as_str(), name));
                let is_one = is_in(IDENTIFIERS, name);
                if !is_one && !is_in(PLAIN, name) {
                    unknown.insert(format!("`{name}` of {full}"));
                }
                is_one && !is_plain_here
            };
            let in_path = parameters(operation, "path").filter(|name| is_identifier(name)).count();
            let body = operation.pointer("/requestBody/content").and_then(Value::as_object).into_iter().flatten();
            let members = body.flat_map(|(_, content)| members(document, &content["schema"]));
            let named = parameters(operation, "query").map(str::to_owned).chain(members).collect::<Vec<_>>();
            let named = named.into_iter().filter(|name| is_identifier(name)).collect();
            routes.push(Route { name: plain_name(&full), in_path, named });
        }
    }
    if unknown.is_empty() { Ok(routes) } else { Err(format!("is it an identifier? say so in this file: {unknown:?}")) }
}

fn parameters<'a>(operation: &'a Value, place: &'a str) -> impl Iterator<Item = &'a str> {
    let listed = operation["parameters"].as_array().into_iter().flatten();
    listed.filter(move |parameter| parameter["in"] == place).filter_map(|parameter| parameter["name"].as_str())
}

/// The members of a body, and those of the objects in its lists.
fn members(document: &Value, schema: &Value) -> Vec<String> {
    let schema = match schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(schema),
        None => schema,
    };
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .flat_map(|(name, inner)| {
            let of_items = if inner["items"].is_object() { members(document, &inner["items"]) } else { Vec::new() };
            std::iter::once(name.clone()).chain(of_items).collect::<Vec<_>>()
        })
        .collect()
}
