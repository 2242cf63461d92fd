//! HTTP for the library: every request over our own guarded client, judged by the rules in force, bounded in every direction.
//!
//! The library would open a stream for what a server says unasked. There is nothing in it that we want, and it would be a connection
//! for every session that a server could keep busy: it is told that the server has none. Only a stream that broke off
//! before its reply is asked for again, while there is a call that waits.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use engine::{limits::UPSTREAM_TIMEOUT_MS_MAX, upstream::Credential};
use reqwest::{
    Method, Request, Response,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use rmcp::{
    model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, RequestId},
    transport::streamable_http_client::{StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse},
};
use tokio::time::{Duration, sleep};

use super::{
    super::{
        answer::{BODY_BYTES_MAX, Head, StatusClass},
        http::{
            BodyError, HEADER_BYTES_MAX, Shared, chain, deadline_after, head_of, header_bytes, is_session_lost,
            read_body, read_error_body,
        },
        outgoing::{Unsendable, add_credential},
        worker::load_route,
    },
    call::{Call, Calls, Ending, Heard},
    stream::{Events, Of, events_of},
};

/// One message from a server, in bytes. Servers repeat a structured result as text.
pub(super) const MESSAGE_BYTES_MAX: usize = 2 * BODY_BYTES_MAX + 64 * 1024;

/// Before the rest of a stream is asked for, however soon the server would like that.
const RESUME_PAUSE: Duration = Duration::from_millis(500);
const EVENT_STREAM: &str = "text/event-stream";
const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What went wrong with a request. Of a call, this has been told to the call already.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("{0}")]
    NoWay(String),
    #[error("the request was given up or made before")]
    NotAgain,
    #[error("no complete answer: {0}")]
    Http(String),
    #[error("the server answered with status {0}")]
    Status(u16),
    #[error("{0}")]
    Answer(String),
}

type Fault = StreamableHttpError<WireError>;

fn fault(error: WireError) -> Fault {
    StreamableHttpError::Client(error)
}

/// The HTTP client of one session.
#[derive(Clone)]
pub(super) struct GuardedHttp {
    pub(super) shared: Arc<Shared>,
    pub(super) calls: Arc<Calls>,
    /// What the server asks of whoever calls it: put into every request, never into the session's address.
    pub(super) credential: Option<Arc<Credential>>,
    /// Why a connection failed, first of all.
    pub(super) lost: Arc<OnceLock<String>>,
}

impl StreamableHttpClient for GuardedHttp {
    type Error = WireError;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Fault> {
        let headers = headers_of(custom_headers, session_id.as_deref())?;
        match call_of(&message) {
            Some((id, call)) => {
                let told = Arc::clone(&call);
                let answer = Box::pin(self.post_call(&uri, headers, id, call)).await;
                if let Err(error) = &answer {
                    // does nothing where something better has been told
                    told.end(told.give_up(error.to_string()));
                }
                answer
            }
            None => Box::pin(self.post_other(&uri, headers, &message)).await,
        }
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Fault> {
        let headers = headers_of(custom_headers, Some(&*session_id))?;
        self.send(&uri, Method::DELETE, headers, None).await.map(drop)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Events, Fault> {
        let awaited = last_event_id.and_then(|event| self.calls.find_come_to(&event).map(|call| (event, call)));
        // to the library this is final, whatever else it would try
        let Some((last_event_id, call)) = awaited else { return Err(StreamableHttpError::ServerDoesNotSupportSse) };
        // After a stream that went wrong the library asks for the rest at once, and again, for as long as it goes wrong.
        sleep(RESUME_PAUSE).await;
        if !self.calls.is_awaited(&call) {
            return Err(StreamableHttpError::ServerDoesNotSupportSse);
        }
        let mut headers = headers_of(custom_headers, session_id.as_deref())?;
        headers.insert(LAST_EVENT_ID, header_value(&last_event_id)?);
        let response = self.send(&uri, Method::GET, headers, None).await?;
        let head = checked_head(&response)?;
        if head.class == StatusClass::Completed && is_event_stream(&head) {
            Ok(events_of(response, Arc::clone(&self.calls), Of::Rest(call)))
        } else {
            Err(fault(WireError::Status(head.status)))
        }
    }
}

impl GuardedHttp {
    /// One request. The way is judged now, whenever the session was opened.
    async fn send(
        &self,
        uri: &str,
        method: Method,
        headers: HeaderMap,
        body: Option<String>,
    ) -> Result<Response, Fault> {
        let route = load_route(&self.shared, uri).map_err(|error| fault(WireError::NoWay(chain(&error))))?;
        let request = self
            .request_to(&route.url, method, headers, body)
            .map_err(|error| fault(WireError::NoWay(chain(&error))))?;
        let sent = route.client.execute(request).await;
        sent.map_err(|error| {
            let words = chain(&error.without_url());
            self.lost.get_or_init(|| words.clone());
            fault(WireError::Http(words))
        })
    }

    fn request_to(
        &self,
        url: &url::Url,
        method: Method,
        headers: HeaderMap,
        body: Option<String>,
    ) -> Result<Request, Unsendable> {
        let mut request = request_to(url, method, headers, body);
        if let Some(credential) = &self.credential {
            add_credential(&mut request, credential)?;
        }
        Ok(request)
    }

    /// Everything but calls: what opens a session and keeps it.
    async fn post_other(
        &self,
        uri: &str,
        headers: HeaderMap,
        message: &ClientJsonRpcMessage,
    ) -> Result<StreamableHttpPostResponse, Fault> {
        let body = serde_json::to_string(message)?;
        let mut response = self.send(uri, Method::POST, headers, Some(body)).await?;
        let head = checked_head(&response)?;
        if head.class != StatusClass::Completed {
            return Err(fault(WireError::Status(head.status)));
        }
        if !matches!(message, JsonRpcMessage::Request(_)) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let session_id = session_id_of(&response);
        if is_event_stream(&head) {
            let events = events_of(response, Arc::clone(&self.calls), Of::Session);
            return Ok(StreamableHttpPostResponse::Sse(events, session_id));
        }
        let text = read_text(&mut response).await.map_err(|ending| fault(WireError::Answer(ending.words())))?;
        Ok(StreamableHttpPostResponse::Json(serde_json::from_str(&text)?, session_id))
    }

    async fn post_call(
        &self,
        uri: &str,
        mut headers: HeaderMap,
        id: RequestId,
        call: Arc<Call>,
    ) -> Result<StreamableHttpPostResponse, Fault> {
        let is_in_session = headers.contains_key(SESSION_ID);
        headers.extend(call.headers.clone());
        let body = call.message(&id)?;
        let route = load_route(&self.shared, uri).map_err(|error| fault(WireError::NoWay(chain(&error))))?;
        let request = self.request_to(&route.url, Method::POST, headers, Some(body));
        let request = request.map_err(|error| fault(WireError::NoWay(chain(&error))))?;
        if !call.may_send() {
            return Err(fault(WireError::NotAgain));
        }
        self.calls.await_reply(id.clone(), Arc::clone(&call));
        let asking = async {
            let response = route.client.execute(request).await.map_err(unanswered)?;
            self.take_answer(response, &id, is_in_session).await
        };
        let answered = tokio::select! {
            answered = asking => answered,
            () = call.left() => Err(Ending::Unknown("nobody waits any more".to_owned())),
        };
        answered.map_err(|ending| {
            let words = ending.words();
            call.end(ending);
            fault(WireError::Answer(words))
        })
    }

    /// What was answered to a call, for the library, or how the call ended.
    async fn take_answer(
        &self,
        mut response: Response,
        id: &RequestId,
        is_in_session: bool,
    ) -> Result<StreamableHttpPostResponse, Ending> {
        let head = head_of(&response);
        if header_bytes(response.headers()) > HEADER_BYTES_MAX {
            return Err(Ending::Failed(format!("the header is longer than {HEADER_BYTES_MAX} bytes")));
        }
        if is_in_session && is_session_lost(head.status) {
            return Err(Ending::SessionLost);
        }
        if head.class != StatusClass::Completed {
            let body = read_error_body(longest(), &mut response).await;
            return Err(Ending::Refused(head, body));
        }
        if head.coding.is_some() {
            return Err(Ending::Failed("the answer is encoded, which was not asked for".to_owned()));
        }
        let session_id = session_id_of(&response);
        if is_event_stream(&head) {
            let events = events_of(response, Arc::clone(&self.calls), Of::Call(id.clone()));
            return Ok(StreamableHttpPostResponse::Sse(events, session_id));
        }
        let text = read_text(&mut response).await?;
        if self.calls.hear(&text, Some(id)) != Heard::Reply {
            return Err(Ending::Failed("the answer is not the reply to the call".to_owned()));
        }
        // The call has its reply. Whether the library can read it as well matters to nobody.
        match serde_json::from_str(&text) {
            Ok(message) => Ok(StreamableHttpPostResponse::Json(message, session_id)),
            Err(error) => Err(Ending::Failed(error.to_string())),
        }
    }
}

/// The call that a message is, with the number that the session gave it.
fn call_of(message: &ClientJsonRpcMessage) -> Option<(RequestId, Arc<Call>)> {
    let JsonRpcMessage::Request(request) = message else { return None };
    let ClientRequest::CallToolRequest(asked) = &request.request else { return None };
    asked.extensions.get::<Arc<Call>>().map(|call| (request.id.clone(), Arc::clone(call)))
}

/// How a call ended whose answer has no head.
fn unanswered(error: reqwest::Error) -> Ending {
    let is_unsent = error.is_connect() || error.is_builder();
    let words = chain(&error.without_url());
    if is_unsent { Ending::NotDispatched(words) } else { Ending::Unknown(format!("no complete answer: {words}")) }
}

fn headers_of(custom: HashMap<HeaderName, HeaderValue>, session_id: Option<&str>) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::from_iter(custom);
    if let Some(session_id) = session_id {
        headers.insert(SESSION_ID, header_value(session_id)?);
    }
    Ok(headers)
}

fn header_value(text: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_str(text)
        .map_err(|_bad| fault(WireError::NoWay("a name that the server gave fits no header".to_owned())))
}

fn request_to(url: &url::Url, method: Method, headers: HeaderMap, body: Option<String>) -> Request {
    let mut request = Request::new(method, url.clone());
    *request.headers_mut() = headers;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    if let Some(body) = body {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.into());
    }
    request
}

fn checked_head(response: &Response) -> Result<Head, Fault> {
    let head = head_of(response);
    if header_bytes(response.headers()) > HEADER_BYTES_MAX {
        return Err(fault(WireError::Answer(format!("the header is longer than {HEADER_BYTES_MAX} bytes"))));
    }
    if head.coding.is_some() {
        return Err(fault(WireError::Answer("the answer is encoded, which was not asked for".to_owned())));
    }
    Ok(head)
}

fn is_event_stream(head: &Head) -> bool {
    head.media_type.as_deref() == Some(EVENT_STREAM)
}

fn session_id_of(response: &Response) -> Option<String> {
    response.headers().get(SESSION_ID).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Whoever waits stops waiting before.
fn longest() -> tokio::time::Instant {
    deadline_after(Duration::from_millis(UPSTREAM_TIMEOUT_MS_MAX))
}

async fn read_text(response: &mut Response) -> Result<String, Ending> {
    let body = read_body(longest(), response, MESSAGE_BYTES_MAX).await.map_err(|error| match error {
        BodyError::TooLong => Ending::Failed(format!("the body is longer than {MESSAGE_BYTES_MAX} bytes")),
        BodyError::Late(elapsed) => Ending::Unknown(format!("the body did not end in time: {elapsed}")),
        BodyError::Cut(error) => Ending::Unknown(format!("the body was cut off: {}", chain(&error))),
    })?;
    String::from_utf8(body)
        .map_err(|error| Ending::Failed(format!("the body is not utf-8 text: {}", error.utf8_error())))
}
