//! Corrections of wallets.

use super::{MovementError, MovementKind, Note, Order, rehearsals::adjustment};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{AccountId, EntryId},
    ledger::{LedgerAccountId, Post},
    service::{Services, approvals::Moving},
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
    /// There is no such account, the amount, the reason or the key cannot be used, another operator has to approve it, the
    /// ledger refuses, or the database failed.
    pub async fn adjust(
        &self,
        by: &OpContext,
        account: AccountId,
        credits: Credits,
        note: Note<'_>,
    ) -> Result<Adjusted, MovementError> {
        let leg = self.adjusting_leg(account, credits).await?;
        let wallet = if credits.is_negative() { leg.debit } else { leg.credit };
        let order =
            Order { kind: MovementKind::Adjustment, subject: account.to_string(), credits: Some(credits), note };
        let moved = if let Some(moved) = self.find_moved(&order).await? {
            moved
        } else {
            let alone = self.check_alone(by, Moving::Gift(credits), note.key).await?;
            self.carry_out(by, &order, alone, |unit, draft| {
                unit.post(Post { meta: Some(draft.meta), ..adjustment(draft.id, leg) });
            })
            .await?
        };
        Ok(Adjusted { id: moved.id, is_replay: moved.is_replay, wallet })
    }
}
