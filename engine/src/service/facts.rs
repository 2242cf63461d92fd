//! States in the books what decides over money: whoever makes or changes such a row adds the statement to the same unit.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::Services;
use crate::{
    id::EntryId,
    ledger::{
        Post,
        fact::{
            ACCOUNT, CAP, Cell, END_USER_WALLET, LEDGER_ACCOUNT, NAMESPACE, PARTNER, PARTNER_FUNDING, POLICY_VERSION,
            PRICE_CANCELLATION, PRICE_VERSION, PUBLISHER, TOKEN, TOOL,
        },
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

/// The row of `version` that says whether everything has been stated.
const COMPLETE: &str = "facts";

/// A row that is stated.
pub(super) trait Stated {
    /// The transaction `id` that states it.
    fn state(&self, id: EntryId) -> Post;
}

fn optional(value: Option<i64>) -> Cell<'static> {
    value.map_or(Cell::Null, Cell::Int)
}

impl Stated for entity::price_version::Model {
    fn state(&self, id: EntryId) -> Post {
        PRICE_VERSION.state(
            id,
            Cell::Bytes(self.id.as_bytes()),
            &[
                Cell::Bytes(self.tool_id.as_bytes()),
                Cell::Int(self.effective_from_us),
                Cell::Text(&self.spec),
                Cell::Int(self.created_us),
            ],
        )
    }
}

impl Stated for entity::cap::Model {
    fn state(&self, id: EntryId) -> Post {
        CAP.state(
            id,
            Cell::Bytes(self.id.as_bytes()),
            &[
                Cell::Bytes(self.owner_id.as_bytes()),
                Cell::Int(self.owner_kind.into()),
                Cell::Int(self.window.into()),
                Cell::Int(self.limit_credits),
                Cell::Int(self.created_us),
            ],
        )
    }
}

impl Stated for entity::publisher::Model {
    fn state(&self, id: EntryId) -> Post {
        PUBLISHER.state(
            id,
            Cell::Bytes(self.id.as_bytes()),
            &[
                Cell::Text(&self.slug),
                Cell::Int(self.share_bps.into()),
                Cell::Int(self.payable),
                Cell::Int(self.created_us),
            ],
        )
    }
}

impl Stated for entity::partner::Model {
    fn state(&self, id: EntryId) -> Post {
        PARTNER.state(
            id,
            Cell::Bytes(self.id.as_bytes()),
            &[
                Cell::Text(&self.name),
                Cell::Int(self.margin_bps.into()),
                Cell::Int(self.wallet),
                Cell::Int(self.margin),
                Cell::Int(self.created_us),
            ],
        )
    }
}

impl Stated for entity::partner_funding::Model {
    fn state(&self, id: EntryId) -> Post {
        PARTNER_FUNDING.state(id, Cell::Bytes(self.partner_id.as_bytes()), &[Cell::Int(self.created_us)])
    }
}

impl Stated for entity::end_user_wallet::Model {
    fn state(&self, id: EntryId) -> Post {
        END_USER_WALLET.state(
            id,
            Cell::Bytes(self.end_user_id.as_bytes()),
            &[
                Cell::Bytes(self.partner_id.as_bytes()),
                Cell::Int(self.wallet),
                Cell::Int(self.created_us),
                optional(self.ended_us),
            ],
        )
    }
}

impl Stated for entity::policy_version::Model {
    fn state(&self, id: EntryId) -> Post {
        POLICY_VERSION.state(
            id,
            Cell::Int(self.number),
            &[
                Cell::Text(&self.text),
                Cell::Bytes(&self.sha256),
                Cell::Text(&self.author),
                Cell::Text(&self.note),
                Cell::Text(&self.state),
                optional(self.replaces),
                Cell::Int(self.created_us),
                optional(self.published_us),
                optional(self.retired_us),
            ],
        )
    }
}

/// An account of the books, and by how many micro-credits it may be overdrawn if that is limited.
pub(super) struct Opened<'r> {
    /// The account.
    pub(super) row: &'r entity::ledger_account::Model,
    /// Of its row in `wallet_balance`, if it has one.
    pub(super) overdraft: Option<i64>,
}

impl Stated for Opened<'_> {
    fn state(&self, id: EntryId) -> Post {
        let Self { row, overdraft } = *self;
        let values =
            [Cell::Text(&row.code), Cell::Int(row.kind.into()), Cell::Int(row.created_us), optional(overdraft)];
        LEDGER_ACCOUNT.state(id, Cell::Int(row.id), &values)
    }
}

impl Stated for entity::account::Model {
    fn state(&self, id: EntryId) -> Post {
        ACCOUNT.state(id, Cell::Bytes(self.id.as_bytes()), &[Cell::Int(self.wallet), Cell::Int(self.created_us)])
    }
}

impl Stated for entity::token::Model {
    fn state(&self, id: EntryId) -> Post {
        let owner = |id: &Option<uuid::Uuid>| id.map(uuid::Uuid::into_bytes);
        let (account, partner) = (owner(&self.account_id), owner(&self.partner_id));
        TOKEN.state(
            id,
            Cell::Bytes(self.id.as_bytes()),
            &[
                account.as_ref().map_or(Cell::Null, |id| Cell::Bytes(id)),
                partner.as_ref().map_or(Cell::Null, |id| Cell::Bytes(id)),
                Cell::Bytes(&self.digest),
                Cell::Int(self.created_us),
                optional(self.revoked_us),
            ],
        )
    }
}

impl Stated for entity::price_cancellation::Model {
    fn state(&self, id: EntryId) -> Post {
        PRICE_CANCELLATION.state(id, Cell::Bytes(self.price_version_id.as_bytes()), &[Cell::Int(self.cancelled_us)])
    }
}

impl Stated for entity::namespace::Model {
    fn state(&self, id: EntryId) -> Post {
        let publisher = Cell::Bytes(self.publisher_id.as_bytes());
        let values = [Cell::Text(&self.name), publisher, Cell::Int(self.created_us)];
        NAMESPACE.state(id, Cell::Bytes(self.id.as_bytes()), &values)
    }
}

impl Stated for entity::tool::Model {
    fn state(&self, id: EntryId) -> Post {
        let namespace = self.namespace_id.map(uuid::Uuid::into_bytes);
        let namespace = namespace.as_ref().map_or(Cell::Null, |id| Cell::Bytes(id));
        let values = [namespace, Cell::Text(&self.name), Cell::Int(self.created_us)];
        TOOL.state(id, Cell::Bytes(self.id.as_bytes()), &values)
    }
}

impl Services {
    /// Adds to `unit` that `row` is as it is from now on.
    pub(super) fn state(&self, unit: &mut UnitOfWork, row: &impl Stated, now_us: i64) {
        unit.post(row.state(EntryId::new(&*self.ids, now_us)));
    }

    /// Adds to `unit` that `row` is gone from now on.
    pub(super) fn retract(&self, unit: &mut UnitOfWork, row: &impl Stated, now_us: i64) {
        unit.post(Post { meta: None, ..row.state(EntryId::new(&*self.ids, now_us)) });
    }

    /// States, once in the life of a database, what was there before statements were made. To be called before anything
    /// is changed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn complete_facts(&self) -> Result<(), StoreError> {
        use entity::{
            account, cap, ledger_account, namespace, partner, policy_version, price_version, publisher, token, tool,
            version, wallet_balance,
        };
        let readers = self.db.readers();
        let complete = version::Entity::find_by_id(COMPLETE).one(readers).await?;
        if complete.is_some_and(|row| row.value == 1) {
            return Ok(());
        }
        let (mut unit, now_us) = (UnitOfWork::new(), self.clock.now_us());
        let update = version::Entity::update_many()
            .col_expr(version::Column::Value, Expr::value(1))
            .filter(version::Column::Name.eq(COMPLETE))
            .filter(version::Column::Value.eq(0));
        unit.one(self.db.backend(), &update);
        let wallets = wallet_balance::Entity::find().all(readers).await?;
        let overdrafts: HashMap<_, _> = wallets.into_iter().map(|row| (row.account_id, row.overdraft)).collect();
        for row in ledger_account::Entity::find().all(readers).await? {
            let opened = Opened { row: &row, overdraft: overdrafts.get(&row.id).copied() };
            self.state(&mut unit, &opened, now_us);
        }
        for row in account::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        for row in token::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        for row in price_version::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        for row in cap::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        for row in publisher::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        for row in namespace::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        for row in tool::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        for row in partner::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        for row in policy_version::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
        }
        match self.ledger.save(unit.unaudited("the rows were told of when they were made")).await {
            // Another server was first.
            Ok(_) | Err(NotSaved::Conflict { .. }) => Ok(()),
            Err(not_saved) => Err(super::outbox::unexpected("version", not_saved)),
        }
    }
}
