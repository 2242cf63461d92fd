//! Where in the life of a call a kill fell, found out from outside: from the database as the killed program left it,
//! and from the log of the upstream.

use std::{collections::BTreeMap, path::Path};

use rusqlite::Connection;
use tests::{program::folder, publisher::Received};

use super::till::Purchase;

/// The places in the order in which a call comes to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The request had been sent, the hold had not been written.
    BeforeHold,
    /// Money was held, the upstream had not been asked.
    BeforeDispatch,
    /// The upstream had the request and had not answered.
    InFlight,
    /// The upstream had answered, nothing had been charged.
    BeforeCapture,
    /// The writer was in the middle of a transaction.
    InsideCommit,
    /// The charge had been written, its caller had not been told.
    BeforeAnswer,
}

impl Place {
    pub(super) const ALL: [(Self, &str); 6] = [
        (Self::BeforeHold, "before the hold"),
        (Self::BeforeDispatch, "between hold and dispatch"),
        (Self::InFlight, "in flight"),
        (Self::BeforeCapture, "between answer and capture"),
        (Self::InsideCommit, "inside commit"),
        (Self::BeforeAnswer, "between capture and answer"),
    ];
}

/// How many calls were in which place when the program was killed; for [`Place::InsideCommit`] how many pages had been
/// written without their commit.
pub(super) fn find_places<'a>(
    database: &Path,
    purchases: impl Iterator<Item = &'a Purchase>,
    upstream: &[Received],
) -> BTreeMap<Place, usize> {
    let states = load_states(database);
    let mut found = BTreeMap::new();
    for purchase in purchases {
        let place = match states.get(&purchase.key) {
            None => Place::BeforeHold,
            Some(&RUNNING) => match upstream.iter().find(|received| received.arguments["key"] == purchase.key) {
                None => Place::BeforeDispatch,
                Some(received) if received.answered.is_none() => Place::InFlight,
                Some(_) => Place::BeforeCapture,
            },
            Some(_) => Place::BeforeAnswer,
        };
        *found.entry(place).or_default() += 1;
    }
    let pages = count_uncommitted_pages(&wal_of(database));
    if pages > 0 {
        found.insert(Place::InsideCommit, pages);
    }
    found
}

/// `CallState::Running` as stored.
const RUNNING: i64 = 1;

/// The states of all calls with keys. Read from a copy: opening the files themselves would already repair them, and
/// that is the next start's work.
fn load_states(database: &Path) -> BTreeMap<String, i64> {
    let copies = folder();
    let copy = copies.path().join("copy.db");
    std::fs::copy(database, &copy).unwrap();
    if wal_of(database).exists() {
        std::fs::copy(wal_of(database), wal_of(&copy)).unwrap();
    }
    let connection = Connection::open(copy).unwrap();
    let mut statement = connection.prepare("SELECT key, state FROM invocation WHERE key IS NOT NULL").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn wal_of(database: &Path) -> std::path::PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Frames of the log behind the last one that ends a transaction. Frames of an older log carry other salts.
fn count_uncommitted_pages(wal: &Path) -> usize {
    const HEADER: usize = 32;
    const FRAME_HEADER: usize = 24;
    let bytes = std::fs::read(wal).unwrap_or_default();
    let Some(header) = bytes.get(..HEADER) else { return 0 };
    let page = u32::from_be_bytes(header[8..12].try_into().unwrap());
    let frames = bytes[HEADER..].chunks_exact(FRAME_HEADER + usize::try_from(page).unwrap());
    let current = frames.take_while(|frame| frame[8..16] == header[16..24]);
    current.fold(0, |open, frame| if frame[4..8] == [0; 4] { open + 1 } else { 0 })
}
