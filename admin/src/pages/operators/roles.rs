//! What an operator is: changed only once another operator has approved it.

use actix_web::web::{Path, Payload};
use engine::{
    operator::Role,
    policy::console::ConsoleAction,
    service::{
        approvals::{Deed, RequestApprovalError},
        operators::OperatorProfile,
    },
};

use super::{LIST, below, create::chosen, href, load, roles_text};
use crate::{
    console::{Answer, Fields, Problems, Visit},
    kit::{Cell, Choice, Control, Facts, Field, Form, Notice, Page, Text, Tone},
    pages::approvals,
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

fn page(visit: &Visit, operator: &OperatorProfile, typed: &Fields, problems: &Problems) -> Page {
    let mut form = Form::new(format!("{}/roles", href(operator.id)), t("operators-roles-ask"))
        .field(roles_field(&operator.roles))
        .field(Field::line("reason", t("console-reason")).hint(t("operators-reason-hint")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::OperatorRoles)
        .cancel(href(operator.id))
        .filled(typed, problems);
    // What the form is made for: always what is now, also where an older form was sent.
    form = form.field(Field::new("was", "", Control::Hidden).value(Role::join(&operator.roles)));
    below(operator, t("operators-set-roles"))
        .with(Text::new(t("operators-roles-text")))
        .with(Notice::new(Tone::Plain, t("operators-four-eyes")).link(t("operators-matrix"), format!("{LIST}/matrix")))
        .with(Facts::new().fact(t("operators-roles-now"), Cell::text(roles_text(&operator.roles))))
        .with(form)
}

pub(super) async fn ask(visit: Visit, id: Path<String>) -> Answer {
    let operator = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(page(&visit, &operator, &typed, &Problems::default())).await
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
    let key = problems.key(&fields);
    visit.permit(ConsoleAction::OperatorRoles, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let author = visit.signed_in()?.operator.id;
        let deed = Deed::OperatorRoles { operator: operator.id, roles, reason: reason.clone() };
        match visit.services().request_deed(&visit.context()?, author, &deed, &reason, Some(&key)).await {
            Ok(asked) => return visit.go(&approvals::href(asked), &t("approvals-requested")).await,
            Err(RequestApprovalError::Store(error)) => return Err(error.into()),
            Err(error @ RequestApprovalError::Reason) => problems.add("reason", error.to_string()),
            Err(error) => problems.add("", error.to_string()),
        }
    }
    visit.show_refused(page(&visit, &operator, &fields, &problems)).await
}
