//! How often the rest of a stream is asked for that broke off before its reply.

use std::time::Duration;

use rmcp::transport::common::client_side_sse::SseRetryPolicy;

/// So many failures in a row, a second apart.
const RETRIES_MAX: usize = 3;
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A few times, with pauses. How long in all is for the call's deadline.
#[derive(Debug)]
pub(super) struct Retries;

impl SseRetryPolicy for Retries {
    fn retry(&self, failures: usize) -> Option<Duration> {
        (failures < RETRIES_MAX).then_some(RETRY_PAUSE)
    }
}
