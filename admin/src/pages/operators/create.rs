//! Letting somebody into the console: asked for by one operator, approved by another one, who alone is shown the link.

use actix_web::web::Payload;
use engine::{
    operator::Role,
    policy::console::ConsoleAction,
    service::{
        approvals::Deed,
        operators::{
            CreateOperatorError, CreatedOperator, NewOperator, OPERATOR_LINK_MINUTES, OPERATOR_NAME_CHARS_MAX,
        },
    },
};
use secrecy::ExposeSecret as _;

use super::{LIST, ask as asking, below, href, roles::roles_field, roles_text};
use crate::{
    console::{Answer, Fault, Fields, Problems, ROOT, Visit},
    kit::{Cell, Control, Facts, Field, Form, Link, Notice, Page, Secret, Text, Tone},
    text::{said::Said as _, t, t_with},
};

async fn page(visit: &Visit, typed: &Fields, problems: &Problems) -> Result<Page, Fault> {
    let form = Form::new(format!("{LIST}/new"), t("operators-roles-ask"))
        .field(Field::new("email", t("operators-email"), Control::Line("email")).required())
        .field(
            Field::line("name", t("operators-name"))
                .hint(t_with("operators-name-hint", &[("max", i64_of(OPERATOR_NAME_CHARS_MAX).into())]))
                .required(),
        )
        .field(roles_field(&[]))
        .field(Field::line("reason", t("console-reason")).hint(t("operators-reason-hint")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::OperatorCreate)
        .cancel(LIST)
        .filled(typed, problems);
    let minutes = [("minutes", OPERATOR_LINK_MINUTES.into())];
    let mut page = Page::new(t("operators-new"))
        .under(t("operators-title"), LIST)
        .with(Text::new(t_with("operators-new-text", &minutes)));
    let approver = Notice::new(Tone::Plain, t("operators-four-eyes-link"));
    let command = "tollgate operator create --role ROLE --name NAME --email ADDRESS".to_owned();
    page.blocks.extend(asking::four_eyes(visit, (ConsoleAction::OperatorCreate, None), approver, command).await?);
    Ok(page.with(form))
}

fn i64_of(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The roles that were ticked. Names of none are left out: nobody can tick those.
pub(super) fn chosen(fields: &Fields, problems: &mut Problems) -> Vec<Role> {
    let roles: Vec<Role> = fields.all("roles").filter_map(|word| word.parse().ok()).collect();
    if roles.is_empty() {
        problems.add("roles", t("operators-roles-none"));
    }
    roles
}

pub(super) async fn ask(visit: Visit) -> Answer {
    let typed = Fields::parse(&visit.query)?;
    let page = page(&visit, &typed, &Problems::default()).await?;
    visit.show(page).await
}

pub(super) async fn request(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let email = problems.required(&fields, "email").to_owned();
    let name = problems.required(&fields, "name").to_owned();
    let roles = chosen(&fields, &mut problems);
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::OperatorCreate, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        let new = NewOperator { email: &email, name: &name, roles: &roles };
        match visit.services().check_new_operator(&new).await {
            Ok(()) => {
                let deed = Deed::OperatorCreate { email, name, roles, reason: reason.clone() };
                if let Some(answer) = asking::request(&visit, &deed, &reason, &fields, &mut problems).await? {
                    return Ok(answer);
                }
            }
            Err(error) => refuse_new(error, &mut problems)?,
        }
    }
    let page = page(&visit, &fields, &problems).await?;
    visit.show_refused(page).await
}

fn refuse_new(error: CreateOperatorError, problems: &mut Problems) -> Result<(), Fault> {
    match error {
        CreateOperatorError::Store(error) => return Err(error.into()),
        error @ (CreateOperatorError::EmailInvalid | CreateOperatorError::EmailTaken) => {
            problems.add("email", error.said());
        }
        error @ CreateOperatorError::Name => problems.add("name", error.said()),
        error @ CreateOperatorError::NoRole => problems.add("roles", error.said()),
        error @ CreateOperatorError::Password(_) => problems.add("", error.said()),
    }
    Ok(())
}

/// The only page that ever shows a link: the answer to whoever has approved that there be one.
pub(in crate::pages) fn shown_once(visit: &Visit, made: &CreatedOperator) -> Page {
    let operator = &made.operator;
    let origin = visit.console().door.origin();
    let link = format!("{origin}{ROOT}/link/{}", made.link.secret.expose_secret());
    let minutes = [("minutes", OPERATOR_LINK_MINUTES.into())];
    let facts = Facts::new()
        .fact(t("operators-email"), Cell::text(&operator.email))
        .fact(t("operators-roles"), Cell::text(roles_text(&operator.roles)))
        .fact(t("operators-link-ends"), Cell::Time(made.link.expires_us));
    let mut page = below(operator, t("operators-link-done"))
        .with(Secret { text: t_with("operators-link-secret", &minutes), secret: link })
        .with(facts);
    page.tools.push(Link::new(t("operators-link-kept"), href(operator.id)));
    page
}
