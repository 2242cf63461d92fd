//! Tables of cases for what needs no books. What whole exports look like, the tests with a database show.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers that the tests make up themselves")]

use std::{cell::RefCell, collections::BTreeSet, io};

use serde_json::json;
use uuid::Uuid;

use super::{
    Frame, Item, Span,
    chart::Chart,
    names,
    out::Out,
    renderer_of,
    request::{Format, Only, Report, Request, RequestError},
    table::{RowFormat, Table},
    value::{TimeTexts, Value, date_of, push_integer, time_text},
};
use crate::{
    id::EntryId,
    ledger::{
        AccountKind, LedgerAccountId, TransactionKind,
        chain::BatchHeader,
        leaf::{Entry, Position, TransactionEntry, sha256},
    },
};

#[test]
fn integers_are_written_in_decimal_at_every_width() {
    for value in [0, 1, -1, 9, 10, -10, 1_000_000, i128::from(i64::MAX), i128::from(i64::MIN), i128::MAX, i128::MIN] {
        let mut out = b"x".to_vec();
        push_integer(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), format!("x{value}"));
    }
    for shift in 0..127 {
        let value = (1_i128 << shift) - 1;
        let mut out = Vec::new();
        push_integer(&mut out, -value);
        assert_eq!(String::from_utf8(out).unwrap(), (-value).to_string());
    }
}

#[test]
fn times_are_exact_to_the_microsecond() {
    for (us, text) in [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_795_003_200_000_001, "2026-11-18T12:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (i64::MAX, "9223372036854775807"),
    ] {
        assert_eq!(time_text(us), text);
    }
    let mut texts = TimeTexts::default();
    for us in [5, 5, 7, 5, 9, 7, 7, 5] {
        assert_eq!(texts.text(us), time_text(us));
    }
    assert_eq!(date_of(20_775).to_string(), "2026-11-18");
    assert_eq!(date_of(-1).to_string(), "1969-12-31");
}

/// What a table writes for one row.
fn written(format: RowFormat, row: &[Value<'_>]) -> String {
    let bytes = RefCell::new(Vec::new());
    let mut sink = |piece: &[u8]| {
        bytes.borrow_mut().extend_from_slice(piece);
        Ok(())
    };
    let mut out = Out::new(&mut sink);
    let mut table = Table::new(format, &["first", "second"]);
    table.begin(&mut out);
    table.row(&mut out, row);
    let written = out.finish().unwrap();
    let bytes = bytes.into_inner();
    assert_eq!((written.rows, written.sha256), (1, sha256(&bytes)));
    assert_eq!(u64::try_from(bytes.len()), Ok(written.bytes));
    String::from_utf8(bytes).unwrap()
}

#[test]
fn text_from_outside_stays_in_its_field_and_is_no_formula() {
    for (text, csv, json) in [
        ("plain", "plain", r#""plain""#),
        ("", "", r#""""#),
        ("a,b", "\"a,b\"", r#""a,b""#),
        ("say \"x\"", "\"say \"\"x\"\"\"", r#""say \"x\"""#),
        ("two\nlines", "\"two\nlines\"", r#""two\u000alines""#),
        ("=1+1", "\"'=1+1\"", r#""=1+1""#),
        ("+1", "\"'+1\"", r#""+1""#),
        ("-1", "\"'-1\"", r#""-1""#),
        ("@SUM(A1)", "\"'@SUM(A1)\"", r#""@SUM(A1)""#),
        ("\tx", "\"'\tx\"", r#""\u0009x""#),
        ("\rx", "\"'\rx\"", r#""\u000dx""#),
        ("zoë \\", "zoë \\", r#""zoë \\""#),
    ] {
        let row = [Value::Text(text), Value::Micros(-5)];
        assert_eq!(written(RowFormat::Csv, &row), format!("first,second\n{csv},-5\n"));
        let line = written(RowFormat::Jsonl, &row);
        assert_eq!(line, format!("{{\"first\":{json},\"second\":\"-5\"}}\n"));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["first"], text);
    }
    assert_eq!(written(RowFormat::Jsonl, &[Value::Nothing, Value::Number(7)]), "{\"first\":null,\"second\":7}\n");
}

#[test]
fn after_the_first_failure_nothing_is_handed_on() {
    let mut pieces = 0;
    let mut sink = |_: &[u8]| {
        pieces += 1;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    };
    let mut out = Out::new(&mut sink);
    for _ in 0..100_000 {
        out.row(|bytes| bytes.extend_from_slice(b"ten bytes\n"));
    }
    assert!(out.has_failed());
    assert_eq!(out.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(pieces, 1);
}

#[test]
fn accounts_have_valid_names_in_other_tools() {
    use AccountKind::{Loss, Opening, Payable, PlatformFee, Promo, Receivable, Wallet};
    for (kind, code, hledger, beancount) in [
        (PlatformFee, "revenue:platform:fee", "revenue:platform:fee", "Income:Platform:Fee"),
        (Promo, "expenses:promo", "expenses:promo", "Expenses:Promo"),
        (Opening, "equity:opening", "equity:opening", "Equity:Opening"),
        (Loss, "expenses:loss:unbilled", "expenses:loss:unbilled", "Expenses:Loss:Unbilled"),
        (Wallet, "liabilities:wallet:acc_01ab", "liabilities:wallet:acc_01ab", "Liabilities:Wallet:Acc-01ab"),
        (Wallet, "liabilities:wallet:1001", "liabilities:wallet:1001", "Liabilities:Wallet:1001"),
        (Payable, "liabilities:payable:a-b", "liabilities:payable:a-b", "Liabilities:Payable:AZ2db"),
        (Wallet, "liabilities:wallet:A  b;c", "liabilities:wallet:A%20%20b%3bc", "Liabilities:Wallet:Z41Z20Z20bZ3bc"),
        (Wallet, "liabilities:wallet:a:b", "liabilities:wallet:a%3ab", "Liabilities:Wallet:AZ3ab"),
        (Wallet, "liabilities:wallet:zoe", "liabilities:wallet:zoe", "Liabilities:Wallet:Z7aoe"),
        (Wallet, "elsewhere", "liabilities:wallet:elsewhere", "Liabilities:Wallet:Elsewhere"),
        (
            Receivable,
            "assets:receivable:publisher:pub_1",
            "assets:receivable:publisher:pub_1",
            "Assets:Receivable:Publisher:Pub-1",
        ),
    ] {
        assert_eq!((names::hledger(kind, code).as_str(), names::beancount(kind, code).as_str()), (hledger, beancount));
    }
}

#[test]
fn different_accounts_have_different_names() {
    let letters = ["a", "A", "z", "Z", "_", "-", "5", "f", ":", "é", " "];
    let mut owners = vec![String::new()];
    for _ in 0..4 {
        let longer = owners.iter().flat_map(|owner| letters.map(|letter| format!("{owner}{letter}")));
        owners = longer.chain(owners.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    }
    let exact = |name: fn(AccountKind, &str) -> String| -> usize {
        let names = owners.iter().map(|owner| name(AccountKind::Wallet, &AccountKind::Wallet.code(owner)));
        names.collect::<BTreeSet<_>>().len()
    };
    assert_eq!((exact(names::hledger), exact(names::beancount)), (owners.len(), owners.len()));
}

fn request(report: Report, format: Format, only: Only) -> Request {
    Request { report, format, from_us: None, to_us: None, only, is_full: false }
}

#[test]
fn words_are_read_as_they_are_written() {
    for report in Report::all() {
        assert_eq!(Report::parse(report.as_str()), Some(report));
    }
    for format in Format::all() {
        assert_eq!(Format::parse(format.as_str()), Some(format));
        assert!(format.last_line("{}").ends_with('\n'));
    }
    assert_eq!((Report::parse(""), Format::parse("xml")), (None, None));
}

#[test]
fn what_makes_no_sense_is_refused() {
    use Format::{Beancount, Csv, Hledger, Jsonl};
    let account = || Only::Account("x".to_owned());
    let publisher = || Only::Publisher("x".to_owned());
    let missing = |report, what| Err(RequestError::Missing { report, what });
    let not_limited = |report, format, what| Err(RequestError::NotLimited { report, format, what });
    for (report, format, only, expected) in [
        (Report::Journal, Csv, account(), Ok(())),
        (Report::Journal, Hledger, Only::Everything, Ok(())),
        (Report::Journal, Beancount, account(), not_limited(Report::Journal, Beancount, "account")),
        (
            Report::Revenue,
            Hledger,
            Only::Everything,
            Err(RequestError::NotAJournal { report: Report::Revenue, format: Hledger }),
        ),
        (Report::AccountStatement, Csv, account(), Ok(())),
        (Report::AccountStatement, Jsonl, Only::Everything, missing(Report::AccountStatement, "account")),
        (Report::AccountStatement, Csv, publisher(), not_limited(Report::AccountStatement, Csv, "publisher")),
        (Report::PublisherStatement, Csv, Only::Everything, missing(Report::PublisherStatement, "publisher")),
        (Report::PartnerStatement, Csv, Only::Everything, missing(Report::PartnerStatement, "partner")),
        (Report::TrialBalance, Csv, account(), not_limited(Report::TrialBalance, Csv, "account")),
        (Report::OpenHolds, Csv, publisher(), Ok(())),
    ] {
        let request = request(report, format, only);
        assert_eq!(request.check(), expected, "{request:?}");
    }
    let full = Request { is_full: true, ..request(Report::Journal, Csv, Only::Everything) };
    assert_eq!(full.check(), Err(RequestError::AlwaysFull { format: Csv }));
    for (from_us, to_us, is_good) in [(1, 2, true), (2, 2, false), (3, 2, false)] {
        let ranged =
            Request { from_us: Some(from_us), to_us: Some(to_us), ..request(Report::Journal, Csv, Only::Everything) };
        assert_eq!(ranged.check().is_ok(), is_good, "{from_us}..{to_us}");
    }
}

/// A transaction that moves nothing.
fn transaction(kind: TransactionKind, reverses: Option<EntryId>) -> TransactionEntry {
    let id = EntryId::from(Uuid::from_u128(7));
    TransactionEntry { id, kind, hold: None, reverses, effective_us: 5, meta: None, legs: Vec::new() }
}

/// What the report of `request` writes of one transaction, recorded at the beginning of 1970.
fn rendered(request: &Request, chart: &Chart, entry: TransactionEntry) -> String {
    let bytes = RefCell::new(Vec::new());
    let mut sink = |piece: &[u8]| {
        bytes.borrow_mut().extend_from_slice(piece);
        Ok(())
    };
    let batch = BatchHeader {
        slot: 0,
        batch_no: 1,
        epoch: 1,
        first_seq: 1,
        entries: 1,
        postings: 0,
        total: 0,
        recorded_us: 5,
        client_batch: Uuid::nil(),
        root: [1; 32],
        prev_hash: [0; 32],
    };
    let span = Span { first_day: 0, last_day: 0, has_opening: false };
    let frame = Frame { request, chart, only: None, span, position: &[] };
    let entry = Entry::Transaction(entry);
    let position = Position { slot: 0, seq: 1 };
    let item = Item { batch: &batch, position, entry: &entry, tool: None, end: None, is_before: false };
    let mut out = Out::new(&mut sink);
    let mut renderer = renderer_of(request);
    renderer.begin(&frame, &mut out);
    renderer.take(&frame, &item, &mut out);
    renderer.finish(&frame, &mut out);
    let written = out.finish().unwrap();
    let text = String::from_utf8(bytes.into_inner()).unwrap();
    assert_eq!(u64::try_from(text.len()), Ok(written.bytes));
    text
}

#[test]
fn refunds_are_what_takes_something_back_and_no_facts() {
    use TransactionKind::{Charge, Chargeback, Fact, Grant, Refund, Reversal};
    let request = request(Report::Refunds, Format::Csv, Only::Everything);
    let earlier = Some(EntryId::from(Uuid::from_u128(8)));
    for (kind, reverses, is_listed) in [
        (Refund, earlier, true),
        (Chargeback, earlier, true),
        (Reversal, None, true),
        (Grant, earlier, true),
        (Charge, None, false),
        (Fact, None, false),
        (Fact, earlier, false),
    ] {
        let text = rendered(&request, &Chart::new(), transaction(kind, reverses));
        assert_eq!(text.lines().count() == 2, is_listed, "{kind:?} {reverses:?}: {text}");
    }
}

#[test]
fn an_account_that_was_opened_after_the_range_is_not_listed() {
    let [old, new] = [1, 2].map(LedgerAccountId::from_raw);
    let mut chart = Chart::new();
    chart.account(old, AccountKind::Wallet, AccountKind::Wallet.code("old"), 0);
    chart.account(new, AccountKind::Wallet, AccountKind::Wallet.code("new"), 10);
    for (report, format) in [
        (Report::Journal, Format::Hledger),
        (Report::Journal, Format::Beancount),
        (Report::TrialBalance, Format::Csv),
        (Report::TrialBalance, Format::Jsonl),
    ] {
        for (to_us, is_listed) in [(None, true), (Some(11), true), (Some(10), false), (Some(6), false)] {
            let request = Request { to_us, ..request(report, format, Only::Everything) };
            let text = rendered(&request, &chart, transaction(TransactionKind::Opening, None));
            let names = ["old", "new"].map(|name| text.to_lowercase().contains(&format!("wallet:{name}")));
            assert_eq!(names, [true, is_listed], "{report:?} {format:?} {to_us:?}: {text}");
        }
    }
}

#[test]
fn the_audit_trail_has_identifiers_where_the_manifest_has_what_was_asked() {
    for (only, identified, asked, told) in [
        (Only::Everything, None, json!({}), json!({})),
        (
            Only::Account("alice@example.com".to_owned()),
            Some("acc_1"),
            json!({"account": "alice@example.com"}),
            json!({"account": "acc_1"}),
        ),
        (
            Only::Publisher("acme".to_owned()),
            Some("pub_1"),
            json!({"publisher": "acme"}),
            json!({"publisher": "pub_1"}),
        ),
        // Rather nothing than a text that nobody has looked up.
        (Only::Partner("Globex".to_owned()), None, json!({"partner": "Globex"}), json!({})),
    ] {
        let (report, format) = (Report::Journal, Format::Csv);
        let request = Request { report, format, from_us: Some(0), to_us: None, only, is_full: false };
        let (manifest, trail) = (request.to_json(), request.to_trail(identified));
        assert_eq!((&manifest["filter"], &trail["filter"]), (&asked, &told));
        for part in ["report", "format", "is_full", "from", "to"] {
            assert_eq!(manifest[part], trail[part], "{part}");
        }
    }
}
