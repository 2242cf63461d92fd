//! A small market on disk: tools of every way of pricing, an account and a partner that can pay, one database over many
//! runs of the program.

use std::path::{Path, PathBuf};

use engine::credits::Credits;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tests::{
    connection::Caller,
    home::{Home, Kind},
    patience::Ends as _,
    program::{Server, configure, tollgate},
    publisher::{Reaction, Received, Upstream},
};

use crate::rows;

/// What the publisher gets of every price, in basis points.
const PUBLISHER_BPS: i64 = 8_000;
/// What the partner gets of what its users pay, in basis points.
const PARTNER_BPS: i64 = 500;

/// A price that no share divides evenly, in micro-credits.
pub(super) const FIXED_MICROS: i64 = 333_333;
/// The price of an attempt, in micro-credits.
pub(super) const ATTEMPT_MICROS: i64 = 500_001;

/// Credits of each buyer.
const GRANT: i64 = 1_000_000;

/// The file of the database in its folder.
const DATABASE: &str = "tollgate.db";

/// Who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buyer {
    Account,
    /// One of so many users of the partner.
    PartnerUser(u64),
}

impl Buyer {
    pub(super) const ACCOUNT_TOKEN: &str = "faro_faults_account_0123456789";
    const PARTNER_TOKEN: &str = "faro_partner_faults_0123456789";

    /// A caller on a connection of its own.
    pub(super) fn call(self, address: &str) -> Caller {
        match self {
            Self::Account => Caller::new(address, &[("authorization", &format!("Bearer {}", Self::ACCOUNT_TOKEN))]),
            Self::PartnerUser(number) => Caller::new(
                address,
                &[
                    ("authorization", &format!("Bearer {}", Self::PARTNER_TOKEN)),
                    ("x-faro-user", &format!("user-{number}")),
                ],
            ),
        }
    }

    const fn margin_bps(self) -> i64 {
        match self {
            Self::Account => 0,
            Self::PartnerUser(_) => PARTNER_BPS,
        }
    }
}

/// The upstream works as long, fails and costs as its arguments say.
pub(super) fn react(received: &Received) -> Reaction {
    let argument = |name: &str| received.arguments.get(name).cloned().unwrap_or_default();
    Reaction {
        after_ms: argument("work_ms").as_u64().unwrap_or_default(),
        status: argument("status").as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200),
        body: json!({ "key": argument("key"), "usage": { "credits": argument("credits") } }),
    }
}

/// What a racer whose balance is worth so many calls has, in micro-credits.
pub(super) const fn racer_balance_micros(calls: i64) -> i64 {
    (calls + 1) * FIXED_MICROS - 1
}

fn racer_token(number: usize) -> String {
    format!("faro_faults_racer_{number:08}")
}

/// One of many callers that share the token of a racer.
pub(super) fn racer(address: &str, number: usize) -> Caller {
    Caller::new(address, &[("authorization", &format!("Bearer {}", racer_token(number)))])
}

/// A folder with a configuration, and the upstream that it names.
pub(super) struct Market {
    home: Home,
    pub(super) upstream: Upstream,
}

impl Market {
    pub(super) fn open() -> Self {
        Self::open_on(Kind::Sqlite)
    }

    pub(super) fn open_on(kind: Kind) -> Self {
        Self::with_racers(kind, &[])
    }

    /// A market with further accounts, each with a balance worth so many calls of the tool `fixed` and not quite one
    /// more.
    pub(super) fn with_racers(kind: Kind, worth: &[i64]) -> Self {
        let (home, upstream) = (Home::on(kind), Upstream::start(react));
        configure(home.path(), &configuration(&upstream, worth));
        Self { home, upstream }
    }

    pub(super) fn folder(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder().join(DATABASE)
    }

    /// Runs the program once, so that the next run finds a database with the catalog in it.
    pub(super) fn make_database(&self) {
        let server = Server::start(self.folder());
        assert_eq!(Buyer::Account.call(server.address()).get("/readyz").unwrap().status, 200);
        assert_eq!(server.stop(), Some(0));
    }

    /// Runs `ledger verify`; the books must be in order.
    pub(super) fn verify(&self) -> Value {
        verify(self.folder())
    }

    /// All debits and all credits of the accounts of a class, in micro-credits.
    pub(super) fn totals(&self, class: &str) -> (i64, i64) {
        let output = tollgate(self.folder(), &["ledger", "trial-balance", "--json"]).ended().unwrap();
        let balance: Value = serde_json::from_slice(&output.stdout).unwrap();
        let of_class = balance["accounts"].as_array().unwrap().iter().filter(|account| {
            let code = account["code"].as_str().unwrap();
            code == class || code.strip_prefix(class).is_some_and(|rest| rest.starts_with(':'))
        });
        of_class.fold((0, 0), |(debits, credits), account| {
            let micros = |side: &str| account[side].as_str().unwrap().parse::<i64>().unwrap();
            (debits + micros("debits_micros"), credits + micros("credits_micros"))
        })
    }

    /// The rows that `sql` asks for; an identifier as 32 hexadecimal digits.
    pub(super) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self.home.database() {
            Some(database) => rows::on_server(database, sql),
            None => rows::in_file(&self.database(), sql),
        }
    }

    /// A connection that looks at the books of an SQLite file, beside a running server or after it.
    pub(super) fn books(&self) -> Connection {
        Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }
}

/// Runs `ledger verify` on the database in `folder`; the books must be in order.
pub(super) fn verify(folder: &Path) -> Value {
    let output = tollgate(folder, &["ledger", "verify", "--json"]).ended().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((output.status.code(), &report["ok"]), (Some(0), &json!(true)), "{report}");
    report
}

fn configuration(upstream: &Upstream, worth: &[i64]) -> Value {
    let address = upstream.address();
    let tool = |name: &str, pricing: Value| json!({ "name": name, "upstream": { "kind": "http", "url": format!("http://{address}/{name}") }, "pricing": pricing });
    let credits = |micros: i64| Credits::from_micros(micros).to_json_number();
    let tools = [
        tool("fixed", json!({ "pricing_mode": "fixed_per_request", "fixed_credit_cost": credits(FIXED_MICROS) })),
        tool(
            "metered",
            json!({ "pricing_mode": "tool_returned", "returned_credit_cost_path": "$.usage.credits", "estimated_max_credit_cost": 2 }),
        ),
        tool(
            "attempt",
            json!({ "pricing_mode": "fixed_per_request", "fixed_credit_cost": credits(ATTEMPT_MICROS), "charge_on": "attempt" }),
        ),
    ];
    let account = |email: &str, token: &str, grant: Value, caps: Value| {
        json!({
            "email": email, "verified": true, "grant_credits": grant, "caps": caps,
            "tokens": [{ "name": "t", "token": token }],
        })
    };
    let racers = worth.iter().enumerate().map(|(number, calls)| {
        let grant = json!(credits(racer_balance_micros(*calls)));
        account(&format!("racer-{number}@example.com"), &racer_token(number), grant, json!([]))
    });
    let cap = |per: &str, window: &str| json!({ "per": per, "window": window, "credits": GRANT });
    let buyer = account("a@example.com", Buyer::ACCOUNT_TOKEN, json!(GRANT), json!([cap("token", "day")]));
    let accounts: Vec<Value> = std::iter::once(buyer).chain(racers).collect();
    json!({
        "database": { "url": format!("sqlite://{DATABASE}") },
        "allow_fixture_secrets": true,
        "egress": { "allow_hosts": [address.to_string()] },
        "limits": { "invoke_per_token_per_s": 1_000_000, "invoke_burst": 1_000_000 },
        "catalog": {
            "publishers": [{
                "id": "acme", "display_name": "Acme", "share_bps": PUBLISHER_BPS,
                "namespaces": [{ "name": "acme", "tools": tools }],
            }],
            "accounts": accounts,
            "partners": [{
                "name": "Globex", "token": Buyer::PARTNER_TOKEN, "margin_bps": PARTNER_BPS, "grant_credits": GRANT,
                "caps": [cap("end_user", "day"), cap("partner", "month")],
            }],
        },
    })
}

/// Who gets what of all charges, in micro-credits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) paid: i64,
    pub(super) publisher: i64,
    pub(super) partner: i64,
    pub(super) platform: i64,
}

impl Shares {
    /// Adds a charge: publisher first, partner next, both rounded down, the platform gets the rest.
    pub(super) fn add(&mut self, buyer: Buyer, charged_micros: i64) {
        let publisher = charged_micros * PUBLISHER_BPS / 10_000;
        let partner = charged_micros * buyer.margin_bps() / 10_000;
        self.paid += charged_micros;
        self.publisher += publisher;
        self.partner += partner;
        self.platform += charged_micros - publisher - partner;
    }

    /// What the books say.
    pub(super) fn booked(market: &Market) -> Self {
        Self {
            paid: market.totals("liabilities:wallet").0,
            publisher: market.totals("liabilities:payable").1,
            partner: market.totals("liabilities:partner").1,
            platform: market.totals("revenue:platform:fee").1,
        }
    }
}

/// An amount of an answer in micro-credits, exactly. The answer says `0.000001`; the JSON value that it was read into, `1e-6`.
pub(super) fn micros(amount: &Value) -> i64 {
    let text = amount.to_string();
    let read = if text.contains('e') { Credits::parse_rounding_up } else { Credits::parse_exact };
    read(&text).unwrap().micros()
}
