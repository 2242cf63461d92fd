//! Reading request bodies: bounded in size and in time. actix-web has no deadline for a body of its own.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use engine::code::Code;
use futures_core::Stream as _;

use super::problem::Problem;

/// A body may take this long, and longer the larger it is.
const DEADLINE: Duration = Duration::from_secs(10);
/// The slowest that a body may come in, in bytes per second.
const RATE_MIN: u64 = 16_384;

/// The whole body as text, at most `bytes_max` bytes of it.
///
/// # Errors
/// Too large, too slow, cut off, or not UTF-8.
pub async fn read_body(mut payload: Payload, bytes_max: usize) -> Result<String, Problem> {
    let allowance = u64::try_from(bytes_max).unwrap_or(u64::MAX).checked_div(RATE_MIN).unwrap_or(0);
    let deadline = DEADLINE.saturating_add(Duration::from_secs(allowance));
    let body = tokio::time::timeout(deadline, collect(&mut payload, bytes_max))
        .await
        .map_err(|_elapsed| Problem::new(Code::RequestTimeout, "the body did not arrive in time"))??;
    String::from_utf8(body.into()).map_err(|_invalid| Problem::new(Code::InvalidJson, "the body is not UTF-8 text"))
}

async fn collect(payload: &mut Payload, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = std::future::poll_fn(|context| std::pin::Pin::new(&mut *payload).poll_next(context)).await {
        let chunk = chunk.map_err(|error| Problem::new(Code::InvalidJson, format!("the body was cut off: {error}")))?;
        if body.len().saturating_add(chunk.len()) > bytes_max {
            return Err(Problem::new(Code::BodyTooLarge, format!("the body is larger than {bytes_max} bytes"))
                .fact("bytes_max", bytes_max.into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
