//! What decides over money is stated in the books, by everything that changes it.

use engine::store::Database;
use migrations::{Migrator, MigratorTrait as _};
use serde_json::json;
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::{self, configure},
    server::ALICE,
};

use super::{
    super::{json_of, run},
    books::{Books, kinds},
    checkpoints::tamper,
};
use crate::rows;

on_both_databases!(
    what_changes_is_stated,
    who_is_paid_is_not_changed_unnoticed,
    rows_from_before_are_stated_at_the_first_start
);

/// How many facts the books have.
fn facts(home: &Home) -> usize {
    rows::of_home(home, "SELECT count(*) FROM txn WHERE kind = 20")[0][0].parse().unwrap()
}

fn what_changes_is_stated(kind: Kind) {
    let books = Books::open(kind, 86_400);
    books.let_everything_happen();
    let mut before = facts(&books.home);
    let stated = |what: &str, before: &mut usize, at_least: usize| {
        let now = facts(&books.home);
        assert!(now >= *before + at_least, "{what}: {before} facts, now {now}");
        *before = now;
        let report = books.verify(&[]);
        assert_eq!(report["ok"], json!(true), "{what}: {report}");
    };
    stated("the catalog", &mut before, 0);
    let settings = std::fs::read_to_string(books.path().join("tollgate.json5")).unwrap();
    for (what, from, to, count) in [
        ("a cap", "credits: 500", "credits: 700", 1),
        ("a publisher's share", "share_bps: 8000", "share_bps: 7500", 1),
        ("a partner's margin", "margin_bps: 500", "margin_bps: 400", 1),
        ("a price", "fixed_credit_cost: 20", "fixed_credit_cost: 25", 1),
    ] {
        assert!(settings.contains(from), "{from}");
        std::fs::write(books.path().join("tollgate.json5"), settings.replace(from, to)).unwrap();
        json_of(books.path(), &["apply", "tollgate.json5"]);
        stated(what, &mut before, count);
    }
    // An account, its wallet and its token.
    json_of(books.path(), &["account", "create", "--email", "new@example.com"]);
    stated("an account", &mut before, 3);
    std::fs::write(books.path().join("policy.json5"), "{tools: {deny: ['nothing']}}").unwrap();
    let draft = json_of(books.path(), &["policy", "draft", "policy.json5"])["number"].to_string();
    stated("a draft", &mut before, 1);
    json_of(books.path(), &["policy", "publish", &draft]);
    stated("a publication and a retirement", &mut before, 2);
    json_of(books.path(), &["policy", "rollback"]);
    stated("a rollback", &mut before, 2);
    let token = books.server().get(ALICE, "/tokens/").json[0]["id"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {ALICE}");
    let revoked = books.server().send("DELETE", &format!("/tokens/{token}"), &[("authorization", &bearer)], "");
    assert_eq!(revoked.status, 204, "{}", revoked.body);
    stated("the end of a token", &mut before, 1);
}

fn who_is_paid_is_not_changed_unnoticed(kind: Kind) {
    let mut books = Books::open(kind, 86_400);
    books.let_everything_happen();
    books.stop();
    assert_eq!(books.verify(&[])["ok"], json!(true));
    for (table, column, value, reported) in [
        ("namespace", "publisher_id", "id", "namespace"),
        ("namespace", "name", "'elsewhere'", "namespace"),
        ("tool", "namespace_id", "id", "tool"),
        ("tool", "name", "'else'", "tool"),
        ("wallet_balance", "overdraft", "overdraft + 1000000", "ledger_account"),
    ] {
        let key = if table == "wallet_balance" { "account_id" } else { "id" };
        // Kept beside, since a row's own value is nowhere else.
        let one = format!("{key} = (SELECT {key} FROM kept_row)");
        tamper(
            &books.home,
            &format!(
                "CREATE TABLE kept_row AS SELECT {key}, {column} FROM {table} ORDER BY {key} LIMIT 1;
                 UPDATE {table} SET {column} = {value} WHERE {one}"
            ),
        );
        let found = kinds(&books.verify(&[]));
        tamper(
            &books.home,
            &format!("UPDATE {table} SET {column} = (SELECT {column} FROM kept_row) WHERE {one}; DROP TABLE kept_row"),
        );
        assert_eq!(found, [("fact_mismatch".to_owned(), reported.to_owned())], "{table}.{column}");
    }
    assert_eq!(books.verify(&[])["ok"], json!(true));
}

fn rows_from_before_are_stated_at_the_first_start(kind: Kind) {
    let home = Home::on(kind);
    configure(home.path(), &json!({}));
    let url = home.database().map_or_else(|| format!("sqlite://{}", home.file().display()), |database| database.url());
    let earlier = Migrator::migrations().iter().position(|it| it.name().ends_with("_proof")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let connection = Database::connect_for_migration(&url).await.unwrap();
        Migrator::up(&connection, Some(u32::try_from(earlier).unwrap())).await.unwrap();
        connection.close().await.unwrap();
    });
    let id = match kind {
        Kind::Sqlite => "x'00000000000000000000000000000077'",
        Kind::Postgres => "'00000000-0000-0000-0000-000000000077'",
    };
    rows::change_home(&home, &format!("INSERT INTO cap VALUES ({id}, {id}, 1, 2, 500, 9)"));
    for _ in 0..2 {
        assert_eq!(program::Server::start(home.path()).stop(), Some(0));
        let report = json_of(home.path(), &["ledger", "verify"]);
        assert_eq!(report["ok"], json!(true), "{report}");
    }
    let of_caps = "SELECT count(*) FROM txn WHERE kind = 20 AND reverses IS NOT NULL";
    assert!(rows::of_home(&home, of_caps)[0][0].parse::<usize>().unwrap() > 6, "the cap and the well-known accounts");
    // From now on nothing gets in without a statement, and the mark that says so is missed.
    for (sql, table) in [
        (format!("UPDATE cap SET limit_credits = 501 WHERE id = {id}"), "cap"),
        (
            format!(
                "UPDATE cap SET limit_credits = 500 WHERE id = {id}; UPDATE version SET value = 0 WHERE name = 'facts'"
            ),
            "version",
        ),
        ("DELETE FROM version WHERE name = 'facts'".to_owned(), "version"),
    ] {
        tamper(&home, &sql);
        let said = run(home.path(), &["ledger", "verify", "--json"]);
        let found = kinds(&said.json());
        assert!(
            said.exit == Some(5) && found.contains(&("fact_mismatch".to_owned(), table.to_owned())),
            "{sql}: {said:?}"
        );
    }
}
