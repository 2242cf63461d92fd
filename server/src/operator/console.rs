//! Operators of the console, as the command line makes them, gives them new links, shuts them out and lets them in again.

use engine::{
    audit::OpContext,
    id::OperatorId,
    operator::Role,
    service::{
        Services,
        auditors::Auditor,
        operators::{
            ChangeOperatorError, CreateOperatorError, CreatedOperator, NewOperator, OPERATOR_LINK_MINUTES,
            OperatorLinkSecret, OperatorProfile,
        },
    },
};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{
    Done, NotDone,
    auditor::{self, AuditorView},
    done,
};
use crate::marketplace::time_text;

/// An operator, as JSON.
#[derive(Serialize)]
struct OperatorView<'a> {
    operator: String,
    roles: Vec<&'static str>,
    name: &'a str,
    email: &'a str,
    has_password: bool,
    has_factor: bool,
    is_disabled: bool,
    created_at: String,
    signed_in_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_expires_at: Option<String>,
}

/// Whoever has a role: in the console, or with an auditor's token.
#[derive(Serialize)]
#[serde(untagged)]
enum AnyView<'a> {
    Operator(OperatorView<'a>),
    Auditor(AuditorView<'a>),
}

#[derive(Serialize)]
struct ListView<'a> {
    operators: Vec<AnyView<'a>>,
}

impl<'a> OperatorView<'a> {
    fn of(operator: &'a OperatorProfile) -> Self {
        Self {
            operator: operator.id.to_string(),
            roles: operator.roles.iter().map(|role| role.as_str()).collect(),
            name: &operator.name,
            email: &operator.email,
            has_password: operator.has_password,
            has_factor: operator.has_factor,
            is_disabled: operator.is_disabled,
            created_at: time_text(operator.created_us),
            signed_in_at: operator.signed_in_us.map(time_text),
            link: None,
            link_expires_at: None,
        }
    }

    fn with_link(self, link: &OperatorLinkSecret, base_url: &str) -> Self {
        Self {
            link: Some(format!("{base_url}/admin/link/{}", link.secret.expose_secret())),
            link_expires_at: Some(time_text(link.expires_us)),
            ..self
        }
    }
}

pub(super) async fn create(
    services: &Services,
    by: &OpContext,
    (email, name): (&str, &str),
    roles: &[String],
    base_url: &str,
) -> Result<Done, NotDone> {
    let roles = roles.iter().map(|role| role.parse()).collect::<Result<Vec<Role>, _>>().map_err(NotDone::refused)?;
    let made = services.create_operator(by, NewOperator { email, name, roles: &roles }).await;
    let made = made.map_err(|error| match error {
        CreateOperatorError::Store(error) => error.into(),
        other => NotDone::refused(other),
    })?;
    let what = format!("`{}` may use the console as {}", made.operator.name, words(&made.operator));
    show_link(&made, &what, base_url)
}

/// Gives an operator, named by its identifier or address, a link instead of its password and second factor.
pub(super) async fn renew_link(
    services: &Services,
    by: &OpContext,
    operator: &str,
    reason: Option<&str>,
    base_url: &str,
) -> Result<Done, NotDone> {
    let id = find(services, operator).await?;
    let made = services.renew_operator_link(by, id, reason).await.map_err(|error| refused(operator, error))?;
    let what = format!("`{}` has no password and no second factor any more", made.operator.name);
    show_link(&made, &what, base_url)
}

fn show_link(made: &CreatedOperator, what: &str, base_url: &str) -> Result<Done, NotDone> {
    let view = OperatorView::of(&made.operator).with_link(&made.link, base_url);
    let lines = vec![
        format!("{} {what}", view.operator),
        format!(
            "link to set a password, good once and for {OPERATOR_LINK_MINUTES} minutes (it is not shown again): {}",
            view.link.as_deref().unwrap_or_default()
        ),
    ];
    done(&view, lines)
}

/// Shuts an operator out.
pub(super) async fn disable(
    services: &Services,
    by: &OpContext,
    operator: &str,
    reason: Option<&str>,
) -> Result<Done, NotDone> {
    let id = find(services, operator).await?;
    let changed = services.set_operator_disabled(by, id, true, reason).await;
    let changed = changed.map_err(|error| match error {
        ChangeOperatorError::Unchanged => NotDone::refused(format!("`{operator}`: this operator is disabled already")),
        other => refused(operator, other),
    })?;
    let line = format!("{} `{}` may not use the console any more", changed.id, changed.name);
    done(&OperatorView::of(&changed), vec![line])
}

/// Lets an operator in again.
pub(super) async fn enable(
    services: &Services,
    by: &OpContext,
    operator: &str,
    reason: Option<&str>,
) -> Result<Done, NotDone> {
    let id = find(services, operator).await?;
    let changed = services.set_operator_disabled(by, id, false, reason).await;
    let changed = changed.map_err(|error| match error {
        ChangeOperatorError::Unchanged => NotDone::refused(format!("`{operator}`: this operator is not disabled")),
        other => refused(operator, other),
    })?;
    let line = format!("{} `{}` may use the console again as {}", changed.id, changed.name, words(&changed));
    done(&OperatorView::of(&changed), vec![line])
}

async fn find(services: &Services, text: &str) -> Result<OperatorId, NotDone> {
    if text.contains('@') {
        let found = services.find_operator_by_email(text).await?;
        let found = found.ok_or_else(|| NotDone::refused(format!("there is no operator `{text}`")))?;
        return Ok(found.id);
    }
    text.parse().map_err(|error| NotDone::refused(format!("{error}, nor an email address")))
}

fn refused(operator: &str, error: ChangeOperatorError) -> NotDone {
    match error {
        ChangeOperatorError::Store(error) => error.into(),
        other => NotDone::refused(format!("`{operator}`: {other}")),
    }
}

fn words(operator: &OperatorProfile) -> String {
    operator.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

/// Operators and auditors, for reading.
///
/// # Errors
/// The answer cannot be written.
pub fn listed(operators: &[OperatorProfile], auditors: &[Auditor], now_us: i64) -> Result<Done, NotDone> {
    let line = |operator: &OperatorProfile| {
        let state = if operator.is_disabled { "disabled" } else { "active" };
        let factor = if operator.has_factor { "with" } else { "without" };
        let (id, name, email) = (operator.id, &operator.name, &operator.email);
        format!("{id}  {state:<8}  {factor} a second factor  {}  {name} <{email}>", words(operator))
    };
    let mut lines: Vec<String> = operators.iter().map(line).collect();
    lines.extend(auditors.iter().map(|auditor| auditor::line(auditor, now_us)));
    if lines.is_empty() {
        lines.push("there is no operator: `tollgate operator create` makes one".to_owned());
    }
    let operators = operators.iter().map(|operator| AnyView::Operator(OperatorView::of(operator)));
    let auditors = auditors.iter().map(|auditor| AnyView::Auditor(AuditorView::of(auditor, None)));
    done(&ListView { operators: operators.chain(auditors).collect() }, lines)
}
