//! Tollgate itself: built from this checkout in the profile of this program, started on a fresh database in the target
//! folder, asked for its settings, stopped, and its books compared with what the upstream counted.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    books::{self, Split},
    driver::{Caller, Extent, Plan},
    failure::{Context as _, Failure, Outcome},
    machine, nginx, note,
    process::{self, Process},
    report::{Books, DatabaseSettings},
    workspace::{self, Target},
};

/// Partners of the catalog, each with a token, a wallet and an end user of its own.
const PARTNERS: usize = 1_000;

/// HTTP worker threads, as many as the bare proxy has.
const WORKERS: usize = 2;

/// What a call moves: 0.25 credits, of which the publisher gets 80 %, the partner 5 % and the platform the rest.
pub(crate) const SPLIT: Split = Split { publisher: 200_000, partner: 12_500, platform: 37_500 };

/// What the callers of the gateway show.
const GATEWAY_TOKEN: &str = "load-gateway-not-a-secret";

/// The core tool that costs nothing.
const FREE_TOOL: &str = "free_echo";

/// The database's file in its folder.
const DATABASE: &str = "tollgate.db";

/// How long a start may take, the first migration and the import of the catalog included.
const READY_S_MAX: u64 = 60;

/// Builds `tollgate` in the profile and target folder of this program, and returns the path that cargo reports.
pub(crate) fn build() -> Outcome<PathBuf> {
    let target = Target::of_this_program()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace::root()?);
    // With this package selected, too, the dependencies are built once for both programs.
    cargo.args(["build", "-p", "server", "-p", "benches", "--bin", "tollgate"]);
    cargo.arg("--message-format=json-render-diagnostics");
    cargo.args(["--profile", if target.profile == "debug" { "dev" } else { &target.profile }]);
    cargo.arg("--target-dir").arg(&target.folder);
    cargo.stderr(Stdio::inherit());
    let output = cargo.output().context(|| "cannot run cargo".to_owned())?;
    if !output.status.success() {
        return Err(Failure::new(format!("cargo could not build tollgate ({})", output.status)));
    }
    find_executable(&output.stdout).ok_or_else(|| Failure::new("cargo did not report where it put tollgate"))
}

fn find_executable(messages: &[u8]) -> Option<PathBuf> {
    messages.split(|byte| *byte == b'\n').find_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        let is_ours = message.pointer("/target/name").and_then(Value::as_str) == Some("tollgate");
        let executable = message.get("executable").and_then(Value::as_str)?;
        is_ours.then(|| PathBuf::from(executable))
    })
}

/// The plan that all sides get: the same callers, headers, path and body.
pub(crate) fn plan(addresses: Vec<SocketAddr>, callers: u32, extent: Extent) -> Plan {
    let identity = |partner| Caller { token: token_of(partner), end_user: Some(format!("end-user-{partner:04}")) };
    Plan {
        addresses,
        path: "/invoke/bench/echo".to_owned(),
        callers: (0..PARTNERS).map(identity).collect(),
        body: json!({ "arguments": arguments() }),
        key_prefix: None,
        connections: usize::try_from(callers).unwrap_or(usize::MAX),
        extent,
    }
}

/// The plan for the free tool of the gateway.
pub(crate) fn gateway_plan(address: SocketAddr, callers: u32, extent: Extent) -> Plan {
    Plan {
        path: "/tools/invoke".to_owned(),
        callers: vec![Caller { token: GATEWAY_TOKEN.to_owned(), end_user: None }],
        body: json!({ "tool": FREE_TOOL, "args": arguments() }),
        ..plan(vec![address], callers, extent)
    }
}

fn arguments() -> Value {
    json!({ "text": "hello", "times": 3 })
}

/// As long as a real one.
fn token_of(partner: usize) -> String {
    format!("faro_partner_load{partner:04}-not-a-secret-0123456789abcdefghijklmnopqr")
}

/// The limits of a run: one on every token.
fn usual_caps() -> Value {
    json!([{ "per": "token", "window": "day", "credits": 1_000_000 }])
}

/// The configuration of a run: the full paid call of `benches/README.md`, with these limits on every partner.
fn configuration(address: SocketAddr, site: &Site, upstream: SocketAddr, caps: &Value) -> Value {
    let partners: Vec<Value> = (0..PARTNERS)
        .map(|partner| {
            json!({
                "name": format!("Partner {partner:04}"),
                "token": token_of(partner),
                "margin_bps": 500,
                "funding": "partner",
                "grant_credits": 10_000_000,
                "caps": caps,
            })
        })
        .collect();
    let schema = json!({
        "type": "object",
        "properties": {
            "text": { "type": "string", "minLength": 1, "maxLength": 200 },
            "times": { "type": "integer", "minimum": 1, "maximum": 100 },
        },
        "required": ["text"],
        "additionalProperties": false,
    });
    let tool = json!({
        "name": "echo",
        "short_description": "Gives back what it got",
        "input_schema": schema,
        "upstream": { "kind": "http", "method": "POST", "url": format!("http://{upstream}/echo") },
        "pricing": { "pricing_mode": "fixed_per_request", "fixed_credit_cost": 0.25, "charge_on": "success" },
    });
    let mut free = tool.clone();
    if let Some(members) = free.as_object_mut() {
        members.insert("name".to_owned(), FREE_TOOL.into());
        members.remove("pricing");
    }
    json!({
        "server": { "bind": address.to_string(), "public_url": format!("http://{address}"), "workers": WORKERS },
        "database": { "url": site.database_url },
        "mail": { "transport": "file", "dir": site.folder.join("mail") },
        "allow_fixture_secrets": true,
        "egress": { "allow_hosts": [upstream.to_string()] },
        "gateway": { "auth": { "mode": "token", "token": GATEWAY_TOKEN } },
        "catalog": {
            "core_tools": [free],
            "publishers": [{
                "id": "bench",
                "display_name": "Bench",
                "share_bps": 8000,
                "namespaces": [{ "name": "bench", "description": "Measured tools", "tools": [tool] }],
            }],
            "partners": partners,
        },
    })
}

/// The configuration of a start without a catalog.
fn plain_configuration(address: SocketAddr, site: &Site) -> Value {
    json!({
        "server": { "bind": address.to_string(), "public_url": format!("http://{address}") },
        "database": { "url": site.database_url },
        "limits": { "discovery_per_caller_per_s": 1_000_000 },
        "mail": { "transport": "file", "dir": site.folder.join("mail") },
    })
}

/// Where an installation lives: the folder of its files, and its database.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    folder: PathBuf,
    database_url: String,
}

impl Site {
    /// With an SQLite file in `folder`.
    pub(crate) fn with_sqlite(folder: PathBuf) -> Self {
        let database_url = format!("sqlite://{}", folder.join(DATABASE).display());
        Self { folder, database_url }
    }

    /// With a database that is elsewhere: on a PostgreSQL server, of which several may share a site, or in a file.
    pub(crate) fn with_database(folder: PathBuf, database_url: String) -> Self {
        Self { folder, database_url }
    }

    /// The database as configured.
    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }
}

/// A configuration file and the program that reads it: runs commands, beside a running server or after it.
#[derive(Debug)]
pub(crate) struct Installation {
    program: PathBuf,
    site: Site,
    /// Tells the files of servers that share a site apart.
    name: &'static str,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Tollgate {
    process: Process,
    address: SocketAddr,
    ready_after: Duration,
    installation: Installation,
}

impl Tollgate {
    /// Starts a server with the measured catalog.
    pub(crate) fn start(program: &Path, site: &Site, upstream: SocketAddr) -> Outcome<Self> {
        let address = nginx::free_address()?;
        Self::start_with(program, site, "tollgate", address, &configuration(address, site, upstream, &usual_caps()))
    }

    /// Starts a second server with the measured catalog on the database of the first.
    pub(crate) fn start_second(program: &Path, site: &Site, upstream: SocketAddr) -> Outcome<Self> {
        let address = nginx::free_address()?;
        Self::start_with(program, site, "second", address, &configuration(address, site, upstream, &usual_caps()))
    }

    /// Starts a server with the measured catalog and these limits on every partner.
    pub(crate) fn start_limited(program: &Path, site: &Site, upstream: SocketAddr, caps: &Value) -> Outcome<Self> {
        let address = nginx::free_address()?;
        Self::start_with(program, site, "tollgate", address, &configuration(address, site, upstream, caps))
    }

    /// Starts a server without a catalog.
    pub(crate) fn start_plain(program: &Path, site: &Site) -> Outcome<Self> {
        let address = nginx::free_address()?;
        Self::start_with(program, site, "tollgate", address, &plain_configuration(address, site))
    }

    /// The same, with a log of what `filter` asks for (in the form of `RUST_LOG`) and of nothing before.
    pub(crate) fn start_logging(program: &Path, site: &Site, filter: &str) -> Outcome<Self> {
        let address = nginx::free_address()?;
        let configuration = plain_configuration(address, site);
        Self::start_as(program, site, "logging", address, &configuration, Some(filter))
    }

    fn start_with(
        program: &Path,
        site: &Site,
        name: &'static str,
        address: SocketAddr,
        configuration: &Value,
    ) -> Outcome<Self> {
        Self::start_as(program, site, name, address, configuration, None)
    }

    fn start_as(
        program: &Path,
        site: &Site,
        name: &'static str,
        address: SocketAddr,
        configuration: &Value,
        filter: Option<&str>,
    ) -> Outcome<Self> {
        let installation = Installation { program: program.to_owned(), site: site.clone(), name };
        std::fs::write(installation.file(), serde_json::to_string_pretty(configuration)?)?;
        let log = File::options().create(true).append(true).open(installation.log())?;
        let mut command = installation.command(&["serve"]);
        command.stdout(log.try_clone()?).stderr(log);
        if let Some(filter) = filter {
            command.env("RUST_LOG", filter);
        }
        let mut process = Process::start("tollgate", command)?;
        let ready_after = process::wait_ready(&mut process, address, "/readyz", Duration::from_secs(READY_S_MAX))
            .map_err(|failure| installation.explain(&failure))?;
        Ok(Self { process, address, ready_after, installation })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// For commands beside it.
    pub(crate) const fn installation(&self) -> &Installation {
        &self.installation
    }

    /// From the start of the process to the first 200 of `/readyz`.
    pub(crate) fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Resident memory in KiB, where the system tells.
    pub(crate) fn find_resident_kib(&self) -> Option<u64> {
        machine::find_kib(&format!("/proc/{}/status", self.process.pid()), "VmRSS")
    }

    /// Reads the database's settings back; fails unless an answered call survives a power cut.
    pub(crate) fn check_durable(&self) -> Outcome<DatabaseSettings> {
        let found = self.installation.run_json(&["doctor", "--json"])?;
        let text = |name: &str| {
            let value = found.pointer(&format!("/database/{name}")).and_then(Value::as_str);
            let value = value.ok_or_else(|| Failure::new(format!("`tollgate doctor --json` has no `database.{name}`")));
            value.map(str::to_lowercase)
        };
        let settings = DatabaseSettings { journal_mode: text("journal_mode")?, synchronous: text("synchronous")? };
        if settings.journal_mode == "wal" && settings.synchronous == "full" {
            Ok(settings)
        } else {
            Err(Failure::new(format!("the database is not durable before the answer: {settings:?}")))
        }
    }

    /// Puts the end of the server's log behind a failure.
    pub(crate) fn explain(&self, failure: &Failure) -> Failure {
        self.installation.explain(failure)
    }

    /// Asks the server to end, waits until it has, and leaves its files to be looked at.
    pub(crate) fn stop(self) -> Outcome<Installation> {
        let Self { process, installation, address: _, ready_after: _ } = self;
        let status = process.stop()?;
        if status.success() {
            Ok(installation)
        } else {
            Err(installation.explain(&Failure::new(format!("tollgate did not stop cleanly ({status})"))))
        }
    }
}

impl Installation {
    /// The file of an SQLite database.
    pub(crate) fn database_path(&self) -> PathBuf {
        self.site.folder.join(DATABASE)
    }

    /// The database as configured.
    pub(crate) fn database_url(&self) -> &str {
        &self.site.database_url
    }

    fn file(&self) -> PathBuf {
        self.site.folder.join(format!("{}.json5", self.name))
    }

    fn log(&self) -> PathBuf {
        self.site.folder.join(format!("{}.log", self.name))
    }

    /// A command of the program.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        const OURS: [&str; 4] = ["TOLLGATE_", "FASED_", "ZERO_", "OPENCLAW_"];
        let mut command = process::command(&self.program);
        command.args(arguments).arg("--config").arg(self.file()).current_dir(&self.site.folder);
        // what the person at the terminal has set for another Tollgate must not reach this one
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| OURS.iter().any(|prefix| name.starts_with(prefix))) {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command that prints one JSON object.
    pub(crate) fn run_json(&self, arguments: &[&str]) -> Outcome<Value> {
        let name = arguments.join(" ");
        let output = self.command(arguments).stdin(Stdio::null()).output().context(|| format!("tollgate {name}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("`tollgate {name}` ended with {}: {text}{errors}", output.status)));
        }
        serde_json::from_str(&text).context(|| format!("`tollgate {name}` did not print one JSON object"))
    }

    /// Compares the trial balance with what the upstream received and with what the driver saw answered.
    pub(crate) fn check_books(&self, split: Split, at_upstream: u64, answered: u64) -> Outcome<Books> {
        let balance = self.run_json(&["ledger", "trial-balance", "--json"])?;
        let books = books::check(&balance, split, at_upstream, answered)?;
        note(&format!("books: {} calls charged, as the upstream counted", books.charged));
        Ok(books)
    }

    /// What its server has logged.
    pub(crate) fn read_log(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn explain(&self, failure: &Failure) -> Failure {
        let log = self.read_log();
        Failure::new(format!("{failure}\n--- the end of tollgate's log ---\n{}", process::last_lines(&log)))
    }
}

#[cfg(test)]
mod tests;
