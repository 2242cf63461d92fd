//! Reading request bodies: bounded in size and in time. actix-web has no deadline for a body of its own.

use std::time::Duration;

use actix_web::web::{BytesMut, Payload};
use engine::code::Code;
use futures_core::Stream as _;
use tokio::time::{Instant, timeout_at};

use super::problem::Problem;
use crate::config::Limits;

/// The slowest that a body may come in once it has begun, in bytes per second.
const RATE_MIN: u64 = 16_384;

/// The whole body as text, at most `bytes_max` bytes of it. It may take `limits.body_wait_s`, and a second more for every
/// [`RATE_MIN`] bytes that have arrived: who drips is stopped early, who is slow and steady is not.
///
/// # Errors
/// Too large, too slow, cut off, or not UTF-8.
pub async fn read_body(mut payload: Payload, bytes_max: usize, limits: &Limits) -> Result<String, Problem> {
    let wait = Duration::from_secs(u64::from(limits.body_wait_s));
    collect(&mut payload, bytes_max, wait).await.map_err(|fault| problem(fault, bytes_max))
}

/// The whole body as it is; see [`read_body`].
///
/// # Errors
/// Too large, too slow, or cut off.
pub async fn read_bytes(mut payload: Payload, bytes_max: usize, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let wait = Duration::from_secs(u64::from(limits.body_wait_s));
    let read = collect_bytes(&mut payload, bytes_max, wait).await;
    if read == Err(BodyFault::TooLarge) {
        drain(&mut payload).await;
    }
    read.map_err(|fault| problem(fault, bytes_max))
}

fn problem(fault: BodyFault, bytes_max: usize) -> Problem {
    match fault {
        BodyFault::TooLarge => Problem::new(Code::BodyTooLarge, format!("the body is larger than {bytes_max} bytes"))
            .fact("bytes_max", bytes_max.into()),
        BodyFault::Late => Problem::new(Code::RequestTimeout, "the body did not arrive in time"),
        BodyFault::Cut => Problem::new(Code::InvalidJson, "the body was cut off before its end"),
        BodyFault::NotText => Problem::new(Code::InvalidJson, "the body is not UTF-8 text"),
    }
}

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// Larger than allowed.
    TooLarge,
    /// It did not arrive in time.
    Late,
    /// It ended early.
    Cut,
    /// Not UTF-8.
    NotText,
}

/// How much of a body that is too large is taken and thrown away, in bytes: a client that still writes would never read
/// the answer.
const DRAIN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAIN_WAIT: Duration = Duration::from_secs(10);

/// Takes the rest of a body, within bounds, so that its sender comes to reading the answer.
pub async fn drain(payload: &mut Payload) {
    let deadline = Instant::now() + DRAIN_WAIT;
    let mut taken = 0_usize;
    while taken < DRAIN_BYTES_MAX {
        let next = std::future::poll_fn(|context| std::pin::Pin::new(&mut *payload).poll_next(context));
        match timeout_at(deadline, next).await {
            Ok(Some(Ok(chunk))) => taken = taken.saturating_add(chunk.len()),
            Ok(Some(Err(_)) | None) | Err(_) => return,
        }
    }
}

/// The whole body as text; see [`read_body`] about `wait`.
///
/// # Errors
/// See [`BodyFault`].
pub async fn collect(payload: &mut Payload, bytes_max: usize, wait: Duration) -> Result<String, BodyFault> {
    let body = collect_bytes(payload, bytes_max, wait).await?;
    String::from_utf8(body).map_err(|_invalid| BodyFault::NotText)
}

async fn collect_bytes(payload: &mut Payload, bytes_max: usize, wait: Duration) -> Result<Vec<u8>, BodyFault> {
    let mut body = BytesMut::new();
    let started = Instant::now();
    loop {
        let arrived = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let allowance = Duration::from_secs(arrived.checked_div(RATE_MIN).unwrap_or(0));
        let next = std::future::poll_fn(|context| std::pin::Pin::new(&mut *payload).poll_next(context));
        let chunk = timeout_at(started + wait.saturating_add(allowance), next);
        let Some(chunk) = chunk.await.map_err(|_elapsed| BodyFault::Late)? else { break };
        let chunk = chunk.map_err(|error| {
            tracing::debug!(%error, "a body ended early");
            BodyFault::Cut
        })?;
        if body.len().saturating_add(chunk.len()) > bytes_max {
            return Err(BodyFault::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}
