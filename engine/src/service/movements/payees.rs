//! Who can be paid, how much, and what they were paid.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Movement, PaidOut, Payee};
use crate::{
    credits::Credits,
    id::{EntryId, PartnerId, PublisherId},
    ledger::{LedgerAccountId, movement::Turnover},
    service::{
        Services,
        movements::MovementError,
        paging::{Listed, PAGE_READ},
    },
    store::{StoreError, entity, journal},
};

/// Which of those who can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayeeKind {
    /// Who sells tools.
    Publishers,
    /// Platforms, for their margin.
    Partners,
}

/// Somebody who can be paid, with what there is to pay. Amounts are micro-credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayeeBalance {
    /// Who.
    pub payee: Payee,
    /// What they have earned and not been paid.
    pub payable: Credits,
    /// What they owe, which is kept first.
    pub owed: Credits,
}

impl PayeeBalance {
    /// What a payout of everything would pay.
    pub fn due(&self) -> Credits {
        self.payable.checked_sub(self.owed).unwrap_or_default().max(Credits::ZERO)
    }
}

/// A payout and who got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidPayee {
    /// The order.
    pub movement: Movement,
    /// The name of who was paid.
    pub name: String,
    /// What was paid, in micro-credits.
    pub paid: Credits,
    /// What was kept for a debt, in micro-credits.
    pub netted: Credits,
}

impl Services {
    /// Those who can be paid with what there is to pay them, the newest first, from behind the one named by `after`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list_payees(&self, kind: PayeeKind, after: Option<Uuid>) -> Result<Listed<PayeeBalance>, StoreError> {
        // Along the primary keys.
        let listed = match kind {
            PayeeKind::Publishers => {
                use entity::publisher::Column;
                let mut query = entity::publisher::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
                if let Some(after) = after {
                    query = query.filter(Column::Id.lt(after));
                }
                let rows = query.all(self.db.readers()).await?;
                Listed::of(rows, |row| row.id.as_simple().to_string()).map(|row| publisher(&row))
            }
            PayeeKind::Partners => {
                use entity::partner::Column;
                let mut query = entity::partner::Entity::find().order_by_desc(Column::Id).limit(PAGE_READ);
                if let Some(after) = after {
                    query = query.filter(Column::Id.lt(after));
                }
                let rows = query.all(self.db.readers()).await?;
                Listed::of(rows, |row| row.id.as_simple().to_string()).map(|row| partner(&row))
            }
        };
        let accounts: Vec<_> = listed.rows.iter().flat_map(|row| [row.account, row.account.receivable()]).collect();
        let turnovers = journal::load_turnovers(&self.db, &accounts).await?;
        Ok(listed.map(|payee| balance(payee, &turnovers)))
    }

    /// What there is to pay to somebody.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_payee_balance(&self, payee: &Payee) -> Result<PayeeBalance, StoreError> {
        let accounts = [payee.account, payee.account.receivable()];
        let turnovers = journal::load_turnovers(&self.db, &accounts).await?;
        Ok(balance(payee.clone(), &turnovers))
    }

    /// The payouts, the newest first, from behind the one named by `after`; only those to `payee` if that is given.
    ///
    /// # Errors
    /// The database cannot be read, or holds an order that makes no sense.
    pub async fn list_payouts(
        &self,
        payee: Option<&Payee>,
        after: Option<Uuid>,
    ) -> Result<Listed<PaidPayee>, StoreError> {
        use entity::payout::Column;
        // Along the primary key, or by `payout_account`.
        let mut query = entity::payout::Entity::find().order_by_desc(Column::TxnId).limit(PAGE_READ);
        if let Some(payee) = payee {
            query = query.filter(Column::Account.eq(payee.account.raw()));
        }
        if let Some(after) = after {
            query = query.filter(Column::TxnId.lt(after));
        }
        let listed = Listed::of(query.all(self.db.readers()).await?, |row| row.txn_id.as_simple().to_string());
        let accounts: Vec<i64> = listed.rows.iter().map(|row| row.account).collect();
        let names = self.names_of(&accounts).await?;
        let mut rows = Vec::with_capacity(listed.rows.len());
        for row in &listed.rows {
            let id = EntryId::from(row.txn_id);
            let missing = || StoreError::Inconsistent { table: "movement", what: id.to_string() };
            rows.push(PaidPayee {
                movement: self.find_order(id).await?.ok_or_else(missing)?,
                name: names.get(&row.account).cloned().unwrap_or_default(),
                paid: Credits::from_micros(row.paid),
                netted: Credits::from_micros(row.netted),
            });
        }
        Ok(Listed { rows, next: listed.next })
    }

    /// A payout with its statement, and who got it.
    ///
    /// # Errors
    /// The database cannot be read, or holds an order that makes no sense.
    pub async fn find_payout(&self, id: EntryId) -> Result<Option<(Movement, Payee, PaidOut)>, MovementError> {
        let found = entity::payout::Entity::find_by_id(id.uuid()).one(self.db.readers()).await;
        if found.map_err(StoreError::from)?.is_none() {
            return Ok(None);
        }
        let Some(movement) = self.find_order(id).await? else { return Ok(None) };
        let payee = self.find_payee(&movement.subject).await?;
        let paid = self.load_payout(&payee, id, false).await?;
        Ok(Some((movement, payee, paid)))
    }

    /// Whose these accounts are.
    async fn names_of(&self, accounts: &[i64]) -> Result<HashMap<i64, String>, StoreError> {
        let publishers = entity::publisher::Entity::find()
            .filter(entity::publisher::Column::Payable.is_in(accounts.iter().copied()))
            .all(self.db.readers())
            .await?;
        let partners = entity::partner::Entity::find()
            .filter(entity::partner::Column::Margin.is_in(accounts.iter().copied()))
            .all(self.db.readers())
            .await?;
        let publishers = publishers.into_iter().map(|row| (row.payable, row.slug));
        Ok(publishers.chain(partners.into_iter().map(|row| (row.margin, row.name))).collect())
    }
}

fn publisher(row: &entity::publisher::Model) -> Payee {
    let account = LedgerAccountId::from_raw(row.payable);
    Payee { id: PublisherId::from(row.id).to_string(), name: row.slug.clone(), account }
}

fn partner(row: &entity::partner::Model) -> Payee {
    let account = LedgerAccountId::from_raw(row.margin);
    Payee { id: PartnerId::from(row.id).to_string(), name: row.name.clone(), account }
}

fn balance(payee: Payee, turnovers: &HashMap<LedgerAccountId, Turnover>) -> PayeeBalance {
    let turnover = |account: LedgerAccountId| turnovers.get(&account).copied().unwrap_or_default();
    let (earned, debt) = (turnover(payee.account), turnover(payee.account.receivable()));
    let of = |from: i64, to: i64| Credits::from_micros(to.saturating_sub(from)).max(Credits::ZERO);
    PayeeBalance { payable: of(earned.debits, earned.credits), owed: of(debt.credits, debt.debits), payee }
}
