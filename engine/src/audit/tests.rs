use std::collections::HashSet;

use uuid::Uuid;

use super::*;
use crate::ledger::{chain::GENESIS, verify::ProblemKind};

fn by() -> OpContext {
    let request = Some(RequestId::from(Uuid::from_u128(9)));
    OpContext { actor: Actor::Operator("uid:1000".to_owned()), method: Method::CommandLine, request }
}

/// A trail of `count` rows with their hashes, and its head.
fn trail(count: i64) -> (Vec<(AuditRow, [u8; 32])>, AuditHead) {
    let mut head = AuditHead::new(0);
    let rows = (1..=count).map(|number| {
        let entry = by().entry(Action::GrantCreate, "transaction", number).after(r#"{"credits":"1"}"#).because("why");
        head.add(&entry, number * 10)
    });
    (rows.collect(), head)
}

/// What the verifier says of a trail: kinds and keys.
fn faults(rows: &[(AuditRow, [u8; 32])], heads: &[AuditHead]) -> Vec<(ProblemKind, String)> {
    let mut verifier = AuditVerifier::default();
    let mut faults: Vec<_> = rows.iter().flat_map(|(row, hash)| verifier.row(row, *hash)).collect();
    faults.extend(heads.iter().filter_map(|head| verifier.head(head)));
    faults.extend(verifier.finish());
    faults.into_iter().map(|(kind, _, key, _)| (kind, key)).collect()
}

#[test]
fn the_words_of_actions_are_a_category_and_an_operation_and_differ() {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    for (action, word) in Action::ALL {
        let (category, operation) = word.split_once('.').unwrap();
        assert!(is_word(category) && is_word(operation), "{word}");
        assert_eq!(action.as_str(), word);
    }
    assert_eq!(Action::ALL.iter().map(|(_, word)| word).collect::<HashSet<_>>().len(), Action::ALL.len());
}

#[test]
fn a_row_knows_its_place_and_the_row_before() {
    let (rows, head) = trail(3);
    assert_eq!(rows.iter().map(|(row, _)| row.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(rows[0].0.prev_hash, GENESIS);
    assert_eq!(rows[2].0.prev_hash, rows[1].1);
    assert_eq!((head.seq, head.last_us, head.hash), (3, 30, rows[2].1));
    let row = &rows[0].0;
    assert_eq!((&*row.actor_kind, &*row.actor_id, &*row.method), ("operator", "uid:1000", "command_line"));
    assert_eq!((&*row.action, &*row.object_kind, &*row.object_id), ("grant.create", "transaction", "1"));
    assert_eq!(row.request_id.as_deref(), Some("req_00000000000000000000000000000009"));
}

#[test]
fn what_was_approved_names_the_approval_and_who_asked_for_it() {
    let method = Method::Approval { id: Uuid::from_u128(5).into(), author: Uuid::from_u128(6).into() };
    let by = OpContext { method, ..by() };
    let (approval, author) = ("apr_00000000000000000000000000000005", "opr_00000000000000000000000000000006");
    let mut head = AuditHead::new(0);
    for (facts, told) in [
        (Some(r#"{"credits":"1.5","n":9007199254740993}"#), r#"{"credits":"1.5","n":9007199254740993,"#),
        (Some("[1]"), r#"{"facts":[1],"#),
        (None, "{"),
    ] {
        let entry = by.entry(Action::RefundCreate, "transaction", 1);
        let entry = facts.into_iter().fold(entry, AuditEntry::after);
        let (row, _) = head.add(&entry, 1);
        assert_eq!(row.after, Some(format!(r#"{told}"approval":"{approval}","requested_by":"{author}"}}"#)));
        assert_eq!((&*row.method, row.credential.as_deref()), ("approval", Some(approval)));
    }
}

#[test]
fn recorded_time_never_goes_backwards() {
    let mut head = AuditHead::new(0);
    let entry = by().entry(Action::GrantCreate, "transaction", 1);
    assert_eq!([50, 40, 60].map(|now_us| head.add(&entry, now_us).0.recorded_us), [50, 50, 60]);
}

#[test]
fn every_field_is_hashed_and_none_can_be_moved_into_another() {
    let (rows, _) = trail(1);
    let row = &rows[0].0;
    let text = |change: &dyn Fn(&mut AuditRow)| {
        let mut row = row.clone();
        change(&mut row);
        row.hash()
    };
    let changed = [
        text(&|_row| {}),
        text(&|row| row.slot += 1),
        text(&|row| row.seq += 1),
        text(&|row| row.recorded_us += 1),
        text(&|row| row.actor_kind.push('x')),
        text(&|row| row.actor_id.push('x')),
        text(&|row| row.method.push('x')),
        text(&|row| row.credential = Some(String::new())),
        text(&|row| row.action.push('x')),
        text(&|row| row.object_kind.push('x')),
        text(&|row| row.object_id.push('x')),
        text(&|row| row.before = Some(String::new())),
        text(&|row| row.after = None),
        text(&|row| row.reason = None),
        text(&|row| row.request_id = None),
        text(&|row| row.prev_hash[31] ^= 1),
        text(&|row| (row.before, row.after) = (row.after.clone(), None)),
        text(&|row| (row.object_kind, row.object_id) = ("transactio".to_owned(), "n1".to_owned())),
    ];
    assert_eq!(changed.iter().collect::<HashSet<_>>().len(), changed.len());
}

#[test]
fn a_long_reason_is_cut_off() {
    let entry = by().entry(Action::GrantCreate, "transaction", 1).because(&"ä".repeat(600));
    let (row, _) = AuditHead::new(0).add(&entry, 1);
    assert_eq!(row.reason.unwrap().chars().count(), AUDIT_REASON_CHARS_MAX);
}

#[test]
fn every_kind_of_damage_is_found_and_named() {
    use ProblemKind::*;
    let (rows, head) = trail(4);
    assert_eq!(faults(&rows, &[head]), []);
    assert_eq!(faults(&[], &[AuditHead::new(7)]), [], "a slot that nobody has written in");

    let mut altered = rows.clone();
    altered[1].0.after = Some(r#"{"credits":"2"}"#.to_owned());
    assert_eq!(faults(&altered, &[head]), [(LeafMismatch, "0/2".to_owned())]);
    let mut rehashed = altered.clone();
    rehashed[1].1 = rehashed[1].0.hash();
    assert_eq!(faults(&rehashed, &[head]), [(LinkMismatch, "0/3".to_owned())], "its own hash alone does not help");

    let gone = [&rows[..1], &rows[2..]].concat();
    assert_eq!(faults(&gone, &[head]), [(Gap, "0/3".to_owned())]);
    let mut closed = gone;
    for row in &mut closed[1..] {
        row.0.seq -= 1;
    }
    assert_eq!(
        faults(&closed, &[head]),
        [
            (LinkMismatch, "0/2".to_owned()),
            (LeafMismatch, "0/2".to_owned()),
            (LeafMismatch, "0/3".to_owned()),
            (HeadMismatch, "0".to_owned())
        ]
    );
    assert_eq!(faults(&rows[..3], &[head]), [(HeadMismatch, "0".to_owned())], "a cut tail");
    assert_eq!(faults(&[], &[head]), [(HeadMismatch, "0".to_owned())], "a trail that is gone");
    assert_eq!(faults(&rows, &[]), [(HeadMismatch, "0".to_owned())], "a head that is gone");

    let mut more = rows.clone();
    let mut further = head;
    more.push(further.add(&by().entry(Action::GrantCreate, "transaction", 5), 50));
    assert_eq!(faults(&more, &[head]), [(HeadMismatch, "0".to_owned())], "a row that was put behind");
    let other_hash = AuditHead { hash: [7; 32], ..head };
    assert_eq!(faults(&rows, &[other_hash]), [(HeadMismatch, "0".to_owned())]);
    let mut backwards = rows.clone();
    backwards[3].0.recorded_us = 1;
    backwards[3].1 = backwards[3].0.hash();
    let head = AuditHead { last_us: 1, hash: backwards[3].1, ..head };
    assert_eq!(faults(&backwards, &[head]), [(TimeBackwards, "0/4".to_owned())]);
}
