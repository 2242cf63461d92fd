//! The accounts and limits that random histories play with, and the parts of a call that do not matter to them.

use std::sync::Arc;

use crate::{
    credits::Credits,
    id::{CapId, InvocationId},
    invocation::{CallEnd, CallParties, CallRecord, CallState, Surface},
    ledger::{
        AccountKind, LedgerAccountId, PlaceHold,
        caps::{Cap, CapWindow},
        key::KeyClaim,
    },
};

/// A small economy.
#[derive(Debug, Clone)]
pub struct World {
    /// Limited accounts, each with its overdraft in micro-credits.
    pub wallets: Vec<(LedgerAccountId, i64)>,
    /// Unlimited accounts that have to be opened.
    pub payables: Vec<(LedgerAccountId, AccountKind)>,
    /// Limits on spending.
    pub caps: Vec<Cap>,
    /// An account that nobody has opened.
    pub stranger: LedgerAccountId,
}

impl World {
    /// Four wallets (one may be overdrawn), two publishers, a partner and three caps.
    pub fn standard() -> Self {
        let account = LedgerAccountId::from_raw;
        let cap = |number: u128, window, limit| Cap {
            id: CapId::from(uuid::Uuid::from_u128(number)),
            window,
            limit: Credits::from_micros(limit),
        };
        Self {
            wallets: vec![(account(1_001), 0), (account(1_002), 0), (account(1_003), 500), (account(1_004), 0)],
            payables: vec![
                (account(2_001), AccountKind::Payable),
                (account(2_002), AccountKind::Payable),
                (account(3_001), AccountKind::PartnerMargin),
            ],
            caps: vec![cap(1, CapWindow::Call, 250), cap(2, CapWindow::Day, 900), cap(3, CapWindow::Total, 20_000)],
            stranger: account(9_999),
        }
    }

    /// Every account that exists, what publishers might owe and the well-known ones too.
    pub fn accounts(&self) -> Vec<(LedgerAccountId, AccountKind)> {
        let wallets = self.wallets.iter().map(|(id, _)| (*id, AccountKind::Wallet));
        let payables = self.payables.iter().filter(|(_, kind)| *kind == AccountKind::Payable);
        let receivables = payables.map(|(id, _)| (id.receivable(), AccountKind::Receivable));
        wallets.chain(self.payables.iter().copied()).chain(receivables).chain(LedgerAccountId::WELL_KNOWN).collect()
    }

    /// How far below zero an account may go, in micro-credits; `None` for unlimited ones.
    pub fn overdraft_of(&self, id: LedgerAccountId) -> Option<i64> {
        self.wallets.iter().find(|(wallet, _)| *wallet == id).map(|(_, overdraft)| *overdraft)
    }
}

/// The record of a call that begins at `now_us` (microseconds since the Unix epoch).
pub fn running_call(
    id: InvocationId,
    hold: Option<&PlaceHold>,
    key: Option<&KeyClaim>,
    now_us: i64,
) -> Arc<CallRecord> {
    Arc::new(CallRecord {
        id,
        surface: Surface::Marketplace,
        parties: CallParties { account: None, token: None, partner: None, end_user: None },
        tool: None,
        price: None,
        wallet: hold.map(|hold| hold.wallet),
        held: hold.map_or(Credits::ZERO, |hold| hold.amount),
        units: None,
        snapshot_version: 1,
        policy_version: "test".into(),
        denied_by: None,
        explanation: None,
        key: key.map(|claim| (claim.name.scope, Arc::clone(&claim.name.key))),
        created_us: now_us,
        state: CallState::Running,
        end: None,
        asked: None,
    })
}

/// The end of a call in `state`.
pub const fn call_end(state: CallState) -> CallEnd {
    CallEnd {
        state,
        charged: Credits::ZERO,
        shortfall: Credits::ZERO,
        error: None,
        warning: None,
        returned: None,
        ended_us: 0,
        resolves_us: None,
    }
}
