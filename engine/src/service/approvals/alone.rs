//! How much money one operator of the console moves alone. What belongs together is counted together, into however many
//! forms it is split: what goes back of one charge, whoever gives it; and what one operator gives, pays out or confirms
//! within a day. What somebody else has approved does not count.
//!
//! The use cases ask here themselves, right before they post, and hold the row `moved` of `version` to what it was before
//! they added up: of two forms at the same moment the second one finds it risen, and does nothing.

use std::fmt;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use super::{APPROVAL_FROM, Deed};
use crate::{
    audit::{Action, Actor, Method, OpContext},
    credits::Credits,
    id::{EntryId, OperatorId},
    service::{
        Services,
        movements::{MovementError, Payee, Refundable},
    },
    store::{StoreError, UnitOfWork, entity},
};

/// For how many hours what one operator has given, paid out or confirmed alone is counted together.
pub const ALONE_HOURS: i64 = 24;
const ALONE_US: i64 = ALONE_HOURS * 3_600_000_000;
/// How many movements are added up at most. Whoever has made more within a day moves nothing more alone.
const COUNTED_MAX: u64 = 1_000;
/// The row of `version` that rises with every movement that somebody makes alone.
const MOVED: &str = "moved";

/// What a movement of money is counted together with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedWith {
    /// Nothing: it cannot be made in parts.
    Nothing,
    /// What went back of the same charge.
    Charge,
    /// What the operator has given and corrected, in whichever direction.
    Gifts,
    /// What the operator has paid out.
    Payouts,
    /// The payments that the operator has confirmed.
    Payments,
}

impl CountedWith {
    /// A word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Charge => "charge",
            Self::Gifts => "gifts",
            Self::Payouts => "payouts",
            Self::Payments => "payments",
        }
    }

    /// What the audit trail calls it, where it is found there.
    const fn actions(self) -> &'static [Action] {
        match self {
            Self::Nothing | Self::Charge => &[],
            Self::Gifts => &[Action::GrantCreate, Action::AccountAdjust],
            Self::Payouts => &[Action::PayoutCreate],
            Self::Payments => &[Action::PurchaseConfirm],
        }
    }
}

/// How much a movement comes to with what is counted together with it, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// What it moves itself.
    pub amount: Credits,
    /// What was moved before.
    pub before: Credits,
    /// What that is.
    pub with: CountedWith,
}

impl Weight {
    /// Of a refund of `credits`, or of all that is left of the charge.
    pub fn of_refund(charge: &Refundable, credits: Option<Credits>) -> Self {
        let amount = credits.unwrap_or_else(|| charge.left());
        Self { amount, before: charge.refunded, with: CountedWith::Charge }
    }

    /// Both together.
    pub fn total(self) -> Credits {
        self.before.checked_add(self.amount).unwrap_or(Credits::MAX)
    }

    /// Whether another operator has to approve it.
    pub fn needs_second(self) -> bool {
        self.total() > APPROVAL_FROM
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (total, before) = (self.total(), self.before);
        write!(f, "another operator has to approve this: it comes to {total} credits, {before} of them moved before")
    }
}

/// Money that somebody is about to move.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) enum Moving<'a> {
    /// Of this charge so much goes back, or all that is left.
    Refund { of: EntryId, credits: Option<Credits> },
    /// This transaction goes back whole.
    Reversal { of: EntryId },
    /// So much is given, or taken where it is below zero.
    Gift(Credits),
    /// So much is paid out, or all there is.
    Payout { payee: &'a Payee, credits: Option<Credits> },
    /// A payment of so much is confirmed.
    Payment(Credits),
}

/// That somebody may move it without anybody's approval. It has to be held in the unit that moves it.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(in crate::service) struct Alone(Option<(i64, Weight)>);

impl Alone {
    /// What carries out only what others have decided: the bank, in a chargeback.
    pub(in crate::service) const DECIDED_ELSEWHERE: Self = Self(None);

    /// What was counted, in micro-credits, where something had to be.
    pub(in crate::service) fn amount(self) -> Option<Credits> {
        self.0.map(|(_, weight)| weight.amount)
    }

    /// Nothing of `unit` happens if anybody has moved anything alone since it was added up.
    pub(in crate::service) fn hold(self, services: &Services, unit: &mut UnitOfWork) {
        if let Some((seen, _)) = self.0 {
            services.bump_version_from(unit, MOVED, seen);
        }
    }
}

/// Why nobody moves it alone.
#[derive(Debug)]
pub(in crate::service) enum NotAlone {
    /// Another operator has to approve it, or was asked already.
    FourEyes(Weight),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for NotAlone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Services {
    /// What `deed` comes to if this operator does it now, and so whether another one has to approve it. `None`: another one
    /// has to whatever it comes to, since it moves no money.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn weigh(&self, operator: OperatorId, deed: &Deed) -> Result<Option<Weight>, StoreError> {
        let payee;
        let moving = match deed {
            Deed::RefundCreate { of, credits, .. } => Moving::Refund { of: *of, credits: *credits },
            Deed::ReversalCreate { of, .. } => Moving::Reversal { of: *of },
            Deed::AccountAdjust { credits, .. }
            | Deed::GrantCreate { credits, .. }
            | Deed::PartnerGrant { credits, .. } => Moving::Gift(*credits),
            Deed::PayoutCreate { payee: name, credits, .. } => {
                payee = match self.find_payee(name).await {
                    Ok(payee) => payee,
                    Err(MovementError::Store(error)) => return Err(error),
                    // Nobody is paid.
                    Err(_) => return Ok(Some(unmoved())),
                };
                Moving::Payout { payee: &payee, credits: *credits }
            }
            Deed::PurchaseConfirm { purchase, .. } => {
                let purchase = self.find_purchase(*purchase).await?;
                Moving::Payment(purchase.map_or(Credits::ZERO, |purchase| purchase.credits))
            }
            Deed::PriceSchedule { .. }
            | Deed::PriceCancel { .. }
            | Deed::PolicyPublish { .. }
            | Deed::OperatorCreate { .. }
            | Deed::OperatorReset { .. }
            | Deed::OperatorEnable { .. }
            | Deed::OperatorRoles { .. } => return Ok(None),
        };
        self.weigh_moving(&operator.to_string(), moving).await.map(Some)
    }

    /// What this operator has given and corrected alone within the last [`ALONE_HOURS`] hours, in micro-credits.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_given(&self, operator: OperatorId) -> Result<Credits, StoreError> {
        self.sum_alone(&operator.to_string(), CountedWith::Gifts).await
    }

    /// Whether `by` may move this without anybody's approval; under a `key` for which nobody was asked. Who runs commands on
    /// the machine may, and who carries out what was approved.
    pub(in crate::service) async fn check_alone(
        &self,
        by: &OpContext,
        moving: Moving<'_>,
        key: Option<&str>,
    ) -> Result<Alone, NotAlone> {
        let (Actor::Operator(operator), Method::Session) = (&by.actor, by.method) else { return Ok(Alone(None)) };
        // Before anything is added up: what is moved from here on is in the sum, or found at the end.
        let seen = self.load_version(MOVED).await?;
        let weight = self.weigh_moving(operator, moving).await?;
        let asked_under = key.map(|key| format!("{operator} {key}"));
        let is_asked = self.find_approval_by_key(asked_under.as_deref()).await?.is_some();
        if is_asked || weight.needs_second() {
            Err(NotAlone::FourEyes(weight))
        } else {
            Ok(Alone(Some((seen, weight))))
        }
    }

    async fn weigh_moving(&self, operator: &str, moving: Moving<'_>) -> Result<Weight, StoreError> {
        let (amount, with) = match moving {
            Moving::Refund { of, credits } => {
                // Of what is no charge nothing goes back.
                let charge = self.find_refundable(of).await?;
                return Ok(charge.map_or_else(unmoved, |charge| Weight::of_refund(&charge, credits)));
            }
            Moving::Reversal { of } => {
                let postings = self.find_transaction(of).await?.map(|(_, postings)| postings).unwrap_or_default();
                let moved = Credits::checked_sum(postings.iter().map(|posting| posting.amount));
                (moved.unwrap_or(Credits::MAX), CountedWith::Nothing)
            }
            Moving::Gift(credits) => (credits.size(), CountedWith::Gifts),
            Moving::Payout { credits: Some(credits), .. } => (credits, CountedWith::Payouts),
            Moving::Payout { payee, credits: None } => {
                (self.load_payee_balance(payee).await?.due(), CountedWith::Payouts)
            }
            Moving::Payment(credits) => (credits, CountedWith::Payments),
        };
        let before = self.sum_alone(operator, with).await?;
        Ok(Weight { amount, before, with })
    }

    /// What an operator has moved alone within the last [`ALONE_HOURS`] hours. Along the index `audit_actor`: one person tells
    /// little in a day.
    async fn sum_alone(&self, operator: &str, with: CountedWith) -> Result<Credits, StoreError> {
        use entity::audit::Column;
        if with.actions().is_empty() {
            return Ok(Credits::ZERO);
        }
        let told: Vec<Option<String>> = entity::audit::Entity::find()
            .select_only()
            .column(Column::AfterJson)
            .filter(Column::ActorId.eq(operator))
            .filter(Column::RecordedUs.gt(self.clock.now_us().saturating_sub(ALONE_US)))
            .filter(Column::Method.eq(Method::Session.as_str()))
            .filter(Column::Action.is_in(with.actions().iter().map(|action| action.as_str())))
            .order_by_desc(Column::RecordedUs)
            .limit(COUNTED_MAX)
            .into_tuple()
            .all(self.db.readers())
            .await?;
        let is_cut = u64::try_from(told.len()).unwrap_or(u64::MAX) >= COUNTED_MAX;
        let (mut sum, mut open) = (Credits::ZERO, Vec::new());
        for facts in told.iter().flatten() {
            match read_told(facts)? {
                Told::Amount(credits) => sum = sum.checked_add(credits.size()).unwrap_or(Credits::MAX),
                Told::AllThereWas(id) => open.push(id),
            }
        }
        if !open.is_empty() {
            let paid = entity::payout::Column::TxnId.is_in(open);
            let paid = entity::payout::Entity::find().filter(paid).all(self.db.readers()).await?;
            let paid = Credits::checked_sum(paid.iter().map(|row| Credits::from_micros(row.paid)));
            sum = paid.and_then(|paid| sum.checked_add(paid)).unwrap_or(Credits::MAX);
        }
        Ok(if is_cut { sum.max(APPROVAL_FROM) } else { sum })
    }
}

/// What is no money, or nobody's.
const fn unmoved() -> Weight {
    Weight { amount: Credits::ZERO, before: Credits::ZERO, with: CountedWith::Nothing }
}

/// What the trail tells of how much was moved.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// So much, in micro-credits.
    Amount(Credits),
    /// All there was, with this transaction.
    AllThereWas(Uuid),
}

/// Reads the facts of a movement, as the trail has them.
fn read_told(facts: &str) -> Result<Told, StoreError> {
    let wrong = || StoreError::Inconsistent { table: "audit", what: "a movement without its amount".to_owned() };
    let facts: Value = serde_json::from_str(facts).map_err(|_error| wrong())?;
    let text = |name: &str| facts.get(name).and_then(Value::as_str);
    if let Some(credits) = text("credits") {
        return Credits::parse_exact(credits).map(Told::Amount).map_err(|_error| wrong());
    }
    let id = text("movement").and_then(|id| id.parse::<EntryId>().ok());
    id.map(|id| Told::AllThereWas(id.uuid())).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
