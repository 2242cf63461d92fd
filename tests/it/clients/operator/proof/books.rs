//! Books in which everything has happened, made by the real program.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    patience::wait_until,
    server::{ALICE, BOB, Server, config, tool},
    upstream::{Upstream, json_answer},
};

use super::super::{json_of, run};

/// Whose token pays where nothing else is said.
pub(super) const PAYER: &str = ALICE;
pub(super) const AUDITOR: &str = "auditor@example.net";

/// A home with a running server. The upstream's path decides what becomes of a call.
pub(super) struct Books {
    pub(super) home: Home,
    pub(super) server: Option<Server>,
    upstream: Upstream,
    settings: String,
}

impl Books {
    /// With a server that makes a checkpoint every so many seconds.
    pub(super) fn open(kind: Kind, every_s: u32) -> Self {
        let upstream = Upstream::start(|received, stream| {
            use std::io::Write as _;
            match received.path.as_str() {
                "/fails" => stream.write_all(json_answer("500 Oh", "{}").as_bytes()).is_ok(),
                // Nobody knows what became of it.
                "/gone" => false,
                _ => stream.write_all(json_answer("200 OK", "{\"ok\": true}").as_bytes()).is_ok(),
            }
        });
        let tools: String = [("paid", 50), ("fails", 20), ("gone", 7)]
            .map(|(name, credits)| tool(name, &upstream.url(&format!("/{name}")), credits, "success", 5_000))
            .concat();
        let partners = "{name: 'Globex', token: 'faro_partner_globex-00', margin_bps: 500, funding: 'partner', \
                        grant_credits: 1000, caps: [{per: 'end_user', window: 'day', credits: 500}]}, \
                        {name: 'Initech', token: 'faro_partner_initech-0', margin_bps: 500, funding: 'per_user', \
                        grant_credits: 1000}";
        let ledger = format!("ledger: {{checkpoint_every_s: {every_s}, auditors: ['{AUDITOR}']}},");
        let settings = config(&tools, partners, &ledger);
        let home = Home::on(kind);
        let server = Some(Server::start(home.path(), &settings));
        let books = Self { home, server, upstream, settings };
        // The first checkpoint is made as soon as there is anything, which a catalog is.
        books.kept(1);
        books
    }

    pub(super) fn path(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn server(&self) -> &Server {
        self.server.as_ref().expect("the server has been stopped")
    }

    /// The server goes, and its database stays.
    pub(super) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
        assert!(!self.upstream.received().is_empty(), "nothing has happened");
    }

    pub(super) fn restart(&mut self) {
        self.stop();
        self.server = Some(Server::start(self.home.path(), &self.settings));
    }

    /// Calls of every kind, purchases and grants. Returns a call that was paid.
    pub(super) fn let_everything_happen(&self) -> String {
        let server = self.server();
        let paid = server.invoke(ALICE, "paid", "{\"arguments\": {\"q\": \"x\"}, \"idempotency_key\": \"once\"}");
        assert_eq!(paid.status, 200, "{}", paid.body);
        for (tool, status) in [("fails", 502), ("gone", 504), ("paid", 200)] {
            let answer = server.invoke(BOB, tool, "{}");
            assert_eq!(answer.status, status, "{tool}: {}", answer.body);
        }
        let refused = (0..3).map(|_| server.invoke(BOB, "paid", "{}").status).last();
        assert_eq!(refused, Some(402));
        let headers = [("authorization", "Bearer faro_partner_globex-00"), ("x-faro-user", "u1")];
        assert_eq!(server.send("POST", "/invoke/acme/paid", &headers, "{}").status, 200);
        let headers = [("authorization", "Bearer faro_partner_initech-0"), ("x-faro-user", "u2")];
        assert_eq!(server.send("POST", "/invoke/acme/paid", &headers, "{}").status, 402, "it has nothing yet");
        let moved = r#"{"credits": 60, "idempotency_key": "once"}"#;
        let fund = "/partners/users/u2/fund";
        assert_eq!(server.send("POST", fund, &headers, moved).status, 201);
        assert_eq!(server.send("POST", "/invoke/acme/paid", &headers, "{}").status, 200);
        json_of(self.path(), &["account", "grant", "bob@example.com", "3", "--reason", "thanks"]);
        paid.header("x-tollgate-invocation-id").expect("its name").to_owned()
    }

    /// A checkpoint over everything that was recorded until now.
    pub(super) fn checkpoint(&self) -> Value {
        json_of(self.path(), &["ledger", "checkpoint"])
    }

    /// The checkpoints outside of the database, once this one is among them.
    pub(super) fn kept_with(&self, checkpoint: &Value) -> PathBuf {
        self.kept(usize::try_from(checkpoint["number"].as_u64().unwrap()).unwrap())
    }

    /// The checkpoints outside of the database, once there are so many.
    pub(super) fn kept(&self, count: usize) -> PathBuf {
        let file = self.path().join("data/checkpoints/checkpoints.jsonl");
        wait_until(&format!("{count} checkpoints in a file"), || {
            (fs::read_to_string(&file).ok()?.lines().count() >= count).then_some(())
        });
        file
    }

    /// What `ledger verify` with these arguments says; its exit code must be that of its verdict.
    pub(super) fn verify(&self, arguments: &[&str]) -> Value {
        let said = run(self.path(), &[&["ledger", "verify", "--json"], arguments].concat());
        let report = said.json();
        assert_eq!(said.exit, Some(if report["ok"] == json!(true) { 0 } else { 5 }), "{said:?}");
        report
    }
}

/// The kinds of the problems in a report, with their tables.
pub(super) fn kinds(report: &Value) -> Vec<(String, String)> {
    let word = |problem: &Value, name: &str| problem[name].as_str().unwrap().to_owned();
    report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (word(problem, "kind"), word(problem, "table")))
        .collect()
}
