//! What operators have done with money, as lists show it.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::MovementKind;
use crate::{
    credits::Credits,
    id::{AccountId, EntryId},
    service::{
        Services,
        paging::{Listed, PAGE_READ},
    },
    store::{StoreError, entity, journal},
};

/// Which movements are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MovementFilter {
    /// Of one of these kinds; empty: of any.
    pub kinds: Vec<MovementKind>,
    /// About this object, by its public identifier: a charge (`ent_…`), an account, a purchase, a publisher, a partner.
    pub subject: Option<String>,
}

/// What an operator has ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Its name; the ledger's transaction or hold has the same.
    pub id: EntryId,
    /// What it is.
    pub kind: MovementKind,
    /// Whom or what it is about, by its public identifier.
    pub subject: String,
    /// How much money moved, or is held; `None` where none did.
    pub credits: Option<Credits>,
    /// Why.
    pub reason: String,
    /// When, in microseconds since the Unix epoch.
    pub created_us: i64,
}

impl Services {
    /// The movements that `filter` wants, grants among them, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read, or holds a movement that makes no sense.
    pub async fn list_movements(
        &self,
        filter: &MovementFilter,
        after: Option<Uuid>,
    ) -> Result<Listed<Movement>, StoreError> {
        let wants = |kind: MovementKind| filter.kinds.is_empty() || filter.kinds.contains(&kind);
        let mut found = Vec::new();
        if MovementKind::ALL.into_iter().any(|(kind, _)| kind != MovementKind::Grant && wants(kind)) {
            found.extend(self.list_orders(filter, after).await?);
        }
        if wants(MovementKind::Grant) {
            found.extend(self.list_given(filter, after).await?);
        }
        // Names rise with time, in both tables alike.
        found.sort_by_key(|movement| std::cmp::Reverse(movement.id));
        let mut listed = Listed::of(found, |movement| movement.id.uuid().as_simple().to_string());
        self.fill_amounts(&mut listed.rows).await?;
        Ok(listed)
    }

    /// What was ordered under this key, if anything was.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_movement_by_key(&self, key: &str) -> Result<Option<EntryId>, StoreError> {
        let wanted = entity::movement::Column::Key.eq(key);
        let found = entity::movement::Entity::find().filter(wanted).one(self.db.readers()).await?;
        Ok(found.map(|row| EntryId::from(row.id)))
    }

    /// Orders have a table of their own. It is read along its primary key, or by `movement_subject`: operators give orders,
    /// so that even all of them are few beside the calls.
    async fn list_orders(&self, filter: &MovementFilter, after: Option<Uuid>) -> Result<Vec<Movement>, StoreError> {
        use entity::movement::Column;
        let mut query = entity::movement::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
        if !filter.kinds.is_empty() {
            query = query.filter(Column::Kind.is_in(filter.kinds.iter().map(|kind| kind.as_str())));
        }
        if let Some(subject) = &filter.subject {
            query = query.filter(Column::Subject.eq(subject));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        query.all(self.db.readers()).await?.into_iter().map(order).collect()
    }

    /// Grants, along their primary key, or by `credit_grant_account`.
    async fn list_given(&self, filter: &MovementFilter, after: Option<Uuid>) -> Result<Vec<Movement>, StoreError> {
        use entity::credit_grant::Column;
        let mut query = entity::credit_grant::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
        if let Some(subject) = &filter.subject {
            // Grants are about accounts.
            let Ok(account) = subject.parse::<AccountId>() else { return Ok(Vec::new()) };
            query = query.filter(Column::AccountId.eq(account.uuid()));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.lt(after));
        }
        Ok(query.all(self.db.readers()).await?.into_iter().map(given).collect())
    }

    /// An order or a grant by its name, with its amount.
    pub(super) async fn find_order(&self, id: EntryId) -> Result<Option<Movement>, StoreError> {
        let found = entity::movement::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let found = match found {
            Some(row) => Some(order(row)?),
            None => entity::credit_grant::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?.map(given),
        };
        let Some(movement) = found else { return Ok(None) };
        let mut filled = [movement];
        self.fill_amounts(&mut filled).await?;
        let [movement] = filled;
        Ok(Some(movement))
    }

    /// Where "all of it" was ordered, the books say how much that was.
    pub(super) async fn fill_amounts(&self, movements: &mut [Movement]) -> Result<(), StoreError> {
        let open = |movement: &Movement| movement.credits.is_none();
        let ids: Vec<EntryId> =
            movements.iter().filter(|movement| open(movement)).map(|movement| movement.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut amounts = journal::load_amounts(&self.db, &ids).await?;
        let disputed = entity::chargeback::Entity::find()
            .filter(entity::chargeback::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .all(self.db.readers())
            .await?;
        amounts.extend(disputed.iter().map(|row| (row.id.into(), Credits::from_micros(row.credits))));
        for movement in movements.iter_mut().filter(|movement| open(movement)) {
            movement.credits = amounts.get(&movement.id).copied();
        }
        Ok(())
    }
}

pub(super) fn order(row: entity::movement::Model) -> Result<Movement, StoreError> {
    let id = EntryId::from(row.id);
    let kind = MovementKind::from_word(&row.kind);
    Ok(Movement {
        id,
        kind: kind.ok_or_else(|| StoreError::Inconsistent { table: "movement", what: id.to_string() })?,
        subject: row.subject,
        credits: row.credits.map(Credits::from_micros),
        reason: row.reason,
        created_us: row.created_us,
    })
}

fn given(row: entity::credit_grant::Model) -> Movement {
    Movement {
        id: EntryId::from(row.id),
        kind: MovementKind::Grant,
        subject: AccountId::from(row.account_id).to_string(),
        credits: Some(Credits::from_micros(row.credits)),
        reason: row.reason,
        created_us: row.created_us,
    }
}
