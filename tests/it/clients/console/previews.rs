//! What moves money, prices or switches shows first what it would do, does nothing before somebody confirms that, and then
//! does what it has shown.

use tests::{
    home::{Home, Kind},
    html::{self, Piece},
    on_both_databases,
};

use super::{
    routes::leads_to,
    samples::{
        World,
        forms::{SENDINGS, Sending},
    },
    sending::{Filled, Senders, fill_in, post, trail},
};

on_both_databases!(what_a_form_would_do_is_shown_before_it_is_done,);

const WALLET: &[&str] = &["Can be spent now", "Can be spent then"];

/// The forms with a dry run, and what it has to speak of.
const PREVIEWS: [(&str, &[&str]); 19] = [
    ("/accounts/{id}/grant", WALLET),
    ("/accounts/{id}/adjust", &["Balance before", "Balance after"]),
    ("/accounts/{id}/suspend", &["Tokens in use", "Of the newest", "Last call", "Balance"]),
    ("/partners/{id}/grant", WALLET),
    (
        "/partners/{id}/edit",
        &["Of 100 credits it has now", "Of 100 credits it would have", "5 cr", "7 cr", "Last call"],
    ),
    ("/partners/{id}/suspend", &["Tokens in use"]),
    ("/partners/{id}/users/{user}/block", &["Of the newest", "Last call"]),
    ("/purchases/{id}/confirm", WALLET),
    ("/purchases/{id}/fail", &["Credits that never come", "Balance after"]),
    ("/purchases/{id}/dispute", &["Would be held"]),
    ("/chargebacks/{id}/won", &["Would be free again"]),
    ("/chargebacks/{id}/lost", &["Would be taken", "Would be lost"]),
    ("/refunds/new", &["Goes back"]),
    ("/refunds/reverse", &["From", "To"]),
    ("/payouts/new", &["From", "To"]),
    ("/publishers/{id}/edit", &["7500"]),
    ("/publishers/{id}/suspend", &[]),
    ("/namespaces/{id}/suspend", &[]),
    ("/tools/{id}/disable", &[]),
];

/// Where the amount is typed, so that it can be another one than what was shown.
const TYPED: [&str; 4] =
    ["/accounts/{id}/grant", "/accounts/{id}/adjust", "/partners/{id}/grant", "/purchases/{id}/dispute"];

/// What stands in the part of a page that says what a form would do.
fn preview(body: &str) -> Option<String> {
    let (mut is_inside, mut text) = (false, String::new());
    for piece in html::pieces(body) {
        match piece {
            Piece::Start(element) if element.name == "section" => is_inside = element.get("class") == Some("preview"),
            Piece::End(name) if name == "section" && is_inside => return Some(text),
            Piece::Text(words) if is_inside => text.push_str(&words.replace('\u{a0}', " ")),
            _ => {}
        }
    }
    None
}

/// What is wrong with the dry run of a form, a sentence for each.
fn faults(home: &Home, senders: &Senders<'_>, (sending, wanted): (&Sending, &[&str])) -> Vec<String> {
    let (opened, before) = (senders.open(sending), trail(home).len());
    let visitor = senders.visitor(sending.by);
    let (form, action) = opened.form(sending);
    let filled = fill_in(&form, &opened.values);
    // Whoever presses Enter in a field sends no button.
    let entered = post(visitor, &action, &filled);
    let with_step = |filled: &Filled, step: &str| [filled.clone(), vec![("step".to_owned(), step.to_owned())]].concat();
    let shown = post(visitor, &action, &with_step(&filled, "preview"));
    let mut found = Vec::new();
    for (what, answer) in [("Enter", &entered), ("the first button", &shown)] {
        match preview(&answer.body) {
            Some(text) if answer.status == 200 => {
                let missing = wanted.iter().filter(|word| !text.contains(**word));
                found.extend(missing.map(|word| format!("{what}: nothing says `{word}`, but: {text}")));
            }
            _ => found.push(format!("{what} shows nothing: {} {}", answer.status, html::text(&answer.body))),
        }
    }
    if TYPED.contains(&sending.route) {
        let forms = html::forms(&shown.body);
        let form = forms.iter().find(|form| form.method == "post" && leads_to(&form.action, sending.route));
        let other = [("credits".to_owned(), "7".to_owned())];
        let changed = form.map(|form| post(visitor, &action, &with_step(&fill_in(form, &other), "confirm")));
        if let Some(answer) = changed.filter(|answer| answer.status != 422) {
            found.push(format!("another amount than was shown: {} {}", answer.status, html::text(&answer.body)));
        }
    }
    let told = trail(home);
    if told.len() != before {
        found.push(format!("something was done: {:#?}", &told[before..]));
    }
    found
}

fn what_a_form_would_do_is_shown_before_it_is_done(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    let senders = Senders::of(&world);
    let mut found = Vec::new();
    for (route, wanted) in PREVIEWS {
        let sending = SENDINGS.iter().find(|sending| sending.route == route).expect("a form");
        let faults = faults(&home, &senders, (sending, wanted));
        found.extend(faults.into_iter().map(|fault| format!("{route}: {fault}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
