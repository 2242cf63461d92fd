//! One session with an MCP server: opened once, used by many calls at a time.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use engine::upstream::Credential;
use rmcp::{
    model::{
        CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest, Implementation,
        ListToolsRequest, ListToolsResult, PaginatedRequestParams, PingRequest, ServerResult,
    },
    serve_client,
    service::{PeerRequestOptions, RequestHandle, RoleClient, RunningService, ServiceError},
    transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig},
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};

use super::{
    super::{answer::shorten, endpoint::CALLS_PER_ORIGIN_MAX, http::Shared, worker::IDLE_TIMEOUT},
    call::{Call, Calls, Ending},
    retry::Retries,
    stream::STREAM_BYTES_MAX,
    wire::{GuardedHttp, MESSAGE_BYTES_MAX},
};

/// For opening a session, from the connection to the server's last word about it.
pub(super) const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server that was not heard of for a while has to show that it still knows the session.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a server is told that nobody waits for a call any more.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotOpened {
    #[error("the session could not be opened: {0}")]
    Refused(String),
    #[error("the session could not be opened: {0}")]
    NoConnection(String),
    #[error("the session was not opened within {} seconds", OPEN_TIMEOUT.as_secs())]
    Late,
}

/// An open session. Dropped, it says goodbye to the server by itself.
pub(super) struct Session {
    service: RunningService<RoleClient, ClientConfig>,
    calls: Arc<Calls>,
    lost: Arc<OnceLock<String>>,
    /// The generation of the egress rules that it was opened under.
    generation: u64,
    heard: Mutex<Instant>,
    is_lost: AtomicBool,
    is_doubtful: AtomicBool,
}

impl Session {
    /// Opens a session with the server at `url`.
    pub(super) async fn open(
        shared: &Arc<Shared>,
        url: &str,
        credential: Option<Arc<Credential>>,
    ) -> Result<Self, NotOpened> {
        let generation = shared.generation();
        let calls = Arc::new(Calls::default());
        let lost = Arc::new(OnceLock::new());
        let client = GuardedHttp {
            shared: Arc::clone(shared),
            calls: Arc::clone(&calls),
            credential: credential.clone(),
            lost: Arc::clone(&lost),
        };
        // What was sent is never sent again, so a lost session is for us to replace, not for the library.
        let mut config = StreamableHttpClientTransportConfig::with_uri(url)
            .max_concurrent_requests(CALLS_PER_ORIGIN_MAX)
            .max_sse_event_size(STREAM_BYTES_MAX)
            .max_json_response_size(MESSAGE_BYTES_MAX)
            .reinit_on_expired_session(false);
        config.retry_config = Arc::new(Retries);
        let transport = StreamableHttpClientTransport::with_client(client, config);
        let ourselves = ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("tollgate", env!("CARGO_PKG_VERSION")),
        );
        let opened = timeout(OPEN_TIMEOUT, Box::pin(serve_client(ourselves, transport))).await;
        let service = opened.map_err(|_elapsed| NotOpened::Late)?.map_err(|error| {
            // hidden before it is cut: no half of a secret is left
            let hidden = |text: String| match &credential {
                Some(credential) => credential.hidden_in(text),
                None => text,
            };
            match lost.get() {
                Some(words) => NotOpened::NoConnection(hidden(words.clone())),
                None => NotOpened::Refused(shorten(&hidden(error.to_string()))),
            }
        })?;
        Ok(Self {
            service,
            calls,
            lost,
            generation,
            heard: Mutex::new(Instant::now()),
            is_lost: AtomicBool::new(false),
            is_doubtful: AtomicBool::new(false),
        })
    }

    /// One page of the server's tools.
    pub(super) async fn list_tools(&self, cursor: Option<String>) -> Result<ListToolsResult, ServiceError> {
        let params = PaginatedRequestParams::default().with_cursor(cursor);
        let request = ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params));
        match self.service.peer().send_request(request).await? {
            ServerResult::ListToolsResult(page) => Ok(page),
            _ => Err(ServiceError::UnexpectedResponse),
        }
    }

    /// Why a connection to the server failed, if one has.
    pub(super) fn lost_connection(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// Whether calls may go on in it, as far as is known here.
    pub(super) fn is_open(&self, generation: u64) -> bool {
        !self.is_lost.load(Ordering::Acquire)
            && self.generation == generation
            && !self.service.peer().is_transport_closed()
    }

    /// Whether the server still knows it. One that was heard of a moment ago is not asked.
    pub(super) async fn is_known(&self) -> bool {
        let is_doubtful = self.is_doubtful.load(Ordering::Acquire);
        if !is_doubtful && self.last_heard().elapsed() < IDLE_TIMEOUT {
            return true;
        }
        let ping = self.service.peer().send_request(ClientRequest::PingRequest(PingRequest::default()));
        let is_known = match timeout(PING_TIMEOUT, ping).await {
            // a server that has never heard of pings has heard of the session
            Ok(Ok(_) | Err(ServiceError::McpError(_) | ServiceError::UnexpectedResponse)) => true,
            Ok(Err(_)) | Err(_) => false,
        };
        if is_known {
            self.is_doubtful.store(false, Ordering::Release);
            self.hear();
        } else {
            self.lose();
        }
        is_known
    }

    /// Something went wrong that may be the session's fault: the server is asked before the next call.
    pub(super) fn doubt(&self) {
        self.is_doubtful.store(true, Ordering::Release);
    }

    /// The server does not know it any more. Calls that are open in it may still be answered.
    pub(super) fn lose(&self) {
        self.is_lost.store(true, Ordering::Release);
    }

    /// When the server last answered.
    pub(super) fn last_heard(&self) -> Instant {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Makes one call, until `deadline`. Its own ending is told by `ended`.
    pub(super) async fn call(
        &self,
        call: &Arc<Call>,
        mut ended: oneshot::Receiver<Ending>,
        deadline: Instant,
    ) -> Ending {
        let mut request = CallToolRequest::new(CallToolRequestParams::new(call.tool.clone()));
        request.extensions.insert(Arc::clone(call));
        let request = ClientRequest::CallToolRequest(request);
        let sending = self.service.peer().send_cancellable_request(request, PeerRequestOptions::no_options());
        let mut handle = tokio::select! {
            sent = sending => match sent {
                Ok(handle) => handle,
                Err(error) => return call.give_up(format!("the session has ended: {error}")),
            },
            () = sleep_until(deadline) => return call.give_up("the deadline passed before the call was sent".to_owned()),
        };
        let ending = tokio::select! {
            biased;
            ending = &mut ended => ending.unwrap_or_else(|_gone| call.give_up("the call was lost".to_owned())),
            answered = &mut handle.rx => ended.try_recv().unwrap_or_else(|_nothing| {
                let why = answered.map_or_else(|gone| gone.to_string(), |answer| match answer {
                    Ok(_) => "a reply that nobody has read".to_owned(),
                    Err(error) => error.to_string(),
                });
                call.give_up(format!("the session has ended: {why}"))
            }),
            () = sleep_until(deadline) => call.give_up("no answer in time".to_owned()),
        };
        call.leave();
        self.calls.forget(&handle.id);
        match ending {
            Ending::Replied(_) | Ending::Refused(..) => self.hear(),
            Ending::SessionLost | Ending::NotDispatched(_) => {}
            // the library may still wait, and ask for the rest of a stream
            Ending::Failed(_) | Ending::Unknown(_) => cancel(handle),
        }
        ending
    }
}

/// Tells the library that nobody waits any more, and through it the server. Whether that hears it changes nothing.
fn cancel(mut handle: RequestHandle<RoleClient>) {
    if handle.rx.try_recv().is_ok() {
        return;
    }
    tokio::spawn(async move {
        let told = timeout(CANCEL_TIMEOUT, handle.cancel(Some("the deadline has passed".to_owned())));
        drop(told.await);
    });
}
