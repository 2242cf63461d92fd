//! Vouching for the books, as operators ask for it.

use engine::{
    audit::OpContext,
    ledger::hex::hex,
    service::{Services, checkpoints::CheckpointError},
};
use serde_json::json;

use super::{Done, NotDone, done};
use crate::marketplace::time_text;

/// Signs what the books have come to; the answer is the last checkpoint there is.
pub(super) async fn checkpoint(services: &Services, by: &OpContext) -> Result<Done, NotDone> {
    let nothing = || NotDone::refused("nothing was ever recorded: there is nothing to sign");
    let known = services.make_checkpoint(by).await.map_err(refused)?.ok_or_else(nothing)?;
    let checkpoint = &known.signed.checkpoint;
    let (number, made_at) = (checkpoint.number, time_text(checkpoint.made_us));
    let line = format!("checkpoint {number} of {made_at}: {}", hex(&checkpoint.hash()));
    done(&known.view(), vec![line])
}

/// Makes a new key.
pub(super) async fn rotate_key(services: &Services, by: &OpContext) -> Result<Done, NotDone> {
    let key = services.rotate_signing_key(by).await.map_err(refused)?;
    let public = hex(&key.public);
    let view = json!({"number": key.number, "public_key": public, "from_us": key.from_us});
    done(&view, vec![format!("key {} signs from {} on: {public}", key.number, time_text(key.from_us))])
}

fn refused(error: CheckpointError) -> NotDone {
    match error {
        CheckpointError::Store(error) => error.into(),
        other => NotDone::refused(other),
    }
}
