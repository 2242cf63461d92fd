//! Credits for partners, from the platform's promotion account as those for accounts are. They never expire.

use super::{MovementError, MovementKind, Note, Order, check_positive};
use crate::{
    audit::OpContext,
    credits::Credits,
    id::{EntryId, PartnerId},
    ledger::{LedgerAccountId, Leg, Post, TransactionKind},
    service::{Services, approvals::Moving},
};

/// Credits that a partner was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartnerGrant {
    /// The ledger's transaction.
    pub id: EntryId,
    /// The key was used before for the same: nothing was given now.
    pub is_replay: bool,
    /// The partner's wallet.
    pub wallet: LedgerAccountId,
}

impl Services {
    /// Gives credits to a partner, for ever. The same key again gives nothing more.
    ///
    /// # Errors
    /// There is no such partner, the amount, the reason or the key cannot be used, another operator has to approve it, the
    /// ledger refuses, or the database failed.
    pub async fn grant_to_partner(
        &self,
        by: &OpContext,
        partner: PartnerId,
        credits: Credits,
        note: Note<'_>,
    ) -> Result<PartnerGrant, MovementError> {
        check_positive(Some(credits))?;
        let order =
            Order { kind: MovementKind::PartnerGrant, subject: partner.to_string(), credits: Some(credits), note };
        let wallet = self.find_partner(partner).await?.ok_or(MovementError::NotFound("partner"))?.wallet;
        let moved = if let Some(moved) = self.find_moved(&order).await? {
            moved
        } else {
            let alone = self.check_alone(by, Moving::Gift(credits), note.key).await?;
            self.carry_out(by, &order, alone, |unit, draft| {
                unit.post(Post {
                    id: draft.id,
                    kind: TransactionKind::Grant,
                    legs: vec![Leg { debit: LedgerAccountId::PROMO, credit: wallet, amount: credits }],
                    reverses: None,
                    effective_us: None,
                    meta: Some(draft.meta),
                });
            })
            .await?
        };
        Ok(PartnerGrant { id: moved.id, is_replay: moved.is_replay, wallet })
    }
}
