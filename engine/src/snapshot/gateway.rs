//! What `/tools/invoke` offers: core tools, built-in tools, and the tools of the namespaces that the gateway lists.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use uuid::Uuid;

use super::{Offer, PoliciesInForce, Published, Snapshot, inconsistent};
use crate::{
    catalog::{ArgumentSchema, Manner, Tier, Tool, ToolState, Topics, Visibility},
    dialect::Dialect,
    gateway::{
        builtin::Builtin,
        context::Hints,
        session_key::{Session, SessionSettings},
    },
    id::{PriceVersionId, ToolId},
    ledger::{LedgerAccountId, leaf::sha256},
    policy::{
        Policies, PolicySources, WrittenPolicy, WrittenPolicyError,
        chain::{CatalogTool, Scope, SenderFacts, SessionFacts, ToolIndex},
    },
    pricing::{Price, PriceBook, PricingSpec},
    store::StoreError,
    upstream::UpstreamTarget,
};

/// How the gateway is set up, the same for every snapshot until another setup replaces it. Who may use what is in the
/// published policy.
#[derive(Debug, Clone)]
pub struct GatewaySetup {
    /// The protocol it speaks.
    pub dialect: Dialect,
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

impl GatewaySetup {
    /// What the gateway offers of a catalog, by its paths.
    ///
    /// # Errors
    /// A sentence about what cannot be offered.
    pub fn offers(&self, snapshot: &Snapshot) -> Result<Vec<Arc<Offer>>, String> {
        let mut offers: Vec<Arc<Offer>> = snapshot.core.values().cloned().collect();
        for builtin in Builtin::ALL {
            // A declared core tool stands over a built-in one.
            if !snapshot.core.contains_key(builtin.as_str()) {
                offers.push(Arc::new(builtin_offer(*builtin)?));
            }
        }
        let listed = self.namespaces.iter().flat_map(|namespace| snapshot.offers_of(namespace));
        // Whoever calls here is nobody's publisher.
        offers.extend(listed.filter(|offer| offer.is_known_to(None)).cloned());
        offers.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(offers)
    }

    /// Checks a policy and makes it ready to decide on these offers.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn compile(&self, policy: &WrittenPolicy, offers: &[Arc<Offer>]) -> Result<Policies, WrittenPolicyError> {
        let names: Vec<CatalogTool<'_>> = offers.iter().map(|offer| catalog_tool(offer)).collect();
        policy.compile(&self.dialect.chain, self.sources(), &names)
    }

    /// The program's own part of the policies.
    pub const fn sources(&self) -> PolicySources<'static> {
        PolicySources { schema: self.schema, policies: self.base }
    }
}

/// What `/tools/invoke` offers and allows, for one version of catalog and policy.
#[derive(Debug)]
pub struct GatewaySnapshot {
    /// How it is set up.
    pub setup: Arc<GatewaySetup>,
    /// The sessions and agents of the policy.
    pub sessions: SessionSettings,
    /// By their paths, as the chain knows them.
    offers: Vec<Arc<Offer>>,
    policies: Arc<PoliciesInForce>,
}

impl GatewaySnapshot {
    /// Compiles the published policy for these offers, unless `last` has it compiled for the same ones. If it cannot be
    /// compiled, what `last` decides by stays in force.
    ///
    /// # Errors
    /// It cannot be compiled, and nothing was in force before.
    pub(super) async fn renew(
        setup: &Arc<GatewaySetup>,
        offers: Vec<Arc<Offer>>,
        published: Published,
        last: Option<&Arc<Self>>,
    ) -> Result<Self, StoreError> {
        let paths = |offers: &[Arc<Offer>]| offers.iter().map(|offer| offer.path.clone()).collect::<Vec<_>>();
        if let Some(last) = last
            && Arc::ptr_eq(&last.setup, setup)
            && last.policies.number() == published.number
            && paths(&last.offers) == paths(&offers)
        {
            return Ok(last.refreshed(&offers));
        }
        let number = published.number;
        let (for_setup, work) = (Arc::clone(setup), offers.clone());
        // A large document keeps a processor busy for a while.
        let compiled = tokio::task::spawn_blocking(move || {
            let policies = for_setup.compile(&published.written, &work).map_err(|error| error.to_string())?;
            Ok::<_, String>((SessionSettings::of(&published.written.chain), policies))
        });
        let error = match compiled.await {
            Ok(Ok((sessions, policies))) => {
                let policies = Arc::new(PoliciesInForce::new(number, policies));
                return Ok(Self { setup: Arc::clone(setup), sessions, offers, policies });
            }
            Ok(Err(error)) => error,
            Err(error) => error.to_string(),
        };
        let Some(last) = last else { return Err(inconsistent("policy_version", format!("{number}: {error}"))) };
        tracing::error!(
            error,
            published = number,
            in_force = last.policies.number(),
            "the published policy cannot be used; an older one stays in force"
        );
        Ok(last.refreshed(&offers))
    }

    /// Decides as before, on the same tools as they are now.
    fn refreshed(&self, offers: &[Arc<Offer>]) -> Self {
        let now: HashMap<&str, &Arc<Offer>> = offers.iter().map(|offer| (offer.path.as_str(), offer)).collect();
        let same = self.offers.iter().map(|offer| Arc::clone(now.get(offer.path.as_str()).copied().unwrap_or(offer)));
        Self {
            setup: Arc::clone(&self.setup),
            sessions: self.sessions.clone(),
            offers: same.collect(),
            policies: Arc::clone(&self.policies),
        }
    }

    /// What is offered, in the order that the chain knows.
    pub fn offers(&self) -> &[Arc<Offer>] {
        &self.offers
    }

    /// The policies in force, the chain among them.
    pub(super) const fn in_force(&self) -> &Arc<PoliciesInForce> {
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

    /// The paths of the active tools that the chain leaves to a session.
    pub fn available(&self, scope: &Scope) -> Vec<String> {
        let tools = self.policies.policies().chain().map(|chain| chain.available(scope)).unwrap_or_default();
        let offers = tools.iter().filter_map(|tool| self.offers.get(tool.usize()));
        let active = offers.filter(|offer| offer.tool.state == ToolState::Active);
        active.map(|offer| offer.path.clone()).collect()
    }
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
            topics: Topics::default(),
            schema: ArgumentSchema::compile(builtin.input_schema()).map_err(|error| error.to_string())?,
            input_schema_text: builtin.input_schema().into(),
            upstream: Arc::new(UpstreamTarget::Builtin(builtin)),
            tier: Tier::Unverified,
            visibility: Visibility::Public,
            state: ToolState::Active,
            prices: PriceBook::new([price]),
            manner: Manner::default(),
        },
    })
}
