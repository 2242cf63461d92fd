//! Checkpoints: made, kept outside, mailed, shown, signed by keys that follow each other, and found wanting.

use std::fs;

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    mailbox::decode_quoted_printable,
    on_both_databases,
    patience::wait_until,
    server::{ALICE, Server},
};

use super::{
    super::{json_of, run},
    books::{AUDITOR, Books, kinds},
};
use crate::rows;

on_both_databases!(
    checkpoints_are_made_by_themselves_kept_outside_shown_and_mailed,
    a_new_key_is_vouched_for_by_the_old_one,
    books_are_verified_from_a_checkpoint_and_against_a_kept_one,
    a_file_that_is_not_of_these_books_is_told_of_and_left_alone,
    checkpoints_are_appended_to_and_never_changed,
    an_export_names_the_newest_checkpoint_of_which_it_has_everything,
);

fn checkpoints_are_made_by_themselves_kept_outside_shown_and_mailed(kind: Kind) {
    let books = Books::open(kind, 1);
    books.let_everything_happen();
    let file = books.kept(1);
    let (shown, _) = wait_until("all is vouched for", || {
        let shown = books.server().get(ALICE, "/ledger/checkpoints").json;
        let heads = shown["checkpoints"][0]["heads"].as_array()?.clone();
        let reached: i64 = heads.iter().map(|head| head["batch_no"].as_i64().unwrap()).sum();
        let recorded = rows::of_home(&books.home, "SELECT sum(batch_no) FROM chain_head")[0][0].clone();
        (reached.to_string() == recorded).then_some(shown)
    });
    let newest_first = shown["checkpoints"].as_array().unwrap();
    let count = newest_first.len();
    assert_eq!(shown["next_before"], Value::Null);
    wait_until("the file has them all", || {
        let text = fs::read_to_string(&file).unwrap();
        let kept: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (kept.len() >= count && kept[..count].iter().rev().eq(newest_first)).then_some(())
    });
    for (index, checkpoint) in newest_first.iter().rev().enumerate() {
        assert_eq!((&checkpoint["number"], &checkpoint["key"]), (&json!(index + 1), &json!(1)));
        let path = format!("/ledger/checkpoints/{}", index + 1);
        assert_eq!(&books.server().send("GET", &path, &[], "").json, checkpoint, "anybody may look");
        let times = checkpoint["made_us"].as_i64().unwrap();
        if let Some(later) = newest_first.iter().rev().nth(index + 1) {
            assert!(later["made_us"].as_i64().unwrap() >= times + 1_000_000, "two within a second");
            assert_eq!(later["prev_hash"], checkpoint["hash"]);
        }
    }
    let older = books.server().get(ALICE, &format!("/ledger/checkpoints?before={count}")).json;
    assert_eq!(older["checkpoints"].as_array().unwrap()[..], newest_first[1..]);
    assert_eq!(books.server().get(ALICE, "/ledger/checkpoints?before=x").status, 422);
    for missing in ["0", "-1", "999", "x"] {
        assert_eq!(books.server().get(ALICE, &format!("/ledger/checkpoints/{missing}")).status, 404, "{missing}");
    }

    // One mail for the first one of the day, and nothing more when nothing happens.
    let (mail, _) = wait_until("the auditor's mail", || mailed(&books).into_iter().next());
    assert!(newest_first.contains(&mail), "{mail}");
    let quiet = books.checkpoint();
    assert_eq!(quiet, newest_first[0], "nothing happened since");

    let report = books.verify(&[]);
    assert_eq!((&report["ok"], &report["checkpoint"]), (&json!(true), &json!(count)), "{report}");
    let first_day = newest_first.iter().map(|one| one["made_us"].as_i64().unwrap() / 86_400_000_000);
    assert_eq!(mailed(&books).len(), first_day.collect::<std::collections::BTreeSet<_>>().len());
}

/// The checkpoints that the auditor got by mail.
fn mailed(books: &Books) -> Vec<Value> {
    let folder = fs::read_dir(books.path().join("data/mail")).into_iter().flatten();
    // A mail has another name until it is whole.
    let paths = folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|it| it == "eml"));
    let texts = paths.map(|path| fs::read_to_string(path).unwrap());
    let to_auditor = texts.filter(|text| text.contains(&format!("To: {AUDITOR}")));
    let read = |mail: String| -> Value {
        let text = decode_quoted_printable(&mail);
        let line = text.lines().find(|line| line.starts_with("{\"")).unwrap_or_else(|| panic!("{text}"));
        serde_json::from_str(line).unwrap()
    };
    to_auditor.map(read).collect()
}

fn a_new_key_is_vouched_for_by_the_old_one(kind: Kind) {
    let mut books = Books::open(kind, 86_400);
    books.let_everything_happen();
    let first = books.checkpoint();
    let second_key = json_of(books.path(), &["ledger", "rotate-key"]);
    assert_eq!(second_key["number"], json!(2));
    let handed_over = books.server().get(ALICE, "/ledger/checkpoints").json["checkpoints"][0].clone();
    assert_eq!(handed_over["successor"], second_key["public_key"]);
    assert_eq!(handed_over["key"], json!(1));
    // Not the first one of its day, and mailed all the same.
    wait_until("the mail with the hand-over", || mailed(&books).contains(&handed_over).then_some(()));
    books.server().invoke(ALICE, "paid", "{}");
    let last = books.checkpoint();
    assert_eq!((&last["key"], &last["public_key"]), (&json!(2), &second_key["public_key"]));
    let keys = books.server().send("GET", "/ledger/keys", &[], "").json["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    assert_eq!(keys[0]["public_key"], first["public_key"]);
    assert_eq!((&keys[0]["until_us"], &keys[1]["from_us"]), (&handed_over["made_us"], &handed_over["made_us"]));
    assert_eq!(keys[1]["until_us"], Value::Null);
    assert_eq!(books.verify(&[])["ok"], json!(true));

    // Without a server, too; and the server signs with the third key afterwards.
    books.stop();
    let third = json_of(books.path(), &["ledger", "rotate-key"]);
    assert_eq!(third["number"], json!(3));
    books.restart();
    books.server().invoke(ALICE, "paid", "{}");
    assert_eq!(books.checkpoint()["key"], json!(3));
    assert_eq!(books.verify(&[])["ok"], json!(true));
    let wrapped = rows::of_home(&books.home, "SELECT count(*) FROM signing_key WHERE length(wrapped) = 60");
    assert_eq!(wrapped[0][0], "3");
}

fn books_are_verified_from_a_checkpoint_and_against_a_kept_one(kind: Kind) {
    let mut books = Books::open(kind, 86_400);
    books.let_everything_happen();
    books.checkpoint();
    books.server().invoke(ALICE, "paid", "{}");
    let last = books.checkpoint();
    books.server().invoke(ALICE, "paid", "{}");
    let file = books.kept_with(&last).display().to_string();
    let last = last["number"].to_string();
    for arguments in [
        vec!["--from-checkpoint", "1"],
        vec!["--from-checkpoint", &last],
        vec!["--from-checkpoint", &file],
        vec!["--against", &file],
        vec!["--from-checkpoint", "1", "--against", &file],
    ] {
        assert_eq!(books.verify(&arguments)["ok"], json!(true), "{arguments:?}");
    }
    for (arguments, why) in [
        (["--from-checkpoint", "99"], "there is no checkpoint `99`"),
        (["--from-checkpoint", "nothing.jsonl"], "`nothing.jsonl`: No such file"),
        (["--against", "tollgate.json5"], "line 1 is no checkpoint"),
    ] {
        let said = run(books.path(), &[["ledger", "verify"], arguments].concat());
        assert!(said.exit == Some(1) && said.errors.contains(why), "{said:?}");
    }
    books.stop();
    // A row before the checkpoint is believed, one behind it is not; and balances are added up from the first one on.
    let seqs = rows::of_home(&books.home, "SELECT min(seq), max(seq) FROM hold")[0].clone();
    for (seq, is_believed) in [(&seqs[0], true), (&seqs[1], false)] {
        tamper(&books.home, &format!("UPDATE hold SET ttl_us = ttl_us + 1 WHERE seq = {seq}"));
        assert_eq!(books.verify(&["--from-checkpoint", &last])["ok"], json!(is_believed), "{seq}");
        assert_eq!(books.verify(&[])["ok"], json!(false), "{seq}");
        tamper(&books.home, &format!("UPDATE hold SET ttl_us = ttl_us - 1 WHERE seq = {seq}"));
    }
    tamper(&books.home, "UPDATE posting SET amount = amount + 1 WHERE seq = (SELECT min(seq) FROM posting)");
    let report = books.verify(&["--from-checkpoint", &last]);
    let is_a_sum = |(kind, _): &(String, String)| kind == "projection_mismatch" || kind == "count_mismatch";
    assert!(kinds(&report).iter().all(is_a_sum) && report["ok"] == json!(false), "{report}");
}

/// Below all guards.
pub(super) fn tamper(home: &Home, sql: &str) {
    match home.database() {
        Some(database) => {
            drop(database.query_as_superuser(&format!("SET session_replication_role = replica; {sql}")).unwrap());
        }
        None => {
            let connection = rows::connect(&home.file());
            let guards: Vec<String> = rows::in_file(
                &home.file(),
                "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema WHERE type = 'trigger'",
            )
            .concat();
            connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
            connection.execute_batch(&guards.concat()).unwrap();
            connection.execute_batch(sql).unwrap();
        }
    }
}

fn a_file_that_is_not_of_these_books_is_told_of_and_left_alone(kind: Kind) {
    let mut books = Books::open(kind, 1);
    books.let_everything_happen();
    let file = books.kept(1);
    books.stop();
    let text = fs::read_to_string(&file).unwrap();
    // What a crash left of a line is cut off; the line is written again.
    let torn = &text[..text.len() - 40];
    fs::write(&file, torn).unwrap();
    books.restart();
    wait_until("the line", || (fs::read_to_string(&file).unwrap().starts_with(&text)).then_some(()));
    books.stop();

    let mut other: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let mut others = vec![("no checkpoint".to_owned(), "does not end with a checkpoint")];
    // One that is signed well, by another key of other books.
    let stranger = Books::open(Kind::Sqlite, 86_400);
    stranger.let_everything_happen();
    other.clone_from(&stranger.checkpoint());
    others.push((other.to_string(), "that is not the database's"));
    for (line, why) in others {
        fs::write(&file, format!("{line}\n")).unwrap();
        books.restart();
        books.server().invoke(ALICE, "paid", "{}");
        wait_until(why, || books.server().log().contains(why).then_some(()));
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{line}\n"));
        books.stop();
    }
    let report = books.verify(&["--against", &file.display().to_string()]);
    let found = kinds(&report);
    for kind in ["anchor_mismatch", "key_mismatch"] {
        assert!(found.iter().any(|(found, _)| found == kind), "{kind}: {report}");
    }
}

fn checkpoints_are_appended_to_and_never_changed(kind: Kind) {
    let mut books = Books::open(kind, 86_400);
    books.let_everything_happen();
    books.checkpoint();
    books.stop();
    for table in ["checkpoint", "signing_key"] {
        for sql in [format!("UPDATE {table} SET number = number"), format!("DELETE FROM {table}")] {
            let refused = match books.home.database() {
                Some(database) => database.query_as(tests::postgres::OWNER, &sql).unwrap_err(),
                None => rows::connect(&books.home.file()).execute_batch(&sql).unwrap_err().to_string(),
            };
            assert!(refused.contains(&format!("{table} is append-only")), "{sql}: {refused}");
        }
    }
}

#[test]
fn several_servers_make_one_checkpoint_and_each_keeps_a_copy() {
    let books = Books::open(Kind::Postgres, 1);
    let second = Home::on(Kind::Sqlite);
    // A folder of its own on the first one's database, with the same master key.
    fs::write(second.path().join("database.url"), books.home.database().unwrap().url()).unwrap();
    fs::create_dir(second.path().join("data")).unwrap();
    fs::copy(books.path().join("data/master.key"), second.path().join("data/master.key")).unwrap();
    let settings = fs::read_to_string(books.path().join("tollgate.json5")).unwrap();
    let other = Server::start(second.path(), &settings);
    let copy = second.path().join("data/checkpoints/checkpoints.jsonl");
    books.let_everything_happen();
    for number in 1..=3 {
        for server in [books.server(), &other] {
            assert_eq!(server.invoke(ALICE, "paid", "{}").status, 200);
        }
        books.kept(number);
        wait_until("the second copy", || {
            (fs::read_to_string(&copy).unwrap_or_default().lines().count() >= number).then_some(())
        });
    }
    let (one, two) = (books.kept(3), copy);
    let lines = |text: String| text.lines().take(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(fs::read_to_string(one).unwrap()), lines(fs::read_to_string(two).unwrap()));
    let slots = rows::of_home(&books.home, "SELECT count(DISTINCT slot) FROM batch")[0][0].clone();
    assert!(["2", "3"].contains(&&*slots), "the servers', and that of a command: {slots}");
    let report = books.verify(&[]);
    assert_eq!(report["ok"], json!(true), "{report}");
    assert!(!books.server().log().contains("checkpoint") && !other.log().contains("checkpoint"));
}

fn an_export_names_the_newest_checkpoint_of_which_it_has_everything(kind: Kind) {
    let books = Books::open(kind, 86_400);
    let first = books.server().get(ALICE, "/ledger/checkpoints/1").json;
    books.let_everything_happen();
    let second = books.checkpoint();
    json_of(books.path(), &["account", "grant", "bob@example.com", "1", "--reason", "later"]);
    let of = |arguments: &[&str]| {
        let export = ["ledger", "export", "--replace", "--format", "csv", "--out", "x.csv"];
        json_of(books.path(), &[&export[..], arguments].concat())["checkpoint"].clone()
    };
    let reference = |checkpoint: &Value| json!({"number": checkpoint["number"], "hash": checkpoint["hash"]});
    assert_eq!(of(&[]), reference(&second));
    assert_eq!(of(&["--report", "audit-trail"]), reference(&second));
    let made = jiff::Timestamp::from_microsecond(first["made_us"].as_i64().unwrap() + 1).unwrap();
    assert_eq!(of(&["--to", &made.to_string()]), reference(&first), "{first} {second}");
    assert_eq!(of(&["--to", "2020-01-01"]), Value::Null);
}
