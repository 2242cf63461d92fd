//! Databases that earlier versions of the program made: opened, brought up to date, and sound. The files in
//! `tests/fixtures` are dumps of real ones, each with a history from before the migrations behind it; they stay for ever.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::Server,
    workspace_root,
};

use super::{json_of, run, verify};
use crate::rows;

on_both_databases!(a_database_of_schema_5_is_brought_up_to_date_and_goes_on,);

/// A token of the fixture's customer with 95.5 credits.
const ALICE: &str = "faro_alice-00000000";

/// A home with the database of the fixture `name`.
fn home(kind: Kind, name: &str) -> Home {
    let home = Home::on(kind);
    let dialect = if kind == Kind::Sqlite { "sqlite" } else { "postgres" };
    let path = workspace_root().join(format!("tests/fixtures/{name}.{dialect}.sql"));
    let dump = std::fs::read_to_string(&path).unwrap();
    match home.database() {
        Some(database) => drop(database.query(&dump)),
        None => {
            std::fs::create_dir_all(home.file().parent().unwrap()).unwrap();
            rows::connect(&home.file()).execute_batch(&dump).unwrap();
        }
    }
    home
}

/// Of the trial balance, what does not depend on names.
fn balances(home: &Home) -> Vec<Value> {
    json_of(home.path(), &["ledger", "trial-balance"])["accounts"].as_array().unwrap().clone()
}

fn a_database_of_schema_5_is_brought_up_to_date_and_goes_on(kind: Kind) {
    let home = home(kind, "schema-5");
    let path = home.path();
    let before = balances(&home);
    assert_eq!(before.len(), 13, "{before:#?}");
    // Reading changes nothing, and says what is missing.
    for arguments in [&["ledger", "verify"][..], &["ledger", "books", "--out", "books.jsonl"]] {
        let early = run(path, arguments);
        assert!(early.exit == Some(4) && early.errors.contains("of an older version"), "{early:?}");
        assert!(!path.join("books.jsonl").exists());
    }

    let server = Server::start(path);
    let url = server.base_url().to_owned();
    let header = format!("Authorization: Bearer {ALICE}");
    let balance = tests::program::curl(&format!("{url}/credits/balance"), &["-H", &header]);
    assert_eq!(balance.json["available"], json!(95.5), "{}", balance.body);
    let granted = json_of(path, &["account", "grant", "alice@example.com", "1", "--reason", "still here"]);
    assert_eq!(granted["available"], json!(96.5));
    assert_eq!(server.stop(), Some(0));

    verify(path);
    let report = json_of(path, &["ledger", "verify"]);
    assert!(report["postings"].as_u64() == Some(32) && report["audit_rows"].as_u64() >= Some(1), "{report}");
    // What later versions have added is empty; of what there was, one grant changes two accounts.
    let after = balances(&home);
    let (old, new): (Vec<&Value>, Vec<&Value>) =
        after.iter().partition(|row| before.iter().any(|before| before["code"] == row["code"]));
    assert!(new.iter().all(|row| [&row["debits_micros"], &row["credits_micros"]] == [&json!("0"); 2]), "{new:?}");
    let changed = old.iter().filter(|row| !before.contains(row)).count();
    assert_eq!((old.len(), changed), (before.len(), 2), "{after:#?}");
    let purchases = rows::of_home(&home, "SELECT status FROM purchase ORDER BY status");
    assert_eq!(purchases, [["confirmed"], ["pending"]]);
}
