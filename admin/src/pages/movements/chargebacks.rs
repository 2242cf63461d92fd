//! Disputed payments: open ones first, then those that were won and lost.

use actix_web::web::{Path, Payload};
use engine::{
    credits::Credits,
    id::EntryId,
    policy::console::ConsoleAction,
    service::movements::{Chargeback, ChargebackState, Dispute, DisputeFilter, MovementError, Note},
};

use super::{done_before, postings_table, purchases, say, tabs};
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, ListedPage, Problems, Route, Visit, csv, get, post},
    kit::{
        Cell, Choice, Column, Empty, Facts, Field, Filters, Form, Heading, Notice, Page, Row, Table, Text, Tone,
        instant_text, page_href,
    },
    text::t,
};

/// Where chargebacks are listed.
pub(super) const LIST: &str = "/admin/chargebacks";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/chargebacks", needs(ConsoleAction::MovementsRead), list).lists(ListFile::At("/chargebacks/export")),
        get("/chargebacks/export", needs(ConsoleAction::ListsExport), export),
        get("/chargebacks/{id}", needs(ConsoleAction::MovementsRead), show),
        get("/chargebacks/{id}/won", needs(ConsoleAction::ChargebackDecide), ask_won),
        post("/chargebacks/{id}/won", needs(ConsoleAction::ChargebackDecide), won),
        get("/chargebacks/{id}/lost", needs(ConsoleAction::ChargebackDecide), ask_lost),
        post("/chargebacks/{id}/lost", needs(ConsoleAction::ChargebackDecide), lost),
    ]
}

/// The page of a chargeback.
pub(super) fn href(id: EntryId) -> String {
    format!("{LIST}/{id}")
}

fn state(state: ChargebackState) -> Cell {
    let tone = match state {
        ChargebackState::Open => Tone::Warn,
        ChargebackState::Won => Tone::Good,
        ChargebackState::Lost => Tone::Bad,
    };
    Cell::state(t(&["movements-dispute-state-", state.as_str()].concat()), tone)
}

/// Chargebacks in the order in which they are given.
pub(super) fn table(rows: &[Dispute]) -> Table {
    let row = |dispute: &Dispute| {
        let cells = vec![
            Cell::id(dispute.id, href(dispute.id)),
            state(dispute.state),
            Cell::Money(dispute.credits),
            Cell::id(dispute.purchase, purchases::href(dispute.purchase)),
            Cell::Time(dispute.opened_us),
            Cell::time(dispute.closed_us),
        ];
        Row::new(href(dispute.id), cells)
    };
    Table {
        caption: t("movements-chargebacks"),
        columns: vec![
            Column::new(t("movements-id")),
            Column::new(t("movements-state")),
            Column::right(t("movements-disputed")),
            Column::new(t("movements-purchase")),
            Column::new(t("movements-opened-at")),
            Column::new(t("movements-closed-at")),
        ],
        rows: rows.iter().map(row).collect(),
        ..Table::default()
    }
}

/// In which state the wanted ones are. Open ones are what there is to do.
fn word_of(fields: &Fields) -> &str {
    if fields.is_on("state") { fields.text("state") } else { "open" }
}

/// The list as a file.
async fn export(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let filter = DisputeFilter { state: ChargebackState::from_word(word_of(&fields)), purchase: None };
    let columns = ["chargeback", "state", "disputed_credits", "purchase", "opened", "closed", "closing"];
    let reader = visit.clone();
    csv(&visit, "chargebacks", &columns, move |after| -> ListedPage {
        let visit = reader.clone();
        Box::pin(async move {
            let listed = visit.services().list_chargebacks(&filter, after).await?;
            let row = |dispute: &Dispute| {
                vec![
                    dispute.id.to_string(),
                    dispute.state.as_str().to_owned(),
                    dispute.credits.to_string(),
                    dispute.purchase.to_string(),
                    instant_text(dispute.opened_us),
                    dispute.closed_us.map(instant_text).unwrap_or_default(),
                    dispute.closing.map(|id| id.to_string()).unwrap_or_default(),
                ]
            };
            Ok((listed.rows.iter().map(row).collect(), listed.next.and_then(|next| next.parse().ok())))
        })
    })
    .await
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let word = word_of(&fields);
    let filter = DisputeFilter { state: ChargebackState::from_word(word), purchase: None };
    let listed = visit.services().list_chargebacks(&filter, fields.cursor()?).await?;
    let states = [
        ("open", "movements-dispute-state-open"),
        ("won", "movements-dispute-state-won"),
        ("lost", "movements-dispute-state-lost"),
        ("any", "movements-any"),
    ];
    let choices =
        states.map(|(value, key)| Choice { value: value.to_owned(), label: t(key), is_chosen: value == word });
    let filters = Filters {
        action: LIST.to_owned(),
        fields: vec![Field::select("state", t("movements-state"), choices.into())],
        all_href: if visit.query.is_empty() { String::new() } else { LIST.to_owned() },
    };
    let mut table = table(&listed.rows);
    table.first = visit.first_href(LIST);
    table.next = listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next));
    table.exports = visit.file_links(ConsoleAction::ListsExport, &format!("{LIST}/export"));
    table.empty = Some(Empty {
        text: t("movements-chargebacks-empty"),
        command: "tollgate chargeback open pur_… --reason \"case 4711\"".to_owned(),
        link: None,
    });
    let mut page = Page::new(t("movements-chargebacks"));
    page.tabs = tabs(LIST);
    visit.show(page.with(filters).with(table)).await
}

async fn load(visit: &Visit, id: &str) -> Result<(Dispute, Chargeback), Fault> {
    let id: EntryId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    match visit.services().find_dispute(id).await {
        Ok(found) => found.ok_or(Fault::NotFound),
        Err(MovementError::Store(error)) => Err(error.into()),
        Err(error) => Err(Fault::Broken(error.to_string())),
    }
}

fn facts(dispute: &Dispute, chargeback: &Chargeback) -> Facts {
    let mut facts = Facts::new()
        .fact(t("movements-disputed"), Cell::Money(dispute.credits))
        .fact(t("movements-held-of-it"), Cell::Money(chargeback.held))
        .fact(t("movements-purchase"), Cell::id(dispute.purchase, purchases::href(dispute.purchase)))
        .fact(t("movements-opened-at"), Cell::Time(dispute.opened_us));
    if dispute.state == ChargebackState::Lost {
        facts = facts
            .fact(t("movements-taken"), Cell::Money(chargeback.taken))
            .fact(t("movements-loss"), Cell::Money(chargeback.loss));
    }
    if dispute.closed_us.is_some() {
        facts = facts.fact(t("movements-closed-at"), Cell::time(dispute.closed_us));
    }
    facts
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let (dispute, chargeback) = load(&visit, &id).await?;
    let own = href(dispute.id);
    let may = dispute.state == ChargebackState::Open && visit.may(ConsoleAction::ChargebackDecide);
    let mut page = Page::new(t("movements-chargeback"))
        .under(t("movements-chargebacks"), LIST)
        .tool(may, t("movements-won"), format!("{own}/won"))
        .tool(may, t("movements-lost"), format!("{own}/lost"))
        .with(facts(&dispute, &chargeback));
    page.subtitle = vec![state(dispute.state), Cell::id(dispute.id, "")];
    let found = match dispute.closing {
        Some(closing) => visit.services().find_transaction(closing).await?,
        None => None,
    };
    if let Some((_, postings)) = found {
        page = page.with(Heading::new(t("movements-postings"))).with(postings_table(&postings));
    }
    let timeline = crate::pages::timeline(&visit, &dispute.purchase.to_string()).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}

/// How a dispute ends.
#[derive(Clone, Copy)]
struct End {
    state: ChargebackState,
    key: &'static str,
    text: &'static str,
    path: &'static str,
}

const WON: End = End { state: ChargebackState::Won, key: "movements-won", text: "movements-won-text", path: "won" };
const LOST: End =
    End { state: ChargebackState::Lost, key: "movements-lost", text: "movements-lost-text", path: "lost" };

/// What the end of a dispute does to the wallet.
async fn end_effect(visit: &Visit, chargeback: &Chargeback, end: End) -> Result<Facts, Fault> {
    let balance = visit.services().load_balance(chargeback.wallet, visit.now_us).await?;
    if end.state != ChargebackState::Lost {
        let after = balance.available().checked_add(chargeback.held).unwrap_or(balance.balance);
        return Ok(Facts::new()
            .fact(t("movements-available"), Cell::Money(balance.available()))
            .fact(t("movements-would-be-free"), Cell::Money(chargeback.held))
            .fact(t("movements-available-after"), Cell::Money(after)));
    }
    // What is held for the dispute is free again before it is taken.
    let there = balance.available().checked_add(chargeback.held).unwrap_or(balance.balance);
    let taken = there.min(chargeback.credits);
    let loss = chargeback.credits.checked_sub(taken).unwrap_or(Credits::ZERO);
    Ok(Facts::new()
        .fact(t("movements-available"), Cell::Money(balance.available()))
        .fact(t("movements-would-be-taken"), Cell::Money(taken))
        .fact(t("movements-would-be-lost"), Cell::Money(loss)))
}

async fn end_page(
    visit: &Visit,
    (dispute, chargeback): &(Dispute, Chargeback),
    end: End,
    typed: &Fields,
    problems: &Problems,
) -> Result<Page, Fault> {
    let mut page = Page::new(t(end.key))
        .under(t("movements-chargebacks"), LIST)
        .under(t("movements-chargeback"), href(dispute.id))
        .with(facts(dispute, chargeback));
    page.subtitle = vec![state(dispute.state), Cell::id(dispute.id, "")];
    if dispute.state != ChargebackState::Open {
        for (_, problem) in problems.all() {
            page = page.with(Notice::new(Tone::Bad, problem));
        }
        return Ok(page.with(Notice::new(Tone::Warn, t("movements-dispute-ended"))));
    }
    let mut form = Form::new(format!("{}/{}", href(dispute.id), end.path), t(end.key))
        .field(Field::line("reason", t("console-reason")).hint(t("movements-dispute-hint")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::ChargebackDecide)
        .cancel(href(dispute.id))
        .previewed()
        .filled(typed, problems)
        .preview(vec![end_effect(visit, chargeback, end).await?.into()]);
    form.is_danger = end.state == ChargebackState::Lost;
    Ok(page.with(Text::new(t(end.text))).with(form))
}

async fn ask_end(visit: Visit, id: &str, end: End) -> Answer {
    let found = load(&visit, id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = end_page(&visit, &found, end, &typed, &Problems::default()).await?;
    visit.show(page).await
}

async fn end(mut visit: Visit, id: &str, payload: Payload, end: End) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let found = load(&visit, id).await?;
    let (dispute, _) = &found;
    let mut problems = Problems::default();
    if done_before(&visit, &fields).await?.is_some() {
        return Ok(visit.go_quietly(&href(dispute.id)));
    }
    let reason = problems.required(&fields, "reason").to_owned();
    if problems.is_empty() && dispute.state == ChargebackState::Open && fields.text("step") != "confirm" {
        let page = end_page(&visit, &found, end, &fields, &problems).await?;
        return visit.show(page).await;
    }
    let amount = Some(dispute.credits.micros());
    let key = problems.key(&fields);
    visit.permit(ConsoleAction::ChargebackDecide, amount, &fields, &mut problems).await?;
    if problems.is_empty() {
        let note = Note { reason: &reason, key: Some(&key) };
        let by = visit.context()?;
        let closed = match end.state {
            ChargebackState::Lost => visit.services().lose_chargeback(&by, dispute.purchase, note).await,
            _ => visit.services().win_chargeback(&by, dispute.purchase, note).await,
        };
        match closed {
            Ok(_closed) => return visit.go(&href(dispute.id), &t("movements-dispute-ended")).await,
            Err(error) => say(&mut problems, "", error)?,
        }
    }
    let page = end_page(&visit, &found, end, &fields, &problems).await?;
    visit.show_refused(page).await
}

async fn ask_won(visit: Visit, id: Path<String>) -> Answer {
    ask_end(visit, &id, WON).await
}

async fn won(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    end(visit, &id, payload, WON).await
}

async fn ask_lost(visit: Visit, id: Path<String>) -> Answer {
    ask_end(visit, &id, LOST).await
}

async fn lost(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    end(visit, &id, payload, LOST).await
}
