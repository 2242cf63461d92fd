//! The tool-policy chain with the shipped dialects: cases from the real gateways, random documents against a plain
//! interpreter, and what documents may not do.

mod bad_input;
mod dice;
mod generator;
mod interpreter;
mod metamorphic;
mod random;
mod recorded;
mod replays;
mod rules;

use engine::{
    catalog::Tier,
    dialect::Dialect,
    document::DocumentProblem,
    policy::{
        AccountFacts, Caller, DecisionRequest, NamespaceFacts, Policies, PolicySources, PublisherFacts, Surface,
        ToolFacts,
        chain::{CatalogTool, Chain, ChainPlace, PolicyDocument, SenderFacts, SessionFacts},
    },
};
use serde_json::Value;

use self::interpreter::{Asked, Tool};

pub(crate) const DIALECTS: [(&str, &str); 3] = [
    ("fased", policies::dialects::FASED),
    ("zero", policies::dialects::ZERO),
    ("openclaw", policies::dialects::OPENCLAW),
];

pub(crate) fn dialect(name: &str) -> Dialect {
    let (_, text) = DIALECTS.iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("no dialect `{name}`"));
    let dialect = Dialect::from_text(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(dialect.name, name);
    dialect
}

pub(crate) fn try_compile(
    dialect: &Dialect,
    document: &Value,
    catalog: &[Tool],
) -> Result<Chain, Vec<DocumentProblem>> {
    let document = PolicyDocument::from_value(document, &dialect.chain)?;
    let catalog: Vec<CatalogTool<'_>> =
        catalog.iter().map(|(namespace, name)| CatalogTool { name, namespace: namespace.as_deref() }).collect();
    Ok(Chain::compile(document, &dialect.chain, &catalog).unwrap_or_else(|error| panic!("{error}")))
}

pub(crate) fn load(chain: Chain, operator: &str) -> Policies {
    let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
    Policies::load_with(sources, operator, Some(chain)).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn policies_for(dialect: &Dialect, document: &Value, catalog: &[Tool]) -> Policies {
    load(try_compile(dialect, document, catalog).unwrap_or_else(|error| panic!("{document}: {error:?}")), "")
}

pub(crate) fn facts(asked: &Asked) -> SessionFacts<'_> {
    let [id, e164, username, name] = asked.sender.each_ref().map(Option::as_deref);
    SessionFacts {
        session_key: &asked.key,
        channel: asked.channel.as_deref(),
        account: asked.account.as_deref(),
        sender: SenderFacts { id, e164, username, name },
        model: asked.model.as_ref().map(|(provider, model)| (provider.as_str(), model.as_str())),
        is_owner: asked.is_owner,
    }
}

/// The operator's own call on `/tools/invoke`.
pub(crate) fn request(name: &str, place: Option<ChainPlace>) -> DecisionRequest<'_> {
    let publisher = PublisherFacts { id: "pub_a", is_suspended: false };
    let namespace = name.split_once('/').map(|(namespace, _)| NamespaceFacts {
        id: namespace,
        name: namespace,
        is_suspended: false,
        publisher,
    });
    DecisionRequest {
        surface: Surface::Http,
        token: "tok_gateway",
        caller: Caller::Account(AccountFacts { id: "acc_ops", is_suspended: false, is_verified: true }),
        tool: ToolFacts { id: name, name, is_disabled: false, is_free: true, tier: Tier::Standard, namespace },
        now_s: 1_795_262_400,
        place,
    }
}

/// Where a call stands; nowhere if there is no such tool.
pub(crate) fn place(policies: &Policies, asked: &Asked, requested: &str) -> Option<ChainPlace> {
    let chain = policies.chain().expect("a chain");
    Some(ChainPlace { scope: chain.scope(&facts(asked)), tool: chain.find_tool(requested)? })
}

/// Whether a session may call a tool, by its requested name. With `is_looked_at` the whole set, the explanation and the
/// list of what is available must say the same.
pub(crate) fn is_available(policies: &Policies, asked: &Asked, requested: &str, is_looked_at: bool) -> bool {
    let Some(place) = place(policies, asked, requested) else { return false };
    let chain = policies.chain().expect("a chain");
    let request = request(chain.tool_name(place.tool), Some(place));
    let decision = policies.decide(&request);
    assert!(decision.faults.is_empty(), "{decision:?}");
    if is_looked_at {
        let explanation = chain.explain(&place);
        let survives = explanation.steps.iter().all(|step| step.verdict.passes());
        assert_eq!(survives, decision.allowed, "{explanation:?}");
        assert_eq!(chain.available(&place.scope).contains(&place.tool), decision.allowed, "{explanation:?}");
        assert_eq!(policies.decide_by_whole_set(&request), decision, "{explanation:?}");
    }
    decision.allowed
}
