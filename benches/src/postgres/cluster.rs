//! A PostgreSQL cluster made from the installed server's programs: below the target folder, so on a disk, with every
//! commit flushed, with the server's own defaults for everything that decides how fast it is.

use std::{
    fs::Permissions,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    net::SocketAddr,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    failure::{Context as _, Failure, Outcome},
    nginx,
    process::{self, Process},
    report::PostgresSettings,
    workspace::RunFolder,
};

/// Where Debian and Ubuntu keep the servers, a folder for each major version.
const SERVERS: &str = "/usr/lib/postgresql";

/// The oldest version that the program is made for.
const VERSION_MIN: u32 = 15;

/// Who may do everything in the cluster.
const SUPERUSER: &str = "postgres";

/// Who owns the databases that are measured: no superuser, as an operator would have it.
const OWNER: &str = "tollgate";

/// How long a start may take.
const READY_S_MAX: u64 = 30;

/// What a run needs to differ from the server's defaults; how a commit is written is said although it is the default.
const SETTINGS: [&str; 8] = [
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "password_encryption=scram-sha-256",
    "log_min_messages=warning",
];

/// Runs the server (its command line are the arguments) until it is told to end (SIGTERM) or standard input closes,
/// because we have ended in whatever way; then the server's sessions are cut off and its files left in good order.
const KEEPER: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
trap 'kill -s INT "$server"' TERM
{ read -r _ <&3; kill -s TERM $$; } >/dev/null 2>&1 &
watch=$!
wait "$server" || wait "$server"
status=$?
kill "$watch" 2>/dev/null
exit "$status"
"#;

/// The programs of one installed version.
#[derive(Debug)]
struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
    psql: PathBuf,
    pgbench: PathBuf,
}

/// A running server with nothing in it. Stopped when dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    process: Process,
    programs: Programs,
    folder: PathBuf,
    address: SocketAddr,
    password: String,
}

impl Cluster {
    /// Makes and starts one in a folder of this name; `None` where PostgreSQL is not installed.
    pub(crate) fn start(run: &RunFolder, name: &str) -> Outcome<Option<Self>> {
        let Some(programs) = find_programs() else { return Ok(None) };
        let folder = run.subfolder(name)?;
        let user = other_user(&folder)?;
        if user.is_some() {
            // the server's user has to get to its folder, and to nothing else
            std::fs::set_permissions(run.path(), Permissions::from_mode(0o711))?;
        }
        let password = draw_secret();
        initialise(&programs.initdb, &folder, user, &password)?;
        let address = nginx::free_address()?;
        let log = std::fs::File::create(folder.join("postgres.log"))?;
        let mut command = as_user(process::command("/bin/sh"), &folder, user);
        command.args(["-c", KEEPER, "keeper"]).arg(&programs.postgres);
        command.args(["-D", "data", "-c", &format!("port={}", address.port())]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.stdout(log.try_clone()?).stderr(log);
        let process = Process::start("PostgreSQL", command)?;
        let mut cluster = Self { process, programs, folder, address, password };
        cluster.wait_ready().map_err(|failure| cluster.explain(&failure))?;
        cluster.run(SUPERUSER, SUPERUSER, &format!("CREATE ROLE {OWNER} LOGIN PASSWORD '{}'", cluster.password))?;
        Ok(Some(cluster))
    }

    /// Makes an empty database and returns its URL for its owner.
    pub(crate) fn create_database(&self, name: &str) -> Outcome<String> {
        self.run(SUPERUSER, SUPERUSER, &format!("CREATE DATABASE {name} OWNER {OWNER}"))?;
        Ok(format!("postgres://{OWNER}:{}@{}/{name}", self.password, self.address))
    }

    /// Reads the settings back; fails unless a commit survives a power cut.
    pub(crate) fn check_durable(&self, database: &str) -> Outcome<PostgresSettings> {
        let show = |setting: &str| self.query(database, &format!("SHOW {setting}"));
        let settings = PostgresSettings {
            version: show("server_version")?,
            fsync: show("fsync")?,
            synchronous_commit: show("synchronous_commit")?,
            full_page_writes: show("full_page_writes")?,
            shared_buffers: show("shared_buffers")?,
        };
        if settings.is_durable() {
            Ok(settings)
        } else {
            Err(Failure::new(format!("the database is not durable before the answer: {settings:?}")))
        }
    }

    /// Carries SQL out as the owner: a line for each row, `|` between the columns.
    pub(crate) fn query(&self, database: &str, sql: &str) -> Outcome<String> {
        self.run(OWNER, database, sql)
    }

    /// Carries a script out as the owner, with values for its `:variables`.
    pub(crate) fn run_script(&self, database: &str, script: &str, variables: &[(&str, String)]) -> Outcome<()> {
        let file = self.folder.join(format!("{database}.sql"));
        std::fs::write(&file, script)?;
        let mut psql = self.psql(OWNER, database);
        for (name, value) in variables {
            psql.arg(format!("--set={name}={value}"));
        }
        ask(psql.arg("--single-transaction").arg("--file").arg(file)).map(drop)
    }

    /// pgbench, connected as the owner, on the cores that all parts share.
    pub(crate) fn pgbench(&self, database: &str) -> Command {
        let mut pgbench = self.client(&self.programs.pgbench);
        pgbench.args(["--host=127.0.0.1", "--port", &self.address.port().to_string(), "--username", OWNER]);
        pgbench.arg(database);
        pgbench
    }

    /// psql, connected as the owner, on the cores that all parts share.
    pub(crate) fn client_of(&self, database: &str) -> Command {
        self.psql(OWNER, database)
    }

    /// Where the files of this cluster are, and those of whoever uses it.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts the end of the server's log behind a failure.
    pub(crate) fn explain(&self, failure: &Failure) -> Failure {
        let log = std::fs::read_to_string(self.folder.join("postgres.log")).unwrap_or_default();
        Failure::new(format!("{failure}\n--- the end of PostgreSQL's log ---\n{}", process::last_lines(&log)))
    }

    /// Asks the server to end and waits until it has.
    pub(crate) fn stop(self) -> Outcome<()> {
        let status = self.process.stop()?;
        if status.success() { Ok(()) } else { Err(Failure::new(format!("PostgreSQL did not stop cleanly ({status})"))) }
    }

    fn wait_ready(&mut self) -> Outcome<()> {
        let begin = Instant::now();
        while let Err(failure) = self.run(SUPERUSER, SUPERUSER, "SELECT 1") {
            if let Some(status) = self.process.ended()? {
                return Err(Failure::new(format!("PostgreSQL ended at once ({status})")));
            }
            if begin.elapsed() > Duration::from_secs(READY_S_MAX) {
                return Err(Failure::new(format!("PostgreSQL is not ready after {READY_S_MAX} s: {failure}")));
            }
            process::pause(Duration::from_millis(20));
        }
        Ok(())
    }

    fn run(&self, role: &str, database: &str, sql: &str) -> Outcome<String> {
        ask(self.psql(role, database).args(["--command", sql]))
    }

    fn psql(&self, role: &str, database: &str) -> Command {
        let mut psql = self.client(&self.programs.psql);
        psql.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--set=ON_ERROR_STOP=1"]);
        let port = self.address.port().to_string();
        psql.args(["--host=127.0.0.1", "--port", &port, "--username", role, "--dbname", database]);
        psql
    }

    /// A client without the settings of whoever runs us.
    fn client(&self, program: &Path) -> Command {
        let mut command = process::command(program);
        command.env_clear().env("LC_ALL", "C").env("PGPASSWORD", &self.password).stdin(Stdio::null());
        command
    }
}

/// What psql prints, without the last line break; else what PostgreSQL says to it.
fn ask(psql: &mut Command) -> Outcome<String> {
    let output = psql.output().context(|| "cannot run psql".to_owned())?;
    if !output.status.success() {
        return Err(Failure::new(format!("psql: {}", String::from_utf8_lossy(&output.stderr).trim_end())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}

/// Makes the files of a cluster in `folder`. They are flushed: what is still to be written would be written later, at
/// the expense of what is measured.
fn initialise(initdb: &Path, folder: &Path, user: Option<(u32, u32)>, password: &str) -> Outcome<()> {
    let secret = folder.join("password");
    std::fs::write(&secret, password)?;
    std::fs::set_permissions(&secret, Permissions::from_mode(0o600))?;
    if let Some((uid, gid)) = user {
        for path in [folder, &secret] {
            chown(path, Some(uid), Some(gid)).context(|| format!("cannot give `{}` away", path.display()))?;
        }
    }
    let mut command = as_user(process::command(initdb), folder, user);
    command.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]);
    command.args([&format!("--username={SUPERUSER}"), "--pwfile=password", "--pgdata=data"]);
    let output = command.stdin(Stdio::null()).output().context(|| {
        let folder = folder.display();
        format!("cannot run initdb in `{folder}`, to which the user that PostgreSQL runs as must have access")
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("initdb: {}", String::from_utf8_lossy(&output.stderr))))
}

/// `command` in `folder` and in the name of `user`, without the settings of whoever runs us.
fn as_user(mut command: Command, folder: &Path, user: Option<(u32, u32)>) -> Command {
    command.current_dir(folder).env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// Those of the newest version where there are several: all from one place, because they belong together.
fn find_programs() -> Option<Programs> {
    let names =
        std::fs::read_dir(SERVERS).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let debian =
        newest_first(names).into_iter().map(|version| Path::new(SERVERS).join(version.to_string()).join("bin"));
    let elsewhere = process::find_program("postgres").and_then(|path| path.parent().map(Path::to_owned));
    debian.chain(elsewhere).find_map(|folder| {
        let find = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
        let (initdb, postgres) = (find("initdb")?, find("postgres")?);
        Some(Programs { initdb, postgres, psql: find("psql")?, pgbench: find("pgbench")? })
    })
}

fn newest_first(names: impl Iterator<Item = String>) -> Vec<u32> {
    let mut versions: Vec<u32> =
        names.filter_map(|name| name.parse().ok()).filter(|version| *version >= VERSION_MIN).collect();
    versions.sort_unstable_by(|left, right| right.cmp(left));
    versions
}

/// The user and the group of a server that must not run as the owner of `folder`, which is us, because we are root.
fn other_user(folder: &Path) -> Outcome<Option<(u32, u32)>> {
    if folder.metadata()?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").context(|| "cannot read the list of users".to_owned())?;
    let found = ["postgres", "nobody"].into_iter().find_map(|name| find_user(&users, name));
    let missing = || Failure::new("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`");
    found.ok_or_else(missing).map(Some)
}

fn find_user(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_wanted = fields.next() == Some(name);
        let uid = fields.nth(1).filter(|_| is_wanted)?.parse().ok()?;
        Some((uid, fields.next()?.parse().ok()?))
    })
}

/// A superuser of PostgreSQL can run programs, and everybody on this machine reaches the port.
fn draw_secret() -> String {
    let draw = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", draw(), draw())
}

#[cfg(test)]
mod tests;
