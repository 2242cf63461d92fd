//! The section `ledger`: how the books are vouched for.

use std::path::PathBuf;

use super::{reader::Fields, server::parse_path, values::parse_email};

const DEFAULT_EVERY_S: u64 = 300;
const EVERY_S_MAX: u64 = 86_400;
const DEFAULT_DIR: &str = "data/checkpoints";

/// The section `ledger`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// At the soonest so many seconds after the one before, a checkpoint is made, if anything happened.
    pub checkpoint_every_s: u64,
    /// The folder outside of the database in which every checkpoint is kept, relative to the working directory.
    pub checkpoint_dir: PathBuf,
    /// Who gets the first checkpoint of every day, and every one that hands over to a new key, by mail.
    pub auditors: Vec<String>,
}

impl Ledger {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            checkpoint_every_s: fields.whole_number("checkpoint_every_s", DEFAULT_EVERY_S, 1..=EVERY_S_MAX),
            checkpoint_dir: fields.parsed("checkpoint_dir", parse_path).unwrap_or_else(|| PathBuf::from(DEFAULT_DIR)),
            auditors: fields.list("auditors", |item| item.parsed(parse_email)),
        }
    }
}
