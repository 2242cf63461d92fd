//! What calls carried: kept and forgotten as the configuration says, behind the calls.

use std::{sync::Arc, time::Duration};

use engine::{
    sealing::Sealing,
    service::{
        Services,
        payloads::{PayloadRules, PayloadSetup},
        work::Work,
    },
    store::StoreError,
};

use crate::{
    config::{
        Payloads,
        master_key::{MasterKey, MasterKeyError},
    },
    master_key::PAYLOADS_LABEL,
};

/// How often what waits is written, and what is over is forgotten.
const TICK: Duration = Duration::from_secs(1);

/// What is kept, and a key of its own to seal it under, from the master key.
///
/// # Errors
/// The library fails.
pub fn setup(config: &Payloads, key: &MasterKey) -> Result<Arc<PayloadSetup>, MasterKeyError> {
    let rules = PayloadRules {
        tools: config.tools.clone(),
        keep_us: i64::try_from(config.keep_s).unwrap_or(i64::MAX).saturating_mul(1_000_000),
        bytes_max: usize::try_from(config.bytes_max).unwrap_or(usize::MAX),
    };
    let sealing = Sealing::new(&key.derive(PAYLOADS_LABEL)?).map_err(|_failed| MasterKeyError::Crypto)?;
    Ok(Arc::new(PayloadSetup { rules, sealing }))
}

/// Writes what waits and forgets what is over, until it is stopped.
pub async fn run(services: Arc<Services>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let done = round(&services).await;
        services.note_work(Work::Payloads, done.as_ref().err().map(ToString::to_string));
        if let Err(error) = done
            && !error.is_away()
        {
            tracing::warn!(%error, "what calls carried could not be kept or forgotten");
        }
    }
}

async fn round(services: &Services) -> Result<(), StoreError> {
    services.write_payloads().await?;
    while services.forget_payloads().await? {}
    Ok(())
}
