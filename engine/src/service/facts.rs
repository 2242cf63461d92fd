//! States in the books what decides over money: whoever makes or changes such a row adds the statement to the same unit.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::Services;
use crate::{
    id::EntryId,
    ledger::{
        Post,
        fact::{
            ACCOUNT, CAP, Cell, LEDGER_ACCOUNT, PARTNER, POLICY_VERSION, PRICE_CANCELLATION, PRICE_VERSION, PUBLISHER,
            TOKEN,
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

impl Stated for entity::ledger_account::Model {
    fn state(&self, id: EntryId) -> Post {
        let values = [Cell::Text(&self.code), Cell::Int(self.kind.into()), Cell::Int(self.created_us)];
        LEDGER_ACCOUNT.state(id, Cell::Int(self.id), &values)
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

impl Services {
    /// Adds to `unit` that `row` is as it is from now on.
    pub(super) fn state(&self, unit: &mut UnitOfWork, row: &impl Stated, now_us: i64) {
        unit.post(row.state(EntryId::new(&*self.ids, now_us)));
    }

    /// States, once in the life of a database, what was there before statements were made. To be called before anything
    /// is changed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn complete_facts(&self) -> Result<(), StoreError> {
        use entity::{account, cap, ledger_account, partner, policy_version, price_version, publisher, token, version};
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
        for row in ledger_account::Entity::find().all(readers).await? {
            self.state(&mut unit, &row, now_us);
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
