//! What has to be known to take money back, to collect it, and to pay it out.

use std::collections::BTreeSet;

use rusqlite::OptionalExtension as _;

use super::{Books, Loaded};
use crate::{
    id::EntryId,
    ledger::{
        LedgerAccountId,
        facts::Facts,
        movement::{RefundTotal, Turnover},
    },
    store::writer::Command,
};

impl Books {
    pub(super) fn load_movement(&mut self, facts: &mut Facts, command: &Command) -> Loaded<()> {
        let (id, of, mut parties) = command.looks_at();
        self.load_known(facts, id)?;
        if let Some(of) = of {
            self.load_known(facts, of)?;
            // Of a charge with a name of its own, the hold tells whose money it was.
            if let Some(hold) = facts.charged_hold(of) {
                self.load_known(facts, hold)?;
            }
            parties.extend(facts.parties_of(of));
            self.load_refund_total(facts, of)?;
        }
        self.load_parties(facts, &parties)
    }

    fn load_parties(&mut self, facts: &mut Facts, parties: &BTreeSet<LedgerAccountId>) -> Loaded<()> {
        for id in parties {
            self.load_account(facts, *id)?;
            if facts.accounts.get(id).is_some_and(|account| account.kind.is_weighed()) {
                let turnover = self
                    .connection
                    .prepare_cached(
                        "SELECT coalesce(sum(credits), 0), coalesce(sum(debits), 0) FROM hot_balance WHERE account_id = ?1",
                    )?
                    .query_row([id.raw()], |row| Ok(Turnover { credits: row.get(0)?, debits: row.get(1)? }))?;
                facts.turnovers.insert(*id, turnover);
            }
        }
        Ok(())
    }

    fn load_refund_total(&mut self, facts: &mut Facts, of: EntryId) -> Loaded<()> {
        let total = self
            .connection
            .prepare_cached("SELECT captured, refunded FROM refund_total WHERE txn_id = ?1")?
            .query_row([of.uuid().as_bytes()], |row| Ok(RefundTotal { captured: row.get(0)?, refunded: row.get(1)? }))
            .optional()?;
        if let Some(total) = total {
            facts.refunds.insert(of, total);
        }
        Ok(())
    }
}
