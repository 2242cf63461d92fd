//! Lists as files: no text that somebody has typed is a formula to the spreadsheet that opens them, numbers are numbers, and
//! each says whose it is.

use tests::{
    home::{Home, Kind},
    html,
    operator_console::{Operator, OperatorConsole, visitor::Visitor},
    program::Answer,
};

use super::{
    routes::pages,
    samples::{Found, World, forms::SENDINGS},
    sending::{Senders, trail},
};
use crate::exports::read::records;

/// What spreadsheets work out.
const FORMULAS: [&str; 6] = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1"];
/// Who takes the files away.
const NAME: &str = "Eve,=1+1;=1+1";

/// The exports of the console, and whether texts that people type stand in them.
const EXPORTS: [(&str, bool); 21] = [
    // Addresses, which do not begin like that.
    ("/accounts/export", false),
    // What waits, and somebody else asked for: nobody did here with such a reason.
    ("/approvals/export", false),
    ("/audit/export", true),
    ("/chargebacks/export", false),
    // Names of partners; their end users' names do not begin like that.
    ("/invocations/export", false),
    // Names in the chart, identifiers and amounts.
    ("/ledger/accounts/export", false),
    ("/ledger/accounts/{id}/export", false),
    ("/ledger/checkpoints/export", false),
    ("/ledger/journal/export", false),
    ("/ledger/periods/export", false),
    // A namespace's name is checked; its title comes from its publisher.
    ("/listings/export", false),
    ("/mail/export", false),
    ("/partners/export", true),
    ("/partners/{id}/usage/export", false),
    ("/partners/{id}/users/export", false),
    ("/payouts/export", true),
    ("/policies/export", true),
    ("/publishers/export", true),
    ("/purchases/export", true),
    ("/refunds/export", true),
    ("/tools/export", true),
];

/// The forms into which such texts are typed, and the fields.
const TYPED: [(&str, &[&str]); 7] = [
    ("/partners/new", &["name", "reason"]),
    ("/publishers/new", &["display_name", "reason"]),
    ("/tools/new", &["short_description", "reason"]),
    ("/payouts/new", &["reason"]),
    ("/policies/edit", &["note"]),
    ("/purchases/{id}/fail", &["reason"]),
    ("/refunds/new", &["reason"]),
];

/// The reports of the books that are about somebody, with the field that says whom.
const ABOUT: [(&str, &str); 3] =
    [("account-statement", "account"), ("publisher-statement", "publisher"), ("partner-statement", "partner")];

/// Whether a spreadsheet works a cell out. A plain number, which may be below zero, is itself.
fn is_formula(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !(is_plain(whole) && is_plain(fraction))
}

/// The cells as a spreadsheet reads them, with a comma or with a semicolon between them.
fn cells(answer: &Answer) -> Vec<String> {
    let rows = records(&answer.body);
    let with_commas = rows.into_iter().flatten().map(|cell| cell.trim_end_matches('\r').to_owned());
    // Lines before the names of the columns are not quoted: whatever splits them, they have no formula.
    let head = answer.body.lines().take_while(|line| line.starts_with('#'));
    let with_others = head.flat_map(|line| line.split([',', ';', '\t'])).map(|cell| cell.trim().to_owned());
    with_commas.chain(with_others).collect()
}

/// What is wrong with a file, a line for each.
fn faults(path: &str, answer: &Answer, has_texts: bool) -> Vec<String> {
    if answer.status != 200 {
        return vec![format!("{path}: {} {}", answer.status, html::text(&answer.body))];
    }
    let cells = cells(answer);
    let mut found: Vec<String> =
        cells.iter().filter(|cell| is_formula(cell)).map(|cell| format!("{path}: {cell:?}")).collect();
    for formula in FORMULAS.iter().take(4).filter(|_| has_texts) {
        if !cells.iter().any(|cell| cell.strip_prefix('\'') == Some(formula)) {
            found.push(format!("{path} does not have {formula}"));
        }
    }
    found
}

/// Sends a form with a formula in some of its fields. Two of the formulas are trimmed to one that is there already.
fn type_in(senders: &Senders<'_>, (route, fields): (&str, &[&str]), formula: &str, number: usize) {
    let sending = SENDINGS.iter().find(|sending| sending.route == route).expect("a form");
    let mut opened = senders.open(sending);
    for (name, value) in &mut opened.values {
        match name.as_str() {
            "slug" => *value = format!("formula-{number}"),
            "name" if route == "/tools/new" => *value = format!("formula_{number}"),
            "credits" => "1".clone_into(value),
            name if fields.contains(&name) => formula.clone_into(value),
            _ => {}
        }
    }
    let answer = senders.send(sending, &opened).answer;
    let is_first = number < 4;
    assert!(answer.status == 303 || !is_first, "{route} {formula:?}: {} {}", answer.status, html::text(&answer.body));
}

/// Where an export is: of what belongs to something, that of the samples.
fn address(samples: &[Found], page: &str) -> String {
    if !page.contains('{') {
        return format!("/admin{page}");
    }
    samples.iter().find(|sample| sample.page == page).expect("a sample").path.clone()
}

/// Of what belongs to something: what of it its file does not say.
fn unsaid(page: &str, path: &str, answer: &Answer) -> Option<String> {
    let place = page.split('/').position(|part| part == "{id}")?;
    let id = path.trim_start_matches("/admin").split('/').nth(place)?;
    let (name, first) = (answer.header("content-disposition"), answer.body.lines().next());
    let is_said = name.is_some_and(|name| name.ends_with(&format!("-{id}.csv\"")))
        && first.is_some_and(|first| first.contains(&format!(" of {id},")));
    (!is_said).then(|| format!("{path} does not say whose it is: {name:?} {first:?}"))
}

/// Somebody who may take everything away.
fn eve(world: &World) -> Operator {
    let mut eve = world.console.operator(NAME, "eve@example.com", "owner");
    eve.enrol();
    eve
}

/// The path with a query that is no filter, or one that finds nobody.
fn narrowed(path: &str) -> String {
    format!("{path}?nothing=a,=1+1;=1+1%0A=1+1")
}

#[test]
fn no_file_has_a_formula_in_it() {
    let home = Home::on(Kind::Sqlite);
    let world = World::start(&home);
    let senders = Senders::of(&world);
    for (number, formula) in FORMULAS.iter().enumerate() {
        for (route, fields) in TYPED {
            type_in(&senders, (route, fields), formula, number);
        }
    }
    let eve = eve(&world);
    let exports: Vec<&str> = pages().into_iter().filter(|page| page.ends_with("/export")).collect();
    assert_eq!(exports, EXPORTS.map(|(page, _)| page), "exports that are not in the list, or no longer there");
    let mut found = Vec::new();
    let samples = world.samples();
    for (page, has_texts) in EXPORTS {
        let path = address(&samples, page);
        let answer = eve.visitor.get(&path);
        found.extend(faults(&path, &answer, has_texts));
        found.extend(unsaid(page, &path, &answer));
        let path = narrowed(&path);
        found.extend(faults(&path, &eve.visitor.get(&path), false));
    }
    for (name, answer) in books(&world, &eve.visitor) {
        // In the books stand identifiers; the trail has the reasons.
        found.extend(faults(&name, &answer, name == "audit-trail"));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    // What begins with a minus and is no formula is a number.
    let chart = cells(&eve.visitor.get("/admin/ledger/accounts/export"));
    assert!(chart.iter().any(|cell| cell.starts_with('-')), "something is owned or was spent: {chart:?}");
}

/// Whom a list was narrowed to may have to be forgotten, and the trail stays.
#[test]
fn the_trail_does_not_keep_whom_a_file_was_narrowed_to() {
    let home = Home::on(Kind::Sqlite);
    let console = OperatorConsole::start(home.path());
    let ada = console.owner();
    let before = trail(&home).len();
    let lists = ["accounts", "purchases", "refunds", "payouts"];
    for list in lists {
        let path = format!("/admin/{list}/export?email=ann&account=ann%40example.com&kind=grant");
        let answer = ada.visitor.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", html::text(&answer.body));
    }
    let told: Vec<String> = trail(&home).split_off(before).into_iter().filter_map(|entry| entry.after).collect();
    assert_eq!(told.len(), lists.len(), "{told:?}");
    for after in told {
        assert!(after.contains("kind=grant") && !after.contains("ann"), "{after}");
    }
}

/// The reports of the books.
fn books(world: &World, visitor: &Visitor) -> Vec<(String, Answer)> {
    let form = "/admin/ledger/exports";
    let shown = visitor.get(form).body;
    let mut is_report = false;
    let mut reports = Vec::new();
    for element in html::elements(&shown) {
        match element.name.as_str() {
            "select" => is_report = element.get("name") == Some("report"),
            "option" if is_report => reports.extend(element.get("value").map(str::to_owned)),
            _ => {}
        }
    }
    assert!(reports.len() >= 10, "{reports:?}");
    let file = |report: String| {
        let mut fields = vec![("report", report.as_str()), ("format", "csv")];
        let whom = ABOUT.iter().find(|(about, _)| *about == report).map(|(_, field)| (*field, world.id_for(field)));
        fields.extend(whom.as_ref().map(|(field, id)| (*field, id.as_str())));
        let answer = visitor.submit_shown(&shown, form, &fields);
        (report, answer)
    };
    reports.into_iter().map(file).collect()
}
