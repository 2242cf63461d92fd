//! `tollgate doctor`.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};
use tests::program::{Server, configure, folder};

use super::{json_of, run};

fn settings(found: &Value) -> (&Value, &Value) {
    (&found["database"]["journal_mode"], &found["database"]["synchronous"])
}

const DURABLE: (&str, &str) = ("wal", "full");

#[test]
fn all_is_well_before_the_first_start_beside_a_server_and_after_it() {
    let folder = folder();
    configure(folder.path(), &json!({}));
    let before = json_of(folder.path(), &["doctor"]);
    assert_eq!((&before["ok"], &before["database"]["exists"]), (&json!(true), &json!(false)), "{before}");
    assert!(!folder.path().join("data").exists(), "looking makes nothing");

    let server = Server::start(folder.path());
    let beside = json_of(folder.path(), &["doctor"]);
    assert_eq!(settings(&beside), (&json!(DURABLE.0), &json!(DURABLE.1)), "{beside}");
    assert_eq!(beside["server"]["pid"], json!(server.pid()), "{beside}");
    assert_eq!((&beside["ok"], &beside["database"]["mode"]), (&json!(true), &json!("0600")));
    assert_eq!(beside["catalog"]["differences"], json!([]));
    assert_eq!(server.stop(), Some(0));

    let after = json_of(folder.path(), &["doctor"]);
    assert_eq!(settings(&after), (&json!(DURABLE.0), &json!(DURABLE.1)), "{after}");
    assert_eq!((&after["ok"], &after["server"]["running"]), (&json!(true), &json!(false)));
    let told = run(folder.path(), &["doctor"]);
    assert!(told.exit == Some(0) && told.out.ends_with("all is well\n"), "{told:?}");
}

#[test]
fn every_difference_between_file_and_database_is_listed() {
    let folder = folder();
    configure(folder.path(), &json!({}));
    let _server = Server::start(folder.path());
    let publisher = json!({"id": "acme", "display_name": "Acme", "share_bps": 8000});
    configure(folder.path(), &json!({"catalog": {"publishers": [publisher]}, "tools": {"exec": {}}}));
    let found = json_of(folder.path(), &["doctor"]);
    assert_eq!(found["catalog"]["differences"], json!([{"item": "publisher:acme", "change": "create"}]), "{found}");
    assert_eq!(found["configuration"]["unused_keys"], json!(["tools.exec"]), "{found}");
    json_of(folder.path(), &["apply", "tollgate.json5"]);
    assert_eq!(json_of(folder.path(), &["doctor"])["catalog"]["differences"], json!([]));
}

/// A folder in which a server has been.
fn used() -> tempfile::TempDir {
    let folder = folder();
    configure(folder.path(), &json!({}));
    assert_eq!(Server::start(folder.path()).stop(), Some(0));
    folder
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_wrong_is_named_and_decides_the_exit_code() {
    type Break = fn(&Path);
    let cases: [(&str, i32, &str, Break); 9] = [
        ("configuration", 3, "unknown key `prot` in `server`", |folder| {
            configure(folder, &json!({"server": {"prot": 1}}));
        }),
        ("master_key", 3, "0640", |folder| set_mode(&folder.join("data/master.key"), 0o640)),
        ("master_key", 3, "must hold 32 bytes", |folder| fs::write(folder.join("data/master.key"), "short").unwrap()),
        ("database", 4, "not a database", |folder| {
            fs::write(folder.join("data/tollgate.db"), "this is a text, and a long one at that").unwrap();
        }),
        ("database", 4, "other users may write", |folder| set_mode(&folder.join("data/tollgate.db"), 0o666)),
        ("tls", 3, "cert.pem` cannot be read", |folder| {
            configure(folder, &json!({"server": {"tls": {"cert": "cert.pem", "key": "key.pem"}}}));
        }),
        ("mail", 1, "is not a folder", |folder| {
            fs::write(folder.join("letters"), "").unwrap();
            configure(folder, &json!({"mail": {"dir": "letters"}}));
        }),
        ("catalog", 3, "only `http` and `mcp` upstreams", |folder| {
            let tool = json!({"name": "t", "upstream": {"kind": "builtin", "name": "t"}});
            configure(folder, &json!({"catalog": {"core_tools": [tool]}}));
        }),
        ("policy", 3, "tools.profile", |folder| configure(folder, &json!({"tools": {"profile": "nothing"}}))),
    ];
    for (part, exit, text, break_it) in cases {
        let folder = used();
        break_it(folder.path());
        let said = run(folder.path(), &["doctor", "--json"]);
        let report = said.json();
        let is_it = |finding: &Value| {
            finding["part"] == part && finding["level"] == "wrong" && finding["text"].as_str().unwrap().contains(text)
        };
        assert!(report["findings"].as_array().unwrap().iter().any(is_it), "{part}: {report}");
        assert_eq!((said.exit, &report["ok"]), (Some(exit), &json!(false)), "{part}: {report}");
        let told = run(folder.path(), &["doctor"]);
        assert!(told.exit == Some(exit) && told.out.contains(&format!("wrong {part}: ")), "{told:?}");
    }
}
