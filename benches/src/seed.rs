//! `load seed`: a database with as many calls as somebody wants to look at. Everything is made through the program's own use
//! cases, with a clock that is moved by hand over the last thirty days: calls are carried out by `Services::invoke` with an
//! upstream in this process, so their rows, their postings and their caps are those of the real way, and `tollgate ledger
//! verify` holds on them.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicI64, atomic::Ordering},
    thread::JoinHandle,
    time::Instant,
};

use clap::Args;
use engine::{
    clock::{Clock, SystemClock},
    id::IdSource,
    policy::{Policies, PolicySources},
    service::Services,
    store::{Database, Ledger, writer::WriterOptions},
};
use migrations::{Migrator, MigratorTrait};

use self::{calls::Seeding, draw::Draws};
use crate::{
    charging::SpreadIds,
    driver::count_f64,
    failure::{Context as _, Failure, Outcome},
    note,
};

mod calls;
mod deeds;
mod draw;
mod world;

/// How long ago the first call came in, in microseconds: thirty days.
const SPAN_US: i64 = 30 * 86_400 * 1_000_000;

/// How long before the first call the first account was made, in microseconds.
const BEFORE_US: i64 = 86_400 * 1_000_000;

/// How long after each other accounts and the like are made, in microseconds.
const STEP_US: i64 = 10_000;

/// How many calls are carried out at once: they come in together, and the next ones when all of them have ended.
const WAVE: u64 = 1_024;

/// How long before its wave's end the last call of a wave comes in at most, in microseconds: no hold outlives that.
const WAVE_US_MAX: i64 = 2_000_000;

/// What is made.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Size {
    /// How many calls
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    pub(crate) invocations: u64,
    /// How many accounts; half as many end users of partners come with them
    #[arg(long, value_name = "M", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub(crate) accounts: u64,
    /// What decides over every call: who, what, how it ends
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub(crate) seed: u64,
}

/// The command.
#[derive(Debug, Clone, Args)]
pub(crate) struct SeedArguments {
    #[command(flatten)]
    size: Size,
    /// An empty database: `postgres://…`, or `sqlite://PATH`, whose file is made
    #[arg(long, value_name = "URL")]
    database: String,
}

/// The clock of what is made: stands where it was put last, and never goes back.
#[derive(Debug)]
struct HandClock(AtomicI64);

impl HandClock {
    fn reach(&self, at_us: i64) {
        self.0.fetch_max(at_us, Ordering::Relaxed);
    }

    fn step(&self) {
        self.0.fetch_add(STEP_US, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Carries the command out.
pub(crate) fn run(arguments: &SeedArguments) -> Outcome<()> {
    fill(&arguments.database, arguments.size).map(drop)
}

/// Fills the empty database at `url`; how many seconds that took.
pub(crate) fn fill(url: &str, size: Size) -> Outcome<f64> {
    let begin = Instant::now();
    note(&format!("seed {}: {} calls of {} accounts", size.seed, size.invocations, size.accounts));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(seed(url, size))?;
    let seconds = begin.elapsed().as_secs_f64();
    note(&format!("{} calls made in {seconds:.0} s", size.invocations));
    Ok(seconds)
}

async fn seed(url: &str, size: Size) -> Outcome<()> {
    migrate(url).await?;
    let end_us = SystemClock::start().now_us();
    let clock = Arc::new(HandClock(AtomicI64::new(end_us.saturating_sub(SPAN_US).saturating_sub(BEFORE_US))));
    let (services, writer) = start(url, &clock, size.seed).await?;
    let services = Arc::new(services);
    let world = world::make(&services, &clock, size.accounts).await?;
    let draws = Draws::new(size.seed, &world);
    let mut seeding = Seeding::new(Arc::clone(&services), world, draws);
    let waves = size.invocations.div_ceil(WAVE).max(1);
    let mut made = 0_u64;
    let mut told = Instant::now();
    for wave in 0..waves {
        let from_us = moment(end_us, wave, waves);
        let until_us = moment(end_us, wave.saturating_add(1), waves).min(from_us.saturating_add(WAVE_US_MAX));
        let count = WAVE.min(size.invocations.saturating_sub(made));
        seeding.wave(&clock, made, count, (from_us, until_us)).await?;
        made = made.saturating_add(count);
        seeding.deeds((wave, waves)).await?;
        if told.elapsed().as_secs() >= 30 {
            note(&format!("{made} calls, {:.0} a second", count_f64(made) / seeding.seconds()));
            told = Instant::now();
        }
    }
    clock.reach(end_us);
    seeding.finish().await?;
    while services.count_further().await.context(|| "calls are not counted".to_owned())? {}
    let told = seeding.told();
    drop(seeding);
    note(&told);
    let services = Arc::into_inner(services).ok_or_else(|| Failure::new("a call is still under way"))?;
    close(services, writer).await
}

/// The use cases of a second server that only reads, on a database that has its tables.
pub(crate) async fn start_follower(url: &str) -> Outcome<Services> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let db = Database::open(url).await.context(|| "cannot open the database".to_owned())?;
    let services = Services::read_only(db, clock, Arc::new(SpreadIds::starting_at(0)), own_policies()?).await;
    services.context(|| "cannot read the database".to_owned())
}

fn own_policies() -> Outcome<Policies> {
    Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE })
        .context(|| "policies".to_owned())
}

/// Makes the schema of the empty database at `url` and does `work` in it, with a clock that shows the time.
pub(crate) async fn with_services<T>(url: &str, work: impl AsyncFnOnce(&Arc<Services>) -> Outcome<T>) -> Outcome<T> {
    migrate(url).await?;
    let clock = Arc::new(HandClock(AtomicI64::new(SystemClock::start().now_us())));
    let (services, writer) = start(url, &clock, 0).await?;
    let services = Arc::new(services);
    let done = work(&services).await?;
    let services = Arc::into_inner(services).ok_or_else(|| Failure::new("something is still under way"))?;
    close(services, writer).await?;
    Ok(done)
}

async fn close(services: Services, writer: JoinHandle<()>) -> Outcome<()> {
    services.db.clone().close().await.context(|| "the readers".to_owned())?;
    // the writer stops when the last handle is gone
    drop(services);
    writer.join().map_err(|_panic| Failure::new("the writer's thread panicked"))
}

/// When wave `wave` of `waves` comes in.
fn moment(end_us: i64, wave: u64, waves: u64) -> i64 {
    let part = i128::from(SPAN_US).saturating_mul(i128::from(wave)).checked_div(i128::from(waves)).unwrap_or(0);
    end_us.saturating_sub(SPAN_US).saturating_add(i64::try_from(part).unwrap_or(SPAN_US))
}

async fn migrate(url: &str) -> Outcome<()> {
    let connection = Database::connect_for_migration(url).await.context(|| format!("cannot open `{url}`"))?;
    Migrator::up(&connection, None).await.context(|| "the schema cannot be made".to_owned())?;
    connection.close().await.context(|| "the schema".to_owned())
}

async fn start(url: &str, clock: &Arc<HandClock>, seed: u64) -> Outcome<(Services, JoinHandle<()>)> {
    let shared: Arc<dyn Clock> = Arc::<HandClock>::clone(clock);
    let ids: Arc<dyn IdSource> = Arc::new(SpreadIds::starting_at(seed << 40));
    let options = WriterOptions { clock: Arc::clone(&shared), ids: Arc::clone(&ids) };
    let started = if Database::is_server(url) {
        Ledger::start_postgres(url, options, None)
    } else {
        let path: PathBuf = Database::path_of(url).context(|| "the database".to_owned())?;
        Ledger::start(&path, options)
    };
    let (ledger, writer) = started.context(|| "cannot start the writer".to_owned())?;
    let db = Database::open(url).await.context(|| "cannot open the database".to_owned())?;
    let services = Services::start(db, ledger, shared, ids, own_policies()?).await;
    let services = services.context(|| "cannot read the database".to_owned())?;
    services.set_up_erased_names(Some(&[1; 32]));
    services.complete_facts().await.context(|| "facts".to_owned())?;
    if !services.list_emails(1).await.context(|| "accounts".to_owned())?.is_empty() {
        return Err(Failure::new("there are accounts in this database: it is not empty"));
    }
    Ok((services, writer))
}

/// What is counted from several tasks.
#[derive(Debug, Default)]
struct Tally(Mutex<std::collections::BTreeMap<&'static str, u64>>);

impl Tally {
    fn add(&self, what: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    fn told(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
    }
}
