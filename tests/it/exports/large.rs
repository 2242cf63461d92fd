//! Books that are larger than what is held in memory and in pipes.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
};

use engine::{ledger::LedgerAccountId, store::writer::Command as Asked};
use serde_json::Value;
use tests::{
    patience::Ends as _,
    patience::wait_until,
    program::{Server, curl, tollgate},
};

use super::{books::Books, read};
use crate::ledger::desk::{Kind, on_both, post, together, wallet_id};

/// Enough for several pages, and for more than pipes and sockets hold.
const MANY: usize = 60_000;

/// Books with so many transactions.
async fn large(kind: Kind, count: usize) -> Books {
    let mut books = Books::after(kind, 41, 20).await;
    books.desk.start();
    for _ in 0..count / 1_000 {
        let desk = &books.desk;
        let posted = (0..1_000).map(|number| {
            let funding = post(desk.fresh(), &[(LedgerAccountId::OPENING, wallet_id(1 + number % 4), 1 + number)]);
            let command = desk.ask(Asked::Post(funding));
            let waited: crate::ledger::desk::Waited<'_, _> = Box::pin(command);
            waited
        });
        assert!(together(posted.collect()).await.iter().all(Result::is_ok));
    }
    books.desk.stop();
    books
}

/// An export into a pipe, of which the first bytes have been read.
fn stalled(books: &Books) -> (Child, ChildStdout) {
    let mut command = books.ledger(&["export", "--report", "postings", "--format", "csv", "--out", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 100]).unwrap();
    (child, pipe)
}

/// The most memory that a process ever had, in KiB; `None` of one that has ended, which has none any more.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next().unwrap().parse().unwrap())
}

async fn memory_does_not_grow_with_the_books(kind: Kind) {
    let mut peaks = Vec::new();
    for count in [MANY / 3, MANY] {
        let books = large(kind, count).await;
        let (mut child, mut pipe) = stalled(&books);
        let mut text = Vec::new();
        // Everything but what the pipe holds has been written before the last of it is read.
        let mut piece = vec![0; 65_536];
        let mut peak = 0;
        loop {
            let read = pipe.read(&mut piece).unwrap();
            if read == 0 {
                break;
            }
            text.extend_from_slice(&piece[..read]);
            // What a slow reader finds at the end is in the pipe alone.
            peak = peak_kib(child.id()).unwrap_or(peak).max(peak);
        }
        assert!(child.wait().unwrap().success());
        assert!(text.len() > count * 100, "{} bytes", text.len());
        assert!(peak > 0, "the export ended before anybody looked");
        println!("{kind:?}: {count} postings, {} bytes, at most {peak} KiB", text.len());
        peaks.push(peak);
    }
    assert!(peaks[1] < peaks[0] + 16 * 1024, "three times as many postings take {peaks:?} KiB");
}

async fn a_slow_export_does_not_hold_the_database(kind: Kind) {
    let mut books = large(kind, MANY).await;
    let (mut child, pipe) = stalled(&books);
    match kind {
        Kind::Sqlite => {
            // Somebody writes, and the log can be emptied: nobody reads an old moment.
            books.desk.start();
            books.desk.fund(wallet_id(1), 7).await;
            let emptied = books.desk.rows("PRAGMA wal_checkpoint(TRUNCATE)");
            assert_eq!(emptied, [["0", "0", "0"]], "busy, pages in the log, pages moved");
        }
        Kind::Postgres => {
            let sql = "SELECT count(*) FROM pg_stat_activity
                       WHERE application_name = 'tollgate ledger' AND datname = current_database()
                         AND xact_start IS NOT NULL AND state <> 'active'";
            assert_eq!(books.desk.rows(sql), [["0"]], "no transaction waits for the auditor");
        }
    }
    let rest = std::io::read_to_string(pipe).unwrap();
    assert!(child.wait().unwrap().success());
    let manifest = rest.lines().last().unwrap().strip_prefix("# ").unwrap();
    let manifest: Value = serde_json::from_str(manifest).unwrap();
    assert!(manifest["rows"].as_u64().unwrap() > u64::try_from(MANY).unwrap(), "{manifest}");
}

/// A server on these books, and an auditor's token.
fn serve(books: &Books) -> (Server, String) {
    let url = books.desk.url();
    let mut command = tollgate(books.folder.path(), &["serve"]);
    command.env("TOLLGATE_DATABASE__URL", &url);
    let server = Server::start_as(command);
    let arguments = ["operator", "create", "--role", "auditor", "--name", "Arthur", "--json"];
    let output = tollgate(books.folder.path(), &arguments).env("TOLLGATE_DATABASE__URL", &url).ended().unwrap();
    let made: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (server, made["token"].as_str().unwrap().to_owned())
}

const PATH: &str = "/ledger/export?report=postings&format=jsonl";

/// A request whose answer nobody reads any further than its beginning.
fn begun(server: &Server, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "GET {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
    let mut beginning = [0; 12];
    stream.read_exact(&mut beginning).unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200");
    stream
}

async fn an_export_that_breaks_off_is_recognisable_and_frees_its_place(kind: Kind) {
    let books = large(kind, MANY).await;
    let (server, token) = serve(&books);
    let url = format!("{}{PATH}", server.base_url());
    let header = format!("authorization: Bearer {token}");
    let stalled = [begun(&server, &token), begun(&server, &token)];
    let third = curl(&url, &["-H", &header]);
    assert_eq!(
        (third.status, third.code(), third.header("retry-after")),
        (503, "overloaded", Some("10")),
        "{}",
        third.body
    );
    drop(stalled);
    let (whole, _) = wait_until("there is room again", || {
        let answer = curl(&url, &["-H", &header]);
        (answer.status == 200).then_some(answer.body)
    });
    let (rows, last) = whole.trim_end().rsplit_once('\n').unwrap();
    assert!(last.starts_with("{\"manifest\":"));
    assert!(read::jsonl(&format!("{rows}\n")).len() > MANY);
    // The server goes away in the middle: the transfer has no end, and no last line.
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "--limit-rate", "100k", "-H", &header, &url]);
    let mut child = curl.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 1_000]).unwrap();
    server.kill();
    let rest = std::io::read_to_string(pipe).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(18), "curl says that the transfer was cut");
    assert!(!rest.contains("{\"manifest\":"));
}

/// A file system that takes no more than the first blocks of a file. The server tells the audit trail of the export, so
/// that all that the command writes is its file.
async fn a_disk_that_fills_leaves_no_file_and_says_so(kind: Kind) {
    let books = large(kind, 3_000).await;
    let (server, _token) = serve(&books);
    let before = books.export("old.csv", &["--format", "csv"]);
    assert!(before.text.len() > 100_000, "{} bytes", before.text.len());
    let plain = books.ledger(&["export", "--replace", "--format", "csv", "--out", "old.csv"]);
    // As on a full disk the write fails instead of ending the process: 32 blocks of 512 or 1,024 bytes.
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\""])
        .arg(plain.get_program())
        .args(plain.get_args());
    shell.current_dir(books.folder.path()).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let names = || {
        let entries = std::fs::read_dir(books.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let names_before = names();
    let output = shell.ended().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the export was given up after") && said.contains("File too large"), "{said}");
    assert_eq!(names(), names_before, "nothing is left beside the old one");
    assert_eq!(std::fs::read_to_string(&before.path).unwrap(), before.text);
    assert_eq!(server.stop(), Some(0));
    books.desk.verify();
}

on_both! {
    memory_does_not_grow_with_the_books,
    a_slow_export_does_not_hold_the_database,
    an_export_that_breaks_off_is_recognisable_and_frees_its_place,
    a_disk_that_fills_leaves_no_file_and_says_so,
}
