//! `tollgate ledger receipt`: what the books say of one call, with the proof.

use clap::Args;
use engine::{
    id::{EntryId, InvocationId},
    store::{
        DatabasePlace, StoreError,
        books::{self, FoundReceipt},
    },
};

use super::{
    super::{Exit, Failure, Outcome, say},
    unreadable,
};
use crate::config::Config;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReceiptArgs {
    /// The call, such as `inv_…`; or any other entry of the books, as `ent_…`.
    id: String,
    /// Print JSON: a receipt is nothing else.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &DatabasePlace, args: &ReceiptArgs, config: &Config) -> Outcome {
    let refused = |text: String| Failure::new(Exit::Refused, text);
    let id: EntryId = match args.id.parse::<InvocationId>() {
        Ok(call) => call.into(),
        Err(error) => args.id.parse().map_err(|_neither| refused(error.to_string()))?,
    };
    let found = books::find_receipt(place, id).map_err(|error| match error {
        StoreError::Inconsistent { .. } => Failure::new(Exit::Damaged, error),
        other => unreadable(&other, config),
    });
    match found? {
        FoundReceipt::Proven(receipt) => say(&receipt.view(&args.id).to_string()),
        FoundReceipt::Unknown => {
            Err(refused(format!("the books do not know `{}`: a call without a price is not in them", args.id)))
        }
        FoundReceipt::NotYet(position) => Err(refused(format!(
            "no checkpoint vouches for entry {}/{} yet: wait for the next one, or make it with `tollgate ledger checkpoint`",
            position.slot, position.seq
        ))),
    }
}
