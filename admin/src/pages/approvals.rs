//! Approvals: what one operator asks for and another one decides. Whoever approves has it done in the same moment.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use actix_web::web::Path;
use engine::{
    credits::Credits,
    id::{ApprovalId, OperatorId},
    policy::console::{ConsoleAction, ConsoleCaller},
    service::{
        approvals::{APPROVAL_DAYS, APPROVALS_PAGE_MAX, Approval, ApprovalFilter, ApprovalState, Deed},
        operators::OperatorProfile,
    },
};

use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, ListedPage, Problems, Route, Visit, csv_by, get},
    kit::{
        Cell, Choice, Code, Column, Control, Empty, Facts, Field, Filters, Heading, Link, Notice, Page, Row, Table,
        Tone, instant_text, page_href,
    },
    text::{said::Said as _, t, t_with},
};

mod decide;
mod deeds;

pub(super) use deeds::rehearse;

const LIST: &str = "/admin/approvals";
/// How many rows a page has.
const ROWS: u64 = engine::service::paging::PAGE_ROWS;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = decide::routes();
    let listed = get("/approvals", Access::Needs(ConsoleAction::ApprovalsRead), list);
    routes.push(listed.lists(ListFile::At("/approvals/export")));
    routes.push(get("/approvals/export", Access::Needs(ConsoleAction::ListsExport), export));
    routes.push(get("/approvals/{id}", Access::Needs(ConsoleAction::ApprovalsRead), show));
    routes
}

/// The page of a request.
pub(super) fn href(id: ApprovalId) -> String {
    format!("{LIST}/{id}")
}

/// The name of what is asked for.
fn kind_text(kind: &str) -> String {
    t(&["approvals-kind-", &kind.replace('.', "-")].concat())
}

fn state_text(state: ApprovalState) -> String {
    t(&["approvals-state-", state.as_str()].concat())
}

fn state(approval: &Approval) -> Cell {
    let tone = match approval.state {
        ApprovalState::Waiting => Tone::Warn,
        ApprovalState::Approved => Tone::Good,
        ApprovalState::Failed => Tone::Bad,
        ApprovalState::Rejected | ApprovalState::Withdrawn | ApprovalState::Expired => Tone::Plain,
    };
    Cell::state(state_text(approval.state), tone)
}

/// The kinds that the operator may decide.
fn own_kinds(visit: &Visit) -> Vec<&'static str> {
    if !visit.may(ConsoleAction::ApprovalDecide) {
        return Vec::new();
    }
    // Support may give small amounts back, and decides nothing: the amount is asked about when it comes to it.
    let may = Deed::ACTIONS.into_iter().filter(|action| visit.may(*action));
    may.map(ConsoleAction::as_str).collect()
}

/// Whether nobody else who can sign in could approve this, once they have a second factor and have shown their password.
/// Whom it is `about` does not count: they have lost what they sign in with.
pub(super) async fn is_alone(visit: &Visit, action: ConsoleAction, about: Option<OperatorId>) -> Result<bool, Fault> {
    let me = visit.signed_in()?.operator.id;
    let policies = &visit.console().policies;
    let may_approve = |operator: &OperatorProfile| {
        let caller = ConsoleCaller {
            id: operator.id,
            roles: &operator.roles,
            is_fresh: true,
            has_factor: true,
            may_postpone: operator.is_demo,
        };
        let mut needed = [ConsoleAction::ApprovalDecide, action].into_iter();
        needed.all(|action| policies.decide(&caller, action, Some(0)).is_allowed())
    };
    let operators = visit.services().list_operators().await?;
    let counts = |other: &&OperatorProfile| {
        other.id != me && Some(other.id) != about && !other.is_disabled && other.has_password
    };
    Ok(!operators.iter().filter(counts).any(may_approve))
}

/// Which requests a view shows.
fn filter_of(visit: &Visit, fields: &Fields) -> Result<ApprovalFilter, Fault> {
    let me = visit.signed_in()?.operator.id;
    let word = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.is_empty());
    let rest = ApprovalFilter {
        state: ApprovalState::from_word(fields.text("state")),
        kind: word("kind"),
        object: word("object"),
        ..ApprovalFilter::default()
    };
    Ok(match fields.text("view") {
        "mine" => ApprovalFilter { author: Some(me), ..rest },
        "all" => rest,
        _ => ApprovalFilter {
            state: Some(ApprovalState::Waiting),
            not_author: Some(me),
            kinds: Some(own_kinds(visit)),
            ..rest
        },
    })
}

/// Where a list goes on.
fn place(fields: &Fields) -> Result<Option<ApprovalId>, Fault> {
    match fields.text("after") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_unreadable| Fault::Address),
    }
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let view = fields.text("view");
    let (rows, next) = visit.services().list_approvals(&filter_of(&visit, &fields)?, place(&fields)?, ROWS).await?;
    let names = names_of(&visit, rows.iter().map(|approval| approval.author)).await?;
    let row = |approval: &Approval| {
        let cells = vec![
            Cell::link(kind_text(&approval.kind), href(approval.id)),
            approval.amount.map_or(Cell::None, |micros| Cell::Money(Credits::from_micros(micros))),
            Cell::id(&approval.object_id, ""),
            Cell::text(names.get(&approval.author).cloned().unwrap_or_default()),
            state(approval),
            Cell::Time(approval.created_us),
            Cell::Time(approval.expires_us),
        ];
        Row::new(href(approval.id), cells)
    };
    let table = Table {
        caption: t("approvals-title"),
        columns: vec![
            Column::new(t("approvals-kind")),
            Column::right(t("approvals-amount")),
            Column::new(t("approvals-object")),
            Column::new(t("approvals-author")),
            Column::new(t("approvals-state")),
            Column::new(t("approvals-asked-at")),
            Column::new(t("approvals-expires")),
        ],
        rows: rows.iter().map(row).collect(),
        first: visit.first_href(LIST),
        next: next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next.to_string())),
        exports: visit.file_links(ConsoleAction::ListsExport, &format!("{LIST}/export")),
        empty: Some(Empty {
            text: t_with("approvals-empty", &[("days", APPROVAL_DAYS.into())]),
            command: "tollgate operator create --email ann@example.com --name Ann --role finance".to_owned(),
            link: visit
                .may(ConsoleAction::OperatorsRead)
                .then(|| Link::new(t("operators-matrix"), "/admin/operators/matrix")),
        }),
        ..Table::default()
    };
    let mut page = Page::new(t("approvals-title"));
    page.tabs = [("", "approvals-for-me"), ("mine", "approvals-mine"), ("all", "approvals-all")]
        .map(|(word, key)| {
            let href = if word.is_empty() { LIST.to_owned() } else { format!("{LIST}?view={word}") };
            Link::new(t(key), if word == view { String::new() } else { href })
        })
        .into();
    if !view.is_empty() {
        page = page.with(filters(&fields, view));
    }
    visit.show(page.with(table)).await
}

/// The requests of the view as a file.
async fn export(visit: Visit) -> Answer {
    let filter = Arc::new(filter_of(&visit, &Fields::parse(&visit.query)?)?);
    let columns = [
        "approval",
        "kind",
        "amount_credits",
        "object_kind",
        "object",
        "author",
        "reason",
        "state",
        "asked",
        "expires",
        "decided_by",
        "decided",
        "note",
    ];
    let reader = visit.clone();
    csv_by(&visit, "approvals", &columns, move |after: Option<ApprovalId>| -> ListedPage<ApprovalId> {
        let (visit, filter) = (reader.clone(), Arc::clone(&filter));
        Box::pin(async move {
            let (rows, next) = visit.services().list_approvals(&filter, after, APPROVALS_PAGE_MAX).await?;
            Ok((rows.iter().map(csv_row).collect(), next))
        })
    })
    .await
}

fn csv_row(approval: &Approval) -> Vec<String> {
    vec![
        approval.id.to_string(),
        approval.kind.clone(),
        approval.amount.map(|micros| Credits::from_micros(micros).to_string()).unwrap_or_default(),
        approval.object_kind.clone(),
        approval.object_id.clone(),
        approval.author.to_string(),
        approval.reason.clone(),
        approval.state.as_str().to_owned(),
        instant_text(approval.created_us),
        instant_text(approval.expires_us),
        approval.decided_by.map(|id| id.to_string()).unwrap_or_default(),
        approval.decided_us.map(instant_text).unwrap_or_default(),
        approval.note.clone().unwrap_or_default(),
    ]
}

fn filters(fields: &Fields, view: &str) -> Filters {
    let choice = |value: &str, label: String, chosen: &str| Choice {
        value: value.to_owned(),
        label,
        is_chosen: value == chosen,
    };
    let (state, kind) = (fields.text("state"), fields.text("kind"));
    let states = ApprovalState::ALL.map(|(known, word)| choice(word, state_text(known), state));
    let kinds = Deed::ACTIONS.map(|action| choice(action.as_str(), kind_text(action.as_str()), kind));
    let any = |chosen: &str| choice("", t("approvals-any"), chosen);
    Filters {
        action: LIST.to_owned(),
        fields: vec![
            Field::new("view", "", Control::Hidden).value(view),
            Field::select("state", t("approvals-state"), [any(state)].into_iter().chain(states).collect()),
            Field::select("kind", t("approvals-kind"), [any(kind)].into_iter().chain(kinds).collect()),
            Field::line("object", t("approvals-object")).value(fields.text("object")),
        ],
        all_href: format!("{LIST}?view={view}"),
    }
}

/// The names of these operators.
async fn names_of(visit: &Visit, ids: impl Iterator<Item = OperatorId>) -> Result<HashMap<OperatorId, String>, Fault> {
    let mut names = HashMap::new();
    for id in ids.collect::<BTreeSet<_>>() {
        if let Some(operator) = visit.services().find_operator(id).await? {
            names.insert(id, operator.name);
        }
    }
    Ok(names)
}

async fn load(visit: &Visit, id: &str) -> Result<Approval, Fault> {
    let id: ApprovalId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_approval(id).await?.ok_or(Fault::NotFound)
}

/// What is asked for, why, and what became of it.
async fn facts(visit: &Visit, approval: &Approval) -> Result<Facts, Fault> {
    let people = [Some(approval.author), approval.decided_by];
    let names = names_of(visit, people.into_iter().flatten()).await?;
    let name = |id: OperatorId| Cell::text(names.get(&id).cloned().unwrap_or_else(|| id.to_string()));
    let mut facts = Facts::new();
    if let Some(micros) = approval.amount {
        facts = facts.fact(t("approvals-amount"), Cell::Money(Credits::from_micros(micros)));
    }
    facts = facts
        .fact(t("approvals-object"), Cell::Mono(format!("{} {}", approval.object_kind, approval.object_id)))
        .fact(t("approvals-reason"), Cell::text(&approval.reason))
        .fact(t("approvals-author"), name(approval.author))
        .fact(t("approvals-asked-at"), Cell::Time(approval.created_us));
    if approval.state == ApprovalState::Waiting {
        facts = facts.fact(t("approvals-expires"), Cell::Time(approval.expires_us));
    }
    if let Some(decided_by) = approval.decided_by {
        facts = facts.fact(t("approvals-decided-by"), name(decided_by));
    }
    if approval.decided_us.is_some() {
        facts = facts.fact(t("approvals-decided-at"), Cell::time(approval.decided_us));
    }
    if approval.note.is_some() {
        facts = facts.fact(t("approvals-note"), Cell::maybe(approval.note.clone()));
    }
    Ok(match outcome(approval) {
        Some((tone, text)) => facts.fact(t("approvals-outcome"), Cell::state(text, tone)),
        None => facts,
    })
}

/// Whether whoever approves this is shown a link.
fn makes_a_link(approval: &Approval) -> bool {
    let links = [ConsoleAction::OperatorCreate, ConsoleAction::OperatorReset];
    links.iter().any(|action| action.as_str() == approval.kind)
}

/// What came of it.
fn outcome(approval: &Approval) -> Option<(Tone, String)> {
    let told = |name: &str| approval.outcome.as_ref()?.get(name)?.as_str().map(str::to_owned);
    match approval.state {
        ApprovalState::Approved => {
            Some(told("done").map_or_else(|| (Tone::Warn, t("approvals-under-way")), |done| (Tone::Good, done)))
        }
        ApprovalState::Failed => told("refused").map(|why| (Tone::Bad, why)),
        _ => None,
    }
}

/// What the request would do, or was to do.
async fn with_effect(visit: &Visit, mut page: Page, approval: &Approval) -> Result<Page, Fault> {
    page = page.with(Heading::new(t("approvals-effect")));
    let blocks = match Deed::from_payload(&approval.payload) {
        Ok(deed) if approval.state == ApprovalState::Waiting => deeds::effect(visit, &deed).await?,
        Ok(deed) => vec![deeds::facts(&deed).into()],
        Err(error) => {
            let text = serde_json::to_string_pretty(&approval.payload).unwrap_or_default();
            vec![
                Notice::new(Tone::Bad, error.said()).into(),
                Code { caption: t("approvals-payload"), text, is_copied: false }.into(),
            ]
        }
    };
    page.blocks.extend(blocks);
    Ok(page)
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let approval = load(&visit, &id).await?;
    let own = href(approval.id);
    let is_waiting = approval.state == ApprovalState::Waiting;
    let is_mine = visit.signed_in()?.operator.id == approval.author;
    let may = is_waiting && !is_mine && own_kinds(&visit).contains(&approval.kind.as_str());
    let mut page = Page::new(kind_text(&approval.kind))
        .under(t("approvals-title"), LIST)
        .tool(may, t("approvals-reject"), format!("{own}/reject"))
        .tool(is_waiting && is_mine, t("approvals-withdraw"), format!("{own}/withdraw"));
    page.tools.extend(deeds::way_back(&visit, &approval).await?);
    page.subtitle = vec![state(&approval), Cell::id(approval.id, "")];
    if is_waiting && is_mine {
        page = page.with(Notice::new(Tone::Plain, t("approvals-own")));
    } else if is_waiting && !may {
        page = page.with(Notice::new(Tone::Plain, t("approvals-not-yours")));
    } else if approval.state == ApprovalState::Approved && makes_a_link(&approval) {
        page = page.with(Notice::new(Tone::Plain, t("approvals-link-was-shown")));
    }
    page = page.with(facts(&visit, &approval).await?);
    page = with_effect(&visit, page, &approval).await?;
    if may {
        let form = decide::approve_form(&visit, &approval, &Fields::default(), &Problems::default());
        page = page.with(Heading::new(t("approvals-approve"))).with(form);
    }
    let timeline = super::timeline(&visit, &approval.id.to_string()).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}
