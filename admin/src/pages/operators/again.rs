//! Letting somebody in again who was shut out, and giving somebody a new link: asked for by one operator, approved by another
//! one. Whoever asks is never shown a link.

use actix_web::web::{Path, Payload};
use engine::{
    policy::console::ConsoleAction,
    service::{approvals::Deed, operators::OperatorProfile},
};

use super::{ask, below, href, load};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Field, Form, Notice, Page, Text, Tone},
    text::t,
};

/// What is asked for with nothing but a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Let them in again.
    Enable,
    /// Give them a new link.
    Link,
}

impl Wish {
    const fn action(self) -> ConsoleAction {
        match self {
            Self::Enable => ConsoleAction::OperatorEnable,
            Self::Link => ConsoleAction::OperatorReset,
        }
    }

    /// The last part of the form's address, and of the command.
    const fn way(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Link => "link",
        }
    }

    /// The title, what it means, and who has to approve it.
    const fn words(self) -> [&'static str; 3] {
        match self {
            Self::Enable => ["operators-enable", "operators-enable-text", "operators-four-eyes"],
            Self::Link => ["operators-link", "operators-link-text", "operators-four-eyes-link"],
        }
    }

    /// Why there is nothing to ask for.
    const fn objection(self, operator: &OperatorProfile) -> Option<&'static str> {
        match (self, operator.is_disabled) {
            (Self::Enable, false) => Some("operators-enabled-already"),
            (Self::Link, true) => Some("operators-link-disabled"),
            _ => None,
        }
    }

    fn deed(self, operator: &OperatorProfile, reason: &str) -> Deed {
        let (operator, reason) = (operator.id, reason.to_owned());
        match self {
            Self::Enable => Deed::OperatorEnable { operator, reason },
            Self::Link => Deed::OperatorReset { operator, reason },
        }
    }
}

async fn page(
    visit: &Visit,
    (wish, operator): (Wish, &OperatorProfile),
    typed: &Fields,
    problems: &Problems,
) -> Result<Page, Fault> {
    let [title, text, approver] = wish.words();
    let mut page = below(operator, t(title));
    if let Some(objection) = wish.objection(operator) {
        return Ok(page.with(Notice::new(Tone::Warn, t(objection))));
    }
    let form = Form::new(format!("{}/{}", href(operator.id), wish.way()), t("operators-roles-ask"))
        .field(Field::line("reason", t("console-reason")).hint(t("operators-reason-hint")).required())
        .once(visit)
        .step_up(visit, wish.action())
        .cancel(href(operator.id))
        .filled(typed, problems);
    let command = format!("tollgate operator {} {}", wish.way(), operator.id);
    page = page.with(Text::new(t(text)));
    let (about, approver) = ((wish.action(), Some(operator.id)), Notice::new(Tone::Plain, t(approver)));
    page.blocks.extend(ask::four_eyes(visit, about, approver, command).await?);
    Ok(page.with(form))
}

async fn show(visit: Visit, id: &str, wish: Wish) -> Answer {
    let operator = load(&visit, id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, (wish, &operator), &typed, &Problems::default()).await?;
    visit.show(page).await
}

async fn request(mut visit: Visit, id: &str, payload: Payload, wish: Wish) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let operator = load(&visit, id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(wish.action(), None, &fields, &mut problems).await?;
    // Where it is so already the page says so.
    if problems.is_empty() && wish.objection(&operator).is_none() {
        let deed = wish.deed(&operator, &reason);
        if let Some(answer) = ask::request(&visit, &deed, &reason, &fields, &mut problems).await? {
            return Ok(answer);
        }
    }
    let page = page(&visit, (wish, &operator), &fields, &problems).await?;
    visit.show_refused(page).await
}

pub(super) async fn ask_enable(visit: Visit, id: Path<String>) -> Answer {
    show(visit, &id, Wish::Enable).await
}

pub(super) async fn enable(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    request(visit, &id, payload, Wish::Enable).await
}

pub(super) async fn ask_link(visit: Visit, id: Path<String>) -> Answer {
    show(visit, &id, Wish::Link).await
}

pub(super) async fn link(visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    request(visit, &id, payload, Wish::Link).await
}
