//! Buying credits: a purchase waits until its provider confirms it, then it is posted once, whatever is retried.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{
    Services,
    accounts::{REASON_CHARS_MAX, is_reason},
    approvals::{Moving, NotAlone, Weight},
    outbox::{MailTemplate, NewMail, unexpected},
};
use crate::{
    audit::{Action, OpContext},
    credits::{Credits, MICROS_PER_CREDIT},
    id::{AccountId, EntryId, PurchaseId},
    ledger::{LedgerAccountId, Leg, Post, Refusal, TransactionKind},
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod list;

pub use list::PurchaseFilter;

/// The largest purchase: a hundred million credits, which are 100,000 US dollars.
pub const PURCHASE_CREDITS_MAX: Credits = Credits::from_micros(100_000_000 * MICROS_PER_CREDIT);
/// How many purchases a list shows, the newest first.
const PURCHASES_LISTED_MAX: u64 = 1_000;

/// Who confirms a purchase. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// An operator.
    Manual,
    /// The purchase itself, at once; nobody pays.
    Demo,
}

/// How far a purchase is. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurchaseStatus {
    /// Waits for its provider.
    Pending,
    /// Paid, and its credits are in the wallet.
    Confirmed,
    /// Never paid.
    Failed,
}

impl Provider {
    const ALL: [(Self, &'static str); 2] = [(Self::Manual, "manual"), (Self::Demo, "demo")];

    /// The word of the wire and the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(provider, _)| *provider == self).map_or("", |(_, word)| *word)
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored)| *stored == word).map(|(provider, _)| *provider)
    }

    /// The account on which its money comes in.
    pub(super) const fn clearing(self) -> LedgerAccountId {
        match self {
            Self::Manual => LedgerAccountId::CLEARING_MANUAL,
            Self::Demo => LedgerAccountId::CLEARING_DEMO,
        }
    }
}

impl PurchaseStatus {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Pending, "pending"), (Self::Confirmed, "confirmed"), (Self::Failed, "failed")];

    /// The word of the wire and the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored)| *stored == word).map(|(status, _)| *status)
    }
}

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// Which.
    pub id: PurchaseId,
    /// Whose.
    pub account: AccountId,
    /// How much, in micro-credits.
    pub credits: Credits,
    /// Who confirms it.
    pub provider: Provider,
    /// How far it is.
    pub status: PurchaseStatus,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// When it was confirmed, in microseconds since the Unix epoch.
    pub confirmed_us: Option<i64>,
    /// When it was said that it was never paid, in microseconds since the Unix epoch.
    pub failed_us: Option<i64>,
    /// Why it was never paid, as an operator has said.
    pub failure: Option<String>,
}

/// Why nothing was bought.
#[derive(Debug, thiserror::Error)]
pub enum PurchaseError {
    /// Nothing, or too much.
    #[error("a purchase is above 0 and at most {PURCHASE_CREDITS_MAX} credits")]
    OutOfRange,
    /// The key was used for another amount.
    #[error("this key was used for a purchase of {0} credits")]
    KeyReused(Credits),
    /// It confirms itself, and could not be posted.
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a purchase was not confirmed, or not given up.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// There is no such purchase.
    #[error("there is no such purchase")]
    NotFound,
    /// It was confirmed before; nothing was posted again.
    #[error("the purchase of {0} credits is confirmed already")]
    AlreadyConfirmed(Credits),
    /// Its payment failed.
    #[error("the purchase of {0} credits has failed")]
    AlreadyFailed(Credits),
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// An operator does not confirm so much alone.
    #[error("{0}")]
    FourEyes(Weight),
    /// Somebody else moved money at the same moment.
    #[error("somebody else moved money at the same moment: nothing was done, try again")]
    Changed,
    /// The ledger said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotAlone> for ConfirmError {
    fn from(not_alone: NotAlone) -> Self {
        match not_alone {
            NotAlone::FourEyes(weight) => Self::FourEyes(weight),
            NotAlone::Store(error) => error.into(),
        }
    }
}

impl Services {
    /// Makes a purchase; with the same key again, gives the same one. [`Provider::Demo`] confirms it at once.
    ///
    /// # Errors
    /// The amount is out of range, the key was used for another amount, or the database failed.
    pub async fn purchase(
        &self,
        by: &OpContext,
        account: AccountId,
        credits: Credits,
        provider: Provider,
        key: Option<&str>,
    ) -> Result<Purchase, PurchaseError> {
        if credits <= Credits::ZERO || credits > PURCHASE_CREDITS_MAX {
            return Err(PurchaseError::OutOfRange);
        }
        let purchase = match self.find_keyed_purchase(account, key).await? {
            Some(purchase) => purchase,
            None => self.create_purchase(by, account, credits, provider, key).await?,
        };
        if purchase.credits != credits {
            return Err(PurchaseError::KeyReused(purchase.credits));
        }
        if purchase.provider != Provider::Demo || purchase.status != PurchaseStatus::Pending {
            return Ok(purchase);
        }
        match self.confirm_purchase(by, purchase.id, None).await {
            Ok(confirmed) => Ok(confirmed),
            // A request with the same key was first.
            Err(ConfirmError::AlreadyConfirmed(_)) => Ok(self.load_purchase(purchase.id).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Confirms a purchase: its credits go from the provider's clearing account to the wallet, and a receipt is mailed.
    /// `reason` is what an operator says about it.
    ///
    /// # Errors
    /// There is no such purchase, it was confirmed before (nothing is posted again), the reason cannot be used, another
    /// operator has to approve it, or the database failed.
    pub async fn confirm_purchase(
        &self,
        by: &OpContext,
        id: PurchaseId,
        reason: Option<&str>,
    ) -> Result<Purchase, ConfirmError> {
        if reason.is_some_and(|reason| !is_reason(reason)) {
            return Err(ConfirmError::Reason);
        }
        let purchase = self.find_purchase(id).await?.ok_or(ConfirmError::NotFound)?;
        check_pending(&purchase)?;
        let profile = self.find_profile(purchase.account).await?.ok_or(ConfirmError::NotFound)?;
        // Its state makes it happen once, so that it needs no key.
        let alone = self.check_alone(by, Moving::Payment(purchase.credits), None).await?;
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        alone.hold(self, &mut unit);
        let confirm = entity::purchase::Entity::update_many()
            .set(entity::purchase::ActiveModel {
                status: Set(PurchaseStatus::Confirmed.as_str().to_owned()),
                confirmed_us: Set(Some(now_us)),
                ..Default::default()
            })
            .filter(entity::purchase::Column::Id.eq(id.uuid()))
            .filter(entity::purchase::Column::Status.eq(PurchaseStatus::Pending.as_str()));
        unit.one(self.db.backend(), &confirm);
        unit.post(Post {
            // The purchase's own identifier: the books refuse a second posting by themselves.
            id: EntryId::from(id.uuid()),
            kind: TransactionKind::Purchase,
            legs: vec![Leg { debit: purchase.provider.clearing(), credit: profile.wallet, amount: purchase.credits }],
            reverses: None,
            effective_us: None,
            meta: None,
        });
        let data = json!({
            "purchase_id": id.to_string(),
            "credits": purchase.credits.to_string(),
            "usd": purchase.credits.usd(),
        });
        let receipt = NewMail {
            to: &profile.email,
            template: MailTemplate::Receipt,
            data,
            about: ("purchase", id.to_string()),
            key: None,
        };
        self.enqueue_mail(&mut unit, receipt, now_us);
        let mut told = by
            .entry(Action::PurchaseConfirm, "purchase", id)
            .before(facts(&purchase, PurchaseStatus::Pending))
            .after(facts(&purchase, PurchaseStatus::Confirmed));
        if let Some(reason) = reason {
            told = told.because(reason);
        }
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(Purchase { status: PurchaseStatus::Confirmed, confirmed_us: Some(now_us), ..purchase }),
            Err(not_saved) => Err(self.why_not_closed(purchase, not_saved).await),
        }
    }

    /// Says that a purchase was never paid: it stays as it is, and cannot be confirmed any more.
    ///
    /// # Errors
    /// There is no such purchase, it was confirmed or has failed before, the reason cannot be used, or the database
    /// failed.
    pub async fn fail_purchase(&self, by: &OpContext, id: PurchaseId, reason: &str) -> Result<Purchase, ConfirmError> {
        if !is_reason(reason) {
            return Err(ConfirmError::Reason);
        }
        let purchase = self.find_purchase(id).await?.ok_or(ConfirmError::NotFound)?;
        check_pending(&purchase)?;
        let now_us = self.clock.now_us();
        let mut unit = UnitOfWork::new();
        let fail = entity::purchase::Entity::update_many()
            .set(entity::purchase::ActiveModel {
                status: Set(PurchaseStatus::Failed.as_str().to_owned()),
                failed_us: Set(Some(now_us)),
                failure: Set(Some(reason.to_owned())),
                ..Default::default()
            })
            .filter(entity::purchase::Column::Id.eq(id.uuid()))
            .filter(entity::purchase::Column::Status.eq(PurchaseStatus::Pending.as_str()));
        unit.one(self.db.backend(), &fail);
        let told = by
            .entry(Action::PurchaseFail, "purchase", id)
            .before(facts(&purchase, PurchaseStatus::Pending))
            .after(facts(&purchase, PurchaseStatus::Failed))
            .because(reason);
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => {
                let failure = Some(reason.to_owned());
                Ok(Purchase { status: PurchaseStatus::Failed, failed_us: Some(now_us), failure, ..purchase })
            }
            Err(not_saved) => Err(self.why_not_closed(purchase, not_saved).await),
        }
    }

    /// Why a purchase that was pending a moment ago could not be closed.
    async fn why_not_closed(&self, purchase: Purchase, not_saved: NotSaved) -> ConfirmError {
        match not_saved {
            NotSaved::Conflict { .. } => match self.find_purchase(purchase.id).await {
                Ok(now) => match check_pending(now.as_ref().unwrap_or(&purchase)) {
                    Err(closed) => closed,
                    Ok(()) => ConfirmError::Changed,
                },
                Err(error) => error.into(),
            },
            NotSaved::Refused(refusal) => refusal.into(),
            NotSaved::Writer(error) => StoreError::from(error).into(),
        }
    }

    /// A purchase by its identifier.
    ///
    /// # Errors
    /// The database cannot be read, or holds a purchase that makes no sense.
    pub async fn find_purchase(&self, id: PurchaseId) -> Result<Option<Purchase>, StoreError> {
        let row = entity::purchase::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        row.map(|row| read(&row)).transpose()
    }

    /// The purchases of an account, the newest first.
    ///
    /// # Errors
    /// As for [`Self::find_purchase`].
    pub async fn list_purchases(&self, account: AccountId) -> Result<Vec<Purchase>, StoreError> {
        let rows = entity::purchase::Entity::find()
            .filter(entity::purchase::Column::AccountId.eq(account.uuid()))
            .order_by_desc(entity::purchase::Column::Id)
            .limit(PURCHASES_LISTED_MAX)
            .all(self.db.readers())
            .await?;
        rows.iter().map(read).collect()
    }

    async fn load_purchase(&self, id: PurchaseId) -> Result<Purchase, StoreError> {
        let missing = || StoreError::Inconsistent { table: "purchase", what: id.to_string() };
        self.find_purchase(id).await?.ok_or_else(missing)
    }

    async fn find_keyed_purchase(&self, account: AccountId, key: Option<&str>) -> Result<Option<Purchase>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        let row = entity::purchase::Entity::find()
            .filter(entity::purchase::Column::AccountId.eq(account.uuid()))
            .filter(entity::purchase::Column::Key.eq(key))
            .one(self.db.readers())
            .await?;
        row.map(|row| read(&row)).transpose()
    }

    async fn create_purchase(
        &self,
        by: &OpContext,
        account: AccountId,
        credits: Credits,
        provider: Provider,
        key: Option<&str>,
    ) -> Result<Purchase, StoreError> {
        let now_us = self.clock.now_us();
        let row = entity::purchase::Model {
            id: PurchaseId::new(&*self.ids, now_us).uuid(),
            account_id: account.uuid(),
            credits: credits.micros(),
            provider: provider.as_str().to_owned(),
            status: PurchaseStatus::Pending.as_str().to_owned(),
            key: key.map(str::to_owned),
            created_us: now_us,
            confirmed_us: None,
            failed_us: None,
            failure: None,
        };
        let mut unit = UnitOfWork::new();
        unit.one(self.db.backend(), &entity::purchase::Entity::insert(row.clone().into_active_model()));
        let made = read(&row)?;
        let told = by.entry(Action::PurchaseCreate, "purchase", made.id).after(facts(&made, made.status));
        match self.ledger.save(unit.audited(told)).await {
            Ok(_) => Ok(made),
            Err(not_saved) => {
                // A request with the same key was first.
                let first = self.find_keyed_purchase(account, key).await?;
                first.ok_or_else(|| unexpected("purchase", not_saved))
            }
        }
    }
}

/// A purchase is closed once.
const fn check_pending(purchase: &Purchase) -> Result<(), ConfirmError> {
    match purchase.status {
        PurchaseStatus::Pending => Ok(()),
        PurchaseStatus::Confirmed => Err(ConfirmError::AlreadyConfirmed(purchase.credits)),
        PurchaseStatus::Failed => Err(ConfirmError::AlreadyFailed(purchase.credits)),
    }
}

/// What the audit trail tells of a purchase.
fn facts(purchase: &Purchase, status: PurchaseStatus) -> serde_json::Value {
    json!({
        "account": purchase.account.to_string(),
        "credits": purchase.credits.to_string(),
        "provider": purchase.provider.as_str(),
        "status": status.as_str(),
    })
}

fn read(row: &entity::purchase::Model) -> Result<Purchase, StoreError> {
    let id = PurchaseId::from(row.id);
    let broken = || StoreError::Inconsistent { table: "purchase", what: id.to_string() };
    Ok(Purchase {
        id,
        account: AccountId::from(row.account_id),
        credits: Credits::from_micros(row.credits),
        provider: Provider::from_word(&row.provider).ok_or_else(broken)?,
        status: PurchaseStatus::from_word(&row.status).ok_or_else(broken)?,
        created_us: row.created_us,
        confirmed_us: row.confirmed_us,
        failed_us: row.failed_us,
        failure: row.failure.clone(),
    })
}
