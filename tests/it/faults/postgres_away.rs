//! PostgreSQL goes away under the load of two servers and stays away: whoever needs it is refused at once, nothing piles up,
//! and both servers are back by themselves.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tests::{
    connection::Caller,
    environment::extent,
    patience::{SetOnDrop, pause, wait_until},
    postgres::Cluster,
    program::{Answer, folder},
    server::{ALICE, Server, config, tool},
    upstream::Upstream,
};

/// After a refusal a caller waits for so long: the tests beside this one need the machine, too.
const BETWEEN_REFUSALS: Duration = Duration::from_millis(10);

/// By how much a server may grow while the database is away, in KiB: what an allocator keeps for itself.
const GROWTH_KIB_MAX: u64 = 32 * 1024;

const CALLERS: usize = 8;

fn is_refusal(answer: &Answer) -> bool {
    answer.status == 503
        && answer.json["error"]["code"] == json!("database_unavailable")
        && answer.header("retry-after") == Some("1")
}

/// How much memory the process has, in KiB.
fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Everything that a caller asks for needs the database: paid calls with and without a key, free calls with one, reads.
fn ask(caller: &mut Caller, turn: usize, keyed: &str) -> Answer {
    let answer = match turn % 4 {
        0 => caller.ask("POST", "/invoke/acme/paid", keyed),
        1 => caller.ask("POST", "/invoke/acme/paid", "{}"),
        2 => caller.ask("POST", "/invoke/acme/free", keyed),
        _ => caller.get("/credits/balance"),
    };
    answer.unwrap()
}

#[test]
fn while_the_database_is_away_everybody_is_refused_at_once() {
    let (upstream, cluster, home) = (Upstream::answering("{}"), Cluster::start(), folder());
    let database = cluster.database();
    let more = format!(
        "database: {{url: '{}'}}, limits: {{invoke_per_token_per_s: 1000000, invoke_burst: 1000000}},",
        database.url()
    );
    let tools =
        [tool("paid", &upstream.url("/"), 1, "success", 5_000), tool("free", &upstream.url("/"), 0, "success", 5_000)];
    let servers = [(); 2].map(|()| Server::start(home.path(), &config(&tools.concat(), "", &more)));
    let seconds = extent().pick(4, 60);
    let (is_over, is_away, refused) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
    let next = AtomicUsize::new(0);
    let longest = [const { AtomicU64::new(0) }; 4];
    // The keys that have been answered with a result, and the call that it was.
    let told: Mutex<BTreeMap<String, String>> = Mutex::default();
    std::thread::scope(|scope| {
        let _stop = SetOnDrop(&is_over);
        for caller in 0..CALLERS {
            let (server, next, told) = (&servers[caller % 2], &next, &told);
            let (is_over, is_away, refused, longest) = (&is_over, &is_away, &refused, &longest);
            scope.spawn(move || {
                let token = format!("Bearer {ALICE}");
                let mut client = Caller::new(&server.address().to_string(), &[("authorization", &token)]);
                // Two callers of two servers begin with the same request.
                for turn in caller / 2.. {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    let key = format!("key-{}", next.fetch_add(1, Ordering::SeqCst));
                    let was_away = is_away.load(Ordering::SeqCst);
                    let asked = Instant::now();
                    let answer = ask(&mut client, turn, &json!({"idempotency_key": key}).to_string());
                    // A call that was at its upstream when the database went away has no outcome to tell of.
                    let is_fine = matches!(answer.status, 200 | 504) || is_refusal(&answer);
                    assert!(is_fine, "{} {}", answer.status, answer.body);
                    if was_away && is_away.load(Ordering::SeqCst) {
                        assert!(is_refusal(&answer), "{} {}", answer.status, answer.body);
                        longest[turn % 4].fetch_max(asked.elapsed().as_micros().try_into().unwrap(), Ordering::SeqCst);
                        refused.fetch_add(1, Ordering::SeqCst);
                        pause(BETWEEN_REFUSALS);
                    }
                    if answer.status == 200 && matches!(turn % 4, 0) {
                        told.lock().unwrap().insert(key, answer.body);
                    }
                }
            });
        }
        wait_until("callers are served", || (told.lock().unwrap().len() > CALLERS).then_some(()));
        cluster.kill();
        is_away.store(true, Ordering::SeqCst);
        pause(Duration::from_secs(1));
        let resident = || servers.each_ref().map(|server| resident_kib(server.pid()));
        let (before_kib, before) = (resident(), refused.load(Ordering::SeqCst));
        pause(Duration::from_secs(seconds));
        let (after_kib, after) = (resident(), refused.load(Ordering::SeqCst));
        is_away.store(false, Ordering::SeqCst);
        println!("{} refusals in {seconds} s, the longest after {longest:?} µs", after - before);
        println!("{before_kib:?} KiB when it was gone, then {after_kib:?}");
        // How soon is printed: other tests share the machine. Whoever waited for the database would be refused never.
        assert!(after - before > u64::try_from(CALLERS).unwrap(), "only {} refusals", after - before);
        for (before_kib, after_kib) in before_kib.into_iter().zip(after_kib) {
            assert!(after_kib < before_kib + GROWTH_KIB_MAX, "a server grew from {before_kib} to {after_kib} KiB");
        }
        for server in &servers {
            let ready = server.send("GET", "/readyz", &[], "");
            assert_eq!((ready.status, server.send("GET", "/healthz", &[], "").status), (503, 200), "{}", ready.body);
        }
        cluster.restart();
        for server in &servers {
            let (_, took) = wait_until("the server is back by itself", || {
                let is_back = server.get(ALICE, "/credits/balance").status == 200
                    && server.invoke(ALICE, "paid", "{}").status == 200;
                is_back.then_some(())
            });
            println!("a server was back {} ms after the database, or after the one before it", took.as_millis());
        }
    });
    // Whichever server is asked: the keys are everybody's.
    for (server, (key, body)) in servers.iter().cycle().zip(told.into_inner().unwrap()) {
        let again = server.invoke(ALICE, "paid", &json!({"idempotency_key": key}).to_string());
        assert_eq!((again.status, again.body), (200, body), "{key}");
    }
    // Both write into the log of their folder. Who could not do something for that reason may say so, too.
    let log = servers[0].log();
    let said = |what: &str| log.lines().filter(|line| line.contains(&format!("news: {what}"))).count();
    assert_eq!((said("the database is away"), said("the database is back")), (2, 2), "{log}");
    servers[0].verified_postings();
}
