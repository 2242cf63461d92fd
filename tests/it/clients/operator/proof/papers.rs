//! What somebody else checks without our code: receipts and exports, with the two Python scripts and nothing more.

mod forger;

use std::{fs, path::Path, process::Command};

use engine::testing::Dice;
use serde_json::{Value, json};
use tests::{home::Kind, on_both_databases, patience::Ends as _, program::tollgate, workspace_root};

use self::forger::{Forgery, forge, forge_beside_what_was_kept, forge_holds, forge_keys, plant};
use super::{
    super::{json_of, run},
    books::Books,
    checkpoints::tamper,
};

on_both_databases!(
    a_receipt_is_checked_offline_and_every_planted_fault_is_found,
    an_export_is_checked_offline_and_every_planted_fault_is_found,
    an_export_that_a_forger_made_fit_is_refused,
    an_export_is_made_whole_or_not_at_all,
    a_receipt_is_refused_with_a_reason,
);

/// Python, without a cache of what it compiled beside the scripts.
fn python(folder: &Path, file: &str) -> Command {
    let mut command = Command::new("python3");
    command.current_dir(folder).arg("-B").arg(workspace_root().join(file));
    command
}

/// How a script ended, and what it said.
fn script(folder: &Path, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = python(folder, &format!("docs/{name}")).args(arguments).ended().expect("python3 runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

/// Every scalar in a JSON value, as pointers.
fn scalars(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| scalars(item, &format!("{at}/{index}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, item)| scalars(item, &format!("{at}/{name}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(at.to_owned()),
    }
}

/// Another value of the same sort.
fn changed(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_i64().unwrap() + 1),
        Value::String(text) => {
            let mut text = text.clone();
            let last = text.pop();
            text.push(if last == Some('0') { '1' } else { '0' });
            json!(text)
        }
        _ => json!("00".repeat(16)),
    }
}

/// Words that repeat a number for people: the scripts pass them over.
fn is_for_people(pointer: &str) -> bool {
    pointer.ends_with("_name")
}

fn a_receipt_is_checked_offline_and_every_planted_fault_is_found(kind: Kind) {
    let books = Books::open(kind, 86_400);
    let call = books.let_everything_happen();
    books.server().invoke(super::books::PAYER, "paid", "{}");
    let checkpoint = books.checkpoint();
    json_of(books.path(), &["ledger", "rotate-key"]);
    let receipt = json_of(books.path(), &["ledger", "receipt", &call]);
    // It stays the same: the first checkpoint that reaches the call vouches for it, not one that came later.
    for _ in 0..3 {
        books.server().invoke(super::books::PAYER, "paid", "{}");
        books.checkpoint();
        assert_eq!(json_of(books.path(), &["ledger", "receipt", &call]), receipt);
    }
    let says: Vec<_> = receipt["entries"].as_array().unwrap().iter().map(|entry| &entry["says"]["line"]).collect();
    assert_eq!(says, ["hold", "settlement", "transaction"], "{receipt}");
    let file = books.path().join("receipt.json");
    let check = |receipt: &Value, arguments: &[&str]| {
        fs::write(&file, receipt.to_string()).unwrap();
        script(books.path(), "verify_receipt.py", &[&["receipt.json"], arguments].concat())
    };
    let key = checkpoint["public_key"].as_str().unwrap();
    for arguments in [vec![], vec!["--key", key]] {
        let (exit, said) = check(&receipt, &arguments);
        assert!(exit == Some(0) && said.contains("50000000 charged") && said.contains("is good"), "{said}");
    }
    let (exit, said) = check(&receipt, &["--key", &"07".repeat(32)]);
    assert!(exit == Some(1) && said.contains("another key"), "{said}");

    let mut pointers = Vec::new();
    scalars(&receipt, "", &mut pointers);
    let signature = pointers.iter().position(|pointer| pointer.ends_with("/signature")).unwrap();
    assert!(pointers.len() > 80, "{pointers:?}");
    // A receipt need not have the checkpoint that a key begins with: nothing covers the time of a key.
    for pointer in pointers.iter().filter(|pointer| !is_for_people(pointer) && !pointer.ends_with("/from_us")) {
        let mut damaged = receipt.clone();
        let value = damaged.pointer_mut(pointer).unwrap();
        *value = changed(value);
        let (exit, said) = check(&damaged, &[]);
        assert_eq!(exit, Some(1), "{pointer}: {said}");
    }
    // Faults that fit together: an amount with its leaf, and a checkpoint that nobody signed.
    let mut forged = receipt.clone();
    forged["checkpoints"][0]["made_us"] = json!(1);
    assert_eq!(check(&forged, &[]).0, Some(1), "{}", pointers[signature]);
    for (name, value) in [("entries", json!([])), ("keys", json!([])), ("checkpoints", json!([]))] {
        let mut damaged = receipt.clone();
        damaged[name] = value;
        assert_eq!(check(&damaged, &[]).0, Some(1), "{name}");
    }
    // Every entry is proven, and a charge that is there twice would be read as two.
    for index in 0..says.len() {
        let mut doubled = receipt.clone();
        let entries = doubled["entries"].as_array_mut().unwrap();
        entries.push(entries[index].clone());
        let (exit, said) = check(&doubled, &["--key", key]);
        assert!(exit == Some(1) && said.contains("is there twice"), "{said}");
    }
    fs::write(&file, "{").unwrap();
    assert_eq!(script(books.path(), "verify_receipt.py", &["receipt.json"]).0, Some(2));
}

fn a_receipt_is_refused_with_a_reason(kind: Kind) {
    let mut books = Books::open(kind, 86_400);
    let call = books.let_everything_happen();
    for (name, why) in [
        (call.as_str(), "no checkpoint vouches for entry"),
        ("inv_00000000000000000000000000000000", "the books do not know"),
        ("call", "is not an identifier"),
    ] {
        let said = run(books.path(), &["ledger", "receipt", name]);
        assert!(said.exit == Some(1) && said.errors.contains(why) && said.out.is_empty(), "{said:?}");
    }
    books.checkpoint();
    json_of(books.path(), &["ledger", "receipt", &call]);
    books.stop();
    tamper(&books.home, "UPDATE posting SET amount = amount + 1");
    let said = run(books.path(), &["ledger", "receipt", &call]);
    assert!(said.exit == Some(5) && said.errors.contains("not what was hashed"), "{said:?}");
}

fn an_export_is_checked_offline_and_every_planted_fault_is_found(kind: Kind) {
    let seed = 5;
    println!("seed {seed}");
    let books = Books::open(kind, 86_400);
    books.let_everything_happen();
    let first = books.checkpoint();
    json_of(books.path(), &["ledger", "rotate-key"]);
    books.server().invoke(super::books::PAYER, "paid", "{}");
    let last = books.checkpoint();
    books.server().invoke(super::books::PAYER, "paid", "{}");
    let kept = books.kept_with(&last).display().to_string();
    let done = json_of(books.path(), &["ledger", "books", "--out", "books.jsonl"]);
    let text = fs::read_to_string(books.path().join("books.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(done["lines"], json!(lines.len() - 1));
    let key = first["public_key"].as_str().unwrap();
    for arguments in [vec![], vec!["--kept", &kept], vec!["--key", key, "--balances"]] {
        let (exit, said) = script(books.path(), "verify_export.py", &[&["books.jsonl"], &*arguments].concat());
        assert!(exit == Some(0) && said.contains("in order") && said.contains("all but the last 2 batches"), "{said}");
    }
    let (_, balances) = script(books.path(), "verify_export.py", &["books.jsonl", "--balances"]);
    for row in json_of(books.path(), &["ledger", "trial-balance"])["accounts"].as_array().unwrap() {
        let balance = row["balance_micros"].as_str().unwrap();
        let is_its_own = |line: &str| line.ends_with(row["code"].as_str().unwrap()) && line.contains(balance);
        assert!(balance == "0" || balances.lines().any(is_its_own), "{row}: {balances}");
    }
    assert!(balances.contains("names are not proven"), "{balances}");

    plant_values(books.path(), &lines, &last, &mut Dice::new(seed));
    move_lines(books.path(), &lines, &mut Dice::new(seed));
}

/// What the script says of these lines.
fn check_lines(folder: &Path, lines: &[&str]) -> (Option<i32>, String) {
    fs::write(folder.join("damaged.jsonl"), format!("{}\n", lines.join("\n"))).unwrap();
    script(folder, "verify_export.py", &["damaged.jsonl"])
}

/// Changes values, one at a time.
fn plant_values(folder: &Path, lines: &[&str], last: &Value, dice: &mut Dice) {
    let mut places = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mut pointers = Vec::new();
        scalars(&serde_json::from_str(line).unwrap(), "", &mut pointers);
        places.extend(pointers.into_iter().map(|pointer| (index, pointer)));
    }
    // Of an account its kind and its name are not hashed here, but compared by `ledger verify`. The signatures of all
    // checkpoints but the last of each key are passed over: the chain of checkpoints covers what they sign.
    let is_covered = |(index, pointer): &(usize, String)| {
        let line: Value = serde_json::from_str(lines[*index]).unwrap();
        let is_account = line["line"] == json!("account") && (pointer == "/kind" || pointer == "/code");
        let is_last_of_key = line["successor"] != Value::Null || line["number"] == last["number"];
        let is_passed_over = line["line"] == json!("checkpoint") && !is_last_of_key && pointer == "/signature";
        let is_slot_of_balance = line["line"] == json!("balance") && pointer == "/slot";
        let is_free = is_account || is_passed_over || is_slot_of_balance;
        !is_for_people(pointer) && !is_free && !is_unused_account(&line, lines)
    };
    places.retain(is_covered);
    for _ in 0..tests::environment::extent().pick(60, 1_000) {
        let (index, pointer) = dice.pick(&places).unwrap();
        let mut damaged: Value = serde_json::from_str(lines[*index]).unwrap();
        let value = damaged.pointer_mut(pointer).unwrap();
        *value = changed(value);
        let damaged = damaged.to_string();
        let mut copy = lines.to_vec();
        copy[*index] = &damaged;
        let (exit, said) = check_lines(folder, &copy);
        assert_eq!(exit, Some(1), "line {}, {pointer}: {said}", index + 1);
    }
}

/// Takes lines away, doubles them, swaps them, and cuts the export off.
fn move_lines(folder: &Path, lines: &[&str], dice: &mut Dice) {
    for _ in 0..20 {
        let index = *dice.pick(&(0..lines.len()).collect::<Vec<_>>()).unwrap();
        let line: Value = serde_json::from_str(lines[index]).unwrap();
        if is_unused_account(&line, lines) {
            continue;
        }
        let mut without = lines.to_vec();
        without.remove(index);
        let mut doubled = lines.to_vec();
        doubled.insert(index, lines[index]);
        let mut swapped = lines.to_vec();
        let other = (index + 1) % lines.len();
        swapped.swap(index, other);
        let cut = &lines[..index];
        for (what, copy) in [("without", &*without), ("doubled", &*doubled), ("cut", cut)] {
            assert_eq!(check_lines(folder, copy).0, Some(1), "{what} {}", lines[index]);
        }
        let next: Value = serde_json::from_str(lines[other]).unwrap();
        let is_a_list =
            line["line"] == next["line"] && ["account", "balance"].contains(&line["line"].as_str().unwrap());
        assert!(is_a_list || check_lines(folder, &swapped).0 == Some(1), "swapped {}", lines[index]);
    }
}

/// Nothing depends on an account that nobody uses.
fn is_unused_account(line: &Value, lines: &[&str]) -> bool {
    let id = &line["id"];
    let uses = |other: &&str| {
        let other: Value = serde_json::from_str(other).unwrap();
        let legs = other["postings"].as_array().cloned().unwrap_or_default();
        legs.iter().any(|leg| leg[0] == *id || leg[1] == *id)
    };
    line["line"] == json!("account") && !lines.iter().any(|other| uses(other))
}

fn an_export_is_made_whole_or_not_at_all(kind: Kind) {
    let mut books = Books::open(kind, 86_400);
    books.let_everything_happen();
    books.checkpoint();
    let export = |out: &str| run(books.path(), &["ledger", "books", "--out", out]);
    let said = export("no/such/folder/books.jsonl");
    assert!(said.exit == Some(1) && said.errors.contains("No such file"), "{said:?}");
    assert_eq!(export("books.jsonl").exit, Some(0));
    let before = fs::read(books.path().join("books.jsonl")).unwrap();
    let said = export("books.jsonl");
    assert!(said.exit == Some(1) && said.errors.contains("is there already"), "{said:?}");
    assert_eq!(fs::read(books.path().join("books.jsonl")).unwrap(), before);

    // A disk that fills: the shell lets no file grow beyond a block.
    let mut full = Command::new("sh");
    let program = tollgate(books.path(), &[]).get_program().to_owned();
    full.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" ledger books --out full.jsonl"]).arg(program);
    let said: super::super::Said = tests::program::at_home(full, books.path()).ended().unwrap().into();
    assert!(said.exit == Some(1) && said.errors.contains("large"), "{said:?}");
    let left = |folder: &Path| {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("full") || name.contains("export") || name == "out.jsonl").collect::<Vec<_>>()
    };
    assert_eq!(left(books.path()), Vec::<String>::new());

    books.stop();
    tamper(&books.home, "UPDATE refusal SET reason = 'because'");
    let said = run(books.path(), &["ledger", "books", "--out", "out.jsonl"]);
    assert!(said.exit == Some(5) && said.errors.contains("refusal"), "{said:?}");
    assert_eq!(left(books.path()), Vec::<String>::new());
}

fn an_export_that_a_forger_made_fit_is_refused(kind: Kind) {
    let books = Books::open(kind, 86_400);
    books.let_everything_happen();
    let victim = books.checkpoint()["public_key"].as_str().unwrap().to_owned();
    json_of(books.path(), &["ledger", "books", "--out", "books.jsonl"]);
    let text = fs::read_to_string(books.path().join("books.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(forge(books.path(), &lines), lines, "what fits stays as it is");
    let forgery = Forgery { folder: books.path(), lines: &lines };
    forge_keys(&forgery, &victim);
    forge_beside_what_was_kept(&forgery);
    forge_holds(&forgery);
    let name = plant(&lines, "account", |account| account["code"] = json!("x\nthe books are in order"));
    forgery.is_refused(&name, &[], "cannot be printed");
}
