//! Every form of the console, sent once and sent twice: the audit trail tells of it once, with what was and what is.

use tests::{
    home::{Home, Kind},
    html, on_both_databases,
};

use super::{
    samples::{
        World,
        forms::{SENDINGS, Sending, Told},
    },
    sending::{Entry, Senders, is_same, post, trail},
};

on_both_databases!(whatever_is_done_is_told_once_with_before_and_after,);

/// What becomes of the second copy of a form that is no operation of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Told,
    /// Told, unless it found the first copy still at work.
    ToldIfOver,
}

/// What is done again, and told again, where the same form is sent twice, and why that is right.
const AGAIN: [(&str, Again, &str); 3] = [
    ("/ledger/verify", Again::ToldIfOver, "the books are checked once more, where the first check has ended"),
    ("/sign-in", Again::Told, "two sessions, as of two browsers"),
    ("/ledger/exports", Again::Told, "two files, and the trail says who has how many"),
];

/// What is wrong with what was told, a sentence for each.
fn faults(expected: &[Told], entries: &[Entry]) -> Vec<String> {
    if expected.len() != entries.len() {
        return vec![format!("{} entries were expected: {entries:#?}", expected.len())];
    }
    let pairs = expected.iter().zip(entries);
    pairs
        .filter(|(told, entry)| !is_told(**told, entry))
        .map(|(told, entry)| format!("no {told:?}: {entry:#?}"))
        .collect()
}

fn is_told(told: Told, entry: &Entry) -> bool {
    let (before, after) = (entry.before.as_deref(), entry.after.as_deref());
    let (action, is_right) = match told {
        Told::Change(action) => (action, before.zip(after).is_some_and(|(before, after)| !is_same(before, after))),
        Told::New(action) => (action, before.is_none() && after.is_some()),
        Told::Gone(action) => (action, before.is_some() && after.is_none()),
        Told::Done(action) => (action, before.is_none() && after.is_none()),
    };
    entry.action == action && is_right && !entry.object.0.is_empty() && !entry.object.1.is_empty()
}

/// Sends a form twice, with the same key of its operation.
fn send_twice(home: &Home, senders: &Senders<'_>, sending: &Sending) -> Vec<String> {
    let opened = senders.open(sending);
    let before = trail(home).len();
    let sent = senders.send(sending, &opened);
    let once = trail(home);
    let mut found = Vec::new();
    if !matches!(sent.answer.status, 200 | 303) {
        found.push(format!("answered {}: {}", sent.answer.status, html::text(&sent.answer.body)));
    }
    found.extend(faults(sending.told, &once[before..]));
    let again = post(senders.visitor(sending.by), &sent.action, &sent.filled);
    if !matches!(again.status, 200 | 303 | 422) {
        found.push(format!("answered {} the second time: {}", again.status, html::text(&again.body)));
    }
    let twice = trail(home);
    let seconds: Vec<&str> = twice[once.len()..].iter().map(|entry| entry.action.as_str()).collect();
    let told: Vec<&str> = sending.told.iter().map(|told| told.action()).collect();
    let is_right = match AGAIN.iter().find(|(route, ..)| *route == sending.route) {
        Some((_, Again::Told, _)) => seconds == told,
        Some((_, Again::ToldIfOver, _)) => seconds.is_empty() || seconds == told,
        None => seconds.is_empty(),
    };
    if !is_right {
        found.push(format!("sent a second time, it tells {:#?}", &twice[once.len()..]));
    }
    found
}

fn whatever_is_done_is_told_once_with_before_and_after(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    let senders = Senders::of(&world);
    let mut found = Vec::new();
    for sending in SENDINGS {
        let faults = send_twice(&home, &senders, sending);
        found.extend(faults.into_iter().map(|fault| format!("{}: {fault}", sending.route)));
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
