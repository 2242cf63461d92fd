//! One `tools/call` on its way: what is sent, whether it was, and how it ended.
//!
//! The library carries a call from the session's queue to our HTTP client, which may be at any time and more than once. What
//! decides about money is decided here: the right to write the request is given once, and not at all after it was
//! given up. So a call that is told as not dispatched never leaves afterwards, and none leaves twice.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use engine::upstream::UpstreamRequest;
use reqwest::header::HeaderMap;
use rmcp::model::RequestId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{Notify, oneshot};

use super::super::{
    answer::Head,
    outgoing::{Unsendable, context_headers},
};

const WAITING: u8 = 0;
const SENT: u8 = 1;
const GIVEN_UP: u8 = 2;

/// How a call ended, as far as the connection can tell.
#[derive(Debug)]
pub(in crate::upstream) enum Ending {
    /// The server replied; the text is the whole JSON-RPC message.
    Replied(String),
    /// A complete answer of HTTP that is no reply: its head, and what of its body was read.
    Refused(Head, Vec<u8>),
    /// A complete answer that means nothing, or more than we take.
    Failed(String),
    /// The server does not know the session, and so refused the request before any tool saw it.
    SessionLost,
    /// The request never left.
    NotDispatched(String),
    /// The request may have been received, and nobody knows what became of it.
    Unknown(String),
}

impl Ending {
    /// For the log.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Failed(words) | Self::NotDispatched(words) | Self::Unknown(words) => words.clone(),
            Self::Refused(head, _) => format!("the server answered with status {}", head.status),
            Self::SessionLost => "the server does not know the session".to_owned(),
            Self::Replied(_) => "the server replied".to_owned(),
        }
    }
}

/// One call.
pub(in crate::upstream) struct Call {
    /// The tool's name on the server.
    pub(super) tool: String,
    /// Sent along with the request.
    pub(super) headers: HeaderMap,
    params: Box<RawValue>,
    state: AtomicU8,
    ending: Mutex<Option<oneshot::Sender<Ending>>>,
    over: Notify,
    come_to: Mutex<Option<String>>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("tool", &self.tool).finish_non_exhaustive()
    }
}

/// Why a call cannot be put into a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadCall {
    #[error(transparent)]
    Context(#[from] Unsendable),
    #[error("the arguments cannot be put into a request: {0}")]
    Arguments(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Params<'a> {
    #[serde(rename = "_meta")]
    meta: Meta<'a>,
    name: &'a str,
    arguments: &'a RawValue,
}

#[derive(Serialize)]
struct Meta<'a> {
    #[serde(rename = "tollgate/invocation-id")]
    invocation: String,
    #[serde(rename = "tollgate/idempotency-key")]
    idempotency_key: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    jsonrpc: &'static str,
    id: &'a RequestId,
    method: &'static str,
    params: &'a RawValue,
}

impl Call {
    /// A call of `tool`, and where its ending will be told.
    pub(super) fn new(
        request: &UpstreamRequest,
        tool: &str,
    ) -> Result<(Arc<Self>, oneshot::Receiver<Ending>), BadCall> {
        let params = Params {
            meta: Meta { invocation: request.invocation.to_string(), idempotency_key: &request.idempotency_key },
            name: tool,
            // as the caller wrote them: through the library's types, numbers would lose digits
            arguments: serde_json::from_str(&request.arguments)?,
        };
        let (ending, ended) = oneshot::channel();
        let call = Self {
            tool: tool.to_owned(),
            headers: context_headers(request)?,
            params: serde_json::value::to_raw_value(&params)?,
            state: AtomicU8::new(WAITING),
            ending: Mutex::new(Some(ending)),
            over: Notify::new(),
            come_to: Mutex::new(None),
        };
        Ok((Arc::new(call), ended))
    }

    /// The message, under the number that the session gave it.
    pub(super) fn message(&self, id: &RequestId) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Message { jsonrpc: "2.0", id, method: "tools/call", params: &self.params })
    }

    /// The right to write the request: once, and not after it was given up.
    pub(super) fn may_send(&self) -> bool {
        self.state.compare_exchange(WAITING, SENT, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Stops waiting for the call. What becomes of it depends on whether it has been sent; from now on it will not be.
    pub(super) fn give_up(&self, why: String) -> Ending {
        match self.state.compare_exchange(WAITING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(GIVEN_UP) => Ending::NotDispatched(why),
            Err(_sent) => Ending::Unknown(why),
        }
    }

    /// Nobody waits any more. Whoever is at it may stop.
    pub(super) fn leave(&self) {
        // kept for one who is not waiting yet
        self.over.notify_one();
    }

    /// When nobody waits any more.
    pub(super) async fn left(&self) {
        self.over.notified().await;
    }

    /// Tells how the call ended. What is told first holds.
    pub(super) fn end(&self, ending: Ending) {
        let told = self.ending.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(told) = told {
            // nobody waits any more: then it was given up, and its ending is told already
            drop(told.send(ending));
        }
    }
}

/// The calls of a session that wait for their replies.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<HashMap<RequestId, Arc<Call>>>);

/// What a message from a server turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// The reply to a call, which has been told of it.
    Reply,
    /// A reply to something else.
    OtherReply,
    /// The server asks something.
    Request,
    /// The server tells something that wants no answer.
    Notification,
    /// No message of the protocol.
    Garbage,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl Calls {
    /// From now on a reply to `id` is the ending of `call`.
    pub(super) fn await_reply(&self, id: RequestId, call: Arc<Call>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, call);
    }

    /// Whether the call still waits.
    pub(super) fn is_awaited(&self, id: &RequestId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }

    /// The answer to a call has come as far as this event.
    pub(super) fn come_to(&self, id: &RequestId, event: &str) {
        if let Some(call) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            *call.come_to.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.to_owned());
        }
    }

    /// The call that still waits, and whose answer has come as far as this event.
    pub(super) fn find_come_to(&self, event: &str) -> Option<RequestId> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_come_to = |call: &Call| {
            call.come_to.lock().unwrap_or_else(PoisonError::into_inner).as_deref().is_some_and(|known| known == event)
        };
        calls.iter().find(|(_, call)| has_come_to(call)).map(|(id, _)| id.clone())
    }

    /// Nobody waits any more.
    pub(super) fn forget(&self, id: &RequestId) -> Option<Arc<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id)
    }

    /// Ends the call that still waits for the reply to `id`.
    pub(super) fn end(&self, id: Option<&RequestId>, ending: Ending) {
        if let Some(call) = id.and_then(|id| self.forget(id)) {
            call.end(ending);
        }
    }

    /// Takes in a message. If it is a reply that a call waits for, that is how the call ended. In an answer to the call `of`
    /// no other call is replied to.
    pub(super) fn hear(&self, text: &str, of: Option<&RequestId>) -> Heard {
        let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else { return Heard::Garbage };
        match (envelope.method, envelope.id) {
            (Some(_), Some(_)) => return Heard::Request,
            (Some(_), None) => return Heard::Notification,
            (None, _) if envelope.result.is_none() && envelope.error.is_none() => return Heard::Garbage,
            (None, _) => {}
        }
        let id = envelope.id.and_then(|id| read_id(id.get())).filter(|id| of.is_none_or(|of| of == id));
        match id.and_then(|id| self.forget(&id)) {
            Some(call) => {
                call.end(Ending::Replied(text.to_owned()));
                Heard::Reply
            }
            None => Heard::OtherReply,
        }
    }
}

/// We number our requests. Some servers give a number back as a text.
fn read_id(text: &str) -> Option<RequestId> {
    text.trim_matches('"').parse().ok().map(RequestId::Number)
}

#[cfg(test)]
mod tests;
