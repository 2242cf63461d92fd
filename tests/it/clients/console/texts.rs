//! What people type stays what it is: text. Into every text field of every form go texts that would be markup, scripts,
//! formulas or no text at all elsewhere, and into what customers, their agents and other servers send; filters are asked with
//! them. Then every page is looked at in a browser that would run them.

use std::collections::BTreeSet;

use tests::{
    browser::Browser,
    home::{Home, Kind},
    html::{self, Element, Piece},
    on_both_databases,
    operator_console::{Operator, visitor::encode},
    patience::wait_until,
    program::Answer,
};

use super::{
    samples::{
        World,
        forms::{By, SENDINGS, Sending},
    },
    sending::{Opened, Senders, seen_fields},
};

mod outside;

on_both_databases!(no_text_becomes_markup_or_breaks_a_page,);

/// What is typed. Whatever of it ran would say so in `__ran` and in the browser's console; whatever became markup would
/// leave an `x-mark`.
const TEXTS: [&str; 10] = [
    "<script>window.__ran=1;console.log('ran')</script><x-mark>",
    "\"><img src=x onerror=\"window.__ran=1;console.log('ran')\"><x-mark a=\"",
    "' autofocus onfocus='window.__ran=1' onmouseover='window.__ran=1' x='<x-mark>",
    "javascript:window.__ran=1//<x-mark>",
    "</textarea></title></code></script><svg/onload=window.__ran=1><x-mark>",
    "{{7*7}}${window.__ran=1}<%= 1 %><x-mark hx-on:load=\"window.__ran=1\">",
    "=HYPERLINK(\"https://evil.example\")<x-mark>",
    "\u{202e}<x-mark>\u{2066}\u{200b}\u{feff}",
    NO_TEXT,
    LONG,
];
const NO_TEXT: &str = "\0<x-mark>\u{1}\u{7f}\u{1b}[31m\r\n";
const LONG: &str = "{long}";

/// Every form asks for a reason, and every reason goes the same way: a form is tried with so many texts.
const REASONS: usize = 2;

/// What of a page a text has become, or could run: a line for each.
const DANGERS: &str = "[...document.querySelectorAll('*')].filter((element) => \
    element.matches('x-mark, iframe, object, embed, script:not([src])') || [...element.attributes].some(({ name, value }) => \
    /^(on|hx-on)/i.test(name) || (/^(href|src|action|formaction|data-href)$/i.test(name) && /^\\s*javascript:/i.test(value))))\
    .map((element) => element.outerHTML.slice(0, 120)).concat(window.__ran ? ['something ran'] : []).join('\\n')";

fn text(text: &str) -> String {
    if text == LONG { "<x-mark>".to_owned() + &"A".repeat(20_000) } else { text.to_owned() }
}

fn takes_text(element: &Element) -> bool {
    let is_line = element.name == "input" && !matches!(element.get("type"), Some("checkbox" | "password"));
    is_line || element.name == "textarea"
}

/// The texts for a field of the form with this number. Which database keeps them matters only for what it cannot keep.
fn texts_for(kind: Kind, number: usize, field: &str) -> Vec<String> {
    if kind == Kind::Postgres {
        return [NO_TEXT, LONG].map(text).into();
    }
    let all = TEXTS.iter().cycle().skip(number * REASONS).map(|typed| text(typed));
    all.take(if field == "reason" { REASONS } else { TEXTS.len() }).collect()
}

/// What of the page that was sent is not as our templates write it. What stands in a field runs nowhere.
fn dangers_in(body: &str) -> Vec<String> {
    let mut found = html::inline_code(body);
    let runs_nowhere = ["<input value=\"javascript:", "<code title=\"javascript:"];
    found.retain(|danger| !runs_nowhere.iter().any(|begin| danger.starts_with(begin)));
    found.extend(html::pieces(body).iter().filter_map(|piece| match piece {
        Piece::Start(element) if element.name == "x-mark" => Some("a text became an element".to_owned()),
        _ => None,
    }));
    found
}

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
}

fn faults(answer: &Answer) -> Vec<String> {
    let mut found = if is_page(answer) { dangers_in(&answer.body) } else { Vec::new() };
    match answer.status {
        200 | 303 | 404 => {}
        422 if answer.body.contains("role=\"alert\"") => {}
        status => found.push(format!("answered {status}: {:.300}", html::text(&answer.body))),
    }
    found
}

/// Tries a form with every text in every field; where that led to.
fn try_form(
    senders: &Senders<'_>,
    kind: Kind,
    (number, sending): (usize, &Sending),
    found: &mut Vec<String>,
) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    let Some(opened) = senders.try_open(sending) else { return places };
    let fields = seen_fields(&opened.body).into_iter().filter(|(_, element)| takes_text(element));
    for (field, _) in fields {
        for typed in texts_for(kind, number, &field) {
            // What has been done cannot be done again; then there is no form any more.
            let Some(Opened { page, body, mut values }) = senders.try_open(sending) else { return places };
            values.retain(|(name, _)| *name != field);
            values.push((field.clone(), typed.clone()));
            let sent = senders.send(sending, &Opened { page, body, values });
            places.extend(sent.answer.header("location").map(str::to_owned));
            let faults = faults(&sent.answer);
            let begin: String = typed.chars().take(30).collect();
            found.extend(faults.into_iter().map(|fault| format!("{} `{field}` {begin:?}: {fault}", sending.route)));
        }
    }
    places
}

/// The forms that only ask, of all pages, with a text in each of their fields, however it is meant to be filled in: where each
/// leads with every text, and one address of each form for a browser to look at.
fn ask_with_texts(senders: &Senders<'_>, paths: &BTreeSet<String>, found: &mut Vec<String>) -> BTreeSet<String> {
    let visitor = senders.visitor(By::Other);
    let (mut known, mut places) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        let shown = visitor.get(path);
        if !is_page(&shown) {
            continue;
        }
        let forms = html::forms(&shown.body).into_iter().filter(|form| form.method == "get");
        for form in forms {
            let names: Vec<&str> = form.fields.iter().map(|(name, _)| name.as_str()).collect();
            let action = if form.action.is_empty() { path.split('?').next().unwrap_or(path) } else { &form.action };
            if names.is_empty() || !known.insert((action.to_owned(), names.join(" "))) {
                continue;
            }
            let address = |typed: &dyn Fn(usize) -> String| {
                let fields: Vec<(&str, String)> =
                    names.iter().enumerate().map(|(number, name)| (*name, typed(number))).collect();
                format!("{action}?{}", encode(fields.iter().map(|(name, value)| (*name, value.as_str()))))
            };
            for (field, _) in names.iter().enumerate() {
                for typed in TEXTS.map(text) {
                    let asked = address(&|number| if number == field { typed.clone() } else { String::new() });
                    let answer = visitor.get(&asked);
                    // What cannot be looked for is named beside its field.
                    let faults = if answer.status == 422 { dangers_in(&answer.body) } else { faults(&answer) };
                    found.extend(faults.into_iter().map(|fault| format!("{asked:.200}: {fault}")));
                }
            }
            places.insert(address(&|number| TEXTS[number % 7].to_owned()));
        }
    }
    places
}

/// Looks at pages as a browser shows them, and at what opens beside their lists.
fn look_at(world: &World, operator: &Operator, places: &BTreeSet<String>, found: &mut Vec<String>) {
    let browser = operator.browser();
    for place in places {
        if operator.visitor.get(place).header("content-disposition").is_some() {
            continue;
        }
        let status = browser.open(&world.console.url(place));
        if status >= 500 {
            found.push(format!("{place}: {status}"));
        }
        let mut dangers = |what: &str, browser: &Browser| {
            let text = browser.evaluate(DANGERS).as_str().unwrap_or_default().to_owned();
            found.extend((!text.is_empty()).then(|| format!("{place}{what}: {text}")));
        };
        dangers("", &browser);
        let row = "document.querySelector('tr[data-href]')";
        if browser.evaluate(&format!("Boolean({row} && document.getElementById('drawer'))")) == true {
            browser.evaluate(&format!("{row}.click()"));
            let is_open = "document.getElementById('drawer').open";
            wait_until("the drawer opens", || (browser.evaluate(is_open) == true).then_some(()));
            dangers(", beside it", &browser);
        }
        let mut complaints = browser.complaints();
        // A field for a time shows nothing of what is none, and the browser says so.
        complaints.retain(|complaint| !complaint.text.contains("does not conform to the required format"));
        found.extend(complaints.iter().map(|complaint| format!("{place}: {complaint}")));
    }
}

fn no_text_becomes_markup_or_breaks_a_page(kind: Kind) {
    let home = Home::on(kind);
    let world = World::start_keeping(&home);
    let senders = Senders::of(&world);
    let mut places: BTreeSet<String> = world.samples().into_iter().map(|sample| sample.path).collect();
    let mut found = Vec::new();
    for sending in SENDINGS.iter().enumerate() {
        places.extend(try_form(&senders, kind, sending, &mut found));
    }
    places.append(&mut outside::send(&world));
    let mut asked = ask_with_texts(&senders, &places, &mut found);
    places.append(&mut asked);
    let shown = html::links(&senders.visitor(By::Other).get("/admin/audit").body);
    places.extend(shown.into_iter().filter(|link| link.starts_with("/admin/audit/")));
    // Of what was shown and what was typed pages are made in the same way, whichever database keeps it.
    if kind == Kind::Sqlite {
        look_at(&world, senders.other(), &places, &mut found);
    } else {
        for place in &places {
            let answer = senders.visitor(By::Other).get(place);
            let dangers = if is_page(&answer) { dangers_in(&answer.body) } else { Vec::new() };
            found.extend(dangers.into_iter().map(|danger| format!("{place}: {danger}")));
            found.extend((answer.status >= 500).then(|| format!("{place}: {}", answer.status)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
