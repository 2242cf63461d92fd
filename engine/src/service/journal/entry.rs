//! Everything that bears one name in the books, where it comes from, and how it is proven.

use sea_orm::EntityTrait;

use super::JournalRow;
use crate::{
    credits::Credits,
    id::{AccountId, EntryId, InvocationId, PurchaseId},
    ledger::{
        TransactionKind,
        chain::BatchHeader,
        fact::FactTable,
        leaf::{Digest, Entry, Position, leaf_hash},
    },
    service::Services,
    store::{
        StoreError,
        books::{self, FoundReceipt},
        entity,
        journal::{
            entries::{self, EndedHold, HeldEntry},
            pages::{self, Window},
        },
    },
};

/// How many transactions that take another one back are listed.
pub const TAKEN_BACK_LISTED_MAX: i64 = 50;

/// Everything that bears a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub id: EntryId,
    /// The hold.
    pub hold: Option<HeldEntry>,
    /// How it ended.
    pub end: Option<EndedHold>,
    /// The transaction: of a hold, its charge.
    pub transaction: Option<JournalRow>,
    /// How the transaction stands in the chain.
    pub place: Option<HashedPlace>,
    /// What took it back, the first [`TAKEN_BACK_LISTED_MAX`].
    pub taken_back_by: Vec<JournalRow>,
    /// Why it was made.
    pub cause: Option<Cause>,
}

/// How an entry stands in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashedPlace {
    /// Its place.
    pub position: Position,
    /// The hash of what its rows say now.
    pub leaf: Digest,
    /// Its batch.
    pub header: BatchHeader,
    /// The hash that is stored for the batch.
    pub hash: Digest,
    /// The newest checkpoint, if it vouches for the batch.
    pub checkpoint: Option<i64>,
}

impl HashedPlace {
    /// The batch's header is what was hashed.
    pub fn is_header_whole(&self) -> bool {
        self.header.hash() == self.hash
    }
}

/// Why something stands in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A call.
    Call(InvocationId),
    /// Somebody bought credits.
    Purchase {
        /// Which purchase.
        id: PurchaseId,
        /// Whose.
        account: AccountId,
    },
    /// An operator gave credits.
    Grant {
        /// To whom.
        account: AccountId,
        /// Why.
        reason: String,
    },
    /// An operator moved money.
    Movement {
        /// What it was.
        kind: String,
        /// Whom or what it is about.
        subject: String,
        /// How much was asked for; `None`: all that there was.
        credits: Option<Credits>,
        /// Why.
        reason: String,
    },
    /// A row that decides over money was made or changed.
    Fact {
        /// Of which table.
        table: &'static str,
    },
}

impl Services {
    /// Everything in the books that is called `id`; a call's hold and charge have the call's identifier. `None`: nothing is.
    ///
    /// # Errors
    /// The database cannot be read, or a row makes no sense.
    pub async fn find_named(&self, id: EntryId) -> Result<Option<Named>, StoreError> {
        let readers = self.db.readers();
        let mut transaction = match entries::find_transaction(readers, id).await? {
            Some(position) => self.load_transaction(position).await?,
            None => None,
        };
        let hold_id = transaction.as_ref().and_then(|row| row.entry.hold).unwrap_or(id);
        let hold = entries::find_hold(readers, hold_id).await?;
        let end = entries::find_end(readers, hold_id).await?;
        if let (None, Some(end)) = (&transaction, &end)
            && let Some(position) = entries::find_charge(readers, end).await?
        {
            transaction = self.load_transaction(position).await?;
        }
        if transaction.is_none() && hold.is_none() && end.is_none() {
            return Ok(None);
        }
        let mut taken_back_by = Vec::new();
        for position in entries::find_taken_back(readers, id, TAKEN_BACK_LISTED_MAX).await? {
            taken_back_by.extend(self.load_transaction(position).await?);
        }
        let place = match &transaction {
            Some(row) => self.find_hashed_place(row).await?,
            None => None,
        };
        let cause = self.find_cause(hold_id, id, transaction.as_ref()).await?;
        Ok(Some(Named { id, hold, end, transaction, place, taken_back_by, cause }))
    }

    /// The receipt for what is called `id`, from the books to signed checkpoints.
    ///
    /// # Errors
    /// The database cannot be read, or the books are damaged at this place: then nothing is proven.
    pub async fn find_receipt(&self, id: EntryId) -> Result<FoundReceipt, StoreError> {
        let place = self.db.place().clone();
        let found = tokio::task::spawn_blocking(move || books::find_receipt(&place, id)).await;
        found.map_err(|error| StoreError::Inconsistent { table: "batch", what: error.to_string() })?
    }

    async fn load_transaction(&self, Position { slot, seq }: Position) -> Result<Option<JournalRow>, StoreError> {
        let window = Window { slot, from: seq, before: seq.saturating_add(1) };
        let rows = pages::transactions(self.db.readers(), window, None, 1).await?;
        Ok(rows.into_iter().next().map(JournalRow::of))
    }

    async fn find_hashed_place(&self, row: &JournalRow) -> Result<Option<HashedPlace>, StoreError> {
        let position = row.position;
        let batch = entries::find_batch(self.db.readers(), position.slot, row.batch_no).await?;
        let Some((header, hash)) = batch else { return Ok(None) };
        let leaf = leaf_hash(position, &Entry::Transaction(row.entry.clone()), &mut Vec::new());
        let newest = self.find_newest_checkpoint().await?;
        let vouches = newest.map(|known| known.signed.checkpoint).filter(|checkpoint| {
            checkpoint.head_of(position.slot).is_some_and(|head| header.batch_no <= head.batch_no)
        });
        let checkpoint = vouches.map(|checkpoint| checkpoint.number);
        Ok(Some(HashedPlace { position, leaf, header, hash, checkpoint }))
    }

    /// What is called as the hold or the transaction in the tables of those who make such.
    async fn find_cause(
        &self,
        hold: EntryId,
        id: EntryId,
        transaction: Option<&JournalRow>,
    ) -> Result<Option<Cause>, StoreError> {
        let readers = self.db.readers();
        if let Some(row) = transaction.filter(|row| row.entry.kind == TransactionKind::Fact) {
            let table = row.entry.reverses.and_then(FactTable::of_thing);
            return Ok(table.map(|table| Cause::Fact { table: table.table }));
        }
        if let Some(row) = entity::movement::Entity::find_by_id(id.uuid()).one(readers).await? {
            return Ok(Some(Cause::Movement {
                kind: row.kind,
                subject: row.subject,
                credits: row.credits.map(Credits::from_micros),
                reason: row.reason,
            }));
        }
        if let Some(row) = entity::credit_grant::Entity::find_by_id(id.uuid()).one(readers).await? {
            return Ok(Some(Cause::Grant { account: AccountId::from(row.account_id), reason: row.reason }));
        }
        if let Some(row) = entity::purchase::Entity::find_by_id(id.uuid()).one(readers).await? {
            return Ok(Some(Cause::Purchase {
                id: PurchaseId::from(row.id),
                account: AccountId::from(row.account_id),
            }));
        }
        let call = entity::invocation::Entity::find_by_id(hold.uuid()).one(readers).await?;
        Ok(call.map(|row| Cause::Call(InvocationId::from(row.id))))
    }
}
