//! The catalog: who sells what, where its calls go, and the switches that stop it.

use engine::{
    catalog::{NamespaceState, Visibility},
    id::{NamespaceId, PublisherId, ToolId},
    policy::console::ConsoleAction,
    service::catalog::{CatalogError, Making, RecentCalls, ToolProfile, ToolStanding},
};

use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, Problems, Route, Visit, get, post},
    kit::{Cell, Field, Form, Page, Text, Tone},
    text::{said::Said as _, t, t_with},
};

pub(super) mod difference;
mod namespaces;
mod profile;
mod publisher_forms;
mod publishers;
mod stop;
mod tool_forms;
mod tools;
mod topics;

pub(super) use tools::latency_bars;

/// Where the list of publishers is.
const PUBLISHERS: &str = "/admin/publishers";
/// Where namespaces are; they are listed on the pages of their publishers.
const NAMESPACES: &str = "/admin/namespaces";
/// Where the list of tools is.
pub(super) const TOOLS: &str = "/admin/tools";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/publishers", needs(ConsoleAction::CatalogRead), publishers::list)
            .lists(ListFile::At("/publishers/export")),
        get("/publishers/export", needs(ConsoleAction::ListsExport), publishers::export),
        get("/publishers/new", needs(ConsoleAction::PublisherCreate), publisher_forms::ask_new),
        post("/publishers/new", needs(ConsoleAction::PublisherCreate), publisher_forms::create),
        get("/publishers/{id}", needs(ConsoleAction::CatalogRead), publishers::show)
            .lists(ListFile::Without("its namespaces; the file of tools has each with its namespace")),
        get("/publishers/{id}/edit", needs(ConsoleAction::PublisherChange), publisher_forms::ask_edit),
        post("/publishers/{id}/edit", needs(ConsoleAction::PublisherChange), publisher_forms::edit),
        get("/publishers/{id}/suspend", needs(ConsoleAction::PublisherSuspend), stop::ask_publisher),
        post("/publishers/{id}/suspend", needs(ConsoleAction::PublisherSuspend), stop::publisher),
        get("/namespaces/new", needs(ConsoleAction::NamespaceCreate), namespaces::ask_new),
        post("/namespaces/new", needs(ConsoleAction::NamespaceCreate), namespaces::create),
        get("/namespaces/{id}", needs(ConsoleAction::CatalogRead), namespaces::show)
            .lists(ListFile::Without("its tools; the list of tools is narrowed to a namespace and has a file")),
        get("/namespaces/{id}/edit", needs(ConsoleAction::NamespaceChange), namespaces::ask_edit),
        post("/namespaces/{id}/edit", needs(ConsoleAction::NamespaceChange), namespaces::edit),
        get("/namespaces/{id}/suspend", needs(ConsoleAction::NamespaceSuspend), stop::ask_namespace),
        post("/namespaces/{id}/suspend", needs(ConsoleAction::NamespaceSuspend), stop::namespace),
        get("/tools", needs(ConsoleAction::CatalogRead), tools::list).lists(ListFile::At("/tools/export")),
        get("/tools/export", needs(ConsoleAction::ListsExport), tools::export),
        get("/tools/new", needs(ConsoleAction::ToolCreate), tool_forms::ask_new),
        post("/tools/new", needs(ConsoleAction::ToolCreate), tool_forms::create),
        get("/tools/{id}", needs(ConsoleAction::CatalogRead), tools::show).lists(ListFile::Without(
            "prices of one tool; the file of tools has those of now, the audit trail every change",
        )),
        get("/tools/{id}/edit", needs(ConsoleAction::ToolChange), tool_forms::ask_edit),
        post("/tools/{id}/edit", needs(ConsoleAction::ToolChange), tool_forms::edit),
        get("/tools/{id}/disable", needs(ConsoleAction::ToolDisable), stop::ask_tool),
        post("/tools/{id}/disable", needs(ConsoleAction::ToolDisable), stop::tool),
    ]
}

/// The page of a publisher.
pub(super) fn publisher_href(id: PublisherId) -> String {
    format!("{PUBLISHERS}/{id}")
}

/// The page of a namespace.
pub(super) fn namespace_href(id: NamespaceId) -> String {
    format!("{NAMESPACES}/{id}")
}

/// The page of a tool.
pub(super) fn tool_href(id: ToolId) -> String {
    format!("{TOOLS}/{id}")
}

/// Whether a publisher's or a namespace's tools may be called.
fn stop_state(is_suspended: bool) -> Cell {
    if is_suspended {
        Cell::state(t("catalog-suspended"), Tone::Bad)
    } else {
        Cell::state(t("catalog-active"), Tone::Good)
    }
}

/// How far a namespace has come.
pub(super) fn namespace_state(state: NamespaceState) -> Cell {
    let tone = match state {
        NamespaceState::Draft => Tone::Plain,
        NamespaceState::Pending | NamespaceState::Review => Tone::Warn,
        NamespaceState::Active => Tone::Good,
        NamespaceState::Suspended => Tone::Bad,
    };
    Cell::state(t(&["catalog-state-", state.as_str()].concat()), tone)
}

/// Who sees a tool.
pub(super) fn visibility(visibility: Visibility) -> Cell {
    match visibility {
        Visibility::Public => Cell::text(t("catalog-visibility-public")),
        Visibility::Private => Cell::state(t("catalog-visibility-private"), Tone::Warn),
    }
}

/// Whether a tool can be called, and if not, why not.
fn tool_state(tool: &ToolProfile) -> Cell {
    match tool.standing() {
        ToolStanding::Active => Cell::state(t("catalog-active"), Tone::Good),
        ToolStanding::Unapproved => Cell::state(t("catalog-unapproved"), Tone::Warn),
        ToolStanding::Private => Cell::state(t("catalog-private"), Tone::Warn),
        ToolStanding::Disabled => Cell::state(t("catalog-disabled"), Tone::Bad),
        ToolStanding::NamespaceSuspended => Cell::state(t("catalog-namespace-suspended"), Tone::Warn),
        ToolStanding::PublisherSuspended => Cell::state(t("catalog-publisher-suspended"), Tone::Warn),
    }
}

/// Basis points as people read them: `82.5 %`.
fn percent(bps: i32) -> String {
    let text = format!("{}.{:02}", bps / 100, (bps % 100).abs());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    t_with("catalog-percent", &[("number", text.to_owned().into())])
}

/// Why something is done.
fn reason_field() -> Field {
    Field::line("reason", t("console-reason")).hint(t("catalog-reason-hint")).required()
}

/// A form that makes something, as far as all of them are alike.
struct NewThing {
    /// The key of what the form is called.
    title: &'static str,
    /// The key of the name of the list in which it will stand, and where that is.
    list: (&'static str, &'static str),
    /// The key of what there is to know before.
    text: &'static str,
    action: ConsoleAction,
}

impl NewThing {
    /// The page with the form, whose fields `add` adds.
    fn page(&self, visit: &Visit, add: impl FnOnce(Form) -> Form, (typed, problems): (&Fields, &Problems)) -> Page {
        let (section, list) = self.list;
        let form = add(Form::new(format!("{list}/new"), t(self.title)))
            .field(reason_field())
            .once(visit)
            .step_up(visit, self.action)
            .cancel(list)
            .filled(typed, problems);
        Page::new(t(self.title)).under(t(section), list).with(Text::new(t(self.text))).with(form)
    }
}

/// Shows the page of a form as its address fills it in.
async fn ask_new(visit: Visit, page: fn(&Visit, (&Fields, &Problems)) -> Page) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, (&typed, &Problems::default()))).await
}

/// Why something is made, and the form that makes it.
fn making<'f>(fields: &Fields, reason: &'f str) -> Making<'f> {
    Making { reason, key: fields.key() }
}

/// Basis points as they were typed.
fn share_bps(fields: &Fields, problems: &mut Problems) -> Option<u16> {
    let text = problems.required(fields, "share_bps");
    if text.is_empty() {
        return None;
    }
    let share = text.parse().ok();
    if share.is_none() {
        problems.add("share_bps", t("catalog-share-unreadable"));
    }
    share
}

/// Says what is wrong beside the field that it is wrong with.
///
/// # Errors
/// Nothing that a form can say: there is no such thing, or the database failed.
fn add_problem(problems: &mut Problems, error: CatalogError) -> Result<(), Fault> {
    match error {
        CatalogError::Store(error) => return Err(error.into()),
        CatalogError::NotFound(_) => return Err(Fault::NotFound),
        CatalogError::Field { field, fault } => problems.add(field, fault.said()),
        CatalogError::Price(error) => problems.add(error.field(), error.fault().said()),
        error @ CatalogError::Reason => problems.add("reason", error.said()),
        CatalogError::Taken { field, .. } => problems.add(field, t("catalog-name-taken")),
        error => problems.add("", error.said()),
    }
    Ok(())
}

/// From when on calls were counted: the last day, or since the oldest of those that were looked at.
fn recent_note(recent: &RecentCalls, now_us: i64) -> String {
    let is_whole_day = recent.since_us <= crate::kit::hours_ago(now_us, 24);
    if is_whole_day {
        return t("catalog-recent-day");
    }
    let since = crate::kit::instant_text(recent.since_us);
    let looked_at = engine::service::catalog::RECENT_CALLS_MAX;
    t_with("catalog-recent-some", &[("count", looked_at.into()), ("since", since.into())])
}

#[cfg(test)]
mod tests;
