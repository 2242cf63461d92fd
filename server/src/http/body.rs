//! Reading request bodies: bounded in size and in time. actix-web has no deadline for a body of its own.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
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
pub async fn read_body(payload: Payload, bytes_max: usize, limits: &Limits) -> Result<String, Problem> {
    let body = collect(payload, bytes_max, Duration::from_secs(u64::from(limits.body_wait_s))).await?;
    String::from_utf8(body.into()).map_err(|_invalid| Problem::new(Code::InvalidJson, "the body is not UTF-8 text"))
}

async fn collect(mut payload: Payload, bytes_max: usize, wait: Duration) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    let started = Instant::now();
    loop {
        let arrived = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let allowance = Duration::from_secs(arrived.checked_div(RATE_MIN).unwrap_or(0));
        let next = std::future::poll_fn(|context| std::pin::Pin::new(&mut payload).poll_next(context));
        let chunk = timeout_at(started + wait.saturating_add(allowance), next)
            .await
            .map_err(|_elapsed| Problem::new(Code::RequestTimeout, "the body did not arrive in time"))?;
        let Some(chunk) = chunk else { return Ok(body.freeze()) };
        let chunk = chunk.map_err(|error| {
            tracing::debug!(%error, "a body ended early");
            Problem::new(Code::InvalidJson, "the body was cut off before its end")
        })?;
        if body.len().saturating_add(chunk.len()) > bytes_max {
            return Err(Problem::new(Code::BodyTooLarge, format!("the body is larger than {bytes_max} bytes"))
                .fact("bytes_max", bytes_max.into()));
        }
        body.extend_from_slice(&chunk);
    }
}
