//! Reads the grants of wallets, and which expire next. This process is the only writer, so what it knows stays true.

use rusqlite::{OptionalExtension as _, Row};

use super::{
    books::Books,
    load::{Loaded, uuid},
};
use crate::{
    credits::Credits,
    id::EntryId,
    ledger::{
        LedgerAccountId,
        facts::Facts,
        grants::{EXPIRIES_MAX, Expiries, GiveGrant, GrantEntry, HoldSource, OpenGrant},
    },
};

const GRANT_COLUMNS: &str = "id, wallet, account, priority, expires_us";

/// What the open holds took from grants. In this order, or SQLite reads the holds of all time in theirs.
pub(super) const SOURCES: &str = "SELECT h.id, s.grant_id, s.account, s.amount
    FROM open_hold o CROSS JOIN hold h ON h.id = o.hold_id
    CROSS JOIN hold_source s ON s.slot = h.slot AND s.seq = h.seq ORDER BY h.id, s.ord";

impl Books {
    /// What the open holds took from grants.
    pub(super) fn load_sources(&self, facts: &mut Facts) -> Loaded<()> {
        let mut statement = self.connection.prepare_cached(SOURCES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(hold) = facts.hold_mut(uuid(row, 0)?.into()) {
                hold.sources.push(source_from(row)?);
            }
        }
        Ok(())
    }

    /// What one hold took from grants.
    pub(super) fn find_sources(&self, hold: EntryId) -> Loaded<Vec<HoldSource>> {
        self.connection
            .prepare_cached(
                "SELECT h.id, s.grant_id, s.account, s.amount
                 FROM hold h JOIN hold_source s ON s.slot = h.slot AND s.seq = h.seq WHERE h.id = ?1 ORDER BY s.ord",
            )?
            .query_map([hold.uuid().as_bytes()], source_from)?
            .collect()
    }

    /// The expiries that come next.
    pub(super) fn load_expiries(&self, facts: &mut Facts) -> Loaded<()> {
        let sql = format!("SELECT {GRANT_COLUMNS} FROM open_grant ORDER BY expires_us, id LIMIT ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        // One more than are kept tells whether there are more.
        let most = i64::try_from(EXPIRIES_MAX).unwrap_or(i64::MAX).saturating_add(1);
        let mut soonest = statement.query_map([most], grant_from)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let is_partial = soonest.len() > EXPIRIES_MAX;
        soonest.truncate(EXPIRIES_MAX);
        facts.grants.expiries = Expiries::of(soonest, is_partial);
        Ok(())
    }

    /// The open grants of a wallet that has just become known, with their accounts.
    pub(super) fn load_grants(&mut self, facts: &mut Facts, wallet: LedgerAccountId) -> Loaded<()> {
        let sql = format!("SELECT {GRANT_COLUMNS} FROM open_grant WHERE wallet = ?1");
        let open = self
            .connection
            .prepare_cached(&sql)?
            .query_map([wallet.raw()], grant_from)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        for grant in open {
            facts.grants.insert(grant);
            self.load_account(facts, grant.0.account)?;
        }
        Ok(())
    }

    /// The wallet of a grant's account that has just become known, with all its grants.
    pub(super) fn load_wallet_of(&mut self, facts: &mut Facts, account: LedgerAccountId) -> Loaded<()> {
        let wallet: Option<i64> = self
            .connection
            .prepare_cached("SELECT wallet FROM open_grant WHERE account = ?1")?
            .query_row([account.raw()], |row| row.get(0))
            .optional()?;
        wallet.map_or(Ok(()), |wallet| self.load_account(facts, LedgerAccountId::from_raw(wallet)))
    }

    pub(super) fn load_gives(&mut self, facts: &mut Facts, gives: &[GiveGrant]) -> Loaded<()> {
        for give in gives {
            self.load_post(facts, &give.post)?;
            self.load_account(facts, give.wallet)?;
            self.load_account(facts, give.account)?;
        }
        Ok(())
    }
}

fn source_from(row: &Row<'_>) -> Loaded<HoldSource> {
    Ok(HoldSource {
        grant: uuid(row, 1)?.into(),
        account: LedgerAccountId::from_raw(row.get(2)?),
        amount: Credits::from_micros(row.get(3)?),
    })
}

fn grant_from(row: &Row<'_>) -> Loaded<OpenGrant> {
    Ok(OpenGrant(GrantEntry {
        id: uuid(row, 0)?.into(),
        wallet: LedgerAccountId::from_raw(row.get(1)?),
        account: LedgerAccountId::from_raw(row.get(2)?),
        priority: row.get(3)?,
        expires_us: row.get(4)?,
    }))
}
