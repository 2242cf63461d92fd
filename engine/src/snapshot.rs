//! Catalog and policies as one immutable value: what a call decides on comes from one snapshot, and its versions are
//! recorded. A change of either is a new snapshot, swapped in whole.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

pub use self::{
    gateway::{Billing, GatewaySetup, GatewaySnapshot, session_facts},
    policies::PoliciesInForce,
};
pub(crate) use self::{
    offers::price_from,
    policies::{PUBLISHED, read_policy},
};
use self::{
    policies::Published,
    rows::{CatalogRows, read_versions},
};

use crate::{
    catalog::{Namespace, Publisher, SealedCredential, Tool, Visibility},
    id::AccountId,
    ledger::LedgerAccountId,
    store::{Database, StoreError, entity},
};

mod gateway;
mod offers;
mod policies;
mod rows;

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
    offers: HashMap<Arc<str>, Arc<Offers>>,
    /// Under which slug the tools of a namespace stand.
    slugs: HashMap<Uuid, Arc<str>>,
    core: Arc<Offers>,
    gateway: Option<Arc<GatewaySnapshot>>,
}

/// Tools of one namespace, or the core tools, by their names. Snapshots share those that have not changed.
type Offers = HashMap<String, Arc<Offer>>;

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
        self.offers.get(namespace).into_iter().flat_map(|offers| offers.values())
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
        self.offers.values().flat_map(|offers| offers.values())
    }

    /// Reads the catalog, where the program's `own` policies decide. The versions are read first: a change in between
    /// makes the next look load again. Of what has not changed since `last` nothing is read again.
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
        let version = |name: &str| versions.iter().find(|row| row.name == name).map_or(0, |row| row.value);
        let now = version("catalog");
        // An older one than was read is another database, restored from a backup.
        let changed = match last.filter(|last| last.version <= now) {
            Some(last) => rows::changed_since(db, last.version).await?,
            None => None,
        };
        let kept = last.filter(|_| changed.is_some());
        let empty = Self {
            version: now,
            policy_count: version("policy"),
            policies: Arc::clone(own),
            offers: kept.map(|last| last.offers.clone()).unwrap_or_default(),
            slugs: kept.map(|last| last.slugs.clone()).unwrap_or_default(),
            core: kept.map(|last| Arc::clone(&last.core)).unwrap_or_default(),
            gateway: None,
        };
        let (db, last) = (db.clone(), last.map(Arc::clone));
        // A large catalog keeps a processor busy for a while, on which requests wait: also with what reading its rows takes.
        let runtime = tokio::runtime::Handle::current();
        let filled = tokio::task::spawn_blocking(move || {
            let rows = runtime.block_on(CatalogRows::read(&db, changed.as_deref()))?;
            empty.without(changed.as_deref()).filled(rows, last.as_deref())
        });
        filled.await.map_err(|error| inconsistent("tool", format!("the catalog could not be taken over: {error}")))?
    }

    /// Without these namespaces; without any if none are named.
    fn without(mut self, changed: Option<&[Uuid]>) -> Self {
        for namespace in changed.unwrap_or_default() {
            if namespace.is_nil() {
                self.core = Arc::default();
            } else if let Some(slug) = self.slugs.remove(namespace) {
                self.offers.remove(&slug);
            }
        }
        self
    }

    fn filled(mut self, rows: CatalogRows, last: Option<&Self>) -> Result<Self, StoreError> {
        let (mut offers, mut core) = (HashMap::<Uuid, (Arc<str>, Offers)>::new(), Offers::new());
        let has_core = rows.tools.iter().any(|row| row.namespace_id.is_none());
        offers::each(rows, last, |namespace, offer| match namespace {
            None => drop(core.insert(offer.tool.name.clone(), Arc::new(offer))),
            Some((id, slug)) => {
                let (_, tools) = offers.entry(id).or_insert_with(|| (slug.into(), Offers::new()));
                tools.insert(offer.tool.name.clone(), Arc::new(offer));
            }
        })?;
        if has_core {
            self.core = Arc::new(core);
        }
        for (id, (slug, tools)) in offers {
            self.slugs.insert(id, Arc::clone(&slug));
            self.offers.insert(slug, Arc::new(tools));
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

fn inconsistent(table: &'static str, what: String) -> StoreError {
    StoreError::Inconsistent { table, what }
}
