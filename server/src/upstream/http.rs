//! Calls over HTTP/1.1, and what calls to MCP servers share with them.
//!
//! The question that decides about money is how far a call got. Before a connection stands (egress rules, name, TCP, TLS)
//! nothing was sent. From then on the request may have been received, and only a complete head of an answer says more.
//! There is one automatic repetition, inside the client: a request that was handed to a pooled connection which the
//! upstream had closed in the meantime, and of which not one byte was written, moves to a new connection.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use engine::{
    clock::Clock,
    upstream::{Upstream, UpstreamAnswer, UpstreamRequest, UpstreamTarget},
};
use reqwest::{
    Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName},
};
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use super::{
    answer::{self, BODY_BYTES_MAX, Head, StatusClass},
    egress::EgressRules,
    endpoint::{Endpoints, Permit},
    lookup::{NameService, SystemNames},
    mcp::McpUpstreams,
    outgoing::prepare,
    tls,
    worker::{Route, load_route},
};

/// The names and values of an answer's header, in bytes.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;

/// How much of an error answer is read, in bytes. Enough for a message.
const ERROR_BODY_BYTES_MAX: usize = 64 * 1024;
/// How long the body of an error answer is waited for. Its status has said what matters.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// The upstreams could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("tls for calls to upstreams could not be set up")]
pub struct UpstreamSetupError(#[from] rustls::Error);

/// All upstreams: egress rules, pooled connections, circuit breakers, sessions with MCP servers. Clones are handles of the
/// same thing.
#[derive(Clone)]
pub struct HttpUpstreams {
    pub(super) shared: Arc<Shared>,
    mcp: Arc<McpUpstreams>,
}

impl fmt::Debug for HttpUpstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpUpstreams").field("rules", &self.rules()).finish_non_exhaustive()
    }
}

/// What all worker threads share.
pub(super) struct Shared {
    rules: RwLock<Arc<EgressRules>>,
    /// Counts the changes of the rules. What a worker judged under an older generation is void.
    generation: AtomicU64,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) endpoints: Endpoints,
    pub(super) names: Arc<dyn NameService>,
    pub(super) tls: ClientConfig,
}

impl Shared {
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn rules(&self) -> Arc<EgressRules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HttpUpstreams {
    /// Upstreams under `rules`. The clock drives the circuit breakers only; deadlines are the runtime's.
    ///
    /// # Errors
    ///
    /// TLS could not be set up.
    pub fn new(rules: EgressRules, clock: Arc<dyn Clock>) -> Result<Self, UpstreamSetupError> {
        Ok(Self::with_parts(rules, clock, Arc::new(SystemNames), tls::client_config()?))
    }

    pub(super) fn with_parts(
        rules: EgressRules,
        clock: Arc<dyn Clock>,
        names: Arc<dyn NameService>,
        tls: ClientConfig,
    ) -> Self {
        let shared = Shared {
            rules: RwLock::new(Arc::new(rules)),
            generation: AtomicU64::new(0),
            clock,
            endpoints: Endpoints::default(),
            names,
            tls,
        };
        let shared = Arc::new(shared);
        Self { mcp: Arc::new(McpUpstreams::new(Arc::clone(&shared))), shared }
    }

    pub(super) fn mcp(&self) -> &McpUpstreams {
        &self.mcp
    }

    /// The rules in force.
    pub fn rules(&self) -> Arc<EgressRules> {
        self.shared.rules()
    }

    /// Puts other rules in force. Open calls end under the old ones; every later call is judged, and every connection
    /// opened, under the new ones.
    pub fn replace_rules(&self, rules: EgressRules) {
        *self.shared.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        self.shared.generation.fetch_add(1, Ordering::Release);
    }
}

impl Upstream for HttpUpstreams {
    async fn call(&self, request: UpstreamRequest) -> UpstreamAnswer {
        let credential = request.credential.clone();
        let answer = match request.target.as_ref() {
            UpstreamTarget::Builtin(_) => {
                UpstreamAnswer::NotDispatched { detail: "a built-in tool has no address".to_owned() }
            }
            UpstreamTarget::Http { method, url, timeout } => {
                call_http(&self.shared, &request, (method, url), *timeout).await
            }
            UpstreamTarget::Mcp { .. } => self.mcp.call(request).await,
        };
        match credential {
            Some(credential) => answer.without(&credential),
            None => answer,
        }
    }
}

async fn call_http(
    shared: &Arc<Shared>,
    request: &UpstreamRequest,
    (method, url): (&str, &str),
    timeout: Duration,
) -> UpstreamAnswer {
    let route = match load_route(shared, url) {
        Ok(route) => route,
        Err(error) => return not_dispatched(&error),
    };
    let outgoing = match prepare(&route.url, method, request) {
        Ok(outgoing) => outgoing,
        Err(error) => return not_dispatched(&error),
    };
    let permit = match route.endpoint.admit(&shared.clock) {
        Ok(permit) => permit,
        Err(busy) => return not_dispatched(&busy),
    };
    call_until(deadline_after(timeout), route, outgoing, permit).await
}

/// A timeout beyond what the clock can hold is as good as none; a day is plenty.
pub(super) fn deadline_after(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + Duration::from_hours(24))
}

async fn call_until(deadline: Instant, route: Route, outgoing: reqwest::Request, permit: Permit) -> UpstreamAnswer {
    let (answer, is_healthy) = match timeout_at(deadline, route.client.execute(outgoing)).await {
        Ok(Ok(response)) => {
            let status = response.status().as_u16();
            let answer = take_answer(deadline, response).await;
            let is_healthy = is_healthy(status, &answer);
            (answer, is_healthy)
        }
        Ok(Err(error)) if error.is_connect() || error.is_builder() => (not_dispatched(&error.without_url()), false),
        Ok(Err(error)) => (unknown("no complete answer", &error.without_url()), false),
        Err(elapsed) => (unknown("no answer in time", &elapsed), false),
    };
    permit.finish(is_healthy);
    answer
}

async fn take_answer(deadline: Instant, mut response: Response) -> UpstreamAnswer {
    let head = head_of(&response);
    if header_bytes(response.headers()) > HEADER_BYTES_MAX {
        return answer::failed(format!("the header is longer than {HEADER_BYTES_MAX} bytes"));
    }
    match head.class {
        StatusClass::Completed => match read_body(deadline, &mut response, BODY_BYTES_MAX).await {
            Ok(body) => answer::decide_completed(&head, body),
            Err(BodyError::TooLong) => answer::failed(format!("the body is longer than {BODY_BYTES_MAX} bytes")),
            Err(BodyError::Late(elapsed)) => unknown("the body did not end in time", &elapsed),
            Err(BodyError::Cut(error)) => unknown("the body was cut off", &error),
        },
        StatusClass::Rejected | StatusClass::Forbidden | StatusClass::Failed => {
            let body = read_error_body(deadline, &mut response).await;
            answer::decide_refused(&head, &body)
        }
    }
}

/// What of an error answer's body comes soon enough.
pub(super) async fn read_error_body(deadline: Instant, response: &mut Response) -> Vec<u8> {
    let soon = deadline_after(ERROR_BODY_TIMEOUT).min(deadline);
    read_body(soon, response, ERROR_BODY_BYTES_MAX).await.unwrap_or_default()
}

/// Why a body could not be read to its end.
#[derive(Debug)]
pub(super) enum BodyError {
    TooLong,
    Late(tokio::time::error::Elapsed),
    Cut(reqwest::Error),
}

/// Reads at most `bytes_max`. The announced length only saves work; what arrives is counted.
pub(super) async fn read_body(
    deadline: Instant,
    response: &mut Response,
    bytes_max: usize,
) -> Result<Vec<u8>, BodyError> {
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > bytes_max {
        return Err(BodyError::TooLong);
    }
    let mut body = Vec::new();
    loop {
        let chunk = timeout_at(deadline, response.chunk()).await.map_err(BodyError::Late)?;
        match chunk.map_err(|error| BodyError::Cut(error.without_url()))? {
            None => return Ok(body),
            Some(chunk) if body.len().saturating_add(chunk.len()) > bytes_max => return Err(BodyError::TooLong),
            Some(chunk) => body.extend_from_slice(&chunk),
        }
    }
}

/// With what a call counts as answered that an MCP server completed, whatever its tool says.
pub(super) const STATUS_COMPLETED: u16 = 200;
/// With what a call counts as answered whose arguments a tool of an MCP server did not accept, or that it could not carry
/// out: the protocol has no numbers for that, and our callers get one.
pub(super) const STATUS_REJECTED: u16 = 422;

/// Whether an MCP server says with this status that it does not know the session that the request was made in.
pub(super) const fn is_session_lost(status: u16) -> bool {
    status == 404
}

pub(super) const fn class_of(status: u16) -> StatusClass {
    match status {
        200..=299 => StatusClass::Completed,
        400 | 422 => StatusClass::Rejected,
        401 | 403 => StatusClass::Forbidden,
        _ => StatusClass::Failed,
    }
}

/// Whether an upstream that answered like this is able to work. An answer about the caller or the arguments (3xx, 4xx)
/// says nothing against it; 429 and 5xx do, and so does a body that is no answer.
pub(super) const fn is_healthy(status: u16, answer: &UpstreamAnswer) -> bool {
    match answer {
        UpstreamAnswer::Completed { .. } | UpstreamAnswer::Rejected { .. } | UpstreamAnswer::Forbidden { .. } => true,
        UpstreamAnswer::Failed { .. } => matches!(status, 300..=428 | 430..=499),
        UpstreamAnswer::NotDispatched { .. } | UpstreamAnswer::Unknown { .. } => false,
    }
}

pub(super) fn head_of(response: &Response) -> Head {
    let text = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
    Head {
        status: response.status().as_u16(),
        class: class_of(response.status().as_u16()),
        media_type: text(CONTENT_TYPE)
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase()),
        coding: text(CONTENT_ENCODING)
            .map(|value| value.trim().to_ascii_lowercase())
            .filter(|coding| !coding.is_empty() && coding != "identity"),
    }
}

pub(super) fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len())).fold(0, usize::saturating_add)
}

fn not_dispatched(error: &dyn std::error::Error) -> UpstreamAnswer {
    UpstreamAnswer::NotDispatched { detail: chain(error) }
}

fn unknown(what: &str, error: &dyn std::error::Error) -> UpstreamAnswer {
    UpstreamAnswer::Unknown { detail: format!("{what}: {}", chain(error)) }
}

/// An error with all its causes, for the log.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
