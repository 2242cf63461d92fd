//! What happens to approvals without a request.

use std::{sync::Arc, time::Duration};

use engine::service::Services;

/// How often it is looked whether something was approved and not carried out, or not decided in time.
const TICK: Duration = Duration::from_secs(2);

/// Carries out what was approved and left undone by a server that is gone, and ends what nobody has decided in time, until
/// it is stopped.
pub async fn run(services: Arc<Services>) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let round = async {
            services.resume_approvals().await?;
            services.expire_approvals().await
        };
        if let Err(error) = round.await
            && !error.is_away()
        {
            tracing::warn!(%error, "approvals could not be looked after");
        }
    }
}
