use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use rusqlite::Connection;
use sea_orm::DbBackend;

use super::*;
use crate::{
    credits::Credits,
    id::{EntryId, IdSource as _, InvocationId},
    invocation::CallState,
    ledger::{
        AccountKind, CaptureAmount, Collect, LedgerAccountId, Leg, OnExpiry, Payout, PlaceHold, Post, Refund, Settle,
        SettleAction, TransactionKind,
        accounts::GRANT_MARK,
        batch::{Begin, Finish, KeyEnd, Outcome},
        caps::CapUse,
        grants::GiveGrant,
        leaf::{Position, sha256},
        periods::{PeriodClose, balance_key, digest, trial_balance as trial_balance_of},
        verify::{PROBLEMS_MAX, ProblemKind::*},
    },
    pricing::ShareTerms,
    store::{
        Ledger, UnitOfWork,
        periods::write_lines,
        writer::{Command, WriterOptions},
    },
    testing::{History, ManualClock, SeededIds, Step, World, call_end, push_statement, running_call},
};

mod damage;

/// Of the migrations, those that make the tables of the ledger, and what they need.
const SCHEMA: &str = concat!(
    include_str!("../../../../migrations/src/m20261121_000001_ledger/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261121_000002_catalog/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261121_000003_grants/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261121_000004_hot_path/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261121_000005_policy_versions/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261121_000006_movements/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261121_000007_grants_and_periods/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261121_000008_audit/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261121_000009_proof/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261123_000018_partner_funding/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261123_000021_explained_charges/up.sqlite.sql"),
    include_str!("../../../../migrations/src/m20261123_000022_late_counters/up.sqlite.sql"),
);
const START_US: i64 = 1_795_000_000_000_000;
const SECOND_US: i64 = 1_000_000;

/// A ledger that works on a file of its own.
struct Books {
    path: PathBuf,
    clock: Arc<ManualClock>,
    ids: Arc<SeededIds>,
    ledger: Option<(Ledger, std::thread::JoinHandle<()>)>,
    runtime: tokio::runtime::Runtime,
}

impl Books {
    fn create(path: PathBuf, world: &World) -> Self {
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        for (id, kind) in world.accounts() {
            let owner = id.raw().to_string();
            let row = (id.raw(), kind.code(&owner), kind.raw());
            let sql = "INSERT OR IGNORE INTO ledger_account (id, code, kind, created_us) VALUES (?1, ?2, ?3, 0)";
            connection.execute(sql, row).unwrap();
        }
        for (id, overdraft) in &world.wallets {
            let sql = "INSERT INTO wallet_balance VALUES (?1, 0, 0, 0, ?2, 0)";
            connection.execute(sql, (id.raw(), overdraft)).unwrap();
        }
        connection.close().unwrap();
        let mut books = Self {
            path,
            clock: Arc::new(ManualClock::starting_at(START_US)),
            ids: Arc::new(SeededIds::new(7)),
            ledger: None,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
        };
        books.start();
        books
    }

    fn start(&mut self) {
        let options =
            WriterOptions { clock: Arc::<ManualClock>::clone(&self.clock), ids: Arc::<SeededIds>::clone(&self.ids) };
        self.ledger = Some(Ledger::start(&self.path, options).unwrap());
    }

    fn stop(&mut self) {
        if let Some((ledger, writer)) = self.ledger.take() {
            drop(ledger);
            writer.join().unwrap();
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.ledger.as_ref().unwrap().0
    }

    fn id(&self) -> EntryId {
        self.ids.next_uuid(START_US).into()
    }

    /// Carries a command out and says whether it was granted.
    fn command(&self, command: Command) -> bool {
        self.runtime.block_on(self.ledger().command(command)).unwrap().is_ok()
    }

    fn begin(&self, begin: &Begin) {
        self.runtime.block_on(self.ledger().begin(begin.clone())).unwrap();
    }

    fn finish(&self, finish: &Finish) {
        let _ended = self.runtime.block_on(self.ledger().finish(finish.clone())).unwrap();
    }

    /// Gives credits that expire, in an account that is opened for them, and says whether it was granted.
    fn give(&self, give: &GiveGrant) -> bool {
        let mut unit = UnitOfWork::new();
        let account = give.account.raw();
        let code = AccountKind::Grant.code(&format!("0{GRANT_MARK}{account}"));
        for sql in [
            format!("INSERT INTO ledger_account (id, code, kind, created_us) VALUES ({account}, '{code}', 10, 0)"),
            format!("INSERT INTO wallet_balance VALUES ({account}, 0, 0, 0, 0, 0)"),
        ] {
            push_statement(&mut unit, &sql, Some(1));
        }
        unit.give(give.clone());
        self.runtime.block_on(self.ledger().save(unit.unaudited("a test"))).is_ok()
    }

    /// Closes the first period at this moment.
    fn close_period(&self) {
        let connection = self.connect();
        let sides = "SELECT debit AS account, amount AS debits, 0 AS credits FROM posting
                     UNION ALL SELECT credit, 0, amount FROM posting";
        let sql = format!(
            "SELECT a.kind, a.id, sum(s.debits), sum(s.credits) FROM ({sides}) AS s JOIN ledger_account a ON a.id = s.account
             GROUP BY a.kind, a.id"
        );
        let mut moved: BTreeMap<_, (i128, i128)> = BTreeMap::new();
        let mut statement = connection.prepare(&sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let kind = AccountKind::from_raw(row.get(0).unwrap()).unwrap();
            let sums = moved.entry(balance_key(kind, account(row.get(1).unwrap()))).or_default();
            sums.0 += i128::from(row.get::<_, i64>(2).unwrap());
            sums.1 += i128::from(row.get::<_, i64>(3).unwrap());
        }
        let lines = trial_balance_of(&[], &moved).unwrap();
        let seq = connection.query_row("SELECT seq FROM chain_head", [], |row| row.get(0)).unwrap();
        let mut unit = UnitOfWork::new();
        for (statement, count) in write_lines(DbBackend::Sqlite, 1, &lines) {
            unit.push(statement, Some(count));
        }
        unit.close_period(PeriodClose {
            id: self.id(),
            period: 1,
            start_us: START_US - SECOND_US,
            end_us: START_US + 3 * SECOND_US,
            cut: vec![Position { slot: 0, seq }],
            digest: digest(1, &lines),
        });
        self.runtime.block_on(self.ledger().save(unit.unaudited("a test"))).unwrap();
    }

    fn tick(&self) {
        self.runtime.block_on(self.ledger().tick()).unwrap();
    }

    fn verify(&self) -> VerifyReport {
        verify(&self.path, &*self.clock).unwrap()
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Post(post) => drop(self.command(Command::Post(post.clone()))),
            Step::Hold(hold) => drop(self.command(Command::Hold(hold.clone()))),
            Step::Settle(settle) => drop(self.command(Command::Settle(settle.clone()))),
            Step::Refund(refund) => drop(self.command(Command::Refund(*refund))),
            Step::Revert(revert) => drop(self.command(Command::Revert(*revert))),
            Step::Secure(secure) => drop(self.command(Command::Secure(*secure))),
            Step::Payout(payout) => drop(self.command(Command::Payout(*payout))),
            Step::Collect(collect) => drop(self.command(Command::Collect(collect.clone()))),
            Step::Begin(begin) => self.begin(begin),
            Step::Finish(finish) => self.finish(finish),
            Step::Advance(by_us) => self.clock.advance_us(*by_us),
            Step::Give(give) => drop(self.give(give)),
            Step::Close(_) => {}
            Step::Restart => {
                self.stop();
                self.start();
            }
        }
    }

    fn connect(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        self.stop();
    }
}

fn account(raw: i64) -> LedgerAccountId {
    LedgerAccountId::from_raw(raw)
}

fn micros(amount: i64) -> Credits {
    Credits::from_micros(amount)
}

/// Books in which every column of every table has a row in which it says something.
fn small_books(path: PathBuf) -> Books {
    let world = World::standard();
    let books = Books::create(path, &world);
    let (wallet, payee, partner) = (account(1_001), account(2_001), account(3_001));
    let post =
        |id, kind, legs, reverses| Command::Post(Post { id, kind, legs, reverses, effective_us: None, meta: None });
    let purchase = books.id();
    let paid = vec![
        Leg { debit: LedgerAccountId::CLEARING_DEMO, credit: wallet, amount: micros(5_000) },
        Leg { debit: LedgerAccountId::PROMO, credit: account(1_002), amount: micros(700) },
        Leg { debit: LedgerAccountId::PROMO, credit: account(2_002), amount: micros(3) },
    ];
    assert!(books.command(post(purchase, TransactionKind::Purchase, paid, None)));
    assert!(books.command(Command::Collect(Collect {
        id: books.id(),
        kind: TransactionKind::Chargeback,
        sources: vec![wallet],
        to: LedgerAccountId::CLEARING_DEMO,
        amount: micros(50),
        is_at_most: false,
        reverses: Some(purchase),
        meta: None,
    })));

    let place = |id, amount, ttl_us, on_expiry| PlaceHold {
        id,
        wallet,
        payee,
        amount: micros(amount),
        ttl_us,
        shares: ShareTerms::new(7_000, 1_000).unwrap(),
        partner: Some(partner),
        on_expiry,
        caps: world.caps.iter().map(|cap| CapUse::at(*cap, START_US)).collect(),
        meta: Some(sha256(b"meta")),
    };
    let settle = |hold, action| Settle { id: books.id(), hold, action, wallet: None, payee: None, meta: None };
    let [captured, released, expired, opened, kept] = [(); 5].map(|()| books.id());
    let capture_ten = OnExpiry::Capture(micros(10));
    for hold in [
        place(captured, 101, 60 * SECOND_US, OnExpiry::Release),
        place(released, 102, 0, OnExpiry::Release),
        place(expired, 103, SECOND_US, capture_ten),
        place(opened, 104, 600 * SECOND_US, capture_ten),
        PlaceHold { partner: None, meta: None, caps: Vec::new(), ..place(kept, 105, 0, OnExpiry::Release) },
    ] {
        assert!(books.command(Command::Hold(hold)));
    }
    let all_but_one = SettleAction::Capture(CaptureAmount::Exactly(micros(100)));
    let charge = settle(captured, all_but_one);
    assert!(books.command(Command::Settle(charge.clone())));
    assert!(books.command(Command::Settle(settle(released, SettleAction::Release(None)))));
    assert!(
        !books.command(Command::Hold(PlaceHold { caps: Vec::new(), ..place(books.id(), 1_000_000, 0, capture_ten) }))
    );
    books.clock.advance_us(2 * SECOND_US);
    books.tick();
    let (amount, meta) = (Some(micros(10)), Some(sha256(b"why")));
    assert!(books.command(Command::Refund(Refund { id: books.id(), of: charge.id, amount, meta })));
    let to = LedgerAccountId::CLEARING_MANUAL;
    assert!(books.command(Command::Payout(Payout { id: books.id(), from: payee, to, amount: Some(micros(20)), meta })));

    let call = InvocationId::from(books.id().uuid());
    let hold = place(EntryId::from(call), 106, SECOND_US, OnExpiry::Release);
    books.begin(&Begin { call: running_call(call, Some(&hold), None, START_US), key: None, hold: Some(hold) });
    books.finish(&Finish {
        call,
        wallet: Some(wallet),
        caps: Vec::new(),
        outcome: Outcome::Unknown { resolves_us: START_US + 900 * SECOND_US },
        key: KeyEnd::Free,
        end: call_end(CallState::Unknown),
    });

    let credit = account(4_001);
    let legs = vec![Leg { debit: LedgerAccountId::PROMO, credit, amount: micros(70) }];
    let kind = TransactionKind::Grant;
    let post = Post { id: books.id(), kind, legs, reverses: None, effective_us: None, meta: None };
    let expires_us = START_US + 900 * SECOND_US;
    assert!(books.give(&GiveGrant { post, wallet, account: credit, priority: 3, expires_us }));
    let on_grants = place(books.id(), 107, 0, OnExpiry::Release);
    assert!(books.command(Command::Hold(PlaceHold { partner: None, meta: None, caps: Vec::new(), ..on_grants })));
    // All of it counts before the period's end.
    books.clock.advance_us(SECOND_US);
    books.close_period();
    books
}

#[test]
fn sound_books_are_found_sound_beside_a_running_writer() {
    let folder = tempfile::tempdir().unwrap();
    let books = small_books(folder.path().join("books.sqlite"));
    let report = books.verify();
    assert_eq!(report.problems, []);
    assert!(report.ok);
    // Three postings and one, two charges and a refund of three, a payout, and one of a grant; the rest moves no money.
    assert_eq!(report.counts, Counts { batches: 17, entries: 20, transactions: 7, postings: 15, audit_rows: 0 });
    assert_eq!(report.checkpoint, None);
    let stored: (i64, i64, [u8; 32]) = books
        .connect()
        .query_row("SELECT batch_no, seq, hash FROM chain_head", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    let heads: Vec<_> = report.heads.iter().map(|head| (head.batch_no, head.seq, head.hash)).collect();
    assert_eq!(heads, [stored]);
}

#[test]
fn empty_books_are_sound() {
    let folder = tempfile::tempdir().unwrap();
    let books = Books::create(folder.path().join("books.sqlite"), &World::standard());
    let report = books.verify();
    assert_eq!((report.problems, report.counts, report.heads), (vec![], Counts::default(), vec![]));
}

#[test]
fn books_of_random_histories_are_sound() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let mut books = Books::create(folder.path().join("books.sqlite"), &World::standard());
        let mut history = History::new(seed, World::standard(), START_US);
        for _ in 0..150 {
            books.play(&history.next_step());
        }
        let report = books.verify();
        assert_eq!(report.problems, [], "seed {seed}");
        assert!(report.counts.transactions > 10, "seed {seed} wrote {:?}", report.counts);
    }
}

#[test]
fn a_reader_sees_one_moment_while_the_writer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let books = Books::create(folder.path().join("books.sqlite"), &World::standard());
    let legs = || vec![Leg { debit: LedgerAccountId::OPENING, credit: account(1_001), amount: micros(1) }];
    let (ledger, is_over) = (books.ledger().clone(), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            while !is_over.load(Ordering::Relaxed) {
                let (id, kind) = (books.id(), TransactionKind::Opening);
                let post = Post { id, kind, legs: legs(), reverses: None, effective_us: None, meta: None };
                runtime.block_on(ledger.command(Command::Post(post))).unwrap().unwrap();
            }
        });
        let mut last = 0;
        for _ in 0..20 {
            let report = verify(&books.path, &*books.clock).unwrap();
            assert_eq!(report.problems, []);
            assert!(report.counts.postings >= last);
            last = report.counts.postings;
        }
        is_over.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        assert!(last > 0);
    });
}

#[test]
fn the_trial_balance_lists_every_account_and_comes_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let books = small_books(folder.path().join("books.sqlite"));
    let rows = trial_balance(&books.path).unwrap();
    let found: Vec<_> = rows
        .iter()
        .filter(|row| row.debits != 0 || row.credits != 0)
        .map(|row| (row.account.raw(), row.kind.unwrap(), row.debits, row.credits, row.balance))
        .collect();
    // Of 100 and of 10: 70 % for the publisher, 10 % for the partner; 10 of it went back, 20 were paid out.
    assert_eq!(
        found,
        [
            (1, AccountKind::PlatformFee, 2, 22, 20),
            (2, AccountKind::Promo, 773, 0, -773),
            (5, AccountKind::Clearing, 0, 20, 20),
            (6, AccountKind::Clearing, 5_000, 50, -4_950),
            (1_001, AccountKind::Wallet, 160, 5_010, 4_850),
            (1_002, AccountKind::Wallet, 0, 700, 700),
            (2_001, AccountKind::Payable, 27, 77, 50),
            (2_002, AccountKind::Payable, 0, 3, 3),
            (3_001, AccountKind::PartnerMargin, 1, 11, 10),
            (4_001, AccountKind::Grant, 0, 70, 70),
        ]
    );
    assert_eq!(rows.iter().map(|row| row.balance).sum::<i128>(), 0);
    assert_eq!(rows.len(), World::standard().accounts().len() + 1, "the grant has an account");
    assert!(rows.iter().all(|row| row.code.starts_with(&row.kind.unwrap().code(""))));
}

#[test]
fn every_word_of_a_refusal_can_be_read_back() {
    let source = include_str!("../../ledger/refusal.rs");
    let words: Vec<_> =
        source.lines().filter_map(|line| line.trim().split_once("=> \"")?.1.split('"').next()).collect();
    assert!(words.len() >= 20, "found {words:?}");
    for word in words {
        assert_eq!(rows::find_reason(word), Some(word));
    }
    assert_eq!(rows::find_reason("because"), None);
}

#[test]
fn a_file_that_is_not_there_is_an_error_and_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing.sqlite");
    assert!(matches!(verify(&path, &ManualClock::starting_at(0)), Err(StoreError::Sqlite(_))));
    assert!(!path.exists());
}
