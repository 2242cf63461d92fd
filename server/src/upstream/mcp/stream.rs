//! The events that answer a request, on their way from the connection to the library.
//!
//! A task reads them, so that a server which sends faster than it is listened to waits, and nobody else does. What the library has
//! no use for is left out, and what would keep it busy without end is cut off.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::{Stream, stream::BoxStream};
use reqwest::Response;
use rmcp::{model::RequestId, transport::streamable_http_client::SseError};
use sse_stream::Sse;
use tokio::{sync::mpsc, time::sleep};

use super::{
    super::http::chain,
    call::{Calls, Ending, Heard},
    events::{Event, EventReader},
    wire::MESSAGE_BYTES_MAX,
};

/// All events of one stream together, in bytes.
pub(super) const STREAM_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How often a server may ask us something within one stream. There is nothing but its pings that we answer with a result.
pub(super) const REQUESTS_MAX: usize = 32;
/// How many events wait for the library.
const EVENTS_QUEUED: usize = 16;

/// The events as the library takes them.
pub(super) type Events = BoxStream<'static, Result<Sse, SseError>>;

/// How often a stream is asked whether somebody still waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What events are the answer to.
#[derive(Debug, Clone)]
pub(super) enum Of {
    /// A call: whatever is wrong with them ends it.
    Call(RequestId),
    /// A call whose answer broke off: here is the rest, perhaps.
    Rest(RequestId),
    /// What keeps the session.
    Session,
}

impl Of {
    /// The call that a reply among them has to be for.
    const fn call(&self) -> Option<&RequestId> {
        match self {
            Self::Call(id) => Some(id),
            Self::Rest(_) | Self::Session => None,
        }
    }
}

/// When nobody waits for what the events are the answer to.
async fn unwanted(calls: &Calls, of: &Of) {
    loop {
        sleep(LOOK_EVERY).await;
        match of {
            Of::Call(id) | Of::Rest(id) if !calls.is_awaited(id) => return,
            // the library leaves by itself what it does not need
            Of::Call(_) | Of::Rest(_) | Of::Session => {}
        }
    }
}

/// The events of an answer, for as long as somebody waits for it.
pub(super) fn events_of(response: Response, calls: Arc<Calls>, of: Of) -> Events {
    let (to, from) = mpsc::channel(EVENTS_QUEUED);
    let pump = Pump { calls, of, to, reader: EventReader::new(MESSAGE_BYTES_MAX), requests: 0, is_resumable: false };
    tokio::spawn(pump.run(response));
    Box::pin(Queued(from))
}

struct Queued(mpsc::Receiver<Result<Sse, SseError>>);

impl Stream for Queued {
    type Item = Result<Sse, SseError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

struct Pump {
    calls: Arc<Calls>,
    of: Of,
    to: mpsc::Sender<Result<Sse, SseError>>,
    reader: EventReader,
    requests: usize,
    /// The server has said by what the rest can be asked for.
    is_resumable: bool,
}

/// The library has gone away, or is told that the stream is over.
struct Over;

impl Pump {
    async fn run(mut self, mut response: Response) {
        let (gone, calls, of) = (self.to.clone(), Arc::clone(&self.calls), self.of.clone());
        tokio::select! {
            () = gone.closed() => {}
            () = unwanted(&calls, &of) => {}
            () = self.read(&mut response) => {}
        }
    }

    async fn read(&mut self, response: &mut Response) {
        let mut bytes = 0_usize;
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return self.cut("the events ended without a reply"),
                Err(error) => return self.cut(&format!("the events were cut off: {}", chain(&error.without_url()))),
            };
            bytes = bytes.saturating_add(chunk.len());
            if bytes > STREAM_BYTES_MAX {
                return self.fail(format!("the events are longer than {STREAM_BYTES_MAX} bytes")).await;
            }
            let events = match self.reader.read(&chunk) {
                Ok(events) => events,
                Err(bad) => return self.fail(bad.to_string()).await,
            };
            for event in events {
                if let Err(Over) = self.take(event).await {
                    return;
                }
            }
        }
    }

    async fn take(&mut self, event: Event) -> Result<(), Over> {
        if let (Some(event), Of::Call(id) | Of::Rest(id)) = (&event.id, &self.of) {
            self.calls.come_to(id, event);
            self.is_resumable = true;
        }
        let retry = event.retry_ms;
        let is_message = event.is_message();
        let data = event.data.filter(|data| is_message && !data.trim().is_empty());
        let data = match data {
            Some(data) => match self.calls.hear(&data, self.of.call()) {
                Heard::Reply => Some(data),
                Heard::OtherReply if self.of.call().is_none() => Some(data),
                Heard::Notification => None,
                Heard::Request if self.requests < REQUESTS_MAX => {
                    self.requests = self.requests.saturating_add(1);
                    Some(data)
                }
                Heard::Request => return self.refuse(format!("the server asked more than {REQUESTS_MAX} times")).await,
                Heard::OtherReply => return self.refuse("an event replies to something else".to_owned()).await,
                Heard::Garbage => return self.refuse("an event is not a message of JSON-RPC".to_owned()).await,
            },
            None => None,
        };
        if data.is_none() && event.id.is_none() && retry.is_none() {
            return Ok(());
        }
        self.to.send(Ok(Sse { event: None, data, id: event.id, retry })).await.map_err(|_gone| Over)
    }

    async fn refuse(&self, what: String) -> Result<(), Over> {
        self.fail(what).await;
        Err(Over)
    }

    /// What came is no answer.
    async fn fail(&self, what: String) {
        let told = SseError::Body(what.clone().into());
        self.calls.end(self.of.call(), Ending::Failed(what));
        drop(self.to.send(Err(told)).await);
    }

    /// The stream is over before the reply. Where the server has said how, the library asks for the rest.
    fn cut(&self, why: &str) {
        if !self.is_resumable {
            self.calls.end(self.of.call(), Ending::Unknown(why.to_owned()));
        }
    }
}
