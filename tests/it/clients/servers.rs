//! Several servers on one PostgreSQL database: whatever one does holds for all.

use std::{path::Path, sync::mpsc};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    patience::Ends as _,
    patience::wait_until,
    postgres::{Cluster, TestDatabase},
    program::{folder, tollgate},
    server::{ALICE, Server, config, tool},
    upstream::{Upstream, hang},
};

/// A database, and as many folders with the same configuration as there are servers.
struct Site {
    database: TestDatabase<'static>,
    folders: Vec<TempDir>,
    settings: String,
}

impl Site {
    fn new(tools: &str, servers: usize) -> Self {
        let database = Cluster::shared().database();
        // The same master key: sessions and credentials are good on every server.
        let more = format!("database: {{url: '{}'}}, limits: {{unknown_resolve_after_s: 600}},", database.url());
        let folders = (0..servers).map(|_| folder()).collect();
        Self { database, folders, settings: config(tools, "", &more) }
    }

    fn folder(&self, number: usize) -> &Path {
        self.folders[number].path()
    }

    fn start(&self, number: usize) -> Server {
        Server::start(self.folder(number), &self.settings)
    }

    /// What a command prints, which must succeed.
    fn command(&self, arguments: &[&str]) -> Value {
        let output = tollgate(self.folder(0), arguments).arg("--json").ended().unwrap();
        let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{errors}");
        serde_json::from_str(&out).unwrap()
    }
}

#[test]
fn a_wallet_is_one_wallet_on_all_servers_and_a_key_one_key() {
    let upstream = Upstream::answering(r#"{"done": true}"#);
    let site = Site::new(&tool("paid", &upstream.url("/"), 50, "success", 5_000), 2);
    let servers = [site.start(0), site.start(1)];
    for server in &servers {
        assert_eq!(server.invoke(ALICE, "paid", "{}").status, 200);
    }
    let keyed = r#"{"idempotency_key": "k"}"#;
    let first = servers[0].invoke(ALICE, "paid", keyed);
    let second = servers[1].invoke(ALICE, "paid", keyed);
    assert_eq!((first.status, second.status), (200, 200), "{}", second.body);
    assert_eq!((second.header("idempotent-replayed"), &second.body), (Some("true"), &first.body));
    assert_eq!(upstream.count("/"), 3, "the replay reached no upstream");
    for server in &servers {
        assert_eq!(server.balance(ALICE)["balance"], json!(10_000 - 3 * 50));
    }
    // Two grants, and three charges that go to publisher and platform.
    assert_eq!(servers[0].verified_postings(), 2 + 3 * 2);
    let balance = servers[1].ledger("trial-balance");
    let earned = |code: &str| {
        let rows = balance["accounts"].as_array().unwrap().iter();
        rows.filter(|row| row["code"].as_str().unwrap().starts_with(code))
            .map(|row| row["balance_micros"].clone())
            .collect()
    };
    let (publisher, platform): (Vec<Value>, Vec<Value>) =
        (earned("liabilities:payable:"), earned("revenue:platform:fee"));
    assert_eq!((publisher, platform), (vec![json!("120000000")], vec![json!("30000000")]), "{balance}");
}

#[test]
fn callers_of_two_servers_cannot_spend_what_is_not_there() {
    let upstream = Upstream::answering("{}");
    // Alice's 10,000 credits are worth 16 calls.
    let site = Site::new(&tool("dear", &upstream.url("/"), 600, "success", 5_000), 2);
    let servers = [site.start(0), site.start(1)];
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..32)
            .map(|caller| {
                let server = &servers[caller % 2];
                scope.spawn(move || server.invoke(ALICE, "dear", "{}").status)
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(402)), (16, 16), "{statuses:?}");
    assert_eq!(upstream.count("/"), 16);
    assert_eq!(servers[0].balance(ALICE)["balance"], json!(400));
    assert_eq!(servers[1].verified_postings(), 2 + 16 * 2);
}

#[test]
fn a_change_is_followed_by_every_server_within_a_second() {
    let upstream = Upstream::answering("{}");
    let site = Site::new(&tool("paid", &upstream.url("/"), 50, "success", 5_000), 2);
    let servers = [site.start(0), site.start(1)];
    let made = site.command(&["account", "create", "--email", "ann@example.com", "--credits", "500"]);
    let token = made["token"].as_str().unwrap();
    for server in &servers {
        assert_eq!(server.invoke(token, "paid", "{}").status, 200, "known at once");
    }
    let tokens = servers[0].get(token, "/tokens/").json;
    let own = format!("/tokens/{}", tokens[0]["id"].as_str().unwrap_or_else(|| panic!("{tokens}")));
    let revoked = servers[0].send("DELETE", &own, &[("authorization", &format!("Bearer {token}"))], "");
    assert!(revoked.status < 300, "{}", revoked.body);
    for server in &servers {
        let (_, took) = wait_until("the revoked token is refused", || {
            (server.invoke(token, "paid", "{}").status == 401).then_some(())
        });
        println!("a revoked token was refused after {} ms", took.as_millis());
    }

    let dearer = config(&tool("paid", &upstream.url("/"), 70, "success", 5_000), "", "");
    std::fs::write(site.folder(0).join("dearer.json5"), dearer.replacen('{', &site.place(), 1)).unwrap();
    site.command(&["apply", "dearer.json5"]);
    for server in &servers {
        let (_, took) = wait_until("the new price is charged", || {
            (server.invoke(ALICE, "paid", "{}").json["credits_charged"] == json!(70)).then_some(())
        });
        println!("a new price was charged after {} ms", took.as_millis());
    }
    site.command(&["account", "grant", "alice@example.com", "5", "--reason", "thanks"]);
    servers[0].verified_postings();
}

#[test]
fn the_calls_of_a_dead_server_are_settled_by_another_one() {
    let (tell, told) = mpsc::sync_channel(2);
    let upstream = Upstream::start(move |_, stream| {
        tell.send(()).unwrap();
        hang(stream);
        false
    });
    let tools = format!(
        "{}{}",
        tool("slow", &upstream.url("/slow"), 50, "success", 60_000),
        tool("attempt", &upstream.url("/attempt"), 30, "attempt", 60_000)
    );
    let site = Site::new(&tools, 2);
    let (dying, living) = (site.start(0), site.start(1));
    std::thread::scope(|scope| {
        for tool in ["slow", "attempt"] {
            let address = dying.address();
            scope.spawn(move || {
                let bytes = tests::wire::request(
                    "POST",
                    &format!("/invoke/acme/{tool}"),
                    &[("authorization", &format!("Bearer {ALICE}"))],
                    "{}",
                );
                tests::wire::send(address, bytes.as_bytes())
            });
        }
        told.recv().unwrap();
        told.recv().unwrap();
        assert_eq!(living.balance(ALICE)["reserved"], json!(80), "the living server leaves them alone");
        dying.kill();
    });
    wait_until("the dead server's calls are settled", || (living.balance(ALICE)["reserved"] == json!(0)).then_some(()));
    assert_eq!(living.balance(ALICE)["balance"], json!(10_000 - 30), "by the rule of each tool");
    living.verified_postings();
    let open = site.database.query("SELECT (SELECT count(*) FROM open_hold), (SELECT count(*) FROM open_call)");
    assert_eq!(open, "0|0");
    // The slot is free again: the server comes back in it, or in another one.
    let back = site.start(0);
    assert_eq!(back.balance(ALICE)["balance"], json!(10_000 - 30));
}

impl Site {
    /// The beginning of a configuration with this database.
    fn place(&self) -> String {
        format!("{{database: {{url: '{}'}}, ", self.database.url())
    }
}
