//! Counts calls and what they came to, for the console's overview: behind the calls, off their way.

use std::{sync::Arc, time::Duration};

use engine::service::{Services, work::Work};

/// How often it is looked whether there is something to count.
const TICK: Duration = Duration::from_secs(5);
/// How long to wait between two steps while there is more to count: others want to read as well.
const PAUSE: Duration = Duration::from_millis(250);

/// Counts on, until it is stopped.
pub async fn run(services: Arc<Services>) {
    let mut pause = TICK;
    loop {
        tokio::time::sleep(pause).await;
        let counted = services.count_further().await;
        services.note_work(Work::Counts, counted.as_ref().err().map(ToString::to_string));
        pause = match counted {
            Ok(true) => PAUSE,
            Ok(false) => TICK,
            Err(error) => {
                if !error.is_away() {
                    tracing::warn!(%error, "calls could not be counted");
                }
                TICK
            }
        };
    }
}
