//! Catalog and policies as one immutable value: what a call decides on comes from one snapshot, and its versions are
//! recorded. A change of either is a new snapshot, swapped in whole.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use sea_orm::{EntityTrait, QueryOrder};

use self::policies::Published;
pub(crate) use self::policies::{PUBLISHED, read_policy};
pub use self::{
    gateway::{Billing, GatewaySetup, GatewaySnapshot, session_facts},
    policies::PoliciesInForce,
};

use crate::{
    catalog::{
        ArgumentSchema, Listing, Manner, Namespace, NamespaceState, Publisher, PublisherState, SealedCredential, Tier,
        Tool, ToolState, Topics, Visibility,
    },
    id::{AccountId, NamespaceId, PriceVersionId, PublisherId, ToolId},
    ledger::LedgerAccountId,
    pricing::{Price, PriceBook},
    publishing::{arguments::SetArguments, rest::RestShape},
    service::{catalog::spec_from_json, publishing::sealed_credential},
    store::{Database, StoreError, entity},
    upstream::UpstreamTarget,
};

mod gateway;
mod policies;

/// How often the catalog is read again because it changed meanwhile.
const LOADS_MAX: usize = 20;

/// A tool with everything around it that a call needs.
#[derive(Debug)]
pub struct Offer {
    /// The tool.
    pub tool: Tool,
    /// Who sells it; nobody but the platform sells core tools.
    pub seller: Option<Seller>,
    /// Whose account in the ledger gets the charge, after the shares of others.
    pub payable: LedgerAccountId,
    /// For policies: `tol_…`.
    pub name: String,
    /// For policies: `namespace/tool`, or the plain name of a core tool.
    pub path: String,
}

/// Who sells a tool.
#[derive(Debug)]
pub struct Seller {
    /// The tool's namespace.
    pub namespace: Namespace,
    /// For policies: `nsp_…`.
    pub namespace_name: String,
    /// The namespace's publisher.
    pub publisher: Publisher,
    /// For policies: `pub_…`.
    pub publisher_name: String,
    /// The account that publishes it, if it is one's.
    pub owner: Option<AccountId>,
    /// What its server asks of whoever calls it.
    pub credential: Option<Arc<SealedCredential>>,
}

impl Offer {
    /// Whether whoever is signed in as `account` may know of it: it is public, or theirs. For everybody else there is no such
    /// tool.
    pub fn is_known_to(&self, account: Option<AccountId>) -> bool {
        let Some(seller) = &self.seller else { return true };
        let is_public = seller.namespace.is_public && self.tool.visibility == Visibility::Public;
        is_public || (account.is_some() && seller.owner == account)
    }
}

/// All that is offered, and what decides who may have it.
#[derive(Debug)]
pub struct Snapshot {
    version: i64,
    /// Rises with every publication.
    policy_count: i64,
    policies: Arc<PoliciesInForce>,
    offers: HashMap<String, HashMap<String, Arc<Offer>>>,
    core: HashMap<String, Arc<Offer>>,
    gateway: Option<Arc<GatewaySnapshot>>,
}

impl Snapshot {
    /// Rises with every change to the catalog.
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// Rises with every publication of a policy.
    pub(crate) const fn policy_count(&self) -> i64 {
        self.policy_count
    }

    /// What decides on calls of every surface.
    pub const fn policies(&self) -> &Arc<PoliciesInForce> {
        &self.policies
    }

    /// Finds a tool by its namespace and name.
    pub fn find_offer(&self, namespace: &str, tool: &str) -> Option<&Arc<Offer>> {
        self.offers.get(namespace)?.get(tool)
    }

    /// The slug and the tools of every namespace that has any, in no particular order.
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &Arc<Offer>>)> {
        self.offers.iter().map(|(slug, offers)| (&**slug, offers.values()))
    }

    /// The tools of a namespace, in no particular order; none if there is no such namespace.
    pub fn offers_of(&self, namespace: &str) -> impl Iterator<Item = &Arc<Offer>> {
        self.offers.get(namespace).into_iter().flat_map(HashMap::values)
    }

    /// Finds a core tool.
    pub fn find_core_tool(&self, name: &str) -> Option<&Arc<Offer>> {
        self.core.get(name)
    }

    /// Every core tool, in no particular order.
    pub fn core_tools(&self) -> impl Iterator<Item = &Arc<Offer>> {
        self.core.values()
    }

    /// What `/tools/invoke` offers and allows; `None` where this process does not serve it.
    pub const fn gateway(&self) -> Option<&Arc<GatewaySnapshot>> {
        self.gateway.as_ref()
    }

    /// Every tool of a namespace, in no particular order.
    pub fn offers(&self) -> impl Iterator<Item = &Arc<Offer>> {
        self.offers.values().flat_map(HashMap::values)
    }

    /// Reads the catalog, where the program's `own` policies decide. The versions are read first: a change in between
    /// makes the next look load again. What has not changed since `last` is not compiled again.
    ///
    /// Every change raises a version in its own transaction. Where one has risen while the tables were read, what was read
    /// may not fit together, and is read again.
    pub(crate) async fn load(
        db: &Database,
        own: &Arc<PoliciesInForce>,
        last: Option<&Arc<Self>>,
    ) -> Result<Self, StoreError> {
        let mut versions = read_versions(db).await?;
        for _ in 0..LOADS_MAX {
            let loaded = Self::read(db, &versions, own, last).await;
            let now = read_versions(db).await?;
            if versions == now {
                return loaded;
            }
            versions = now;
        }
        Self::read(db, &versions, own, last).await
    }

    async fn read(
        db: &Database,
        versions: &[entity::version::Model],
        own: &Arc<PoliciesInForce>,
        last: Option<&Arc<Self>>,
    ) -> Result<Self, StoreError> {
        let rows = CatalogRows::read(db).await?;
        let version = |name: &str| versions.iter().find(|row| row.name == name).map_or(0, |row| row.value);
        let empty = Self {
            version: version("catalog"),
            policy_count: version("policy"),
            policies: Arc::clone(own),
            offers: HashMap::new(),
            core: HashMap::new(),
            gateway: None,
        };
        let last = last.map(Arc::clone);
        // A large catalog keeps a processor busy for a while, on which requests wait.
        let filled = tokio::task::spawn_blocking(move || empty.filled(rows, last.as_deref()));
        filled.await.map_err(|error| inconsistent("tool", format!("the catalog could not be taken over: {error}")))?
    }

    fn filled(mut self, rows: CatalogRows, last: Option<&Self>) -> Result<Self, StoreError> {
        let publishers: HashMap<_, _> = rows.publishers.into_iter().map(|row| (row.id, row)).collect();
        let connections: HashMap<_, _> = rows.connections.into_iter().map(|row| (row.id, row)).collect();
        let namespaces: HashMap<_, _> = rows
            .namespaces
            .into_iter()
            .map(|row| {
                let connection = row.connection_id.and_then(|id| connections.get(&id));
                let credential = sealed_credential(&row, connection).map(Arc::new);
                Ok((row.id, NamespaceParts { listing: listing_from(&row)?, credential, row }))
            })
            .collect::<Result<_, StoreError>>()?;
        let taken_back: HashSet<_> = rows.cancellations.into_iter().map(|row| row.price_version_id).collect();
        let mut prices: HashMap<_, Vec<Price>> = HashMap::new();
        for row in rows.prices.into_iter().filter(|row| !taken_back.contains(&row.id)) {
            prices.entry(row.tool_id).or_default().push(price_from(&row)?);
        }
        for row in rows.tools {
            let versions = prices.remove(&row.id).unwrap_or_default();
            let Some(id) = row.namespace_id else {
                let known = last.and_then(|last| last.find_core_tool(&row.name));
                let offer = core_offer(row, versions, known)?;
                self.core.insert(offer.tool.name.clone(), Arc::new(offer));
                continue;
            };
            let parts = namespaces.get(&id).ok_or_else(|| inconsistent("tool", format!("`{}`", row.name)))?;
            let namespace = &parts.row;
            let publisher = publishers
                .get(&namespace.publisher_id)
                .ok_or_else(|| inconsistent("namespace", format!("`{}` has no publisher", namespace.name)))?;
            let known = last.and_then(|last| last.find_offer(&namespace.name, &row.name));
            let offer = offer_from(row, versions, parts, publisher, known)?;
            let tools = self.offers.entry(namespace.name.clone()).or_default();
            tools.insert(offer.tool.name.clone(), Arc::new(offer));
        }
        Ok(self)
    }

    /// The same with the gateway, where the published policy decides on every surface. If that cannot be compiled, the
    /// policies of `last` go on deciding.
    pub(crate) async fn with_gateway(
        mut self,
        db: &Database,
        setup: &Arc<GatewaySetup>,
        last: &Self,
    ) -> Result<Self, StoreError> {
        let published = Published::load(db).await?;
        let offers = setup.offers(&self).map_err(|what| inconsistent("tool", what))?;
        let gateway = GatewaySnapshot::renew(setup, offers, published, last.gateway()).await?;
        self.policies = Arc::clone(gateway.in_force());
        self.gateway = Some(Arc::new(gateway));
        Ok(self)
    }
}

/// A namespace with what its tools share.
struct NamespaceParts {
    row: entity::namespace::Model,
    listing: Arc<Listing>,
    credential: Option<Arc<SealedCredential>>,
}

/// The tables of the catalog.
struct CatalogRows {
    publishers: Vec<entity::publisher::Model>,
    namespaces: Vec<entity::namespace::Model>,
    connections: Vec<entity::connection::Model>,
    cancellations: Vec<entity::price_cancellation::Model>,
    prices: Vec<entity::price_version::Model>,
    tools: Vec<entity::tool::Model>,
}

impl CatalogRows {
    async fn read(db: &Database) -> Result<Self, StoreError> {
        let readers = db.readers();
        Ok(Self {
            publishers: entity::publisher::Entity::find().all(readers).await?,
            namespaces: entity::namespace::Entity::find().all(readers).await?,
            connections: entity::connection::Entity::find().all(readers).await?,
            cancellations: entity::price_cancellation::Entity::find().all(readers).await?,
            prices: entity::price_version::Entity::find()
                .order_by_asc(entity::price_version::Column::EffectiveFromUs)
                .all(readers)
                .await?,
            tools: entity::tool::Entity::find().all(readers).await?,
        })
    }
}

/// In the order of their names.
async fn read_versions(db: &Database) -> Result<Vec<entity::version::Model>, StoreError> {
    let sorted = entity::version::Entity::find().order_by_asc(entity::version::Column::Name);
    Ok(sorted.all(db.readers()).await?)
}

/// A tool that only the platform sells.
fn core_offer(row: entity::tool::Model, prices: Vec<Price>, known: Option<&Arc<Offer>>) -> Result<Offer, StoreError> {
    Ok(Offer {
        name: ToolId::from(row.id).to_string(),
        path: row.name.clone(),
        seller: None,
        payable: LedgerAccountId::PLATFORM_FEE,
        tool: tool_from(row, prices, known)?,
    })
}

fn offer_from(
    row: entity::tool::Model,
    prices: Vec<Price>,
    parts: &NamespaceParts,
    publisher: &entity::publisher::Model,
    known: Option<&Arc<Offer>>,
) -> Result<Offer, StoreError> {
    let namespace = &parts.row;
    let (namespace_id, publisher_id) = (NamespaceId::from(namespace.id), PublisherId::from(publisher.id));
    Ok(Offer {
        name: ToolId::from(row.id).to_string(),
        path: format!("{}/{}", namespace.name, row.name),
        seller: Some(Seller {
            namespace: Namespace {
                id: namespace_id,
                name: namespace.name.clone(),
                publisher: publisher_id,
                state: if namespace.is_suspended { NamespaceState::Suspended } else { NamespaceState::Active },
                is_public: is_public(namespace),
                listing: Arc::clone(&parts.listing),
            },
            namespace_name: namespace_id.to_string(),
            publisher: Publisher {
                id: publisher_id,
                display_name: publisher.display_name.clone(),
                share_bps: u16::try_from(publisher.share_bps)
                    .map_err(|_above| inconsistent("publisher", "share_bps".to_owned()))?,
                state: if publisher.is_suspended { PublisherState::Suspended } else { PublisherState::Active },
            },
            publisher_name: publisher_id.to_string(),
            owner: publisher.account_id.map(AccountId::from),
            credential: parts.credential.clone(),
        }),
        payable: LedgerAccountId::from_raw(publisher.payable),
        tool: tool_from(row, prices, known)?,
    })
}

fn tool_from(row: entity::tool::Model, prices: Vec<Price>, known: Option<&Arc<Offer>>) -> Result<Tool, StoreError> {
    let broken = |error: &dyn std::fmt::Display| inconsistent("tool", format!("`{}`: {error}", row.name));
    let manner = manner_from(&row).map_err(|error| broken(&error))?;
    // What callers see, and their arguments are checked against.
    let public_schema = match &manner.set_arguments {
        Some(set) => set.public_schema(&row.input_schema).map_err(|error| broken(&error))?,
        None => row.input_schema.clone(),
    };
    let same = known.filter(|offer| *offer.tool.input_schema_text == *public_schema);
    let (schema, input_schema_text) = if let Some(offer) = same {
        (offer.tool.schema.clone(), Arc::clone(&offer.tool.input_schema_text))
    } else {
        (ArgumentSchema::compile(&public_schema).map_err(|error| broken(&error))?, public_schema.into())
    };
    let visibility = Visibility::from_wire(&row.visibility).ok_or_else(|| broken(&"visibility"))?;
    let timeout = Duration::from_millis(u64::try_from(row.timeout_ms).unwrap_or(0));
    Ok(Tool {
        id: ToolId::from(row.id),
        namespace: row.namespace_id.map(NamespaceId::from),
        name: row.name,
        short_description: row.short_description,
        long_description: row.long_description,
        topics: Topics { category: row.category, tags: tags_from("tool", &row.tags)? },
        schema,
        input_schema_text,
        upstream: Arc::new(match row.upstream_tool {
            Some(tool) => UpstreamTarget::Mcp { url: row.upstream_url, tool, timeout },
            None => UpstreamTarget::Http { method: row.upstream_method, url: row.upstream_url, timeout },
        }),
        tier: if row.is_unverified_ok { Tier::Unverified } else { Tier::Standard },
        visibility,
        state: if row.is_suspended { ToolState::Suspended } else { ToolState::Active },
        prices: PriceBook::new(prices),
        manner,
    })
}

fn manner_from(row: &entity::tool::Model) -> Result<Manner, String> {
    let set_arguments = match (&row.static_args, &row.default_args) {
        (None, None) => None,
        (fixed, defaults) => {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let set = SetArguments::read(&text(fixed), &text(defaults)).map_err(|fault| fault.to_string())?;
            Some(Arc::new(set))
        }
    };
    let shape = row.rest.as_deref().map(RestShape::from_text).transpose().map_err(|fault| fault.to_string())?;
    Ok(Manner {
        example_prompts: serde_json::from_str(&row.example_prompts).map_err(|error| error.to_string())?,
        display_order: row.display_order,
        set_arguments,
        shape: shape.map(Arc::new),
    })
}

/// Whether a namespace was approved. One that is not was never in public, or is not any more.
fn is_public(row: &entity::namespace::Model) -> bool {
    row.status == NamespaceState::Active.as_str()
}

fn listing_from(row: &entity::namespace::Model) -> Result<Arc<Listing>, StoreError> {
    Ok(Arc::new(Listing {
        name: row.listing_name.clone(),
        description: row.description.clone(),
        topics: Topics { category: row.category.clone(), tags: tags_from("namespace", &row.tags)? },
        icon: row.icon.clone(),
    }))
}

fn tags_from(table: &'static str, text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|error| inconsistent(table, format!("tags: {error}")))
}

pub(crate) fn price_from(row: &entity::price_version::Model) -> Result<Price, StoreError> {
    let spec = spec_from_json(&row.spec).map_err(|what| inconsistent("price_version", what))?;
    Price::from_spec(PriceVersionId::from(row.id), row.effective_from_us, &spec)
        .map_err(|error| inconsistent("price_version", error.to_string()))
}

fn inconsistent(table: &'static str, what: String) -> StoreError {
    StoreError::Inconsistent { table, what }
}
