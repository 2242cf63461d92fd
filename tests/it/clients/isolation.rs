//! One wall between everybody's things: each route that names something of somebody's is asked for it by others.
//!
//! A row of the table says what a route names and whose that is. The things are made for their owner; then strangers ask
//! for them with the very same request and are answered as for what is not there, without a byte of it in body or header;
//! what several identifiers name is asked for with every one of them beside one's own; and last of all its owner asks and
//! gets it, so that the refusals before say something. A route without a row fails, and so does a row without a route.

mod document;
mod house;
mod partners;
mod publishers;
mod table;
mod things;

use std::collections::BTreeSet;

use serde_json::Value;
use tests::{home::Kind, on_both_databases, program::Answer, workspace};

use self::{
    document::{Route, plain_name, routes},
    house::{House, Who},
    table::{Foreign, Row},
    things::{Made, Thing, digits_of},
};

on_both_databases!(what_is_somebody_elses_is_not_there);

/// Members of an answer that name or open something.
const NAMES: [&str; 9] =
    ["id", "token", "api_key", "secret", "token_id", "account_id", "purchase_id", "login_url", "invocation_id"];

fn rows() -> Vec<&'static Row> {
    table::ROWS.iter().chain(partners::ROWS).chain(publishers::ROWS).collect()
}

fn what_is_somebody_elses_is_not_there(kind: Kind) {
    let house = House::open(kind);
    house.register_publishers();
    for row in rows() {
        check(&house, row);
    }
}

fn check(house: &House, row: &Row) {
    let owner = row.party.owner;
    let mut theirs = house.make(owner, row.ids);
    // Whoever is to find something taken has to come later.
    let is_owner_first = matches!(row.foreign, Foreign::Own | Foreign::Taken(_));
    if is_owner_first {
        ask_as_owner(house, row, &mut theirs);
    }
    let words = words(row, &theirs);
    let kept = (!row.keeps.is_empty()).then(|| house.look(owner, &theirs.fill(row.keeps)).body);
    for who in row.party.strangers {
        let answer = house.ask(*who, row, &theirs);
        assert_without(&answer, &words, row, *who);
        let (status, what) = (answer.status, format!("{} asked by {who:?}: {}", row.route, answer.body));
        match row.foreign {
            Foreign::AsUnknown(statuses) => {
                assert!(statuses.contains(&status), "{status} {what}");
                let unknown = house.ask(*who, row, &theirs.unknown());
                assert_eq!((status, &answer.body), (unknown.status, &unknown.body), "{what}");
                check_mixtures(house, row, *who, &theirs, &words);
            }
            Foreign::Nothing | Foreign::Own => assert!((200..300).contains(&status), "{status} {what}"),
            Foreign::Taken(statuses) => assert!(statuses.contains(&status), "{status} {what}"),
        }
    }
    for (who, status, code) in row.party.outsiders {
        let answer = house.ask(*who, row, &theirs);
        assert_without(&answer, &words, row, *who);
        assert_eq!((answer.status, answer.code()), (*status, *code), "{} asked by {who:?}: {}", row.route, answer.body);
    }
    if let Some(kept) = kept {
        assert_eq!(house.look(owner, &theirs.fill(row.keeps)).body, kept, "{} was changed by others", row.route);
    }
    if !is_owner_first {
        ask_as_owner(house, row, &mut theirs);
    }
}

/// The rightful owner gets what it asks for. What the answer names is nobody else's from then on.
fn ask_as_owner(house: &House, row: &Row, theirs: &mut Made) {
    let answer = house.ask(row.party.owner, row, theirs);
    let what = format!("{} asked by its owner: {} {}", row.route, answer.status, answer.body);
    if row.owner_gets == 200 {
        assert!((200..300).contains(&answer.status), "{what}");
    } else {
        assert_eq!(answer.status, row.owner_gets, "{what}");
    }
    let shown = theirs.fill(row.shows);
    assert!(answer.body.contains(&shown), "no `{shown}`: {what}");
    if row.foreign == Foreign::Nothing && !shown.is_empty() {
        // Else its absence from what others are told would say nothing.
        let joined = shown.replace('-', "");
        let is_forbidden = |word: &String| shown.contains(word.as_str()) || joined.contains(word.as_str());
        assert!(words(row, theirs).iter().any(is_forbidden), "`{shown}` is forbidden to nobody: {what}");
    }
    theirs.words.extend(NAMES.iter().filter_map(|name| answer.json[name].as_str()).map(str::to_owned));
}

/// One of the identifiers is somebody else's, the others are one's own.
fn check_mixtures(house: &House, row: &Row, who: Who, theirs: &Made, words: &[String]) {
    let is_asked_for = |name: &str, thing: Thing| !name.starts_with('+') && thing.is_somebodys() && !thing.is_free();
    if row.ids.iter().filter(|(name, thing)| is_asked_for(name, *thing)).count() < 2 {
        return;
    }
    let own = house.make(who, row.ids);
    for (name, _) in row.ids.iter().filter(|(name, thing)| is_asked_for(name, *thing)) {
        let answer = house.ask(who, row, &own.with(name, theirs.get(name)));
        assert_without(&answer, words, row, who);
        let Foreign::AsUnknown(statuses) = row.foreign else { continue };
        let what = format!("{} asked by {who:?} with another's `{name}`", row.route);
        assert!(statuses.contains(&answer.status), "{what}: {} {}", answer.status, answer.body);
    }
}

/// What no stranger may read.
fn words(row: &Row, theirs: &Made) -> Vec<String> {
    // In something of one's own stands what one has called it, whoever has called something so before.
    let is_ones_own = matches!(row.foreign, Foreign::Own | Foreign::Taken(_));
    let is_secret = |thing: &Thing| thing.is_somebodys() && !(is_ones_own && thing.is_chosen());
    let named = theirs.values.iter().filter(|(_, thing, _)| is_secret(thing)).map(|(_, _, value)| value);
    let known = House::words_of(row.party.owner).iter().map(|word| (*word).to_owned());
    let words = named.chain(&theirs.words).map(|word| digits_of(word).unwrap_or_else(|| word.clone())).chain(known);
    words.filter(|word| !word.is_empty()).collect()
}

fn assert_without(answer: &Answer, words: &[String], row: &Row, who: Who) {
    let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let text = format!("{headers}\n{}", answer.body);
    // An identifier may be written with hyphens and without.
    let joined = text.replace('-', "");
    for word in words {
        let is_there = text.contains(word) || joined.contains(word);
        assert!(!is_there, "`{word}` of {:?} is told to {who:?} by {}:\n{text}", row.party.owner, row.route);
    }
}

/// What is wrong between the rows and the routes.
fn faults(rows: &[&Row], routes: &[Route]) -> Vec<String> {
    let mut faults = Vec::new();
    for route in routes {
        let of_route: Vec<_> = rows.iter().filter(|row| plain_name(row.route) == route.name).collect();
        if of_route.is_empty() && route.needs_row() {
            faults.push(format!("{} has no row", route.name));
        }
        for row in &of_route {
            let count = named(row).count();
            if count < route.in_path {
                faults.push(format!("a row of {} names {count} of {} in its path", route.name, route.in_path));
            }
            let is_told = |name: &str| name.contains('.') || route.named.contains(name);
            if let Some((name, _)) = named(row).skip(route.in_path).find(|(name, _)| !is_told(name)) {
                faults.push(format!("{} takes no `{name}`", route.name));
            }
        }
        let is_named =
            |name: &str| of_route.iter().any(|row| named(row).skip(route.in_path).any(|(id, _)| *id == name));
        if let Some(name) = route.named.iter().find(|name| !of_route.is_empty() && !is_named(name)) {
            faults.push(format!("no row of {} has its `{name}`", route.name));
        }
    }
    let has_route = |row: &&&Row| routes.iter().any(|route| route.name == plain_name(row.route));
    faults.extend(rows.iter().filter(|row| !has_route(row)).map(|row| format!("there is no {}", row.route)));
    faults
}

/// What a row names in a request, in its order.
fn named(row: &Row) -> impl Iterator<Item = &(&'static str, Thing)> {
    row.ids.iter().filter(|(name, _)| !name.starts_with('+'))
}

#[test]
fn every_route_that_names_something_has_a_row_and_every_row_a_route() {
    let document: Value = serde_json::from_str(&workspace::read("docs/openapi.json")).unwrap();
    let routes = routes(&document).unwrap();
    let faults = faults(&rows(), &routes);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Rows of what is for everybody: there is nothing of somebody's in it.
const FOR_EVERYBODY: [(&str, &str); 3] = [
    ("GET /assets/{id}", "pictures are shown to whoever looks at a listing"),
    ("GET /ledger/checkpoints", "numbers and hashes of the whole books, published so that others keep them"),
    ("GET /ledger/checkpoints/{number}", "the same of one"),
];

#[test]
fn a_row_that_shows_nothing_is_of_something_for_everybody() {
    let can_fail = |row: &Row| row.foreign != Foreign::Nothing || !row.shows.is_empty() || !row.keeps.is_empty();
    let silent: BTreeSet<&str> = rows().into_iter().filter(|row| !can_fail(row)).map(|row| row.route).collect();
    assert_eq!(silent, FOR_EVERYBODY.iter().map(|(route, _)| *route).collect());
    assert!(FOR_EVERYBODY.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn a_route_without_a_row_and_a_row_without_a_route_are_found() {
    let route = |name: &str, in_path: usize, named: &[&str]| Route {
        name: name.to_owned(),
        in_path,
        named: named.iter().map(|name| (*name).to_owned()).collect(),
    };
    let party = partners::ROWS[0].party;
    let told = |rows: &[Row], routes: &[Route]| faults(&rows.iter().collect::<Vec<_>>(), routes).join("; ");
    let by_id = table::row(party, "GET /things/{id}", &[("id", Thing::Call)], table::MISSING);
    let listed = table::row(party, "GET /things", &[("after", Thing::Turn)], Foreign::Nothing);
    assert_eq!(told(&[by_id, listed], &[route("GET /things/{}", 1, &[]), route("GET /things", 0, &["after"])]), "");
    for (rows, routes, fault) in [
        (vec![], vec![route("GET /things/{}", 1, &[])], "GET /things/{} has no row"),
        (vec![], vec![route("GET /things", 0, &["after"])], "GET /things has no row"),
        (vec![], vec![route("GET /partners/more", 0, &[])], "GET /partners/more has no row"),
        (vec![], vec![route("GET /healthz", 0, &[])], ""),
        (vec![by_id], vec![], "there is no GET /things/{id}"),
        (vec![by_id], vec![route("GET /things/{}", 2, &[])], "names 1 of 2"),
        (vec![by_id], vec![route("GET /things/{}", 1, &["after"])], "no row of GET /things/{} has its `after`"),
        (vec![listed], vec![route("GET /things", 0, &[])], "GET /things takes no `after`"),
    ] {
        let told = told(&rows, &routes);
        assert!(told.contains(fault) && told.is_empty() == fault.is_empty(), "{fault}: {told}");
    }
    let unjudged = serde_json::json!({"paths": {"/x": {"get": {"parameters": [{"in": "query", "name": "whose"}]}}}});
    assert!(routes(&unjudged).unwrap_err().contains("`whose` of GET /x"));
}

#[test]
fn whatever_form_a_word_has_it_is_found() {
    let row = &partners::ROWS[0];
    let id = "par_0192f0c1aaaa7bbb8ccc0123456789ab";
    let said = |body: &str| Answer { status: 200, headers: Vec::new(), json: Value::Null, body: body.to_owned() };
    let words = [digits_of(id).unwrap()];
    for body in [id, "0192f0c1-aaaa-7bbb-8ccc-0123456789ab", "x0192f0c1aaaa7bbb8ccc0123456789abx"] {
        let found = std::panic::catch_unwind(|| assert_without(&said(body), &words, row, Who::Nobody));
        assert!(found.is_err(), "{body}");
    }
    assert_without(&said("par_0192f0c1aaaa7bbb8ccc0123456789ac"), &words, row, Who::Nobody);
    assert_eq!((digits_of("ann"), digits_of("quetzal-0001")), (None, None));
    let unknown = |value: &str| Thing::Call.unknown(value);
    assert_eq!(unknown(id), "par_00000000000070008000000000000000");
    assert_eq!(unknown("0192f0c1-aaaa-7bbb-8ccc-0123456789ab"), "00000000-0000-7000-8000-000000000000");
}
