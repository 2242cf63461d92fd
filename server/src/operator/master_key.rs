//! A new master key, as operators bring it in.

use engine::{
    audit::OpContext,
    service::{
        Services,
        master_key::{Rotated, RotationError, SealingKeys},
    },
};
use serde_json::{Map, Value, json};

use super::{Done, NotDone, done};
use crate::{
    cli::Exit,
    master_key::{HandedKeys, read_identity},
};

fn refused(error: RotationError) -> NotDone {
    match error {
        RotationError::Store(error) => error.into(),
        other => NotDone::refused(other),
    }
}

/// Seals everything anew that the old key opens.
pub(super) async fn rotate(
    services: &Services,
    by: &OpContext,
    old: Option<&HandedKeys>,
    new: &str,
) -> Result<Done, NotDone> {
    let malformed = |error: crate::master_key::Malformed| NotDone::new(Exit::Usage, error);
    let new = read_identity(new).map_err(malformed)?;
    let rotated = match old {
        Some(old) => {
            let old = SealingKeys::new(&old.read().map_err(malformed)?).map_err(NotDone::refused)?;
            services.rotate_master_key(by, &old, &new).await
        }
        None => services.give_up_old_master_key(by, &new).await,
    };
    let rotated = rotated.map_err(refused)?;
    let view: Map<String, Value> = rotated.iter().map(|kind| (kind.kind.as_str().to_owned(), view(kind))).collect();
    done(&json!({"rotated": view}), rotated.iter().map(line).collect())
}

fn view(rotated: &Rotated) -> Value {
    json!({"sealed": rotated.sealed, "known": rotated.known, "lost": rotated.lost})
}

fn line(rotated: &Rotated) -> String {
    let Rotated { kind, sealed, known, lost } = rotated;
    let done = format!("{}: {sealed} sealed anew, {known} were before", kind.words());
    match lost {
        0 => done,
        lost => format!("{done}, {lost} cannot be opened and have to be set again"),
    }
}
