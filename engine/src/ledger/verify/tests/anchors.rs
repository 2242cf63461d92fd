//! Checkpoints: among themselves, and against the books.

use ProblemKind::{AnchorMismatch, AnchorMissing, BadSignature, Gap, KeyMismatch, LinkMismatch, TimeBackwards};

use super::*;
use crate::ledger::{
    checkpoint::{Checkpoint, NO_CHECKPOINT, SlotHead},
    merkle::Frontier,
    signing::SigningKey,
};

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32], number.into()).unwrap()
}

/// Makes checkpoints over books that a scribe writes.
struct Notary {
    keys: Vec<NumberedKey>,
    signing: u8,
    made: Vec<SignedCheckpoint>,
    span: Frontier,
    after: i64,
}

impl Notary {
    fn new() -> Self {
        let first = NumberedKey { number: 1, public: key(1).public(), from_us: NOW_US };
        Self { keys: vec![first], signing: 1, made: Vec::new(), span: Frontier::default(), after: 0 }
    }

    /// What the next checkpoint says.
    fn next(&self, scribe: &Scribe) -> Checkpoint {
        let (slot, batch_no, seq, hash) = (scribe.slot, scribe.batch_no, scribe.seq, scribe.hash);
        let head = SlotHead { slot, batch_no, seq, hash, after: self.after, span: self.span.root() };
        Checkpoint {
            number: i64::try_from(self.made.len()).unwrap() + 1,
            made_us: NOW_US + i64::try_from(self.made.len()).unwrap(),
            key: self.signing.into(),
            prev_hash: self.made.last().map_or(NO_CHECKPOINT, |last| last.checkpoint.hash()),
            heads: vec![head],
            others: Vec::new(),
            successor: None,
        }
    }

    fn sign(&mut self, checkpoint: Checkpoint) {
        let signature = key(self.signing).sign(&checkpoint.bytes()).unwrap();
        self.after = checkpoint.heads[0].batch_no;
        self.span = Frontier::default();
        if checkpoint.successor.is_some() {
            self.signing += 1;
            let public = key(self.signing).public();
            self.keys.push(NumberedKey { number: self.signing.into(), public, from_us: checkpoint.made_us });
        }
        self.made.push(SignedCheckpoint { checkpoint, signature });
    }

    fn kept(&self, index: usize) -> Kept {
        let signed = self.made[index].clone();
        let number = usize::try_from(signed.checkpoint.key).unwrap();
        Kept { public: self.keys[number - 1].public, signed }
    }
}

/// Five batches with a checkpoint behind the second, the fourth (which hands over to another key) and the fifth.
fn vouched() -> (Scribe, Notary) {
    let (mut scribe, mut notary) = (Scribe::new(), Notary::new());
    for number in 1..=5 {
        scribe.batch(vec![transaction(post(number, vec![leg(LedgerAccountId::PROMO, WALLET, 5)]))]);
        notary.span.push(scribe.hash);
        if number != 1 && number != 3 {
            let successor = (number == 4).then(|| key(2).public());
            let checkpoint = Checkpoint { successor, ..notary.next(&scribe) };
            notary.sign(checkpoint);
        }
    }
    (scribe, notary)
}

fn found(scribe: &Scribe, notary: &Notary, mut verifier: Verifier) -> Vec<(ProblemKind, &'static str, String)> {
    let is_account = |line: &Line| matches!(line, Line::Account { .. });
    let accounts = scribe.lines.iter().filter(|line| is_account(line)).cloned();
    let checkpoints = notary.made.iter().cloned().map(Line::Checkpoint);
    let books = scribe.lines.iter().filter(|line| !is_account(line)).cloned();
    let lines = accounts.chain(notary.keys.iter().copied().map(Line::Key)).chain(checkpoints).chain(books);
    for line in lines {
        verifier.take(line);
    }
    let beside = [ProblemKind::ProjectionMismatch, ProblemKind::HeadMismatch];
    let problems = verifier.finish().problems.into_iter().filter(|problem| !beside.contains(&problem.kind));
    problems.map(|it| (it.kind, it.table, it.key)).collect()
}

fn check(name: &str, (scribe, notary): &(Scribe, Notary), kept: Vec<Kept>, expected: &[(ProblemKind, &str, &str)]) {
    let found = found(scribe, notary, Verifier::new(kept));
    let found: Vec<_> = found.iter().map(|(kind, table, key)| (*kind, *table, &**key)).collect();
    assert_eq!(found, expected, "{name}");
}

#[test]
fn books_go_through_their_checkpoints_and_those_that_were_kept() {
    let books = vouched();
    let kept = vec![books.1.kept(0), books.1.kept(1), books.1.kept(2)];
    check("sound", &books, kept, &[]);
}

#[test]
fn a_chain_that_was_written_again_does_not_go_through_them() {
    let (_, notary) = vouched();
    let mut scribe = Scribe::new();
    for number in 1..=5 {
        let amount = if number == 3 { 6 } else { 5 };
        scribe.batch(vec![transaction(post(number, vec![leg(LedgerAccountId::PROMO, WALLET, amount)]))]);
    }
    let expected = [(AnchorMismatch, "batch", "0/4"), (AnchorMismatch, "batch", "0/5")];
    check("forged", &(scribe, notary), Vec::new(), &expected);
}

#[test]
fn a_tail_that_was_cut_off_is_missed_once_for_a_slot() {
    let (scribe, notary) = vouched();
    let cut = scribe.lines.iter().position(|line| matches!(line, Line::Batch(header, _) if header.batch_no == 4));
    let mut scribe = scribe;
    scribe.lines.truncate(cut.unwrap());
    check("cut", &(scribe, notary), Vec::new(), &[(AnchorMissing, "batch", "0/4")]);
}

#[test]
fn checkpoints_follow_each_other() {
    type Change = fn(&mut Notary);
    let cases: [(&str, Change, &[(ProblemKind, &str, &str)]); 6] = [
        ("one is missing", |it| drop(it.made.remove(1)), &[(Gap, "checkpoint", "3"), (KeyMismatch, "checkpoint", "3")]),
        (
            "the first key is missing",
            |it| {
                it.keys.remove(0);
            },
            &[
                (Gap, "signing_key", "2"),
                (KeyMismatch, "signing_key", "1"),
                (KeyMismatch, "signing_key", "1"),
                (KeyMismatch, "signing_key", "1"),
            ],
        ),
        ("all are missing", |it| it.made.clear(), &[(AnchorMissing, "checkpoint", "1")]),
        (
            "a key that nobody handed over to",
            |it| {
                it.keys.push(NumberedKey { number: 3, public: key(3).public(), from_us: 0 });
            },
            &[(KeyMismatch, "signing_key", "3")],
        ),
        ("a key with another beginning", |it| it.keys[1].from_us += 1, &[(KeyMismatch, "signing_key", "2")]),
        (
            "a signature of another",
            |it| it.made[0].signature = it.made[1].signature,
            &[(BadSignature, "checkpoint", "1")],
        ),
    ];
    for (name, change, expected) in cases {
        let (scribe, mut notary) = vouched();
        change(&mut notary);
        check(name, &(scribe, notary), Vec::new(), expected);
    }
}

#[test]
fn what_is_signed_all_the_same_is_wrong_all_the_same() {
    type Change = fn(&mut Checkpoint);
    let cases: [(&str, Change, &[(ProblemKind, &str, &str)]); 5] = [
        ("a link", |it| it.prev_hash = sha256(b"other"), &[(LinkMismatch, "checkpoint", "4")]),
        ("a time", |it| it.made_us = 0, &[(TimeBackwards, "checkpoint", "4")]),
        ("a place before", |it| it.heads[0].after = 1, &[(AnchorMismatch, "checkpoint", "4")]),
        ("a span", |it| it.heads[0].span = sha256(b"other"), &[(AnchorMismatch, "checkpoint", "4")]),
        ("an entry", |it| it.heads[0].seq += 1, &[(AnchorMismatch, "checkpoint", "4")]),
    ];
    for (name, change, expected) in cases {
        let (mut scribe, mut notary) = vouched();
        scribe.batch(vec![transaction(post(6, vec![]))]);
        notary.span.push(scribe.hash);
        let mut checkpoint = notary.next(&scribe);
        change(&mut checkpoint);
        notary.sign(checkpoint);
        check(name, &(scribe, notary), Vec::new(), expected);
    }
}

#[test]
fn what_was_kept_reveals_that_checkpoints_were_taken_away_or_made_again() {
    let (scribe, notary) = vouched();
    let kept = notary.kept(2);
    let mut none = Notary::new();
    none.keys.clear();
    let expected = [(KeyMismatch, "signing_key", "2"), (AnchorMissing, "checkpoint", "3")];
    check("taken away", &(scribe, none), vec![kept.clone()], &expected);

    // Others of the same books, signed by other keys.
    let (scribe, _) = vouched();
    let mut again = Notary::new();
    again.keys[0].public = key(7).public();
    let checkpoint = Checkpoint { heads: Vec::new(), ..again.next(&scribe) };
    let signature = key(7).sign(&checkpoint.bytes()).unwrap();
    again.made.push(SignedCheckpoint { checkpoint, signature });
    let first = notary.kept(0);
    let expected = [(AnchorMismatch, "checkpoint", "1"), (KeyMismatch, "signing_key", "1")];
    check("made again", &(scribe, again), vec![first], &expected);

    let (scribe, notary) = vouched();
    let mut forged = kept;
    forged.signed.checkpoint.made_us += 1;
    let expected = [(AnchorMismatch, "checkpoint", "3"), (BadSignature, "checkpoint", "3")];
    check("a forged one", &(scribe, notary), vec![forged], &expected);
}

#[test]
fn rows_up_to_a_checkpoint_are_believed_and_the_chain_is_not() {
    let (mut scribe, notary) = vouched();
    let believing = |notary: &Notary| Verifier::believing(&notary.made[0].checkpoint, vec![notary.kept(0)]);
    assert_eq!(found(&scribe, &notary, believing(&notary)), []);
    let damage = |scribe: &mut Scribe, wanted: i64| {
        for line in &mut scribe.lines {
            if let Line::Entry(_, batch_no, Entry::Transaction(entry)) = line
                && *batch_no == wanted
            {
                entry.effective_us += 1;
            }
        }
    };
    damage(&mut scribe, 2);
    assert_eq!(found(&scribe, &notary, believing(&notary)), [], "believed");
    damage(&mut scribe, 3);
    let expected = [(ProblemKind::LeafMismatch, "batch", "0/3".to_owned())];
    assert_eq!(found(&scribe, &notary, believing(&notary)), expected);

    // The last batch that is believed must be the one that was vouched for.
    let (mut scribe, notary) = vouched();
    for line in &mut scribe.lines {
        if let Line::Batch(header, hash) = line
            && header.batch_no == 2
        {
            header.total += 1;
            *hash = header.hash();
        }
    }
    let kinds: Vec<_> = found(&scribe, &notary, believing(&notary)).into_iter().map(|(kind, ..)| kind).collect();
    assert!(kinds.contains(&AnchorMismatch), "{kinds:?}");
}
