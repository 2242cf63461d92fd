//! `GET /ledger/export`: what the command writes, for whoever has an auditor's token.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::Ends as _,
    patience::{SetOnDrop, wait_until},
    program::{Answer, curl, tollgate},
    server::{ALICE, Server, config, tool},
    upstream::Upstream,
};

use super::{
    books::{Exported, check_manifest},
    read::{self, number},
};
use crate::rows;

on_both_databases!(
    an_auditor_gets_over_http_what_the_command_writes,
    only_auditors_get_anything_and_only_what_makes_sense,
    an_export_beside_a_busy_server_is_of_one_moment
);

/// A server with a paid tool, and an auditor's token.
fn open(home: &Home, upstream: &Upstream) -> (Server, String) {
    let tools = tool("paid", &upstream.url("/"), 50, "success", 5_000);
    let server = Server::start(
        home.path(),
        &config(&tools, "", "limits: {invoke_per_token_per_s: 100000, invoke_burst: 100000},"),
    );
    let arguments = ["operator", "create", "--role", "auditor", "--name", "Arthur", "--json"];
    let output = tollgate(home.path(), &arguments).ended().unwrap();
    let made: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let token = made["token"].as_str().unwrap().to_owned();
    (server, token)
}

fn get(server: &Server, token: &str, query: &str) -> Answer {
    let url = format!("{}/ledger/export?{query}", server.base_url());
    curl(&url, &["-H", &format!("authorization: Bearer {token}")])
}

/// What stands before the last line, and the manifest in the last line.
fn split(text: &str, format: &str) -> (String, Value) {
    let at = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
    let (content, last) = text.split_at(at);
    let manifest = match format {
        "jsonl" => last.trim_end().strip_prefix("{\"manifest\":").and_then(|rest| rest.strip_suffix('}')),
        "csv" => last.strip_prefix("# "),
        _ => last.strip_prefix("; "),
    };
    let manifest = serde_json::from_str(manifest.unwrap_or_else(|| panic!("no manifest: {last}"))).unwrap();
    check_manifest(&manifest, content);
    (content.to_owned(), manifest)
}

fn an_auditor_gets_over_http_what_the_command_writes(kind: Kind) {
    let (upstream, home) = (Upstream::answering(r#"{"done": true}"#), Home::on(kind));
    let (server, token) = open(&home, &upstream);
    for _ in 0..4 {
        assert_eq!(server.invoke(ALICE, "paid", "{}").status, 200);
    }
    for (query, format) in [
        ("format=csv", "csv"),
        ("report=postings&format=jsonl", "jsonl"),
        ("report=account-statement&account=alice%40example.com&format=csv", "csv"),
        ("report=publisher-statement&publisher=acme&format=csv", "csv"),
        ("report=trial-balance&format=csv", "csv"),
        ("report=revenue&format=jsonl", "jsonl"),
        ("format=hledger&full=true", "hledger"),
        ("format=beancount", "beancount"),
    ] {
        let answer = get(&server, &token, query);
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        assert_eq!(answer.header("transfer-encoding"), Some("chunked"), "{query}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{query}");
        let (content, manifest) = split(&answer.body, format);
        let mut arguments = vec![
            "ledger".to_owned(),
            "export".to_owned(),
            "--replace".to_owned(),
            "--json".to_owned(),
            "--out".to_owned(),
            "f".to_owned(),
        ];
        for (name, value) in query.split('&').map(|part| part.split_once('=').unwrap()) {
            arguments.push(format!("--{name}"));
            arguments.extend((name != "full").then(|| value.replace("%40", "@")));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let exported = Exported::of(&home.path().join("f"), &tollgate(home.path(), &arguments).ended().unwrap());
        assert_eq!((&exported.text, &exported.manifest), (&content, &manifest), "{query}");
    }
    // Both ways leave a trace, in a report of its own.
    let trail = get(&server, &token, "report=audit-trail&format=csv");
    let rows = read::csv(&split(&trail.body, "csv").0);
    let exports: Vec<_> = rows.iter().filter(|row| row["action"] == "export.create").collect();
    let by = |kind: &str| exports.iter().filter(|row| row["actor_kind"] == kind).count();
    assert_eq!((by("auditor"), by("operator")), (8 + 1, 8), "{exports:?}");
    // Whoever is meant is named by an identifier: the trail stays for ever, and addresses may have to be erased.
    assert!(exports.iter().all(|row| !row["after"].contains('@')), "{exports:?}");
    let owner = |of: &str| {
        let code = rows::of_home(&home, &format!("SELECT l.code FROM ledger_account l JOIN {of}"))[0][0].clone();
        code.rsplit(':').next().unwrap().to_owned()
    };
    let alice = owner("account a ON a.wallet = l.id WHERE a.email = 'alice@example.com'");
    let acme = owner("publisher p ON p.payable = l.id WHERE p.slug = 'acme'");
    assert!(alice.starts_with("acc_") && acme.starts_with("pub_"), "{alice} {acme}");
    for (kind, identifier) in [("account", alice), ("publisher", acme)] {
        let filter = json!({kind: identifier});
        let told = exports.iter().map(|row| serde_json::from_str::<Value>(&row["after"]).unwrap());
        let told: Vec<_> = told.filter(|told| told["filter"].get(kind).is_some()).collect();
        assert_eq!(told.len(), 2, "over HTTP and by the command: {told:?}");
        assert!(told.iter().all(|told| told["filter"] == filter), "{filter}: {told:?}");
    }
    let places: Vec<_> = rows.iter().map(|row| (number(row, "slot"), number(row, "seq"))).collect();
    assert!(places.is_sorted());
    server.verified_postings();
}

fn only_auditors_get_anything_and_only_what_makes_sense(kind: Kind) {
    let (upstream, home) = (Upstream::answering("{}"), Home::on(kind));
    let (server, token) = open(&home, &upstream);
    let url = format!("{}/ledger/export?format=csv", server.base_url());
    let nobody = curl(&url, &[]);
    assert_eq!((nobody.status, nobody.code()), (401, "missing_token"));
    for wrong in [ALICE, "faro_audit_nobodyhasthis0000000", "nonsense"] {
        let answer = get(&server, wrong, "format=csv");
        assert_eq!((answer.status, answer.code()), (401, "invalid_token"), "{wrong}");
    }
    for (query, field, said) in [
        ("", "format", "must be one of csv, jsonl, hledger, beancount"),
        ("format=xml", "format", "must be one of csv"),
        ("format=csv&report=all", "report", "must be one of journal, postings"),
        ("format=csv&from=2027-02-01&to=2027-01-01", "from", "must be after"),
        ("format=csv&period=2027-1", "period", "must be a month"),
        ("format=csv&period=2027-01&to=2027-02-01", "period", "cannot be used with"),
        ("format=hledger&report=postings", "report", "has the journal only"),
        ("format=csv&account=a&publisher=b", "account", "only one of"),
        ("format=csv&account=nobody", "account", "there is no account `nobody`"),
        ("format=csv&account=no%40example.com", "account", "there is no account `no@example.com`"),
        ("format=csv&full=perhaps", "full", "must be `true` or `false`"),
        ("format=csv&colour=red", "query", "there is no parameter `colour`"),
    ] {
        let answer = get(&server, &token, query);
        assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{query}: {}", answer.body);
        let fault = &answer.json["detail"][0];
        assert_eq!(fault["loc"].as_array().unwrap().last().unwrap(), field, "{query}: {fault}");
        assert!(fault["msg"].as_str().unwrap().contains(said), "{query}: {fault}");
    }
    let unknown = ["ledger", "export", "--format", "csv", "--out", "f", "--account", "no@example.com"];
    let refused = tollgate(home.path(), &unknown).ended().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    // What was refused was not given away, and is not told: but for this look at the trail there is no export.
    let trail = get(&server, &token, "report=audit-trail&format=csv");
    let rows = read::csv(&split(&trail.body, "csv").0);
    assert_eq!(rows.iter().filter(|row| row["action"] == "export.create").count(), 1, "{rows:?}");
    let posted = curl(&url, &["-X", "POST", "-H", &format!("authorization: Bearer {token}")]);
    assert_eq!((posted.status, posted.code()), (405, "method_not_allowed"));
    let fine = get(&server, &token, "format=csv");
    assert_eq!(fine.status, 200, "{}", fine.body);
}

/// Whatever is written meanwhile: an export holds every entry up to its position, and none after it.
fn an_export_beside_a_busy_server_is_of_one_moment(kind: Kind) {
    let (upstream, home) = (Upstream::answering("{}"), Home::on(kind));
    let (server, token) = open(&home, &upstream);
    let arguments = ["account", "grant", "alice@example.com", "1000000", "--reason", "many calls"];
    assert!(tollgate(home.path(), &arguments).ended().unwrap().status.success());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = SetOnDrop(&is_over);
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let answer = server.invoke(ALICE, "paid", "{}");
                    // On a machine that is busier than it should be a call may be turned away.
                    assert!(matches!(answer.status, 200 | 503), "{}", answer.body);
                }
            });
        }
        let mut before = 0;
        for round in 0..6 {
            // A hold is in the books before its call reaches the upstream, and three may have been on their way.
            let seen = upstream.count("/");
            wait_until("further calls", || (upstream.count("/") > seen + 3).then_some(()));
            let (content, manifest) = match round % 2 {
                0 => split(&get(&server, &token, "report=journal&format=jsonl").body, "jsonl"),
                _ => {
                    let arguments = [
                        "ledger",
                        "export",
                        "--json",
                        "--replace",
                        "--report",
                        "journal",
                        "--format",
                        "jsonl",
                        "--out",
                        "busy",
                    ];
                    let output = tollgate(home.path(), &arguments).ended().unwrap();
                    let exported = Exported::of(&home.path().join("busy"), &output);
                    (exported.text, exported.manifest)
                }
            };
            let rows = read::jsonl(&content);
            for at in manifest["position"].as_array().unwrap() {
                let (slot, last) = (at["slot"].to_string(), i128::from(at["seq"].as_i64().unwrap()));
                let of_slot = rows.iter().filter(|row| row["slot"] == slot).map(|row| number(row, "seq"));
                assert!(of_slot.eq(1..=last), "round {round}, slot {slot}");
            }
            assert!(rows.len() > before, "round {round}: nothing was written meanwhile");
            before = rows.len();
        }
    });
    server.verified_postings();
}
