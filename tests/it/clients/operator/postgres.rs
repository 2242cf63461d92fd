//! A PostgreSQL database that cannot be used, or that lets the program do too much: every command says so in a sentence
//! that never repeats the password.

use std::{net::TcpListener, path::Path};

use serde_json::json;
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    postgres::{CERTIFICATE, Cluster, OWNER, TestDatabase},
    program::{Server, configure, folder},
    server,
    upstream::Upstream,
};

use super::{Said, json_of, run};
use crate::rows;

/// Whatever opens the database.
const COMMANDS: [&[&str]; 7] = [
    &["serve"],
    &["doctor"],
    &["apply", "tollgate.json5"],
    &["apply", "tollgate.json5", "--plan"],
    &["ledger", "verify"],
    &["ledger", "trial-balance"],
    &["account", "create", "--email", "ann@example.com"],
];

fn configure_url(folder: &Path, url: &str) {
    configure(folder, &json!({"database": {"url": url}}));
}

/// All of it says why on either stream, once.
fn check_refused(said: &Said, why: &str, what: &str) {
    let all = format!("{}{}", said.out, said.errors);
    assert!(said.exit == Some(4) && all.matches(why).count() == 1, "{what}: {why}: {said:?}");
}

#[test]
fn a_server_that_cannot_be_used_is_told_of_in_one_sentence() {
    let database = Cluster::shared().database();
    let url = database.url();
    let (_, password) = url.split_once(':').unwrap().1.split_once(':').unwrap();
    let password = password.split_once('@').unwrap().0;
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = format!("127.0.0.1:{}", Cluster::shared().port());
    let folder = folder();
    for (url, why) in [
        (url.replace(&address, &nobody.to_string()), "nobody listens there"),
        (url.replace(password, &format!("{password}x")), "password authentication failed for user"),
        (format!("{url}_not"), "does not exist"),
        (url.replace("127.0.0.1", "nowhere.invalid"), "nowhere.invalid"),
    ] {
        configure_url(folder.path(), &url);
        for command in COMMANDS {
            let said = run(folder.path(), command);
            check_refused(&said, why, &command.join(" "));
            assert!(!format!("{said:?}").contains(password), "{command:?} tells the password: {said:?}");
        }
    }
    // Takes the connection and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    configure_url(folder.path(), &url.replace(&address, &silent.local_addr().unwrap().to_string()));
    check_refused(&run(folder.path(), &["serve"]), "no answer within 5 seconds", "serve");

    // A password that is not written as it has to be must not turn up as a port or a database.
    configure_url(folder.path(), &format!("postgres://{OWNER}:12/{password}@{address}/books"));
    let said = run(folder.path(), &["serve"]);
    assert!(said.errors.contains("`%2F`") && !said.errors.contains(password), "{said:?}");
}

fn a_database_of_a_newer_version_is_left_alone(kind: Kind) {
    let home = Home::on(kind);
    configure(home.path(), &json!({}));
    assert_eq!(Server::start(home.path()).stop(), Some(0));
    rows::of_home(&home, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_later', 0)");
    let catalog = json!({"catalog": {"publishers": [{"id": "acme", "display_name": "Acme", "share_bps": 8000}]}});
    configure(home.path(), &catalog);
    let state = || {
        ["SELECT count(*) FROM publisher", "SELECT epoch FROM chain_head", "SELECT version FROM seaql_migrations"]
            .map(|sql| rows::of_home(&home, sql))
    };
    let before = state();
    for command in COMMANDS {
        // A file is only read by these, and what they read has not changed.
        if kind == Kind::Sqlite && command.first() == Some(&"ledger") {
            continue;
        }
        check_refused(&run(home.path(), command), "`m20991231_000001_later`", &command.join(" "));
        assert_eq!(state(), before, "{command:?} has changed something");
    }
}

on_both_databases!(a_database_of_a_newer_version_is_left_alone);

fn configure_as(folder: &Path, database: &TestDatabase<'_>, role: &str, upstream: &Upstream) -> String {
    let place = format!("database: {{url: '{}'}},", database.url_as(role));
    let settings = server::config(&server::tool("paid", &upstream.url("/"), 50, "success", 5_000), "", &place);
    std::fs::write(folder.join("tollgate.json5"), &settings).unwrap();
    settings
}

#[test]
fn a_server_needs_no_more_than_the_applications_role_and_says_if_it_has_more() {
    const ADVICE: &str = "docs/postgres-roles.sql";
    let (database, folder, upstream) = (Cluster::shared().database(), folder(), Upstream::answering("{}"));
    for (role, why) in
        [(OWNER, "`tollgate` may change and delete rows of the books"), ("postgres", "`postgres` is a superuser")]
    {
        configure_as(folder.path(), &database, role, &upstream);
        let running = Server::start(folder.path());
        let log = running.log();
        assert!(log.contains(why) && log.contains(ADVICE), "{log}");
        let told = json_of(folder.path(), &["doctor"]);
        let notes = told["findings"].as_array().unwrap().iter().filter(|found| found["level"] == "note");
        let said = notes.filter(|note| note["text"].as_str().unwrap().contains(why)).count();
        assert_eq!(said, 1, "{told}");
        assert_eq!(running.stop(), Some(0));
    }

    let role = database.application_role();
    let settings = configure_as(folder.path(), &database, &role, &upstream);
    std::fs::remove_file(folder.path().join("tollgate.log")).unwrap();
    let running = server::Server::start(folder.path(), &settings);
    assert_eq!(running.invoke(server::ALICE, "paid", "{}").status, 200);
    let made = json_of(folder.path(), &["account", "create", "--email", "ann@example.com", "--credits", "50"]);
    assert_eq!(running.invoke(made["token"].as_str().unwrap(), "paid", "{}").status, 200);
    running.verified_postings();
    assert_eq!(running.log(), "", "all is well");
    let told = json_of(folder.path(), &["doctor"]);
    assert!(!told.to_string().contains(ADVICE), "{told}");
}

#[test]
fn the_applications_role_cannot_make_the_schema_and_says_so() {
    let (database, folder) = (Cluster::shared().database(), folder());
    let role = database.application_role();
    configure_url(folder.path(), &database.url_as(&role));
    let said = run(folder.path(), &["serve"]);
    assert!(said.exit == Some(4) && said.errors.contains("permission denied"), "{said:?}");
    assert_eq!(database.query("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"), "0");
}

#[test]
fn a_connection_over_tls_believes_only_the_given_certificate() {
    let (cluster, folder) = (Cluster::start_secured(), folder());
    let database = cluster.database();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (right, wrong) = (write("right.pem", CERTIFICATE), write("wrong.pem", include_str!("listening/a.crt")));
    configure_url(folder.path(), &format!("{}?sslmode=verify-full&sslrootcert={wrong}", database.url()));
    for command in COMMANDS {
        check_refused(&run(folder.path(), command), "invalid peer certificate", &command.join(" "));
    }
    for parameters in [format!("sslmode=verify-full&sslrootcert={right}"), "sslmode=require".to_owned()] {
        configure_url(folder.path(), &format!("{}?{parameters}", database.url()));
        let running = Server::start(folder.path());
        let sql = "SELECT ssl, count(*) > 2 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                   WHERE application_name LIKE 'tollgate%' GROUP BY ssl";
        wait_until("writer, readers and listener", || (database.query(sql) == "t|t").then_some(()));
        json_of(folder.path(), &["ledger", "verify"]);
        assert_eq!(running.stop(), Some(0));
    }
    configure_url(folder.path(), &format!("{}?sslmode=require", Cluster::shared().database().url()));
    check_refused(&run(folder.path(), &["serve"]), "server does not support TLS", "serve");
}
