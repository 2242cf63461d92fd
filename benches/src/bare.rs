//! The bare reverse proxy of the same stack: actix-web in front, reqwest behind, the worker count and the client
//! settings of Tollgate, and nothing of Tollgate. It is the yardstick for what a paid call adds.

use std::{io::Write as _, net::Ipv4Addr, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::{StatusCode, header::CONTENT_TYPE},
    web,
};

use crate::{
    failure::{Context as _, Failure, Outcome},
    process,
};

/// Worker threads, as many as Tollgate has by default on two cores.
const WORKERS: usize = 2;

/// The largest request body in bytes, as on Tollgate's `/invoke`.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The deadline of an upstream call in seconds, as Tollgate's default.
const UPSTREAM_S_MAX: u64 = 25;

struct Forward {
    client: reqwest::Client,
    url: reqwest::Url,
}

/// Serves until the parent goes, forwarding every request to `url`; announces the address on standard output.
pub(crate) fn run(url: &str) -> Outcome<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_installed| Failure::new("another cryptography provider is already installed"))?;
    let url = reqwest::Url::parse(url).context(|| format!("`{url}`"))?;
    // built once here so that a wrong setting is an error and not a dead worker
    drop(client()?);
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let client = client().unwrap_or_default();
            App::new()
                .app_data(web::Data::new(Forward { client, url: url.clone() }))
                .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
                .default_service(web::to(forward))
        })
        .workers(WORKERS)
        .bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = server.addrs().first().copied().ok_or_else(|| Failure::new("the bare proxy has no address"))?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{address}")?;
        stdout.flush()?;
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(async move {
            drop(process::parent_gone().await);
            handle.stop(false).await;
        });
        Ok(server.await?)
    })
}

/// One pooled client per worker thread, with the settings of Tollgate's own for a loopback upstream.
fn client() -> Outcome<reqwest::Client> {
    reqwest::Client::builder()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(Duration::from_secs(2))
        .pool_idle_timeout(Duration::from_secs(4))
        .pool_max_idle_per_host(256)
        .tcp_nodelay(true)
        .timeout(Duration::from_secs(UPSTREAM_S_MAX))
        .build()
        .context(|| "cannot make an HTTP client".to_owned())
}

async fn forward(request: HttpRequest, body: web::Bytes, target: web::Data<Forward>) -> HttpResponse {
    let mut call = reqwest::Request::new(reqwest::Method::POST, target.url.clone());
    if let Some(kind) = request.headers().get(CONTENT_TYPE)
        && let Ok(kind) = reqwest::header::HeaderValue::from_bytes(kind.as_bytes())
    {
        call.headers_mut().insert(reqwest::header::CONTENT_TYPE, kind);
    }
    *call.body_mut() = Some(body.into());
    let Ok(answer) = target.client.execute(call).await else { return HttpResponse::BadGateway().finish() };
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    match answer.bytes().await {
        Ok(bytes) => HttpResponse::build(status).content_type("application/json").body(bytes),
        Err(_) => HttpResponse::BadGateway().finish(),
    }
}
