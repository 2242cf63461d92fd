//! Policies: their versions, what they say and become, what they would change, and how a call would be decided.

use std::sync::Arc;

use actix_web::web::Path;
use engine::{
    ledger::hex::hex,
    policy::{PolicyText, WrittenPolicy, console::ConsoleAction},
    service::policies::{PolicyFilter, PolicyState, PolicyVersionError, PolicyVersionInfo},
};

use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, ListedPage, Problems, Route, Visit, csv_by, get, post},
    kit::{Cell, Choice, Column, Empty, Field, Filters, Link, Notice, Page, Row, Table, Tone, instant_text, page_href},
    text::{said::Said as _, t, t_with},
};

mod cases;
mod changes;
mod compare;
mod compiled;
mod decisions;
mod edit;
mod explain;
mod publish;
mod replay;
mod review;
mod version;

/// Where the list is.
const LIST: &str = "/admin/policies";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/policies", needs(ConsoleAction::PoliciesRead), list).lists(ListFile::At("/policies/export")),
        get("/policies/export", needs(ConsoleAction::ListsExport), export),
        get("/policies/explain", needs(ConsoleAction::PoliciesRead), explain::show),
        get("/policies/edit", needs(ConsoleAction::PolicyDraft), edit::ask),
        post("/policies/edit", needs(ConsoleAction::PolicyDraft), edit::act),
        // Where a session ends while somebody types, the sign-in leads back here.
        get("/policies/edit/check", needs(ConsoleAction::PolicyDraft), edit::ask),
        post("/policies/edit/check", needs(ConsoleAction::PolicyDraft), edit::check),
        get("/policies/{number}", needs(ConsoleAction::PoliciesRead), version::show),
        get("/policies/{number}/diff", needs(ConsoleAction::PoliciesRead), compare::show),
        get("/policies/{number}/replay", needs(ConsoleAction::PoliciesRead), replay::show)
            .lists(ListFile::Without("worked out anew each time it is looked at; the calls are in the file of calls")),
        get("/policies/{number}/tests", needs(ConsoleAction::PoliciesRead), cases::ask),
        post("/policies/{number}/tests", needs(ConsoleAction::PolicyDraft), cases::run),
        get("/policies/{number}/publish", needs(ConsoleAction::PolicyPublish), publish::ask),
        post("/policies/{number}/publish", needs(ConsoleAction::PolicyPublish), publish::publish),
        get("/policies/{number}/rollback", needs(ConsoleAction::PolicyRollback), publish::ask_back),
        post("/policies/{number}/rollback", needs(ConsoleAction::PolicyRollback), publish::roll_back),
    ]
}

/// The page of a version.
fn href(number: i64) -> String {
    format!("{LIST}/{number}")
}

/// What a version is called.
fn name(number: i64) -> String {
    t_with("policies-version", &[("number", number.to_string().into())])
}

fn state(state: PolicyState) -> Cell {
    match state {
        PolicyState::Draft => Cell::state(t("policies-draft"), Tone::Warn),
        PolicyState::Published => Cell::state(t("policies-in-force"), Tone::Good),
        PolicyState::Retired => Cell::state(t("policies-retired"), Tone::Plain),
    }
}

/// A version with everything that its pages look at.
struct Version {
    info: PolicyVersionInfo,
    text: PolicyText,
    written: WrittenPolicy,
}

async fn load(visit: &Visit, number: i64) -> Result<Version, Fault> {
    let (info, text) = visit.services().find_policy_text(number).await?.ok_or(Fault::NotFound)?;
    let broken = |_problems| Fault::Broken(format!("the text of version {number} cannot be read"));
    let written = text.read().map_err(broken)?;
    Ok(Version { info, text, written })
}

/// The version that a path names.
async fn load_from(visit: &Visit, path: &Path<String>) -> Result<Version, Fault> {
    load(visit, path.parse().map_err(|_no_number| Fault::NotFound)?).await
}

/// The number of the version in force.
async fn in_force(visit: &Visit) -> Result<Option<i64>, Fault> {
    Ok(visit.services().find_published_policy().await?.map(|(version, _)| version.number))
}

/// Who leads, where that is the configuration file: then nothing is changed here.
fn file_leads(visit: &Visit) -> Option<Notice> {
    let is_file = visit.console().door.gateway().is_policy_from_file;
    is_file.then(|| Notice::new(Tone::Warn, t("policies-file-leads")))
}

/// The pages of one version; `here` is the last part of the path of the one that is shown.
fn version_page(version: &PolicyVersionInfo, here: &str) -> Page {
    let own = href(version.number);
    let views = [
        ("", "policies-view-text"),
        ("diff", "policies-view-diff"),
        ("replay", "policies-view-replay"),
        ("tests", "policies-view-tests"),
    ];
    let tab = |(part, key): (&str, &str)| {
        let path = if part.is_empty() { own.clone() } else { format!("{own}/{part}") };
        Link::new(t(key), if part == here { String::new() } else { path })
    };
    let mut page = Page::new(name(version.number)).under(t("policies-title"), LIST);
    page.subtitle = vec![state(version.state)];
    page.tabs = views.map(tab).into();
    page
}

/// What keeps a policy from being kept or published, said of a form; a database that is away is said by a page of its own.
fn refuse(error: PolicyVersionError, problems: &mut Problems) -> Result<(), Fault> {
    match error {
        PolicyVersionError::Store(error) => return Err(error.into()),
        PolicyVersionError::Broken(found) => found.into_iter().for_each(|problem| problems.add("", problem)),
        error @ PolicyVersionError::Note => problems.add("note", error.said()),
        error => problems.add("", error.said()),
    }
    Ok(())
}

/// Who a version is by: the operator's name. It goes into the audit trail, where no address stands.
fn author(visit: &Visit) -> Result<String, Fault> {
    let operator = &visit.signed_in()?.operator;
    let is_address = operator.name.contains('@');
    Ok(if is_address { operator.id.to_string() } else { operator.name.clone() })
}

fn number_field(fields: &Fields, name: &str) -> Option<i64> {
    fields.text(name).parse().ok()
}

fn filter_of(fields: &Fields) -> PolicyFilter {
    PolicyFilter { state: PolicyState::from_word(fields.text("state")), author: fields.text("author").to_owned() }
}

/// The list as a file, with the hashes of the texts.
async fn export(visit: Visit) -> Answer {
    let filter = Arc::new(filter_of(&Fields::parse(&visit.query)?));
    let columns = ["number", "state", "author", "note", "sha256", "replaces", "created", "published", "retired"];
    let reader = visit.clone();
    csv_by(&visit, "policies", &columns, move |before: Option<i64>| -> ListedPage<i64> {
        let (visit, filter) = (reader.clone(), Arc::clone(&filter));
        Box::pin(async move {
            let listed = visit.services().list_policy_versions(&filter, before).await?;
            let row = |version: &PolicyVersionInfo| {
                let moment = |us: Option<i64>| us.map(instant_text).unwrap_or_default();
                vec![
                    version.number.to_string(),
                    version.state.as_str().to_owned(),
                    version.author.clone(),
                    version.note.clone(),
                    hex(&version.sha256),
                    version.replaces.map(|number| number.to_string()).unwrap_or_default(),
                    instant_text(version.created_us),
                    moment(version.published_us),
                    moment(version.retired_us),
                ]
            };
            Ok((listed.rows.iter().map(row).collect(), listed.next.and_then(|next| next.parse().ok())))
        })
    })
    .await
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let filter = filter_of(&fields);
    let before = match fields.text("after") {
        "" => None,
        text => Some(text.parse().map_err(|_unreadable| Fault::Address)?),
    };
    let listed = visit.services().list_policy_versions(&filter, before).await?;
    let in_force = in_force(&visit).await?;
    let row = |version: &PolicyVersionInfo| {
        let own = href(version.number);
        Row::new(
            own.clone(),
            vec![
                Cell::link(name(version.number), own),
                state(version.state),
                Cell::text(&version.author),
                Cell::text(&version.note),
                Cell::Time(version.created_us),
                Cell::time(version.published_us),
                Cell::time(version.retired_us),
            ],
        )
    };
    let columns = [
        "policies-number",
        "policies-state",
        "policies-author",
        "policies-note",
        "policies-created",
        "policies-published",
        "policies-retired-at",
    ];
    let is_first = before.is_none();
    let table = Table {
        caption: t("policies-versions"),
        columns: columns.map(|key| Column::new(t(key))).into(),
        rows: listed.rows.iter().map(row).collect(),
        first: if is_first { String::new() } else { page_href(LIST, &visit.query, "after", "") },
        next: listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next)),
        exports: visit.file_links(ConsoleAction::ListsExport, &format!("{LIST}/export")),
        empty: Some(Empty {
            text: t("policies-empty"),
            command: "tollgate policy draft policy.json5 --note \"no shell for research\"".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    let leads = file_leads(&visit);
    let may_edit = leads.is_none() && visit.may(ConsoleAction::PolicyDraft);
    let mut page = Page::new(t("policies-title"))
        .tool(may_edit, t("policies-edit-in-force"), format!("{LIST}/edit"))
        .tool(true, t("policies-explain"), format!("{LIST}/explain"));
    if let Some(number) = in_force {
        page = page.tool(true, t("policies-see-in-force"), href(number));
    }
    page.blocks.extend(leads.map(Into::into));
    // It is about all versions: not about those that are looked for, nor about those of a later page.
    if is_first && filter == PolicyFilter::default() {
        page.blocks.extend(decisions::of(&visit).await?);
    }
    visit.show(page.with(filters(&visit, &fields)).with(table)).await
}

/// What the list is narrowed by.
fn filters(visit: &Visit, fields: &Fields) -> Filters {
    let wanted = fields.text("state");
    let states = [
        ("", "policies-any"),
        ("draft", "policies-draft"),
        ("published", "policies-in-force"),
        ("retired", "policies-retired"),
    ];
    let states =
        states.map(|(value, key)| Choice { value: value.to_owned(), label: t(key), is_chosen: value == wanted });
    Filters {
        action: LIST.to_owned(),
        fields: vec![
            Field::select("state", t("policies-state"), states.into()),
            Field::line("author", t("policies-author-begins")).value(fields.text("author")),
        ],
        all_href: if visit.query.is_empty() { String::new() } else { LIST.to_owned() },
    }
}
