//! What is left behind: a whole file with its manifest, or nothing.

use std::{
    io::Read as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tests::patience::{Ends as _, wait_for_end, wait_until};

use super::books::{Books, check_manifest};
use crate::ledger::desk::{Kind, on_both};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The names in the folder of the exports.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn requests_that_make_no_sense_are_refused_and_write_nothing(kind: Kind) {
    let books = Books::after(kind, 31, 40).await;
    let csv: &[&str] = &["--format", "csv"];
    for (arguments, exit, said) in [
        (
            &[csv, &["--from", "2027-02-01", "--to", "2027-01-01"]].concat()[..],
            1,
            "`to` (2027-01-01T00:00:00Z) must be after",
        ),
        (&[csv, &["--from", "2027-02-01", "--to", "2027-02-01"]].concat(), 1, "must be after `from`"),
        (&[csv, &["--from", "yesterday"]].concat(), 1, "`from` must be a date"),
        (&[csv, &["--period", "2027-13"]].concat(), 1, "`period` must be a month such as `2026-11`: `2027-13`"),
        (&[csv, &["--period", "2027-01", "--to", "2027-02-01"]].concat(), 2, "cannot be used with"),
        (&[csv, &["--report", "account-statement"]].concat(), 1, "name it with `account`"),
        (
            &[csv, &["--report", "account-statement", "--account", "nobody@example.com"]].concat(),
            1,
            "there is no account `nobody@example.com`",
        ),
        (&[csv, &["--publisher", "nobody"]].concat(), 1, "there is no publisher `nobody`"),
        (&[csv, &["--partner", "nobody"]].concat(), 1, "there is no partner `nobody`"),
        (&[csv, &["--report", "trial-balance", "--account", "1001"]].concat(), 1, "cannot be limited by `account`"),
        (&[csv, &["--full"]].concat(), 1, "`full` goes with"),
        (&["--format", "hledger", "--report", "postings"], 1, "has the journal only"),
        (&["--format", "hledger", "--account", "1001"], 1, "cannot be limited by `account`"),
        (&["--format", "xml"], 2, "invalid value 'xml'"),
        (&[csv, &["--report", "everything"]].concat(), 2, "invalid value 'everything'"),
    ] {
        let output = books.ledger(&[&["export", "--out", "out"], arguments].concat()).ended().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
        assert_eq!(names(books.folder.path()), [""; 0], "{arguments:?}");
    }
    for place in ["no/such/folder/out", "."] {
        let output = books.ledger(&["export", "--format", "csv", "--out", place]).ended().unwrap();
        assert_eq!(output.status.code(), Some(1), "{place}: {}", stderr(&output));
        assert!(stderr(&output).contains(&format!("`{place}`")), "{}", stderr(&output));
    }
}

async fn a_new_export_takes_the_place_of_the_old_one_whole_and_only_when_asked(kind: Kind) {
    let mut books = Books::after(kind, 32, 60).await;
    let first = books.export("books.csv", &["--format", "csv"]);
    let unasked = books.ledger(&["export", "--format", "csv", "--out", "books.csv"]).ended().unwrap();
    assert_eq!(unasked.status.code(), Some(1));
    assert!(stderr(&unasked).contains("`books.csv` is there already"), "{}", stderr(&unasked));
    if kind == Kind::Sqlite {
        let database = books.desk.path().to_str().unwrap().to_owned();
        let suicidal = ["export", "--replace", "--format", "csv", "--out", &database];
        let output = books.ledger(&suicidal).ended().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("is the database"), "{}", stderr(&output));
        books.desk.verify();
    }
    books.go_on(60).await;
    let second = books.export("books.csv", &["--format", "csv"]);
    assert!(second.text.starts_with(&first.text) && second.text.len() > first.text.len());
    assert_eq!(names(books.folder.path()), ["books.csv", "books.csv.manifest.json"]);
    #[cfg(unix)]
    for name in names(books.folder.path()) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = books.path(&name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// Killed in the middle: whoever looks afterwards finds nothing.
async fn a_killed_export_leaves_nothing(kind: Kind) {
    let books = Books::after(kind, 34, 700).await;
    let fifo = books.path("slow");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Into a pipe that nobody empties: it is in the middle for as long as we like.
    let mut child = books.ledger(&["export", "--format", "csv", "--out", "slow"]).spawn().unwrap();
    let mut reader = std::fs::File::open(&fifo).unwrap();
    let mut some = [0; 1_000];
    reader.read_exact(&mut some).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert!(!rest.ends_with("}\n"), "a stream without its last line is not whole");
    std::fs::remove_file(&fifo).unwrap();
    // And into a file: as soon as its process has one open.
    for _ in 0..5 {
        let mut child = books.ledger(&["export", "--format", "csv", "--out", "file.csv"]).spawn().unwrap();
        let descriptors = format!("/proc/{}/fd", child.id());
        let has_begun = || {
            let open = std::fs::read_dir(&descriptors).into_iter().flatten().flatten();
            let mut targets = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
            let is_ours = |target: &std::path::PathBuf| target.starts_with(books.folder.path());
            targets.any(|target| is_ours(&target)).then_some(())
        };
        wait_until("the file is open", || has_begun().or_else(|| child.try_wait().unwrap().map(|_| ())));
        child.kill().unwrap();
        child.wait().unwrap();
        // It may have been quicker than we were. Between a file's being whole and its name there is a moment in which it
        // has another one.
        let left = names(books.folder.path());
        let is_known = |name: &str| name.starts_with("file.csv") || name.ends_with(".part");
        assert!(left.iter().all(|name| is_known(name)), "{left:?}");
        if left.contains(&"file.csv".to_owned()) {
            let text = std::fs::read_to_string(books.path("file.csv")).unwrap();
            let again = books.export("file.csv", &["--format", "csv"]);
            assert_eq!(text, again.text, "what has the name is whole");
        }
        for name in names(books.folder.path()) {
            std::fs::remove_file(books.path(&name)).unwrap();
        }
    }
}

/// What a pipe takes while nobody reads, on Linux.
const PIPE_BYTES: usize = 65_536;

async fn a_stream_ends_with_its_manifest_and_a_broken_pipe_is_an_error(kind: Kind) {
    let books = Books::after(kind, 35, 700).await;
    for (format, before, after) in
        [("csv", "# ", ""), ("jsonl", "{\"manifest\":", "}"), ("hledger", "; ", ""), ("beancount", "; ", "")]
    {
        let output =
            books.ledger(&["export", "--report", "journal", "--format", format, "--out", "-"]).ended().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        // A database that is slow may be told of.
        assert!(
            !stderr(&output).contains(['\r', '\u{1b}']),
            "no progress where there is no terminal: {}",
            stderr(&output)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let at = text.trim_end().rfind('\n').unwrap() + 1;
        let (content, last) = text.split_at(at);
        let manifest = last.trim_end().strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap();
        check_manifest(&serde_json::from_str::<Value>(manifest).unwrap(), content);
        let file = books.export("file", &["--report", "journal", "--format", format]);
        assert_eq!(file.text, content);
    }
    let whole = books.ledger(&["export", "--format", "csv", "--out", "-"]).ended().unwrap().stdout.len();
    assert!(whole > PIPE_BYTES + 4_096, "{whole} bytes: a pipe holds them all, and nothing breaks");
    let mut command = books.ledger(&["export", "--format", "csv", "--out", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 100]).unwrap();
    drop(pipe);
    let output = wait_for_end(child, "an export without a reader").unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("the export was given up after"), "{}", stderr(&output));
}

/// A count in a header decides how much memory a page takes: a wrong one is told of before that.
async fn a_changed_header_is_damage_and_leaves_no_file(kind: Kind) {
    let books = Books::after(kind, 36, 40).await;
    let damage = "UPDATE batch SET n_entry = 1099511627776 WHERE batch_no = 3";
    assert!(books.desk.force(damage) > 0);
    for arguments in [
        &["--format", "csv"][..],
        &["--format", "jsonl", "--report", "open-holds"],
        &["--format", "hledger"],
        &["--format", "csv", "--report", "trial-balance"],
    ] {
        let output = books.ledger(&[&["export", "--out", "out"], arguments].concat()).ended().unwrap();
        assert_eq!(output.status.code(), Some(5), "the books are damaged: {arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("is not what was hashed"), "{arguments:?}: {}", stderr(&output));
        assert_eq!(names(books.folder.path()), [""; 0], "{arguments:?}");
    }
}

on_both! {
    a_changed_header_is_damage_and_leaves_no_file,
    requests_that_make_no_sense_are_refused_and_write_nothing,
    a_new_export_takes_the_place_of_the_old_one_whole_and_only_when_asked,
    a_killed_export_leaves_nothing,
    a_stream_ends_with_its_manifest_and_a_broken_pipe_is_an_error,
}
