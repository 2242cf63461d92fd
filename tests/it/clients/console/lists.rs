//! Every list of the console that the routes name, for every role: with nothing in it, with one row, with more than a page (`long`),
//! asked for a place or a filter that makes no sense, and for who may not see it or take it away.

use std::collections::BTreeSet;

use admin::console::{ListFile, Verb};
use engine::operator::Role;
use tests::{
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::{Operator, OperatorConsole, visitor::Visitor},
    program::Answer,
};

use super::{
    routes::{is_for_anybody, leads_to, pages},
    samples::{Found, World},
};

mod fresh;
mod long;
mod shown;
mod table;

use self::{
    fresh::Fresh,
    shown::{empties, files_of, next_of, rows, tables},
    table::{Broken, LISTS, List, NO_LISTS, Nothing, One, Place},
};

on_both_databases!(a_list_is_right_with_nothing_with_one_row_and_asked_wrongly,);

/// Who may take lists away, as `policies/console.cedar` says it.
const TAKES: [&str; 4] = ["owner", "operator", "finance", "auditor"];

/// Somebody of every role.
struct People(Vec<(&'static str, Operator)>);

impl People {
    fn of(console: &OperatorConsole) -> Self {
        let person = |word: &'static str| {
            let mut person = console.operator(word, &format!("{word}@example.com"), word);
            if word == "owner" {
                // Tokens and limits want a second factor, and so does the way to the first of them.
                person.enrol();
            }
            (word, person)
        };
        Self(Role::ALL.into_iter().map(|(_, word)| person(word)).collect())
    }

    /// Asks as everybody; what `fault` has to say of an answer.
    fn ask(&self, path: &str, wrong: &mut Vec<String>, fault: impl Fn(&'static str, &Answer) -> Option<String>) {
        for (word, person) in &self.0 {
            let answer = person.visitor.get(path);
            wrong.extend(fault(word, &answer).map(|fault| format!("{word} {path}: {fault}")));
        }
    }
}

fn expect_page(visitor: &Visitor, path: &str) -> Answer {
    let answer = visitor.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", html::text(&answer.body));
    answer
}

/// The lists that the routes name, with what they say of a file.
fn named() -> Vec<(&'static str, ListFile)> {
    let routes = admin::routes().into_iter().filter(|route| route.verb == Verb::Get);
    routes.filter_map(|route| route.list.map(|file| (route.path, file))).collect()
}

#[test]
fn every_list_that_a_route_names_is_in_the_table() {
    let named: BTreeSet<&str> = named().into_iter().map(|(route, _)| route).collect();
    let known: BTreeSet<&str> = LISTS.iter().map(|list| list.route).collect();
    assert_eq!(named, known, "the routes, and the table of the tests");
    for (page, why) in NO_LISTS {
        assert!(pages().contains(&page) && !named.contains(page) && !why.is_empty(), "{page}");
    }
}

#[test]
fn every_list_has_a_file_or_a_reason() {
    let files: BTreeSet<&str> = pages().into_iter().filter(|page| page.ends_with("/export")).collect();
    let mut offered = BTreeSet::new();
    for (route, file) in named() {
        match file {
            ListFile::At(path) => {
                assert_eq!(path, format!("{route}/export"), "the file is below its list");
                offered.insert(path);
            }
            ListFile::Without(why) => assert!(why.len() > 10, "{route} has no file, and does not say why"),
        }
    }
    assert_eq!(offered, files, "files that lists offer, and files that there are");
}

/// Where the lists of a world are.
struct Places(Vec<(&'static str, String)>);

impl Places {
    /// Of what belongs to something at the first sample.
    fn of(samples: &[Found]) -> Self {
        let place = |list: &List| {
            if !list.route.contains('{') {
                return (list.route, format!("/admin{}", list.route));
            }
            let sample = samples.iter().find(|sample| sample.page == list.route);
            let path = &sample.unwrap_or_else(|| panic!("no sample of {}", list.route)).path;
            (list.route, path.split('?').next().unwrap_or_default().to_owned())
        };
        Self(LISTS.iter().map(place).collect())
    }

    fn at(&self, list: &List) -> &str {
        let known = self.0.iter().find(|(route, _)| *route == list.route);
        &known.expect("every list has a place").1
    }
}

fn a_list_is_right_with_nothing_with_one_row_and_asked_wrongly(kind: Kind) {
    let first = Home::on(kind);
    let console = OperatorConsole::start(first.path());
    let ada = console.owner();
    let home = Home::on(kind);
    let world = World::start(&home);
    let mut wrong = Vec::new();
    let people = People::of(&world.console);
    // Somebody is asked in for one of them: once.
    let samples = world.samples();
    let places = Places::of(&samples);
    for list in LISTS {
        with_one(list, (&people, places.at(list)), &ada, &mut wrong);
        asked_wrongly(list, (&people, places.at(list)), &mut wrong);
        for_nobody(&world.console.visitor(), places.at(list), &mut wrong);
    }
    not_in_the_table((&world, &samples), &mut wrong);

    // Newcomers are no longer alone from here on.
    let newcomers = People::of(&console);
    let fresh = Fresh::make(&world);
    for list in LISTS {
        match list.none {
            Nothing::New(query) if list.route.contains('{') => {
                with_nothing(&people, &format!("{}{query}", fresh.at(list.route)), &mut wrong);
            }
            Nothing::New(query) => with_nothing(&newcomers, &format!("/admin{}{query}", list.route), &mut wrong),
            Nothing::Sample(query) => with_nothing(&people, &format!("{}{query}", places.at(list)), &mut wrong),
            Nothing::Never(why) => assert!(!why.is_empty(), "{}", list.route),
        }
    }
    wrong.extend(forbidden(&newcomers));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever may make the first one is told how; everybody, what it is that there is none of.
fn with_nothing(people: &People, path: &str, wrong: &mut Vec<String>) {
    people.ask(path, wrong, |word, answer| {
        let found = empties(&answer.body);
        if answer.status != 200 || found.is_empty() {
            return Some(format!("{} {}", answer.status, html::text(&answer.body)));
        }
        let teaches = |(text, ways): &(String, usize)| !text.trim().is_empty() && (*ways > 0 || word != "owner");
        let mute = found.iter().find(|empty| !teaches(empty));
        match (mute, next_of(&answer.body)) {
            (Some((text, _)), _) => Some(format!("neither a command nor a link: {text}")),
            (None, Some(next)) => Some(format!("nothing goes on at {next}")),
            (None, None) => None,
        }
    });
}

fn with_one(list: &List, (people, place): (&People, &str), ada: &Operator, wrong: &mut Vec<String>) {
    let (caption, query) = match list.one {
        One::Row(query) => ("", query),
        One::RowOf(caption, query) => (caption, query),
        One::Begun(query) => {
            let body = expect_page(&ada.visitor, &format!("{place}{query}")).body;
            if rows(&body).len() != 1 {
                wrong.push(format!("{place} begins with {:?}", rows(&body)));
            }
            return;
        }
        One::Unknown(why) => {
            assert!(!why.is_empty(), "{}", list.route);
            return;
        }
    };
    let path = format!("{place}{query}");
    people.ask(&path, wrong, |_, answer| {
        let wanted = tables(&answer.body).into_iter().filter(|(known, _)| caption.is_empty() || known == caption);
        let mut found: Vec<String> = wanted.flat_map(|(_, rows)| rows).collect();
        // Above the accounts stand their classes, which narrow the list.
        found.retain(|row| !row.starts_with(&format!("/admin{}?", list.route)));
        let is_fine = answer.status == 200 && found.len() == 1 && next_of(&answer.body).is_none();
        let says_nothing = caption.is_empty() && !empties(&answer.body).is_empty();
        (!is_fine || says_nothing).then(|| format!("{}, {} rows: {found:?}", answer.status, found.len()))
    });
    taken_away(list.route, (people, &path), wrong);
}

/// The file of what a page shows: for who may take it away, with what the page has; the others see no link, and get none.
fn taken_away(route: &str, (people, path): (&People, &str), wrong: &mut Vec<String>) {
    let file = named().into_iter().find(|(known, _)| *known == route).map(|(_, file)| file);
    let Some(ListFile::At(file)) = file else { return };
    let shown = |person: &Operator| files_of(&person.visitor.get(path).body);
    let Some((_, owner)) = people.0.first() else { return };
    let links = shown(owner);
    let [link] = links.as_slice() else {
        wrong.push(format!("{path} offers the files {links:?}"));
        return;
    };
    if !leads_to(link, file) {
        wrong.push(format!("{path} offers {link}, not {file}"));
    }
    for (word, person) in &people.0 {
        let may = TAKES.contains(word);
        let (offered, answer) = (shown(person), person.visitor.get(link));
        let lines = answer.body.lines().filter(|line| !line.starts_with('#')).count();
        let is_file = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/csv"));
        let is_right = if may {
            // The names of the columns, and what the page shows.
            offered == links && answer.status == 200 && is_file && lines > 1 && answer.body.contains("books up to ")
        } else {
            offered.is_empty() && answer.status == 403 && says_no(&answer.body)
        };
        if !is_right {
            wrong.push(format!("{word} {link}: offered {offered:?}, {}: {:.300}", answer.status, answer.body));
        }
    }
}

fn asked_wrongly(list: &List, (people, place): (&People, &str), wrong: &mut Vec<String>) {
    let behind = |query: &str| {
        let sign = if query.is_empty() { '?' } else { '&' };
        format!("{place}{query}{sign}after=%21nonsense")
    };
    let refused = |_: &str, answer: &Answer| {
        let says_so = html::text(&answer.body).contains("This address cannot be read");
        let is_right = answer.status == 400 && says_so && rows(&answer.body).is_empty();
        (!is_right).then(|| format!("{} {}", answer.status, html::text(&answer.body)))
    };
    let shown =
        |_: &str, answer: &Answer| (answer.status != 200).then(|| format!("{} {:.300}", answer.status, answer.body));
    match list.place {
        Place::Marked(query) => people.ask(&behind(query), wrong, refused),
        Place::Named | Place::Whole => people.ask(&behind(""), wrong, shown),
    }
    match list.broken {
        Broken::None => {}
        Broken::AsIf(query, same) => {
            let expected = people.0.first().map(|(_, owner)| owner.visitor.get(&format!("{place}{same}")));
            let expected = rows(&expected.expect("somebody").body).len();
            people.ask(&format!("{place}{query}"), wrong, |_, answer| {
                let found = rows(&answer.body).len();
                let is_right = answer.status == 200 && found == expected;
                (!is_right).then(|| format!("{}, {found} rows, and {expected} of {same:?}", answer.status))
            });
        }
        Broken::Refused(query) => people.ask(&format!("{place}{query}"), wrong, |_, answer| {
            let elements = html::elements(&answer.body);
            let is_kept = elements.iter().any(|element| element.get("value") == Some("someday"));
            let is_right = answer.status == 422 && is_kept && rows(&answer.body).is_empty();
            (!is_right).then(|| format!("{}, kept: {is_kept}: {}", answer.status, html::text(&answer.body)))
        }),
        Broken::FindsNothing(query) => people.ask(&format!("{place}{query}"), wrong, |_, answer| {
            let is_right = answer.status == 200 && rows(&answer.body).is_empty();
            let says_so = html::text(&answer.body).contains("nonsense");
            (!is_right || !says_so).then(|| format!("{} {}", answer.status, html::text(&answer.body)))
        }),
        Broken::Gone(query) => people.ask(&format!("{place}{query}"), wrong, |_, answer| {
            (answer.status != 404).then(|| format!("{} {}", answer.status, html::text(&answer.body)))
        }),
    }
}

/// Who is not signed in sees no list, and is led to the sign-in.
fn for_nobody(nobody: &Visitor, path: &str, wrong: &mut Vec<String>) {
    let answer = nobody.get(path);
    let to = answer.header("location").unwrap_or_default();
    if answer.status != 303 || !to.starts_with("/admin/sign-in?next=") || !rows(&answer.body).is_empty() {
        wrong.push(format!("nobody {path}: {} {to}", answer.status));
    }
}

/// Where there is a page that lists, with or without a variable in its path, its route says so.
fn not_in_the_table((world, samples): (&World, &[Found]), wrong: &mut Vec<String>) {
    for sample in samples.iter().filter(|sample| !sample.is_for_anybody) {
        let is_known =
            LISTS.iter().any(|list| list.route == sample.page) || NO_LISTS.iter().any(|(page, _)| *page == sample.page);
        let shown = world.owner.visitor.get(&sample.path);
        let is_page = shown.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        if is_known || !is_page {
            continue;
        }
        if !empties(&shown.body).is_empty() || next_of(&shown.body).is_some() || !files_of(&shown.body).is_empty() {
            wrong.push(format!("{} ({}) lists something, and its route does not say so", sample.page, sample.path));
        }
    }
}

/// Who may not see a page is told so, and sees nothing of it. Lists are for all who come in; forms and files are not.
fn forbidden(people: &People) -> Vec<String> {
    let (mut wrong, mut refusals) = (Vec::new(), 0);
    for (word, person) in &people.0 {
        for page in pages().into_iter().filter(|page| !page.contains('{') && !is_for_anybody(page)) {
            let shown = person.visitor.get(&format!("/admin{page}"));
            let is_list = LISTS.iter().any(|list| list.route == page);
            match shown.status {
                200 if !is_list || !rows(&shown.body).is_empty() || !empties(&shown.body).is_empty() => {}
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
