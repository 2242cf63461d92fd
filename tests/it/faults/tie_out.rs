//! Tying the books out to the outside: what the upstream logged times the version of the price, what the clients noted
//! down, and plain sums that know nothing of the program must agree with every wallet, payable, hold and cap, to the
//! micro-credit. Prices change and money runs out while everybody buys.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use engine::{credits::Credits, id::InvocationId, testing::Dice};
use serde_json::{Value, json};
use tests::{
    connection::Caller,
    environment::extent,
    home::{Home, Kind},
    on_both_databases,
    patience::Ends as _,
    program::{Server, configure, tollgate},
    publisher::Upstream,
};

use super::market::{micros, react, verify};
use crate::rows;

on_both_databases!(the_books_tie_out_to_the_outside);

/// How many clients buy at once.
const CLIENTS: u64 = 6;
/// How often prices change.
const PRICE_CHANGES: usize = 3;
/// The shares, in basis points.
const PUBLISHER_BPS: [(&str, i64); 2] = [("acme", 8_000), ("initech", 3_333)];
const PARTNER_BPS: i64 = 500;
/// What the rich, the poor and the limited have, in credits.
const RICH: i64 = 1_000_000;
const POOR: i64 = 40;
const LIMIT: i64 = 25;

/// Who buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Buyer {
    Rich,
    /// Runs out of money.
    Poor,
    /// Runs into the limit of its token.
    Limited,
    /// One of so many users of the partner.
    User(u64),
}

impl Buyer {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..=3 => Self::Rich,
            4 => Self::Poor,
            5 => Self::Limited,
            _ => Self::User(dice.below(4)),
        }
    }

    const fn token(self) -> &'static str {
        match self {
            Self::Rich => "faro_tieout_rich_0123456789",
            Self::Poor => "faro_tieout_poor_0123456789",
            Self::Limited => "faro_tieout_limited_0123456789",
            Self::User(_) => "faro_partner_tieout_0123456789",
        }
    }

    fn caller(self, address: &str) -> Caller {
        let bearer = format!("Bearer {}", self.token());
        match self {
            Self::User(number) => {
                Caller::new(address, &[("authorization", &bearer), ("x-faro-user", &format!("user-{number}"))])
            }
            _ => Caller::new(address, &[("authorization", &bearer)]),
        }
    }

    /// Whose wallet pays: users share the partner's.
    const fn wallet(self) -> &'static str {
        match self {
            Self::Rich => "rich@example.com",
            Self::Poor => "poor@example.com",
            Self::Limited => "limited@example.com",
            Self::User(_) => "Globex",
        }
    }

    /// How many limits count what it pays.
    const fn caps(self) -> i64 {
        match self {
            Self::Rich | Self::Poor => 0,
            Self::Limited => 1,
            Self::User(_) => 2,
        }
    }
}

/// What a client noted down of a call that was not refused.
#[derive(Debug, Clone)]
struct Note {
    buyer: Buyer,
    publisher: &'static str,
    invocation: String,
    /// In micro-credits.
    charged: i64,
}

/// A client: what it bought, and what it still knows to ask again.
struct Client {
    dice: Dice,
    number: u64,
    notes: Vec<Note>,
    refusals: BTreeMap<String, usize>,
    asked: Vec<(Buyer, String, Value, Value)>,
}

impl Client {
    fn new(seed: u64, number: u64) -> Self {
        let dice = Dice::new(seed.wrapping_mul(1_000).wrapping_add(number));
        Self { dice, number, notes: Vec::new(), refusals: BTreeMap::new(), asked: Vec::new() }
    }

    fn buy(&mut self, callers: &mut BTreeMap<Buyer, Caller>, address: &str, operation: usize) {
        if self.dice.chance(8)
            && let Some((buyer, path, body, before)) = self.dice.pick(&self.asked).cloned()
        {
            let caller = callers.entry(buyer).or_insert_with(|| buyer.caller(address));
            let again = caller.post(&path, &body).unwrap();
            assert_eq!(again.json, before, "a key never changes its answer: {body}");
            return;
        }
        let buyer = Buyer::draw(&mut self.dice);
        let publisher = if self.dice.chance(70) { "acme" } else { "initech" };
        let (tool, status) = match self.dice.below(4) {
            0 => ("attempt", if self.dice.chance(6) { 500 } else { 200 }),
            1 => ("metered", 200),
            _ => ("fixed", if self.dice.chance(3) { 500 } else { 200 }),
        };
        let cost = self.dice.between(1, 2_000_000);
        // As text: the digits must reach the program as they stand here.
        let credits: Value = serde_json::from_str(&format!("{}.{:06}", cost / 1_000_000, cost % 1_000_000)).unwrap();
        let key = format!("client-{}-{operation}", self.number);
        let arguments = json!({ "key": key, "status": status, "credits": credits });
        let is_keyed = self.dice.chance(50);
        let body = if is_keyed {
            json!({ "arguments": arguments, "idempotency_key": key })
        } else {
            json!({ "arguments": arguments })
        };
        let path = format!("/invoke/{publisher}/{tool}");
        let caller = callers.entry(buyer).or_insert_with(|| buyer.caller(address));
        let answer = caller.post(&path, &body).unwrap();
        let charged = match (answer.status, answer.code()) {
            (200, _) => &answer.json["credits_charged"],
            (502, "upstream_failed") if answer.json["error"]["invocation_id"].is_string() => {
                &answer.json["error"]["credits_charged"]
            }
            // Refused, or the circuit breaker let nobody through: nothing was sent, nothing is charged.
            (402 | 502 | 503, code) => {
                *self.refusals.entry(code.to_owned()).or_default() += 1;
                return;
            }
            _ => panic!("{body}: {} {}", answer.status, answer.body),
        };
        let invocation = answer.header("x-tollgate-invocation-id").unwrap().to_owned();
        self.notes.push(Note { buyer, publisher, invocation, charged: micros(charged) });
        // A failure that cost nothing gives its key free again: it may be tried anew.
        if is_keyed && (answer.status == 200 || micros(charged) > 0) {
            self.asked.push((buyer, path, body, answer.json));
        }
    }
}

/// The catalog, with the prices of this version.
fn configuration(upstream: &Upstream, version: i64) -> Value {
    let address = upstream.address();
    let credits = |micros: i64| Credits::from_micros(micros).to_json_number();
    let tool = |publisher: &str, name: &str, pricing: Value| json!({ "name": name, "upstream": { "kind": "http", "url": format!("http://{address}/{publisher}/{name}") }, "pricing": pricing });
    let publishers = PUBLISHER_BPS.map(|(slug, bps)| {
        let fixed = credits(333_333 + 11_111 * version);
        let attempt = credits(500_001 - 7 * version);
        let tools = [
            tool(slug, "fixed", json!({ "pricing_mode": "fixed_per_request", "fixed_credit_cost": fixed })),
            tool(
                slug,
                "metered",
                json!({ "pricing_mode": "tool_returned", "returned_credit_cost_path": "$.usage.credits", "estimated_max_credit_cost": 2 }),
            ),
            tool(
                slug,
                "attempt",
                json!({ "pricing_mode": "fixed_per_request", "fixed_credit_cost": attempt, "charge_on": "attempt" }),
            ),
        ];
        json!({ "id": slug, "display_name": slug, "share_bps": bps, "namespaces": [{ "name": slug, "tools": tools }] })
    });
    let account = |buyer: Buyer, grant: i64, caps: Value| {
        json!({
            "email": buyer.wallet(), "verified": true, "grant_credits": grant, "caps": caps,
            "tokens": [{ "name": "t", "token": buyer.token() }],
        })
    };
    let cap = |per: &str, window: &str, limit: i64| json!({ "per": per, "window": window, "credits": limit });
    json!({
        "allow_fixture_secrets": true,
        "egress": { "allow_hosts": [address.to_string()] },
        "limits": { "invoke_per_token_per_s": 1_000_000, "invoke_burst": 1_000_000 },
        "catalog": {
            "publishers": publishers,
            "accounts": [
                account(Buyer::Rich, RICH, json!([])),
                account(Buyer::Poor, POOR, json!([])),
                account(Buyer::Limited, RICH, json!([cap("token", "total", LIMIT)])),
            ],
            "partners": [{
                "name": Buyer::User(0).wallet(), "token": Buyer::User(0).token(), "margin_bps": PARTNER_BPS,
                "grant_credits": RICH, "caps": [cap("end_user", "day", RICH), cap("partner", "month", RICH)],
            }],
        },
    })
}

fn the_books_tie_out_to_the_outside(kind: Kind) {
    let (seeds, operations) = extent().pick((2, 10_000), (20, 100_000));
    for seed in 0..seeds {
        tie_out(kind, seed, operations);
    }
}

fn tie_out(kind: Kind, seed: u64, operations: usize) {
    let (home, upstream) = (Home::on(kind), Upstream::start(react));
    configure(home.path(), &configuration(&upstream, 0));
    let server = Server::start(home.path());
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| Client::new(seed, number)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (next, home, upstream, address) = (&next, &home, &upstream, server.address());
        for client in &mut clients {
            scope.spawn(move || {
                let mut callers = BTreeMap::new();
                loop {
                    let operation = next.fetch_add(1, Ordering::SeqCst);
                    if operation >= operations {
                        break;
                    }
                    match (1..=PRICE_CHANGES).find(|change| operations * change / (PRICE_CHANGES + 1) == operation) {
                        Some(change) => change_prices(home, upstream, change),
                        None => client.buy(&mut callers, address, operation),
                    }
                }
            });
        }
    });
    assert_eq!(server.stop(), Some(0));
    let notes: BTreeMap<String, &Note> =
        clients.iter().flat_map(|client| &client.notes).map(|note| (note.invocation.clone(), note)).collect();
    let refusals =
        clients.iter().flat_map(|client| &client.refusals).fold(BTreeMap::new(), |mut sums, (code, count)| {
            *sums.entry(code.as_str()).or_insert(0) += count;
            sums
        });
    println!("{kind:?}, seed {seed}: {operations} operations, {} calls, refused: {refusals:?}", notes.len());
    for code in ["insufficient_credits", "cap_reached"] {
        assert!(refusals.contains_key(code), "nobody was refused with {code}: {refusals:?}");
    }
    check_against_the_upstream(&home, &upstream, &notes);
    check_sums(&home, &notes);
    verify(home.path());
}

/// The operator, beside the running server.
fn change_prices(home: &Home, upstream: &Upstream, change: usize) {
    configure(home.path(), &configuration(upstream, i64::try_from(change).unwrap()));
    let applied = tollgate(home.path(), &["apply", "tollgate.json5"]).ended().unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
}

/// The upstream's log × the version of the price is what every client was told and what stands in the records.
fn check_against_the_upstream(home: &Home, upstream: &Upstream, notes: &BTreeMap<String, &Note>) {
    let records: BTreeMap<String, (i64, Value)> = rows::of_home(
        home,
        "SELECT i.id, i.charged, p.spec FROM invocation i JOIN price_version p ON p.id = i.price_id",
    )
    .into_iter()
    .map(|row| (row[0].clone(), (row[1].parse().unwrap(), serde_json::from_str(&row[2]).unwrap())))
    .collect();
    let log = upstream.log();
    let mut seen = BTreeSet::new();
    let mut versions = BTreeSet::new();
    for received in log.iter() {
        assert!(seen.insert(received.invocation.clone()), "{received:?} came twice");
        let id: InvocationId = received.invocation.parse().unwrap();
        let (recorded, spec) = &records[&id.uuid().simple().to_string()];
        let price = |name: &str| Credits::parse_exact(spec[name].as_str().unwrap()).unwrap().micros();
        let is_success = received.answered == Some(200);
        let expected = if spec["pricing_mode"] == "tool_returned" {
            if is_success { micros(&received.arguments["credits"]) } else { 0 }
        } else {
            versions.insert(spec["fixed_credit_cost"].to_string());
            if is_success || spec["charge_on"] == "attempt" { price("fixed_credit_cost") } else { 0 }
        };
        let note = notes.get(&received.invocation).unwrap_or_else(|| panic!("no client asked for {received:?}"));
        assert_eq!((expected, expected), (note.charged, *recorded), "{received:?} {spec} {note:?}");
    }
    assert_eq!(seen.len(), notes.len(), "every call that a client was told of reached the upstream");
    assert_eq!(
        versions.len(),
        2 * (PRICE_CHANGES + 1),
        "calls were made at every version of both prices: {versions:?}"
    );
}

/// Plain sums over what the clients noted down are the balances, the shares and the counters.
fn check_sums(home: &Home, notes: &BTreeMap<String, &Note>) {
    let (mut spent, mut shares) = (BTreeMap::new(), BTreeMap::new());
    let (mut capped, mut limited, mut booked) = (0, 0, BTreeMap::new());
    for (invocation, note) in notes {
        let bps = PUBLISHER_BPS.into_iter().find(|(slug, _)| *slug == note.publisher).unwrap().1;
        let publisher = note.charged * bps / 10_000;
        let partner = if matches!(note.buyer, Buyer::User(_)) { note.charged * PARTNER_BPS / 10_000 } else { 0 };
        *spent.entry(note.buyer.wallet()).or_insert(0) += note.charged;
        *shares.entry(note.publisher).or_insert(0) += publisher;
        *shares.entry("partner").or_insert(0) += partner;
        *shares.entry("platform").or_insert(0) += note.charged - publisher - partner;
        capped += note.charged * note.buyer.caps();
        limited += if note.buyer == Buyer::Limited { note.charged } else { 0 };
        if note.charged > 0 {
            let id: InvocationId = invocation.parse().unwrap();
            booked.insert(id.uuid().simple().to_string(), note.charged);
        }
    }
    let sums = |sql: &str| -> BTreeMap<String, Vec<i64>> {
        let rows = rows::of_home(home, sql).into_iter();
        rows.map(|row| (row[0].clone(), row[1..].iter().map(|word| word.parse().unwrap()).collect())).collect()
    };
    let wallets = sums(
        "SELECT a.email, w.credits, w.debits, w.held FROM account a JOIN wallet_balance w ON w.account_id = a.wallet
         UNION ALL SELECT p.name, w.credits, w.debits, w.held FROM partner p JOIN wallet_balance w ON w.account_id = p.wallet",
    );
    for (buyer, grant) in [(Buyer::Rich, RICH), (Buyer::Poor, POOR), (Buyer::Limited, RICH), (Buyer::User(0), RICH)] {
        let expected = [grant * 1_000_000, spent.get(buyer.wallet()).copied().unwrap_or(0), 0];
        assert_eq!(wallets[buyer.wallet()], expected, "{buyer:?}: credits, debits, held");
    }
    assert_eq!(wallets.len(), 4);
    assert!(wallets[Buyer::Poor.wallet()][1] <= POOR * 1_000_000);
    let earned = sums(
        "SELECT p.slug, sum(h.credits), sum(h.debits) FROM publisher p JOIN hot_balance h ON h.account_id = p.payable GROUP BY p.slug
         UNION ALL SELECT 'partner', sum(h.credits), sum(h.debits) FROM partner p JOIN hot_balance h ON h.account_id = p.margin
         UNION ALL SELECT 'platform', sum(credits), sum(debits) FROM hot_balance WHERE account_id = 1",
    );
    for (who, share) in &shares {
        assert_eq!(earned[*who], [*share, 0], "{who}: credits, debits");
    }
    assert_eq!(earned.len(), shares.len());
    let counters = sums("SELECT 'all', sum(spent), sum(held) FROM cap_window");
    assert_eq!(counters["all"], [capped, 0], "all limits: spent, held");
    let of_limited = sums("SELECT 'x', w.spent FROM cap c JOIN cap_window w ON w.cap_id = c.id WHERE c.owner_kind = 2");
    assert_eq!(of_limited["x"], [limited]);
    assert!(limited <= LIMIT * 1_000_000);
    assert_eq!(rows::of_home(home, "SELECT count(*) FROM open_hold"), [["0"]]);
    let of_holds = sums(
        "SELECT t.hold_id, sum(p.amount) FROM txn t JOIN posting p ON p.slot = t.slot AND p.seq = t.seq
         WHERE t.hold_id IS NOT NULL GROUP BY t.hold_id",
    );
    let of_holds: BTreeMap<String, i64> = of_holds.into_iter().map(|(id, sums)| (id, sums[0])).collect();
    assert_eq!(of_holds, booked, "every charge that was told of is booked once, and nothing else is");
}
