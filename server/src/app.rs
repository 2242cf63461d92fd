//! Putting the parts together and running them, the same for `serve` and for the tests.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::DefaultHeaders, web::Data};
use engine::{
    clock::{Clock, SharedClock, SystemClock},
    id::IdSource,
    policy::{Policies, PolicySources},
    service::{Services, work::Work},
    store::{Database, DatabasePlace, Ledger, TooManyRights, WriterLock, examine_server, writer::WriterOptions},
};
use migrations::{Migrator, MigratorTrait as _};
use tokio::sync::Semaphore;

use crate::{
    auditors::export::EXPORTS_MAX,
    config::{
        Config,
        master_key::{MasterKey, MasterKeyError},
        tls::Certificates,
    },
    console,
    gateway::{Gateway, setup},
    http::limits::{AuthLimiter, DiscoveryLimiter, InvokeLimiter},
    mail::{self, Transport},
    marketplace::auth::JwtKeys,
    state::{AppState, InFlight, RandomIds},
    upstream::{EgressRules, HttpUpstreams},
    webhooks::WebhookKeys,
};

pub mod mounted;

/// How often the ledger looks for expired holds and waiting records.
const TICK: Duration = Duration::from_millis(200);
/// Every how many of these looks failed sign-ins are written to the audit trail.
const FAILED_SIGN_IN_ROUNDS: u32 = 5;
/// Every how many of these looks what is over is tidied up: limiters' memory, sessions, requests.
const TIDY_ROUNDS: u32 = 300;
/// How often a server looks for what others have changed. They have to follow within a second.
const FOLLOW_TICK: Duration = Duration::from_millis(250);
/// How often the outbox is looked at.
const OUTBOX_TICK: Duration = Duration::from_millis(500);
/// How often the TLS files are looked at.
const RELOAD_TICK: Duration = Duration::from_secs(1);
/// How long a stop waits for calls under way.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);

/// Why the program did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Store(#[from] engine::store::StoreError),
    /// The schema is of a version that this program does not know.
    #[error("the database is of a newer version than this program, which does not know `{0}`: update the program")]
    Newer(String),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date: {0}")]
    Migration(String),
    /// The program's own policies.
    #[error("the policies cannot be used: {0}")]
    Policies(#[from] engine::policy::PolicyLoadError),
    /// The upstream client.
    #[error("the upstream client cannot be made: {0}")]
    Upstream(#[from] crate::upstream::UpstreamSetupError),
    /// Keys are made from the master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A port.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// The services over an open database, and the writer's thread.
#[derive(Debug)]
pub struct Engine {
    /// The use cases.
    pub services: Arc<Services>,
    /// Ends when the services and every clone of their ledger are gone.
    pub writer: std::thread::JoinHandle<()>,
    /// What the program's role in the database need not be allowed to.
    pub too_many_rights: Option<TooManyRights>,
}

/// Opens the database (a file is made on first use), brings its schema up to date and takes the writer's place.
///
/// # Errors
/// Any of that fails; another process being the writer is one reason.
pub async fn open_engine(config: &Config) -> Result<Engine, StartError> {
    let url = config.database.url.expose();
    let ids: Arc<dyn IdSource> = Arc::new(RandomIds);
    let mut too_many_rights = None;
    let (clock, (ledger, writer)): (Arc<dyn Clock>, _) = match DatabasePlace::of(url)? {
        DatabasePlace::File(_) => {
            let path = Database::make_file(url)?;
            // First of all: under a running server even the schema is not ours to change.
            let lock = WriterLock::take(&path)?;
            bring_up_to_date(url).await?;
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
            let options = WriterOptions { clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
            (clock, Ledger::start_locked(&path, lock, options)?)
        }
        DatabasePlace::Server(_) => {
            too_many_rights = examine_server(url).await?;
            if bring_up_to_date(url).await? {
                // Who makes the tables has every right to them.
                too_many_rights = examine_server(url).await?;
            }
            let shared = Arc::new(SharedClock::start());
            let clock: Arc<dyn Clock> = Arc::<SharedClock>::clone(&shared);
            let options = WriterOptions { clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
            (clock, Ledger::start_postgres(url, options, Some(shared))?)
        }
    };
    let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
    let policies = Policies::load(sources)?;
    let db = Database::open_beside(url, ledger.presence().clone()).await?;
    let services = Services::start(db, ledger, clock, ids, policies).await?;
    services.complete_facts().await?;
    services.set_up_gateway(Arc::new(setup::gateway_setup(config, setup::declared_namespaces(config))));
    Ok(Engine { services: Arc::new(services), writer, too_many_rights })
}

/// Looks first: what a newer version has made stays as it is, and a role that may not change the schema can work with one
/// that is up to date. Says whether it changed something.
async fn bring_up_to_date(url: &str) -> Result<bool, StartError> {
    let failed = |error: migrations::DbErr| StartError::Migration(error.to_string());
    let database = Database::open(url).await?;
    let pending = pending_migrations(&database).await;
    database.close().await?;
    if pending?.is_empty() {
        return Ok(false);
    }
    let connection = Database::connect_for_migration(url).await?;
    Migrator::up(&connection, None).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(true)
}

/// The names of what the next start would do to the schema.
///
/// # Errors
/// The database cannot be read, or a newer version of the program has changed it.
pub async fn pending_migrations(database: &Database) -> Result<Vec<String>, StartError> {
    let history = migrations::history(database.readers()).await;
    let history = history.map_err(|error| StartError::Migration(error.to_string()))?;
    match history.unknown.into_iter().next() {
        Some(unknown) => Err(StartError::Newer(unknown)),
        None => Ok(history.pending),
    }
}

/// A pool only says that it took too long: this says why a server cannot be used.
async fn expect_server(url: &str) -> Result<(), StartError> {
    if Database::is_server(url) {
        examine_server(url).await?;
    }
    Ok(())
}

/// What has to be true of a database before its books are read by a command of their own.
///
/// # Errors
/// It is on a server that cannot be used, or a newer version of the program has changed it.
pub async fn check_database(config: &Config) -> Result<(), StartError> {
    let url = config.database.url.expose();
    expect_server(url).await?;
    let database = Database::open(url).await?;
    let pending = pending_migrations(&database).await;
    database.close().await?;
    pending.map(drop)
}

/// The services over an existing database, for what only reads: also beside a running server.
///
/// # Errors
/// There is no database, its schema is another one, or it cannot be read.
pub async fn open_readers(config: &Config) -> Result<Services, StartError> {
    let url = config.database.url.expose();
    expect_server(url).await?;
    let db = Database::open(url).await?;
    pending_migrations(&db).await?;
    let policies = Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE })?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let services = Services::read_only(db, clock, Arc::new(RandomIds), policies).await?;
    services.set_up_gateway(Arc::new(setup::gateway_setup(config, setup::declared_namespaces(config))));
    Ok(services)
}

/// The state that the handlers share.
///
/// # Errors
/// The upstream client cannot be made.
pub fn app_state(
    services: Arc<Services>,
    config: Config,
    egress: EgressRules,
    key: &MasterKey,
    gateway: Gateway,
) -> Result<AppState, StartError> {
    let upstreams = Arc::new(HttpUpstreams::new(egress, Arc::clone(&services.clock))?);
    // Opened when the server is: see `webhooks::open`.
    let webhook_keys = WebhookKeys::closed();
    let config = Arc::new(config);
    let auth_limiter = Arc::new(AuthLimiter::new(&config.limits));
    let exports = Arc::new(Semaphore::new(EXPORTS_MAX));
    let console = console::open(&services, &config, &auth_limiter, &exports, (&upstreams, &webhook_keys))?;
    Ok(AppState {
        upstreams,
        invoke_limiter: Arc::new(InvokeLimiter::new(&config.limits)),
        discovery_limiter: Arc::new(DiscoveryLimiter::new(&config.limits)),
        auth_limiter,
        console: Arc::new(console),
        jwt: JwtKeys::new(&key.derive("jwt")?),
        webhook_keys,
        gateway: Arc::new(gateway),
        in_flight: Arc::new(InFlight::default()),
        errands: Arc::default(),
        exports,
        config,
        services,
    })
}

/// What is served at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// All routes.
    Everything,
    /// All but the console's: it has an address of its own.
    Calls,
    /// The console's routes.
    Console,
}

/// Serves what `served` says on `listener` until the handle is told to stop: over TLS where there is a configuration for it.
///
/// # Errors
/// The listener cannot be used.
pub fn listen(
    state: AppState,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
    served: Served,
) -> std::io::Result<actix_web::dev::Server> {
    let workers =
        state.config.server.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, Into::into));
    let console = Data::new(Arc::clone(&state.console));
    let data = Data::new(state);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&data))
            .app_data(Data::clone(&console))
            .wrap(
                DefaultHeaders::new()
                    .add(("x-content-type-options", "nosniff"))
                    .add(("referrer-policy", "no-referrer")),
            )
            .configure(match served {
                Served::Everything => mounted::everything,
                Served::Calls => mounted::calls,
                Served::Console => mounted::console,
            })
    })
    .workers(workers)
    .keep_alive(Duration::from_secs(75))
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(5)
    .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}

/// Looks for replaced TLS files, until it is stopped.
pub async fn run_reload(certificates: Arc<Certificates>) {
    let mut tick = tokio::time::interval(RELOAD_TICK);
    loop {
        tick.tick().await;
        // What became of it stands in the log.
        drop(certificates.reload_if_changed());
    }
}

/// Does what is due without a request: expired holds, calls of a dead server, waiting records, limiter memory.
pub async fn run_ticks(state: AppState) {
    let mut tick = tokio::time::interval(TICK);
    let mut rounds = 0_u32;
    let ledger = &state.services.ledger;
    loop {
        tick.tick().await;
        let ticked = ledger.tick().await;
        state.services.note_work(Work::Ledger, ticked.as_ref().err().map(ToString::to_string));
        if let Err(error) = ticked
            && !error.is_away()
        {
            tracing::warn!(%error, "the ledger did not answer");
        }
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(FAILED_SIGN_IN_ROUNDS)
            && let Err(error) = state.services.write_failed_sign_ins(false).await
            && !error.is_away()
        {
            tracing::warn!(%error, "failed sign-ins could not be told in the audit trail");
        }
        if rounds.is_multiple_of(TIDY_ROUNDS) {
            state.invoke_limiter.tidy();
            state.discovery_limiter.tidy();
            state.auth_limiter.tidy();
            if let Err(error) = console::tidy(&state.services).await
                && !error.is_away()
            {
                tracing::warn!(%error, "what is over in the console could not be tidied up");
            }
        }
    }
}

/// Follows the changes that other servers make to the same database, until it is stopped: as soon as they are heard of,
/// and from time to time in case nothing was heard. Beside an SQLite file nobody else changes anything: there it takes up
/// what a command has committed and could not put into use.
pub async fn run_follow(services: Arc<Services>) {
    let (tell, mut told) = tokio::sync::watch::channel(0);
    let follow = async {
        let mut tick = tokio::time::interval(FOLLOW_TICK);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = told.changed() => {}
            }
            let followed = services.follow_changes().await;
            services.note_work(Work::Follow, followed.as_ref().err().map(ToString::to_string));
            if let Err(error) = followed
                && !error.is_away()
            {
                tracing::warn!(%error, "what has changed could not be read");
            }
        }
    };
    tokio::select! {
        () = follow => {}
        () = services.listen(&tell) => {}
    }
}

/// Sends the mail that is due, until it is stopped.
pub async fn run_outbox(state: AppState, transport: Transport) {
    let mut tick = tokio::time::interval(OUTBOX_TICK);
    loop {
        tick.tick().await;
        let now_us = state.services.clock.now_us();
        let sent = mail::send_due(&state.services, &transport, now_us).await;
        state.services.note_work(Work::Outbox, sent.as_ref().err().map(ToString::to_string));
        if let Err(error) = sent
            && !error.is_away()
        {
            tracing::warn!(%error, "the outbox could not be read");
        }
    }
}

/// Stops gently: unready first, no new connections, calls under way may end.
pub async fn stop(state: &AppState, servers: &[ServerHandle]) {
    state.in_flight.stop();
    for server in servers {
        server.pause().await;
    }
    let waited = tokio::time::timeout(STOP_TIMEOUT, async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while state.in_flight.count() > 0 {
            tick.tick().await;
        }
    });
    if waited.await.is_err() {
        tracing::warn!(
            calls = state.in_flight.count(),
            "stopping with calls under way; their holds are settled by rule"
        );
    }
    for server in servers {
        server.stop(true).await;
    }
}
