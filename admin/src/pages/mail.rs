//! The outbox: what is to be sent, what was, and what nobody would take. Nobody reads an address here, or a link that signs
//! somebody in.

use std::sync::Arc;

use actix_web::web::Path;
use engine::{
    id::MailId,
    policy::console::ConsoleAction,
    service::{
        dashboard::MailQueue,
        outbox::{MAIL_AGES_S, MAIL_ATTEMPTS_MAX, MailAges, MailFilter, MailRow, MailState, MailTemplate},
    },
};

use super::{dashboard::at_least, places};
use crate::{
    console::{Access, Answer, Fault, Fields, ListFile, ListedPage, Route, Visit, csv, get, post},
    kit::{
        Bars, Cell, Choice, Code, Column, Empty, Facts, Field, Filter, Filters, Heading, Link, Measure, Notice, Page,
        Row, Series, Stat, Stats, Table, Text, Tone, instant_text, page_href,
    },
    text::{t, t_with},
};

mod change;
mod trial;

/// Where the list is.
const LIST: &str = "/admin/mail";

pub(super) fn routes() -> Vec<Route> {
    let needs = Access::Needs;
    vec![
        get("/mail", needs(ConsoleAction::MailRead), list).lists(ListFile::At("/mail/export")),
        get("/mail/export", needs(ConsoleAction::ListsExport), export),
        get("/mail/test", needs(ConsoleAction::MailTest), trial::ask),
        post("/mail/test", needs(ConsoleAction::MailTest), trial::send),
        get("/mail/{id}", needs(ConsoleAction::MailRead), show),
        get("/mail/{id}/retry", needs(ConsoleAction::MailRetry), change::ask_retry),
        post("/mail/{id}/retry", needs(ConsoleAction::MailRetry), change::retry),
        get("/mail/{id}/cancel", needs(ConsoleAction::MailCancel), change::ask_cancel),
        post("/mail/{id}/cancel", needs(ConsoleAction::MailCancel), change::cancel),
    ]
}

/// The page of a mail.
fn href(id: MailId) -> String {
    format!("{LIST}/{id}")
}

/// The name of what a mail says.
fn template_text(template: Option<MailTemplate>) -> String {
    template.map_or_else(|| t("mail-unknown"), |template| t(&["mail-template-", template.as_str()].concat()))
}

fn state(mail: &MailRow, now_us: i64) -> Cell {
    if mail.is_on_its_way(now_us) {
        return Cell::state(t("mail-on-its-way"), Tone::Plain);
    }
    let tone = match mail.state {
        MailState::Queued if mail.attempts > 0 => Tone::Warn,
        MailState::Queued | MailState::Cancelled => Tone::Plain,
        MailState::Sent => Tone::Good,
        MailState::Failed => Tone::Bad,
    };
    Cell::state(t(&["mail-state-", mail.state.as_str()].concat()), tone)
}

/// When a mail is tried next, if it is.
const fn next_try(mail: &MailRow) -> Cell {
    match mail.state {
        MailState::Queued => Cell::Time(mail.next_us),
        MailState::Sent | MailState::Failed | MailState::Cancelled => Cell::None,
    }
}

/// What a mail is about, with its page.
fn about(mail: &MailRow) -> Cell {
    let Some((kind, id)) = &mail.about else { return Cell::None };
    let path = match kind.as_str() {
        "account" => format!("/accounts/{id}"),
        "approval" => format!("/approvals/{id}"),
        "checkpoint" => format!("/ledger/checkpoints/{id}"),
        "movement" => format!("/refunds/{id}"),
        "namespace" => format!("/listings/{id}"),
        "operator" => format!("/operators/{id}"),
        "payout" => format!("/payouts/{id}"),
        "purchase" => format!("/purchases/{id}"),
        _ => String::new(),
    };
    Cell::id(id, places::href(&path))
}

/// How many seconds ago a mail that is asked for was written at the latest; `None` if that does not matter.
fn older_than_s(text: &str) -> Option<i64> {
    text.parse().ok().filter(|age_s| MAIL_AGES_S.contains(age_s))
}

fn filter_of(fields: &Fields, now_us: i64) -> MailFilter {
    let before = |age_s: i64| now_us.saturating_sub(age_s.saturating_mul(1_000_000));
    MailFilter {
        state: MailState::from_word(fields.text("state")),
        template: MailTemplate::from_word(fields.text("template")),
        // As accounts and operators have them.
        recipient: fields.text("to").to_ascii_lowercase(),
        before_us: older_than_s(fields.text("older")).map(before),
    }
}

/// One of several, or any.
fn choices(words: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    let any = std::iter::once((String::new(), t("mail-any")));
    any.chain(words).map(|(value, label)| Choice { is_chosen: value == chosen, value, label }).collect()
}

fn filters(visit: &Visit, fields: &Fields) -> Filters {
    let states = MailState::ALL.into_iter().map(|(_, word)| (word.to_owned(), t(&["mail-state-", word].concat())));
    let templates = MailTemplate::ALL.into_iter();
    let templates = templates.map(|(template, word)| (word.to_owned(), template_text(Some(template))));
    let ages =
        MAIL_AGES_S.into_iter().map(|age_s| (age_s.to_string(), t(&["mail-older-", &age_s.to_string()].concat())));
    let fields: Vec<Filter> = vec![
        Field::select("state", t("mail-state"), choices(states, fields.text("state"))),
        Field::select("template", t("mail-template"), choices(templates, fields.text("template"))),
        Field::line("to", t("mail-to-whole")).value(fields.text("to")),
        Field::select("older", t("mail-older"), choices(ages, fields.text("older"))),
    ];
    Filters {
        action: LIST.to_owned(),
        fields,
        all_href: if visit.query.is_empty() { String::new() } else { LIST.to_owned() },
    }
}

/// How many wait, since when, and how many were given up.
fn stats(queue: &MailQueue) -> Stats {
    let stat = |key: &str, value: Cell, state: &str, tone: Tone| Stat {
        label: t(key),
        value,
        note: String::new(),
        href: format!("{LIST}?state={state}"),
        tone,
    };
    let failed = if queue.failed.count > 0 { Tone::Bad } else { Tone::Plain };
    Stats {
        stats: vec![
            stat("mail-queued", at_least(queue.queued), "queued", Tone::Plain),
            stat("mail-oldest", Cell::time(queue.oldest_us), "queued", Tone::Plain),
            stat("mail-failed", at_least(queue.failed), "failed", failed),
        ],
    }
}

/// How long the queue has been waiting.
fn ages(ages: &MailAges) -> Bars {
    let younger = MAIL_AGES_S.iter().map(|age_s| t(&["mail-younger-", &age_s.to_string()].concat()));
    let title = if ages.is_more { "mail-ages-some" } else { "mail-ages" };
    Bars {
        title: t(title),
        measure: Measure::Number,
        labels: younger.chain([t("mail-eldest")]).collect(),
        series: vec![Series { label: t("mail-title"), class: "s1", values: ages.counts.to_vec() }],
        ..Bars::default()
    }
}

fn table(visit: &Visit, rows: &[MailRow], next: Option<&str>) -> Table {
    let row = |mail: &MailRow| {
        let cells = vec![
            Cell::id(mail.id, href(mail.id)),
            state(mail, visit.now_us),
            Cell::text(template_text(mail.template)),
            Cell::text(&mail.recipient),
            about(mail),
            Cell::Number(i64::from(mail.attempts)),
            next_try(mail),
            Cell::maybe(mail.last_error.clone()),
            Cell::Time(mail.created_us),
        ];
        Row::new(href(mail.id), cells)
    };
    Table {
        caption: t("mail-title"),
        columns: vec![
            Column::new(t("mail-id")),
            Column::new(t("mail-state")),
            Column::new(t("mail-template")),
            Column::new(t("mail-to")),
            Column::new(t("mail-about")),
            Column::right(t("mail-attempts")),
            Column::new(t("mail-next")),
            Column::new(t("mail-error")),
            Column::new(t("mail-written")),
        ],
        rows: rows.iter().map(row).collect(),
        first: visit.first_href(LIST),
        next: next.map_or_else(String::new, |next| page_href(LIST, &visit.query, "after", next)),
        exports: visit.file_links(ConsoleAction::ListsExport, &format!("{LIST}/export")),
        empty: Some(Empty {
            text: t("mail-empty"),
            command: "tollgate account create --email someone@example.com --unverified".to_owned(),
            link: visit.may(ConsoleAction::MailTest).then(|| Link::new(t("mail-test"), format!("{LIST}/test"))),
        }),
        ..Table::default()
    }
}

/// The list as a file; of whoever it goes to as much as the page shows.
async fn export(visit: Visit) -> Answer {
    let filter = Arc::new(filter_of(&Fields::parse(&visit.query)?, visit.now_us));
    let columns = [
        "mail",
        "state",
        "template",
        "to",
        "about_kind",
        "about",
        "attempts",
        "next_try",
        "last_error",
        "written",
        "sent",
    ];
    let reader = visit.clone();
    csv(&visit, "mail", &columns, move |after| -> ListedPage {
        let (visit, filter) = (reader.clone(), Arc::clone(&filter));
        Box::pin(async move {
            let listed = visit.services().list_mail(&filter, after).await?;
            Ok((listed.rows.iter().map(csv_row).collect(), listed.next.and_then(|next| next.parse().ok())))
        })
    })
    .await
}

fn csv_row(mail: &MailRow) -> Vec<String> {
    let (kind, about) = mail.about.clone().unwrap_or_default();
    let next_us = (mail.state == MailState::Queued).then_some(mail.next_us);
    vec![
        mail.id.to_string(),
        mail.state.as_str().to_owned(),
        mail.template.map(|template| template.as_str().to_owned()).unwrap_or_default(),
        mail.recipient.clone(),
        kind,
        about,
        mail.attempts.to_string(),
        next_us.map(instant_text).unwrap_or_default(),
        mail.last_error.clone().unwrap_or_default(),
        instant_text(mail.created_us),
        mail.sent_us.map(instant_text).unwrap_or_default(),
    ]
}

async fn list(visit: Visit) -> Answer {
    let fields = Fields::parse(&visit.query)?;
    let services = visit.services();
    let listed = services.list_mail(&filter_of(&fields, visit.now_us), fields.cursor()?).await?;
    let queue = services.load_mail_queue().await?;
    let mut page = Page::new(t("mail-title"))
        .tool(visit.may(ConsoleAction::MailTest), t("mail-test"), format!("{LIST}/test"))
        .with(stats(&queue));
    if queue.queued.count > 0 {
        page = page.with(ages(&services.load_mail_ages(visit.now_us).await?));
    }
    let table = table(&visit, &listed.rows, listed.next.as_deref());
    visit.show(page.with(filters(&visit, &fields)).with(table)).await
}

async fn load(visit: &Visit, id: &str) -> Result<MailRow, Fault> {
    let id: MailId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    visit.services().find_mail(id).await?.ok_or(Fault::NotFound)
}

fn facts(mail: &MailRow) -> Facts {
    let tries = [("attempts", mail.attempts.into()), ("most", MAIL_ATTEMPTS_MAX.into())];
    let mut facts = Facts::new()
        .fact(t("mail-to"), Cell::text(&mail.recipient))
        .fact(t("mail-template"), Cell::text(template_text(mail.template)))
        .fact(t("mail-about"), about(mail))
        .fact(t("mail-attempts"), Cell::text(t_with("mail-attempts-of", &tries)))
        .fact(t("mail-error"), Cell::maybe(mail.last_error.clone()))
        .fact(t("mail-written"), Cell::Time(mail.created_us));
    if mail.state == MailState::Queued {
        facts = facts.fact(t("mail-next"), next_try(mail));
    }
    if mail.sent_us.is_some() {
        facts = facts.fact(t("mail-sent"), Cell::time(mail.sent_us));
    }
    facts
}

/// What a mail says, as text: its HTML is shown and not carried out.
async fn with_text(visit: &Visit, page: Page, mail: &MailRow) -> Result<Page, Fault> {
    let readable = match visit.services().find_readable_mail(mail.id).await {
        Ok(readable) => readable,
        // What it is about is not there: the rest of the page is worth showing.
        Err(engine::store::StoreError::Inconsistent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let written = readable.and_then(|readable| visit.console().door.write_out(&readable).ok());
    let page = page.with(Heading::new(t("mail-text")));
    let Some(written) = written else { return Ok(page.with(Text::new(t("mail-text-gone")))) };
    let page = if mail.template.is_some_and(MailTemplate::holds_secret) {
        page.with(Notice::new(Tone::Plain, t("mail-text-masked")))
    } else {
        page
    };
    let code = |key: &str, text: String| Code { caption: t(key), text, is_copied: false };
    let subject = Facts::new().fact(t("mail-subject"), Cell::text(written.subject));
    Ok(page.with(subject).with(code("mail-plain", written.plain)).with(code("mail-html", written.html)))
}

async fn show(visit: Visit, id: Path<String>) -> Answer {
    let mail = load(&visit, &id).await?;
    let own = href(mail.id);
    let may_retry = mail.can_be_retried(visit.now_us) && visit.may(ConsoleAction::MailRetry);
    let may_cancel = mail.can_be_cancelled(visit.now_us) && visit.may(ConsoleAction::MailCancel);
    let mut page = Page::new(template_text(mail.template))
        .under(t("mail-title"), LIST)
        .tool(may_retry, t("mail-retry"), format!("{own}/retry"))
        .tool(may_cancel, t("mail-cancel"), format!("{own}/cancel"))
        .with(facts(&mail));
    page.subtitle = vec![state(&mail, visit.now_us), Cell::id(mail.id, "")];
    let page = with_text(&visit, page, &mail).await?;
    let timeline = super::timeline(&visit, &mail.id.to_string()).await?;
    visit.show(page.with(Heading::new(t("console-timeline"))).with(timeline)).await
}

#[cfg(test)]
mod tests;
