//! What a forger makes of an export, with `papers/forge.py`, which makes everything fit again.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tests::{patience::Ends as _, workspace_root};

use super::{python, script};

/// Lets `papers/forge.py` make these lines fit, whatever was planted in them.
pub(super) fn forge(folder: &Path, lines: &[Value]) -> Vec<Value> {
    write_lines(&folder.join("planted.jsonl"), lines);
    let mut forger = python(folder, "tests/it/clients/operator/proof/papers/forge.py");
    let output = forger.arg(workspace_root().join("docs")).arg("planted.jsonl").ended().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write_lines(file: &Path, lines: &[Value]) {
    fs::write(file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

fn is_line(line: &Value, kind: &str) -> bool {
    line["line"] == json!(kind)
}

/// The lines with a change in the first one of this kind.
pub(super) fn plant(lines: &[Value], kind: &str, change: impl FnOnce(&mut Value)) -> Vec<Value> {
    let mut copy = lines.to_vec();
    change(copy.iter_mut().find(|line| is_line(line, kind)).unwrap());
    copy
}

/// An export with two checkpoints of one key, and what a forger makes of it.
pub(super) struct Forgery<'a> {
    pub(super) folder: &'a Path,
    pub(super) lines: &'a [Value],
}

impl Forgery<'_> {
    /// What the script says of these lines once they fit.
    fn check(&self, lines: &[Value], arguments: &[&str]) -> (Option<i32>, String) {
        write_lines(&self.folder.join("forged.jsonl"), &forge(self.folder, lines));
        script(self.folder, "verify_export.py", &[&["forged.jsonl"], arguments].concat())
    }

    pub(super) fn is_refused(&self, lines: &[Value], arguments: &[&str], why: &str) {
        let (exit, said) = self.check(lines, arguments);
        assert!(exit == Some(1) && said.contains(why), "{why}: {said}");
    }

    fn is_accepted(&self, lines: &[Value], arguments: &[&str]) {
        let (exit, said) = self.check(lines, arguments);
        assert!(exit == Some(0) && said.contains("in order"), "{said}");
    }

    /// The same books under these keys, `null` for one of the forger's; of both checkpoints the number of the key that
    /// signs it and its successor, `true` for the next key.
    fn under(&self, keys: &[Value], signed: [(i64, Value); 2]) -> Vec<Value> {
        let mut lines = self.lines.to_vec();
        let at = lines.iter().position(|line| is_line(line, "key")).unwrap();
        let mut line = lines[at].clone();
        let keys = (1_i64..).zip(keys).map(|(number, public)| {
            line["number"] = json!(number);
            line["public_key"] = public.clone();
            line.clone()
        });
        lines.splice(at..=at, keys);
        let checkpoints = lines.iter_mut().filter(|line| is_line(line, "checkpoint"));
        for (checkpoint, (key, successor)) in checkpoints.zip(signed) {
            checkpoint["key"] = json!(key);
            checkpoint["successor"] = successor;
        }
        lines
    }

    /// The same books under one key of the forger's.
    fn under_one(&self) -> Vec<Value> {
        self.under(&[Value::Null], [(1, Value::Null), (1, Value::Null)])
    }
}

/// Whoever has the public key only cannot make it vouch for anything.
pub(super) fn forge_keys(forgery: &Forgery<'_>, victim: &str) {
    let with_key = ["--key", victim];
    let (own, known, next) = (|| Value::Null, || json!(victim), || json!(true));
    let stands_alone = forgery.under_one();
    let is_named_only = forgery.under(&[own(), known()], [(1, Value::Null), (1, Value::Null)]);
    let is_successor = forgery.under(&[own(), known()], [(1, Value::Null), (1, next())]);
    let handed_over = forgery.under(&[own(), own()], [(1, next()), (2, Value::Null)]);
    for lines in [&stands_alone, &is_successor, &handed_over] {
        forgery.is_accepted(lines, &[]);
        forgery.is_refused(lines, &with_key, "no checkpoint is signed by your key");
    }
    for arguments in [&with_key[..], &[]] {
        forgery.is_refused(&is_named_only, arguments, "a key that nobody handed over to");
    }
    for (keys, signed, why) in [
        (vec![own(), known()], [(1, next()), (2, Value::Null)], "the signature of checkpoint 2 is not good"),
        (vec![known(), own()], [(1, next()), (2, Value::Null)], "the signature of checkpoint 1 is not good"),
        (vec![own(), own(), known()], [(1, next()), (2, Value::Null)], "a key that nobody handed over to"),
        (vec![own(), own()], [(1, known()), (2, Value::Null)], "it hands over to another key"),
        (vec![own(), own()], [(1, Value::Null), (2, Value::Null)], "signed by key 2 instead of key 1"),
        (vec![own(), own()], [(1, next()), (1, Value::Null)], "signed by key 1 instead of key 2"),
        (vec![own()], [(1, Value::Null), (2, Value::Null)], "signed by key 2 instead of key 1"),
    ] {
        forgery.is_refused(&forgery.under(&keys, signed), &with_key, why);
    }
    let mut gap = handed_over.clone();
    gap.iter_mut().rfind(|line| is_line(line, "key")).unwrap()["number"] = json!(3);
    let back = plant(&stands_alone, "checkpoint", |first| first["made_us"] = json!(i64::MAX));
    forgery.is_refused(&back, &[], "older than the one before");
    forgery.is_refused(&gap, &[], "key 2 should stand here");
    forgery.is_refused(&stands_alone, &["--key", ""], "is not 32 bytes");
}

/// The holder of a key signs two versions: a checkpoint that was kept of the one is none of the other.
pub(super) fn forge_beside_what_was_kept(forgery: &Forgery<'_>) {
    let file = forgery.folder.join("kept.jsonl");
    let keep = |lines: &[Value]| write_lines(&file, lines);
    let with_kept = ["--kept", "kept.jsonl"];
    let later = plant(&forgery.under_one(), "checkpoint", |first| {
        first["made_us"] = json!(first["made_us"].as_i64().unwrap() + 1);
    });
    let [one, other] = [&forgery.under_one(), &later].map(|lines| {
        let forged = forge(forgery.folder, lines);
        let key = forged.iter().find(|line| is_line(line, "key")).unwrap()["public_key"].clone();
        let mut kept: Vec<Value> = forged.into_iter().filter(|line| is_line(line, "checkpoint")).collect();
        kept.iter_mut().for_each(|checkpoint| checkpoint["public_key"] = key.clone());
        kept
    });
    keep(&one);
    forgery.is_accepted(&forgery.under_one(), &with_kept);
    forgery.is_refused(&later, &with_kept, "is not the kept one");
    for (name, why) in [("hash", "does not have its own hash"), ("signature", "is not signed by its key")] {
        let mut changed = one[1].clone();
        changed[name] = other[1][name].clone();
        keep(&[changed]);
        forgery.is_refused(&later, &with_kept, why);
    }
    keep(&[one[1].clone(), other[1].clone()]);
    forgery.is_refused(&later, &with_kept, "another one of this number was kept");
    for nothing in ["", "\n\n"] {
        fs::write(&file, nothing).unwrap();
        forgery.is_refused(&forgery.under_one(), &with_kept, "holds no checkpoint");
    }
    keep(&one);
    let mut shorter = forgery.under_one();
    let last = shorter.iter().rposition(|line| is_line(line, "checkpoint")).unwrap();
    shorter.remove(last);
    forgery.is_refused(&shorter, &with_kept, "kept checkpoint 2 is missing");
}

/// Between slots a hold may end before it is placed: what it may come to is checked all the same.
pub(super) fn forge_holds(forgery: &Forgery<'_>) {
    let lines = forgery.under_one();
    let end = lines.iter().position(|line| is_line(line, "settlement")).unwrap();
    let is_its_hold = |line: &Value| is_line(line, "hold") && line["id"] == lines[end]["hold_id"];
    let begin = lines.iter().position(is_its_hold).unwrap();
    let amount = lines[begin]["amount"].as_i64().unwrap();

    let mut before = lines.clone();
    before[begin..=end].rotate_right(1);
    forgery.is_refused(&before, &[], "ended before it was placed");
    let mut again = lines.clone();
    again.insert(begin, lines[begin].clone());
    forgery.is_refused(&again, &[], "is open already");
    let unknown = plant(&lines, "hold", |hold| hold["wallet"] = json!(4_242));
    forgery.is_refused(&unknown, &[], "there is no account 4242");

    // The hold moves to a slot that stands behind all others, and the last checkpoint vouches for it there.
    let mut apart = lines.clone();
    let hold = apart.remove(begin);
    let end = end - 1;
    let mut batch = apart.iter().find(|line| is_line(line, "batch")).unwrap().clone();
    batch["slot"] = json!(99);
    let behind = apart.iter().position(|line| is_line(line, "balance")).unwrap();
    apart.splice(behind..behind, [batch, hold]);
    let last = apart.iter_mut().rfind(|line| is_line(line, "checkpoint")).unwrap();
    last["heads"].as_array_mut().unwrap().push(json!({"slot": 99, "batch_no": 1}));
    forgery.is_accepted(&apart, &[]);
    for (captured, is_fine) in [(0, true), (amount, true), (amount + 1, false), (-1, false)] {
        apart[end]["captured"] = json!(captured);
        if is_fine {
            forgery.is_accepted(&apart, &[]);
        } else {
            forgery.is_refused(&apart, &[], "more is charged than was reserved");
        }
    }
    apart[end]["captured"] = json!(amount);
    apart.insert(end, apart[end].clone());
    forgery.is_refused(&apart, &[], "ends twice");
}
