//! Usage and statements over HTTP: what they look like, that they are the transactions' own numbers, and what is refused.
//! What is counted is in `partners::usage`.

use std::{io::Write as _, sync::Arc};

use engine::{
    clock::{Clock, SystemClock},
    id::IdSource,
    policy::{Policies, PolicySources},
    service::Services,
    store::{Database, Ledger, WriterLock, writer::WriterOptions},
    testing::{ManualClock, SeededIds},
};
use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    server::tool,
    upstream::{Upstream, json_answer},
};

use super::{GLOBEX, House, INITECH, assert_names};
use crate::clients::operator::json_of;

on_both_databases!(
    usage_is_asked_for_in_days_and_months,
    every_number_is_that_of_the_transactions,
    what_is_wrong_with_a_question_is_named,
);

const SECOND_US: i64 = 1_000_000;

fn usage_is_asked_for_in_days_and_months(kind: Kind) {
    let house = House::open(kind);
    house.paid(GLOBEX, "u-1");
    for query in
        ["", "?group_by=month", "?group_by=user&per=month", "?group_by=tool", "?group_by=user&user=u-1", "?limit=1"]
    {
        let usage = house.get(&format!("/partners/usage{query}"));
        // A call is counted when it cannot change any more: minutes later.
        assert_eq!((&usage["usage"], &usage["next"]), (&json!([]), &Value::Null), "{query}: {usage}");
        assert!(usage["counted_until"].as_str().is_some_and(|at| at.ends_with('Z')), "{query}: {usage}");
    }
    assert_eq!(house.get("/partners/statements")["statements"], json!([]));
    let month = house.get("/partners/statements/2099-11");
    assert_eq!((&month["from"], &month["to"]), (&json!("2099-11-01T00:00:00Z"), &json!("2099-12-01T00:00:00Z")));
    assert_eq!(month["total"], json!({"calls": 0, "paid_calls": 0, "credits_charged": 0}));
    assert_eq!(house.get("/partners/statements/2020-02")["is_complete"], json!(true), "nobody called then");
    assert_eq!((&month["is_complete"], &month["users"], &month["next"]), (&json!(false), &json!([]), &Value::Null));
}

/// Counts the calls of the program at `home`, which does not run, as if it were ten minutes later: nothing about them can change
/// any more then.
fn count(home: &Home) {
    let now: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let later: Arc<dyn Clock> = Arc::new(ManualClock::starting_at(now.now_us() + 600 * SECOND_US));
    let ids: Arc<dyn IdSource> = Arc::new(SeededIds::new(7));
    let options = WriterOptions { clock: now, ids: Arc::clone(&ids) };
    let (started, url) = match home.database() {
        None => (Ledger::start(&home.file(), options), format!("sqlite://{}", home.file().display())),
        Some(database) => (Ledger::start_postgres(&database.url(), options, None), database.url()),
    };
    let (ledger, writer) = started.unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::open(&url).await.unwrap();
        let policies = Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE }).unwrap();
        let services = Services::start(database, ledger, later, ids, policies).await.unwrap();
        while services.count_further().await.unwrap() {}
    });
    // With its last handle the writer ends, and leaves the database to the program; see `Desk::stop`.
    writer.join().unwrap();
    if home.database().is_none() {
        wait_until("the writer's lock is free", || WriterLock::take(&home.file()).ok());
    }
}

/// A call, for whom it was, and of which tool.
struct Made {
    id: String,
    user: &'static str,
    tool: &'static str,
}

fn make(house: &House, (tool, token, user): (&'static str, &str, &'static str), status: u16) -> Made {
    let answer = house.call_of(tool, token, user);
    assert_eq!(answer.status, status, "{tool} {user}: {}", answer.body);
    Made { id: answer.header("x-tollgate-invocation-id").unwrap().to_owned(), user, tool }
}

/// What these calls came to, by the transactions of whose they are.
fn expected<'made>(made: impl Iterator<Item = &'made Made>, charges: &[Value]) -> Value {
    let (mut calls, mut paid_calls, mut charged) = (0, 0, 0);
    for made in made {
        calls += 1;
        if let Some(charge) = charges.iter().find(|charge| charge["invocation_id"] == made.id.as_str()) {
            paid_calls += 1;
            charged -= charge["credits"].as_i64().unwrap();
        }
    }
    json!({"calls": calls, "paid_calls": paid_calls, "credits_charged": charged})
}

/// What those of these lines come to of which `name` is `subject`, whatever their periods; a day may have ended meanwhile.
fn summed(lines: &Value, name: &str, subject: &Value) -> Value {
    let mut sums = [0, 0, 0];
    let names = ["calls", "paid_calls", "credits_charged"];
    for line in lines.as_array().unwrap().iter().filter(|line| line[name] == *subject) {
        for (sum, name) in sums.iter_mut().zip(names) {
            *sum += line[name].as_i64().unwrap();
        }
    }
    json!({"calls": sums[0], "paid_calls": sums[1], "credits_charged": sums[2]})
}

fn transactions(house: &House, token: &str, kind: &str) -> Vec<Value> {
    let page = house.server.get(token, &format!("/credits/transactions?limit=200&kind={kind}"));
    assert_eq!((page.status, &page.json["next"]), (200, &Value::Null), "{}", page.body);
    page.json["transactions"].as_array().unwrap().clone()
}

fn every_number_is_that_of_the_transactions(kind: Kind) {
    let broken = Upstream::start(|_, stream| {
        stream.write_all(json_answer("500 Internal Server Error", "{}").as_bytes()).is_ok()
    });
    let house = House::open_with_tool(kind, "", &tool("broken", &broken.url("/"), 70, "success", 5_000));
    let (_, other) = house.token();
    let made = [
        (("paid", GLOBEX, "ann"), 200),
        (("paid", GLOBEX, "ann"), 200),
        (("paid", &*other, "ann"), 200),
        (("paid", &*other, "ben"), 200),
        (("broken", GLOBEX, "ben"), 502),
    ];
    let made = made.map(|(call, status)| make(&house, call, status));
    make(&house, ("paid", INITECH, "ann"), 200);
    json_of(house.home.path(), &["refund", &made[0].id, "--credits", "12", "--reason", "it was late"]);
    let house = house.restart(count);

    let charges = transactions(&house, GLOBEX, "charge");
    let all = expected(made.iter(), &charges);
    assert_eq!(all, json!({"calls": 5, "paid_calls": 4, "credits_charged": 200}));
    assert_eq!(charges.len(), 4, "each charge is that of one of these calls: {charges:?}");
    let from = jiff::Timestamp::from_microsecond(SystemClock::start().now_us() - 40 * 86_400 * SECOND_US).unwrap();
    let usage = |query: &str| house.get(&format!("/partners/usage?from={from}{query}"))["usage"].clone();
    for query in ["", "&group_by=day", "&group_by=month"] {
        assert_eq!(summed(&usage(query), "none", &Value::Null), all, "{query}");
    }
    for per in ["day", "month"] {
        let users = usage(&format!("&group_by=user&per={per}"));
        assert_eq!(summed(&users, "none", &Value::Null), all, "{users}");
        for user in ["ann", "ben"] {
            let own = expected(made.iter().filter(|made| made.user == user), &charges);
            assert_eq!(summed(&users, "external_id", &json!(user)), own, "{user}: {users}");
            let id = &house.get(&format!("/partners/users/{user}"))["id"];
            assert_eq!(summed(&users, "user_id", id), own, "{user}: {users}");
            let alone = usage(&format!("&group_by=user&per={per}&user={user}"));
            assert_eq!(summed(&alone, "none", &Value::Null), own, "{user}: {alone}");
        }
        let tools = usage(&format!("&group_by=tool&per={per}"));
        assert_eq!(summed(&tools, "none", &Value::Null), all, "{tools}");
        for tool in ["paid", "broken"] {
            let own = expected(made.iter().filter(|made| made.tool == tool), &charges);
            assert_eq!(summed(&tools, "tool", &json!(format!("acme/{tool}"))), own, "{tool}: {tools}");
        }
    }
    // A page after the other, it is the same.
    let (mut lines, mut after) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/partners/usage?from={from}&group_by=user&limit=1{after}"));
        assert_eq!(page["usage"].as_array().unwrap().len(), 1, "{page}");
        lines.extend(page["usage"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(json!(lines), usage("&group_by=user"));

    // Statements: the same, and to be found by their months.
    let months = house.get("/partners/statements")["statements"].clone();
    assert_eq!(summed(&months, "none", &Value::Null), all, "{months}");
    let mut users = Vec::new();
    for month in months.as_array().unwrap() {
        let statement = house.get(&format!("/partners/statements/{}", month["period"].as_str().unwrap()));
        for name in ["calls", "paid_calls", "credits_charged"] {
            assert_eq!(statement["total"][name], month[name], "{statement}");
        }
        let of_users = summed(&statement["users"], "none", &Value::Null);
        assert_eq!((of_users, &statement["next"]), (statement["total"].clone(), &Value::Null), "{statement}");
        users.extend(statement["users"].as_array().unwrap().clone());
    }
    for user in ["ann", "ben"] {
        let own = expected(made.iter().filter(|made| made.user == user), &charges);
        assert_eq!(summed(&json!(users), "external_id", &json!(user)), own, "{user}: {users:?}");
    }

    // Whichever token asks; and of another partner nothing is in it.
    let asked = house.send(&other, "GET", &format!("/partners/usage?from={from}&group_by=user"), "");
    assert_eq!(asked.json["usage"], usage("&group_by=user"));
    let theirs = house.send(INITECH, "GET", &format!("/partners/usage?from={from}"), "");
    let one = json!({"calls": 1, "paid_calls": 1, "credits_charged": 50});
    assert_eq!(summed(&theirs.json["usage"], "none", &Value::Null), one, "{}", theirs.body);

    // What was counted, less what went back, is what the wallet has less than it was given; nothing is left over.
    let sum = |kind: &str| -> i64 {
        transactions(&house, GLOBEX, kind).iter().map(|row| row["credits"].as_i64().unwrap()).sum()
    };
    let (given, back) = (sum("grant"), sum("refund"));
    let balance = house.server.balance(GLOBEX)["balance"].as_i64().unwrap();
    let charged = all["credits_charged"].as_i64().unwrap();
    assert_eq!((given, back, given - charged + back - balance), (1_000, 12, 0), "{balance}");
    house.server.verified_postings();
}

fn what_is_wrong_with_a_question_is_named(kind: Kind) {
    let house = House::open(kind);
    for (query, field) in [
        ("from=yesterday", "from"),
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("group_by=account", "group_by"),
        ("group_by=user&per=week", "per"),
        ("per=day", "per"),
        ("user=u-1", "user"),
        ("limit=501", "limit"),
        ("after=1", "after"),
        ("until=2026-11-01", "query"),
        ("limit=1&limit=2", "limit"),
    ] {
        assert_names(&house.send(GLOBEX, "GET", &format!("/partners/usage?{query}"), ""), ["query", field]);
    }
    let nobody = house.send(GLOBEX, "GET", "/partners/usage?group_by=user&user=u-2", "");
    assert_eq!((nobody.status, nobody.code()), (404, "not_found"), "{}", nobody.body);
    for month in ["2026-13", "2026-1", "2026", "november", "2026-11-01"] {
        let missing = house.send(GLOBEX, "GET", &format!("/partners/statements/{month}"), "");
        assert_eq!((missing.status, missing.code()), (404, "not_found"), "{month}: {}", missing.body);
    }
    assert_names(&house.send(GLOBEX, "GET", "/partners/statements/2026-11?limit=0", ""), ["query", "limit"]);
}
