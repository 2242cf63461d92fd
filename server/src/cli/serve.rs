//! `tollgate serve [--demo]`.

use std::net::TcpListener;

use clap::Args;

use super::{Exit, Failure, Outcome, say};
use crate::{
    app,
    config::{Environment, Loaded, PaymentProvider, master_key::MasterKey},
    demo, importer, mail,
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
    if config.server.tls.is_some() {
        return Err(Failure::new(Exit::Config, "server.tls: use a proxy in front and `server.trusted_proxies`"));
    }
    config.payments.provider = Some(payment_provider(config.payments.provider, args.demo)?);
    // The port first: it is the commonest thing to be taken, and nothing has been touched yet.
    let listener = TcpListener::bind(config.server.bind)
        .map_err(|error| Failure::new(Exit::Refused, format!("`{}`: {error}", config.server.bind)))?;
    let bound = listener.local_addr().map_err(|error| Failure::new(Exit::Refused, error))?;
    // From here on the real port stands, also where the file asks for any free one.
    config.server.bind = bound;
    let database = |error: app::StartError| Failure::new(Exit::Database, error);
    let engine = app::open_engine(&config).await.map_err(database)?;
    let declared = importer::declared(&config.catalog).map_err(|error| Failure::new(Exit::Config, error))?;
    engine.services.import(&declared).await.map_err(|error| Failure::new(Exit::Config, error))?;

    let base_url = config.server.base_url(bound);
    let transport = mail::Transport::new(&config.mail, &base_url).map_err(|error| Failure::new(Exit::Config, error))?;
    let mut egress = EgressRules::from(&config.egress);
    let mut demo = None;
    if args.demo {
        let (upstream, server) = demo::tools::serve().await.map_err(|error| Failure::new(Exit::Refused, error))?;
        let tokens =
            demo::seed(&engine.services, key, upstream).await.map_err(|error| Failure::new(Exit::Refused, error))?;
        egress.exempt_addresses.push(upstream);
        demo = Some((tokens, server));
    }
    let state = app::app_state(engine.services, config, egress, key).map_err(database)?;
    let server = app::listen(state.clone(), listener).map_err(|error| Failure::new(Exit::Refused, error))?;
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let ticks = actix_web::rt::spawn(app::run_ticks(state.clone()));
    let outbox = actix_web::rt::spawn(app::run_outbox(state.clone(), transport));
    say(&format!("tollgate listens on {base_url}"))?;
    if let Some((tokens, _)) = &demo {
        for (comment, command) in demo::calls(&base_url, tokens).lines {
            say(&format!("\n# {comment}\n{command}"))?;
        }
    }
    wait_for_signal().await.map_err(|error| Failure::new(Exit::Refused, error))?;
    app::stop(&state, &handle).await;
    ticks.abort();
    outbox.abort();
    let served = running.await.map_err(|error| Failure::new(Exit::Refused, error))?;
    served.map_err(|error| Failure::new(Exit::Refused, error))?;
    if let Some((_, server)) = demo {
        server.stop().await.map_err(|error| Failure::new(Exit::Refused, error))?;
    }
    // The last clone of the ledger goes with the state: the writer writes what waits, and ends.
    drop(state);
    let writer = engine.writer;
    let joined = tokio::task::spawn_blocking(move || writer.join()).await;
    match joined {
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

async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
