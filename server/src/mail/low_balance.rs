//! Writes to customers whose credits end, behind their calls.

use std::{sync::Arc, time::Duration};

use engine::service::{Services, work::Work};

/// How long to wait between two steps of a round, and between two rounds.
const PAUSE: Duration = Duration::from_secs(5);

/// Looks after balances, until it is stopped.
pub async fn run(services: Arc<Services>) {
    let mut after = None;
    loop {
        tokio::time::sleep(PAUSE).await;
        let step = services.warn_of_low_balances(after).await;
        services.note_work(Work::LowBalances, step.as_ref().err().map(ToString::to_string));
        match step {
            Ok(next) => after = next,
            Err(error) if error.is_away() => {}
            Err(error) => {
                tracing::warn!(%error, "balances could not be looked at");
                after = None;
            }
        }
    }
}
