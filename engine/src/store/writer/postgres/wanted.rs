//! What a batch decides on: which accounts, counters and keys, and reading them.

use std::collections::BTreeSet;

use sea_orm::sqlx::{
    self, Row as _,
    postgres::{PgConnection, PgRow},
};
use uuid::Uuid;

use super::{
    load::{Foreign, damaged, digest, load_known},
    movements,
    session::Trouble,
    statements::{LOCK, LOCK_FREE, READ},
};
use crate::{
    id::{CapId, EntryId, InvocationId},
    ledger::{
        AccountKind, LedgerAccountId, PlaceHold, Post,
        caps::{CapUse, Counter, CounterKey},
        facts::{AccountFacts, Facts, Wallet},
        grants::{GrantEntry, OpenGrant},
        key::{KeyName, KeyState, StoredKey},
    },
    store::writer::{Command, Job},
};

/// What is to be read for a batch.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) accounts: BTreeSet<LedgerAccountId>,
    pub(super) counters: BTreeSet<CounterKey>,
    keys: BTreeSet<KeyName>,
    /// Identifiers of plain commands: what do they name already?
    known: BTreeSet<EntryId>,
    /// Transactions that are to be taken back.
    pub(super) taken_back: BTreeSet<EntryId>,
    /// What unlimited accounts have decides something, too.
    is_weighing: bool,
    /// Among it is what no job asks for: expired holds, calls of dead servers.
    pub(super) has_due: bool,
}

/// What a batch does about wallets and counters that another server has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contested {
    /// Waits for them.
    Wait,
    /// Passes over them: the jobs that need them are for a later batch.
    PassOver,
}

/// What another server had locked.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    accounts: BTreeSet<LedgerAccountId>,
    counters: BTreeSet<CounterKey>,
}

impl Skipped {
    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.counters.is_empty()
    }

    /// Whether what `wanted` is for cannot be decided without it.
    pub(super) fn holds_up(&self, wanted: &Wanted) -> bool {
        !self.accounts.is_disjoint(&wanted.accounts) || !self.counters.is_disjoint(&wanted.counters)
    }
}

/// What a reading statement found besides facts.
#[derive(Debug, Default)]
struct Read {
    /// Identifiers that name something.
    named: Vec<Uuid>,
    /// Counters that there are.
    seen: BTreeSet<CounterKey>,
}

impl Wanted {
    /// What `jobs` need, and whatever is due at `now_us` for a writer in its term `epoch`.
    pub(super) fn by_jobs(facts: &Facts, jobs: &[Job], now_us: i64, epoch: i64) -> Self {
        let mut wanted = Self::default();
        let lost = facts.calls.iter().filter(|(_, call)| call.epoch < epoch).map(|(id, _)| EntryId::from(*id));
        for id in lost.chain(facts.expired_holds(now_us, usize::MAX)) {
            wanted.has_due = true;
            wanted.add_open_hold(facts, id);
        }
        for (.., account) in facts.grants.expiries.due(now_us, usize::MAX) {
            wanted.has_due = true;
            wanted.accounts.insert(account);
        }
        wanted.add_jobs(facts, jobs);
        wanted
    }

    /// What one job needs.
    pub(super) fn by_job(facts: &Facts, job: &Job) -> Self {
        let mut wanted = Self::default();
        wanted.add_jobs(facts, std::slice::from_ref(job));
        wanted
    }

    fn add_jobs(&mut self, facts: &Facts, jobs: &[Job]) {
        let wanted = self;
        for job in jobs {
            match job {
                Job::Begin(begin, _) => {
                    if let Some(hold) = &begin.hold {
                        wanted.add_hold_parties(hold);
                    }
                    wanted.keys.extend(begin.key.as_ref().map(|claim| claim.name.clone()));
                }
                Job::Finish(finish, _) => {
                    wanted.add_open_hold(facts, EntryId::from(finish.call));
                    wanted.accounts.extend(finish.wallet);
                    wanted.add_counters(&finish.caps);
                }
                Job::Command(command, _) => wanted.add_command(facts, command),
                Job::Unit(..) | Job::Records(_) | Job::Tick(_) | Job::Settings(_) => {}
            }
        }
    }

    /// What the commands of a unit need.
    pub(super) fn by_commands(facts: &Facts, commands: &[Command]) -> Self {
        let mut wanted = Self::default();
        for command in commands {
            wanted.add_command(facts, command);
        }
        wanted
    }

    fn add_command(&mut self, facts: &Facts, command: &Command) {
        match command {
            Command::Post(post) => self.add_post(post),
            Command::Hold(hold) => {
                self.known.insert(hold.id);
                self.add_hold_parties(hold);
            }
            Command::Settle(settle) => {
                self.known.extend([settle.id, settle.hold]);
                self.add_open_hold(facts, settle.hold);
            }
            Command::Give(give) => {
                self.add_post(&give.post);
                self.accounts.extend([give.wallet, give.account]);
            }
            Command::Close(_) => {}
            Command::Refund(_) | Command::Revert(_) | Command::Collect(_) | Command::Secure(_) | Command::Payout(_) => {
                let (id, of, parties) = command.looks_at();
                self.known.insert(id);
                self.known.extend(of);
                self.taken_back.extend(of);
                self.accounts.extend(parties);
                self.is_weighing = true;
            }
        }
    }

    fn add_post(&mut self, post: &Post) {
        self.known.insert(post.id);
        self.accounts.extend(post.legs.iter().flat_map(|leg| [leg.debit, leg.credit]));
    }

    fn add_hold_parties(&mut self, hold: &PlaceHold) {
        self.accounts.extend([Some(hold.wallet), Some(hold.payee), hold.partner].into_iter().flatten());
        self.add_counters(&hold.caps);
    }

    fn add_counters(&mut self, caps: &[CapUse]) {
        self.counters.extend(caps.iter().filter_map(CapUse::counter));
    }

    fn add_open_hold(&mut self, facts: &Facts, id: EntryId) {
        if let Some(open) = facts.holds.get(&id) {
            let entry = &open.entry;
            self.accounts.extend([Some(entry.wallet), Some(entry.payee), entry.partner].into_iter().flatten());
            self.accounts.extend(entry.sources.iter().map(|source| source.account));
            self.counters.extend(&entry.counters);
        }
    }

    /// Locks and reads it all into `facts`, whatever is known there of it. Returns what it found that others have opened,
    /// and what was passed over.
    pub(super) async fn lock(
        &mut self,
        connection: &mut PgConnection,
        facts: &mut Facts,
        contested: Contested,
    ) -> Result<(Foreign, Skipped), Trouble> {
        facts.end_batch();
        self.forget(facts);
        let sql = match contested {
            Contested::Wait => LOCK.as_str(),
            Contested::PassOver => LOCK_FREE.as_str(),
        };
        // What this server has open names nothing else.
        let ids = self.known.iter().filter(|id| !facts.holds.contains_key(id)).map(|id| id.uuid()).collect();
        let mut read = self.read(sql, connection, facts, ids).await?;
        let mut foreign = Foreign::default();
        if !read.named.is_empty() {
            foreign = load_known(connection, facts, &read.named).await?;
            for id in self.known.clone() {
                self.add_open_hold(facts, id);
            }
            self.load_charged(connection, facts).await?;
            for of in &self.taken_back {
                self.accounts.extend(facts.parties_of(*of));
            }
            // Everything is read once more: what is remembered of those that have come in must not mix with it.
            self.forget(facts);
            read = self.read(sql, connection, facts, Vec::new()).await?;
        }
        self.add_grants(facts);
        let is_skipped = |id: &&LedgerAccountId| {
            let is_wallet = facts.accounts.get(id).is_some_and(|account| account.kind.is_limited());
            is_wallet && !facts.wallets.contains_key(id)
        };
        let mut accounts: BTreeSet<_> = self.accounts.iter().filter(is_skipped).copied().collect();
        // A wallet cannot do without any of its grants.
        let of = |id: &LedgerAccountId| facts.grants.find(*id).map(|grant| grant.0.wallet);
        let wallets: Vec<_> = accounts.iter().filter_map(of).collect();
        accounts.extend(wallets);
        let skipped = Skipped {
            accounts,
            counters: read.seen.into_iter().filter(|key| !facts.counters.contains_key(key)).collect(),
        };
        for id in &skipped.accounts {
            facts.forget_account(*id);
        }
        self.check_grants(connection, facts).await?;
        if self.is_weighing {
            movements::load(connection, facts, &self.accounts, &self.taken_back).await?;
        }
        Ok((foreign, skipped))
    }

    /// Whoever had a wallet's lock before may have given it a grant, which the statement that waited does not see.
    async fn check_grants(&self, connection: &mut PgConnection, facts: &Facts) -> Result<(), Trouble> {
        let is_wallet = |id: &&LedgerAccountId| facts.wallets.contains_key(id);
        let wallets: Vec<i64> = self.accounts.iter().filter(is_wallet).map(|id| id.raw()).collect();
        let sql = "SELECT account FROM open_grant WHERE wallet = ANY($1)";
        for account in sqlx::query_scalar(sql).bind(wallets).fetch_all(connection).await? {
            if facts.grants.find(LedgerAccountId::from_raw(account)).is_none() {
                return Err(Trouble::Raced("a wallet was given a grant meanwhile".to_owned()));
            }
        }
        Ok(())
    }

    /// The accounts of the wallets' grants, which came with them: a batch may change them, too.
    fn add_grants(&mut self, facts: &Facts) {
        let wallets: Vec<LedgerAccountId> = self.accounts.iter().copied().collect();
        for wallet in wallets {
            self.accounts.extend(facts.grants.of(wallet).iter().map(|grant| grant.0.account));
        }
    }

    /// Of a charge with a name of its own, the hold tells whose money it was.
    async fn load_charged(&self, connection: &mut PgConnection, facts: &mut Facts) -> Result<(), Trouble> {
        let holds: Vec<Uuid> =
            self.taken_back.iter().filter_map(|of| facts.charged_hold(*of)).map(EntryId::uuid).collect();
        if !holds.is_empty() {
            load_known(connection, facts, &holds).await?;
        }
        Ok(())
    }

    /// Reads those into `facts` of which nothing is known there, without locks.
    pub(super) async fn complete(&mut self, connection: &mut PgConnection, facts: &mut Facts) -> Result<(), Trouble> {
        facts.end_batch();
        // Of a wallet and its grants all is known or nothing.
        for id in &self.accounts {
            if !facts.accounts.contains_key(id) {
                facts.forget_account(*id);
            }
        }
        let unknown = Self {
            accounts: self.accounts.iter().filter(|id| !facts.accounts.contains_key(id)).copied().collect(),
            counters: self.counters.iter().filter(|key| !facts.counters.contains_key(key)).copied().collect(),
            ..Self::default()
        };
        if !unknown.accounts.is_empty() || !unknown.counters.is_empty() {
            unknown.read(READ.as_str(), connection, facts, Vec::new()).await?;
        }
        self.add_grants(facts);
        Ok(())
    }

    /// Whether an identifier has to be looked up to decide: it may name anything.
    pub(super) fn names_anything(&self) -> bool {
        !self.known.is_empty()
    }

    /// Drops what `facts` know of accounts, wallets and counters.
    pub(super) fn forget(&self, facts: &mut Facts) {
        for id in &self.accounts {
            facts.forget_account(*id);
        }
        for key in &self.counters {
            facts.counters.remove(key);
        }
    }

    /// Carries out one of the reading statements.
    async fn read(
        &self,
        sql: &'static str,
        connection: &mut PgConnection,
        facts: &mut Facts,
        ids: Vec<Uuid>,
    ) -> Result<Read, Trouble> {
        let accounts: Vec<i64> = self.accounts.iter().map(|id| id.raw()).collect();
        let (caps, starts): (Vec<Uuid>, Vec<i64>) =
            self.counters.iter().map(|key| (key.cap.uuid(), key.start_us)).unzip();
        let (scopes, keys): (Vec<Uuid>, Vec<&str>) = self.keys.iter().map(|name| (name.scope, &*name.key)).unzip();
        let query = sqlx::query(sql).bind(accounts).bind(caps).bind(starts).bind(scopes).bind(keys).bind(ids);
        let mut found = Read::default();
        for row in query.fetch_all(connection).await? {
            match row.try_get::<i16, _>(0)? {
                1 => take_account(facts, &row)?,
                2 => {
                    facts
                        .counters
                        .insert(counter_key(&row)?, Counter { spent: row.try_get(2)?, held: row.try_get(3)? });
                }
                3 => take_key(facts, &row)?,
                4 => take_wallet(facts, &row)?,
                5 => found.named.push(row.try_get(7)?),
                7 => take_grant(facts, &row)?,
                _ => drop(found.seen.insert(counter_key(&row)?)),
            }
        }
        Ok(found)
    }
}

fn counter_key(row: &PgRow) -> Result<CounterKey, Trouble> {
    Ok(CounterKey { cap: CapId::from(row.try_get::<Uuid, _>(7)?), start_us: row.try_get(1)? })
}

fn take_wallet(facts: &mut Facts, row: &PgRow) -> Result<(), Trouble> {
    let wallet = Wallet {
        credits: row.try_get(2)?,
        debits: row.try_get(3)?,
        held: row.try_get(4)?,
        overdraft: row.try_get(5)?,
        version: row.try_get(6)?,
    };
    facts.wallets.insert(LedgerAccountId::from_raw(row.try_get(1)?), wallet);
    Ok(())
}

fn take_grant(facts: &mut Facts, row: &PgRow) -> Result<(), Trouble> {
    let grant = GrantEntry {
        id: EntryId::from(row.try_get::<Uuid, _>(7)?),
        wallet: LedgerAccountId::from_raw(row.try_get(2)?),
        account: LedgerAccountId::from_raw(row.try_get(1)?),
        priority: row.try_get(3)?,
        expires_us: row.try_get(4)?,
    };
    facts.grants.insert(OpenGrant(grant));
    Ok(())
}

fn take_account(facts: &mut Facts, row: &PgRow) -> Result<(), Trouble> {
    let kind = i16::try_from(row.try_get::<i64, _>(2)?).ok().and_then(AccountKind::from_raw);
    let kind = kind.ok_or_else(|| damaged("account kind"))?;
    let account = AccountFacts { kind, is_closed: row.try_get::<i64, _>(3)? != 0 };
    facts.accounts.insert(LedgerAccountId::from_raw(row.try_get(1)?), account);
    Ok(())
}

fn take_key(facts: &mut Facts, row: &PgRow) -> Result<(), Trouble> {
    let name = KeyName { scope: row.try_get(7)?, key: row.try_get::<String, _>(9)?.into() };
    let state = match row.try_get::<i64, _>(2)? {
        1 => KeyState::Running,
        2 => {
            let status = u16::try_from(row.try_get::<i64, _>(3)?).map_err(|_other| damaged("key status"))?;
            KeyState::Finished { status, body: row.try_get::<String, _>(11)?.into() }
        }
        3 => KeyState::Unknown,
        _ => return Err(damaged("key state")),
    };
    let stored = StoredKey {
        fingerprint: digest(row.try_get(10)?)?,
        call: InvocationId::from(row.try_get::<Uuid, _>(8)?),
        created_us: row.try_get(1)?,
        state,
    };
    facts.keys.insert(name, stored);
    Ok(())
}
