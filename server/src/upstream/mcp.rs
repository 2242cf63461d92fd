//! Calls of tools of MCP servers, over streamable HTTP.
//!
//! The protocol is the library's (`rmcp`), the connections are ours. Sessions belong to nobody's request: they live in a
//! runtime of their own, which no worker of ours waits for, so a server that sends nonsense as fast as it can keeps its own
//! callers waiting and no others.
//!
//! `session` and `sessions` (who is talked to), `call` (what decides about money), `wire`, `stream` and `events` (what is sent and
//! heard), `reply` (what it means), `scan` (which tools a server has).

mod call;
mod events;
mod reply;
mod retry;
mod scan;
mod session;
mod sessions;
mod stream;
mod wire;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use engine::upstream::{Credential, UpstreamAnswer, UpstreamRequest, UpstreamTarget};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};

use super::{
    answer,
    endpoint::Permit,
    http::{STATUS_COMPLETED, Shared, chain, deadline_after, is_healthy},
    worker::load_route,
};
use call::{Call, Ending};
pub use scan::{FoundTool, ScanError};
use session::Session;
use sessions::{NoSession, Sessions, With};

/// How many threads all sessions share.
const THREADS: usize = 2;

/// All MCP servers.
pub(super) struct McpUpstreams {
    shared: Arc<Shared>,
    sessions: Arc<Sessions>,
    host: OnceLock<Option<Host>>,
}

/// The runtime that sessions live in.
struct Host(Option<Runtime>);

impl Drop for Host {
    fn drop(&mut self) {
        // wherever that is: waiting for its tasks is not allowed everywhere
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl McpUpstreams {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, sessions: Arc::default(), host: OnceLock::new() }
    }

    /// Makes one call, never a second attempt after bytes of it were sent.
    pub(super) async fn call(&self, request: UpstreamRequest) -> UpstreamAnswer {
        let Some(runtime) = self.runtime() else {
            return UpstreamAnswer::NotDispatched { detail: "no thread could be started for sessions".to_owned() };
        };
        let (shared, sessions) = (Arc::clone(&self.shared), Arc::clone(&self.sessions));
        let carried = runtime.spawn(async move { carry(&shared, &sessions, &request).await });
        carried
            .await
            .unwrap_or_else(|error| UpstreamAnswer::Unknown { detail: format!("the call was dropped: {error}") })
    }

    /// The tools of the server at `url`, in a session of its own. Whoever stops waiting stops the asking too.
    pub(super) async fn list_tools(
        &self,
        url: &str,
        credential: Option<Arc<Credential>>,
        wait: Duration,
    ) -> Result<Vec<FoundTool>, ScanError> {
        let runtime = self.runtime().ok_or(ScanError::NoThread)?;
        let (shared, url) = (Arc::clone(&self.shared), url.to_owned());
        let mut asking = JoinSet::new();
        asking.spawn_on(async move { scan::list(&shared, &url, credential, wait).await }, runtime.handle());
        asking.join_next().await.and_then(Result::ok).ok_or(ScanError::NoThread)?
    }

    fn runtime(&self) -> Option<&Runtime> {
        let host = self.host.get_or_init(|| self.open_host());
        host.as_ref().and_then(|host| host.0.as_ref())
    }

    fn open_host(&self) -> Option<Host> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).thread_name("mcp").enable_all().build();
        let runtime = runtime.inspect_err(|error| tracing::error!(%error, "sessions with MCP servers have no threads"));
        let runtime = runtime.ok()?;
        runtime.spawn(Sessions::leave_idle(Arc::downgrade(&self.sessions)));
        Some(Host(Some(runtime)))
    }

    /// How many sessions are kept.
    #[cfg(test)]
    pub(super) fn sessions(&self) -> usize {
        self.sessions.count()
    }

    /// How many calls wait for a session.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.sessions.waiting()
    }

    /// Leaves the sessions that no call is open in.
    #[cfg(test)]
    pub(super) fn leave_idle(&self) {
        self.sessions.leave_unused_since(Some(tokio::time::Instant::now()));
    }
}

async fn carry(shared: &Arc<Shared>, sessions: &Sessions, request: &UpstreamRequest) -> UpstreamAnswer {
    let UpstreamTarget::Mcp { url, tool, timeout } = request.target.as_ref() else {
        return not_dispatched("the tool is not one of an MCP server".to_owned());
    };
    let deadline = deadline_after(*timeout);
    let route = match load_route(shared, url) {
        Ok(route) => route,
        Err(error) => return not_dispatched(chain(&error)),
    };
    let (call, ended) = match Call::new(request, tool) {
        Ok(made) => made,
        Err(error) => return not_dispatched(chain(&error)),
    };
    let permit = match shared.endpoints.load_tool(&route.url, tool).admit(&shared.clock) {
        Ok(permit) => permit,
        Err(busy) => return not_dispatched(chain(&busy)),
    };
    let with = With::new(url, request.credential.as_deref(), request.owner);
    let session = match sessions.find_or_open(shared, &with, request.credential.as_ref(), deadline).await {
        Ok(session) => session,
        Err(error) => {
            // that there are too many is not this server's fault
            if !matches!(error, NoSession::TooMany | NoSession::TooManyOfOwner) {
                permit.finish(false);
            }
            return not_dispatched(chain(&error));
        }
    };
    let ending = session.call(&call, ended, deadline).await;
    conclude(ending, &session, permit)
}

/// What an ending means for the caller, for the session and for the breaker.
fn conclude(ending: Ending, session: &Session, permit: Permit) -> UpstreamAnswer {
    match ending {
        Ending::Replied(text) => {
            let answer = reply::decide_reply(&text);
            permit.finish(is_healthy(STATUS_COMPLETED, &answer));
            answer
        }
        Ending::Refused(head, body) => {
            session.doubt();
            let answer = answer::decide_refused(&head, &body);
            permit.finish(is_healthy(head.status, &answer));
            answer
        }
        Ending::Failed(detail) => {
            permit.finish(false);
            answer::failed(detail)
        }
        // The server did nothing, and is well: the next call opens a session anew. The permit counts for nothing.
        Ending::SessionLost => {
            session.lose();
            not_dispatched("the server does not know the session any more".to_owned())
        }
        Ending::NotDispatched(detail) => {
            session.doubt();
            permit.finish(false);
            not_dispatched(detail)
        }
        Ending::Unknown(detail) => {
            session.doubt();
            permit.finish(false);
            UpstreamAnswer::Unknown { detail }
        }
    }
}

const fn not_dispatched(detail: String) -> UpstreamAnswer {
    UpstreamAnswer::NotDispatched { detail }
}
