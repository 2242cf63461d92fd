//! What operators do with money: corrections, refunds, chargebacks, payouts, credits for partners.
//!
//! They are all alike: an order with a reason and perhaps a key becomes a row of `movement` and a command to the ledger,
//! in one transaction. The same key again changes nothing and tells what came of the first one.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use super::{
    Services,
    accounts::{REASON_CHARS_MAX, is_key, is_reason},
    approvals::{Alone, NotAlone, Weight},
};
use crate::{
    audit::{Action, AuditEntry, OpContext},
    credits::Credits,
    id::EntryId,
    ledger::{
        Refusal,
        leaf::{Digest, sha256},
    },
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
    store::{NotSaved, StoreError, UnitOfWork, entity},
};

mod adjustments;
mod by_tool;
mod chargebacks;
mod disputes;
mod gifts;
mod list;
mod looking;
mod payees;
mod payouts;
mod refunds;
mod rehearsals;

pub use adjustments::Adjusted;
pub use by_tool::{ORDERS_LOOKED_AT, RATE_DAYS, ReasonRefunds, RefundRates, RefundsByTool, ToolRate, ToolRefunds};
pub use chargebacks::{Chargeback, ChargebackState};
pub use disputes::{Dispute, DisputeFilter};
pub use gifts::PartnerGrant;
pub use list::{Movement, MovementFilter};
pub use looking::{MovementDetail, Refundable};
pub use payees::{PaidPayee, PayeeBalance, PayeeKind};
pub use payouts::{PaidOut, Payee};
pub use refunds::{Refunded, Reverted};
pub use rehearsals::{Parties, PayoutRehearsal, RefundRehearsal};

pub use crate::store::journal::{Posting, PostingSide, Transaction};

/// Why money is moved, and the name under which it is moved once.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// One line for people; its digest stands in the books.
    pub reason: &'a str,
    /// The same key again moves nothing more. Without one every order is one of its own.
    pub key: Option<&'a str>,
}

/// What an order is. The words are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovementKind {
    /// An operator's correction of a wallet.
    Adjustment,
    /// A partner was given credits.
    PartnerGrant,
    /// A part of a charge went back.
    Refund,
    /// A whole transaction went back.
    Reversal,
    /// A publisher or a partner was paid.
    Payout,
    /// A payment is disputed.
    ChargebackOpen,
    /// A disputed payment stays.
    ChargebackWon,
    /// A disputed payment was taken back.
    ChargebackLost,
    /// Credits were given. Such orders have a table of their own.
    Grant,
}

impl MovementKind {
    /// Every kind with its word.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Adjustment, "adjustment"),
        (Self::PartnerGrant, "partner_grant"),
        (Self::Refund, "refund"),
        (Self::Reversal, "reversal"),
        (Self::Payout, "payout"),
        (Self::ChargebackOpen, "chargeback_open"),
        (Self::ChargebackWon, "chargeback_won"),
        (Self::ChargebackLost, "chargeback_lost"),
        (Self::Grant, "grant"),
    ];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }

    /// What the audit trail calls it, and the kind of what it is about.
    const fn action(self) -> (Action, &'static str) {
        match self {
            Self::Adjustment => (Action::AccountAdjust, "account"),
            Self::PartnerGrant => (Action::GrantCreate, "partner"),
            Self::Refund => (Action::RefundCreate, "transaction"),
            Self::Reversal => (Action::ReversalCreate, "transaction"),
            Self::Payout => (Action::PayoutCreate, "payee"),
            Self::ChargebackOpen => (Action::ChargebackOpen, "purchase"),
            Self::ChargebackWon => (Action::ChargebackWon, "purchase"),
            Self::ChargebackLost => (Action::ChargebackLost, "purchase"),
            Self::Grant => (Action::GrantCreate, "transaction"),
        }
    }
}

/// Why no money was moved.
#[derive(Debug, thiserror::Error)]
pub enum MovementError {
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// The key cannot be used.
    #[error("`key` has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes")]
    Key,
    /// The key named another order.
    #[error("this key was used for another command: {kind} of {amount} for {subject}, `{reason}`")]
    KeyReused {
        /// What it was.
        kind: String,
        /// How much, in words.
        amount: String,
        /// For whom, or of what.
        subject: String,
        /// Why.
        reason: String,
    },
    /// Nothing, or less.
    #[error("`credits` must be more than 0")]
    NotPositive,
    /// A statement cannot be mailed there.
    #[error("this is not an email address")]
    Address,
    /// An adjustment of nothing.
    #[error("`credits` must not be 0")]
    Nothing,
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The purchase was never paid, so nothing of it can be disputed.
    #[error("the purchase is {0}")]
    NotConfirmed(&'static str),
    /// The payment is disputed, or was lost, already.
    #[error("a chargeback of {credits} is {state} already", state = .state.as_str())]
    AlreadyDisputed {
        /// How much of the payment.
        credits: Credits,
        /// How it stands.
        state: ChargebackState,
    },
    /// No chargeback is open.
    #[error("no chargeback of this purchase is open{}", ended(*.0))]
    NotDisputed(Option<ChargebackState>),
    /// An operator does not move so much alone. Nothing was moved.
    #[error("{0}")]
    FourEyes(Weight),
    /// The ledger said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Somebody else was at the same thing at the same moment, and nothing was done: try again.
    #[error("somebody else changed this at the same moment: nothing was done, try again")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotAlone> for MovementError {
    fn from(not_alone: NotAlone) -> Self {
        match not_alone {
            NotAlone::FourEyes(weight) => Self::FourEyes(weight),
            NotAlone::Store(error) => error.into(),
        }
    }
}

fn ended(state: Option<ChargebackState>) -> String {
    state.map_or_else(String::new, |state| format!(": the last one was {}", state.as_str()))
}

/// An order to move money.
#[derive(Debug, Clone)]
struct Order<'a> {
    kind: MovementKind,
    /// The public form of whom or what it is about.
    subject: String,
    /// How much, where that was said.
    credits: Option<Credits>,
    note: Note<'a>,
}

/// What came of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moved {
    id: EntryId,
    is_replay: bool,
}

/// What an order's commands are made from.
#[derive(Debug, Clone, Copy)]
struct Draft {
    /// The order's identifier.
    id: EntryId,
    /// The digest of its reason.
    meta: Digest,
    /// When it was given, in microseconds since the Unix epoch.
    now_us: i64,
}

impl Services {
    /// Looks whether `order` makes sense and whether its key was used. `Some`: it was carried out before.
    async fn find_moved(&self, order: &Order<'_>) -> Result<Option<Moved>, MovementError> {
        if !is_reason(order.note.reason) {
            return Err(MovementError::Reason);
        }
        let Some(key) = order.note.key else { return Ok(None) };
        if !is_key(key) {
            return Err(MovementError::Key);
        }
        let row = entity::movement::Entity::find()
            .filter(entity::movement::Column::Key.eq(key))
            .one(self.db.readers())
            .await
            .map_err(StoreError::from)?;
        row.map(|row| replay(&row, order)).transpose()
    }

    /// Carries out an order that `alone` allows: its row, and whatever `add` adds to the unit, in one transaction.
    async fn carry_out(
        &self,
        by: &OpContext,
        order: &Order<'_>,
        alone: Alone,
        add: impl FnOnce(&mut UnitOfWork, Draft),
    ) -> Result<Moved, MovementError> {
        let now_us = self.clock.now_us();
        let draft = Draft { id: EntryId::new(&*self.ids, now_us), meta: sha256(order.note.reason.as_bytes()), now_us };
        let mut unit = UnitOfWork::new();
        self.record_movement(&mut unit, order, draft);
        alone.hold(self, &mut unit);
        add(&mut unit, draft);
        match self.ledger.save(unit.audited(told(by, order, draft.id))).await {
            Ok(_) => Ok(Moved { id: draft.id, is_replay: false }),
            Err(NotSaved::Refused(refusal)) => Err(refusal.into()),
            // An order with the same key was first, or what was read has changed.
            Err(NotSaved::Conflict { .. }) => self.find_moved(order).await?.ok_or(MovementError::Changed),
            Err(NotSaved::Writer(error)) => Err(StoreError::from(error).into()),
        }
    }

    /// Adds the row of an order to `unit`.
    fn record_movement(&self, unit: &mut UnitOfWork, order: &Order<'_>, draft: Draft) {
        let row = entity::movement::Model {
            id: draft.id.uuid(),
            kind: order.kind.as_str().to_owned(),
            subject: order.subject.clone(),
            credits: order.credits.map(Credits::micros),
            reason: order.note.reason.to_owned(),
            key: order.note.key.map(str::to_owned),
            created_us: draft.now_us,
        };
        unit.one(self.db.backend(), &entity::movement::Entity::insert(row.into_active_model()));
    }
}

/// What the audit trail tells of an order: the amount is what was asked for, `null` where that was all there is.
fn told(by: &OpContext, order: &Order<'_>, id: EntryId) -> AuditEntry {
    let (action, kind) = order.kind.action();
    let credits = order.credits.map(|credits| credits.to_string());
    let told = by.entry(action, kind, &order.subject).because(order.note.reason);
    let ended = match order.kind {
        MovementKind::ChargebackWon => ChargebackState::Won,
        MovementKind::ChargebackLost => ChargebackState::Lost,
        _ => return told.after(json!({"movement": id.to_string(), "credits": credits})),
    };
    told.before(json!({"state": ChargebackState::Open.as_str()}))
        .after(json!({"movement": id.to_string(), "credits": credits, "state": ended.as_str()}))
}

fn replay(row: &entity::movement::Model, order: &Order<'_>) -> Result<Moved, MovementError> {
    let is_same = row.kind == order.kind.as_str()
        && row.subject == order.subject
        && row.credits == order.credits.map(Credits::micros)
        && row.reason == order.note.reason;
    if is_same {
        return Ok(Moved { id: EntryId::from(row.id), is_replay: true });
    }
    let amount = row.credits.map(|micros| format!("{} credits", Credits::from_micros(micros)));
    Err(MovementError::KeyReused {
        kind: row.kind.clone(),
        amount: amount.unwrap_or_else(|| "all".to_owned()),
        subject: row.subject.clone(),
        reason: row.reason.clone(),
    })
}

/// An amount that was said must be above zero.
fn check_positive(credits: Option<Credits>) -> Result<(), MovementError> {
    match credits {
        Some(credits) if credits <= Credits::ZERO => Err(MovementError::NotPositive),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
