//! Webhooks of a partner: where it is told besides by mail, and what became of what was sent there.

use actix_web::web::{Path, Payload};
use engine::{
    id::WebhookId,
    limits::WEBHOOKS_MAX,
    policy::console::ConsoleAction,
    service::partners::{PartnerProfile, Webhook, WebhookError, WebhookNote},
};
use secrecy::ExposeSecret as _;

use super::{below, deliveries, href, load, tabs, tools};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Column, Control, Empty, Facts, Field, Form, Heading, Link, Page, Row, Secret, Table, Text},
    text::{said::Said as _, t, t_with},
};

pub(super) fn list_href(partner: &PartnerProfile) -> String {
    format!("{}/webhooks", href(partner.id))
}

pub(super) fn hook_href(partner: &PartnerProfile, id: WebhookId) -> String {
    format!("{}/{id}", list_href(partner))
}

async fn table(visit: &Visit, partner: &PartnerProfile) -> Result<Table, Fault> {
    let hooks = visit.services().list_webhooks(partner.id).await?;
    let rows = hooks.iter().map(|hook| {
        let own = hook_href(partner, hook.id);
        let cells = vec![Cell::link(hook.shown_url(), own.clone()), Cell::id(hook.id, ""), Cell::Time(hook.created_us)];
        Row::new(own, cells)
    });
    Ok(Table {
        caption: t("partners-hooks"),
        columns: ["partners-hook-url", "partners-hook-id", "partners-created"].map(|key| Column::new(t(key))).into(),
        rows: rows.collect(),
        empty: Some(Empty {
            text: t("partners-hooks-empty"),
            command: "curl -H 'Authorization: Bearer faro_partner_…' …/partners/webhooks \
                      -d '{\"url\": \"https://hooks.example.com/\"}'"
                .to_owned(),
            link: None,
        }),
        ..Table::default()
    })
}

/// All webhooks, and the form that makes one.
async fn page(visit: &Visit, partner: &PartnerProfile, (typed, problems): (&Fields, &Problems)) -> Result<Page, Fault> {
    let mut page = below(partner, t("partners-hooks")).with(table(visit, partner).await?);
    page.tabs = tabs(partner, "/webhooks");
    page.tools = tools(visit, partner);
    if !visit.may(ConsoleAction::PartnerWebhook) {
        return Ok(page);
    }
    let url = Field::new("url", t("partners-hook-url"), Control::Line("url"));
    let form = Form::new(list_href(partner), t("partners-hook-new"))
        .field(url.hint(t("partners-hook-url-hint")).required())
        .field(Field::line("reason", t("console-reason")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::PartnerWebhook)
        .cancel(href(partner.id))
        .filled(typed, problems);
    let text = t_with("partners-hook-text", &[("most", WEBHOOKS_MAX.into())]);
    Ok(page.with(Heading::new(t("partners-hook-new"))).with(Text::new(text)).with(form))
}

pub(super) async fn list(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &partner, (&typed, &Problems::default())).await?;
    visit.show(page).await
}

/// Makes a webhook. Its secret stands in this answer and nowhere else: not in the address, not in the session.
pub(super) async fn add(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let partner = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let url = problems.required(&fields, "url").to_owned();
    let reason = problems.required(&fields, "reason").to_owned();
    problems.key(&fields);
    visit.permit(ConsoleAction::PartnerWebhook, None, &fields, &mut problems).await?;
    // Names are only looked up for who may make one.
    if problems.is_empty()
        && let Err(why) = visit.console().door.check_hook(url.clone()).await
    {
        problems.add("url", t_with("partners-hook-refused", &[("why", why.into())]));
    }
    if problems.is_empty() && !visit.console().door.signs_hooks() {
        problems.add("", t("partners-hook-no-key"));
    }
    if problems.is_empty() {
        let note = WebhookNote { reason: Some(&reason), key: fields.key() };
        match visit.services().create_webhook(&visit.context()?, partner.id, &url, note).await {
            Ok((hook, true)) => return visit.show(shown_once(&visit, &partner, &hook)).await,
            // The secret was shown then.
            Ok((_, false)) | Err(WebhookError::MadeBefore(_)) => problems.add("", t("partners-hook-made-before")),
            Err(WebhookError::Store(error)) => return Err(error.into()),
            Err(WebhookError::NotFound) => return Err(Fault::NotFound),
            Err(error @ WebhookError::TooMany) => problems.add("", error.said()),
        }
    }
    let page = page(&visit, &partner, (&fields, &problems)).await?;
    visit.show_refused(page).await
}

/// The only page of the console that ever shows the secret.
fn shown_once(visit: &Visit, partner: &PartnerProfile, hook: &Webhook) -> Page {
    // There was a key when it was made.
    let secret = visit.console().door.hook_secret(hook.id).unwrap_or_default();
    let mut page = below(partner, t("partners-hook-made"))
        .under(t("partners-hooks"), list_href(partner))
        .with(Secret { text: t("partners-hook-secret"), secret: secret.expose_secret().to_owned() })
        .with(Facts::new().fact(t("partners-hook-url"), Cell::Mono(hook.shown_url())));
    page.tools.push(Link::new(t("partners-token-kept"), hook_href(partner, hook.id)));
    page
}

/// The webhook that the path names, if it is there.
async fn find(visit: &Visit, partner: &PartnerProfile, id: &str) -> Result<Option<Webhook>, Fault> {
    let id: WebhookId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    Ok(visit.services().find_webhook(partner.id, id).await?)
}

fn facts(hook: &Webhook) -> Facts {
    Facts::new()
        .fact(t("partners-hook-url"), Cell::Mono(hook.shown_url()))
        .fact(t("partners-created"), Cell::Time(hook.created_us))
}

pub(super) async fn show(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, hook) = path.into_inner();
    let partner = load(&visit, &id).await?;
    let hook = find(&visit, &partner, &hook).await?.ok_or(Fault::NotFound)?;
    let own = hook_href(&partner, hook.id);
    let sent = deliveries::of_hook(&visit, &partner, &hook).await?;
    let timeline = crate::pages::timeline(&visit, &hook.id.to_string()).await?;
    let mut page = below(&partner, t("partners-hook"))
        .under(t("partners-hooks"), list_href(&partner))
        .tool(visit.may(ConsoleAction::PartnerWebhook), t("partners-hook-remove"), format!("{own}/remove"))
        .with(facts(&hook))
        .with(Heading::new(t("partners-deliveries")))
        .with(sent)
        .with(Heading::new(t("console-timeline")))
        .with(timeline);
    page.subtitle = vec![Cell::id(hook.id, "")];
    visit.show(page).await
}

fn remove_page(
    visit: &Visit,
    (partner, hook): (&PartnerProfile, &Webhook),
    (typed, problems): (&Fields, &Problems),
) -> Page {
    let own = hook_href(partner, hook.id);
    let form = Form::new(format!("{own}/remove"), t("partners-hook-remove"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::PartnerWebhook)
        .danger()
        .cancel(own.clone())
        .filled(typed, problems);
    below(partner, t("partners-hook-remove"))
        .under(t("partners-hooks"), list_href(partner))
        .under(t("partners-hook"), own)
        .with(Text::new(t("partners-hook-remove-text")))
        .with(facts(hook))
        .with(form)
}

pub(super) async fn ask_remove(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, hook) = path.into_inner();
    let partner = load(&visit, &id).await?;
    let hook = find(&visit, &partner, &hook).await?.ok_or(Fault::NotFound)?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(remove_page(&visit, (&partner, &hook), (&typed, &Problems::default()))).await
}

pub(super) async fn remove(mut visit: Visit, path: Path<(String, String)>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let (id, hook) = path.into_inner();
    let partner = load(&visit, &id).await?;
    let list = list_href(&partner);
    // Somebody else has done it, or the same form was sent before.
    let Some(hook) = find(&visit, &partner, &hook).await? else {
        return visit.go(&list, &t("console-already")).await;
    };
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::PartnerWebhook, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let done = visit.services().remove_webhook(&visit.context()?, partner.id, hook.id, Some(&reason)).await;
        return match done {
            Ok(()) => visit.go(&list, &t("partners-hook-removed")).await,
            Err(WebhookError::Store(error)) => Err(error.into()),
            Err(_gone) => visit.go(&list, &t("console-already")).await,
        };
    }
    visit.show_refused(remove_page(&visit, (&partner, &hook), (&fields, &problems))).await
}
