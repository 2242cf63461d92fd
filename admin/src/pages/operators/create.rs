//! Letting somebody into the console, and giving them a new link: both links are shown once, in the answer to the form.

use actix_web::web::{Path, Payload};
use engine::{
    operator::Role,
    policy::console::ConsoleAction,
    service::operators::{
        CreateOperatorError, CreatedOperator, NewOperator, OPERATOR_LINK_MINUTES, OPERATOR_NAME_CHARS_MAX,
        OperatorProfile,
    },
};
use secrecy::ExposeSecret as _;

use super::{LIST, below, href, load, refuse, roles::roles_field, roles_text};
use crate::{
    console::{Answer, Fault, Fields, Problems, ROOT, Visit},
    kit::{Cell, Control, Facts, Field, Form, Link, Notice, Page, Secret, Text, Tone},
    text::{t, t_with},
};

fn page(visit: &Visit, typed: &Fields, problems: &Problems) -> Page {
    let form = Form::new(format!("{LIST}/new"), t("operators-new"))
        .field(Field::new("email", t("operators-email"), Control::Line("email")).required())
        .field(
            Field::line("name", t("operators-name"))
                .hint(t_with("operators-name-hint", &[("max", i64_of(OPERATOR_NAME_CHARS_MAX).into())]))
                .required(),
        )
        .field(roles_field(&[]))
        .once(visit)
        .step_up(visit, ConsoleAction::OperatorCreate)
        .cancel(LIST)
        .filled(typed, problems);
    let minutes = [("minutes", OPERATOR_LINK_MINUTES.into())];
    Page::new(t("operators-new"))
        .under(t("operators-title"), LIST)
        .with(Text::new(t_with("operators-new-text", &minutes)))
        .with(form)
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
    visit.show(page(&visit, &typed, &Problems::default())).await
}

pub(super) async fn make(mut visit: Visit, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let mut problems = Problems::default();
    let email = problems.required(&fields, "email").to_owned();
    let name = problems.required(&fields, "name").to_owned();
    let roles = chosen(&fields, &mut problems);
    visit.permit(ConsoleAction::OperatorCreate, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        // The form sent twice makes one operator: the second time the address is taken.
        let new = NewOperator { email: &email, name: &name, roles: &roles };
        match visit.services().create_operator(&visit.context()?, new).await {
            Ok(made) => return visit.show(shown_once(&visit, &made, "operators-new-done")).await,
            Err(error) => refuse_new(error, &mut problems)?,
        }
    }
    visit.show_refused(page(&visit, &fields, &problems)).await
}

fn refuse_new(error: CreateOperatorError, problems: &mut Problems) -> Result<(), Fault> {
    match error {
        CreateOperatorError::Store(error) => return Err(error.into()),
        error @ (CreateOperatorError::EmailInvalid | CreateOperatorError::EmailTaken) => {
            problems.add("email", error.to_string());
        }
        error @ CreateOperatorError::Name => problems.add("name", error.to_string()),
        error @ CreateOperatorError::NoRole => problems.add("roles", error.to_string()),
        error @ CreateOperatorError::Password(_) => problems.add("", error.to_string()),
    }
    Ok(())
}

/// The only page that ever shows the link.
fn shown_once(visit: &Visit, made: &CreatedOperator, title: &str) -> Page {
    let operator = &made.operator;
    let origin = visit.console().door.origin();
    let link = format!("{origin}{ROOT}/link/{}", made.link.secret.expose_secret());
    let minutes = [("minutes", OPERATOR_LINK_MINUTES.into())];
    let facts = Facts::new()
        .fact(t("operators-email"), Cell::text(&operator.email))
        .fact(t("operators-roles"), Cell::text(roles_text(&operator.roles)))
        .fact(t("operators-link-ends"), Cell::Time(made.link.expires_us));
    let mut page = below(operator, t(title))
        .with(Secret { text: t_with("operators-link-secret", &minutes), secret: link })
        .with(facts);
    page.tools.push(Link::new(t("operators-link-kept"), href(operator.id)));
    page
}

fn link_page(visit: &Visit, operator: &OperatorProfile, typed: &Fields, problems: &Problems) -> Page {
    let page = below(operator, t("operators-link"));
    if operator.is_disabled {
        return page.with(Notice::new(Tone::Warn, t("operators-link-disabled")));
    }
    let form = Form::new(format!("{}/link", href(operator.id)), t("operators-link"))
        .field(Field::line("reason", t("console-reason")).required())
        .once(visit)
        .step_up(visit, ConsoleAction::OperatorReset)
        .danger()
        .cancel(href(operator.id))
        .filled(typed, problems);
    page.with(Text::new(t("operators-link-text"))).with(form)
}

pub(super) async fn ask_link(visit: Visit, id: Path<String>) -> Answer {
    let operator = load(&visit, &id).await?;
    let typed = Fields::parse(&visit.query)?;
    visit.show(link_page(&visit, &operator, &typed, &Problems::default())).await
}

pub(super) async fn renew_link(mut visit: Visit, id: Path<String>, payload: Payload) -> Answer {
    let fields = Fields::read(visit.console(), payload).await?;
    let operator = load(&visit, &id).await?;
    let mut problems = Problems::default();
    let reason = problems.required(&fields, "reason").to_owned();
    visit.permit(ConsoleAction::OperatorReset, None, &fields, &mut problems).await?;
    if problems.is_empty() {
        // Sent twice, the second link takes the place of the first one: only one is ever good.
        match visit.services().renew_operator_link(&visit.context()?, operator.id, Some(&reason)).await {
            Ok(made) => return visit.show(shown_once(&visit, &made, "operators-link-done")).await,
            Err(error) => refuse(error, &mut problems)?,
        }
    }
    visit.show_refused(link_page(&visit, &operator, &fields, &problems)).await
}
