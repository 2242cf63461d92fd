//! The journals for hledger and beancount, judged by hledger and bean-check themselves.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output},
};

use engine::{
    ledger::{LedgerAccountId, batch::Done},
    store::writer::Command as Asked,
    testing::Dice,
};
use tests::{environment::extent, patience::Ends as _, tools::tool};

use super::{books::Books, read};
use crate::ledger::desk::{Kind, on_both, post, wallet_id};

const FORMATS: [&str; 2] = ["hledger", "beancount"];

/// What the format's own tool says of a file.
fn judge(format: &str, path: &Path) -> Output {
    let mut command = match format {
        "hledger" => {
            let mut hledger = Command::new(tool("hledger"));
            hledger.args(["check", "-s", "-f"]).arg(path);
            hledger
        }
        _ => {
            let mut check = Command::new(tool("bean-check"));
            check.arg("--no-cache").arg(path);
            check
        }
    };
    command.env("LC_ALL", "C.UTF-8").ended().unwrap()
}

fn assert_accepted(format: &str, path: &Path) {
    let said = judge(format, path);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(said.status.success(), "{format} {}: {}{}", path.display(), text(&said.stdout), text(&said.stderr));
}

/// Debits less credits of every account, as hledger adds the postings up.
fn hledger_balances(path: &Path) -> BTreeMap<String, i128> {
    let mut command = Command::new(tool("hledger"));
    command
        .args(["balance", "--flat", "--no-total", "--empty", "--no-elide", "--output-format", "csv", "-f"])
        .arg(path);
    let output = command.env("LC_ALL", "C.UTF-8").ended().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = read::csv(&String::from_utf8(output.stdout).unwrap());
    let amount = |text: &str| text.trim_end_matches(" UCR").parse().unwrap_or_else(|_| panic!("{text}"));
    rows.into_iter().map(|row| (row["account"].clone(), amount(&row["balance"]))).collect()
}

/// The closing balances that the file states, debits less credits, in the order of the accounts.
fn stated_balances(format: &str, text: &str) -> Vec<i128> {
    let number = |word: Option<&str>| word.and_then(|word| word.parse().ok()).expect("a number");
    let lines = text.lines();
    match format {
        "hledger" => lines
            .filter_map(|line| line.split_once(" = "))
            .map(|(_, balance)| number(balance.split(' ').next()))
            .collect(),
        _ => lines
            .filter(|line| line.split(' ').nth(1) == Some("balance"))
            .map(|line| number(line.split_whitespace().nth(3)))
            .collect(),
    }
}

/// Colons divide a class, such as `liabilities:wallet`, and whose account it is; those within the latter divide nothing.
fn name_for_hledger(code: &str) -> String {
    let owner_at = if code.starts_with("assets:receivable:") { 3 } else { 2 };
    let mut parts = code.splitn(owner_at + 1, ':').map(str::to_owned).collect::<Vec<_>>();
    if let Some(owner) = parts.get_mut(owner_at) {
        *owner = owner.replace(':', "%3a");
    }
    parts.join(":")
}

async fn both_tools_accept_the_books_of_random_histories(kind: Kind) {
    for seed in 0..extent().pick(2, 30) {
        let books = Books::after(kind, seed, 400).await;
        let expected: Vec<_> = books.trial_balance();
        assert!(expected.iter().filter(|(_, balance)| *balance != 0).count() > 5, "nothing happened: {expected:?}");
        for format in FORMATS {
            for full in [&[][..], &["--full"]] {
                let exported = books.export(&format!("books.{format}"), &[&["--format", format], full].concat());
                assert_accepted(format, &exported.path);
                let balances: Vec<_> = expected.iter().map(|(_, balance)| -balance).collect();
                assert_eq!(stated_balances(format, &exported.text), balances, "seed {seed} {format} {full:?}");
                if format == "hledger" {
                    let of_hledger = hledger_balances(&exported.path);
                    for (code, balance) in &expected {
                        let found = of_hledger.get(&name_for_hledger(code)).copied().unwrap_or(0);
                        assert_eq!(found, -balance, "seed {seed} {code}");
                    }
                }
            }
        }
    }
}

/// Where the amounts stand in a file: of postings, and of closing balances.
fn amounts(text: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        // An account's currency, and hledger's nothing before a closing balance, are no amounts.
        let from = line.find(" = ").unwrap_or(0);
        let end = line.rfind(" UCR").filter(|_| !line.contains(" open ") && !line.starts_with(';'));
        if let Some(end) = end {
            let before = line.get(..end).unwrap();
            let start = before.rfind(|character: char| !(character.is_ascii_digit() || character == '-')).unwrap() + 1;
            if start < end && start >= from {
                places.push((line_start + start, line_start + end));
            }
        }
        line_start += line.len();
    }
    places
}

async fn both_tools_catch_one_altered_unit(kind: Kind) {
    let books = Books::after(kind, 7, 250).await;
    let mut dice = Dice::new(11);
    for format in FORMATS {
        for full in [&[][..], &["--full"]] {
            let exported = books.export("books.txt", &[&["--format", format], full].concat());
            let places = amounts(&exported.text);
            assert!(places.len() > 20, "{places:?}");
            for _ in 0..extent().pick(4, 60) {
                let (start, end) = *dice.pick(&places).unwrap();
                let amount: i128 = exported.text.get(start..end).unwrap().parse().unwrap();
                let by_one = amount + if dice.chance(50) { 1 } else { -1 };
                let (before, after) = (exported.text.get(..start).unwrap(), exported.text.get(end..).unwrap());
                let altered = books.path("altered.txt");
                std::fs::write(&altered, format!("{before}{by_one}{after}")).unwrap();
                let said = judge(format, &altered);
                let line = before.lines().count();
                assert!(!said.status.success(), "{format} accepts {by_one} instead of {amount} in line {line}");
            }
        }
    }
}

/// A range begins with the balances of the day before and ends with its own: what comes between leads from one to the
/// other.
async fn a_range_opens_with_what_was_before_and_is_accepted(kind: Kind) {
    let books = Books::after(kind, 3, 400).await;
    let days: Vec<String> = books
        .export("days.csv", &["--report", "postings", "--format", "csv"])
        .text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(4).unwrap().split('T').next().unwrap().to_owned())
        .collect();
    let (first, middle, last) = (&days[0], &days[days.len() / 2], &days[days.len() - 1]);
    assert!(first < middle && middle < last, "{first} {middle} {last}");
    for format in FORMATS {
        let until = books.export("until.txt", &["--format", format, "--to", middle]);
        let since = books.export("since.txt", &["--format", format, "--from", middle]);
        let whole = books.export("whole.txt", &["--format", format]);
        for exported in [&until, &since] {
            assert_accepted(format, &exported.path);
        }
        let at_the_end = [&since, &whole].map(|exported| stated_balances(format, &exported.text));
        assert_eq!(at_the_end[0], at_the_end[1]);
        assert_ne!(stated_balances(format, &until.text), at_the_end[1]);
        assert!(since.text.contains(&format!("{middle} opening balances")) || format == "beancount");
        // What stood in the books at that time does not change: nor does its export.
        let again = books.export("again.txt", &["--format", format, "--to", middle]);
        assert_eq!(again.manifest["sha256"], until.manifest["sha256"]);
    }
    let before_everything = books.export("nothing.txt", &["--format", "hledger", "--to", "2020-01-01"]);
    assert_accepted("hledger", &before_everything.path);
    assert_eq!(before_everything.manifest["rows"], 0);
}

/// Sums of a day have the root over the roots of their batches.
async fn every_sum_names_the_roots_of_its_batches(kind: Kind) {
    let books = Books::after(kind, 5, 200).await;
    let roots: BTreeMap<(i64, i64), String> = books
        .desk
        .rows("SELECT slot, batch_no, merkle_root FROM batch")
        .into_iter()
        .map(|row| ((row[0].parse().unwrap(), row[1].parse().unwrap()), row[2].replace("\\x", "")))
        .collect();
    let full = books.export("full.txt", &["--format", "hledger", "--full"]);
    let mut named = 0;
    for line in full.text.lines().filter(|line| line.starts_with("    ; at:")) {
        let tag = |name: &str| {
            let rest = line.split_once(&format!("{name}:")).unwrap().1;
            rest.split(',').next().unwrap().to_owned()
        };
        let slot = tag("at").split_once('/').unwrap().0.parse().unwrap();
        assert_eq!(roots[&(slot, tag("batch").parse().unwrap())], tag("root"), "{line}");
        named += 1;
    }
    assert!(named > 20);
    let sums = books.export("sums.txt", &["--format", "hledger"]);
    let of_one_batch = sums.text.lines().filter(|line| line.contains("batches:1,"));
    let mut compared = 0;
    for line in of_one_batch {
        let root = line.split_once("root:").unwrap().1;
        assert!(roots.values().any(|known| known == root), "{line}");
        compared += 1;
    }
    assert!(compared > 3);
    let count = |text: &str| -> u64 {
        text.lines()
            .filter_map(|line| line.strip_prefix("    ; count:"))
            .map(|rest| rest.split(',').next().unwrap().parse::<u64>().unwrap())
            .sum()
    };
    assert_eq!(count(&sums.text), named, "the sums hold every transaction");
}

on_both! {
    both_tools_accept_the_books_of_random_histories,
    both_tools_catch_one_altered_unit,
    a_range_opens_with_what_was_before_and_is_accepted,
    every_sum_names_the_roots_of_its_batches,
}

/// Servers write in slots of their own: their days come together, and every day's entries of all slots before the next day.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_days_of_several_writers_come_together() {
    let mut books = Books::after(Kind::Postgres, 8, 60).await;
    books.desk.start();
    let (second, thread) = books.desk.another_writer().unwrap();
    for round in 0..40_i64 {
        let amounts = [(LedgerAccountId::OPENING, wallet_id(1 + round % 4), 1 + round)];
        let funding = Asked::Post(post(books.desk.fresh(), &amounts));
        let ledger = if round % 3 == 0 { books.desk.ledger() } else { &second };
        assert_eq!(ledger.command(funding).await.unwrap(), Ok(Done::Posted));
        if round % 8 == 7 {
            books.desk.clock.advance_us(86_400_000_000);
        }
    }
    drop(second);
    thread.join().unwrap();
    books.desk.stop();
    for format in FORMATS {
        let exported = books.export("books.txt", &["--format", format, "--full"]);
        assert_accepted(format, &exported.path);
        assert_eq!(exported.manifest["position"].as_array().unwrap().len(), 2, "two slots: {}", exported.manifest);
        let heads = exported.text.lines().filter(|line| line.starts_with("20") && line.contains(['(', '*']));
        let dates: Vec<&str> = heads.map(|line| line.split(' ').next().unwrap()).collect();
        assert!(dates.len() > 40 && dates.is_sorted(), "{dates:?}");
        let expected: Vec<_> = books.trial_balance().iter().map(|(_, balance)| -balance).collect();
        assert_eq!(stated_balances(format, &exported.text), expected);
        assert_accepted(format, &books.export("sums.txt", &["--format", format]).path);
    }
}
