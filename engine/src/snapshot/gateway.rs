//! What `/tools/invoke` offers: core tools, built-in tools, and the tools of the namespaces that the gateway lists.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use uuid::Uuid;

use super::{Offer, Snapshot};
use crate::{
    catalog::{ArgumentSchema, Tier, Tool, ToolState, Visibility},
    dialect::Dialect,
    gateway::{
        builtin::Builtin,
        context::Hints,
        session_key::{Session, SessionSettings},
    },
    id::{PriceVersionId, ToolId},
    ledger::{LedgerAccountId, leaf::sha256},
    policy::{
        CachedPolicies, DECISION_CACHE_ENTRIES_MAX, PolicySources, WrittenPolicy,
        chain::{CatalogTool, Scope, SenderFacts, SessionFacts, ToolIndex},
    },
    pricing::{Price, PriceBook, PricingSpec},
    upstream::UpstreamTarget,
};

/// How the gateway is set up, the same for every snapshot until another setup replaces it.
#[derive(Debug)]
pub struct GatewaySetup {
    /// The protocol it speaks.
    pub dialect: Dialect,
    /// The configured sessions and agents.
    pub sessions: SessionSettings,
    /// Who may use what.
    pub policy: WrittenPolicy,
    /// The schema of the policies.
    pub schema: &'static str,
    /// The policies that stand under every call.
    pub base: &'static str,
    /// The namespaces that it offers.
    pub namespaces: Vec<String>,
    /// Who pays.
    pub billing: Billing,
}

/// Who pays for priced tools: e-mail addresses of accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Billing {
    /// Unless an agent has its own. Nobody: priced tools cannot be called.
    pub account: Option<String>,
    /// Agent → who pays for it.
    pub agents: BTreeMap<String, String>,
}

impl Billing {
    /// The address of the account that pays for an agent.
    pub fn payer_of(&self, agent: &str) -> Option<&str> {
        self.agents.get(agent).or(self.account.as_ref()).map(String::as_str)
    }
}

/// What `/tools/invoke` offers and allows, for one version of the catalog.
#[derive(Debug)]
pub struct GatewaySnapshot {
    /// How it is set up.
    pub setup: Arc<GatewaySetup>,
    /// By their paths, as the chain knows them.
    offers: Vec<Arc<Offer>>,
    policies: CachedPolicies,
}

impl GatewaySnapshot {
    /// # Errors
    /// A sentence about what cannot be compiled.
    pub(super) fn new(setup: Arc<GatewaySetup>, snapshot: &Snapshot) -> Result<Self, String> {
        let offers = snapshot.gateway_offers(&setup.namespaces)?;
        let names = catalog_of(&offers);
        let sources = PolicySources { schema: setup.schema, policies: setup.base };
        let policies =
            setup.policy.compile(&setup.dialect.chain, sources, &names).map_err(|error| error.to_string())?;
        Ok(Self { setup, offers, policies: CachedPolicies::new(policies, DECISION_CACHE_ENTRIES_MAX) })
    }

    /// The policies in force, the chain among them.
    pub const fn policies(&self) -> &CachedPolicies {
        &self.policies
    }

    /// The tool that a caller means, and its place in the chain: by its name where that is clear, or by
    /// `namespace/name`.
    pub fn find_offer(&self, name: &str) -> Option<(ToolIndex, &Arc<Offer>)> {
        let tool = self.policies.policies().chain()?.find_tool(name)?;
        self.offers.get(tool.usize()).map(|offer| (tool, offer))
    }

    /// What of the chain applies to a session.
    pub fn scope(&self, session: &Session, hints: &Hints, is_owner: bool) -> Option<Scope> {
        Some(self.policies.policies().chain()?.scope(&session_facts(session, hints, is_owner)))
    }

    /// The paths of the tools that the chain leaves to a session.
    pub fn available(&self, scope: &Scope) -> Vec<String> {
        let tools = self.policies.policies().chain().map(|chain| chain.available(scope)).unwrap_or_default();
        tools.iter().filter_map(|tool| self.offers.get(tool.usize())).map(|offer| offer.path.clone()).collect()
    }
}

impl Snapshot {
    /// The tools that `/tools/invoke` offers from these namespaces, with core and built-in ones, in the order in which a
    /// chain is compiled with them.
    ///
    /// # Errors
    /// A sentence about a built-in tool that cannot be made. None is known.
    pub fn gateway_offers(&self, namespaces: &[String]) -> Result<Vec<Arc<Offer>>, String> {
        let mut offers: Vec<Arc<Offer>> = self.core.values().cloned().collect();
        for builtin in Builtin::ALL {
            // A declared core tool stands over a built-in one.
            if !self.core.contains_key(builtin.as_str()) {
                offers.push(Arc::new(builtin_offer(*builtin)?));
            }
        }
        let listed = namespaces.iter().filter_map(|namespace| self.offers.get(namespace));
        offers.extend(listed.flat_map(HashMap::values).cloned());
        offers.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(offers)
    }
}

/// What a chain is compiled with.
pub fn catalog_of(offers: &[Arc<Offer>]) -> Vec<CatalogTool<'_>> {
    offers.iter().map(|offer| catalog_tool(offer)).collect()
}

fn catalog_tool(offer: &Offer) -> CatalogTool<'_> {
    let namespace = offer.seller.as_ref().map(|seller| seller.namespace.name.as_str());
    CatalogTool { name: &offer.tool.name, namespace }
}

/// What the chain is told of a session. Over HTTP nobody writes, and the model is the agent's.
pub fn session_facts<'a>(session: &'a Session, hints: &'a Hints, is_owner: bool) -> SessionFacts<'a> {
    SessionFacts {
        session_key: &session.given,
        channel: hints.channel.as_deref(),
        account: hints.account.as_deref(),
        sender: SenderFacts::default(),
        model: None,
        is_owner,
    }
}

/// Built-in tools cost nothing and have the same identifier everywhere.
fn builtin_offer(builtin: Builtin) -> Result<Offer, String> {
    let id_of = |kind: &str| {
        let digest = sha256(format!("builtin {kind} {builtin}").as_bytes());
        Uuid::from_slice(digest.split_at(16).0).map_err(|error| error.to_string())
    };
    let id = ToolId::from(id_of("tool")?);
    let spec = PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some("0".to_owned()),
        ..PricingSpec::default()
    };
    let price = Price::from_spec(PriceVersionId::from(id_of("price")?), 0, &spec).map_err(|error| error.to_string())?;
    Ok(Offer {
        name: id.to_string(),
        path: builtin.as_str().to_owned(),
        seller: None,
        payable: LedgerAccountId::PLATFORM_FEE,
        tool: Tool {
            id,
            namespace: None,
            name: builtin.as_str().to_owned(),
            short_description: builtin.short_description().to_owned(),
            long_description: String::new(),
            schema: ArgumentSchema::compile(builtin.input_schema()).map_err(|error| error.to_string())?,
            input_schema_text: builtin.input_schema().into(),
            upstream: Arc::new(UpstreamTarget::Builtin(builtin)),
            tier: Tier::Unverified,
            visibility: Visibility::Public,
            state: ToolState::Active,
            prices: PriceBook::new([price]),
        },
    })
}
