//! Lists with more than a page.

use std::collections::BTreeSet;

use engine::service::paging::PAGE_ROWS;
use tests::{
    home::{Home, Kind},
    html, on_both_databases,
};

use super::{
    super::{
        samples::{
            World,
            forms::{SENDINGS, Sending},
        },
        sending::Senders,
    },
    People, Places, expect_page, next_of, rows,
    table::{LISTS, Many},
};

on_both_databases!(a_long_list_is_read_page_by_page,);

/// A row more than a page has.
fn more_than_a_page() -> u64 {
    PAGE_ROWS + 1
}

fn a_long_list_is_read_page_by_page(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    let places = Places::of(&world.samples());
    fill(&world);
    let people = People::of(&world.console);
    let mut wrong = Vec::new();
    for list in LISTS {
        let query = match list.many {
            Many::Pages(query) => query,
            Many::Few(why) => {
                assert!(!why.is_empty(), "{}", list.route);
                continue;
            }
        };
        page_by_page(&people, &format!("{}{query}", places.at(list)), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everybody sees a whole page; the second one has what the first one has not, and leads back.
fn page_by_page(people: &People, path: &str, wrong: &mut Vec<String>) {
    let full = usize::try_from(PAGE_ROWS).expect("a number");
    people.ask(path, wrong, |_, answer| {
        let found = rows(&answer.body).len();
        let is_right = answer.status == 200 && found >= full && next_of(&answer.body).is_some();
        (!is_right).then(|| format!("{}, {found} rows, then {:?}", answer.status, next_of(&answer.body)))
    });
    let Some((_, owner)) = people.0.first() else { return };
    let shown = expect_page(&owner.visitor, path);
    let first = rows(&shown.body);
    let Some(next) = next_of(&shown.body) else { return };
    let second = expect_page(&owner.visitor, &next);
    let seen: BTreeSet<&String> = first.iter().collect();
    let others = rows(&second.body);
    if others.is_empty() || others.iter().any(|row| seen.contains(row)) {
        wrong.push(format!("{next} goes on with {others:?}"));
    }
    if seen.len() != first.len() {
        wrong.push(format!("{path} has a row twice"));
    }
    if !html::links(&second.body).iter().any(|link| link == path) {
        wrong.push(format!("{next} does not lead back to {path}: {:?}", html::links(&second.body)));
    }
}

/// What is sent again and again, in this order: the route, the field that differs, and what else is typed.
const AGAIN: [(&str, &str, &[(&str, &str)]); 11] = [
    ("/accounts/new", "email", &[("credits", "")]),
    ("/accounts/{id}/adjust", "", &[("credits", "1")]),
    ("/accounts/{id}/grant", "", &[("credits", "101")]),
    ("/partners/new", "name", &[]),
    ("/partners/{id}/tokens/new", "name", &[]),
    ("/payouts/new", "", &[("credits", "1")]),
    ("/policies/edit", "note", &[]),
    ("/publishers/new", "slug", &[]),
    ("/purchases/{id}/confirm", "", &[]),
    ("/chargebacks/{id}/lost", "", &[]),
    ("/tools/new", "name", &[]),
];

/// Puts more than a page into every list.
fn fill(world: &World) {
    let senders = Senders::of(world);
    for (route, varied, typed) in AGAIN {
        let sending = SENDINGS.iter().find(|sending| sending.route == route).expect("a form");
        for number in 0..more_than_a_page() {
            send_one(&senders, (sending, varied, typed), number);
        }
    }
    world.call_for_users(more_than_a_page());
}

fn send_one(senders: &Senders<'_>, (sending, varied, typed): (&Sending, &str, &[(&str, &str)]), number: u64) {
    let mut opened = senders.open(sending);
    for (name, value) in &mut opened.values {
        if let Some((_, known)) = typed.iter().find(|(known, _)| known == name) {
            (*known).clone_into(value);
        }
        if name == varied {
            *value = if name == "email" { format!("more-{number}@example.com") } else { format!("more-{number}") };
        }
        if sending.route == "/tools/new" && name == "name" {
            *value = format!("more_{number}");
        }
    }
    let answer = senders.send(sending, &opened).answer;
    assert!(
        matches!(answer.status, 200 | 303),
        "{} {number}: {} {}",
        sending.route,
        answer.status,
        html::text(&answer.body)
    );
}
