//! Thresholds of a partner's limits: when a part of a limit is spent, the partner is told, once in every window.

use std::collections::HashMap;

use actix_web::web::{Path, Payload};
use engine::{
    id::{CapAlertId, TokenId},
    ledger::caps::CapWindow,
    policy::console::ConsoleAction,
    service::{
        caps::{CapHolder, PartnerHolder},
        partners::{CapAlert, CapAlertError, NewCapAlert, PartnerProfile},
    },
};

use super::{below, holder, href, load, tabs, tools};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Choice, Column, Control, Empty, Facts, Field, Form, Heading, Page, Row, Table, Text, page_href},
    pages::access::caps::{self, Target, WHOLE, window_name},
    text::{said::Said as _, t},
};

/// The windows in which something is counted, in the order of forms.
const WINDOWS: [CapWindow; 3] = [CapWindow::Day, CapWindow::Month, CapWindow::Total];

fn list_href(partner: &PartnerProfile) -> String {
    format!("{}/alerts", href(partner.id))
}

/// Whose spending a threshold is about.
fn whose(partner: &PartnerProfile, alert: &CapAlert, tokens: &HashMap<TokenId, String>) -> Cell {
    match alert.holder {
        CapHolder::Partner(_) | CapHolder::Account(_) => Cell::text(t("partners-cap-of-partner")),
        CapHolder::EachEndUser(_) => Cell::text(t("partners-cap-of-each")),
        CapHolder::EndUser(id) => Cell::id(id, format!("{}/users/{id}", href(partner.id))),
        CapHolder::Token(id) => match tokens.get(&id) {
            Some(name) => Cell::text(crate::text::t_with("partners-cap-of-token", &[("name", name.as_str().into())])),
            None => Cell::id(id, ""),
        },
    }
}

async fn token_names(visit: &Visit, partner: &PartnerProfile) -> Result<HashMap<TokenId, String>, Fault> {
    let tokens = visit.services().list_owned_tokens(partner.id.into()).await?;
    Ok(tokens.into_iter().map(|token| (token.id, token.name)).collect())
}

/// How much of a limit a threshold is, as people write it.
fn percent(alert: &CapAlert) -> Cell {
    Cell::text(format!("{} %", alert.percent))
}

/// The thresholds of the page that the address names.
async fn table(visit: &Visit, partner: &PartnerProfile) -> Result<Table, Fault> {
    let after = Fields::parse(&visit.query)?.cursor()?;
    let listed = visit.services().list_cap_alerts(partner.id, after).await?;
    let tokens = token_names(visit, partner).await?;
    let (own, may_change) = (list_href(partner), visit.may(ConsoleAction::PartnerAlert));
    let rows = listed.rows.iter().map(|alert| {
        let remove = Cell::link(t("partners-alert-remove"), format!("{own}/{}/remove", alert.id));
        let cells = vec![
            whose(partner, alert, &tokens),
            Cell::text(window_name(alert.window)),
            percent(alert),
            Cell::maybe(alert.email.as_deref()),
            Cell::Time(alert.created_us),
            if may_change { remove } else { Cell::None },
        ];
        Row::new("", cells)
    });
    Ok(Table {
        caption: t("partners-alerts"),
        columns: vec![
            Column::new(t("partners-cap-whom")),
            Column::new(t("partners-cap-window")),
            Column::new(t("partners-alert-percent")),
            Column::new(t("partners-alert-email")),
            Column::new(t("partners-created")),
            Column::new(t("partners-cap-change")),
        ],
        rows: rows.collect(),
        first: visit.first_href(&own),
        next: listed.next.map_or_else(String::new, |next| page_href(&own, &visit.query, "after", &next)),
        empty: Some(Empty {
            text: t("partners-alerts-empty"),
            command: "curl -H 'Authorization: Bearer faro_partner_…' …/partners/alerts \
                      -d '{\"applies_to\": \"partner\", \"window\": \"month\", \"percent\": 80}'"
                .to_owned(),
            link: None,
        }),
        ..Table::default()
    })
}

/// All thresholds, and the form that sets one.
async fn page(visit: &Visit, partner: &PartnerProfile, (typed, problems): (&Fields, &Problems)) -> Result<Page, Fault> {
    let mut page = below(partner, t("partners-alerts")).with(table(visit, partner).await?);
    page.tabs = tabs(partner, "/alerts");
    page.tools = tools(visit, partner);
    if !visit.may(ConsoleAction::PartnerAlert) {
        return Ok(page);
    }
    let targets = caps::targets(visit, &holder(visit, partner), typed.text("of")).await?;
    let whom = targets.iter().map(|target| Choice {
        value: target.code.clone(),
        label: target.label.clone(),
        is_chosen: target.code == WHOLE,
    });
    let windows = WINDOWS.iter().map(|window| Choice {
        value: window.as_str().to_owned(),
        label: window_name(*window),
        is_chosen: *window == CapWindow::Month,
    });
    let email = Field::new("email", t("partners-alert-email"), Control::Line("email"));
    let form = Form::new(list_href(partner), t("partners-alert-set"))
        .field(Field::select("of", t("partners-cap-whom"), whom.collect()))
        .field(Field::select("window", t("partners-cap-window"), windows.collect()))
        .field(Field::line("percent", t("partners-alert-percent")).hint(t("partners-alert-percent-hint")).required())
        .field(email.hint(t("partners-alert-email-hint")))
        .field(Field::line("reason", t("console-reason")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::PartnerAlert)
        .cancel(href(partner.id))
        .filled(typed, problems);
    Ok(page.with(Heading::new(t("partners-alert-set"))).with(Text::new(t("partners-alert-text"))).with(form))
}

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let partner = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &partner, (&typed, &Problems::default())).await?;
    visit.show(page).await
}

/// Whose spending is meant, as the use case knows it: of an end user with the partner's own name for it.
async fn meant(
    visit: &Visit,
    partner: &PartnerProfile,
    fields: &Fields,
    problems: &mut Problems,
) -> Result<Option<(CapHolder, String)>, Fault> {
    let code = fields.text("of");
    let targets = caps::targets(visit, &holder(visit, partner), code).await?;
    let Some(Target { holder, .. }) = targets.into_iter().find(|target| target.code == code) else {
        problems.add("of", t("partners-cap-nobody"));
        return Ok(None);
    };
    let name = match holder {
        CapHolder::EndUser(id) => {
            visit.services().find_end_user_of(partner.id, id).await?.map_or_else(String::new, |user| user.external_id)
        }
        _ => String::new(),
    };
    Ok(Some((holder, name)))
}

fn whom(holder: CapHolder, name: &str) -> PartnerHolder<'_> {
    match holder {
        CapHolder::EachEndUser(_) => PartnerHolder::EachEndUser,
        CapHolder::EndUser(_) => PartnerHolder::EndUser(name),
        CapHolder::Token(id) => PartnerHolder::Token(id),
        CapHolder::Partner(_) | CapHolder::Account(_) => PartnerHolder::Itself,
    }
}

/// Says what is wrong with a threshold, beside the field where it is wrong.
fn refuse(error: CapAlertError, problems: &mut Problems) -> Result<(), Fault> {
    let field = match error {
        CapAlertError::Store(error) => return Err(error.into()),
        CapAlertError::NotFound => return Err(Fault::NotFound),
        CapAlertError::NoHolder => "of",
        CapAlertError::Window => "window",
        CapAlertError::Percent => "percent",
        CapAlertError::Email | CapAlertError::TooManyMails => "email",
        CapAlertError::TooMany | CapAlertError::MadeBefore(_) => "",
    };
    problems.add(field, error.said());
    Ok(())
}

/// Sets a threshold.
pub(super) async fn add(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let partner = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let meant = meant(&visit, &partner, &fields, &mut problems).await?;
    let window = CapWindow::from_word(fields.text("window"));
    if window.is_none() {
        problems.add("window", t("partners-cap-no-window"));
    }
    let percent = problems.required(&fields, "percent").parse::<i16>().ok();
    if percent.is_none() && problems.of("percent").is_none() {
        problems.add("percent", CapAlertError::Percent.said());
    }
    let reason = problems.required(&fields, "reason").to_owned();
    problems.key(&fields);
    visit.permit(ConsoleAction::PartnerAlert, None, &fields, &mut problems).await?;
    if let (true, Some((holder, name)), Some(window), Some(percent)) = (problems.is_empty(), meant, window, percent) {
        let email = Some(fields.text("email")).filter(|email| !email.is_empty());
        let whom = whom(holder, &name);
        let new = NewCapAlert { whom, window, percent, email, reason: Some(&reason), key: fields.key() };
        match visit.services().create_cap_alert(&visit.context()?, partner.id, new).await {
            Ok(_made) => return visit.go(&list_href(&partner), &t("partners-alert-done")).await,
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    let page = page(&visit, &partner, (&fields, &problems)).await?;
    visit.show_refused(page).await
}

/// The threshold that the path names, if it is there.
async fn find(visit: &Visit, partner: &PartnerProfile, id: &str) -> Result<Option<CapAlert>, Fault> {
    let id: CapAlertId = id.parse().map_err(|_unreadable| Fault::NotFound)?;
    Ok(visit.services().find_cap_alert(partner.id, id).await?)
}

async fn remove_page(
    visit: &Visit,
    (partner, alert): (&PartnerProfile, &CapAlert),
    (typed, problems): (&Fields, &Problems),
) -> Result<Page, Fault> {
    let tokens = token_names(visit, partner).await?;
    let facts = Facts::new()
        .fact(t("partners-cap-whom"), whose(partner, alert, &tokens))
        .fact(t("partners-cap-window"), Cell::text(window_name(alert.window)))
        .fact(t("partners-alert-percent"), percent(alert))
        .fact(t("partners-alert-email"), Cell::maybe(alert.email.as_deref()))
        .fact(t("partners-created"), Cell::Time(alert.created_us));
    let own = list_href(partner);
    let form = Form::new(format!("{own}/{}/remove", alert.id), t("partners-alert-remove"))
        .field(Field::line("reason", t("console-reason")).required())
        .step_up(visit, ConsoleAction::PartnerAlert)
        .danger()
        .cancel(own.clone())
        .filled(typed, problems);
    Ok(below(partner, t("partners-alert-remove"))
        .under(t("partners-alerts"), own)
        .with(Text::new(t("partners-alert-remove-text")))
        .with(facts)
        .with(form))
}

pub(super) async fn ask_remove(visit: Visit, path: Path<(String, String)>) -> Answer {
    let (id, alert) = path.into_inner();
    let partner = load(&visit, &id).await?;
    let alert = find(&visit, &partner, &alert).await?.ok_or(Fault::NotFound)?;
    let typed = Fields::parse(&visit.query)?;
    let page = remove_page(&visit, (&partner, &alert), (&typed, &Problems::default())).await?;
    visit.show(page).await
}

pub(super) async fn remove(mut visit: Visit, path: Path<(String, String)>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let (id, alert) = path.into_inner();
    let partner = load(&visit, &id).await?;
    let own = list_href(&partner);
    // Somebody else has done it, or the same form was sent before.
    let Some(alert) = find(&visit, &partner, &alert).await? else {
        return visit.go(&own, &t("console-already")).await;
    };
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::PartnerAlert, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let done = visit.services().remove_cap_alert(&visit.context()?, partner.id, alert.id, Some(&reason)).await;
        return match done {
            Ok(()) => visit.go(&own, &t("partners-alert-removed")).await,
            Err(CapAlertError::Store(error)) => Err(error.into()),
            Err(_gone) => visit.go(&own, &t("console-already")).await,
        };
    }
    let page = remove_page(&visit, (&partner, &alert), (&fields, &problems)).await?;
    visit.show_refused(page).await
}
