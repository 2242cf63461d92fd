//! CSV and JSON Lines, read by a reader of the tests' own and compared with the database.

use std::collections::BTreeMap;

use engine::ledger::{
    AccountKind, LedgerAccountId,
    export::{DAY_US, day_of, value::date_of},
};
use serde_json::Value;

use super::{
    books::Books,
    read::{self, Row, number},
};
use crate::ledger::desk::{Kind, on_both, wallet_id};

const STEPS: usize = 350;

/// The rows of a report in both formats, which must say the same.
fn both(books: &Books, report: &str, arguments: &[&str]) -> Vec<Row> {
    let of = |format: &str| {
        let all = [&["--report", report, "--format", format], arguments].concat();
        books.export(&format!("{report}.{format}"), &all)
    };
    let (csv, jsonl) = (of("csv"), of("jsonl"));
    let rows = read::csv(&csv.text);
    assert_eq!(rows, read::jsonl(&jsonl.text), "{report}");
    for exported in [&csv, &jsonl] {
        assert_eq!(exported.manifest["rows"].as_u64(), u64::try_from(rows.len()).ok(), "{report}");
        assert_eq!(exported.manifest["report"].as_str(), Some(report));
    }
    rows
}

async fn postings_and_journal_are_the_rows_of_the_books(kind: Kind) {
    let books = Books::after(kind, 21, STEPS).await;
    let postings = both(&books, "postings", &[]);
    let sums = read::sums(&postings);
    for (code, balance) in books.trial_balance() {
        assert_eq!(sums.get(&code).copied().unwrap_or(0), balance, "{code}");
    }
    assert_eq!(postings.len().to_string(), books.desk.rows("SELECT count(*) FROM posting")[0][0]);
    let journal = both(&books, "journal", &[]);
    for (entry, table) in
        [("transaction", "txn"), ("hold", "hold"), ("settlement", "hold_resolution"), ("refusal", "refusal")]
    {
        let expected = books.desk.rows(&format!("SELECT slot, seq, id FROM {table} ORDER BY slot, seq"));
        let rows = journal.iter().filter(|row| row["entry"] == entry);
        let found: Vec<_> = rows.map(|row| ["slot", "seq", "id"].map(|name| row[name].clone()).to_vec()).collect();
        assert!(!found.is_empty() && found == expected, "{entry}: {} and {}", found.len(), expected.len());
    }
    let places: Vec<_> = journal.iter().map(|row| (number(row, "slot"), number(row, "seq"))).collect();
    assert!(places.is_sorted() && places.windows(2).all(|pair| pair[0] != pair[1]));
    let amount: i128 =
        journal.iter().filter(|row| row["entry"] == "transaction").map(|row| number(row, "amount_micros")).sum();
    assert_eq!(amount, postings.iter().map(|row| number(row, "amount_micros")).sum());
}

async fn the_trial_balance_of_a_range_leads_from_its_opening_to_its_closing(kind: Kind) {
    let books = Books::after(kind, 22, STEPS).await;
    let whole = both(&books, "trial-balance", &[]);
    let closing = |rows: &[Row]| -> BTreeMap<String, i128> {
        rows.iter().map(|row| (row["account"].clone(), number(row, "closing_micros"))).collect()
    };
    assert_eq!(closing(&whole), books.trial_balance().into_iter().collect());
    let dates: Vec<String> = both(&books, "postings", &[])
        .iter()
        .map(|row| row["recorded_at"].split('T').next().unwrap().to_owned())
        .collect();
    let middle = &dates[dates.len() / 2];
    let (until, since) =
        (both(&books, "trial-balance", &["--to", middle]), both(&books, "trial-balance", &["--from", middle]));
    assert_eq!(closing(&since), closing(&whole));
    for row in &since {
        let moved = number(row, "credits_micros") - number(row, "debits_micros");
        assert_eq!(number(row, "opening_micros") + moved, number(row, "closing_micros"), "{row:?}");
        // What was opened later is not there before.
        let before = closing(&until).get(&row["account"]).copied().unwrap_or(0);
        assert_eq!(before, number(row, "opening_micros"), "{row:?}");
    }
    assert_ne!(closing(&until), closing(&whole));
}

async fn a_statement_leads_to_the_balance_line_by_line(kind: Kind) {
    let books = Books::after(kind, 23, STEPS).await;
    let postings = both(&books, "postings", &[]);
    let mut lines = 0;
    for (code, balance) in books.trial_balance() {
        let rows = both(&books, "account-statement", &["--account", &code]);
        let (first, last) = (rows.first().unwrap(), rows.last().unwrap());
        assert_eq!((first["line"].as_str(), number(first, "balance_micros")), ("opening", 0), "{code}");
        assert_eq!((last["line"].as_str(), number(last, "balance_micros")), ("closing", balance), "{code}");
        let mut running = 0;
        for row in &rows[1..rows.len() - 1] {
            running += number(row, "credit_micros") - number(row, "debit_micros");
            assert_eq!((row["account"].as_str(), number(row, "balance_micros")), (code.as_str(), running), "{row:?}");
        }
        let touching = postings.iter().filter(|row| row["debit"] == code || row["credit"] == code).count();
        assert_eq!(rows.len() - 2, touching, "{code}");
        lines += touching;
    }
    assert_eq!(lines, 2 * postings.len());
}

async fn open_holds_and_refunds_are_those_of_the_database(kind: Kind) {
    let mut books = Books::after(kind, 24, STEPS).await;
    let open = both(&books, "open-holds", &[]);
    let found: BTreeMap<_, _> = open.iter().map(|row| (row["id"].clone(), number(row, "amount_micros"))).collect();
    let expected = books.desk.rows("SELECT hold_id, amount FROM open_hold");
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|row| (row[0].clone(), row[1].parse::<i128>().unwrap())).collect();
    assert!(!expected.is_empty());
    assert_eq!(found, expected);
    // What was open on an earlier day stays so in a report up to then, whatever became of it.
    let day = open.last().unwrap()["recorded_at"].split('T').next().unwrap().to_owned();
    let until = both(&books, "open-holds", &["--to", &day]);
    books.go_on(STEPS).await;
    assert_eq!(both(&books, "open-holds", &["--to", &day]), until);
    let refunds = both(&books, "refunds", &[]);
    // A fact (20) names what it states in `reverses`.
    let sql = "SELECT slot, seq FROM txn WHERE (kind IN (4, 7, 8) OR reverses IS NOT NULL) AND kind <> 20
               ORDER BY slot, seq";
    let expected = books.desk.rows(sql);
    let found: Vec<_> = refunds.iter().map(|row| vec![row["slot"].clone(), row["seq"].clone()]).collect();
    assert!(!found.is_empty());
    assert_eq!(found, expected);
    for row in &refunds {
        let parts = ["wallet_micros", "publisher_micros", "partner_micros", "platform_micros", "other_micros"];
        assert_eq!(parts.map(|name| number(row, name)).iter().sum::<i128>(), 0, "{row:?}");
    }
}

async fn revenue_adds_up_to_the_platforms_fee(kind: Kind) {
    let books = Books::after(kind, 25, STEPS).await;
    let rows = both(&books, "revenue", &[]);
    let fee = books.desk.hot_balance(LedgerAccountId::PLATFORM_FEE);
    assert_eq!(rows.iter().map(|row| number(row, "platform_micros")).sum::<i128>(), i128::from(fee));
    assert!(rows.iter().any(|row| row["kind"] == "charge" && number(row, "paid_micros") > 0));
    for row in &rows {
        let parts = ["publisher_micros", "partner_micros", "platform_micros", "other_micros"];
        assert_eq!(number(row, "paid_micros"), parts.map(|name| number(row, name)).iter().sum(), "{row:?}");
    }
}

/// The digests of what lists accounts, up to `to`.
fn digests(books: &Books, to: &str) -> Vec<Value> {
    let requests: [&[&str]; 5] = [
        &["--format", "hledger"],
        &["--format", "hledger", "--full"],
        &["--format", "beancount"],
        &["--format", "csv", "--report", "trial-balance"],
        &["--format", "jsonl", "--report", "trial-balance"],
    ];
    let export = |arguments: &[&str]| books.export("range.txt", &[arguments, &["--to", to]].concat());
    requests.into_iter().map(|arguments| export(arguments).manifest["sha256"].clone()).collect()
}

async fn what_comes_after_a_range_changes_none_of_its_bytes(kind: Kind) {
    let mut books = Books::after(kind, 26, STEPS).await;
    let to = date_of(day_of(books.desk.now_us()) + 1).to_string();
    let before = digests(&books, &to);
    let accounts = books.trial_balance().len();
    books.desk.clock.advance_us(2 * DAY_US);
    books.desk.start();
    books.desk.open_account(wallet_id(900), AccountKind::Wallet, 0).await;
    books.desk.fund(wallet_id(900), 5).await;
    books.desk.stop();
    books.go_on(STEPS / 2).await;
    assert!(books.trial_balance().len() > accounts);
    assert_eq!(digests(&books, &to), before);
    // Without an end everything stands in it.
    let whole = both(&books, "trial-balance", &[]);
    assert_eq!(whole.len(), books.trial_balance().len());
}

on_both! {
    postings_and_journal_are_the_rows_of_the_books,
    the_trial_balance_of_a_range_leads_from_its_opening_to_its_closing,
    a_statement_leads_to_the_balance_line_by_line,
    open_holds_and_refunds_are_those_of_the_database,
    revenue_adds_up_to_the_platforms_fee,
    what_comes_after_a_range_changes_none_of_its_bytes,
}
