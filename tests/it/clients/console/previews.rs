//! What moves money, prices or switches shows first what it would do, does nothing before somebody confirms that, and then
//! does what it has shown.

use tests::{
    home::{Home, Kind},
    html::{self, Piece},
    on_both_databases,
};

use super::{
    samples::{
        World,
        forms::{SENDINGS, Sending},
    },
    sending::{Filled, Senders, fill_in, find_form, post, trail},
};

on_both_databases!(what_a_form_would_do_is_shown_before_it_is_done,);

const WALLET: &[&str] = &["Can be spent now", "Can be spent then"];

/// The forms with a dry run, and what it has to speak of.
const PREVIEWS: [(&str, &[&str]); 20] = [
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
    ("/tools/{id}/price", &["Before it", "From then on", "90 credits a call"]),
];

const CREDITS: &[(&str, &str)] = &[("credits", "7")];

/// Where something is typed that decides what is done, so that it can be something else than what was shown: the fields, each
/// with another value that can be used.
const TYPED: [(&str, &[(&str, &str)]); 7] = [
    ("/accounts/{id}/grant", CREDITS),
    ("/accounts/{id}/adjust", CREDITS),
    ("/partners/{id}/grant", CREDITS),
    ("/partners/{id}/edit", &[("margin_bps", "800")]),
    ("/purchases/{id}/dispute", CREDITS),
    ("/publishers/{id}/edit", &[("display_name", "Acme & Nephews"), ("share_bps", "7400")]),
    ("/tools/{id}/price", &[("fixed_credit_cost", "91"), ("valid_from", "2033-02-01T00:00")]),
];

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
    // Whoever presses Enter in a field sends the first button, as the mouse does. A program may send none.
    let without = post(visitor, &action, &filled);
    let with_step = |filled: &Filled, step: &str| [filled.clone(), vec![("step".to_owned(), step.to_owned())]].concat();
    let shown = post(visitor, &action, &with_step(&filled, "preview"));
    let mut found = Vec::new();
    for (what, answer) in [("no button", &without), ("the first button", &shown)] {
        match preview(&answer.body) {
            Some(text) if answer.status == 200 => {
                let missing = wanted.iter().filter(|word| !text.contains(**word));
                found.extend(missing.map(|word| format!("{what}: nothing says `{word}`, but: {text}")));
            }
            _ => found.push(format!("{what} shows nothing: {} {}", answer.status, html::text(&answer.body))),
        }
    }
    let typed = TYPED.iter().filter(|(route, _)| *route == sending.route).flat_map(|(_, fields)| fields.iter());
    for (name, value) in typed {
        // That it shows nothing is told above.
        let Some(form) = find_form(&shown.body, sending.route) else { continue };
        let changed = fill_in(&form, &[((*name).to_owned(), (*value).to_owned())]);
        // The first button confirms by now, so this is what Enter in that field does.
        let answer = post(visitor, &action, &with_step(&changed, "confirm"));
        if answer.status != 422 || preview(&answer.body).is_none() {
            let said = html::text(&answer.body);
            found.push(format!("`{name}` is another one than was shown: {} {said}", answer.status));
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
