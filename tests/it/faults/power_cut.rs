//! Durable before answered. The real program runs under load and under `strace`; what it wrote is replayed into a disk
//! that keeps only what a completed sync has made durable. Whenever the program let anybody know of anything, that disk
//! must already hold it: the power may be cut at any of these moments.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{atomic::AtomicBool, mpsc},
    time::Duration,
};

use engine::{clock::SystemClock, id::InvocationId, store::books, testing::Dice};
use rusqlite::Connection;
use tests::{
    environment::extent,
    patience::{SetOnDrop, wait_until},
    program::{Server, configure, folder},
};

use super::{
    market::Market,
    till::Till,
    trace::{Event, parse, traced_server},
};

const CLIENTS: u64 = 8;
/// A client that waits for so long for any news is stuck.
const SILENCE: Duration = Duration::from_mins(2);
/// The smallest part of a file that a disk writes whole.
const SECTOR: usize = 512;

/// A file as it is after a power cut, and what is on its way to the disk.
#[derive(Debug, Default, Clone)]
struct DiskFile {
    durable: Vec<u8>,
    /// Whether the folder's entry is durable, too.
    is_linked: bool,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                content.resize(content.len().max(end), 0);
                content[*at..end].copy_from_slice(bytes);
            }
            Self::Truncate { length } => content.resize(*length, 0),
        }
    }
}

/// The database's files on a disk that forgets what was not synced.
#[derive(Debug)]
struct Disk {
    database: PathBuf,
    wal: PathBuf,
    files: BTreeMap<PathBuf, DiskFile>,
}

impl Disk {
    /// With the database as a cleanly stopped program left it.
    fn new(database: PathBuf) -> Self {
        let wal = PathBuf::from(format!("{}-wal", database.display()));
        let load = |path: &PathBuf| {
            let durable = std::fs::read(path).ok()?;
            Some((path.clone(), DiskFile { durable, is_linked: true, pending: Vec::new() }))
        };
        let files = [&database, &wal].into_iter().filter_map(load).collect();
        Self { database, wal, files }
    }

    fn file(&mut self, path: &Path) -> Option<&mut DiskFile> {
        let is_ours = path == self.database || path == self.wal;
        is_ours.then(|| self.files.entry(path.to_path_buf()).or_default())
    }

    /// Takes in an event; true if something became durable.
    fn take(&mut self, event: &Event) -> bool {
        match event {
            Event::Written { path, at, bytes } => {
                if let Some(file) = self.file(path) {
                    file.pending.push(Change::Write { at: *at, bytes: bytes.clone() });
                }
            }
            Event::Truncated { path, length } => {
                if let Some(file) = self.file(path) {
                    file.pending.push(Change::Truncate { length: *length });
                }
            }
            Event::Removed { path } => drop(self.files.remove(path)),
            Event::Synced { path } if Some(path.as_path()) == self.database.parent() => {
                self.files.values_mut().for_each(|file| file.is_linked = true);
                return true;
            }
            Event::Synced { path } => {
                let Some(file) = self.file(path) else { return false };
                for change in std::mem::take(&mut file.pending) {
                    change.apply(&mut file.durable);
                }
                return true;
            }
            Event::Sent { .. } => {}
        }
        false
    }

    /// Writes the files as they are after a power cut into `folder`. With dice, some sectors of what was on its way
    /// have arrived.
    fn write_to(&self, folder: &Path, mut dice: Option<&mut Dice>) -> PathBuf {
        // What the last look at this folder has left, the shared index included, is gone: it was in memory.
        for left in std::fs::read_dir(folder).unwrap() {
            std::fs::remove_file(left.unwrap().path()).unwrap();
        }
        for path in [&self.database, &self.wal] {
            let copy = folder.join(path.file_name().unwrap());
            let Some(file) = self.files.get(path).filter(|file| file.is_linked) else { continue };
            let mut content = file.durable.clone();
            if let Some(dice) = dice.as_deref_mut() {
                file.pending.iter().for_each(|change| arrive_in_part(change, &mut content, dice));
            }
            std::fs::write(copy, content).unwrap();
        }
        folder.join(self.database.file_name().unwrap())
    }
}

fn arrive_in_part(change: &Change, content: &mut Vec<u8>, dice: &mut Dice) {
    match change {
        Change::Write { at, bytes } => {
            for (sector, bytes) in bytes.chunks(SECTOR).enumerate() {
                if dice.chance(50) {
                    Change::Write { at: at + sector * SECTOR, bytes: bytes.to_vec() }.apply(content);
                }
            }
        }
        Change::Truncate { .. } if dice.chance(50) => change.apply(content),
        Change::Truncate { .. } => {}
    }
}

/// What somebody has been told, and what must therefore be durable.
#[derive(Debug)]
enum Promise {
    /// The upstream was asked: the money is held.
    Held(InvocationId),
    /// The caller was answered: the charge is booked and the answer stored, with this body.
    Answered(InvocationId, String),
}

/// The promise in what was sent on a socket, if there is one.
fn find_promise(bytes: &[u8]) -> Option<Promise> {
    let text = String::from_utf8_lossy(bytes);
    if text.starts_with("POST /") {
        let (_, rest) = text.split_once("x-tollgate-invocation-id: ")?;
        return Some(Promise::Held(rest.lines().next()?.parse().unwrap()));
    }
    let (head, body) = text.split_once("\r\n\r\n")?;
    let (_, rest) = head.strip_prefix("HTTP/1.1 ")?.split_once("x-tollgate-invocation-id: ")?;
    Some(Promise::Answered(rest.lines().next()?.parse().unwrap(), body.to_owned()))
}

fn check(database: &Path, promises: &[Promise], moment: &str) {
    let report = books::verify(database, &SystemClock::start()).unwrap();
    assert!(report.ok, "{moment}: {:?}", report.problems);
    let connection = Connection::open(database).unwrap();
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let mut held = connection.prepare("SELECT count(*) FROM hold WHERE id = ?1").unwrap();
    let mut answered = connection
        .prepare(
            "SELECT a.body FROM idem i JOIN idem_answer a USING (call) JOIN hold_resolution r ON r.hold_id = i.call
             WHERE i.call = ?1 AND i.state = 2",
        )
        .unwrap();
    for promise in promises {
        match promise {
            Promise::Held(id) => {
                let count: i64 = held.query_row([id.uuid().as_bytes()], |row| row.get(0)).unwrap();
                assert_eq!(count, 1, "{moment}: the upstream was asked before the hold of {id} was durable");
            }
            Promise::Answered(id, body) => {
                let stored = answered.query_row([id.uuid().as_bytes()], |row| row.get::<_, String>(0));
                assert_eq!(stored.as_ref(), Ok(body), "{moment}: answered before the charge of {id} was durable");
            }
        }
    }
}

/// Runs the program under load and under `strace`, kills it, and returns what it did.
fn record(market: &Market, seed: u64, answers: usize) -> Vec<Event> {
    let traces = folder();
    let trace = traces.path().join("trace");
    let server = Server::start_as(traced_server(market.folder(), &trace));
    let address = server.address().to_owned();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (tell, news) = mpsc::channel();
        let _stop = SetOnDrop(&is_over);
        for number in 0..CLIENTS {
            let (tell, address, is_over) = (tell.clone(), &address, &is_over);
            scope.spawn(move || Till::new(number, seed).work(address, 0, is_over, &tell));
        }
        (0..answers).for_each(|_| news.recv_timeout(SILENCE).unwrap());
        server.kill();
    });
    // The tracer writes its last line when the program has gone.
    let (text, _) = wait_until("the end of the trace", || {
        let text = std::fs::read_to_string(&trace).unwrap();
        text.contains("+++ killed by SIGKILL +++").then_some(text)
    });
    parse(&text)
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_told() {
    let seed = 20_261_122;
    let answers = extent().pick(80, 300);
    println!("seed {seed}: {answers} answers, {CLIENTS} clients");
    let market = Market::open();
    market.make_database();
    let mut disk = Disk::new(market.database().canonicalize().unwrap());
    let events = record(&market, seed, answers);

    let copies = folder();
    let mut dice = Dice::new(seed);
    let (mut promises, mut unchecked, mut syncs, mut cuts, mut torn) = (Vec::new(), 0_usize, 0_usize, 0, 0);
    for event in &events {
        // What was promised since the last sync was promised on the strength of what is durable now.
        if matches!(event, Event::Synced { .. }) && unchecked > 0 {
            let moment = format!("before sync {syncs}");
            check(&disk.write_to(copies.path(), None), &promises, &moment);
            check(&disk.write_to(copies.path(), Some(&mut dice)), &promises, &format!("{moment}, torn"));
            torn += usize::from(disk.files.values().any(|file| !file.pending.is_empty()));
            cuts += 1;
            unchecked = 0;
        }
        syncs += usize::from(disk.take(event));
        if let Event::Sent { bytes } = event
            && let Some(promise) = find_promise(bytes)
        {
            promises.push(promise);
            unchecked += 1;
        }
    }
    let answered = promises.iter().filter(|promise| matches!(promise, Promise::Answered(..))).count();
    println!("{syncs} syncs; the power was cut {cuts} times, {torn} of them in the middle of a write");
    println!("{answered} answers and {} calls of the upstream were durable before", promises.len() - answered);
    assert!(answered >= answers && promises.len() >= 2 * answers, "the trace shows what clients saw");

    // The program itself starts on what is left, and still knows every answer.
    let image = folder();
    disk.write_to(image.path(), None);
    let market_file = std::fs::read_to_string(market.folder().join("tollgate.json5")).unwrap();
    configure(image.path(), &serde_json::from_str(&market_file).unwrap());
    std::fs::copy(market.folder().join("master.key"), image.path().join("master.key")).unwrap();
    let server = Server::start(image.path());
    check(&image.path().join("tollgate.db"), &promises, "after the restart");
    assert_eq!(server.stop(), Some(0));
    super::market::verify(image.path());
}
