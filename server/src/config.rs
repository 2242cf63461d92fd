//! The configuration: `tollgate.json5`, the environment over it, and the keys that come from files.
//!
//! ```text
//! text ──engine::document::written + tree──► positioned tree ──overlay──► overrides, ${NAME} ──reader──► typed sections
//! ```
//!
//! **Why a tree of our own.** Deserialising straight into structs would be shorter, but the crate `json5` hands
//! numbers to serde as `f64`, and an amount of money must never be one: `0.1` credits is `0.1`, and more than six
//! decimals are refused, which only the text of the number can tell. It also keeps the last of two equal keys, and
//! after parsing no value knows its position. So the crate stays the judge of what is JSON5 (and decodes every
//! string), and a small tree keeps structure, number texts and positions (see `config/tree.rs`). Typed sections are
//! read from that tree by hand, so that one run reports every problem, each with its line and column.
//!
//! **Order.** The file is read; `TOLLGATE_SECTION__KEY` variables replace values; `${NAME}` in the file's strings is
//! filled in (values of overrides are taken as they are); sections are read and checked; the dialect's own variables
//! (`FASED_GATEWAY_TOKEN` …) fill in what `gateway.auth` leaves open.
//!
//! **Adding a key.** Ask for it in its section's `read`, add the field with its documentation, and a row to
//! `docs/configuration.md`: a test compares the two.

pub mod catalog;
mod database;
mod egress;
mod environment;
mod error;
mod fingerprint;
mod gateway;
mod ledger;
mod limits;
mod mail;
pub mod master_key;
mod metrics;
mod number;
mod overlay;
mod payloads;
mod payments;
mod policy;
mod policy_file;
mod reader;
mod server;
pub mod tls;
mod tree;
mod values;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

pub use self::{
    catalog::{
        AccountItem, CapItem, CapScope, CapWindow, Catalog, ChargeOn, Funding, HttpMethod, NamespaceItem, PartnerItem,
        PricingItem, PricingMode, PublisherItem, Tier, TokenItem, ToolItem, UpstreamItem,
    },
    database::{Database, DatabaseKind},
    egress::{AllowedHost, Egress},
    environment::Environment,
    error::{ConfigError, Place, Position, Problem},
    gateway::{AuthMode, Billing, Dialect, Gateway, GatewayAuth, PolicySource, RateLimit, TrustedProxy},
    ledger::Ledger,
    limits::Limits,
    mail::{Mail, MailTransport},
    metrics::Metrics,
    payloads::Payloads,
    payments::{PaymentProvider, Payments},
    policy::Policy,
    policy_file::PolicyFile,
    server::{Server, TlsFiles},
    values::{Amount, ConnectionUrl},
};
use self::{reader::Reader, tree::Node};
use secrecy::SecretString;
use serde_json::Value as Json;

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "tollgate.json5";

/// The largest configuration file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Where the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigSource {
    /// This file, which must be there (`--config FILE`).
    File(PathBuf),
    /// `tollgate.json5` in this folder if it is there, else the built-in defaults.
    Folder(PathBuf),
    /// This text, under a name for messages; for the demo and for tests.
    Text {
        /// What messages call it.
        name: String,
        /// JSON5.
        text: String,
    },
}

impl ConfigSource {
    /// What the command line means: `--config FILE`, else `./tollgate.json5` or the defaults.
    pub fn from_option(file: Option<PathBuf>) -> Self {
        file.map_or_else(|| Self::Folder(PathBuf::from(".")), Self::File)
    }
}

/// Everything that is configured, with defaults where the file says nothing.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where we listen.
    pub server: Server,
    /// Where the books are.
    pub database: Database,
    /// How the books are vouched for.
    pub ledger: Ledger,
    /// How messages leave.
    pub mail: Mail,
    /// The agent gateway.
    pub gateway: Gateway,
    /// `session`, `tools`, `agents` and `channels` as JSON.
    pub policy: Policy,
    /// What is declared.
    pub catalog: Catalog,
    /// Which upstream addresses may be called.
    pub egress: Egress,
    /// How much one caller may ask for.
    pub limits: Limits,
    /// What calls carried, and how long it is kept.
    pub payloads: Payloads,
    /// How credits are bought.
    pub payments: Payments,
    /// Whether `/metrics` is served.
    pub metrics: Metrics,
    /// Whether fixed tokens and passwords are accepted in the catalog.
    pub allow_fixture_secrets: bool,
}

/// A configuration that was accepted.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it was read from; none for the built-in defaults.
    pub path: Option<PathBuf>,
    /// What is allowed but should be known, one line each; for the log at start and for `doctor`.
    pub warnings: Vec<String>,
    /// Keys that the dialects know and that do nothing here, for `doctor`.
    pub unused_policy_keys: Vec<String>,
    /// The catalog by itself, as a configuration without variables: what a running server is handed to import.
    pub catalog_text: SecretString,
}

/// Reads and checks the configuration.
///
/// # Errors
/// Everything that is wrong: a file that cannot be read, is too large, is not JSON5 or is nested too deeply; unknown
/// and duplicate keys, wrong types, values out of range, settings that contradict one another, overrides that match
/// no key, and unset variables.
pub fn load(source: &ConfigSource, environment: &Environment) -> Result<Loaded, ConfigError> {
    match source {
        ConfigSource::Text { name, text } => load_text(name, text, None, environment),
        ConfigSource::File(path) => load_file(path, environment),
        ConfigSource::Folder(folder) => {
            let path = if folder == Path::new(".") { PathBuf::from(DEFAULT_FILE) } else { folder.join(DEFAULT_FILE) };
            match path.try_exists() {
                Ok(false) => interpret(DEFAULT_FILE, Node::empty_object(), None, environment),
                // a file that may be there but cannot be looked at must not be passed over in silence
                Ok(true) | Err(_) => load_file(&path, environment),
            }
        }
    }
}

fn load_file(path: &Path, environment: &Environment) -> Result<Loaded, ConfigError> {
    let (name, text) = read_text(path)?;
    load_text(&name, &text, Some(path), environment)
}

/// The file's name for messages, and its text.
fn read_text(path: &Path) -> Result<(String, String), ConfigError> {
    let name = path.display().to_string();
    let refuse = |text: String| ConfigError::new(name.clone(), vec![Problem::new(Place::Whole, text)]);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes));
    match read {
        Ok(length) if u64::try_from(length).is_ok_and(|length| length <= FILE_BYTES_MAX) => {}
        Ok(_) => return Err(refuse(format!("the file is larger than {FILE_BYTES_MAX} bytes"))),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(refuse("there is no such file".to_owned())),
        Err(error) => return Err(refuse(format!("the file cannot be read: {error}"))),
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        refuse(format!("the file is not UTF-8 text from byte {valid} on"))
    })?;
    Ok((name, text))
}

fn load_text(name: &str, text: &str, path: Option<&Path>, environment: &Environment) -> Result<Loaded, ConfigError> {
    let root = tree::parse(text).map_err(|problems| ConfigError::new(name, problems))?;
    interpret(name, root, path, environment)
}

fn interpret(
    name: &str,
    mut root: Node,
    path: Option<&Path>,
    environment: &Environment,
) -> Result<Loaded, ConfigError> {
    let mut problems = Vec::new();
    overlay::apply_overrides(&mut root, environment, &mut problems);
    overlay::substitute(&mut root, environment, &mut problems);
    let reader = Reader::new(environment);
    let config = reader.read_root(&root, Config::read);
    let findings = reader.finish();
    let catalog_text = SecretString::from(tree::catalog_text(&root));
    problems.extend(findings.problems);
    match config {
        Some(config) if problems.is_empty() => Ok(Loaded {
            config,
            path: path.map(Path::to_owned),
            warnings: findings.warnings,
            unused_policy_keys: findings.unused,
            catalog_text,
        }),
        _ => {
            problems.sort_by_key(|problem| match &problem.place {
                Place::Whole => (0, None),
                Place::File(position) => (1, Some(*position)),
                Place::Variable(_) => (2, None),
            });
            Err(ConfigError::new(name, problems))
        }
    }
}

/// A price by itself: an object with the keys of `pricing` of a tool, or a number of credits for every call.
///
/// # Errors
/// It makes no sense; every problem of it.
pub fn read_price(text: &str) -> Result<PricingItem, ConfigError> {
    const NAME: &str = "price";
    let is_object = text.trim_start().starts_with('{');
    let credits = Json::from(text.trim());
    let fixed = format!("{{pricing_mode: 'fixed_per_request', fixed_credit_cost: {credits}}}");
    let root =
        tree::parse(if is_object { text } else { &fixed }).map_err(|problems| ConfigError::new(NAME, problems))?;
    let environment = Environment::default();
    let reader = Reader::new(&environment);
    let item = reader.read_root(&root, PricingItem::read).flatten();
    let problems = reader.finish().problems;
    match item {
        Some(item) if problems.is_empty() => Ok(item),
        _ => Err(ConfigError::new(NAME, problems)),
    }
}

/// Every key that exists, as paths such as `server.tls.cert` and `catalog.accounts[].tokens[].name`.
///
/// Names below `session`, `tools`, `agents` and `channels` are listed one level deep: what lies deeper belongs to the
/// policy compiler.
pub fn list_keys() -> BTreeSet<String> {
    let environment = Environment::default();
    let root = Node::empty_object();
    let reader = Reader::listing(&environment);
    let defaults = reader.read_root(&root, Config::read);
    drop(defaults);
    reader.finish().listed
}

impl Config {
    /// The same over another SQLite file.
    #[must_use]
    pub fn in_database(&self, path: &Path) -> Self {
        Self { database: Database::of_file(path), ..self.clone() }
    }

    fn read(root: &mut reader::Fields<'_>) -> Self {
        let allow_fixture_secrets = root.flag("allow_fixture_secrets", false);
        let server = root.section("server", Server::read);
        let database = root.section("database", Database::read);
        let mail = root.section("mail", Mail::read);
        if server.is_public() && matches!(mail.transport, MailTransport::File { .. }) {
            root.reader.warn("`mail.transport` is `file`: nobody outside this machine gets a mail");
        }
        let is_public = server.is_public();
        Self {
            server,
            database,
            ledger: root.section("ledger", Ledger::read),
            mail,
            gateway: root.section("gateway", Gateway::read),
            policy: Policy::read(root),
            catalog: root.section("catalog", |fields| Catalog::read(fields, allow_fixture_secrets)),
            egress: root.section("egress", Egress::read),
            limits: root.section("limits", Limits::read),
            payloads: root.section("payloads", Payloads::read),
            payments: root.section("payments", Payments::read),
            metrics: root.section("metrics", |fields| Metrics::read(fields, is_public)),
            allow_fixture_secrets,
        }
    }
}
