//! Looks how near this process is to what it can do at most, for the console's page about its health.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::state::AppState;

/// How often it looks: it reads a few numbers in memory.
const TICK: Duration = Duration::from_secs(1);

/// Looks on, until it is stopped. It waits for nobody, so that it also sees how long others do.
pub async fn run(state: AppState) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        state.services.note_saturation(state.in_flight.count());
    }
}
