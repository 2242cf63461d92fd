//! Every form of the console, sent once and sent twice: the audit trail tells of it once, with what was and what is.

use std::sync::Barrier;

use tests::{
    browser::Browser,
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::OperatorConsole,
};

use super::{
    samples::{
        World,
        forms::{SENDINGS, Sending, Told},
    },
    sending::{Entry, Senders, is_same, post, trail},
};

on_both_databases!(
    whatever_is_done_is_told_once_with_before_and_after,
    two_copies_at_the_same_moment_do_one_thing,
    a_double_click_does_one_thing,
);

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

fn sorted<'t>(actions: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut actions: Vec<&str> = actions.collect();
    actions.sort_unstable();
    actions
}

/// Sends the same form twice at the same moment, with the same key of its operation.
fn send_both(home: &Home, senders: &Senders<'_>, sending: &Sending) -> Vec<String> {
    let opened = senders.open(sending);
    let (action, filled) = match senders.fill(sending, &opened) {
        Ok(filled) => filled,
        Err(stopped) => {
            return vec![format!("answered {}: {}", stopped.answer.status, html::text(&stopped.answer.body))];
        }
    };
    let before = trail(home).len();
    let (visitor, both) = (senders.visitor(sending.by), Barrier::new(2));
    let send = || {
        both.wait();
        post(visitor, &action, &filled)
    };
    let answers = std::thread::scope(|scope| {
        let other = scope.spawn(send);
        let own = send();
        [own, other.join().expect("an answer")]
    });
    let mut found = Vec::new();
    for answer in answers.iter().filter(|answer| !matches!(answer.status, 200 | 303 | 422)) {
        found.push(format!("answered {}: {}", answer.status, html::text(&answer.body)));
    }
    if answers.iter().all(|answer| answer.status == 422) {
        found.push(format!("refused both: {}", html::text(&answers[0].body)));
    }
    let told = &trail(home)[before..];
    // Where two are right they may be told in any order.
    let is_twice = sorted(told.iter().map(|entry| entry.action.as_str()))
        == sorted(sending.told.iter().chain(sending.told).map(|told| told.action()));
    match AGAIN.iter().find(|(route, ..)| *route == sending.route) {
        Some((_, Again::Told | Again::ToldIfOver, _)) if is_twice => {}
        Some((_, Again::Told, _)) => found.push(format!("it tells {told:#?}")),
        _ => found.extend(faults(sending.told, told)),
    }
    found
}

fn two_copies_at_the_same_moment_do_one_thing(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    let senders = Senders::of(&world);
    let mut found = Vec::new();
    for sending in SENDINGS {
        let faults = send_both(&home, &senders, sending);
        found.extend(faults.into_iter().map(|fault| format!("{}: {fault}", sending.route)));
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

/// With scripts the second press sends nothing, without them the form is sent twice.
fn a_double_click_does_one_thing(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let made = console.command(&["account", "create", "--email", "buyer@example.com"]);
    let account = console.url(&format!("/admin/accounts/{}", made["account"].as_str().expect("an identifier")));
    for (number, (has_scripts, credits)) in [(true, "5"), (false, "6")].into_iter().enumerate() {
        let browser = if has_scripts { Browser::start() } else { Browser::start_without_javascript() };
        ada.visitor.go_on_in(&browser);
        assert_eq!(browser.open(&format!("{account}/grant")), 200);
        browser.fill("Credits", credits);
        browser.fill("Why", "A double click");
        browser.press("Show what it will do");
        browser.see("Can be spent then");
        browser.press_twice("Give");
        browser.see(&format!("{credits} credits were given."));
        let given = trail(&home).into_iter().filter(|entry| entry.action == "grant.create").count();
        assert_eq!(given, number + 1, "with scripts: {has_scripts}");
        browser.expect_no_complaints();
    }
}
