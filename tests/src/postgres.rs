//! PostgreSQL as the tests use it: a real cluster made from the installed server's programs, on disk, with every commit
//! flushed as in production. It lives as long as the test's process, and no longer.

use std::{
    fs::Permissions,
    io::{BufRead as _, BufReader},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

use self::machine::{PORTS, disk, free_ports, other_user, secret, server_folders};
use crate::{
    environment,
    patience::{Ends as _, wait_until},
    tools,
    workspace::workspace_root,
};

mod machine;

/// The oldest PostgreSQL that the program is made for.
const VERSION_MIN: u32 = 15;

/// Who may do everything in the cluster.
const SUPERUSER: &str = "postgres";

/// Who owns the databases of the tests: no superuser, as an operator would have it.
pub const OWNER: &str = "tollgate";

/// What differs from the server's defaults, and the two defaults that the tests are about.
const SETTINGS: [&str; 9] = [
    "fsync=on",
    "synchronous_commit=on",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "password_encryption=scram-sha-256",
    "timezone=UTC",
    "log_min_messages=warning",
    "log_line_prefix=%m [%p] %q%u@%d ",
];

/// The certificate of a cluster that is reached over TLS, by itself: for `localhost` and 127.0.0.1. Made for these tests,
/// as its key: they protect nothing.
pub const CERTIFICATE: &str = include_str!("postgres/server.crt");
const KEY: &str = include_str!("postgres/server.key");

/// Starts the server (its command line are the arguments), says its number and stays with it. When standard input ends,
/// because the tests have ended in whatever way, the server is stopped without ceremony and the folder removed.
///
/// A number is only ever sent a signal while its process has not been waited for: so it is no other's.
const KEEPER: &str = r#"
exec 3<&0 2>>postgres.log
"$@" </dev/null >&2 3<&- &
postmaster=$!
echo "$postmaster"
{ read -r _ <&3; kill -s QUIT "$postmaster"; exit 0; } >/dev/null &
watch=$!
wait "$postmaster"
status=$?
kill "$watch"
wait "$watch" && rm -rf "$PWD"
exit "$status"
"#;

/// A cluster of databases with its own server. Stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    keeper: Mutex<Option<Keeper>>,
    port: u16,
    password: String,
    postgres: PathBuf,
    psql: PathBuf,
    /// Whether it is reached over TLS, too.
    is_secured: bool,
    /// Whose the files are and as whom the server runs, if not as we do.
    user: Option<(u32, u32)>,
    databases: AtomicU32,
    folder: TempDir,
}

/// A running server and the process that stays with it.
#[derive(Debug)]
struct Keeper {
    child: Child,
    /// Ends with us.
    alive: ChildStdin,
    postmaster: String,
}

/// A database of its own for one test, empty at first. Removed when dropped.
#[derive(Debug)]
pub struct TestDatabase<'c> {
    cluster: &'c Cluster,
    name: String,
}

impl Cluster {
    /// The cluster that all tests of this process share, started by the first who asks. Not for tests that kill it.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    pub fn shared() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Self::start)
    }

    /// Makes and starts a cluster for one test.
    ///
    /// # Panics
    /// A program of PostgreSQL's is missing, too old, or fails.
    pub fn start() -> Self {
        Self::start_as(false)
    }

    /// The same, reached over TLS, too, with the certificate [`CERTIFICATE`].
    ///
    /// # Panics
    /// As [`Cluster::start`].
    pub fn start_secured() -> Self {
        Self::start_as(true)
    }

    fn start_as(is_secured: bool) -> Self {
        let servers = server_folders();
        let [initdb, postgres, psql] =
            ["initdb", "postgres", "psql"].map(|name| tools::tool_found_first_in(&servers, name));
        let folder = tempfile::Builder::new().prefix("tollgate-postgres-").tempdir_in(disk()).expect("a folder");
        let user = other_user(folder.path());
        let mut cluster = Self {
            keeper: Mutex::new(None),
            port: 0,
            password: secret(),
            postgres,
            psql,
            is_secured,
            user,
            databases: AtomicU32::new(0),
            folder,
        };
        cluster.initialise(&initdb);
        cluster.port = cluster.launch_on_a_free_port();
        let version = cluster.run(SUPERUSER, SUPERUSER, "SHOW server_version_num").expect("its version");
        assert!(
            version.trim().parse::<u32>().is_ok_and(|number| number / 10_000 >= VERSION_MIN),
            "`{}` is too old ({version}): PostgreSQL {VERSION_MIN} or newer is needed",
            cluster.postgres.display()
        );
        let sql = format!("CREATE ROLE {OWNER} LOGIN PASSWORD '{}'", cluster.password);
        cluster.run(SUPERUSER, SUPERUSER, &sql).expect("a role for the tests");
        cluster
    }

    /// A fresh database.
    ///
    /// # Panics
    /// It can't be made.
    pub fn database(&self) -> TestDatabase<'_> {
        let name = format!("books_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        // `template0` may be copied by several at once.
        let sql = format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0");
        self.run(SUPERUSER, SUPERUSER, &sql).expect("a database");
        TestDatabase { cluster: self, name }
    }

    /// The port at 127.0.0.1, the same for the whole life of the cluster.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server without warning: SIGKILL to all its processes. With the first one alone gone, sessions that are
    /// busy go on for as long as their clients keep them so. What was about to be committed may have come to be.
    ///
    /// # Panics
    /// It is not running.
    pub fn kill(&self) {
        let keeper = self.keeper().take().expect("a running server");
        // It begins no session while they are counted.
        tell("STOP", std::slice::from_ref(&keeper.postmaster));
        let sessions = children_of(&keeper.postmaster);
        keeper.signal("KILL");
        tell("KILL", &sessions);
        wait_until("all processes of the server end", || {
            sessions.iter().all(|process| parent_of(process).is_none()).then_some(())
        });
    }

    /// Starts the server again, after [`Cluster::kill`]; one that runs is stopped first, in good order.
    ///
    /// # Panics
    /// It does not stop or start.
    pub fn restart(&self) {
        if let Some(keeper) = self.keeper().take() {
            let status = keeper.signal("INT");
            assert!(status.success(), "{status}\n{}", self.log());
        }
        let seen = self.log().len();
        let (keeper, _) = wait_until("the server starts again", || match self.launch(self.port) {
            Ok(keeper) => Some(keeper),
            // The processes of a killed server take a moment to end.
            Err(log) if log.get(seen..).is_some_and(|new| new.contains("shared memory block")) => None,
            Err(log) => panic!("PostgreSQL does not start again:\n{log}"),
        });
        *self.keeper() = Some(keeper);
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("postgres.log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn keeper(&self) -> MutexGuard<'_, Option<Keeper>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the files. They are not flushed: a cluster does not outlive the machine, only its processes.
    fn initialise(&self, initdb: &Path) {
        let secret = self.folder.path().join("password");
        std::fs::write(&secret, &self.password).expect("a file");
        if let Some((uid, gid)) = self.user {
            for path in [self.folder.path(), &secret] {
                chown(path, Some(uid), Some(gid)).expect("a folder of the server's user");
            }
        }
        let output = self
            .command(initdb)
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"])
            .args([&format!("--username={SUPERUSER}"), "--pwfile=password", "--pgdata=data"])
            .ended()
            .expect("initdb runs");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        for (name, text) in [("server.crt", CERTIFICATE), ("server.key", KEY)] {
            let path = self.data().join(name);
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
            if let Some((uid, gid)) = self.user {
                chown(path, Some(uid), Some(gid)).expect("a file of the server's user");
            }
        }
    }

    /// A command in the cluster's folder and in the name of its user, without the settings of whoever runs the tests.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).env_clear().env("LC_ALL", "C");
        if let Ok(path) = std::env::join_paths(environment::search_path()) {
            command.env("PATH", path);
        }
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn launch_on_a_free_port(&self) -> u16 {
        for port in free_ports() {
            let seen = self.log().len();
            match self.launch(port) {
                Ok(keeper) => {
                    *self.keeper() = Some(keeper);
                    return port;
                }
                // Somebody else was quicker.
                Err(log) if log.get(seen..).is_some_and(|new| new.contains("could not bind")) => {}
                Err(log) => panic!("PostgreSQL does not start:\n{log}"),
            }
        }
        panic!("no free port in {PORTS:?}");
    }

    /// Starts the server and waits until it answers. If it ends instead: its log.
    fn launch(&self, port: u16) -> Result<Keeper, String> {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", KEEPER, "keeper"]).arg(&self.postgres);
        command.args(["-D", "data", "-c", &format!("port={port}")]);
        for setting in SETTINGS.into_iter().chain(self.is_secured.then_some("ssl=on")) {
            command.args(["-c", setting]);
        }
        // Ctrl-C at the terminal ends the tests; the keeper notices.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("the shell: {error}"))?;
        let (Some(told), Some(alive)) = (child.stdout.take(), child.stdin.take()) else {
            return Err("the shell has no pipes".to_owned());
        };
        let mut postmaster = String::new();
        BufReader::new(told).read_line(&mut postmaster).map_err(|error| format!("the shell: {error}"))?;
        let mut keeper = Keeper { child, alive, postmaster: postmaster.trim().to_owned() };
        let is_ready = || {
            let state = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            let mut lines = state.lines().map(str::trim);
            (lines.next() == Some(&keeper.postmaster) && lines.nth(6) == Some("ready")).then_some(true)
        };
        let mut ended = || keeper.child.try_wait().expect("the state of the keeper").map(|_status| false);
        let (is_up, _) = wait_until("the server is ready", || is_ready().or_else(&mut ended));
        if is_up { Ok(keeper) } else { Err(self.log()) }
    }

    /// Carries SQL out; several statements are one transaction.
    fn run(&self, role: &str, database: &str, sql: &str) -> Result<String, String> {
        ask(self.psql(role, database).args(["--command", sql]))
    }

    /// psql, connected, without the settings of whoever runs the tests.
    fn psql(&self, role: &str, database: &str) -> Command {
        let mut command = Command::new(&self.psql);
        command.env_clear().env("PGPASSWORD", &self.password).stdin(Stdio::null());
        command.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--set=ON_ERROR_STOP=1"]);
        command.args(["--host=127.0.0.1", "--port", &self.port.to_string(), "--username", role, "--dbname", database]);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(Keeper { mut child, alive, .. }) = self.keeper().take() {
            drop(alive);
            drop(child.wait());
        }
    }
}

impl Keeper {
    /// Sends the server a signal and waits for its end.
    fn signal(mut self, name: &str) -> ExitStatus {
        let told = Command::new("kill").args(["-s", name, &self.postmaster]).status().expect("kill runs");
        assert!(told.success(), "no process {}", self.postmaster);
        self.child.wait().expect("the server ends")
    }
}

/// Sends processes a signal; those that have ended meanwhile do not mind.
fn tell(signal: &str, processes: &[String]) {
    if !processes.is_empty() {
        Command::new("kill").args(["-s", signal]).args(processes).stderr(Stdio::null()).status().expect("kill runs");
    }
}

/// The parent of a process that has not ended, by number.
fn parent_of(process: &str) -> Option<String> {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind its name, which may contain anything: the state and the parent.
    let mut words = state.rsplit_once(')')?.1.split_whitespace();
    let is_alive = !matches!(words.next()?, "Z" | "X");
    words.next().filter(|_| is_alive).map(str::to_owned)
}

fn children_of(parent: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("the processes").flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let numbers = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    numbers.filter(|process| parent_of(process).is_some_and(|found| found == parent)).collect()
}

impl TestDatabase<'_> {
    /// Where it is, for its owner.
    pub fn url(&self) -> String {
        self.url_as(OWNER)
    }

    /// Where it is, for one of the cluster's roles that has the cluster's password.
    pub fn url_as(&self, role: &str) -> String {
        let Cluster { password, port, .. } = self.cluster;
        format!("postgres://{role}:{password}@127.0.0.1:{port}/{}", self.name)
    }

    /// Carries SQL out as the owner: a line for each row, `|` between the columns. Several statements are one
    /// transaction.
    ///
    /// # Panics
    /// PostgreSQL refuses.
    pub fn query(&self, sql: &str) -> String {
        self.query_as(OWNER, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same in another role, which may be refused: then what PostgreSQL says.
    pub fn query_as(&self, role: &str, sql: &str) -> Result<String, String> {
        self.cluster.run(role, &self.name, sql)
    }

    /// The same as a superuser.
    pub fn query_as_superuser(&self, sql: &str) -> Result<String, String> {
        self.query_as(SUPERUSER, sql)
    }

    /// Gives the rights of `docs/postgres-roles.sql`, as often as it is asked, and returns the name of the
    /// application's role. Roles belong to the whole cluster, so every database has one of its own.
    ///
    /// # Panics
    /// PostgreSQL refuses.
    pub fn application_role(&self) -> String {
        self.try_application_role().unwrap_or_else(|error| panic!("docs/postgres-roles.sql: {error}"))
    }

    /// The same, which may be refused: then what PostgreSQL says.
    pub fn try_application_role(&self) -> Result<String, String> {
        let role = format!("{}_application", self.name);
        let (owner, application) = (format!("--set=owner={OWNER}"), format!("--set=application={role}"));
        let file = workspace_root().join("docs/postgres-roles.sql");
        ask(self.cluster.psql(SUPERUSER, &self.name).args([&owner, &application]).arg("--file").arg(file))?;
        let sql = format!("ALTER ROLE {role} PASSWORD '{}'", self.cluster.password);
        self.query_as_superuser(&sql).map(|_nothing| role)
    }

    /// What the migrations have made of it, in an order and in words that are the same for all versions of PostgreSQL.
    pub fn schema(&self) -> String {
        self.query(include_str!("postgres/schema.sql"))
    }
}

impl Drop for TestDatabase<'_> {
    fn drop(&mut self) {
        // It fails while the server is down, and then the database goes with its cluster.
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        drop(self.cluster.run(SUPERUSER, SUPERUSER, &sql));
    }
}

/// What psql prints: a line for each row, `|` between the columns. Else what PostgreSQL says to it.
fn ask(psql: &mut Command) -> Result<String, String> {
    let output = psql.ended().map_err(|error| format!("psql: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}

#[cfg(test)]
mod tests;
