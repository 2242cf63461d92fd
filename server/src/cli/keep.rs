//! `tollgate backup` and `tollgate restore`: the books as one file, made beside a running server, and back again.

use std::path::{Path, PathBuf};

use clap::Args;
use engine::{
    audit::Method,
    clock::SystemClock,
    store::{
        Database, DatabasePlace, StoreError, WriterLock,
        backup::{BooksCopy, CopyError},
        books::{self, VerifyReport},
    },
};
use serde_json::json;

use super::{Exit, Failure, Outcome, operate, say};
use crate::{
    app::{self, Engine, StartError},
    config::Config,
    operator::{self, Command},
};

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to make. Nothing is ever overwritten.
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The file that `tollgate backup` made. It becomes the configured database, where there must be none.
    backup: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn backup(args: &BackupArgs, config: &Config) -> Outcome {
    let path = file_of(config, "pg_dump --format=custom --file=OUT DATABASE")?;
    let copy = BooksCopy::of_database(&path, &args.out).map_err(|error| copy_failed(&error))?;
    let bytes = copy.size().map_err(|error| copy_failed(&error))?;
    let told = tell(config, &args.out, bytes)?;
    copy.finish().map_err(|error| copy_failed(&error))?;
    if args.json {
        return say(&json!({"backup": args.out.display().to_string(), "bytes": bytes, "audited": told}).to_string());
    }
    if !told {
        say("the database is of an older version, which has no audit trail: the backup is not told there")?;
    }
    say(&format!("{bytes} bytes in `{}`; the master key is not in it: keep that, too", args.out.display()))
}

/// Lets the audit trail tell of the backup. A database of an older version has none, and a backup does not change it.
fn tell(config: &Config, out: &Path, bytes: u64) -> Result<bool, Failure> {
    let has_trail = operate::runtime()?.block_on(async {
        let database = Database::open(config.database.url.expose()).await?;
        let pending = app::pending_migrations(&database).await;
        database.close().await?;
        Ok::<_, StartError>(pending?.is_empty())
    });
    if !has_trail.map_err(|error| Failure::new(Exit::Database, error))? {
        return Ok(false);
    }
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    operate::hand_over(&Command::BackupNoted { name, bytes }, config)?;
    Ok(true)
}

pub(super) fn restore(args: &RestoreArgs, config: &Config) -> Outcome {
    let path = file_of(config, "pg_restore --dbname=DATABASE BACKUP")?;
    if path.symlink_metadata().is_ok() {
        return Err(copy_failed(&CopyError::Exists(path)));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::new(Exit::Database, format!("`{}`: {error}", folder.display())))?;
    }
    // Nobody starts on the same name meanwhile.
    let lock = WriterLock::take(&path).map_err(|error| Failure::new(Exit::Database, error))?;
    let copy = BooksCopy::of_backup(&args.backup, &path).map_err(|error| copy_failed(&error))?;
    let report = take_over(config, &args.backup, copy.path())?;
    if !report.ok {
        for problem in &report.problems {
            super::say_error(&format!(
                "{}: {} {}: {}",
                problem.kind.as_str(),
                problem.table,
                problem.key,
                problem.text
            ));
        }
        let why = format!("the books in `{}` are damaged: nothing was restored", args.backup.display());
        return Err(Failure::new(Exit::Damaged, why));
    }
    let rows = books::trial_balance(copy.path()).map_err(|error| Failure::new(Exit::Damaged, error))?;
    copy.finish().map_err(|error| copy_failed(&error))?;
    drop(lock);
    let counts = &report.counts;
    if args.json {
        return say(&json!({
            "restored": path.display().to_string(),
            "postings": counts.postings,
            "transactions": counts.transactions,
            "accounts": rows.len(),
            "audit_rows": counts.audit_rows,
        })
        .to_string());
    }
    say(&format!(
        "`{}` is the database now: {} postings in {} transactions and {} accounts are in order",
        path.display(),
        counts.postings,
        counts.transactions,
        rows.len()
    ))?;
    say("it needs the master key that it was used with")
}

/// Brings the copy up to date, lets its audit trail tell where it comes from, and checks its books.
fn take_over(config: &Config, backup: &Path, copy: &Path) -> Result<VerifyReport, Failure> {
    let config = config.in_database(copy);
    let name = backup.file_name().unwrap_or_default().to_string_lossy().into_owned();
    operate::runtime()?.block_on(async {
        let Engine { services, writer, .. } = app::open_engine(&config).await.map_err(|error| unusable(&error))?;
        let by = operator::context(&services, Method::CommandLine);
        let told = services.record_restore(&by, &name).await;
        let closed = services.db.clone().close().await;
        drop(services);
        let ended = tokio::task::spawn_blocking(move || writer.join()).await;
        told.and(closed).map_err(|error| Failure::new(Exit::Database, error))?;
        match ended {
            Ok(Ok(())) => Ok(()),
            _ => Err(Failure::new(Exit::Database, "the ledger's writer ended in a panic")),
        }
    })?;
    books::verify(copy, &SystemClock::start()).map_err(|error| Failure::new(Exit::Damaged, error))
}

/// What cannot be opened is damaged, unless it is too new or the disk is full.
fn unusable(error: &StartError) -> Failure {
    let exit = match error {
        StartError::Store(StoreError::Inconsistent { .. }) => Exit::Damaged,
        _ => Exit::Database,
    };
    Failure::new(exit, format!("the backup cannot be used: {error}"))
}

fn copy_failed(error: &CopyError) -> Failure {
    let exit = if matches!(error, CopyError::Damaged(..)) { Exit::Damaged } else { Exit::Refused };
    Failure::new(exit, error)
}

/// The file of the database. A server has tools of its own, which know its roles, its replicas and its disks better.
fn file_of(config: &Config, instead: &str) -> Result<PathBuf, Failure> {
    match DatabasePlace::of(config.database.url.expose()) {
        Ok(DatabasePlace::File(path)) => Ok(path),
        Ok(DatabasePlace::Server(_)) => Err(Failure::new(
            Exit::Refused,
            format!(
                "the database is on a PostgreSQL server: use `{instead}` there, and `tollgate ledger verify` after a \
                 restore; docs/keeping.md says how"
            ),
        )),
        Err(error) => Err(Failure::new(Exit::Config, error)),
    }
}
