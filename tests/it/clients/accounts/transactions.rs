//! What moved in one's own wallet: every kind, every filter, page after page, and nothing of anybody else.

use engine::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::wait_until,
    server::{ALICE, BOB, Server, tool},
    upstream::Upstream,
};

use super::{assert_names, config, send_as};
use crate::clients::operator::json_of;

on_both_databases!(
    every_movement_is_listed_with_what_it_is_about,
    a_list_goes_on_where_its_page_ended,
    a_wallet_is_shown_to_its_owner_alone,
    what_is_wrong_with_a_list_is_named,
);

const PARTNER: &str = "faro_partner_globex00";
const PATH: &str = "/credits/transactions";

struct House {
    server: Server,
    home: Home,
    _upstream: Upstream,
}

impl House {
    fn open(kind: Kind) -> Self {
        let upstream = Upstream::answering(r#"{"done": true}"#);
        let home = Home::on(kind);
        let tools = tool("paid", &upstream.url("/"), 50, "success", 5_000);
        let partner = format!("{{name: 'Globex', token: '{PARTNER}', margin_bps: 500, grant_credits: 1000}}");
        let server = Server::start(home.path(), &config(&tools, &partner, ""));
        Self { server, home, _upstream: upstream }
    }

    /// A call; its identifier.
    fn call(&self, token: &str) -> String {
        let paid = self.server.invoke(token, "paid", "{}");
        assert_eq!(paid.status, 200, "{}", paid.body);
        paid.json["invocation_id"].as_str().unwrap().to_owned()
    }

    fn list(&self, token: &str, query: &str) -> Value {
        let answer = self.server.get(token, &format!("{PATH}{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.json
    }

    fn rows(&self, token: &str, query: &str) -> Vec<Value> {
        self.list(token, query)["transactions"].as_array().unwrap().clone()
    }
}

/// A time so many microseconds from now, as addresses and the command line take it.
fn from_now(us: i64) -> String {
    jiff::Timestamp::from_microsecond(SystemClock::start().now_us() + us).unwrap().to_string()
}

/// Kind and credits of every row.
fn gist(rows: &[Value]) -> Vec<(&str, &Value)> {
    rows.iter().map(|row| (row["kind"].as_str().unwrap(), &row["credits"])).collect()
}

fn every_movement_is_listed_with_what_it_is_about(kind: Kind) {
    let house = House::open(kind);
    let given = house.rows(ALICE, "");
    assert_eq!(gist(&given), [("grant", &json!(10_000))]);

    let call = house.call(ALICE);
    let order = |arguments: &[&str]| json_of(house.home.path(), arguments);
    let back = order(&["refund", &call, "--credits", "12.345678", "--reason", "a secret reason"]);
    let bought = send_as(&house.server, ALICE, "POST", "/credits/purchase", r#"{"credits": 7.5}"#).json;
    let purchase = bought["purchase_id"].as_str().unwrap();
    order(&["purchase", "confirm", purchase]);
    order(&["account", "adjust", "alice@example.com", "-3", "--reason", "a secret reason"]);
    let expires = from_now(20_000_000);
    let grant = order(&["account", "grant", "alice@example.com", "4", "--reason", "trial", "--expires", &expires]);
    let has_expired = || house.rows(ALICE, "?kind=expiry").into_iter().next();
    let (expired, _) = wait_until("the grant has gone back", has_expired);

    let rows = house.rows(ALICE, "");
    let all = [
        ("expiry", json!(-4)),
        ("grant", json!(4)),
        ("adjustment", json!(-3)),
        ("purchase", json!(7.5)),
        ("refund", json!(12.345678)),
        ("charge", json!(-50)),
        ("grant", json!(10_000)),
    ];
    assert_eq!(gist(&rows), all.iter().map(|(kind, credits)| (*kind, credits)).collect::<Vec<_>>());
    for row in &rows {
        let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["transaction_id", "kind", "credits", "at", "invocation_id", "purchase_id", "reverses"];
        assert!(names.len() == expected.len() && expected.iter().all(|name| names.contains(name)), "{row}");
        assert!(row["transaction_id"].as_str().unwrap().starts_with("ent_"), "{row}");
        assert!(row["at"].as_str().unwrap().ends_with('Z'), "{row}");
    }
    let null = Value::Null;
    let of = |at: usize| {
        let row = &rows[at];
        [&row["transaction_id"], &row["invocation_id"], &row["purchase_id"], &row["reverses"]]
    };
    let charge = json!(call.replace("inv_", "ent_"));
    assert_eq!(expired, rows[0]);
    assert_eq!(of(0)[1..], [&null, &null, &grant["grant"]]);
    assert_eq!(of(1), [&grant["grant"], &null, &null, &null]);
    assert_eq!(of(2)[1..], [&null, &null, &null]);
    assert_eq!(of(3)[1..], [&null, &json!(purchase), &null]);
    assert_eq!(of(4), [&back["refund"], &json!(call), &null, &charge]);
    assert_eq!(of(5), [&charge, &json!(call), &null, &null]);
    // Everything together is what the wallet has; why operators did it is theirs to know.
    let sum: f64 = rows.iter().map(|row| row["credits"].as_f64().unwrap()).sum();
    let balance = house.server.balance(ALICE)["balance"].as_f64().unwrap();
    assert!((sum - balance).abs() < 0.000_000_5, "{sum} {balance}");
    assert!(!json!(rows).to_string().contains("secret"));

    // By kind, and by time.
    for (kind, credits) in &all {
        let found = house.rows(ALICE, &format!("?kind={kind}"));
        assert!(found.iter().all(|row| row["kind"] == *kind), "{found:?}");
        assert!(found.iter().any(|row| row["credits"] == *credits), "{kind}: {found:?}");
        assert_eq!(found.len(), all.iter().filter(|(other, _)| other == kind).count(), "{kind}");
    }
    assert_eq!(house.rows(ALICE, "?kind=chargeback"), [Value::Null; 0]);
    let at = |row: usize| rows[row]["at"].as_str().unwrap();
    let between = house.rows(ALICE, &format!("?from={}&to={}", at(5), at(3)));
    assert_eq!(gist(&between), gist(&rows[4..6]), "from is in it, to is not");
    assert_eq!(gist(&house.rows(ALICE, &format!("?from={}", at(2)))), gist(&rows[..3]));
    assert_eq!(gist(&house.rows(ALICE, &format!("?to={}", at(5)))), gist(&rows[6..]));
    assert_eq!(gist(&house.rows(ALICE, &format!("?to={}&kind=charge", at(3)))), gist(&rows[5..6]));
    assert_eq!(house.rows(ALICE, "?from=2999-01-01"), [Value::Null; 0]);
    house.server.verified_postings();
}

fn a_list_goes_on_where_its_page_ended(kind: Kind) {
    let house = House::open(kind);
    let calls: Vec<String> = (0..7).map(|_| house.call(ALICE)).collect();
    let turn = |filter: &str| {
        let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = house.list(ALICE, &format!("?limit=3{filter}{after}"));
            assert_eq!(page["looked_back_to"], Value::Null, "{page}");
            let rows = page["transactions"].as_array().unwrap();
            assert!(rows.len() <= 3, "{page}");
            seen.extend(rows.clone());
            pages += 1;
            // What happens meanwhile moves nothing.
            house.call(ALICE);
            let Some(next) = page["next"].as_str() else { return (seen, pages) };
            after = format!("&after={next}");
        }
    };
    let (seen, pages) = turn("");
    assert_eq!(pages, 3, "seven calls and a grant");
    let newest_first: Vec<Value> = calls.iter().rev().map(|call| json!(call)).chain([Value::Null]).collect();
    assert_eq!(seen.iter().map(|row| row["invocation_id"].clone()).collect::<Vec<_>>(), newest_first);
    let (seen, _) = turn("&kind=grant");
    assert_eq!(gist(&seen), [("grant", &json!(10_000))]);
}

fn a_wallet_is_shown_to_its_owner_alone(kind: Kind) {
    let house = House::open(kind);
    let alices = house.call(ALICE);
    let bobs = house.call(BOB);
    let bearer = format!("Bearer {PARTNER}");
    let for_user = [("authorization", &*bearer), ("x-faro-user", "u-1")];
    let partners = house.server.send("POST", "/invoke/acme/paid", &for_user, "{}").json["invocation_id"].clone();
    for (token, given, call) in [(ALICE, 10_000, &json!(alices)), (BOB, 100, &json!(bobs)), (PARTNER, 1_000, &partners)]
    {
        let rows = house.rows(token, "");
        assert_eq!(gist(&rows), [("charge", &json!(-50)), ("grant", &json!(given))]);
        assert_eq!(&rows[0]["invocation_id"], call);
    }
    // A page's end of somebody else is a place in the books, and no key to what is theirs.
    house.call(ALICE);
    let next = house.list(ALICE, "?limit=1")["next"].as_str().unwrap().to_owned();
    assert_eq!(gist(&house.rows(BOB, &format!("?after={next}"))), [("grant", &json!(100))], "before her first call");
    for (bearer, code) in [("faro_nobody-00000", "invalid_token"), ("", "missing_token")] {
        let refused = send_as(&house.server, bearer, "GET", PATH, "");
        assert_eq!((refused.status, refused.code()), (401, code), "{}", refused.body);
    }
}

fn what_is_wrong_with_a_list_is_named(kind: Kind) {
    let house = House::open(kind);
    for (query, place) in [
        ("?kind=payout", "kind"),
        ("?kind=", "kind"),
        ("?from=yesterday", "from"),
        ("?to=2026-13-01", "to"),
        ("?from=2026-01-02&to=2026-01-01", "to"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?limit=1.5", "limit"),
        ("?after=nowhere", "after"),
        ("?after=0.99999999999999999999", "after"),
        ("?account=alice@example.com", "query"),
    ] {
        assert_names(&house.server.get(ALICE, &format!("{PATH}{query}")), ["query", place]);
    }
    // Places that there are not are the ends of a list, or its beginning.
    house.call(ALICE);
    let next = house.list(ALICE, "?limit=1")["next"].as_str().unwrap().to_owned();
    let (slot, _) = next.split_once('.').unwrap();
    let all = house.rows(ALICE, "");
    assert_eq!(house.rows(ALICE, &format!("?after={slot}.9223372036854775807&limit=200")), all);
    for nowhere in ["?after=0.-5", "?after=0.0", "?after=1000.5"] {
        assert_eq!(house.rows(ALICE, nowhere), [Value::Null; 0], "{nowhere}");
    }
}
