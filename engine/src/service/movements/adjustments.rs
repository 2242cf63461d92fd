//! Corrections of wallets.

use super::{MovementError, MovementKind, Note, Order};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{AccountId, EntryId},
    ledger::{LedgerAccountId, Leg, Post, TransactionKind},
    service::Services,
};

/// What came of an adjustment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjusted {
    /// The ledger's transaction.
    pub id: EntryId,
    /// The key was used before for the same: nothing was changed now.
    pub is_replay: bool,
    /// The wallet.
    pub wallet: LedgerAccountId,
}

impl Services {
    /// Corrects a wallet by an operator's decision: puts `credits` in, or takes them out where they are below zero. Never
    /// takes more than can be spent.
    ///
    /// # Errors
    /// There is no such account, the amount, the reason or the key cannot be used, the ledger refuses, or the database
    /// failed.
    pub async fn adjust(
        &self,
        by: &OpContext,
        account: AccountId,
        credits: Credits,
        note: Note<'_>,
    ) -> Result<Adjusted, MovementError> {
        let amount = if credits.is_negative() { credits.checked_neg() } else { Some(credits) };
        let Some(amount) = amount.filter(|amount| !amount.is_zero()) else { return Err(MovementError::Nothing) };
        let order =
            Order { kind: MovementKind::Adjustment, subject: account.to_string(), credits: Some(credits), note };
        let profile = self.find_profile(account).await?.ok_or(MovementError::NotFound("account"))?;
        let wallet = profile.wallet;
        let moved = match self.find_moved(&order).await? {
            Some(moved) => moved,
            None => {
                self.carry_out(by, &order, |unit, draft| {
                    let (debit, credit) = if credits.is_negative() {
                        (wallet, LedgerAccountId::OPENING)
                    } else {
                        (LedgerAccountId::OPENING, wallet)
                    };
                    unit.post(Post {
                        id: draft.id,
                        kind: TransactionKind::Adjustment,
                        legs: vec![Leg { debit, credit, amount }],
                        reverses: None,
                        effective_us: None,
                        meta: Some(draft.meta),
                    });
                })
                .await?
            }
        };
        Ok(Adjusted { id: moved.id, is_replay: moved.is_replay, wallet })
    }
}
