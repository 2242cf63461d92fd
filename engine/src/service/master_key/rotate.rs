//! Sealing everything anew.

use serde_json::json;

use super::{
    KeptKeyError, SealedKind, SealingKeys,
    rows::{RowKey, SealedRow},
};
use crate::{
    audit::{Action, OpContext},
    sealing::SealError,
    service::{Services, outbox::unexpected},
    store::{NotSaved, StoreError, UnitOfWork},
};

/// How often a page is read again because something in it has changed meanwhile.
const TRIES_MAX: u32 = 16;

/// What a rotation has done with one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// What it is.
    pub kind: SealedKind,
    /// How many were sealed anew.
    pub sealed: u64,
    /// How many were sealed under the new key before.
    pub known: u64,
    /// How many neither key opens: they have to be set again.
    pub lost: u64,
}

impl Rotated {
    const fn none(kind: SealedKind) -> Self {
        Self { kind, sealed: 0, known: 0, lost: 0 }
    }
}

/// Why a master key was not rotated. Whatever was sealed anew before stays so, and is known the next time.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// This process was not told which master key it has.
    #[error("this process has no master key")]
    NotSetUp,
    /// The process that writes has another one.
    #[error(
        "the running server has another master key than this command: give both the new one, start the server again, and \
         repeat the command. Nothing was changed"
    )]
    OtherServer,
    /// Both are the same.
    #[error("the old master key is the one that is in use: put the new one in its place first. Nothing was changed")]
    Same,
    /// There is something that neither opens, and nothing that the old one opens.
    #[error(
        "the old master key opens nothing of what is sealed: it is not the one that was in use before. Nothing was changed"
    )]
    WrongKey,
    /// Something was changed over and over while it was to be sealed anew.
    #[error("{0} are changed by somebody else all the time: repeat the command")]
    Busy(&'static str),
    /// The library fails.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a page has come to.
struct Page {
    unit: UnitOfWork,
    ids: Vec<String>,
    counts: Rotated,
    last: Option<RowKey>,
}

impl Services {
    /// Seals everything that `old` opens under the master key of this process, which must be the one called `new`; see
    /// [`super::KeyMaterial::identity`]. A page of one kind is one unit, with one entry in the audit trail. What is sealed
    /// under the new key already stays: it can be done again, and goes on after a crash.
    ///
    /// # Errors
    /// See [`RotationError`].
    pub async fn rotate_master_key(
        &self,
        by: &OpContext,
        old: &SealingKeys,
        new: &[u8; 32],
    ) -> Result<Vec<Rotated>, RotationError> {
        let keys = self.master_key.load_full().ok_or(RotationError::NotSetUp)?;
        if !keys.is_called(new) {
            return Err(RotationError::OtherServer);
        }
        if keys.is_same(old) {
            return Err(RotationError::Same);
        }
        self.check_old_key(old, &keys).await?;
        self.keep_root_of(by, old, &keys).await?;
        let mut done = Vec::with_capacity(SealedKind::ALL.len());
        for kind in SealedKind::ALL {
            done.push(self.rotate_kind(by, kind, old, &keys).await?);
        }
        // Connections' and namespaces' secrets stand in the snapshot.
        self.reload_snapshot().await?;
        Ok(done)
    }

    /// Goes on without the old master key, which nobody has any more: what only that one opens is lost, and is set again by
    /// whoever it belongs to. Secrets of webhooks are made from the new one, where the old one's are lost.
    ///
    /// # Errors
    /// See [`RotationError`].
    pub async fn give_up_old_master_key(&self, by: &OpContext, new: &[u8; 32]) -> Result<Vec<Rotated>, RotationError> {
        let keys = self.master_key.load_full().ok_or(RotationError::NotSetUp)?;
        if !keys.is_called(new) {
            return Err(RotationError::OtherServer);
        }
        let is_lost = matches!(self.find_webhook_root(&keys).await, Err(KeptKeyError::Sealed(_)));
        if is_lost {
            let mut unit = UnitOfWork::new();
            self.keep_webhook_root(&mut unit, &keys, &keys.webhooks, true)?;
            let told = by.entry(Action::MasterKeyRotate, "sealed", SealedKind::KeptKey.as_str());
            let told = told.before(json!({"master_key": "lost"})).after(json!({"master_key": "now", "made": 1}));
            let saved = self.ledger.save(unit.audited(told)).await;
            saved.map_err(|not_saved| unexpected("kept_key", not_saved))?;
        }
        let mut done = Vec::with_capacity(SealedKind::ALL.len());
        for kind in SealedKind::ALL {
            let (mut counts, mut after) = (Rotated::none(kind), None);
            loop {
                let page = self.page_of_sealed(kind, after.as_ref()).await?;
                for row in &page {
                    let is_open = row.is_opened_by(keys.of(kind));
                    let count = if is_open { &mut counts.known } else { &mut counts.lost };
                    *count = count.saturating_add(1);
                }
                let Some(last) = page.into_iter().next_back() else { break };
                after = Some(last.key);
            }
            done.push(counts);
        }
        Ok(done)
    }

    /// That `old` opens something, if there is anything that the new key does not open. Stops at the first that it opens.
    async fn check_old_key(&self, old: &SealingKeys, new: &SealingKeys) -> Result<(), RotationError> {
        let mut is_anything_closed = false;
        for kind in SealedKind::ALL {
            let mut after = None;
            loop {
                let page = self.page_of_sealed(kind, after.as_ref()).await?;
                for row in page.iter().filter(|row| !row.is_opened_by(new.of(kind))) {
                    if row.is_opened_by(old.of(kind)) {
                        return Ok(());
                    }
                    is_anything_closed = true;
                }
                let Some(last) = page.into_iter().next_back() else { break };
                after = Some(last.key);
            }
        }
        if is_anything_closed { Err(RotationError::WrongKey) } else { Ok(()) }
    }

    /// Where the old key's root of webhooks was never written down, it is now: their secrets stay what they are.
    async fn keep_root_of(&self, by: &OpContext, old: &SealingKeys, new: &SealingKeys) -> Result<(), RotationError> {
        let is_kept = match self.find_webhook_root(new).await {
            Ok(found) => found.is_some(),
            Err(KeptKeyError::Store(error)) => return Err(error.into()),
            Err(KeptKeyError::Sealed(_) | KeptKeyError::NotSetUp) => true,
        };
        if is_kept {
            return Ok(());
        }
        let mut unit = UnitOfWork::new();
        self.keep_webhook_root(&mut unit, new, &old.webhooks, false)?;
        let told = by.entry(Action::MasterKeyRotate, "sealed", SealedKind::KeptKey.as_str());
        let told = told.before(json!({"master_key": "before"})).after(json!({"master_key": "now", "sealed": 1}));
        let saved = self.ledger.save(unit.audited(told)).await;
        saved.map(drop).map_err(|not_saved| unexpected("kept_key", not_saved).into())
    }

    async fn rotate_kind(
        &self,
        by: &OpContext,
        kind: SealedKind,
        old: &SealingKeys,
        new: &SealingKeys,
    ) -> Result<Rotated, RotationError> {
        let (mut done, mut after, mut tries) = (Rotated::none(kind), None, 0);
        loop {
            let rows = self.page_of_sealed(kind, after.as_ref()).await?;
            let page = self.put_page(kind, rows, old, new);
            let Some(last) = page.last else { return Ok(done) };
            match self.save_resealed(by, kind, page.unit, &page.ids).await {
                Ok(()) => {}
                // Forgotten, or set again: the page is read anew.
                Err(NotSaved::Conflict { .. }) if tries < TRIES_MAX => {
                    tries = tries.saturating_add(1);
                    continue;
                }
                Err(NotSaved::Conflict { .. }) => return Err(RotationError::Busy(kind.words())),
                Err(not_saved) => return Err(unexpected(kind.as_str(), not_saved).into()),
            }
            done.sealed = done.sealed.saturating_add(page.counts.sealed);
            done.known = done.known.saturating_add(page.counts.known);
            done.lost = done.lost.saturating_add(page.counts.lost);
            (after, tries) = (Some(last), 0);
        }
    }

    fn put_page(&self, kind: SealedKind, rows: Vec<SealedRow>, old: &SealingKeys, new: &SealingKeys) -> Page {
        let mut page = Page { unit: UnitOfWork::new(), ids: Vec::new(), counts: Rotated::none(kind), last: None };
        for row in rows {
            let count = if row.is_opened_by(new.of(kind)) {
                &mut page.counts.known
            } else if let Ok(again) = row.resealed(old.of(kind), new.of(kind), self.random) {
                row.store(self, &mut page.unit, again);
                page.ids.push(row.key.to_string());
                &mut page.counts.sealed
            } else {
                &mut page.counts.lost
            };
            *count = count.saturating_add(1);
            page.last = Some(row.key);
        }
        page
    }

    /// Writes what was sealed anew, with one entry in the audit trail that names it; nothing if there is none.
    async fn save_resealed(
        &self,
        by: &OpContext,
        kind: SealedKind,
        mut unit: UnitOfWork,
        ids: &[String],
    ) -> Result<(), NotSaved> {
        if ids.is_empty() {
            return Ok(());
        }
        if matches!(kind, SealedKind::Connection | SealedKind::Namespace) {
            self.bump_version(&mut unit, "catalog");
        }
        let told = by.entry(Action::MasterKeyRotate, "sealed", kind.as_str());
        let facts = json!({"master_key": "now", "sealed": ids.len(), "ids": ids});
        let told = told.before(json!({"master_key": "before"})).after(facts);
        self.ledger.save(unit.audited(told)).await.map(drop)
    }
}
