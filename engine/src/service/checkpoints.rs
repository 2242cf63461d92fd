//! Signed checkpoints: made from time to time, kept in the database and outside of it, and sent to the auditors.
//!
//! Several servers make one checkpoint, not many: its number is given once, and whoever comes second finds it taken.

use std::{collections::BTreeMap, sync::Arc};

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{
    Services,
    outbox::{MailTemplate, NewMail},
};
use crate::{
    audit::{Action, Actor, OpContext},
    ledger::{
        batch::Done,
        checkpoint::{Checkpoint, NO_CHECKPOINT, OtherHead, SignedCheckpoint, SlotHead, trail_of},
        hex::hex,
        jsonl::checkpoint_view_with_key,
        leaf::Digest,
        merkle::Frontier,
        signing::{KeyError, NumberedKey, PublicKey, SigningKey, WrappingKey},
    },
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod by_hand;

/// How many checkpoints are listed at once.
pub const CHECKPOINTS_LISTED_MAX: u64 = 100;
/// How many batches' hashes are read at once.
const HASHES_READ: u64 = 10_000;
/// How often a number is taken anew that somebody else has taken at the same moment.
const TRIES_MAX: u32 = 16;
const DAY_US: i64 = 86_400_000_000;

/// When checkpoints are made, and who hears of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRules {
    /// At the soonest so long after the one before, in microseconds.
    pub every_us: i64,
    /// Who gets the first one of every day (UTC) by mail, and every one that hands over to a new key.
    pub auditors: Vec<String>,
}

/// What checkpoints are made with.
#[derive(Debug)]
pub struct CheckpointSetup {
    /// When, and for whom.
    pub rules: CheckpointRules,
    /// What the private parts of the keys are wrapped under.
    pub wrapping: WrappingKey,
}

/// Why there is no checkpoint or no new key.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key that signs cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// This process was not told how.
    #[error("this process has no key for checkpoints")]
    NotSetUp,
    /// Others changed the same thing over and over.
    #[error("somebody else makes checkpoints at the same moment: try again")]
    Busy,
}

/// A checkpoint with the key that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCheckpoint {
    /// The checkpoint.
    pub signed: SignedCheckpoint,
    /// The key.
    pub public: PublicKey,
}

impl KnownCheckpoint {
    /// As JSON.
    pub fn view(&self) -> serde_json::Value {
        checkpoint_view_with_key(&self.signed, &self.public)
    }
}

/// What the next checkpoint follows on.
struct Last {
    number: i64,
    made_us: i64,
    hash: Digest,
    /// Of every slot, its batch then.
    reached: BTreeMap<i64, i64>,
    heads: Vec<(i64, Digest)>,
    others: Vec<OtherHead>,
}

impl Last {
    fn of(last: Option<&SignedCheckpoint>) -> Self {
        let checkpoint = last.map(|signed| &signed.checkpoint);
        let heads = checkpoint.map(|checkpoint| checkpoint.heads.as_slice()).unwrap_or_default();
        Self {
            number: checkpoint.map_or(0, |checkpoint| checkpoint.number),
            made_us: checkpoint.map_or(i64::MIN, |checkpoint| checkpoint.made_us),
            hash: checkpoint.map_or(NO_CHECKPOINT, Checkpoint::hash),
            reached: heads.iter().map(|head| (head.slot, head.batch_no)).collect(),
            heads: heads.iter().map(|head| (head.slot, head.hash)).collect(),
            others: checkpoint.map(|checkpoint| checkpoint.others.clone()).unwrap_or_default(),
        }
    }
}

impl Services {
    /// Says how checkpoints are made: before that there are none.
    pub fn set_up_checkpoints(&self, setup: CheckpointSetup) {
        self.checkpoints.store(Some(Arc::new(setup)));
    }

    fn checkpoint_setup(&self) -> Result<Arc<CheckpointSetup>, CheckpointError> {
        self.checkpoints.load_full().ok_or(CheckpointError::NotSetUp)
    }

    /// Makes a checkpoint if one is due and something happened since the last one. Returns it if it was made here.
    ///
    /// # Errors
    /// The database failed, or the key cannot be used.
    pub async fn make_due_checkpoint(&self) -> Result<Option<KnownCheckpoint>, CheckpointError> {
        let every_us = self.checkpoint_setup()?.rules.every_us;
        self.make_checkpoint_after(&OpContext::system(), every_us, None).await
    }

    /// Makes a checkpoint now if something happened since the last one. Returns the last one there is.
    ///
    /// # Errors
    /// The database failed, or the key cannot be used.
    pub async fn make_checkpoint(&self, by: &OpContext) -> Result<Option<KnownCheckpoint>, CheckpointError> {
        if let Some(made) = self.make_checkpoint_after(by, 0, None).await? {
            return Ok(Some(made));
        }
        Ok(self.list_checkpoints(None).await?.into_iter().next())
    }

    async fn make_checkpoint_after(
        &self,
        by: &OpContext,
        every_us: i64,
        asked: Option<(Option<i64>, &str)>,
    ) -> Result<Option<KnownCheckpoint>, CheckpointError> {
        let setup = self.checkpoint_setup()?;
        let CheckpointSetup { rules, wrapping } = &*setup;
        let last = self.find_last_checkpoint().await?;
        let before = Last::of(last.as_ref());
        let now_us = self.clock.now_us().max(before.made_us);
        let seen = asked.and_then(|(seen, _)| seen);
        if now_us < before.made_us.saturating_add(every_us) || seen.is_some_and(|seen| seen != before.number) {
            return Ok(None);
        }
        let heads = self.load_heads(&before).await?;
        let others = self.load_other_heads().await?;
        let is_news = |heads: &[SlotHead]| {
            heads.iter().map(|head| (head.slot, head.hash)).ne(before.heads.iter().copied()) || others != before.others
        };
        if !is_news(&heads) {
            return Ok(None);
        }
        let mut unit = UnitOfWork::new();
        let key = self.load_or_make_key(&mut unit, wrapping, now_us).await?;
        let signed = sign(&before, (now_us, heads, others, None), &key)?;
        self.add_checkpoint(&mut unit, &signed);
        let known = KnownCheckpoint { signed, public: key.public() };
        if before.made_us.div_euclid(DAY_US) != now_us.div_euclid(DAY_US) {
            self.mail_to_auditors(&mut unit, rules, &known, now_us);
        }
        // A row for every checkpoint would be a reason for the next one.
        if by.actor == Actor::System {
            let saved = self.ledger.save(unit.unaudited("a checkpoint by the clock tells of itself")).await;
            return made(saved, known);
        }
        let told = by.entry(Action::CheckpointSign, "checkpoint", known.signed.checkpoint.number);
        let mut told = told.after(json!({"hash": hex(&known.signed.checkpoint.hash()), "key": key.number()}));
        if let Some((_, reason)) = asked {
            told = told.because(reason);
        }
        made(self.ledger.save(unit.audited(told)).await, known)
    }

    /// Makes a new key that signs from now on. A checkpoint that the old key signs hands over to it. Returns the new key.
    ///
    /// # Errors
    /// The database failed, the old key cannot be used, or others do the same all the time.
    pub async fn rotate_signing_key(&self, by: &OpContext) -> Result<NumberedKey, CheckpointError> {
        let setup = self.checkpoint_setup()?;
        let CheckpointSetup { rules, wrapping } = &*setup;
        for _ in 0..TRIES_MAX {
            let last = self.find_last_checkpoint().await?;
            let before = Last::of(last.as_ref());
            let now_us = self.clock.now_us().max(before.made_us);
            let (heads, others) = (self.load_heads(&before).await?, self.load_other_heads().await?);
            let mut unit = UnitOfWork::new();
            let old = self.load_or_make_key(&mut unit, wrapping, now_us).await?;
            let number = old.number().saturating_add(1);
            let new = self.add_key(&mut unit, wrapping, number, now_us)?;
            let signed = sign(&before, (now_us, heads, others, Some(new.public())), &old)?;
            self.add_checkpoint(&mut unit, &signed);
            // Always: whoever keeps only their mails needs what vouches for the new key, and this checkpoint may be the
            // first one of its day.
            self.mail_to_auditors(&mut unit, rules, &KnownCheckpoint { signed, public: old.public() }, now_us);
            let retired = by.entry(Action::KeyRetire, "signing_key", old.number());
            let made =
                by.entry(Action::KeyCreate, "signing_key", number).after(json!({"public_key": hex(&new.public())}));
            match self.ledger.save(unit.audited(retired).and([made])).await {
                Ok(_) => return Ok(NumberedKey { number, public: new.public(), from_us: now_us }),
                Err(NotSaved::Conflict { .. }) => {}
                Err(not_saved) => return Err(super::outbox::unexpected("signing_key", not_saved).into()),
            }
        }
        Err(CheckpointError::Busy)
    }

    /// The keys by their numbers: one signs until the next one does.
    ///
    /// # Errors
    /// The database cannot be read, or a row makes no sense.
    pub async fn list_signing_keys(&self) -> Result<Vec<NumberedKey>, StoreError> {
        let rows = entity::signing_key::Entity::find()
            .order_by_asc(entity::signing_key::Column::Number)
            .all(self.db.readers())
            .await?;
        rows.iter().map(numbered).collect()
    }

    /// The checkpoint with this number.
    ///
    /// # Errors
    /// The database cannot be read, or a row makes no sense.
    pub async fn find_checkpoint(&self, number: i64) -> Result<Option<KnownCheckpoint>, StoreError> {
        let row = entity::checkpoint::Entity::find_by_id(number).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(self.with_keys(vec![row]).await?.into_iter().next())
    }

    /// Checkpoints below `before`, newest first, at most [`CHECKPOINTS_LISTED_MAX`].
    ///
    /// # Errors
    /// The database cannot be read, or a row makes no sense.
    pub async fn list_checkpoints(&self, before: Option<i64>) -> Result<Vec<KnownCheckpoint>, StoreError> {
        let column = entity::checkpoint::Column::Number;
        let mut query = entity::checkpoint::Entity::find().order_by_desc(column).limit(CHECKPOINTS_LISTED_MAX);
        if let Some(before) = before {
            query = query.filter(column.lt(before));
        }
        let rows = query.all(self.db.readers()).await?;
        self.with_keys(rows).await
    }

    /// Checkpoints above `after`, oldest first, at most [`CHECKPOINTS_LISTED_MAX`]: for who keeps a copy of all.
    ///
    /// # Errors
    /// The database cannot be read, or a row makes no sense.
    pub async fn list_checkpoints_after(&self, after: i64) -> Result<Vec<KnownCheckpoint>, StoreError> {
        let column = entity::checkpoint::Column::Number;
        let query = entity::checkpoint::Entity::find().filter(column.gt(after)).order_by_asc(column);
        let rows = query.limit(CHECKPOINTS_LISTED_MAX).all(self.db.readers()).await?;
        self.with_keys(rows).await
    }

    async fn with_keys(&self, rows: Vec<entity::checkpoint::Model>) -> Result<Vec<KnownCheckpoint>, StoreError> {
        let keys = self.list_signing_keys().await?;
        let known = |row: &entity::checkpoint::Model| {
            let signed = read(row)?;
            let key = keys.iter().find(|key| key.number == signed.checkpoint.key);
            let public = key.ok_or_else(|| broken("signing_key", signed.checkpoint.key))?.public;
            Ok(KnownCheckpoint { signed, public })
        };
        rows.iter().map(known).collect()
    }

    async fn find_last_checkpoint(&self) -> Result<Option<SignedCheckpoint>, StoreError> {
        let query = entity::checkpoint::Entity::find().order_by_desc(entity::checkpoint::Column::Number);
        query.one(self.db.readers()).await?.as_ref().map(read).transpose()
    }

    /// Where every slot stands, with the root over what came since `before`.
    async fn load_heads(&self, before: &Last) -> Result<Vec<SlotHead>, StoreError> {
        let rows = entity::chain_head::Entity::find()
            .filter(entity::chain_head::Column::BatchNo.gt(0))
            .order_by_asc(entity::chain_head::Column::Slot)
            .all(self.db.readers())
            .await?;
        let mut heads = Vec::with_capacity(rows.len());
        for row in rows {
            let hash = row.hash.as_slice().try_into().map_err(|_length| broken("chain_head", row.slot))?;
            let after = before.reached.get(&row.slot).copied().unwrap_or(0);
            let span = self.root_of_span(row.slot, after, row.batch_no).await?;
            heads.push(SlotHead { slot: row.slot, batch_no: row.batch_no, seq: row.seq, hash, after, span });
        }
        Ok(heads)
    }

    async fn root_of_span(&self, slot: i64, after: i64, until: i64) -> Result<Digest, StoreError> {
        use entity::batch::{Column, Entity};
        let (mut frontier, mut reached) = (Frontier::default(), after);
        while reached < until {
            let rows = Entity::find()
                .filter(Column::Slot.eq(slot))
                .filter(Column::BatchNo.gt(reached))
                .filter(Column::BatchNo.lte(until))
                .order_by_asc(Column::BatchNo)
                .limit(HASHES_READ)
                .all(self.db.readers())
                .await?;
            for row in &rows {
                // A checkpoint over a gap would vouch for it.
                let expected = reached.saturating_add(1);
                let hash = row.hash.as_slice().try_into().ok().filter(|_| row.batch_no == expected);
                frontier.push(hash.ok_or_else(|| broken("batch", format!("{slot}/{expected}")))?);
                reached = expected;
            }
            if rows.is_empty() {
                return Err(broken("batch", format!("{slot}/{until}")));
            }
        }
        Ok(frontier.root())
    }

    /// Where the chains beside the books stand, by name.
    async fn load_other_heads(&self) -> Result<Vec<OtherHead>, StoreError> {
        use entity::audit_head::{Column, Entity};
        let rows = Entity::find().filter(Column::Seq.gt(0)).order_by_asc(Column::Slot).all(self.db.readers()).await?;
        let head = |row: entity::audit_head::Model| {
            let hash = row.hash.as_slice().try_into().map_err(|_length| broken("audit_head", row.slot))?;
            Ok(OtherHead { name: trail_of(row.slot), count: row.seq, hash })
        };
        rows.into_iter().map(head).collect()
    }

    /// The key that signs now; the first one is made when it is needed.
    async fn load_or_make_key(
        &self,
        unit: &mut UnitOfWork,
        wrapping: &WrappingKey,
        now_us: i64,
    ) -> Result<SigningKey, CheckpointError> {
        let newest = entity::signing_key::Entity::find().order_by_desc(entity::signing_key::Column::Number);
        let row = newest.one(self.db.readers()).await.map_err(StoreError::from)?;
        match row {
            Some(row) => Ok(wrapping.unwrap(&row.wrapped, row.number, &numbered(&row)?.public)?),
            None => self.add_key(unit, wrapping, 1, now_us),
        }
    }

    fn add_key(
        &self,
        unit: &mut UnitOfWork,
        wrapping: &WrappingKey,
        number: i64,
        from_us: i64,
    ) -> Result<SigningKey, CheckpointError> {
        let (mut seed, mut nonce) = ([0; 32], [0; 12]);
        (self.random)(&mut seed);
        (self.random)(&mut nonce);
        let key = SigningKey::from_seed(&seed, number)?;
        let wrapped = wrapping.wrap(&seed, nonce, number)?;
        let row = entity::signing_key::Model { number, public_key: key.public().to_vec(), wrapped, from_us };
        unit.one(self.db.backend(), &entity::signing_key::Entity::insert(row.into_active_model()));
        Ok(key)
    }

    fn mail_to_auditors(&self, unit: &mut UnitOfWork, rules: &CheckpointRules, known: &KnownCheckpoint, now_us: i64) {
        let data = mail_data(known);
        for auditor in &rules.auditors {
            let about = ("checkpoint", known.signed.checkpoint.number.to_string());
            let (template, data) = (MailTemplate::Checkpoint, data.clone());
            self.enqueue_mail(unit, NewMail { to: auditor, template, data, about, key: None }, now_us);
        }
    }

    fn add_checkpoint(&self, unit: &mut UnitOfWork, signed: &SignedCheckpoint) {
        let row = entity::checkpoint::Model {
            number: signed.checkpoint.number,
            body: signed.checkpoint.bytes(),
            signature: signed.signature.to_vec(),
        };
        unit.one(self.db.backend(), &entity::checkpoint::Entity::insert(row.into_active_model()));
    }
}

/// What a checkpoint says: when, the slots, the other chains, the key that takes over.
type Said = (i64, Vec<SlotHead>, Vec<OtherHead>, Option<PublicKey>);

fn sign(
    before: &Last,
    (made_us, heads, others, successor): Said,
    key: &SigningKey,
) -> Result<SignedCheckpoint, KeyError> {
    let checkpoint = Checkpoint {
        number: before.number.saturating_add(1),
        made_us,
        key: key.number(),
        prev_hash: before.hash,
        heads,
        others,
        successor,
    };
    let signature = key.sign(&checkpoint.bytes())?;
    Ok(SignedCheckpoint { checkpoint, signature })
}

/// The checkpoint, unless another server was first.
fn made(
    saved: Result<Vec<Done>, NotSaved>,
    known: KnownCheckpoint,
) -> Result<Option<KnownCheckpoint>, CheckpointError> {
    match saved {
        Ok(_) => Ok(Some(known)),
        Err(NotSaved::Conflict { .. }) => Ok(None),
        Err(not_saved) => Err(super::outbox::unexpected("checkpoint", not_saved).into()),
    }
}

fn mail_data(known: &KnownCheckpoint) -> serde_json::Value {
    let checkpoint = &known.signed.checkpoint;
    json!({
        "number": checkpoint.number,
        "made_us": checkpoint.made_us,
        "hash": hex(&checkpoint.hash()),
        "checkpoint": known.view().to_string(),
    })
}

fn broken(table: &'static str, what: impl ToString) -> StoreError {
    StoreError::Inconsistent { table, what: what.to_string() }
}

fn read(row: &entity::checkpoint::Model) -> Result<SignedCheckpoint, StoreError> {
    let checkpoint = Checkpoint::from_bytes(&row.body).filter(|checkpoint| checkpoint.number == row.number);
    let signature = row.signature.as_slice().try_into().ok();
    let both = checkpoint.zip(signature).map(|(checkpoint, signature)| SignedCheckpoint { checkpoint, signature });
    both.ok_or_else(|| broken("checkpoint", row.number))
}

fn numbered(row: &entity::signing_key::Model) -> Result<NumberedKey, StoreError> {
    let public = row.public_key.as_slice().try_into().map_err(|_length| broken("signing_key", row.number))?;
    Ok(NumberedKey { number: row.number, public, from_us: row.from_us })
}
