//! Forms that were made from what is no more: nothing is done, what has changed stands there, what was typed stays, and the
//! same form can be sent once more.

use tests::{
    home::{Home, Kind},
    html, on_both_databases,
    program::Answer,
};

use super::{
    samples::{
        World,
        forms::{Changed, Meanwhile, SENDINGS, Sending},
    },
    sending::{Filled, Opened, Senders, fill_in, find_form, post, trail},
};

on_both_databases!(what_has_changed_meanwhile_is_shown_before_it_is_changed_again,);

/// The fields in which forms carry what they were made from.
const STATES: [&str; 11] =
    ["base", "blocked", "newest", "over", "period", "seen", "seen_name", "shown", "stopped", "suspended", "was"];

/// Forms with such a field that have no [`Meanwhile`], with the reason.
const ELSEWHERE: [(&str, &str); 18] = [
    ("/accounts/{id}/adjust", "it is about what was typed: `previews`"),
    ("/accounts/{id}/grant", "the same"),
    ("/partners/{id}/grant", "the same"),
    ("/purchases/{id}/dispute", "the same"),
    ("/payouts/new", "the same: what is earned in the meantime does not matter"),
    ("/refunds/reverse", "what was taken back whole is not there to be taken back"),
    ("/listings/{id}/approve", "`listings`"),
    ("/listings/{id}/reject", "`listings`"),
    ("/accounts/{id}/suspend", "it is so already, which is said: `forms`"),
    ("/partners/{id}/suspend", "the same"),
    ("/partners/{id}/users/{user}/block", "the same"),
    ("/publishers/{id}/suspend", "the same"),
    ("/namespaces/{id}/suspend", "the same"),
    ("/tools/{id}/disable", "the same"),
    ("/ledger/checkpoints/sign", "what was wanted is there, which is said"),
    ("/prices/{id}/cancel", "`forms`"),
    (
        "/partners/{id}/webhooks/{webhook}/deliveries/{delivery}/replay",
        "it is sent again at once, and changes by itself",
    ),
    ("/policies/edit/check", "it keeps nothing"),
];

/// Somebody else sends the same form with other values.
fn send_as_other(senders: &Senders<'_>, sending: &Sending, page: &str, fields: &[(&str, &str)]) -> Answer {
    let visitor = &senders.other().visitor;
    let values = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let opened = Opened { page: page.to_owned(), body: visitor.get(page).body, values };
    match Senders::fill_as(visitor, sending, &opened) {
        Ok((action, filled)) => post(visitor, &action, &filled),
        Err(stopped) => stopped.answer,
    }
}

/// What of `typed` does not stand in the form of a page any more.
fn lost(body: &str, sending: &Sending, typed: &Filled) -> Vec<String> {
    let Some(form) = find_form(body, sending.route) else { return vec!["there is no form any more".to_owned()] };
    let fields = typed.iter().filter(|(name, _)| form.buttons.iter().all(|(button, _)| button != name));
    let missing = fields.filter(|field| !form.fields.contains(field));
    missing.map(|(name, value)| format!("`{name}` was `{value}`, and is not in {:?}", form.fields)).collect()
}

/// Sends a form after it was changed, and once more as it is shown then.
fn faults(
    home: &Home,
    senders: &Senders<'_>,
    sending: &Sending,
    (opened, meanwhile): (&Opened, Meanwhile),
) -> Vec<String> {
    let visitor = senders.visitor(sending.by);
    let (action, filled) = match senders.fill(sending, opened) {
        Ok(filled) => filled,
        Err(stopped) => return vec![format!("shows nothing: {}", html::text(&stopped.answer.body))],
    };
    match meanwhile.change {
        Changed::BySending(fields) => {
            let done = send_as_other(senders, sending, &opened.page, fields);
            if !matches!(done.status, 200 | 303) {
                return vec![format!("somebody else is answered {}: {}", done.status, html::text(&done.body))];
            }
        }
        Changed::By(change) => change(senders, &opened.page),
    }
    let before = trail(home).len();
    let stale = post(visitor, &action, &filled);
    let said = html::text(&stale.body);
    if stale.status != 422 || trail(home).len() != before {
        return vec![format!("it is not asked again, but answered {}: {said}", stale.status)];
    }
    let missing = meanwhile.shows.iter().filter(|words| !said.contains(**words));
    let mut found: Vec<String> = missing.map(|words| format!("nothing says `{words}`: {said}")).collect();
    if !meanwhile.goes_on {
        return found;
    }
    found.extend(lost(&stale.body, sending, &opened.values));
    let Some(form) = find_form(&stale.body, sending.route) else { return found };
    let is_button = |name: &str, value: &str| form.buttons.iter().any(|(known, sent)| known == name && sent == value);
    let mut pressed: Filled = opened.values.iter().filter(|(name, value)| is_button(name, value)).cloned().collect();
    pressed.extend(is_button("step", "confirm").then(|| ("step".to_owned(), "confirm".to_owned())));
    let again = post(visitor, &action, &fill_in(&form, &pressed));
    if !matches!(again.status, 200 | 303) || trail(home).len() == before {
        found.push(format!("sent once more it is answered {}: {}", again.status, html::text(&again.body)));
    }
    found
}

fn what_has_changed_meanwhile_is_shown_before_it_is_changed_again(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    let senders = Senders::of(&world);
    let mut found = Vec::new();
    for sending in SENDINGS {
        let opened = senders.open(sending);
        if let Some(meanwhile) = sending.meanwhile {
            let faults = faults(&home, &senders, sending, (&opened, meanwhile));
            found.extend(faults.into_iter().map(|fault| format!("{}: {fault}", sending.route)));
            continue;
        }
        let carried = senders.fill(sending, &opened).map(|(_, filled)| filled).unwrap_or_default();
        let state = carried.iter().find(|(name, _)| STATES.contains(&name.as_str()));
        let is_elsewhere = ELSEWHERE.iter().any(|(route, _)| *route == sending.route);
        if let Some((name, _)) = state.filter(|_| !is_elsewhere) {
            found.push(format!("{} carries `{name}`, and nobody says what may change meanwhile", sending.route));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
