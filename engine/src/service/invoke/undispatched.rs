//! A call that was begun and not dispatched yet.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::{Accepted, end_of};
use crate::{
    invocation::CallState,
    ledger::batch::{Finish, KeyEnd, Outcome},
    service::Services,
};

/// Holds the place of a call between its hold and its dispatch. Dropped in between (its caller went away), it gives the
/// money back and frees the key: nothing was dispatched, and nothing will be.
pub(super) struct Undispatched {
    services: Arc<Services>,
    finish: Option<Finish>,
}

impl Undispatched {
    /// To be made before the ledger hears of the call, so that no moment is left out.
    pub(super) fn new(services: &Arc<Services>, accepted: &Accepted, now_us: i64) -> Self {
        let finish = accepted.is_begun.then(|| Finish {
            call: accepted.call.id,
            wallet: accepted.payer,
            caps: accepted.caps.clone(),
            outcome: Outcome::Release,
            key: KeyEnd::Free,
            end: end_of(CallState::Failed, None, now_us),
        });
        Self { services: Arc::clone(services), finish }
    }

    /// The call goes on, or has ended otherwise.
    pub(super) fn pass(mut self) {
        self.finish = None;
    }
}

impl Drop for Undispatched {
    fn drop(&mut self) {
        // Without a runtime the process is about to end: the hold is settled by rule.
        let (Some(finish), Ok(runtime)) = (self.finish.take(), Handle::try_current()) else { return };
        let services = Arc::clone(&self.services);
        // Behind the request to begin, in the same queue: whatever became of that, this comes after it.
        runtime.spawn(async move {
            let id = finish.call;
            if let Err(error) = services.finish_insistently(finish).await {
                tracing::warn!(%error, invocation = %id, "an abandoned call was not given back; its hold is settled by rule");
            }
        });
    }
}
