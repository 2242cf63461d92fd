//! Every list of the console as it is when there is nothing in it, when there is one row, when there is more than a page of it,
//! and for who may not see it.

use std::collections::BTreeSet;

use engine::{operator::Role, service::paging::PAGE_ROWS};
use tests::{
    home::{Home, Kind},
    html::{self, Piece},
    on_both_databases,
    operator_console::{OperatorConsole, visitor::Visitor},
    program::Answer,
};

use super::{
    routes::{is_for_anybody, pages},
    samples::{
        World,
        forms::{SENDINGS, Sending},
    },
    sending::Senders,
};

on_both_databases!(a_list_without_anything_teaches, a_list_of_one_is_whole, a_long_list_is_read_page_by_page,);

/// What a list has in it from the beginning, or how much can be put into it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filled {
    /// Nothing at first, and then more than a page.
    Long,
    /// Nothing at first, and then not so much that it would have pages: why.
    Short(&'static str),
    /// Never nothing: why. And then more than a page.
    AtOnce(&'static str),
    /// Never nothing, and never more than a page: why.
    Few(&'static str),
}

use Filled::{AtOnce, Few, Long, Short};

/// The lists: the route, what is asked for there, and how full it can be.
const LISTS: [(&str, &str, Filled); 21] = [
    ("/accounts", "", Long),
    ("/approvals", "?view=all", Long),
    ("/audit", "", AtOnce("it tells of whoever looks at it")),
    ("/chargebacks", "?state=lost", Long),
    ("/invocations", "", Long),
    ("/ledger/accounts", "", AtOnce("the house has accounts of its own")),
    ("/ledger/checkpoints", "", Few("one is signed at the start, then one an hour")),
    ("/ledger/journal", "", AtOnce("it begins with the facts that were there")),
    ("/ledger/periods", "", Short("a month each")),
    ("/listings", "", Short("publishers hand in one by one, and no form here does it for them")),
    ("/operators", "", Few("a house has few, on one page")),
    ("/partners", "", Long),
    ("/partners/deliveries", "?state=sent", Short("a part of a limit is told of once in its window")),
    ("/partners/{id}/users", "", Long),
    ("/payouts", "?view=paid", Long),
    ("/payouts", "?view=partners", AtOnce("every partner is in it")),
    ("/policies", "", AtOnce("something is in force")),
    ("/publishers", "", Long),
    ("/purchases", "", Long),
    ("/refunds", "?kind=adjustment", Long),
    ("/tools", "", Long),
];

/// What each list is narrowed by to have one row in it. Those that are never empty and never long have one at the start.
const ONE: [(&str, &str); 21] = [
    ("/accounts", "?email=demo%40tollgate.localhost"),
    ("/approvals", "?view=all&kind=refund.create"),
    ("/audit", "?action=period.close"),
    ("/chargebacks", "?state=open"),
    ("/invocations", "?partner=Globex"),
    ("/ledger/accounts", "?kind=partner_margin"),
    ("/ledger/checkpoints", ""),
    ("/ledger/journal", "?kind=payout"),
    ("/ledger/periods", ""),
    ("/listings", ""),
    ("/operators", ""),
    ("/partners", ""),
    ("/partners/deliveries", "?state=sent"),
    ("/partners/{id}/users", ""),
    ("/payouts", "?view=paid"),
    ("/payouts", "?view=partners"),
    ("/policies", "?state=draft"),
    ("/publishers", "?name=Acme"),
    ("/purchases", "?state=pending"),
    ("/refunds", "?kind=refund"),
    ("/tools", "?name=lookup"),
];

/// A row more than a page has.
fn more_than_a_page() -> u64 {
    PAGE_ROWS + 1
}

/// What stands in the first element with this class: what can be read, the commands, the links.
fn block(body: &str, class: &str) -> Option<(String, usize)> {
    let (mut depth, mut ways, mut text) = (0_usize, 0, String::new());
    let mut is_found = false;
    for piece in html::pieces(body) {
        match piece {
            Piece::Start(element) if depth == 0 => {
                let is_it = !is_found && element.name == "div" && element.get("class") == Some(class);
                depth += usize::from(is_it);
                is_found |= is_it;
            }
            Piece::Start(element) => {
                depth += usize::from(element.name == "div");
                ways += usize::from(matches!(element.name.as_str(), "code" | "a"));
            }
            Piece::End(name) if depth > 0 && name == "div" => depth -= 1,
            Piece::Text(words) if depth > 0 => text.push_str(&words),
            Piece::Text(_) | Piece::End(_) => {}
        }
    }
    is_found.then_some((text, ways))
}

/// The rows of the tables of a page, each with its first link or, without one, as a whole. The numbers of a picture are none.
fn rows(body: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut row: Option<(Option<String>, String)> = None;
    let (mut is_body, mut is_figure) = (false, false);
    for piece in html::pieces(body) {
        match (piece, &mut row) {
            (Piece::Start(element), None) if element.name == "figure" => is_figure = true,
            (Piece::End(name), None) if name == "figure" => is_figure = false,
            (Piece::Start(element), None) if element.name == "tbody" => is_body = !is_figure,
            (Piece::End(name), None) if name == "tbody" => is_body = false,
            (Piece::Start(element), None) if element.name == "tr" && is_body => {
                row = Some((element.get("data-href").map(str::to_owned), String::new()));
            }
            (Piece::End(name), Some((href, text))) if name == "tr" => {
                found.push(href.clone().unwrap_or_else(|| text.clone()));
                row = None;
            }
            (Piece::Text(words), Some((_, text))) => text.push_str(words.trim()),
            _ => {}
        }
    }
    found
}

fn next_of(body: &str) -> Option<String> {
    let elements = html::elements(body);
    let next = elements.iter().find(|element| element.name == "a" && element.get("rel") == Some("next"));
    next.and_then(|next| next.get("href")).map(str::to_owned)
}

fn expect_page(visitor: &Visitor, path: &str) -> Answer {
    let answer = visitor.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", html::text(&answer.body));
    answer
}

fn a_list_without_anything_teaches(kind: Kind) {
    let home = Home::on(kind);
    let console = OperatorConsole::start(home.path());
    let owner = console.owner();
    let made = owner.visitor.submit(
        "/admin/partners/new",
        "/admin/partners/new",
        &[("name", "Globex"), ("margin_bps", "0"), ("reason", "Somebody without users")],
    );
    let partner = made.header("location").expect("a partner").to_owned();
    let mut wrong = Vec::new();
    for (route, query, filled) in LISTS {
        let path = match route {
            "/partners/{id}/users" => format!("{partner}/users"),
            "/partners" => "/admin/partners?name=nobody".to_owned(),
            _ => format!("/admin{route}{query}"),
        };
        let shown = expect_page(&owner.visitor, &path);
        match block(&shown.body, "empty") {
            Some((text, ways)) if text.trim().is_empty() || ways == 0 => {
                wrong.push(format!("{path}: neither a command nor a link: {text}"));
            }
            None if !matches!(filled, AtOnce(_) | Few(_)) => wrong.push(format!("{path}: {}", html::text(&shown.body))),
            _ => {}
        }
        if next_of(&shown.body).is_some() {
            wrong.push(format!("{path}: there is no next page of nothing"));
        }
    }
    // Where there is a page that lists, it is one of these.
    for page in pages().into_iter().filter(|page| !page.contains('{') && !page.ends_with("/export")) {
        let shown = owner.visitor.get(&format!("/admin{page}"));
        let is_known = LISTS.iter().any(|(route, ..)| *route == page);
        if block(&shown.body, "empty").is_some() && !is_known && !ELSEWHERE.contains(&page) {
            wrong.push(format!("{page} lists something, and is not in the table"));
        }
    }
    wrong.extend(forbidden(&console));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Pages that have a list among other things.
const ELSEWHERE: [&str; 2] = ["/", "/search"];

/// Who may not see a page is told so, and sees nothing of it. Lists are for all who come in; forms and files are not.
fn forbidden(console: &OperatorConsole) -> Vec<String> {
    let (mut wrong, mut refusals) = (Vec::new(), 0);
    for (_, word) in Role::ALL {
        let visitor = console.operator(word, &format!("{word}@example.com"), word).visitor;
        for page in pages().into_iter().filter(|page| !page.contains('{') && !is_for_anybody(page)) {
            let shown = visitor.get(&format!("/admin{page}"));
            let is_list = LISTS.iter().any(|(route, ..)| *route == page);
            match shown.status {
                200 if !is_list || !rows(&shown.body).is_empty() || block(&shown.body, "empty").is_some() => {}
                // What there is not yet, nobody sees.
                404 if !is_list => {}
                403 if says_no(&shown.body) => refusals += 1,
                status => wrong.push(format!("{word} {page}: {status} {}", html::text(&shown.body))),
            }
        }
    }
    assert!(refusals > 0, "nobody is refused anything");
    wrong
}

fn says_no(body: &str) -> bool {
    let text = html::text(body);
    rows(body).is_empty() && html::forms(body).is_empty() && (text.contains(FORBIDDEN) || text.contains(NO_FACTOR))
}

const FORBIDDEN: &str = "Not for you";
const NO_FACTOR: &str = "A second factor comes first";

fn a_list_of_one_is_whole(kind: Kind) {
    let first = Home::on(kind);
    let console = OperatorConsole::start(first.path());
    let ada = console.owner();
    let home = Home::on(kind);
    let world = World::start(&home);
    let mut wrong = Vec::new();
    for ((route, query), (of, _, filled)) in ONE.into_iter().zip(LISTS) {
        assert_eq!(route, of, "the tables are side by side");
        let visitor = if matches!(filled, Few(_)) { &ada.visitor } else { &world.owner.visitor };
        let path = match route {
            "/partners/{id}/users" => format!("/admin/partners/{}/users", world.id_for("partner")),
            _ => format!("/admin{route}{query}"),
        };
        let body = expect_page(visitor, &path).body;
        let mut found = rows(&body);
        // Above the accounts stand their classes, which narrow the list.
        found.retain(|row| !row.starts_with(&format!("/admin{route}?")));
        if found.len() != 1 {
            wrong.push(format!("{path} has {} rows: {found:?}", found.len()));
        }
        // Below the one operator stand the auditors, of whom there is none.
        if block(&body, "empty").is_some() && route != "/operators" {
            wrong.push(format!("{path} says that there is nothing"));
        }
        if let Some(next) = next_of(&body) {
            wrong.push(format!("{path} goes on at {next}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn a_long_list_is_read_page_by_page(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start(&home);
    fill(&world);
    let mut wrong = Vec::new();
    for (route, query, filled) in LISTS {
        let path = match route {
            "/partners/{id}/users" => format!("/admin/partners/{}/users", world.id_for("partner")),
            _ => format!("/admin{route}{query}"),
        };
        let shown = expect_page(&world.owner.visitor, &path);
        let first = rows(&shown.body);
        if first.is_empty() {
            wrong.push(format!("{path} is empty"));
        }
        if matches!(filled, Short(_) | Few(_)) {
            continue;
        }
        let full = usize::try_from(PAGE_ROWS).expect("a number");
        let Some(next) = next_of(&shown.body).filter(|_| first.len() >= full) else {
            wrong.push(format!("{path} has {} rows, then {:?}", first.len(), next_of(&shown.body)));
            continue;
        };
        let second = expect_page(&world.owner.visitor, &next);
        let seen: BTreeSet<&String> = first.iter().collect();
        let others = rows(&second.body);
        if others.is_empty() || others.iter().any(|row| seen.contains(row)) {
            wrong.push(format!("{next} goes on with {others:?}"));
        }
        if seen.len() != first.len() {
            wrong.push(format!("{path} has a row twice"));
        }
        if !html::links(&second.body).contains(&path) {
            wrong.push(format!("{next} does not lead back to {path}: {:?}", html::links(&second.body)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is sent again and again, in this order: the route, the field that differs, and what else is typed.
const AGAIN: [(&str, &str, &[(&str, &str)]); 10] = [
    ("/accounts/new", "email", &[("credits", "")]),
    ("/accounts/{id}/adjust", "", &[("credits", "1")]),
    ("/accounts/{id}/grant", "", &[("credits", "101")]),
    ("/partners/new", "name", &[]),
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
