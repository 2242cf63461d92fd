//! PostgreSQL itself is killed while callers pay: nothing that was answered is lost, nothing is charged twice, and the
//! servers are back by themselves.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tests::{
    connection::Caller,
    environment::extent,
    patience::{SetOnDrop, pause, wait_until},
    postgres::Cluster,
    program::folder,
    server::{ALICE, Server, config, tool},
    upstream::Upstream,
};

const CALLERS: usize = 8;

/// The answers to one key, in their order.
type Answers = Vec<(u16, String)>;

#[test]
fn a_database_that_is_killed_under_load_loses_nothing_that_was_answered() {
    let upstream = Upstream::answering(r#"{"done": true}"#);
    let cluster = Cluster::start();
    let database = cluster.database();
    let settings = config(
        &tool("paid", &upstream.url("/"), 1, "success", 5_000),
        "",
        &format!(
            "database: {{url: '{}'}}, limits: {{invoke_per_token_per_s: 100000, invoke_burst: 100000}},",
            database.url()
        ),
    );
    let folders = [folder(), folder()];
    let servers: Vec<_> = folders.iter().map(|folder| Server::start(folder.path(), &settings)).collect();
    let (is_over, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    let told: Mutex<BTreeMap<usize, Answers>> = Mutex::default();
    let kills = extent().pick(3, 20);
    std::thread::scope(|scope| {
        let _stop = SetOnDrop(&is_over);
        for caller in 0..CALLERS {
            let (servers, is_over, next, told) = (&servers, &is_over, &next, &told);
            scope.spawn(move || {
                let (address, token) = (servers[caller % servers.len()].address(), format!("Bearer {ALICE}"));
                let mut client = Caller::new(&address.to_string(), &[("authorization", &token)]);
                while !is_over.load(Ordering::SeqCst) {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let answers = call(&mut client, number, is_over);
                    told.lock().unwrap().insert(number, answers);
                }
            });
        }
        for _ in 0..kills {
            let before = next.load(Ordering::SeqCst);
            wait_until("callers are served", || (next.load(Ordering::SeqCst) > before + 4 * CALLERS).then_some(()));
            cluster.kill();
            pause(Duration::from_millis(300));
            cluster.restart();
            for server in &servers {
                let (_, took) = wait_until("the server is back by itself", || {
                    (server.get(ALICE, "/credits/balance").status == 200).then_some(())
                });
                println!("a server was back {} ms after the database", took.as_millis());
            }
        }
    });
    let told = told.into_inner().unwrap();
    let mut last: BTreeMap<u16, usize> = BTreeMap::new();
    for (number, answers) in &told {
        let (status, body) = answers.last().unwrap();
        *last.entry(*status).or_default() += 1;
        // Once answered, always answered the same.
        let again = servers[number % servers.len()].invoke(ALICE, "paid", &body_of(*number));
        if *status == 200 {
            assert_eq!((again.status, &again.body), (200, body), "key {number}: {answers:?}");
        }
    }
    println!("{} keys, {kills} kills; last answers by status {last:?}", told.len());
    assert!(last.get(&200).copied().unwrap_or_default() > kills * CALLERS, "{last:?}");

    let mut executed: BTreeMap<String, usize> = BTreeMap::new();
    for received in upstream.received() {
        *executed.entry(received.header("idempotency-key").unwrap().to_owned()).or_default() += 1;
    }
    let doubled: Vec<_> = executed.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "executed more than once: {doubled:?}");
    let charged = database.query(
        "SELECT count(*) || ' ' || count(DISTINCT key) || ' ' || coalesce(sum(charged), 0) FROM invocation WHERE charged > 0",
    );
    let words: Vec<usize> = charged.split(' ').map(|word| word.parse().unwrap()).collect();
    assert_eq!((words[0], words[2]), (words[1], words[1] * 1_000_000), "one charge for a key");
    let answered = told.values().filter(|answers| answers.iter().any(|(status, _)| *status == 200)).count();
    assert!(words[1] >= answered, "{answered} keys were answered, {} are charged", words[1]);
    servers[0].verified_postings();
}

fn body_of(number: usize) -> String {
    format!(r#"{{"idempotency_key": "key-{number}"}}"#)
}

/// Tries one key until it is answered for good: a result, or that nobody knows.
fn call(client: &mut Caller, number: usize, is_over: &AtomicBool) -> Answers {
    let mut answers = Vec::new();
    loop {
        let answer = client.ask("POST", "/invoke/acme/paid", &body_of(number)).unwrap();
        assert!(matches!(answer.status, 200 | 409 | 503 | 504), "key {number}: {} {}", answer.status, answer.body);
        let is_final = matches!(answer.status, 200 | 504);
        answers.push((answer.status, answer.body));
        if is_final || is_over.load(Ordering::SeqCst) {
            return answers;
        }
        pause(Duration::from_millis(20));
    }
}
