//! The catalog. What a file declares is planned against the database, then written in one unit; what operators add, change
//! and stop is written one thing at a time.
//!
//! An item is imported when its fingerprint differs from the one last imported; otherwise the database stands, edited
//! or not. Nothing is ever deleted here.

use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, ExprTrait as _},
};

use self::import::Import;
use super::{Services, facts::Opened};
use crate::{
    audit::OpContext,
    ledger::{AccountKind, LedgerAccountId},
    pricing::PriceError,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod change;
mod create;
mod declared;
mod fault;
mod import;
mod latency;
mod list;
mod rows;
mod spec;
mod switches;
mod terms;
mod trail;

pub use change::PublisherChange;
pub use create::{Making, NewNamespace, NewPublisher, NewTool};
pub use declared::{
    DeclaredAccount, DeclaredCap, DeclaredCatalog, DeclaredNamespace, DeclaredPartner, DeclaredPublisher,
    DeclaredToken, DeclaredTool,
};
pub use fault::{CatalogError, TermFault};
pub use latency::Latency;
pub use list::{
    Earnings, NamespaceProfile, PublisherFilter, PublisherProfile, ToolDetail, ToolFilter, ToolProfile, ToolStanding,
};
pub(super) use rows::{PublisherTerms, blank_namespace, blank_tool, tags_to_json};
pub use spec::{spec_from_json, spec_to_json};
pub use switches::{RECENT_CALLS_MAX, RecentCalls, STOPPED_NAMED_MAX, Switch, SwitchEffect};
pub(super) use terms::facts_of;
pub use terms::{NamespaceTerms, ToolTerms};
pub(super) use trail::{namespace_facts, price_facts, without_secrets};

/// How often an import is planned anew because somebody else changed the catalog at the same moment.
const IMPORT_TRIES_MAX: u32 = 8;
/// By how many micro-credits a new wallet may be overdrawn.
const NO_OVERDRAFT: i64 = 0;

/// What an import does with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Create,
    /// It differs from what was imported last.
    Update,
}

/// One line of a plan. Items that stay as they are have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    /// For example `tool:acme/note_add`.
    pub item: String,
    /// What happens to it.
    pub change: Change,
}

/// Why a catalog was not imported. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A price makes no sense.
    #[error("{item}: {source}")]
    Price {
        /// The tool.
        item: String,
        /// Why.
        source: PriceError,
    },
    /// A tool's schema cannot be used, or a name is not allowed.
    #[error("{item}: {message}")]
    Item {
        /// Which.
        item: String,
        /// Why.
        message: String,
    },
    /// The database could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The unit was not written.
    #[error("the catalog was not imported: {0}")]
    NotSaved(#[from] NotSaved),
}

impl Services {
    /// What importing `catalog` would change.
    ///
    /// # Errors
    /// Something declared makes no sense, or the database cannot be read.
    pub async fn plan_import(&self, catalog: &DeclaredCatalog) -> Result<Vec<PlannedChange>, ImportError> {
        Ok(self.prepare_import(&OpContext::system(), catalog).await?.plan)
    }

    /// Imports `catalog` and takes the new snapshot into use. Returns what changed.
    ///
    /// # Errors
    /// As for [`Self::plan_import`]; or the database changed in the meantime.
    pub async fn import(&self, by: &OpContext, catalog: &DeclaredCatalog) -> Result<Vec<PlannedChange>, ImportError> {
        let mut tries = 0;
        loop {
            let before = self.catalog_version().await?;
            let Import { mut unit, plan, trail, .. } = match self.prepare_import(by, catalog).await {
                Ok(import) => import,
                // Looked at table by table while another server was importing: what does not fit together may do so now.
                Err(ImportError::Item { .. })
                    if tries < IMPORT_TRIES_MAX && self.catalog_version().await? != before =>
                {
                    tries = tries.saturating_add(1);
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Every planned change is told.
            let mut trail = trail.into_iter();
            let Some(first) = trail.next() else { return Ok(plan) };
            for name in ["catalog", "access"] {
                self.bump_version(&mut unit, name);
            }
            match self.ledger.save(unit.audited(first).and(trail)).await {
                Ok(_) => {}
                // Servers that start together import the same: whoever comes second finds it done.
                Err(NotSaved::Conflict { .. }) if tries < IMPORT_TRIES_MAX => {
                    tries = tries.saturating_add(1);
                    continue;
                }
                Err(not_saved) => return Err(not_saved.into()),
            }
            self.reload_snapshot().await?;
            self.forget_access();
            return Ok(plan);
        }
    }

    pub(super) async fn catalog_version(&self) -> Result<i64, StoreError> {
        self.load_version("catalog").await
    }

    /// How far a version has risen.
    pub(super) async fn load_version(&self, name: &str) -> Result<i64, StoreError> {
        let row = entity::version::Entity::find_by_id(name).one(self.db.readers()).await?;
        Ok(row.map_or(0, |row| row.value))
    }

    /// Adds to `unit` that a version rises, if it still is `seen`: whatever was decided on is as it was.
    pub(super) fn bump_version_from(&self, unit: &mut UnitOfWork, name: &str, seen: i64) {
        let bump = entity::version::Entity::update_many()
            .col_expr(entity::version::Column::Value, Expr::col(entity::version::Column::Value).add(1))
            .filter(entity::version::Column::Name.eq(name))
            .filter(entity::version::Column::Value.eq(seen));
        unit.one(self.db.backend(), &bump).announce(self.db.backend());
    }

    /// Adds to `unit` that a version rises: `catalog`, `access`, `owners` or `policy`.
    pub(super) fn bump_version(&self, unit: &mut UnitOfWork, name: &str) {
        let bump = entity::version::Entity::update_many()
            .col_expr(entity::version::Column::Value, Expr::col(entity::version::Column::Value).add(1))
            .filter(entity::version::Column::Name.eq(name));
        unit.one(self.db.backend(), &bump).announce(self.db.backend());
    }

    async fn prepare_import<'s>(
        &'s self,
        by: &'s OpContext,
        catalog: &DeclaredCatalog,
    ) -> Result<Import<'s>, ImportError> {
        let mut import = Import::start(self, by).await?;
        for tool in &catalog.core_tools {
            import.core_tool(tool).await?;
        }
        for publisher in &catalog.publishers {
            import.publisher(publisher).await?;
        }
        for account in &catalog.accounts {
            import.account(account).await?;
        }
        for partner in &catalog.partners {
            import.partner(partner).await?;
        }
        Ok(import)
    }
}

impl Services {
    /// Adds to `unit` that a ledger account is opened, with a balance row if its kind is limited, and with the account of
    /// what its owner might owe if it is a payable. `owner` is the public
    /// form of whom it belongs to.
    pub(super) fn open_ledger_account(
        &self,
        unit: &mut UnitOfWork,
        kind: AccountKind,
        owner: &str,
        now_us: i64,
    ) -> LedgerAccountId {
        let id = unit.next_ledger_account(|| {
            let mut random = [0; 4];
            (self.random)(&mut random);
            LedgerAccountId::for_time(now_us, u32::from_ne_bytes(random))
        });
        let row = entity::ledger_account::Model {
            id: id.raw(),
            code: kind.code(owner),
            kind: kind.raw(),
            created_us: now_us,
            closed_us: None,
        };
        let overdraft = kind.is_limited().then_some(NO_OVERDRAFT);
        self.state(unit, &Opened { row: &row, overdraft }, now_us);
        unit.one(self.db.backend(), &entity::ledger_account::Entity::insert(row.into_active_model()));
        if kind == AccountKind::Payable {
            let kind = AccountKind::Receivable;
            let row = entity::ledger_account::Model {
                id: id.receivable().raw(),
                code: kind.code(owner),
                kind: kind.raw(),
                created_us: now_us,
                closed_us: None,
            };
            self.state(unit, &Opened { row: &row, overdraft: None }, now_us);
            unit.one(self.db.backend(), &entity::ledger_account::Entity::insert(row.into_active_model()));
        }
        if let Some(overdraft) = overdraft {
            let row = entity::wallet_balance::Model {
                account_id: id.raw(),
                credits: 0,
                debits: 0,
                held: 0,
                overdraft,
                version: 0,
            };
            unit.one(self.db.backend(), &entity::wallet_balance::Entity::insert(row.into_active_model()));
        }
        id
    }
}
