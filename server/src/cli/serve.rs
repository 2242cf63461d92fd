//! `tollgate serve [--demo]`.

use std::{net::TcpListener, sync::Arc};

use clap::Args;
use engine::store::DatabasePlace;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Exit, Failure, Outcome, say, with_causes};
use crate::{
    app,
    config::{
        Environment, Loaded, PaymentProvider,
        master_key::MasterKey,
        tls::{Certificates, TlsError},
    },
    demo, importer, mail,
    operator::socket::OperatorSocket,
    upstream::EgressRules,
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

async fn serve(args: &ServeArgs, loaded: Loaded, key: &MasterKey) -> Outcome {
    let mut config = loaded.config;
    let certificates = config.server.tls.clone().map(Certificates::load).transpose().map_err(|error| tls(&error))?;
    let secured = certificates.as_ref().map(Certificates::server_config).transpose().map_err(|error| tls(&error))?;
    config.payments.provider = Some(payment_provider(config.payments.provider, args.demo)?);
    // The port first: it is the commonest thing to be taken, and nothing has been touched yet.
    let listener = TcpListener::bind(config.server.bind)
        .map_err(|error| Failure::new(Exit::Refused, format!("`{}`: {error}", config.server.bind)))?;
    // From here on the real port stands, also where the file asks for any free one.
    config.server.bind = listener.local_addr().map_err(refused)?;
    let engine = app::open_engine(&config).await.map_err(database)?;
    if let Some(rights) = &engine.too_many_rights {
        tracing::warn!("{rights}");
    }
    let declared = importer::declared(&config.catalog).map_err(|error| Failure::new(Exit::Config, error))?;
    engine.services.import(&declared).await.map_err(|error| Failure::new(Exit::Config, error))?;

    let base_url = config.server.base_url(config.server.bind);
    let transport = mail::Transport::new(&config.mail, &base_url).map_err(|error| Failure::new(Exit::Config, error))?;
    let mut egress = EgressRules::from(&config.egress);
    let mut demo = None;
    if args.demo {
        let (upstream, server) = demo::tools::serve().await.map_err(refused)?;
        let tokens = demo::seed(&engine.services, key, upstream).await.map_err(refused)?;
        egress.exempt_addresses.push(upstream);
        demo = Some((tokens, server));
    }
    // Commands come to the one writer of a file; beside servers of a shared database they write for themselves.
    let operators = match engine.services.db.place() {
        DatabasePlace::File(path) => {
            let opened = OperatorSocket::open(path, Arc::clone(&engine.services)).await;
            Some(opened.map_err(|error| Failure::new(Exit::Database, error))?)
        }
        DatabasePlace::Server(_) => None,
    };
    let follow = operators.is_none().then(|| Arc::clone(&engine.services));
    let state = app::app_state(engine.services, config, egress, key).map_err(database)?;
    let server = app::listen(state.clone(), listener, secured).map_err(refused)?;
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let mut background = vec![
        actix_web::rt::spawn(app::run_ticks(state.clone())),
        actix_web::rt::spawn(app::run_outbox(state.clone(), transport)),
    ];
    background.extend(follow.map(|services| actix_web::rt::spawn(app::run_follow(services))));
    background.extend(certificates.map(|certificates| actix_web::rt::spawn(app::run_reload(certificates))));
    // Before anybody is told that there is something to stop.
    let mut signals = StopSignals::take().map_err(refused)?;
    say(&format!("tollgate listens on {base_url}"))?;
    if let Some((tokens, _)) = &demo {
        for (comment, command) in demo::calls(&base_url, tokens).lines {
            say(&format!("\n# {comment}\n{command}"))?;
        }
    }
    signals.wait().await;
    app::stop(&state, &handle).await;
    background.iter().for_each(tokio::task::JoinHandle::abort);
    running.await.map_err(refused)?.map_err(refused)?;
    if let Some((_, server)) = demo {
        server.stop().await.map_err(refused)?;
    }
    if let Some(operators) = operators {
        operators.close().await;
    }
    // The last clone of the ledger goes with the state: the writer writes what waits, and ends.
    drop(state);
    let writer = engine.writer;
    match tokio::task::spawn_blocking(move || writer.join()).await {
        Ok(Ok(())) => Ok(Exit::Ok),
        _ => Err(Failure::new(Exit::Database, "the ledger's writer ended in a panic")),
    }
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
