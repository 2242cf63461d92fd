use std::{path::Path, sync::mpsc, thread, time::Duration};

use rusqlite::Connection;

/// Until 3.51.2 SQLite could lose pages where a checkpoint met a writer that began the log anew, and 3.51.0 and 3.51.1 hung
/// when two connections were closed at once (the release notes of 3.51.3 and 3.51.2); see docs/adr/0022.
#[test]
fn the_sqlite_that_is_built_in_is_none_of_those_that_hang_or_lose_pages() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn connections_that_are_closed_at_once_do_not_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    open(&path).execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(x)").unwrap();
    let (sender, ended) = mpsc::channel();
    // Not scoped: threads that hang would be waited for, and the test would hang with them.
    for _ in 0..4 {
        let (path, sender) = (path.clone(), sender.clone());
        thread::spawn(move || {
            for _ in 0..500 {
                open(&path).query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
            }
            sender.send(()).unwrap();
        });
    }
    for _ in 0..4 {
        ended.recv_timeout(Duration::from_mins(2)).expect("every connection is closed at last");
    }
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_mins(1)).unwrap();
    connection
}
