//! The checks, in the order in which a server needs what they look at.

use std::path::Path;

use engine::{
    policy::WrittenPolicy,
    service::Services,
    store::{Database, DatabasePlace, examine_server, writer},
};
use migrations::{Migrator, MigratorTrait as _};
use serde_json::{Value, json};

use super::{Level, Report, files};
use crate::{
    app,
    cli::{Exit, with_causes},
    config::{
        Config, ConfigSource, Environment, Loaded, MailTransport, load,
        master_key::{MasterKey, MasterKeyError, MasterKeyOrigin},
        tls::Certificates,
    },
    gateway::setup,
    importer, mail,
    master_key::sealing_keys,
    operator::{self, Command, SettingsView, socket},
};

/// Less free space than this, in bytes, and the database is about to stop: its log alone may grow by some 16 MiB.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;

const CONFIGURATION: &str = "configuration";
const MASTER_KEY: &str = "master_key";
const DATABASE: &str = "database";
const SERVER: &str = "server";
const TLS: &str = "tls";
const MAIL: &str = "mail";
const CATALOG: &str = "catalog";
const POLICY: &str = "policy";

/// Looks at everything.
pub(super) async fn examine(source: &ConfigSource, environment: &Environment) -> Report {
    let mut report = Report::default();
    report.facts.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    let loaded = match load(source, environment) {
        Ok(loaded) => loaded,
        Err(error) => {
            // Without it nothing else can be looked at.
            report.wrong(CONFIGURATION, Exit::Config, error);
            return report;
        }
    };
    configuration(&mut report, &loaded);
    let place = match DatabasePlace::of(loaded.config.database.url.expose()) {
        Ok(place) => place,
        Err(error) => {
            report.wrong(CONFIGURATION, Exit::Config, error);
            return report;
        }
    };
    let server = match place.file() {
        Some(path) => server(&mut report, path).await,
        None => None,
    };
    let key = master_key(&mut report, &loaded.config, environment);
    let is_readable = database(&mut report, &loaded.config, &place, server).await;
    tls(&mut report, &loaded.config);
    mail(&mut report, &loaded.config);
    if is_readable {
        match app::open_readers(&loaded.config).await {
            Ok(services) => {
                if let Some(key) = &key {
                    sealed(&mut report, key, &services).await;
                }
                catalog(&mut report, &loaded.config, &services).await;
                policy(&mut report, &loaded.config, &services).await;
            }
            Err(error) => report.wrong(CATALOG, Exit::Database, error),
        }
    }
    report
}

fn configuration(report: &mut Report, loaded: &Loaded) {
    let name = loaded.path.as_ref().map(|path| path.display().to_string());
    report.fact(CONFIGURATION, "path", name.clone());
    report.fact(CONFIGURATION, "unused_keys", loaded.unused_policy_keys.clone());
    report.find(CONFIGURATION, Level::Fine, name.unwrap_or_else(|| "the built-in defaults".to_owned()));
    for warning in &loaded.warnings {
        report.find(CONFIGURATION, Level::Note, warning);
    }
    for key in &loaded.unused_policy_keys {
        report.find(CONFIGURATION, Level::Note, format!("`{key}` is known and has no effect"));
    }
}

fn master_key(report: &mut Report, config: &Config, environment: &Environment) -> Option<MasterKey> {
    let path = config.database.master_key_path();
    match MasterKey::load(environment, &config.database) {
        Ok(key) => {
            let origin = match key.origin() {
                MasterKeyOrigin::Variable => "the environment".to_owned(),
                MasterKeyOrigin::File(path) | MasterKeyOrigin::NewFile(path) => path.display().to_string(),
            };
            report.fact(MASTER_KEY, "origin", origin.clone());
            report.find(MASTER_KEY, Level::Fine, format!("from {origin}"));
            return Some(key);
        }
        Err(MasterKeyError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            report.fact(MASTER_KEY, "origin", Value::Null);
            let text =
                format!("`{}` is not there: the next start makes one, which ends older sessions", path.display());
            report.find(MASTER_KEY, Level::Note, text);
        }
        Err(error) => report.wrong(MASTER_KEY, Exit::Config, error),
    }
    None
}

/// Whether the master key opens what is sealed.
async fn sealed(report: &mut Report, key: &MasterKey, services: &Services) {
    let keys = match sealing_keys(key) {
        Ok(keys) => keys,
        Err(error) => return report.wrong(MASTER_KEY, Exit::Config, error),
    };
    let surveys = match services.survey_sealed(&keys).await {
        Ok(surveys) => surveys,
        Err(error) => return report.wrong(MASTER_KEY, Exit::Database, error),
    };
    let facts: serde_json::Map<String, Value> = surveys
        .iter()
        .map(|survey| (survey.kind.as_str().to_owned(), json!({"opened": survey.opened, "not_opened": survey.closed})))
        .collect();
    report.fact(MASTER_KEY, "sealed", facts);
    for survey in surveys.iter().filter(|survey| survey.closed > 0) {
        let text = format!(
            "{} {} were sealed under another master key: run `tollgate master-key rotate --old-key-file FILE` with that one",
            survey.closed,
            survey.kind.words()
        );
        report.wrong(MASTER_KEY, Exit::Config, text);
    }
}

/// What the running server says of itself; `None` if there is none, or it says nothing.
async fn server(report: &mut Report, path: &Path) -> Option<SettingsView> {
    report.fact(SERVER, "socket", socket::path_of(path).ok().map(|path| path.display().to_string()));
    let answer = socket::ask(path, &Command::Settings).await;
    report.fact(SERVER, "running", answer.is_some());
    let view = match answer {
        None => {
            report.find(SERVER, Level::Fine, "none is running on this database");
            return None;
        }
        Some(Err(error)) => Err(error.to_string()),
        Some(Ok(done)) => serde_json::from_str(done.json.get()).map_err(|error| error.to_string()),
    };
    match &view {
        Ok(SettingsView { pid, version, .. }) if version != env!("CARGO_PKG_VERSION") => {
            report.find(SERVER, Level::Note, format!("process {pid} runs version {version}, this is another one"));
        }
        Ok(SettingsView { pid, .. }) => report.find(SERVER, Level::Fine, format!("process {pid} is running")),
        Err(error) => report.wrong(SERVER, Exit::Refused, error),
    }
    if let Ok(SettingsView { pid, version, .. }) = &view {
        report.fact(SERVER, "pid", *pid);
        report.fact(SERVER, "version", version.clone());
    }
    view.ok()
}

fn words(found: writer::WriterSettings) -> (String, String) {
    (found.journal_mode, found.synchronous.to_owned())
}

/// Says whether its tables can be read.
async fn database(report: &mut Report, config: &Config, place: &DatabasePlace, server: Option<SettingsView>) -> bool {
    if let Some(path) = place.file() {
        report.fact(DATABASE, "path", path.display().to_string());
        if !database_file(report, path) {
            return false;
        }
    }
    if let DatabasePlace::Server(url) = place {
        match examine_server(url).await {
            Ok(None) => {}
            Ok(Some(rights)) => report.find(DATABASE, Level::Note, rights.to_string()),
            Err(error) => {
                report.wrong(DATABASE, Exit::Database, error);
                return false;
            }
        }
    }
    // A running server's writer speaks for itself; else a connection like the one that it would open.
    let settings = match (server, place) {
        (Some(view), _) => Ok((view.journal_mode, view.synchronous)),
        (None, DatabasePlace::File(path)) => writer::settings_of(path).map(words),
        (None, DatabasePlace::Server(url)) => writer::settings_of_postgres(url).await.map(words),
    };
    match settings {
        Ok((journal_mode, synchronous)) => {
            report.fact(DATABASE, "journal_mode", journal_mode.clone());
            report.fact(DATABASE, "synchronous", synchronous.clone());
            let text = format!("journal_mode {journal_mode}, synchronous {synchronous}");
            if (journal_mode.as_str(), synchronous.as_str()) == ("wal", "full") {
                report.find(DATABASE, Level::Fine, text);
            } else {
                let text = format!("{text}: what was answered may not survive a power cut");
                report.wrong(DATABASE, Exit::Database, text);
            }
        }
        Err(error) => {
            report.wrong(DATABASE, Exit::Database, error);
            return false;
        }
    }
    schema(report, config).await
}

/// Says whether there is one that can be opened.
fn database_file(report: &mut Report, path: &Path) -> bool {
    let folder = files::existing_folder(path);
    match files::free_bytes(folder) {
        Ok(free) => {
            report.fact(DATABASE, "free_bytes", free);
            if free < FREE_BYTES_MIN {
                report.wrong(DATABASE, Exit::Database, format!("only {free} bytes are free in `{}`", folder.display()));
            }
        }
        Err(error) => report.wrong(DATABASE, Exit::Database, format!("`{}`: {error}", folder.display())),
    }
    if let Err(error) = files::check_folder(folder) {
        report.wrong(DATABASE, Exit::Database, format!("no file can be made in `{}`: {error}", folder.display()));
    }
    let found = match files::metadata(path) {
        Ok(found) => found,
        Err(error) => {
            report.wrong(DATABASE, Exit::Database, format!("`{}`: {error}", path.display()));
            return false;
        }
    };
    report.fact(DATABASE, "exists", found.is_some());
    let Some(found) = found else {
        report.find(DATABASE, Level::Note, format!("the first start makes `{}`", path.display()));
        return false;
    };
    if !found.is_file() {
        report.wrong(DATABASE, Exit::Database, format!("`{}` is not a file", path.display()));
        return false;
    }
    let mode = files::mode(&found);
    report.fact(DATABASE, "mode", format!("{mode:04o}"));
    report.fact(DATABASE, "bytes", found.len());
    report.find(DATABASE, Level::Fine, format!("`{}`, {} bytes", path.display(), found.len()));
    if mode & 0o022 != 0 {
        let text = format!("other users may write to `{}` (mode {mode:04o}): take that from them", path.display());
        report.wrong(DATABASE, Exit::Database, text);
    } else if mode & 0o044 != 0 {
        report.find(DATABASE, Level::Note, format!("other users may read `{}` (mode {mode:04o})", path.display()));
    }
    if let Err(error) = files::check_file(path) {
        report.wrong(DATABASE, Exit::Database, format!("`{}` cannot be written: {error}", path.display()));
    }
    true
}

async fn schema(report: &mut Report, config: &Config) -> bool {
    let pending = match Database::open(config.database.url.expose()).await {
        Ok(database) => app::pending_migrations(&database).await,
        Err(error) => Err(error.into()),
    };
    let pending = match pending {
        Ok(pending) => pending,
        Err(error) => {
            report.wrong(DATABASE, Exit::Database, error);
            return false;
        }
    };
    let newest = Migrator::migrations().last().map(|migration| migration.name().to_owned());
    report.fact(DATABASE, "schema", json!({"newest": newest, "pending": pending}));
    if pending.is_empty() {
        report.find(DATABASE, Level::Fine, format!("schema {}", newest.unwrap_or_default()));
        return true;
    }
    report.find(DATABASE, Level::Note, format!("the next start brings the schema up to date: {}", pending.join(", ")));
    false
}

fn tls(report: &mut Report, config: &Config) {
    let Some(tls) = &config.server.tls else {
        report.fact(TLS, "configured", false);
        return;
    };
    report.fact(TLS, "configured", true);
    match Certificates::load(tls.clone()).and_then(|certificates| certificates.server_config().map(drop)) {
        Ok(()) => report.find(TLS, Level::Fine, format!("`{}` and `{}`", tls.cert.display(), tls.key.display())),
        Err(error) => report.wrong(TLS, Exit::Config, with_causes(&error)),
    }
    if let Ok(Some(found)) = files::metadata(&tls.key)
        && files::mode(&found) & 0o044 != 0
    {
        let text = format!("other users may read `{}` (mode {:04o})", tls.key.display(), files::mode(&found));
        report.find(TLS, Level::Note, text);
    }
}

fn mail(report: &mut Report, config: &Config) {
    if let Err(error) = mail::Transport::new(&config.mail, "http://localhost") {
        report.wrong(MAIL, Exit::Config, error);
        return;
    }
    match &config.mail.transport {
        MailTransport::Smtp { .. } => {
            report.fact(MAIL, "transport", "smtp");
            report.find(MAIL, Level::Fine, "handed to a mail server, which was not asked");
        }
        MailTransport::File { dir } => {
            report.fact(MAIL, "transport", "file");
            report.fact(MAIL, "dir", dir.display().to_string());
            let folder = if dir.is_dir() { dir } else { files::existing_folder(dir) };
            if dir.exists() && !dir.is_dir() {
                report.wrong(MAIL, Exit::Refused, format!("`{}` is not a folder", dir.display()));
            } else if let Err(error) = files::check_folder(folder) {
                report.wrong(MAIL, Exit::Refused, format!("no file can be made in `{}`: {error}", folder.display()));
            } else {
                report.find(MAIL, Level::Fine, format!("written to `{}`", dir.display()));
            }
        }
    }
}

/// What `apply --plan` would say.
async fn catalog(report: &mut Report, config: &Config, services: &Services) {
    let declared = match importer::declared(&config.catalog) {
        Ok(declared) => declared,
        Err(error) => return report.wrong(CATALOG, Exit::Config, error),
    };
    let changes = match services.plan_import(&declared).await {
        Ok(changes) => changes,
        Err(error) => {
            let not_done = operator::catalog::import_refused(error);
            return report.wrong(CATALOG, not_done.exit, not_done);
        }
    };
    let listed: Vec<Value> =
        changes.iter().map(|change| json!({"item": change.item, "change": operator::catalog::word(change)})).collect();
    report.fact(CATALOG, "differences", listed);
    if changes.is_empty() {
        report.find(CATALOG, Level::Fine, "the database has what the file declares");
    }
    for change in &changes {
        let what = format!("`apply` would {} {}", operator::catalog::word(change), change.item);
        report.find(CATALOG, Level::Note, what);
    }
}

/// Whether the file's policy is the one in force, and whether that one can be used.
async fn policy(report: &mut Report, config: &Config, services: &Services) {
    let written = setup::written_policy(config);
    let found = match services.find_published_policy().await {
        Ok(found) => found,
        Err(error) => return report.wrong(POLICY, Exit::Database, error),
    };
    report.fact(POLICY, "published", found.as_ref().map(|(version, _)| version.number));
    let Some((version, published)) = found else {
        report.find(POLICY, Level::Note, "the first start publishes the file's policy as a version");
        return can_be_used(report, services, &written, "the file's policy").await;
    };
    let differs = written.to_value() != published.to_value();
    report.fact(POLICY, "differs", differs);
    let (number, author) = (version.number, &version.author);
    if differs {
        let text = format!("the file's policy is not the one in force, which is version {number} by `{author}`");
        report.find(POLICY, Level::Note, text);
        can_be_used(report, services, &written, "the file's policy").await;
    } else {
        report.find(POLICY, Level::Fine, format!("version {number} by `{author}` is in force, as the file has it"));
    }
    can_be_used(report, services, &published, &format!("version {number}")).await;
}

async fn can_be_used(report: &mut Report, services: &Services, policy: &WrittenPolicy, what: &str) {
    if let Err(error) = services.compile_policy(policy).await {
        report.wrong(POLICY, Exit::Config, format!("{what} cannot be used: {error}"));
    }
}
