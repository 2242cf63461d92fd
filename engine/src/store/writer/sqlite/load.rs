//! Loads the facts that a batch needs and that are not known yet. This process is the only writer, so what it knows
//! of wallets, counters, open holds and open calls stays true between batches.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row};
use uuid::Uuid;

use super::{
    books::{Books, read_head},
    counters::Counters,
};
use crate::{
    credits::Credits,
    id::{EntryId, InvocationId},
    ledger::{
        AccountKind, LedgerAccountId, Leg, OnExpiry, PlaceHold, Post, Settle, TransactionKind,
        caps::{CapUse, CounterKey},
        facts::{AccountFacts, Facts, Known, OpenCall, OpenHold, Wallet},
        key::{KeyName, KeyState, StoredKey},
        leaf::{HoldEntry, Settled, SettlementEntry, TransactionEntry, decode_counters},
    },
    pricing::ShareTerms,
    store::{
        StoreError,
        writer::{Command, Job},
    },
};

mod movements;

/// Above this many known wallets or counters the memory is emptied and filled again on demand.
const KNOWN_MAX: usize = 200_000;

const HOLD_COLUMNS: &str = "h.id, h.wallet, h.payee, h.amount, h.ttl_us, h.publisher_bps, h.partner_bps, h.partner, \
                            h.expiry_capture, h.counters, h.meta_hash";

/// The open holds. As the open calls, in this order: few are open, and callers wait meanwhile.
const OPEN_HOLDS: &str = "FROM open_hold o CROSS JOIN hold h ON h.id = o.hold_id";

/// The calls that have not ended.
const OPEN_CALLS: &str = "WITH open (id) AS (SELECT hold_id FROM open_hold UNION ALL SELECT id FROM open_call)
    SELECT i.id, i.key_scope, i.key, i.epoch, i.state FROM open CROSS JOIN invocation i ON i.id = open.id";

pub(super) type Loaded<T> = rusqlite::Result<T>;

impl Books {
    /// Starts from what the database says: the head, the counters, the open holds, the open calls.
    pub(super) fn reload(&mut self) -> Result<Facts, StoreError> {
        let (mut head, counted_seq) = read_head(&self.connection)?;
        // Keep the old term, also if what follows fails: under a newer one every further commit must fail as fenced.
        head.epoch = self.head.epoch;
        self.counters = Counters::read(&self.connection, &head, counted_seq)?;
        self.head = head;
        let mut facts = Facts::default();
        let sql = format!("SELECT {HOLD_COLUMNS}, o.expires_us {OPEN_HOLDS}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            facts.insert_hold(OpenHold { entry: hold_from(row)?, expires_us: row.get(11)? });
        }
        self.load_sources(&mut facts)?;
        self.load_expiries(&mut facts)?;
        let mut statement = self.connection.prepare_cached(OPEN_CALLS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = match (row.get::<_, Option<[u8; 16]>>(1)?, row.get::<_, Option<String>>(2)?) {
                (Some(scope), Some(key)) => Some(KeyName { scope: Uuid::from_bytes(scope), key: key.into() }),
                _ => None,
            };
            let call = OpenCall { key, epoch: row.get(3)?, is_unknown: row.get::<_, i64>(4)? == 2 };
            facts.calls.insert(InvocationId::from(uuid(row, 0)?), call);
        }
        Ok(facts)
    }

    /// What `jobs` and the sweep at `now_us` need.
    pub(super) fn load(&mut self, facts: &mut Facts, jobs: &[Job], now_us: i64) -> Loaded<()> {
        if facts.wallets.len() > KNOWN_MAX || facts.accounts.len() > KNOWN_MAX || facts.counters.len() > KNOWN_MAX {
            facts.forget_accounts();
            facts.counters.clear();
        }
        if facts.grants.expiries.wants_more() {
            self.load_expiries(facts)?;
        }
        for (.., account) in facts.grants.expiries.due(now_us, usize::MAX) {
            self.load_account(facts, account)?;
        }
        let lost =
            facts.calls.iter().filter(|(_, call)| call.epoch < self.head.epoch).map(|(id, _)| EntryId::from(*id));
        let due: Vec<_> = lost.chain(facts.expired_holds(now_us, usize::MAX)).collect();
        for id in due {
            self.load_open_hold(facts, id)?;
        }
        for job in jobs {
            match job {
                Job::Begin(begin, _) => {
                    if let Some(hold) = &begin.hold {
                        self.load_hold_parties(facts, hold)?;
                    }
                    if let Some(claim) = &begin.key {
                        self.load_key(facts, &claim.name)?;
                    }
                }
                Job::Finish(finish, _) => {
                    self.load_open_hold(facts, EntryId::from(finish.call))?;
                    if let Some(wallet) = finish.wallet {
                        self.load_account(facts, wallet)?;
                    }
                    self.load_counters(facts, &finish.caps)?;
                }
                Job::Command(command, _) => self.load_command(facts, command)?,
                Job::Unit(..) | Job::Records(_) | Job::Tick(_) | Job::Settings(_) => {}
            }
        }
        Ok(())
    }

    /// What the commands of a unit need.
    pub(super) fn load_commands(&mut self, facts: &mut Facts, commands: &[Command]) -> Loaded<()> {
        commands.iter().try_for_each(|command| self.load_command(facts, command))
    }

    fn load_command(&mut self, facts: &mut Facts, command: &Command) -> Loaded<()> {
        match command {
            Command::Post(post) => self.load_post(facts, post),
            Command::Hold(hold) => {
                self.load_known(facts, hold.id)?;
                self.load_hold_parties(facts, hold)
            }
            Command::Settle(settle) => self.load_settle(facts, settle),
            Command::Give(give) => self.load_gives(facts, std::slice::from_ref(give)),
            Command::Close(_) => Ok(()),
            Command::Refund(_) | Command::Revert(_) | Command::Collect(_) | Command::Secure(_) | Command::Payout(_) => {
                self.load_movement(facts, command)
            }
        }
    }

    pub(super) fn load_post(&mut self, facts: &mut Facts, post: &Post) -> Loaded<()> {
        self.load_known(facts, post.id)?;
        post.legs.iter().try_for_each(|leg| {
            self.load_account(facts, leg.debit)?;
            self.load_account(facts, leg.credit)
        })
    }

    fn load_settle(&mut self, facts: &mut Facts, settle: &Settle) -> Loaded<()> {
        self.load_known(facts, settle.id)?;
        self.load_known(facts, settle.hold)?;
        self.load_open_hold(facts, settle.hold)
    }

    fn load_hold_parties(&mut self, facts: &mut Facts, hold: &PlaceHold) -> Loaded<()> {
        for account in [Some(hold.wallet), Some(hold.payee), hold.partner].into_iter().flatten() {
            self.load_account(facts, account)?;
        }
        self.load_counters(facts, &hold.caps)
    }

    fn load_counters(&mut self, facts: &mut Facts, caps: &[CapUse]) -> Loaded<()> {
        for key in caps.iter().filter_map(CapUse::counter) {
            self.load_counter(facts, key)?;
        }
        Ok(())
    }

    fn load_open_hold(&mut self, facts: &mut Facts, id: EntryId) -> Loaded<()> {
        let Some(open) = facts.holds.get(&id) else { return Ok(()) };
        let (wallet, payee, partner, counters) =
            (open.entry.wallet, open.entry.payee, open.entry.partner, open.entry.counters.clone());
        for source in open.entry.sources.clone() {
            self.load_account(facts, source.account)?;
        }
        for account in [Some(wallet), Some(payee), partner].into_iter().flatten() {
            self.load_account(facts, account)?;
        }
        for key in counters {
            self.load_counter(facts, key)?;
        }
        Ok(())
    }

    pub(super) fn load_account(&mut self, facts: &mut Facts, id: LedgerAccountId) -> Loaded<()> {
        if facts.accounts.contains_key(&id) {
            return Ok(());
        }
        let account = self
            .connection
            .prepare_cached("SELECT kind, closed_us IS NOT NULL FROM ledger_account WHERE id = ?1")?
            .query_row([id.raw()], |row| Ok((row.get::<_, i16>(0)?, row.get::<_, bool>(1)?)))
            .optional()?;
        let Some((kind, is_closed)) = account else { return Ok(()) };
        let kind = AccountKind::from_raw(kind).ok_or_else(|| nonsense(0, "account kind"))?;
        if kind.is_limited() {
            let wallet = self
                .connection
                .prepare_cached(
                    "SELECT credits, debits, held, overdraft, version FROM wallet_balance WHERE account_id = ?1",
                )?
                .query_row([id.raw()], |row| {
                    Ok(Wallet {
                        credits: row.get(0)?,
                        debits: row.get(1)?,
                        held: row.get(2)?,
                        overdraft: row.get(3)?,
                        version: row.get(4)?,
                    })
                })?;
            facts.wallets.insert(id, wallet);
        }
        facts.accounts.insert(id, AccountFacts { kind, is_closed });
        match kind {
            AccountKind::Wallet => self.load_grants(facts, id),
            AccountKind::Grant => self.load_wallet_of(facts, id),
            _ => Ok(()),
        }
    }

    fn load_counter(&mut self, facts: &mut Facts, key: CounterKey) -> Loaded<()> {
        if facts.counters.contains_key(&key) {
            return Ok(());
        }
        facts.counters.insert(key, self.counters.find(&self.connection, key)?);
        Ok(())
    }

    fn load_key(&mut self, facts: &mut Facts, name: &KeyName) -> Loaded<()> {
        let stored = self
            .connection
            .prepare_cached(
                "SELECT i.fingerprint, i.call, i.created_us, i.state, i.status, a.body
                 FROM idem i LEFT JOIN idem_answer a ON a.call = i.call WHERE i.scope = ?1 AND i.key = ?2",
            )?
            .query_row((name.scope.as_bytes(), &*name.key), |row| {
                let state = match row.get::<_, i64>(3)? {
                    1 => KeyState::Running,
                    2 => KeyState::Finished { status: row.get(4)?, body: Arc::from(row.get::<_, String>(5)?) },
                    3 => KeyState::Unknown,
                    _ => return Err(nonsense(3, "key state")),
                };
                Ok(StoredKey {
                    fingerprint: row.get(0)?,
                    call: InvocationId::from(uuid(row, 1)?),
                    created_us: row.get(2)?,
                    state,
                })
            })
            .optional()?;
        if let Some(stored) = stored {
            facts.keys.insert(name.clone(), stored);
        }
        Ok(())
    }

    /// What an identifier names, unless it is an open hold.
    pub(super) fn load_known(&mut self, facts: &mut Facts, id: EntryId) -> Loaded<()> {
        if facts.known.contains_key(&id) || facts.holds.contains_key(&id) {
            return Ok(());
        }
        let known = match self.find_settled_hold(id)? {
            Some((hold, settlement)) => {
                // What comes back of its charge goes back to where it came from.
                Some(Known::Hold(HoldEntry { sources: self.find_sources(id)?, ..hold }, Some(settlement)))
            }
            None => match self.find_transaction(id)? {
                Some(transaction) => Some(Known::Transaction(transaction)),
                None => self.find_settlement(id)?.map(Known::Settlement),
            },
        };
        if let Some(known) = known {
            facts.known.insert(id, known);
        }
        Ok(())
    }

    fn find_settled_hold(&mut self, id: EntryId) -> Loaded<Option<(HoldEntry, SettlementEntry)>> {
        let sql = format!(
            "SELECT {HOLD_COLUMNS}, r.id, r.hold_id, r.outcome, r.captured, r.meta_hash
             FROM hold h JOIN hold_resolution r ON r.hold_id = h.id WHERE h.id = ?1"
        );
        self.connection
            .prepare_cached(&sql)?
            .query_row([id.uuid().as_bytes()], |row| Ok((hold_from(row)?, settlement_from(row, 11)?)))
            .optional()
    }

    fn find_settlement(&mut self, id: EntryId) -> Loaded<Option<SettlementEntry>> {
        self.connection
            .prepare_cached(
                "SELECT id, hold_id, outcome, captured, meta_hash FROM hold_resolution WHERE id = ?1 AND id <> hold_id",
            )?
            .query_row([id.uuid().as_bytes()], |row| settlement_from(row, 0))
            .optional()
    }

    /// A transaction that does not share the identifier of a hold.
    fn find_transaction(&mut self, id: EntryId) -> Loaded<Option<TransactionEntry>> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT slot, seq, kind, hold_id, reverses, effective_us, meta_hash FROM txn
                 WHERE id = ?1 AND id IS NOT hold_id",
            )?
            .query_row([id.uuid().as_bytes()], |row| {
                let kind = TransactionKind::from_raw(row.get(2)?).ok_or_else(|| nonsense(2, "transaction kind"))?;
                let entry = TransactionEntry {
                    id,
                    kind,
                    hold: optional_id(row, 3)?,
                    reverses: optional_id(row, 4)?,
                    effective_us: row.get(5)?,
                    meta: row.get(6)?,
                    legs: Vec::new(),
                };
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, entry))
            })
            .optional()?;
        let Some((slot, seq, mut entry)) = found else { return Ok(None) };
        let mut statement = self
            .connection
            .prepare_cached("SELECT debit, credit, amount FROM posting WHERE slot = ?1 AND seq = ?2 ORDER BY ord")?;
        let legs = statement.query_map((slot, seq), |row| {
            Ok(Leg {
                debit: LedgerAccountId::from_raw(row.get(0)?),
                credit: LedgerAccountId::from_raw(row.get(1)?),
                amount: Credits::from_micros(row.get(2)?),
            })
        })?;
        entry.legs = legs.collect::<Loaded<_>>()?;
        Ok(Some(entry))
    }
}

pub(super) fn uuid(row: &Row<'_>, column: usize) -> Loaded<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

fn optional_id(row: &Row<'_>, column: usize) -> Loaded<Option<EntryId>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(|bytes| EntryId::from(Uuid::from_bytes(bytes))))
}

fn settlement_from(row: &Row<'_>, first: usize) -> Loaded<SettlementEntry> {
    let at = |offset: usize| first.saturating_add(offset);
    Ok(SettlementEntry {
        id: uuid(row, first)?.into(),
        hold: uuid(row, at(1))?.into(),
        settled: Settled::from_raw(row.get(at(2))?).ok_or_else(|| nonsense(at(2), "outcome"))?,
        captured: Credits::from_micros(row.get(at(3))?),
        meta: row.get(at(4))?,
    })
}

fn hold_from(row: &Row<'_>) -> Loaded<HoldEntry> {
    let shares = ShareTerms::new(row.get(5)?, row.get(6)?).map_err(|_above| nonsense(5, "shares"))?;
    Ok(HoldEntry {
        id: uuid(row, 0)?.into(),
        wallet: LedgerAccountId::from_raw(row.get(1)?),
        payee: LedgerAccountId::from_raw(row.get(2)?),
        amount: Credits::from_micros(row.get(3)?),
        ttl_us: row.get(4)?,
        shares,
        partner: row.get::<_, Option<i64>>(7)?.map(LedgerAccountId::from_raw),
        on_expiry: row
            .get::<_, Option<i64>>(8)?
            .map_or(OnExpiry::Release, |micros| OnExpiry::Capture(Credits::from_micros(micros))),
        counters: decode_counters(&row.get::<_, Vec<u8>>(9)?).ok_or_else(|| nonsense(9, "counters"))?,
        // Whoever reads holds adds them.
        sources: Vec::new(),
        meta: row.get(10)?,
    })
}

/// A stored value that no version of this program wrote.
fn nonsense(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Null, format!("damaged {what}").into())
}

#[cfg(test)]
mod tests;
