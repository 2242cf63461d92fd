//! Exports of a real market, beside its running server: names of tools, publishers and partners.

use serde_json::Value;
use tests::{
    home::{Home, Kind},
    on_both_databases,
    patience::Ends as _,
    program::tollgate,
    server::{ALICE, Server, config, tool},
    upstream::Upstream,
};

use super::{
    books::Exported,
    read::{self, Row, number},
};

on_both_databases!(statements_and_revenue_name_publishers_partners_and_tools_beside_a_running_server);

const GLOBEX: &str = "faro_partner_globex00";

fn export(home: &Home, arguments: &[&str]) -> Vec<Row> {
    let all =
        [&["ledger", "export", "--json", "--replace", "--format", "csv", "--out", "report.csv"], arguments].concat();
    let output = tollgate(home.path(), &all).ended().unwrap();
    read::csv(&Exported::of(&home.path().join("report.csv"), &output).text)
}

fn statements_and_revenue_name_publishers_partners_and_tools_beside_a_running_server(kind: Kind) {
    let upstream = Upstream::answering(r#"{"done": true}"#);
    let home = Home::on(kind);
    let partner = format!("{{name: 'Globex', token: '{GLOBEX}', margin_bps: 500, grant_credits: 1000}}");
    let url = upstream.url("/");
    let tools = format!("{}{}", tool("paid", &url, 50, "success", 5_000), tool("dear", &url, 70, "success", 5_000));
    let server = Server::start(home.path(), &config(&tools, &partner, ""));
    for _ in 0..3 {
        assert_eq!(server.invoke(ALICE, "paid", "{}").status, 200);
    }
    let of_globex = [("authorization", &*format!("Bearer {GLOBEX}")), ("x-faro-user", "u-1")];
    for _ in 0..2 {
        assert_eq!(server.send("POST", "/invoke/acme/dear", &of_globex, "{}").status, 200);
    }

    let revenue = export(&home, &["--report", "revenue"]);
    let columns = ["publisher", "tool", "kind"];
    let amounts = ["transactions", "paid_micros", "publisher_micros", "partner_micros", "platform_micros"];
    let found: Vec<_> = revenue
        .iter()
        .map(|row| (columns.map(|name| row[name].as_str()), amounts.map(|name| number(row, name))))
        .collect();
    let charged = |tool, amounts| (["acme", tool, "charge"], amounts);
    let expected = [
        charged("acme/dear", [2, 140_000_000, 112_000_000, 7_000_000, 21_000_000]),
        charged("acme/paid", [3, 150_000_000, 120_000_000, 0, 30_000_000]),
    ];
    assert_eq!(found, expected);
    let month = &revenue[0]["period"];
    assert_eq!(export(&home, &["--report", "revenue", "--period", month, "--publisher", "acme"]), revenue);
    assert_eq!(export(&home, &["--report", "revenue", "--period", "2020-01"]), Vec::<Row>::new());

    // By slug and by identifier: the same lines, from nothing to the balance.
    // What the publisher owes is an account beside it, and nothing is owed here.
    let statement_of = |publisher: &str| -> Vec<Row> {
        let rows = export(&home, &["--report", "publisher-statement", "--publisher", publisher]);
        rows.into_iter().filter(|row| row["account"].starts_with("liabilities:payable:")).collect()
    };
    let publisher = statement_of("acme");
    let balance: Value = server.ledger("trial-balance");
    let code = publisher[0]["account"].clone();
    let id = code.strip_prefix("liabilities:payable:").unwrap();
    assert_eq!(statement_of(id), publisher);
    // Within a day tools come in the order of their identifiers, which is chance.
    let mut lines: Vec<_> = publisher.iter().map(|row| (row["line"].as_str(), row["tool"].as_str())).collect();
    assert_eq!((lines.remove(0), lines.pop()), (("opening", ""), Some(("closing", ""))));
    lines.sort_unstable();
    assert_eq!(lines, [("day", "acme/dear"), ("day", "acme/paid")]);
    let rows = balance["accounts"].as_array().unwrap().iter();
    let of_acme: Vec<_> = rows.filter(|row| row["code"] == *code).collect();
    assert_eq!(publisher[3]["balance_micros"], of_acme[0]["balance_micros"].as_str().unwrap());
    assert_eq!(number(&publisher[3], "balance_micros"), 232_000_000);

    let partner = export(&home, &["--report", "partner-statement", "--partner", "Globex"]);
    let closing: Vec<_> = partner.iter().filter(|row| row["line"] == "closing").collect();
    let of = |class: &str| {
        let found = closing.iter().find(|row| row["account"].starts_with(class)).unwrap();
        number(found, "balance_micros")
    };
    assert_eq!((of("liabilities:wallet:par_"), of("liabilities:partner:par_")), (860_000_000, 7_000_000));

    let statement = export(&home, &["--report", "account-statement", "--account", "alice@example.com"]);
    assert_eq!(statement.len(), 2 + 1 + 2 * 3, "opening, closing, a grant, two postings for each call");
    assert_eq!(number(statement.last().unwrap(), "balance_micros"), 9_850_000_000);
    server.verified_postings();
}
