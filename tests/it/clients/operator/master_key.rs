//! A new master key: everything that was sealed under the old one works under it, however often the rotation is cut short.

use std::{
    fs,
    io::Write as _,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::Path,
    process::Command,
};

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use tests::{
    binary::binary_with_failpoints,
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::{Operator, OperatorConsole},
    patience::Ends as _,
    patience::wait_until,
    program::{Answer, at_home},
    server::ALICE,
    upstream::{Upstream, json_answer},
    wire,
};

use super::{json_of, run, verify};
use crate::rows;

/// How a failpoint ends the process.
const SIGABRT: i32 = 6;

on_both_databases!(everything_follows_a_new_master_key, a_wrong_key_changes_nothing_and_a_lost_one_is_given_up,);

const GLOBEX: &str = "faro_partner_globex00";
const SECRET: &str = "Bearer quetzalcoatlus-0123456789";
/// What one namespace carries instead.
const OWN_SECRET: &str = "Bearer xiuhcoatl-9876543210";
const HOOK: &str = "the only one";

/// What is sealed, as it stands in the database.
fn sealed(home: &Home) -> Vec<Vec<String>> {
    let tables = [
        ("connection", "credential"),
        ("namespace", "credential"),
        ("signing_key", "wrapped"),
        ("kept_key", "sealed"),
        ("payload", "arguments"),
        ("payload", "answer"),
    ];
    tables.iter().flat_map(|(table, column)| rows::of_home(home, &format!("SELECT {column} FROM {table}"))).collect()
}

struct House {
    home: Home,
    upstream: Upstream,
    receiver: Upstream,
}

/// The secret of a webhook, and its path.
struct Hook {
    id: String,
    secret: String,
}

impl House {
    fn open(kind: Kind) -> Self {
        let upstream = Upstream::start(|received, stream| {
            let told = json!({"said": "pomegranate", "path": received.path});
            stream.write_all(json_answer("200 OK", &told.to_string()).as_bytes()).is_ok()
        });
        Self { home: Home::on(kind), upstream, receiver: Upstream::answering("{}") }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn start(&self) -> OperatorConsole {
        let tool = json!({
            "name": "kept",
            "upstream": {"kind": "http", "url": self.upstream.url("/kept")},
            "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": 50},
        });
        let configuration = json!({
            "allow_fixture_secrets": true,
            "egress": {"allow_private": true},
            "payloads": {"tools": ["acme/kept"], "keep_s": 3600, "bytes_max": 400},
            "catalog": {
                "publishers": [{
                    "id": "acme", "display_name": "Acme", "share_bps": 8000,
                    "namespaces": [{"name": "acme", "description": "x", "tools": [tool]}],
                }],
                "accounts": [{
                    "email": "alice@example.com", "verified": true, "grant_credits": 1000,
                    "tokens": [{"name": "t", "token": ALICE}],
                }],
                "partners": [{"name": "Globex", "token": GLOBEX, "margin_bps": 500, "grant_credits": 1000}],
            },
        });
        OperatorConsole::start_with(self.path(), &configuration)
    }

    /// The file of the master key in use.
    fn key(&self) -> std::path::PathBuf {
        self.path().join("data/master.key")
    }

    /// Puts another master key into the place of the one in use, which stands in the file that is given back.
    fn replace_key(&self, letter: &str) -> String {
        let old = self.path().join(format!("old-{letter}.key"));
        fs::rename(self.key(), &old).unwrap();
        write_key(&self.key(), letter);
        old.display().to_string()
    }

    fn rotate(&self, old: &str) -> Value {
        json_of(self.path(), &["master-key", "rotate", "--old-key-file", old])["rotated"].clone()
    }
}

/// 32 bytes of this hexadecimal digit.
fn write_key(path: &Path, letter: &str) {
    fs::write(path, letter.repeat(64)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn ask(console: &OperatorConsole, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let headers = [("authorization", &*format!("Bearer {token}")), ("x-faro-user", "ann")];
    let headers = if token == GLOBEX && path.starts_with("/invoke") { &headers[..] } else { &headers[..1] };
    let bytes = wire::request(method, path, headers, &text);
    wire::send(console.address(), bytes.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

fn done(console: &OperatorConsole, token: &str, method: &str, path: &str, body: &Value) -> Value {
    let answer = ask(console, token, method, path, body);
    assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
    answer.json
}

/// A call whose payload is kept; its identifier.
fn call_kept(console: &OperatorConsole) -> String {
    let answer = ask(console, ALICE, "POST", "/invoke/acme/kept", &json!({"arguments": {"fruit": "mangosteen"}}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.header("x-tollgate-invocation-id").unwrap().to_owned()
}

/// The secret of a publisher's server, which the namespace `desk` carries, and that of the namespace `attic` itself.
fn make_credentials(house: &House, console: &OperatorConsole) {
    done(console, ALICE, "POST", "/publishers/register", &json!({"display_name": "Alice"}));
    let server = json!({"label": "L", "connection_type": "rest", "base_url": house.upstream.url("/v1")});
    let made = done(console, ALICE, "POST", "/connections/", &server);
    let id = made["id"].as_str().unwrap();
    let secret =
        |secret: &str| json!({"api_key": secret, "key_identifier": "Authorization", "param_location": "header"});
    done(console, ALICE, "PUT", &format!("/connections/{id}/credentials"), &secret(SECRET));
    for namespace in ["desk", "attic"] {
        done(console, ALICE, "POST", "/namespaces/", &json!({"namespace": namespace, "connection_id": id}));
        let tool = json!({"name": "look", "rest_method": "GET", "rest_path": format!("/{namespace}")});
        done(console, ALICE, "POST", &format!("/namespaces/{namespace}/tools/rest"), &tool);
    }
    done(console, ALICE, "PUT", "/namespaces/attic/credentials", &secret(OWN_SECRET));
}

/// The secrets as they arrive at the publisher's server: of the connection, and of the namespace.
fn injected(house: &House, console: &OperatorConsole) -> [Option<String>; 2] {
    ["desk", "attic"].map(|namespace| {
        done(console, ALICE, "POST", &format!("/invoke/{namespace}/look"), &json!({"arguments": {}}));
        let path = format!("/v1/{namespace}");
        let received = house.upstream.received();
        let looked = received.iter().rfind(|received| received.path == path).unwrap();
        looked.header("authorization").map(str::to_owned)
    })
}

/// That both arrive as they were set.
fn assert_injected(house: &House, console: &OperatorConsole) {
    assert_eq!(injected(house, console), [SECRET, OWN_SECRET].map(|secret| Some(secret.to_owned())));
}

fn hook(house: &House, console: &OperatorConsole) -> Hook {
    let wanted = json!({"url": house.receiver.url("/told"), "idempotency_key": HOOK});
    let made = done(console, GLOBEX, "POST", "/partners/webhooks", &wanted);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Hook { id: text("id"), secret: text("secret") }
}

/// That what came last was signed with this secret.
fn assert_signed(house: &House, hook: &Hook) {
    let received = house.receiver.received().pop().unwrap();
    let timestamp = received.header("x-tollgate-timestamp").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, hook.secret.as_bytes());
    let signature = hmac::sign(&key, format!("{timestamp}.{}", received.body).as_bytes());
    let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(received.header("x-tollgate-signature"), Some(&*format!("v1={digits}")));
}

/// Lets the partner be told of something once.
fn be_told(house: &House, console: &OperatorConsole) {
    done(console, GLOBEX, "PUT", "/partners/caps/end_user/day", &json!({"credits": 100}));
    let alert = json!({"applies_to": "each_end_user", "window": "day", "percent": 25});
    done(console, GLOBEX, "POST", "/partners/alerts", &alert);
    done(console, GLOBEX, "POST", "/invoke/acme/kept", &json!({"arguments": {}}));
    wait_until("the partner is told", || (house.receiver.count("/told") == 1).then_some(()));
}

/// Sends what was told once more.
fn tell_again(house: &House, console: &OperatorConsole, hook: &Hook) {
    let path = format!("/partners/webhooks/{}/deliveries", hook.id);
    let page = done(console, GLOBEX, "GET", &path, &Value::Null);
    let delivery = page["deliveries"][0]["id"].as_str().unwrap_or_else(|| panic!("{page}"));
    done(console, GLOBEX, "POST", &format!("{path}/{delivery}/replay"), &Value::Null);
    wait_until("it is sent again", || (house.receiver.count("/told") == 2).then_some(()));
}

fn everything_follows_a_new_master_key(kind: Kind) {
    let house = House::open(kind);
    let console = house.start();
    let ada = console.owner();
    make_credentials(&house, &console);
    assert_injected(&house, &console);
    let told = hook(&house, &console);
    be_told(&house, &console);
    assert_signed(&house, &told);
    let kept = call_kept(&console);
    console.command(&["ledger", "checkpoint"]);
    wait_until("payloads are kept", || {
        (rows::of_home(&house.home, "SELECT count(*) FROM payload") == [["2"]]).then_some(())
    });
    drop(console);

    let old = house.replace_key("a");
    let report = run(house.path(), &["doctor", "--json"]);
    assert_eq!(report.exit, Some(3), "{report:?}");
    assert!(report.out.contains("1 second factors were sealed under another master key"), "{report:?}");
    assert_eq!(report.json()["master_key"]["sealed"]["payloads"], json!({"opened": 0, "not_opened": 2}));

    // Killed behind its first commit, its second one, …: each run goes on where the last one ended.
    let kills = (1..20).take_while(|pass| {
        let mut command = Command::new(binary_with_failpoints());
        command.args(["master-key", "rotate", "--old-key-file", &old]);
        let ended = at_home(command, house.path()).env("FAILPOINT", format!("after_unit:{pass}")).ended().unwrap();
        assert!(ended.status.success() || ended.status.signal() == Some(SIGABRT), "{ended:?}");
        !ended.status.success()
    });
    assert!(kills.count() > 1, "it is killed in the middle");
    let known = |count: u64| json!({"sealed": 0, "known": count, "lost": 0});
    let expected = json!({
        "connection_credentials": known(1), "namespace_credentials": known(1), "second_factors": known(1),
        "signing_keys": known(1), "webhook_keys": known(1), "payloads": known(2),
    });
    assert_eq!(house.rotate(&old), expected, "nothing is left to do");
    let told_of = rows::of_home(&house.home, "SELECT count(*) FROM audit WHERE action = 'master_key.rotate'");
    assert_eq!(told_of, [["6"]], "each kind once, in a unit of its own");

    fs::remove_file(&old).unwrap();
    let console = house.start();
    assert_injected(&house, &console);
    let again = Operator { email: ada.email, visitor: console.visitor(), authenticator: ada.authenticator };
    again.sign_in();
    let page = html::text(&again.visitor.get(&format!("/admin/invocations/{kept}/payload")).body);
    assert!(page.contains("mangosteen") && page.contains("pomegranate"), "{page}");
    assert_eq!(hook(&house, &console).secret, told.secret);
    tell_again(&house, &console, &told);
    assert_signed(&house, &told);
    call_kept(&console);
    console.command(&["ledger", "checkpoint"]);
    console.command(&["ledger", "rotate-key"]);
    verify(house.path());
    assert_eq!(json_of(house.path(), &["doctor"])["ok"], json!(true));
    drop(console);

    // A server that has the new key already rotates beside its work.
    let old = house.replace_key("b");
    let console = house.start();
    let refused = ask(&console, GLOBEX, "POST", "/partners/webhooks", &json!({"url": house.receiver.url("/told")}));
    assert_eq!((refused.status, refused.code()), (503, "database_unavailable"), "{}", refused.body);
    let rotated = house.rotate(&old);
    assert_eq!(rotated["namespace_credentials"], json!({"sealed": 1, "known": 0, "lost": 0}), "{rotated}");
    assert_eq!(rotated["signing_keys"], json!({"sealed": 2, "known": 0, "lost": 0}), "{rotated}");
    let call = || ask(&console, ALICE, "POST", "/invoke/desk/look", &json!({"arguments": {}})).status == 200;
    wait_until("the server has read what was sealed anew", || call().then_some(()));
    assert_injected(&house, &console);
    wait_until("webhooks are signed again", || {
        let wanted = json!({"url": house.receiver.url("/told"), "idempotency_key": HOOK});
        let answer = ask(&console, GLOBEX, "POST", "/partners/webhooks", &wanted);
        (answer.status == 200 && answer.json["secret"] == json!(told.secret)).then_some(())
    });
    verify(house.path());
}

fn a_wrong_key_changes_nothing_and_a_lost_one_is_given_up(kind: Kind) {
    let house = House::open(kind);
    let console = house.start();
    make_credentials(&house, &console);
    let told = hook(&house, &console);
    call_kept(&console);
    console.command(&["ledger", "checkpoint"]);
    wait_until("a payload is kept", || {
        (rows::of_home(&house.home, "SELECT count(*) FROM payload") == [["1"]]).then_some(())
    });
    drop(console);
    let before = sealed(&house.home);
    let trail = "SELECT count(*) FROM audit WHERE action = 'master_key.rotate'";
    house.replace_key("a");
    let wrong = house.path().join("wrong.key");
    write_key(&wrong, "c");
    for (file, why) in [(wrong.clone(), "opens nothing of what is sealed"), (house.key(), "is the one that is in use")]
    {
        let said = run(house.path(), &["master-key", "rotate", "--old-key-file", &file.display().to_string()]);
        assert_eq!(said.exit, Some(1), "{said:?}");
        assert!(said.errors.contains(why) && said.errors.contains("Nothing was changed"), "{said:?}");
    }
    fs::set_permissions(&wrong, fs::Permissions::from_mode(0o644)).unwrap();
    for file in [wrong.display().to_string(), "nowhere.key".to_owned()] {
        let said = run(house.path(), &["master-key", "rotate", "--old-key-file", &file]);
        assert_eq!(said.exit, Some(3), "{said:?}");
    }
    assert_eq!(run(house.path(), &["master-key", "rotate"]).exit, Some(2));
    assert_eq!((sealed(&house.home), rows::of_home(&house.home, trail)), (before, vec![vec!["0".to_owned()]]));

    let given_up = json_of(house.path(), &["master-key", "rotate", "--old-key-lost"]);
    let lost = json!({"sealed": 0, "known": 0, "lost": 1});
    for kind in ["connection_credentials", "namespace_credentials"] {
        assert_eq!(given_up["rotated"][kind], lost, "{given_up}");
    }
    assert_eq!(given_up["rotated"]["webhook_keys"], json!({"sealed": 0, "known": 1, "lost": 0}), "{given_up}");
    assert_eq!(rows::of_home(&house.home, trail), [["1"]]);
    let console = house.start();
    assert_ne!(hook(&house, &console).secret, told.secret, "a new one, from the new master key");
    if kind == Kind::Sqlite {
        // A server that still has the key of before does not seal anything under another one.
        house.replace_key("d");
        let said = run(house.path(), &["master-key", "rotate", "--old-key-file", "old-d.key"]);
        assert!(said.exit == Some(1) && said.errors.contains("another master key than this command"), "{said:?}");
    }
}
