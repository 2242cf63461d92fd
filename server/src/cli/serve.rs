//! `tollgate serve [--demo]`.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use engine::{
    audit::OpContext,
    service::{
        Services,
        operators::OPERATOR_LINK_MINUTES,
        policies::{FilePolicy, FilePublication, PolicyVersionError},
    },
    store::DatabasePlace,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Exit, Failure, Outcome, say, with_causes};
use crate::{
    app::{self, Served},
    approvals, checkpoints,
    config::{
        AuthMode, Config, Environment, Loaded, PaymentProvider, PolicySource,
        master_key::MasterKey,
        tls::{Certificates, TlsError},
    },
    counts, demo,
    gateway::{
        Gateway, PATH, setup,
        token::{load_or_create, token_path},
    },
    importer, leftovers, mail, master_key,
    operator::socket::OperatorSocket,
    payloads, saturation,
    upstream::EgressRules,
    webhooks,
};

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Fill the database with a catalog of small tools, serve them, and print calls to paste.
    #[arg(long)]
    demo: bool,
}

pub(super) fn run(args: &ServeArgs, loaded: Loaded, environment: &Environment) -> Outcome {
    let key = MasterKey::load_or_create(environment, &loaded.config.database, &aws_lc_rs::rand::SystemRandom::new())
        .map_err(|error| Failure::new(Exit::Config, error))?;
    actix_web::rt::System::new().block_on(serve(args, loaded, &key))
}

#[expect(clippy::too_many_lines, reason = "one order of starting and stopping, told from beginning to end")]
async fn serve(args: &ServeArgs, loaded: Loaded, key: &MasterKey) -> Outcome {
    let mut config = loaded.config;
    let certificates = config.server.tls.clone().map(Certificates::load).transpose().map_err(|error| tls(&error))?;
    let secured = certificates.as_ref().map(Certificates::server_config).transpose().map_err(|error| tls(&error))?;
    config.payments.provider = Some(payment_provider(config.payments.provider, args.demo)?);
    // The port first: it is the commonest thing to be taken, and nothing has been touched yet.
    let (listener, bound) = bind(config.server.bind)?;
    let desk = config.server.admin_bind.map(bind).transpose()?;
    // From here on the real ports stand, also where the file asks for any free one.
    config.server.bind = bound;
    config.server.admin_bind = desk.as_ref().map(|(_, bound)| *bound);
    let engine = app::open_engine(&config).await.map_err(database)?;
    if let Some(rights) = &engine.too_many_rights {
        tracing::warn!("{rights}");
    }
    let declared = importer::declared(&config.catalog).map_err(|error| Failure::new(Exit::Config, error))?;
    engine.services.import(&OpContext::system(), &declared).await.map_err(|error| Failure::new(Exit::Config, error))?;

    let (base_url, console_url) = (config.server.base_url(config.server.bind), config.server.console_url());
    let transport = mail::Transport::new(&config.mail, &base_url).map_err(|error| Failure::new(Exit::Config, error))?;
    let mut egress = EgressRules::from(&config.egress);
    let mut namespaces = setup::declared_namespaces(&config);
    let mut demo = None;
    if args.demo {
        let (upstream, server) = demo::tools::serve().await.map_err(refused)?;
        let tokens = demo::seed(&engine.services, key, upstream).await.map_err(refused)?;
        egress.exempt_addresses.push(upstream);
        demo::offer(&mut config, &mut namespaces);
        demo = Some((tokens, server));
    }
    set_up(&engine.services, &config, key)?;
    let OpenGateway { gateway, token_file, credential } =
        open_gateway(&config, key, &engine.services, namespaces).await?;
    let operators = listen_to_operators(&engine.services).await?;
    let follow = app::run_follow(Arc::clone(&engine.services));
    let count = counts::run(Arc::clone(&engine.services));
    let vouch = checkpoints::run(Arc::clone(&engine.services), config.ledger.checkpoint_dir.clone());
    let state = app::app_state(engine.services, config, egress, key, gateway).map_err(database)?;
    webhooks::open(&state).await;
    let mut servers = Vec::new();
    if let Some((desk, _)) = desk {
        servers.push(app::listen(state.clone(), desk, secured.clone(), Served::Console).map_err(refused)?);
    }
    let served = if servers.is_empty() { Served::Everything } else { Served::Calls };
    servers.push(app::listen(state.clone(), listener, secured, served).map_err(refused)?);
    let handles: Vec<_> = servers.iter().map(actix_web::dev::Server::handle).collect();
    let running: Vec<_> = servers.into_iter().map(actix_web::rt::spawn).collect();
    let mut background = vec![
        actix_web::rt::spawn(app::run_ticks(state.clone())),
        actix_web::rt::spawn(app::run_outbox(state.clone(), transport)),
        actix_web::rt::spawn(follow),
        actix_web::rt::spawn(approvals::run(Arc::clone(&state.services))),
        actix_web::rt::spawn(payloads::run(Arc::clone(&state.services))),
        actix_web::rt::spawn(vouch),
        actix_web::rt::spawn(count),
        actix_web::rt::spawn(mail::low_balance::run(Arc::clone(&state.services))),
        actix_web::rt::spawn(webhooks::run_thresholds(Arc::clone(&state.services))),
        actix_web::rt::spawn(webhooks::sending::run(state.clone())),
        actix_web::rt::spawn(leftovers::run(Arc::clone(&state.services))),
        actix_web::rt::spawn(saturation::run(state.clone())),
    ];
    background.extend(certificates.map(|certificates| actix_web::rt::spawn(app::run_reload(certificates))));
    // Before anybody is told that there is something to stop.
    let mut signals = StopSignals::take().map_err(refused)?;
    say(&format!("tollgate listens on {base_url}"))?;
    if let Some(path) = token_file {
        say(&format!("the token for {base_url}{PATH} is in {}", path.display()))?;
    }
    if state.config.server.admin_bind.is_some() {
        say(&format!("the console is at {console_url}/admin/"))?;
    }
    if let Some((tokens, _)) = &demo {
        say(&console_line(&console_url, tokens))?;
        say_calls(&demo::calls(&base_url, tokens, credential.as_deref()))?;
    }
    signals.wait().await;
    app::stop(&state, &handles).await;
    background.iter().for_each(tokio::task::JoinHandle::abort);
    for server in running {
        server.await.map_err(refused)?.map_err(refused)?;
    }
    if let Some((_, server)) = demo {
        server.stop().await.map_err(refused)?;
    }
    if let Some(operators) = operators {
        operators.close().await;
    }
    if let Err(error) = state.services.write_failed_sign_ins(true).await {
        tracing::warn!(%error, "failed sign-ins could not be told in the audit trail");
    }
    if let Err(error) = state.services.write_payloads().await {
        tracing::warn!(%error, "what the last calls carried could not be kept");
    }
    // The last clone of the ledger goes with the state: the writer writes what waits, and ends.
    drop(state);
    end_writer(engine.writer).await
}

/// Takes an address, and says which it was.
fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener =
        TcpListener::bind(address).map_err(|error| Failure::new(Exit::Refused, format!("`{address}`: {error}")))?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Hands over what is made from the master key.
fn set_up(services: &Services, config: &Config, key: &MasterKey) -> Result<(), Failure> {
    let checkpoints = checkpoints::setup(&config.ledger, key).map_err(|error| Failure::new(Exit::Config, error))?;
    services.set_up_checkpoints(checkpoints);
    master_key::set_up(services, config, key).map_err(|error| Failure::new(Exit::Config, error))
}

/// Commands come to the one writer of a file; beside servers of a shared database they write for themselves.
async fn listen_to_operators(services: &Arc<Services>) -> Result<Option<OperatorSocket>, Failure> {
    match services.db.place() {
        DatabasePlace::File(path) => {
            let opened = OperatorSocket::open(path, Arc::clone(services)).await;
            opened.map(Some).map_err(|error| Failure::new(Exit::Database, error))
        }
        DatabasePlace::Server(_) => Ok(None),
    }
}

async fn end_writer(writer: std::thread::JoinHandle<()>) -> Outcome {
    match tokio::task::spawn_blocking(move || writer.join()).await {
        Ok(Ok(())) => Ok(Exit::Ok),
        _ => Err(Failure::new(Exit::Database, "the ledger's writer ended in a panic")),
    }
}

/// Where the demo's operator goes: to its first password, or to the sign-in.
fn console_line(console_url: &str, tokens: &demo::DemoTokens) -> String {
    match &tokens.owner_link {
        Some(link) => format!(
            "the console: {console_url}/admin/link/{} sets the password of {} (good once, for {OPERATOR_LINK_MINUTES} minutes)",
            link.secret.expose_secret(),
            demo::OWNER_EMAIL,
        ),
        None => format!("the console: {console_url}/admin/ for {}", demo::OWNER_EMAIL),
    }
}

/// Prints what can be pasted.
fn say_calls(calls: &demo::DemoCalls) -> Outcome {
    for (comment, command) in &calls.lines {
        say(&format!("\n# {comment}\n{command}"))?;
    }
    Ok(Exit::Ok)
}

/// The gateway, ready to be served.
struct OpenGateway {
    gateway: Gateway,
    /// Where the token is, if it is one that was made.
    token_file: Option<PathBuf>,
    /// What a call that is printed shows as bearer.
    credential: Option<String>,
}

/// Offers `/tools/invoke`: with its policy checked, and a secret for its door.
async fn open_gateway(
    config: &Config,
    key: &MasterKey,
    services: &Services,
    namespaces: Vec<String>,
) -> Result<OpenGateway, Failure> {
    let token = gateway_token(config, key)?;
    services.set_up_gateway(Arc::new(setup::gateway_setup(config, namespaces)));
    take_policy(config, services).await?;
    Ok(OpenGateway {
        gateway: setup::gateway(config, &token),
        token_file: setup::needs_token(&config.gateway.auth).then(|| token_path(&config.database)),
        credential: demo_credential(config, &token),
    })
}

/// Takes over the file's policy where that is due, and opens the gateway with the one that is published.
async fn take_policy(config: &Config, services: &Services) -> Result<(), Failure> {
    let publication = match config.gateway.policy_source {
        PolicySource::Database => FilePublication::IfNone,
        PolicySource::File => FilePublication::IfChanged,
    };
    let taken = services.import_policy(&OpContext::system(), &setup::written_policy(config), publication).await;
    match taken.map_err(|error| policy_refused(&error, "the policy of the configuration"))? {
        FilePolicy::Draft(draft) => tracing::warn!(
            "the configuration's policy has changed: it is kept as draft {number}; `tollgate policy publish {number}` \
             puts it in force",
            number = draft.number
        ),
        FilePolicy::Published(version) if version.number > 1 => {
            tracing::info!(version = version.number, "the configuration's policy was published");
        }
        FilePolicy::Published(_) | FilePolicy::Unchanged => {}
    }
    let Err(error) = services.open_gateway().await else { return Ok(()) };
    // Of a version that cannot be used, all is told that is wrong with it.
    let found = services.find_published_policy().await.map_err(|error| Failure::new(Exit::Database, error))?;
    if let Some((version, policy)) = found {
        let what = format!("version {} of the policy, which is in force,", version.number);
        services.compile_policy(&policy).await.map_err(|error| policy_refused(&error, &what))?;
    }
    Err(Failure::new(Exit::Database, error))
}

fn policy_refused(error: &PolicyVersionError, what: &str) -> Failure {
    let exit = if matches!(error, PolicyVersionError::Store(_)) { Exit::Database } else { Exit::Config };
    Failure::new(exit, format!("{what} cannot be used:\n{error}"))
}

/// The token that stands where none is configured; in other modes nobody is ever asked for it.
fn gateway_token(config: &Config, key: &MasterKey) -> Result<SecretString, Failure> {
    if setup::needs_token(&config.gateway.auth) {
        load_or_create(&config.database, key).map_err(|error| Failure::new(Exit::Config, error))
    } else {
        let made = key.derive("gateway-token").map_err(|error| Failure::new(Exit::Config, error))?;
        Ok(made.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }
}

/// What a call of the gateway that is printed shows as bearer.
fn demo_credential(config: &Config, token: &SecretString) -> Option<String> {
    let auth = &config.gateway.auth;
    let shown = match auth.mode {
        AuthMode::Token => Some(auth.token.as_ref().unwrap_or(token)),
        AuthMode::Password => auth.password.as_ref(),
        AuthMode::None | AuthMode::TrustedProxy => None,
    };
    shown.map(|secret| secret.expose_secret().to_owned())
}

/// Who confirms purchases. Where purchases confirm themselves nobody pays, so that is for the demo alone.
fn payment_provider(configured: Option<PaymentProvider>, is_demo: bool) -> Result<PaymentProvider, Failure> {
    match configured {
        Some(PaymentProvider::Demo) | None if is_demo => Ok(PaymentProvider::Demo),
        Some(PaymentProvider::Demo) => Err(Failure::new(
            Exit::Config,
            "payments.provider: `demo` gives credits for nothing and needs `serve --demo`",
        )),
        Some(PaymentProvider::Manual) | None => Ok(PaymentProvider::Manual),
    }
}

fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Refused, error)
}

fn database(error: app::StartError) -> Failure {
    Failure::new(Exit::Database, error)
}

fn tls(error: &TlsError) -> Failure {
    Failure::new(Exit::Config, with_causes(error))
}

/// What asks the program to stop: SIGTERM, and Ctrl-C.
struct StopSignals {
    term: Signal,
    int: Signal,
}

impl StopSignals {
    /// From here on they no longer end the process by themselves.
    fn take() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
