//! Gives back to partners what is in wallets of end users who were erased, once their calls have ended or something was given
//! back to them.

use std::{sync::Arc, time::Duration};

use engine::service::{Services, work::Work};

/// How long to wait between two rounds, and after a step that failed.
const PAUSE: Duration = Duration::from_secs(10);

/// Looks after wallets that nobody has any more, until it is stopped.
pub async fn run(services: Arc<Services>) {
    let mut after = None;
    tokio::time::sleep(PAUSE).await;
    loop {
        let step = services.return_what_is_left(after).await;
        services.note_work(Work::Leftovers, step.as_ref().err().map(ToString::to_string));
        match step {
            Ok(Some(next)) => {
                after = Some(next);
                continue;
            }
            Ok(None) => after = None,
            Err(error) if error.is_away() => {}
            Err(error) => {
                tracing::warn!(%error, "wallets of erased end users could not be looked at");
                after = None;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
