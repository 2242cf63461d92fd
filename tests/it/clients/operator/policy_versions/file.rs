//! Who leads: the configuration's policy or the database.

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::Server,
    upstream::Upstream,
};

use super::{are, configure_with, denied, json_of, listed, policy_file, policy_without, run, states};

on_both_databases!(
    the_first_start_publishes_the_files_policy_once,
    where_the_database_leads_a_changed_file_is_a_draft_until_somebody_publishes_it,
    where_the_file_leads_a_changed_file_is_in_force_at_the_next_start,
);

fn the_first_start_publishes_the_files_policy_once(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    configure_with(home.path(), &upstream, &policy_without(home.path(), "left"), &json!({}));
    // On PostgreSQL several servers may be started at once.
    let together = if kind == Kind::Postgres { 4 } else { 1 };
    std::thread::scope(|scope| {
        let starting: Vec<_> = (0..together).map(|_| scope.spawn(|| Server::start(home.path()))).collect();
        for server in starting {
            let server = server.join().unwrap();
            assert_eq!(denied(&server), "left");
        }
    });
    assert!(are(&states(home.path()), &[(1, "published")]), "{:?}", listed(home.path()));
    assert_eq!(Server::start(home.path()).stop(), Some(0));
    assert!(are(&states(home.path()), &[(1, "published")]), "{:?}", listed(home.path()));
}

/// What `doctor` finds of the policy.
fn examined(home: &Home) -> Value {
    json_of(home.path(), &["doctor"])["policy"].clone()
}

fn where_the_database_leads_a_changed_file_is_a_draft_until_somebody_publishes_it(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let folder = home.path();
    configure_with(folder, &upstream, &policy_without(folder, "left"), &json!({}));
    assert_eq!(Server::start(folder).stop(), Some(0));
    assert_eq!(examined(&home), json!({"published": 1, "differs": false}));

    configure_with(folder, &upstream, &policy_without(folder, "right"), &json!({}));
    assert_eq!(examined(&home), json!({"published": 1, "differs": true}));
    let note = run(folder, &["doctor"]);
    assert!(
        note.exit == Some(0) && note.out.contains("note  policy: the file's policy is not the one in force"),
        "{note:?}"
    );
    let server = Server::start(folder);
    assert_eq!(denied(&server), "left");
    assert!(server.log().contains("it is kept as draft 2"), "{}", server.log());
    assert!(are(&states(folder), &[(2, "draft"), (1, "published")]), "{:?}", listed(folder));
    // The same file again changes nothing, whoever brings it.
    assert_eq!(json_of(folder, &["apply", "tollgate.json5"])["policy"], Value::Null);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(denied(&Server::start(folder)), "left");
    assert!(are(&states(folder), &[(2, "draft"), (1, "published")]), "{:?}", listed(folder));

    let server = Server::start(folder);
    let planned = json_of(folder, &["apply", "tollgate.json5", "--plan", "--publish"]);
    assert_eq!(planned["policy"], json!({"change": "publish", "number": null}));
    let applied = json_of(folder, &["apply", "tollgate.json5", "--publish"]);
    assert_eq!(applied["policy"], json!({"change": "publish", "number": 2}), "the draft that there was");
    super::wait_until_denied(&server, "right");
    assert_eq!(examined(&home), json!({"published": 2, "differs": false}));

    // What is taken back stays so: the file has not changed.
    json_of(folder, &["policy", "rollback"]);
    super::wait_until_denied(&server, "left");
    assert_eq!(json_of(folder, &["apply", "tollgate.json5", "--publish"])["policy"], Value::Null);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(denied(&Server::start(folder)), "left");

    // A file with a catalog alone says nothing of the policy; another policy becomes a draft.
    std::fs::write(folder.join("catalog.json5"), "{catalog: {}}").unwrap();
    assert_eq!(json_of(folder, &["apply", "catalog.json5", "--publish"])["policy"], Value::Null);
    std::fs::write(folder.join("both.json5"), r#"{"tools": {"deny": ["left", "right"]}}"#).unwrap();
    assert_eq!(json_of(folder, &["apply", "both.json5", "--plan"])["policy"]["change"], json!("draft"));
    let said = run(folder, &["apply", "both.json5"]);
    assert!(said.exit == Some(0) && said.out.contains("draft the policy as version 4"), "{said:?}");
}

fn where_the_file_leads_a_changed_file_is_in_force_at_the_next_start(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    let folder = home.path();
    let leads = json!({"policy_source": "file"});
    configure_with(folder, &upstream, &policy_without(folder, "left"), &leads);
    assert_eq!(denied(&Server::start(folder)), "left");
    configure_with(folder, &upstream, &policy_without(folder, "right"), &leads);
    assert_eq!(denied(&Server::start(folder)), "right");
    assert!(are(&states(folder), &[(2, "published"), (1, "retired")]), "{:?}", listed(folder));
    // Unchanged, so the database stands: an operator may have gone back in a hurry.
    json_of(folder, &["policy", "rollback"]);
    assert_eq!(denied(&Server::start(folder)), "left");
    // A draft of the same text is the one that is published.
    json_of(folder, &["policy", "draft", &policy_file(folder, "right")]);
    assert_eq!(denied(&Server::start(folder)), "right");
    assert!(states(folder)[0] == (4, "published".to_owned()), "{:?}", listed(folder));
    let applied = json_of(folder, &["apply", "tollgate.json5"]);
    assert_eq!(applied["policy"], Value::Null);

    // A file that cannot be used is a reason not to start.
    configure_with(folder, &upstream, &json!({"tools": {"profile": "nothing"}}), &leads);
    let said = run(folder, &["serve"]);
    assert!(said.exit == Some(3) && said.errors.contains("tools.profile"), "{said:?}");
    assert_eq!(states(folder).len(), 4);
}
