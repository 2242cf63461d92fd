//! What is sealed under the master key, and what becomes of it when that one is replaced.
//!
//! Everything that is sealed is of one of [`SealedKind::ALL`], and is read and sealed anew in the same way: a page at a time,
//! each page in a unit of its own, beside a server that works. What the new key opens already stays as it is, so that a
//! rotation that was cut short goes on where it was when it is begun again.

use std::{fmt, sync::Arc};

use sea_orm::{EntityTrait, IntoActiveModel as _, sea_query::OnConflict};
use secrecy::zeroize::Zeroizing;

use super::{Services, outbox::unexpected};
use crate::{
    sealing::{NONCE_BYTES, SealError, Sealing},
    store::{StoreError, UnitOfWork, entity},
};

mod rotate;
mod rows;

pub use rotate::{Rotated, RotationError};
pub use rows::SealedKind;

/// How many rows of each kind are looked at for [`Services::survey_sealed`].
const SURVEYED_MAX: usize = 1_000;
/// The name of the key from which webhooks' secrets are made.
const WEBHOOKS: &str = "webhooks";

/// What is made from one master key, each for one purpose alone: 32 bytes. Wiped when dropped.
#[derive(Default)]
pub struct KeyMaterial {
    /// Tells one master key from another, and opens nothing.
    pub identity: Zeroizing<[u8; 32]>,
    /// What publishers' secrets are sealed under.
    pub credentials: Zeroizing<[u8; 32]>,
    /// What second factors are sealed under.
    pub factors: Zeroizing<[u8; 32]>,
    /// What signing keys are wrapped under.
    pub signing_keys: Zeroizing<[u8; 32]>,
    /// What payloads are sealed under.
    pub payloads: Zeroizing<[u8; 32]>,
    /// What keys are sealed under that outlive their master key.
    pub kept_keys: Zeroizing<[u8; 32]>,
    /// What webhooks' secrets are made from, where no such key is kept yet.
    pub webhooks: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaterial")
    }
}

/// What one master key opens and seals. `Debug` prints nothing of it.
pub struct SealingKeys {
    identity: Zeroizing<[u8; 32]>,
    credentials: Sealing,
    factors: Sealing,
    signing_keys: Sealing,
    payloads: Sealing,
    kept_keys: Sealing,
    webhooks: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKeys")
    }
}

impl SealingKeys {
    /// From what was made from a master key.
    ///
    /// # Errors
    /// The library fails.
    pub fn new(made: &KeyMaterial) -> Result<Self, SealError> {
        Ok(Self {
            identity: made.identity.clone(),
            credentials: Sealing::new(&made.credentials)?,
            factors: Sealing::new(&made.factors)?,
            signing_keys: Sealing::new(&made.signing_keys)?,
            payloads: Sealing::new(&made.payloads)?,
            kept_keys: Sealing::new(&made.kept_keys)?,
            webhooks: made.webhooks.clone(),
        })
    }

    /// Whether both are of one master key.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_called(&other.identity)
    }

    /// Whether it is the master key of which this is the [`KeyMaterial::identity`].
    pub fn is_called(&self, identity: &[u8; 32]) -> bool {
        *self.identity == *identity
    }

    const fn of(&self, kind: SealedKind) -> &Sealing {
        match kind {
            SealedKind::Connection | SealedKind::Namespace => &self.credentials,
            SealedKind::Factor => &self.factors,
            SealedKind::SigningKey => &self.signing_keys,
            SealedKind::KeptKey => &self.kept_keys,
            SealedKind::Payload => &self.payloads,
        }
    }
}

/// Why there is no key to make webhooks' secrets from.
#[derive(Debug, thiserror::Error)]
pub enum KeptKeyError {
    /// This process was not told how to open it.
    #[error("this process has no master key")]
    NotSetUp,
    /// It is sealed under another master key.
    #[error(
        "the master key is not the one that secrets were sealed under: put that one back, or run \
         `tollgate master-key rotate --old-key-file FILE` with it"
    )]
    Sealed(#[from] SealError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for KeptKeyError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// How much of one kind the master key of this process opens, of the rows that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survey {
    /// What it is.
    pub kind: SealedKind,
    /// So many it opens.
    pub opened: u64,
    /// So many it does not open: they were sealed under another one, or changed.
    pub closed: u64,
}

impl Services {
    /// Says which master key this process has.
    pub fn set_up_master_key(&self, keys: Arc<SealingKeys>) {
        self.master_key.store(Some(keys));
    }

    /// What webhooks' secrets are made from. The first one is made from the master key, and kept: it stays the same when that
    /// one is replaced.
    ///
    /// # Errors
    /// See [`KeptKeyError`].
    pub async fn webhook_root(&self) -> Result<Zeroizing<[u8; 32]>, KeptKeyError> {
        let keys = self.master_key.load_full().ok_or(KeptKeyError::NotSetUp)?;
        if let Some(found) = self.find_webhook_root(&keys).await? {
            return Ok(found);
        }
        // A database of before, whose master key was replaced before anything was kept: its webhooks have the old one's secrets.
        if self.survey_sealed(&keys).await?.iter().any(|survey| survey.closed > 0) {
            return Err(KeptKeyError::Sealed(SealError));
        }
        let mut unit = UnitOfWork::new();
        self.keep_webhook_root(&mut unit, &keys, &keys.webhooks, false)?;
        let saved = self.ledger.save(unit.unaudited("what was made from the master key is written down")).await;
        saved.map_err(|not_saved| unexpected("kept_key", not_saved))?;
        // Another server may have been first.
        self.find_webhook_root(&keys).await?.ok_or(KeptKeyError::Sealed(SealError))
    }

    async fn find_webhook_root(&self, keys: &SealingKeys) -> Result<Option<Zeroizing<[u8; 32]>>, KeptKeyError> {
        let row = entity::kept_key::Entity::find_by_id(WEBHOOKS).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let opened = keys.kept_keys.open(&row.sealed, &rows::bound_to_kept(WEBHOOKS))?;
        Ok(Some(Zeroizing::new(opened.as_slice().try_into().map_err(|_length| SealError)?)))
    }

    /// Adds to `unit` that `root` is kept under `keys`; where one is kept already, only if it `replaces` that.
    fn keep_webhook_root(
        &self,
        unit: &mut UnitOfWork,
        keys: &SealingKeys,
        root: &[u8; 32],
        replaces: bool,
    ) -> Result<(), SealError> {
        use entity::kept_key::{Column, Entity, Model};
        let mut nonce = [0; NONCE_BYTES];
        (self.random)(&mut nonce);
        let sealed = keys.kept_keys.seal(root, nonce, &rows::bound_to_kept(WEBHOOKS))?;
        let row = Model { name: WEBHOOKS.to_owned(), sealed, created_us: self.clock.now_us() };
        let mut conflict = OnConflict::column(Column::Name);
        let conflict = if replaces { conflict.update_column(Column::Sealed) } else { conflict.do_nothing() };
        unit.any(self.db.backend(), &Entity::insert(row.into_active_model()).on_conflict(conflict.to_owned()));
        Ok(())
    }

    /// How much of what is sealed the keys open: of each kind that there is, at most a thousand rows are looked at.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn survey_sealed(&self, keys: &SealingKeys) -> Result<Vec<Survey>, StoreError> {
        let mut surveys = Vec::new();
        for kind in SealedKind::ALL {
            let mut survey = Survey { kind, opened: 0, closed: 0 };
            let (mut after, mut looked) = (None, 0_usize);
            while looked < SURVEYED_MAX {
                let page = self.page_of_sealed(kind, after.as_ref()).await?;
                for row in &page {
                    let count = if row.is_opened_by(keys.of(kind)) { &mut survey.opened } else { &mut survey.closed };
                    *count = count.saturating_add(1);
                }
                looked = looked.saturating_add(page.len());
                let Some(last) = page.into_iter().next_back() else { break };
                after = Some(last.key);
            }
            if survey.opened > 0 || survey.closed > 0 {
                surveys.push(survey);
            }
        }
        Ok(surveys)
    }
}
