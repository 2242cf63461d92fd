//! What an operator is: changed only once another operator has approved it.

use actix_web::web::{Path, Payload};
use engine::{
    operator::Role,
    policy::console::ConsoleAction,
    service::{approvals::Deed, operators::OperatorProfile},
};

use super::{LIST, ask as asking, below, create::chosen, href, load, roles_text};
use crate::{
    console::{Answer, Fault, Fields, Problems, Visit},
    kit::{Cell, Choice, Control, Diff, DiffLine, Facts, Field, Form, Notice, Page, Text, Tone},
    text::{t, t_with},
};

/// Every role as a box.
pub(super) fn roles_field(now: &[Role]) -> Field {
    let choices = Role::ALL.map(|(role, word)| Choice {
        value: word.to_owned(),
        label: word.to_owned(),
        is_chosen: now.contains(&role),
    });
    let hint = t("operators-roles-hint");
    Field::new("roles", t("operators-roles"), Control::Boxes(choices.into())).hint(hint)
}

async fn page(visit: &Visit, operator: &OperatorProfile, typed: &Fields, problems: &Problems) -> Result<Page, Fault> {
    let mut form = Form::new(format!("{}/roles", href(operator.id)), t("operators-roles-ask"))
        .field(roles_field(&operator.roles))
        .field(Field::line("reason", t("console-reason")).hint(t("operators-reason-hint")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::OperatorRoles)
        .cancel(href(operator.id))
        .filled(typed, problems);
    // What the form is made for: always what is now, also where an older form was sent.
    form = form.field(Field::new("was", "", Control::Hidden).value(Role::join(&operator.roles)));
    let mut page = below(operator, t("operators-set-roles")).with(Text::new(t("operators-roles-text")));
    let approver = Notice::new(Tone::Plain, t("operators-four-eyes"));
    let approver = approver.link(t("operators-matrix"), format!("{LIST}/matrix"));
    let command = "tollgate operator create --role owner --name NAME --email ADDRESS".to_owned();
    page.blocks.extend(asking::four_eyes(visit, (ConsoleAction::OperatorRoles, None), approver, command).await?);
    page = page.with(Facts::new().fact(t("operators-roles-now"), Cell::text(roles_text(&operator.roles))));
    let now = Role::join(&operator.roles);
    if let Some(was) = typed.hidden("was").filter(|was| !was.is_empty() && *was != now) {
        let line = |mark, roles: &str| DiffLine { mark, text: roles.to_owned() };
        let lines = vec![line('-', was), line('+', &now)];
        page = page.with(Diff { caption: t("operators-roles-since"), lines });
    }
    Ok(page.with(form))
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let operator = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &operator, &typed, &Problems::default()).await?;
    visit.show(page).await
}

/// What is the matter with the roles that were chosen, looking at those of now.
fn check(operator: &OperatorProfile, roles: &[Role], was: &str, problems: &mut Problems) {
    let now = Role::join(&operator.roles);
    if !was.is_empty() && was != now {
        let words = [("was", was.into()), ("now", now.as_str().into())];
        problems.add("", t_with("operators-roles-changed", &words));
    } else if !roles.is_empty() && Role::join(roles) == now {
        problems.add("roles", t("operators-roles-same"));
    }
}

pub(super) async fn request(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let operator = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let roles = chosen(&fields, &mut problems);
    let reason = problems.required(&fields, "reason").to_owned();
    check(&operator, &roles, fields.text("was"), &mut problems);
    visit.permit(ConsoleAction::OperatorRoles, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let over = Some(operator.roles.clone());
        let deed = Deed::OperatorRoles { operator: operator.id, roles, over, reason: reason.clone() };
        if let Some(answer) = asking::request(&visit, &deed, &reason, &fields, &mut problems).await? {
            return Ok(answer);
        }
    }
    let page = page(&visit, &operator, &fields, &problems).await?;
    visit.show_refused(page).await
}
