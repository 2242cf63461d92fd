//! Cases about senders and models, which HTTP cannot express: put to the policy engine, as the gateway puts its calls.

use engine::{
    catalog::Tier,
    dialect::Dialect,
    gateway::{
        request::read_request,
        session_key::{SessionSettings, find_session},
    },
    policy::{
        AccountFacts, Caller, DecisionRequest, Policies, PolicySources, Surface, ToolFacts,
        chain::{CatalogTool, Chain, ChainPlace, PolicyDocument, SenderFacts, SessionFacts},
    },
};
use serde_json::Value;

use super::{case::Run, fixture};

/// Whether the tool is available as the case expects.
pub(super) fn run(run: &Run) -> Result<(), String> {
    let wanted = run.case.expect.get("tool_available").and_then(Value::as_bool).ok_or("no `tool_available`")?;
    let found = is_available(run)?;
    if found == wanted { Ok(()) } else { Err(format!("the tool is {}available", if found { "" } else { "not " })) }
}

fn is_available(run: &Run) -> Result<bool, String> {
    let text = match &*run.dialect {
        "fased" => policies::dialects::FASED,
        "zero" => policies::dialects::ZERO,
        _ => policies::dialects::OPENCLAW,
    };
    let dialect = Dialect::from_text(text).map_err(|error| error.to_string())?;
    let mut config = run.case.config.clone();
    if let Some(gateway) = config["gateway"].as_object_mut() {
        gateway.retain(|key, _| key == "tools");
    }
    let document = PolicyDocument::from_value(&config, &dialect.chain).map_err(|faults| format!("{faults:?}"))?;
    let catalog: Vec<CatalogTool<'_>> =
        fixture::catalog().map(|(namespace, name)| CatalogTool { name, namespace }).collect();
    let chain = Chain::compile(document, &dialect.chain, &catalog).map_err(|error| error.to_string())?;
    let asked = read_request(&run.case.request["body"].to_string()).map_err(|fault| format!("{fault:?}"))?;
    let settings = SessionSettings::from_sections(&config["session"], &config["agents"]);
    let session = find_session(&settings, &dialect, &asked).map_err(|fault| format!("{fault:?}"))?;
    let context = |name: &str| run.case.context[name].as_str();
    let facts = SessionFacts {
        session_key: &session.given,
        sender: SenderFacts {
            id: context("senderId"),
            e164: context("senderE164"),
            username: context("senderUsername"),
            name: context("senderName"),
        },
        model: context("modelProvider").zip(context("modelId")),
        is_owner: true,
        ..SessionFacts::default()
    };
    let Some(tool) = chain.find_tool(&asked.tool) else { return Ok(false) };
    let place = ChainPlace { scope: chain.scope(&facts), tool };
    let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
    let policies = Policies::load_with(sources, "", Some(chain)).map_err(|error| error.to_string())?;
    let request = DecisionRequest {
        surface: Surface::Http,
        token: "gateway",
        caller: Caller::Account(AccountFacts { id: "gateway", is_suspended: false, is_verified: true }),
        tool: ToolFacts {
            id: "tool",
            name: &asked.tool,
            is_disabled: false,
            is_free: true,
            tier: Tier::Standard,
            namespace: None,
        },
        now_s: 0,
        place: Some(place),
    };
    let decision = policies.decide(&request);
    if decision.faults.is_empty() { Ok(decision.allowed) } else { Err(format!("{:?}", decision.faults)) }
}
