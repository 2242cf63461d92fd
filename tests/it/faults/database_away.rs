//! A database file that is locked, full or read-only while the program runs: callers get 503 and `Retry-After`, nothing
//! is half-written, and when the fault goes away so do the refusals.

use std::{
    collections::BTreeSet,
    process::Command,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use rusqlite::Connection;
use serde_json::{Value, json};
use tests::{
    connection::Caller,
    home::Kind,
    patience::Ends as _,
    patience::{SetOnDrop, wait_until},
    program::{Answer, Server, at_home},
    tollgate_binary,
    tools::tool,
};

use super::market::{Buyer, FIXED_MICROS, Market, Shares, racer};

fn buy(caller: &mut Caller, key: &str, work_ms: u64) -> Answer {
    let body = json!({ "arguments": { "key": key, "work_ms": work_ms }, "idempotency_key": key });
    caller.post("/invoke/acme/fixed", &body).unwrap()
}

fn check_refused(answer: &Answer) {
    assert_eq!(
        (answer.status, &answer.json["error"]["code"]),
        (503, &json!("database_unavailable")),
        "{}",
        answer.body
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("x-tollgate-credits-charged"), Some("0"));
    assert!(answer.json["detail"].is_string(), "{}", answer.body);
}

/// So many purchases are in the books, each with its share for everybody, and nothing else is there or is held.
fn check_books(market: &Market, purchases: i64) {
    market.verify();
    let mut expected = Shares::default();
    (0..purchases).for_each(|_| expected.add(Buyer::Account, FIXED_MICROS));
    assert_eq!(Shares::booked(market), expected);
    let books = market.books();
    for (what, sql) in [
        ("open holds", "SELECT count(*) FROM open_hold"),
        ("open calls", "SELECT count(*) FROM invocation WHERE state IN (1, 2)"),
        ("keys in flight", "SELECT count(*) FROM idem WHERE state = 1"),
    ] {
        assert_eq!(books.query_row(sql, [], |row| row.get::<_, i64>(0)), Ok(0), "{what}");
    }
}

/// What the upstream was asked for: the keys, in the order of their coming.
fn executed(market: &Market) -> Vec<Value> {
    market.upstream.log().iter().map(|received| received.arguments["key"].clone()).collect()
}

#[test]
fn a_locked_database_refuses_before_the_dispatch_and_waits_after_it() {
    let market = Market::open();
    let server = Server::start(market.folder());
    let mut caller = Buyer::Account.call(server.address());
    assert_eq!(buy(&mut caller, "before", 0).status, 200);

    let intruder = Connection::open(market.database()).unwrap();
    std::thread::scope(|scope| {
        let under_way = scope.spawn(|| buy(&mut Buyer::Account.call(server.address()), "under way", 300));
        wait_until("the upstream is at work", || executed(&market).contains(&json!("under way")).then_some(()));
        intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
        check_refused(&buy(&mut caller, "refused", 0));
        let unready = caller.get("/readyz").unwrap();
        assert_eq!((unready.status, unready.header("retry-after")), (503, Some("1")));
        assert_eq!(caller.get("/healthz").unwrap().status, 200);
        intruder.execute_batch("ROLLBACK").unwrap();
        let answer = under_way.join().unwrap();
        assert_eq!(answer.status, 200, "what was executed is charged as soon as it can be: {}", answer.body);
    });
    wait_until("the program recovers", || (caller.get("/readyz").unwrap().status == 200).then_some(()));
    assert_eq!(buy(&mut caller, "refused", 0).status, 200, "the refused key is free");
    assert_eq!(executed(&market), ["before", "under way", "refused"]);
    assert_eq!(server.stop(), Some(0));
    check_books(&market, 3);
}

/// The limit that the system sets on the size of a file is the disk that is full: it needs no rights, holds for a
/// running process, and can be lifted again. Beyond it a write fails as on a full disk, once the signal that goes with
/// it is ignored; the shell passes that on to the program.
#[test]
fn a_disk_that_is_full_refuses_until_there_is_space_again() {
    let market = Market::open();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" serve"]).arg(tollgate_binary());
    let server = Server::start_as(at_home(command, market.folder()));
    let limit = |bytes: &str| {
        let mut prlimit = Command::new(tool("prlimit"));
        prlimit.args(["--pid", &server.pid().to_string(), &format!("--fsize={bytes}:")]);
        assert!(prlimit.status().unwrap().success());
    };
    let mut caller = Buyer::Account.call(server.address());
    assert_eq!(buy(&mut caller, "before", 0).status, 200);
    let wal = format!("{}-wal", market.database().display());
    std::thread::scope(|scope| {
        let under_way = scope.spawn(|| buy(&mut Buyer::Account.call(server.address()), "under way", 300));
        wait_until("the upstream is at work", || executed(&market).contains(&json!("under way")).then_some(()));
        limit(&std::fs::metadata(wal).unwrap().len().to_string());
        for key in ["refused-1", "refused-2"] {
            check_refused(&buy(&mut caller, key, 0));
        }
        limit("unlimited");
        assert_eq!(under_way.join().unwrap().status, 200);
    });
    for key in ["refused-1", "refused-2", "before"] {
        assert_eq!(buy(&mut caller, key, 0).status, 200);
    }
    assert_eq!(executed(&market), ["before", "under way", "refused-1", "refused-2"]);
    assert_eq!(server.stop(), Some(0));
    check_books(&market, 4);
}

/// `strace` lets a run of the writer's writes fail: what a file system says that is full, has been remounted read-only
/// after an error, or has a broken disk.
#[test]
fn writes_that_fail_refuse_and_leave_nothing_behind() {
    const CLIENTS: i64 = 8;
    const PURCHASES: i64 = 25;
    const BOUGHT: usize = 200;
    for error in ["ENOSPC", "EROFS", "EIO"] {
        let market = Market::with_racers(Kind::Sqlite, &[0]);
        // A first run makes the database, so that the failing writes of the second are those of calls.
        market.make_database();
        let mut command = Command::new(tool("strace"));
        let failing = format!("inject=pwrite64:error={error}:when=200..230");
        command.args(["-D", "-f", "--seccomp-bpf", "-q", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", &failing]);
        command.arg(tollgate_binary()).arg("serve");
        let server = Server::start_as(at_home(command, market.folder()));
        let (is_over, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let all_have_bought = SetOnDrop(&is_over);
            let client = |client: i64| {
                let (mut caller, refused) = (Buyer::Account.call(server.address()), &refused);
                move || {
                    for number in 0..PURCHASES {
                        let key = format!("client-{client}-{number}");
                        // Until it is bought: a refused key is free.
                        wait_until(&key, || {
                            let answer = buy(&mut caller, &key, number.unsigned_abs() % 3 * 5);
                            let is_bought = answer.status == 200;
                            if !is_bought {
                                check_refused(&answer);
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                            is_bought.then_some(())
                        });
                    }
                }
            };
            let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(client(number))).collect();
            // Somebody without money is always about to begin a call, also while all the others are ending theirs.
            scope.spawn(|| {
                let mut caller = racer(server.address(), 0);
                while !is_over.load(Ordering::Acquire) {
                    let answer = buy(&mut caller, "poor", 0);
                    if answer.status != 402 {
                        check_refused(&answer);
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
            let ended: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
            drop(all_have_bought);
            ended.into_iter().for_each(Result::unwrap);
        });
        println!("{error}: {} calls refused", refused.load(Ordering::Relaxed));
        assert!(refused.load(Ordering::Relaxed) > 0, "{error}: no write failed");
        let keys: BTreeSet<String> = executed(&market).iter().map(ToString::to_string).collect();
        assert_eq!((keys.len(), executed(&market).len()), (BOUGHT, BOUGHT), "{error}");
        assert_eq!(server.stop(), Some(0));
        check_books(&market, CLIENTS * PURCHASES);
    }
}

#[test]
fn a_database_that_cannot_be_written_to_does_not_start_and_says_why() {
    let market = Market::open();
    market.make_database();
    let mut command = Command::new(tool("strace"));
    command.args(["-D", "-f", "--seccomp-bpf", "-q", "-o", "/dev/null", "-e", "trace=pwrite64"]);
    command.args(["-e", "inject=pwrite64:error=EROFS"]).arg(tollgate_binary()).arg("serve");
    let output = at_home(command, market.folder()).ended().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("database"), "{said}");
    market.verify();
}
