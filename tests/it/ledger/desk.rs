//! A ledger on a file of its own, with a clock that moves by hand.

mod commands;
mod looking;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    thread::JoinHandle,
};

use engine::{
    audit::{Action, OpContext},
    clock::{Clock, SharedClock, SystemClock},
    id::{EntryId, IdSource},
    ledger::{AccountKind, LedgerAccountId, Refusal, batch::Done, grants::GiveGrant},
    policy::{Policies, PolicySources, console::ConsolePolicies},
    service::Services,
    store::{
        Database, Ledger, NotSaved, StoreError, UnitOfWork, WriterError, WriterLock,
        books::{self, VerifyReport},
        writer::{Command, WriterOptions},
    },
    testing::{ManualClock, SeededIds, World, push_statement},
};
use migrations::{Migrator, MigratorTrait};
pub(crate) use tests::home::Kind;
use tests::{
    patience::wait_until,
    postgres::{Cluster, TestDatabase},
};
use tokio::sync::OnceCell;

pub(crate) use self::commands::{
    Waited, capture_all, give_by, grant, hold, payable_id, post, push_account, release, together, wallet_id,
};
use self::commands::{give_at, push_account_at};
use crate::rows;

/// Noon on a day in 2027, in microseconds since the Unix epoch.
pub(crate) const START_US: i64 = 1_800_014_400_000_000;
pub(crate) const SECOND_US: i64 = 1_000_000;

/// Who may do what in the console, as it is shipped.
static CONSOLE_POLICIES: LazyLock<Arc<ConsolePolicies>> = LazyLock::new(|| {
    let sources = PolicySources { schema: policies::CONSOLE_SCHEMA, policies: policies::CONSOLE };
    Arc::new(ConsolePolicies::load(sources).unwrap())
});

/// Runs each of these `async fn(Kind)` as a test on SQLite and as a test on PostgreSQL.
macro_rules! on_both {
    ($($name:ident,)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    super::$name(super::Kind::Sqlite).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $name() {
                    super::$name(super::Kind::Postgres).await;
                }
            )*
        }
    };
}
pub(crate) use on_both;

enum Place {
    File { path: PathBuf, _folder: tempfile::TempDir },
    Server(TestDatabase<'static>),
}

/// The tables whose rows nobody changes.
pub(crate) const BOOKS: [&str; 10] = [
    "txn",
    "posting",
    "hold",
    "hold_resolution",
    "refusal",
    "batch",
    "wallet_grant",
    "hold_source",
    "period_close",
    "trial_balance",
];

impl Place {
    fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::File { path, .. } => rows::in_file(path, sql),
            Self::Server(database) => rows::on_server(database, sql),
        }
    }
}

/// A ledger, its database and its writer.
pub(crate) struct Desk {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ids: Arc<SeededIds>,
    place: Arc<Place>,
    writer: Option<(Ledger, JoinHandle<()>)>,
}

/// A migrated, empty database, made once for the whole run.
async fn empty_database() -> &'static [u8] {
    static EMPTY: OnceCell<Vec<u8>> = OnceCell::const_new();
    EMPTY
        .get_or_init(|| async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("empty.db");
            let connection = Database::connect_for_migration(&format!("sqlite://{}", path.display())).await.unwrap();
            Migrator::up(&connection, None).await.unwrap();
            connection.close().await.unwrap();
            std::fs::read(path).unwrap()
        })
        .await
}

impl Desk {
    /// A new SQLite database with a writer in its first term.
    pub(crate) async fn open() -> Self {
        Self::open_on(Kind::Sqlite).await
    }

    /// A new database with a writer in its first term.
    pub(crate) async fn open_on(kind: Kind) -> Self {
        let place = match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("ledger.db");
                std::fs::write(&path, empty_database().await).unwrap();
                Place::File { path, _folder: folder }
            }
            Kind::Postgres => {
                let database = Cluster::shared().database();
                let connection = Database::connect_for_migration(&database.url()).await.unwrap();
                Migrator::up(&connection, None).await.unwrap();
                connection.close().await.unwrap();
                Place::Server(database)
            }
        };
        let (clock, ids) = (Arc::new(ManualClock::starting_at(START_US)), Arc::new(SeededIds::new(1)));
        let mut desk = Self { clock, ids, place: Arc::new(place), writer: None };
        desk.start();
        desk
    }

    /// As [`Self::open_on`], with the accounts of `world`.
    pub(crate) async fn open_world_on(kind: Kind, world: &World) -> Self {
        let desk = Self::open_on(kind).await;
        let is_well_known = |id| LedgerAccountId::WELL_KNOWN.iter().any(|(known, _)| *known == id);
        for (id, kind) in world.accounts().into_iter().filter(|(id, _)| !is_well_known(*id)) {
            desk.open_account(id, kind, world.overdraft_of(id).unwrap_or(0)).await;
        }
        desk
    }

    /// As [`Self::open`], with the accounts of `world`.
    pub(crate) async fn open_world(world: &World) -> Self {
        Self::open_world_on(Kind::Sqlite, world).await
    }

    /// Begins a term, with a writer that believes in this desk's clock.
    pub(crate) fn start(&mut self) {
        // A child that another test starts has our open files until it runs its program, and with them the lock.
        let (writer, _) = wait_until("the writer's lock is free", || match self.another_writer() {
            Err(StoreError::Locked { .. }) => None,
            started => Some(started.unwrap()),
        });
        self.writer = Some(writer);
    }

    /// A writer on the same file, beside the desk's own if there is one.
    pub(crate) fn another_writer(&self) -> Result<(Ledger, JoinHandle<()>), StoreError> {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let ids: Arc<dyn IdSource> = Arc::<SeededIds>::clone(&self.ids);
        match &*self.place {
            Place::File { path, .. } => Ledger::start(path, WriterOptions { clock, ids }),
            Place::Server(database) => Ledger::start_postgres(&database.url(), WriterOptions { clock, ids }, None),
        }
    }

    /// A writer beside the desk's own on PostgreSQL, of a server whose clock is wrong by `off_us`.
    pub(crate) fn writer_with_a_wrong_clock(&self, off_us: i64) -> (Ledger, JoinHandle<()>) {
        let own = ManualClock::starting_at(SystemClock::start().now_us() + off_us);
        let shared = Arc::new(SharedClock::over(Arc::new(own)));
        let clock: Arc<dyn Clock> = Arc::<SharedClock>::clone(&shared);
        let ids: Arc<dyn IdSource> = Arc::<SeededIds>::clone(&self.ids);
        Ledger::start_postgres(&self.url(), WriterOptions { clock, ids }, Some(shared)).unwrap()
    }

    /// Where PostgreSQL listens.
    pub(crate) fn server_address(&self) -> SocketAddr {
        let url = self.url();
        let (_, place) = url.rsplit_once('@').unwrap();
        place.split_once('/').unwrap().0.parse().unwrap()
    }

    /// Begins a term, with a writer that reaches PostgreSQL through `address`.
    pub(crate) fn start_through(&mut self, address: SocketAddr) {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let ids: Arc<dyn IdSource> = Arc::<SeededIds>::clone(&self.ids);
        let url = self.url().replace(&self.server_address().to_string(), &address.to_string());
        self.writer = Some(Ledger::start_postgres(&url, WriterOptions { clock, ids }, None).unwrap());
    }

    /// The writer goes away; whatever it had not settled stays as it is.
    pub(crate) fn stop(&mut self) {
        if let Some((ledger, thread)) = self.writer.take() {
            drop(ledger);
            thread.join().unwrap();
        }
        // Also for a command that comes after this; see `start`.
        if let Place::File { path, .. } = &*self.place {
            wait_until("the writer's lock is free", || WriterLock::take(path).ok());
        }
    }

    /// Another writer takes over: a new term. Nothing but the file is carried over.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start();
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.writer.as_ref().expect("the writer has been stopped").0
    }

    /// The file of an SQLite database.
    pub(crate) fn path(&self) -> &Path {
        match &*self.place {
            Place::File { path, .. } => path,
            Place::Server(_) => panic!("this ledger is not in a file"),
        }
    }

    pub(crate) fn url(&self) -> String {
        match &*self.place {
            Place::File { path, .. } => format!("sqlite://{}", path.display()),
            Place::Server(database) => database.url(),
        }
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    /// A name that nothing has.
    pub(crate) fn fresh(&self) -> EntryId {
        EntryId::from(self.ids.next_uuid(self.now_us()))
    }

    /// Opens an account the way the program does: in a unit of work.
    pub(crate) async fn open_account(&self, id: LedgerAccountId, kind: AccountKind, overdraft: i64) {
        let mut unit = UnitOfWork::new();
        push_account_at(&mut unit, id, kind, overdraft, self.now_us());
        self.save(unit).await.unwrap();
    }

    pub(crate) async fn save(&self, unit: UnitOfWork) -> Result<Vec<Done>, NotSaved> {
        let told = OpContext::system().entry(Action::CatalogImport, "unit", "of a test");
        self.ledger().save(unit.audited(told)).await
    }

    /// Carries out one statement that must touch one row.
    pub(crate) async fn change(&self, sql: &str) {
        let mut unit = UnitOfWork::new();
        push_statement(&mut unit, sql, Some(1));
        self.save(unit).await.unwrap();
    }

    pub(crate) async fn fund(&self, wallet: LedgerAccountId, amount: i64) {
        let funding = post(self.fresh(), &[(LedgerAccountId::OPENING, wallet, amount)]);
        assert_eq!(self.ask(Command::Post(funding)).await, Ok(Done::Posted));
    }

    /// Gives credits that expire the way the program does: their account is opened with them or not at all.
    pub(crate) async fn give(&self, give: &GiveGrant) -> Result<Done, Refusal> {
        give_at(self.ledger(), give, self.now_us()).await
    }

    /// The use cases over this desk's database and writer.
    pub(crate) async fn services(&self) -> Services {
        self.services_of(self.ledger().clone()).await
    }

    /// The use cases over another writer of this desk's database.
    pub(crate) async fn services_of(&self, ledger: Ledger) -> Services {
        let database = Database::open(&self.url()).await.unwrap();
        let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
        let policies = Policies::load(sources).unwrap();
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        let ids: Arc<dyn IdSource> = Arc::<SeededIds>::clone(&self.ids);
        let services = Services::start(database, ledger, clock, ids, policies).await.unwrap();
        services.set_up_console_policies(Arc::clone(&CONSOLE_POLICIES));
        services.set_up_erased_names(Some(&[1; 32]));
        services
    }

    /// What the ledger says; a writer that does not answer ends the test.
    pub(crate) async fn ask(&self, command: Command) -> Result<Done, Refusal> {
        self.try_ask(command).await.unwrap()
    }

    pub(crate) async fn try_ask(&self, command: Command) -> Result<Result<Done, Refusal>, WriterError> {
        self.ledger().command(command).await
    }

    /// What the verifier says of the books.
    pub(crate) fn report(&self) -> VerifyReport {
        let clock = SystemClock::start();
        let report = match &*self.place {
            Place::File { path, .. } => books::verify(path, &clock),
            // It waits with a runtime of its own.
            Place::Server(database) => tokio::task::block_in_place(|| books::verify_postgres(&database.url(), &clock)),
        };
        report.unwrap()
    }

    /// The books carry their own proof, and every balance is the sum of its postings.
    pub(crate) fn verify(&self) {
        let report = self.report();
        assert!(report.ok, "{} problems: {:#?}", report.problem_count, report.problems);
    }
}
