//! What each worker thread keeps for itself: HTTP clients with their connection pools, and the URLs it has judged.
//!
//! A pooled connection is driven by a task on the runtime that opened it. Were one client shared by all worker threads,
//! most calls would wake another thread to write and be woken by it to read. So every thread has its own clients, and a
//! connection never leaves the thread it was opened on. The pools die with the runtime that drives them or with the
//! rules under which their connections were judged.

use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use reqwest::{
    Client,
    header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT},
    redirect, retry,
};
use tokio::runtime;
use url::Url;

use super::{
    egress::{EgressRefusal, Reach},
    endpoint::Endpoint,
    http::Shared,
    lookup::VettedLookup,
};

/// For name lookup, TCP and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Shorter than the 5 s after which common servers close an idle connection, so that we close it first.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Idle connections kept per thread and origin.
const IDLE_CONNECTIONS_MAX: usize = 256;
/// So many judged URLs are remembered per thread.
const ROUTES_MAX: usize = 1024;

/// Everything about a URL that does not change from call to call.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) url: Url,
    pub(super) client: Client,
    pub(super) endpoint: Arc<Endpoint>,
}

/// Why there is no way to a URL.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoRoute {
    #[error("there is no runtime to call from")]
    NoRuntime,
    #[error("the url is not valid: {0}")]
    Url(#[from] url::ParseError),
    #[error("refused by the egress rules: {0}")]
    Egress(#[from] EgressRefusal),
    #[error("the http client could not be set up: {0}")]
    Client(#[from] reqwest::Error),
}

struct Worker {
    owner: Weak<Shared>,
    runtime: runtime::Id,
    generation: u64,
    clients: HashMap<Reach, Client>,
    routes: HashMap<String, Route>,
}

thread_local! {
    /// One entry per living set of upstreams; the program has one set, tests have many.
    static WORKERS: RefCell<Vec<Worker>> = const { RefCell::new(Vec::new()) };
}

/// The way to `url_text`, judged by the rules in force.
pub(super) fn load_route(shared: &Arc<Shared>, url_text: &str) -> Result<Route, NoRoute> {
    let runtime = runtime::Handle::try_current().map_err(|_no_runtime| NoRoute::NoRuntime)?.id();
    let generation = shared.generation();
    WORKERS.with_borrow_mut(|workers| {
        let is_current = |worker: &Worker| {
            std::ptr::eq(worker.owner.as_ptr(), Arc::as_ptr(shared))
                && worker.runtime == runtime
                && worker.generation == generation
        };
        if let Some(worker) = workers.iter_mut().find(|worker| is_current(worker)) {
            return worker.load_route(shared, url_text);
        }
        workers.retain(|worker| {
            worker.owner.strong_count() > 0 && !std::ptr::eq(worker.owner.as_ptr(), Arc::as_ptr(shared))
        });
        let mut worker = Worker {
            owner: Arc::downgrade(shared),
            runtime,
            generation,
            clients: HashMap::new(),
            routes: HashMap::new(),
        };
        let route = worker.load_route(shared, url_text);
        workers.push(worker);
        route
    })
}

impl Worker {
    fn load_route(&mut self, shared: &Shared, url_text: &str) -> Result<Route, NoRoute> {
        if let Some(route) = self.routes.get(url_text) {
            return Ok(route.clone());
        }
        let mut url = Url::parse(url_text)?;
        url.set_fragment(None);
        let reach = shared.rules().check_url(&url)?;
        let client = if let Some(client) = self.clients.get(&reach) {
            client.clone()
        } else {
            let client = build_client(shared, reach)?;
            self.clients.insert(reach, client.clone());
            client
        };
        let endpoint = shared.endpoints.load(&url);
        let route = Route { url, client, endpoint };
        if self.routes.len() >= ROUTES_MAX {
            self.routes.clear();
        }
        self.routes.insert(url_text.to_owned(), route.clone());
        Ok(route)
    }
}

/// A client whose name lookups keep to `reach`. It follows nothing, decodes nothing, repeats nothing and reads no
/// proxy settings.
fn build_client(shared: &Shared, reach: Reach) -> Result<Client, reqwest::Error> {
    let headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (USER_AGENT, HeaderValue::from_static(concat!("tollgate/", env!("CARGO_PKG_VERSION")))),
    ]);
    Client::builder()
        .default_headers(headers)
        .dns_resolver(VettedLookup::new(Arc::clone(&shared.names), reach))
        .tls_backend_preconfigured(shared.tls.clone())
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .tcp_nodelay(true)
        .build()
}
