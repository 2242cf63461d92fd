//! Paying publishers, and partners their margin: what there is to pay, each payout with its statement.

use actix_web::web::{Path, Payload};
use engine::{
    credits::Credits,
    id::EntryId,
    policy::console::ConsoleAction,
    service::{
        accounts::is_email,
        approvals::{Deed, Weight},
        movements::{MovementError, PaidOut, PaidPayee, Payee, PayeeBalance, PayeeKind, PayoutRehearsal},
    },
};

use super::{Said, check_limit, do_or_ask, done_before, export, four_eyes, postings_table, say, weigh};
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, Problems, Route, Visit, get, post},
    kit::{
        Block, Cell, Column, Control, Empty, Facts, Field, Form, Heading, Link, Notice, Page, Row, Table, Tone,
        page_href,
    },
    text::{said::Said as _, t, t_with},
};

/// Where payouts are listed.
pub(super) const LIST: &str = "/admin/payouts";
/// The view of what partners have earned, in addresses.
const PARTNERS: &str = "partners";
/// The same of publishers, in the address of the file: the list is that unless something else is asked for.
const PUBLISHERS: &str = "publishers";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/payouts", needs(ConsoleAction::MovementsRead), list).lists(ListFile::At("/payouts/export")),
        get("/payouts/export", needs(ConsoleAction::ListsExport), export_list),
        get("/payouts/new", needs(ConsoleAction::PayoutCreate), ask),
        post("/payouts/new", needs(ConsoleAction::PayoutCreate), pay),
        get("/payouts/{id}", needs(ConsoleAction::MovementsRead), show),
    ]
}

/// The page of a payout.
pub(super) fn href(id: EntryId) -> String {
    format!("{LIST}/{id}")
}

fn tabs(view: &str) -> Vec<Link> {
    let views = [
        ("", "movements-payees-publishers"),
        ("partners", "movements-payees-partners"),
        ("paid", "movements-paid-out"),
    ];
    let tab = |(word, key): (&str, &str)| {
        let href = if word.is_empty() { LIST.to_owned() } else { format!("{LIST}?view={word}") };
        Link::new(t(key), if word == view { String::new() } else { href })
    };
    views.into_iter().map(tab).collect()
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let view = fields.text("view");
    let mut page = Page::new(t("movements-payouts"));
    page.tabs = tabs(view);
    let table = if view == "paid" { paid_table(&visit, &fields).await? } else { payee_table(&visit, &fields).await? };
    visit.show(page.with(table)).await
}

async fn payee_table(visit: &Visit, fields: &Fields) -> Result<Table, Fault> {
    let kind = if fields.text("view") == PARTNERS { PayeeKind::Partners } else { PayeeKind::Publishers };
    let listed = visit.services().list_payees(kind, fields.cursor()?).await?;
    let may = visit.may(ConsoleAction::PayoutCreate);
    let row = |balance: &PayeeBalance| {
        let payee = &balance.payee;
        let pay = format!("{LIST}/new?payee={}", payee.id);
        let cells = vec![
            Cell::text(&payee.name),
            Cell::Money(balance.payable),
            Cell::Money(balance.owed),
            Cell::Money(balance.due()),
            if may { Cell::link(t("movements-pay"), pay.clone()) } else { Cell::None },
            Cell::link(t("movements-paid-out"), format!("{LIST}?view=paid&payee={}", payee.id)),
        ];
        Row::new(if may { pay } else { String::new() }, cells)
    };
    let view = if kind == PayeeKind::Partners { PARTNERS } else { PUBLISHERS };
    let file = || Link::new(t("movements-export"), format!("{LIST}/export?view={view}"));
    Ok(Table {
        caption: t("movements-payables"),
        columns: vec![
            Column::new(t("movements-payee")),
            Column::right(t("movements-payable")),
            Column::right(t("movements-owed")),
            Column::right(t("movements-due")),
            Column::new(t("movements-pay")),
            Column::new(t("movements-history")),
        ],
        rows: listed.rows.iter().map(row).collect(),
        first: visit.first_href(LIST),
        next: listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next)),
        exports: visit.may(ConsoleAction::ListsExport).then(file).into_iter().collect(),
        empty: Some(Empty {
            text: t("movements-payees-empty"),
            command: "tollgate apply --config tollgate.json5".to_owned(),
            link: None,
        }),
        ..Table::default()
    })
}

/// Whose payouts are asked for; `None`: everybody's.
async fn wanted_payee(visit: &Visit, fields: &Fields) -> Result<Option<Payee>, Fault> {
    match fields.text("payee") {
        "" => Ok(None),
        text => match visit.services().find_payee(text).await {
            Ok(payee) => Ok(Some(payee)),
            Err(MovementError::Store(error)) => Err(error.into()),
            Err(_nobody) => Err(Fault::NotFound),
        },
    }
}

async fn paid_table(visit: &Visit, fields: &Fields) -> Result<Table, Fault> {
    let payee = wanted_payee(visit, fields).await?;
    let listed = visit.services().list_payouts(payee.as_ref(), fields.cursor()?).await?;
    let row = |paid: &PaidPayee| {
        let movement = &paid.movement;
        let cells = vec![
            Cell::link(&paid.name, href(movement.id)),
            Cell::Money(paid.paid),
            Cell::Money(paid.netted),
            Cell::text(&movement.reason),
            Cell::Time(movement.created_us),
            Cell::id(movement.id, href(movement.id)),
        ];
        Row::new(href(movement.id), cells)
    };
    let mut table = Table {
        caption: t("movements-paid-out"),
        columns: vec![
            Column::new(t("movements-payee")),
            Column::right(t("movements-paid")),
            Column::right(t("movements-netted")),
            Column::new(t("movements-reason")),
            Column::new(t("movements-when")),
            Column::new(t("movements-id")),
        ],
        rows: listed.rows.iter().map(row).collect(),
        first: visit.first_href(LIST),
        next: listed.next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("movements-paid-empty"),
            command: "tollgate payout acme --reason \"bank reference\"".to_owned(),
            link: None,
        }),
        ..Table::default()
    };
    if visit.may(ConsoleAction::ListsExport) {
        let href = page_href(&format!("{LIST}/export"), &visit.query, "after", "");
        table.exports.push(Link::new(t("movements-export"), href));
    }
    Ok(table)
}

/// What there is to pay, as a file.
async fn export_payees(visit: Visit, kind: PayeeKind) -> Answer {
    let columns = ["payee", "name", "payable", "owed", "due"];
    export::answer(visit, "payees", &columns, move |visit, after| async move {
        let listed = visit.services().list_payees(kind, after).await?;
        Ok(listed.map(|balance| {
            vec![
                balance.payee.id.clone(),
                balance.payee.name.clone(),
                balance.payable.to_string(),
                balance.owed.to_string(),
                balance.due().to_string(),
            ]
        }))
    })
    .await
}

/// The view as a file: what was paid, unless it is asked what there is to pay.
async fn export_list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    match fields.text("view") {
        PARTNERS => return export_payees(visit, PayeeKind::Partners).await,
        PUBLISHERS => return export_payees(visit, PayeeKind::Publishers).await,
        _ => {}
    }
    let payee = wanted_payee(&visit, &fields).await?;
    let columns = ["id", "payee", "name", "paid", "netted", "reason", "created_at"];
    export::answer(visit, "payouts", &columns, move |visit, after| {
        let payee = payee.clone();
        async move {
            let listed = visit.services().list_payouts(payee.as_ref(), after).await?;
            Ok(listed.map(|paid| {
                vec![
                    paid.movement.id.to_string(),
                    paid.movement.subject,
                    paid.name,
                    paid.paid.to_string(),
                    paid.netted.to_string(),
                    paid.movement.reason,
                    export::moment(Some(paid.movement.created_us)),
                ]
            }))
        }
    })
    .await
}

/// A payout's statement, from the payout before to this one.
fn statement(paid: &PaidOut) -> Facts {
    Facts::new()
        .fact(t("movements-opening"), Cell::Money(paid.opening))
        .fact(t("movements-earned"), Cell::Money(paid.earned))
        .fact(t("movements-taken-back"), Cell::Money(paid.taken_back))
        .fact(t("movements-netted"), Cell::Money(paid.netted))
        .fact(t("movements-paid"), Cell::Money(paid.paid))
        .fact(t("movements-closing"), Cell::Money(paid.closing))
        .fact(t("movements-owed"), Cell::Money(paid.owed))
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let id: EntryId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    let found = match visit.services().find_payout(id).await {
        Ok(found) => found,
        Err(MovementError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(Fault::Broken(error.to_string())),
    };
    let (movement, payee, paid) = found.ok_or(Fault::NotFound)?;
    let facts = Facts::new()
        .fact(t("movements-payee"), Cell::link(&payee.name, format!("{LIST}?view=paid&payee={}", payee.id)))
        .fact(t("movements-reason"), Cell::text(&movement.reason))
        .fact(t("movements-when"), Cell::Time(movement.created_us));
    let mut page = Page::new(t_with("movements-payout-to", &[("name", payee.name.clone().into())]))
        .under(t("movements-payouts"), LIST)
        .with(facts)
        .with(Heading::new(t("movements-statement")))
        .with(statement(&paid));
    page.subtitle = vec![Cell::id(id, "")];
    if let Some((_, postings)) = visit.services().find_transaction(id).await? {
        page = page.with(Heading::new(t("movements-postings"))).with(postings_table(&postings));
    }
    let timeline = crate::pages::timeline(&visit, &payee.id).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}

/// The statement that a payout would have, and its postings.
pub(in crate::pages) fn payout_effect(rehearsal: &PayoutRehearsal) -> Vec<Block> {
    vec![statement(&rehearsal.statement).into(), postings_table(&rehearsal.postings).into()]
}

/// What is known of the form that is shown.
#[derive(Default)]
struct Seen {
    balance: Option<PayeeBalance>,
    rehearsal: Option<PayoutRehearsal>,
    weight: Option<Weight>,
}

/// What a form has shown: what is paid and kept has to be that. What is earned in the meantime does not matter.
fn shown(payee: &Payee, rehearsal: &PayoutRehearsal) -> String {
    format!("{} {} {}", payee.id, rehearsal.statement.paid.micros(), rehearsal.statement.netted.micros())
}

fn page(visit: &Visit, seen: &Seen, typed: &Fields, problems: &Problems) -> Page {
    let mut page = Page::new(t("movements-pay")).under(t("movements-payouts"), LIST);
    let due = seen.balance.as_ref().map(PayeeBalance::due).filter(|due| !due.is_zero());
    if let Some(balance) = &seen.balance {
        let facts = Facts::new()
            .fact(t("movements-payee"), Cell::text(&balance.payee.name))
            .fact(t("movements-payable"), Cell::Money(balance.payable))
            .fact(t("movements-owed"), Cell::Money(balance.owed))
            .fact(t("movements-due"), Cell::Money(balance.due()));
        page = page.with(facts);
        if balance.payable.is_zero() {
            return page.with(Notice::new(Tone::Warn, t("movements-nothing-due")));
        }
    }
    let mut form = Form::new(format!("{LIST}/new"), t("movements-pay"))
        .field(Field::line("payee", t("movements-payee")).hint(t("movements-payee-hint")).required())
        .field(
            Field::amount("credits", t("movements-credits"))
                .hint(t("movements-payout-hint"))
                .value(due.map(|due| due.to_string()).unwrap_or_default()),
        )
        .field(Field::line("reason", t("console-reason")).hint(t("movements-payout-reason-hint")).required())
        .field(Field::line("tell", t("movements-payout-tell")).hint(t("movements-payout-tell-hint")))
        .once(visit);
    if let Some(rehearsal) = &seen.rehearsal {
        let mut effect = payout_effect(rehearsal);
        effect.extend(seen.weight.and_then(four_eyes));
        form = form.step_up(visit, ConsoleAction::PayoutCreate).preview(effect);
    }
    let mut form = form.cancel(LIST).previewed().filled(typed, problems);
    if let (Some(balance), Some(rehearsal)) = (&seen.balance, &seen.rehearsal) {
        form = form.field(Field::new("shown", "", Control::Hidden).value(shown(&balance.payee, rehearsal)));
    }
    page.with(form)
}

async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let balance = match wanted_payee(&visit, &typed).await? {
        Some(payee) => Some(visit.services().load_payee_balance(&payee).await?),
        None => None,
    };
    let seen = Seen { balance, ..Seen::default() };
    visit.show(page(&visit, &seen, &typed, &Problems::default())).await
}

/// Looks at what was typed and has it worked out.
async fn rehearse(visit: &Visit, fields: &Fields, problems: &mut Problems) -> Result<Seen, Fault> {
    let mut seen = Seen::default();
    let name = problems.required(fields, "payee");
    if !name.is_empty() {
        match visit.services().find_payee(name).await {
            Ok(payee) => seen.balance = Some(visit.services().load_payee_balance(&payee).await?),
            Err(MovementError::Store(error)) => return Err(error.into()),
            Err(error) => problems.add("payee", error.said()),
        }
    }
    let credits = asked_for(fields, problems);
    problems.required(fields, "reason");
    if let (true, Some(balance)) = (problems.is_empty(), &seen.balance) {
        match visit.services().rehearse_payout(&balance.payee, credits).await {
            Ok(rehearsal) => {
                let weight = weigh(visit, &deed(&balance.payee, &rehearsal, &Fields::default())).await?;
                check_limit(visit, ConsoleAction::PayoutCreate, weight.total(), "credits", problems);
                seen.weight = Some(weight);
                seen.rehearsal = Some(rehearsal);
            }
            Err(error) => say(problems, "credits", error)?,
        }
    }
    Ok(seen)
}

/// What is paid is what was shown, also by whoever approves it later. Only a debt may be kept without anything being paid.
fn deed(payee: &Payee, rehearsal: &PayoutRehearsal, fields: &Fields) -> Deed {
    let credits = Some(rehearsal.statement.paid).filter(|paid| !paid.is_zero());
    let tell = Some(fields.text("tell").to_owned()).filter(|address| !address.is_empty());
    Deed::PayoutCreate { payee: payee.id.clone(), credits, tell, reason: fields.text("reason").to_owned() }
}

/// How much is to be paid; `None`: all there is.
fn asked_for(fields: &Fields, problems: &mut Problems) -> Option<Credits> {
    if fields.text("credits").is_empty() { None } else { problems.amount(fields, "credits") }
}

async fn pay(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    if let Some(done) = done_before(&visit, &fields).await? {
        return Ok(visit.go_quietly(&href(done)));
    }
    let seen = rehearse(&visit, &fields, &mut problems).await?;
    let tell = fields.text("tell");
    if !tell.is_empty() && !is_email(tell) {
        problems.add("tell", t("movements-payout-tell-wrong"));
    }
    let is_confirmed = fields.text("step") == "confirm";
    if let (true, Some(balance), Some(rehearsal)) = (is_confirmed, &seen.balance, &seen.rehearsal) {
        if fields.text("shown") != shown(&balance.payee, rehearsal) {
            problems.add("", t("movements-stale"));
        }
        let total = seen.weight.map(|weight| weight.total().micros());
        let key = problems.key(&fields);
        visit.permit(ConsoleAction::PayoutCreate, total, &fields, &mut problems).await?;
        if problems.is_empty() {
            let said = Said { reason: fields.text("reason"), key: &key };
            let deed = deed(&balance.payee, rehearsal, &fields);
            if let Some(answer) = do_or_ask(&visit, &deed, said, &mut problems).await? {
                return Ok(answer);
            }
        }
    }
    let page = page(&visit, &seen, &fields, &problems);
    if problems.is_empty() { visit.show(page).await } else { visit.show_refused(page).await }
}
