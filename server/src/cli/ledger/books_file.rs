//! `tollgate ledger books`: the books themselves as a file, for whoever checks them with other programs.

use std::{
    io::{BufWriter, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use engine::store::{
    DatabasePlace,
    books::{self, ExportError},
};
use serde_json::json;
use tempfile::NamedTempFile;

use super::super::{Exit, Failure, Outcome, export, operate, say, say_error};
use crate::{config::Config, operator::Command};

#[derive(Debug, Args)]
pub(in crate::cli) struct BooksArgs {
    /// The file to be made. It must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &DatabasePlace, args: &BooksArgs, config: &Config) -> Outcome {
    if args.out.exists() {
        return Err(Failure::new(Exit::Refused, format!("`{}` is there already", args.out.display())));
    }
    export::check_version(config)?;
    // First of all: what the audit trail cannot tell of is not given away.
    let command = Command::ExportNoted { report: "books".to_owned(), facts: json!({"format": "jsonl"}) };
    drop(operate::hand_over(&command, config)?);
    let lines = write_whole(&args.out, |file| {
        let is_watched = std::io::stderr().is_terminal();
        let exported = books::export_jsonl(place, file, &mut |lines| {
            if is_watched {
                // Nobody misses a line of progress.
                drop(write!(std::io::stderr().lock(), "\r{lines} lines"));
            }
        });
        if is_watched {
            say_error("");
        }
        exported.map_err(export_failed)
    })?;
    if args.json {
        return say(&json!({"out": args.out.display().to_string(), "format": "jsonl", "lines": lines}).to_string());
    }
    say(&format!("{lines} lines in {}", args.out.display()))
}

fn export_failed(error: ExportError) -> Failure {
    let exit = match &error {
        ExportError::Store(_) => Exit::Database,
        ExportError::Write(_) => Exit::Refused,
        ExportError::Damaged(_) => Exit::Damaged,
    };
    Failure::new(exit, error)
}

/// Makes the file at `path` whole or not at all: what `write` writes goes to another name first.
fn write_whole<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Refused, format!("`{}`: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".tollgate-export-").tempfile_in(folder).map_err(failed)?;
    let mut buffered = BufWriter::with_capacity(1024 * 1024, &mut file);
    let done = write(&mut buffered)?;
    buffered.flush().map_err(failed)?;
    drop(buffered);
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path).map_err(|error| failed(error.error))?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(done)
}
