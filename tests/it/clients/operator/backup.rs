//! `backup` and `restore`: under load, onto a full disk, over something that is there, from something that is broken.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde_json::json;
use tests::{
    home::{Home, Kind},
    patience::Ends as _,
    program::{at_home, folder},
    server::{ALICE, Server, config, tool},
    tollgate_binary,
    upstream::Upstream,
};

use super::{json_of, run, verify};
use crate::rows;

/// A server with a tool that costs 1, and callers who use it without pause as long as `meanwhile` works. Returns how
/// many calls were paid.
fn under_load(home: &Home, meanwhile: impl FnOnce(&Server)) -> u64 {
    let upstream = Upstream::answering("{}");
    let limits = "limits: {invoke_per_token_per_s: 100000, invoke_burst: 100000},";
    let tools = tool("t", &upstream.url("/t"), 1, "success", 5_000);
    let server = Server::start(home.path(), &config(&tools, "", limits));
    let (is_over, paid) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let (server, is_over, paid) = (&server, &is_over, &paid);
            scope.spawn(move || {
                let mut number = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let body = json!({"arguments": {}, "idempotency_key": format!("{caller}-{number}")}).to_string();
                    assert_eq!(server.invoke(ALICE, "t", &body).status, 200);
                    paid.fetch_add(1, Ordering::SeqCst);
                    number += 1;
                }
            });
        }
        while paid.load(Ordering::SeqCst) < 50 {
            std::thread::yield_now();
        }
        meanwhile(&server);
        is_over.store(true, Ordering::SeqCst);
    });
    assert_eq!(server.stop(), Some(0));
    paid.into_inner()
}

/// The books of a home agree with the calls in it: what the wallet spent is what the calls were charged.
fn tie_out(home: &Home) -> i64 {
    let one = |sql: &str| rows::of_home(home, sql)[0][0].parse::<i64>().unwrap();
    let charged = one("SELECT coalesce(sum(charged), 0) FROM invocation");
    let spent = one("SELECT sum(debits) FROM wallet_balance");
    assert_eq!(spent, charged, "every call's charge is in the books");
    let difference = "SELECT coalesce(sum(credits), 0) - coalesce(sum(debits), 0) FROM";
    assert_eq!(one(&format!("{difference} wallet_balance")) + one(&format!("{difference} hot_balance")), 0);
    verify(home.path());
    charged / 1_000_000
}

#[test]
fn a_backup_taken_under_load_restores_to_books_that_verify_and_tie_out() {
    let home = Home::on(Kind::Sqlite);
    let out = home.path().join("books.backup");
    let name = out.to_str().unwrap();
    let paid = under_load(&home, |_server| {
        let made = json_of(home.path(), &["backup", name]);
        assert_eq!((&made["audited"], made["bytes"].as_u64() > Some(4_096)), (&json!(true), true), "{made}");
        assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o600, "it holds what the database holds");
        let again = run(home.path(), &["backup", name]);
        assert!(again.exit == Some(1) && again.errors.contains("nothing is ever overwritten"), "{again:?}");
    });
    let told = json_of(home.path(), &["audit", "list", "--action", "books"]);
    assert_eq!(told["audit"][0]["object"], json!({"kind": "file", "id": "books.backup"}), "{told}");

    let elsewhere = Home::on(Kind::Sqlite);
    let restored = json_of(elsewhere.path(), &["restore", name]);
    let calls = tie_out(&elsewhere);
    assert!(restored["transactions"].as_i64().unwrap() >= calls, "{restored}");
    let paid = i64::try_from(paid).unwrap();
    assert!(calls >= 50 && calls < paid, "a moment in between: {calls} of {paid}");
    assert_eq!(tie_out(&home), paid, "and the original has gone on");
    let told = json_of(elsewhere.path(), &["audit", "list", "--action", "books.restore"]);
    assert_eq!(told["audit"][0]["object"]["id"], json!("books.backup"), "{told}");
    // It is a database like any other.
    let upstream = Upstream::answering("{}");
    let tools = tool("t", &upstream.url("/t"), 1, "success", 5_000);
    let server = Server::start(elsewhere.path(), &config(&tools, "", ""));
    assert_eq!(server.invoke(ALICE, "t", r#"{"arguments": {}}"#).status, 200);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(tie_out(&elsewhere), calls + 1);
    let again = run(elsewhere.path(), &["restore", name]);
    assert!(again.exit == Some(1) && again.errors.contains("nothing is ever overwritten"), "{again:?}");
    assert_eq!(tie_out(&elsewhere), calls + 1);
}

/// What stands in a folder, without what belongs to the database itself.
fn others(folder: &Path) -> Vec<String> {
    let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Runs a command that may write no file beyond `blocks` of 512 bytes: what is beyond fails, as on a full disk.
fn run_on_a_small_disk(folder: &Path, blocks: u32, arguments: &[&str]) -> super::Said {
    let mut shell = Command::new("sh");
    // Without the signal, which would end the program, a write that is too long says so.
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    shell.arg(tollgate_binary()).args(arguments);
    at_home(shell, folder).ended().unwrap().into()
}

#[test]
fn a_disk_that_fills_leaves_no_half_file() {
    let home = Home::on(Kind::Sqlite);
    under_load(&home, |_server| {});
    let (out, target) = (folder(), folder());
    let name = out.path().join("books.backup");
    let name = name.to_str().unwrap();
    let size = home.file().metadata().unwrap().len();
    let blocks = u32::try_from(size / 512 / 2).unwrap();
    let said = run_on_a_small_disk(home.path(), blocks, &["backup", name]);
    assert_eq!(said.exit, Some(1), "{said:?}");
    assert!(said.errors.contains("the copy cannot be made"), "{said:?}");
    assert_eq!(others(out.path()), Vec::<String>::new());
    assert_eq!(json_of(home.path(), &["audit", "list", "--action", "books"])["audit"], json!([]));

    json_of(home.path(), &["backup", name]);
    let said = run_on_a_small_disk(target.path(), blocks, &["restore", name]);
    assert!(said.exit == Some(1) && said.errors.contains("cannot be written"), "{said:?}");
    assert_eq!(others(&target.path().join("data")), ["tollgate.db.lock"]);
    json_of(target.path(), &["restore", name]);
    verify(target.path());
}

#[test]
fn what_is_no_backup_is_refused_and_nothing_is_left() {
    let home = Home::on(Kind::Sqlite);
    json_of(home.path(), &["account", "create", "--email", "a@example.com", "--credits", "1"]);
    let out = home.path().join("books.backup");
    json_of(home.path(), &["backup", out.to_str().unwrap()]);
    let whole = std::fs::read(&out).unwrap();
    let files = folder();
    let file = |name: &str, bytes: &[u8]| {
        let path = files.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let damaged = file("damaged", &whole);
    rows::connect(Path::new(&damaged))
        .execute_batch("DROP TRIGGER posting_no_update; UPDATE posting SET amount = amount + 1")
        .unwrap();
    let in_use = file("in-use", &whole);
    file("in-use-wal", b"something");
    let mut nonsense = whole.clone();
    nonsense[100..].fill(0x55);
    for (backup, exit, part) in [
        (file("text", b"no database at all"), 1, "is no SQLite database"),
        (file("empty", b""), 1, "is no SQLite database"),
        (files.path().join("missing").to_str().unwrap().to_owned(), 1, "there is no file"),
        (in_use, 1, "is not whole without"),
        (file("nonsense", &nonsense), 5, "is damaged"),
        (file("cut", &whole[..whole.len() / 2]), 5, "is damaged"),
        (damaged, 5, "are damaged: nothing was restored"),
    ] {
        let target = Home::on(Kind::Sqlite);
        let said = run(target.path(), &["restore", &backup]);
        assert!(said.exit == Some(exit) && said.errors.contains(part), "{backup}: {said:?}");
        assert_eq!(others(&target.path().join("data")), ["tollgate.db.lock"], "{backup}");
    }
    // What another database left would be taken for a part of this one.
    let target = Home::on(Kind::Sqlite);
    std::fs::create_dir(target.path().join("data")).unwrap();
    std::fs::write(target.path().join("data/tollgate.db-wal"), b"left behind").unwrap();
    let said = run(target.path(), &["restore", out.to_str().unwrap()]);
    assert!(said.exit == Some(1) && said.errors.contains("tollgate.db-wal` is there already"), "{said:?}");
}

#[test]
fn a_restore_waits_for_no_running_server_and_replaces_nothing() {
    let home = Home::on(Kind::Sqlite);
    let out = home.path().join("b");
    under_load(&home, |_server| {
        json_of(home.path(), &["backup", out.to_str().unwrap()]);
        let said = run(home.path(), &["restore", out.to_str().unwrap()]);
        assert!(said.exit == Some(1) && said.errors.contains("is there already"), "{said:?}");
    });
    tie_out(&home);
}

#[test]
fn on_postgresql_its_own_tools_make_the_backup_and_the_books_verify_after_it() {
    let home = Home::on(Kind::Postgres);
    for arguments in [["backup", "out"], ["restore", "in"]] {
        let said = run(home.path(), &arguments);
        let tool = if arguments[0] == "backup" { "pg_dump" } else { "pg_restore" };
        assert!(said.exit == Some(1) && said.errors.contains(tool), "{said:?}");
    }
    let out = home.path().join("books.dump");
    let elsewhere = Home::on(Kind::Postgres);
    let paid = under_load(&home, |_server| {
        // As docs/keeping.md says it.
        let url = home.database().unwrap().url();
        let mut dump = Command::new("pg_dump");
        dump.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(&out).arg(url);
        succeed(dump);
    });
    let url = elsewhere.database().unwrap().url();
    let mut restore = Command::new("pg_restore");
    restore.args(["--no-owner", "--no-privileges", "--exit-on-error", "--dbname"]).arg(url).arg(&out);
    succeed(restore);
    let calls = tie_out(&elsewhere);
    assert!(calls >= 50 && calls < i64::try_from(paid).unwrap(), "{calls} of {paid}");
    json_of(elsewhere.path(), &["account", "grant", "alice@example.com", "1", "--reason", "still here"]);
    verify(elsewhere.path());
}

fn succeed(mut command: Command) {
    let output = command.ended().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
