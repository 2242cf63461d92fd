//! Auditors, as operators make and revoke their tokens.

use engine::{
    audit::OpContext,
    id::InvalidId,
    service::{
        Services,
        auditors::{Auditor, CreateAuditorError, RevokeAuditorError},
    },
};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{Done, NotDone, done};
use crate::marketplace::time_text;

/// An auditor, as JSON.
#[derive(Serialize)]
pub(super) struct AuditorView<'a> {
    operator: String,
    role: &'static str,
    name: &'a str,
    hint: &'a str,
    created_at: String,
    expires_at: String,
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl<'a> AuditorView<'a> {
    pub(super) fn of(auditor: &'a Auditor, token: Option<&'a str>) -> Self {
        Self {
            operator: auditor.id.to_string(),
            role: "auditor",
            name: &auditor.name,
            hint: &auditor.hint,
            created_at: time_text(auditor.created_us),
            expires_at: time_text(auditor.expires_us),
            revoked_at: auditor.revoked_us.map(time_text),
            token,
        }
    }
}

pub(super) async fn create(services: &Services, by: &OpContext, name: &str, days: u32) -> Result<Done, NotDone> {
    let made = services.create_auditor(by, name, days, None).await.map_err(|error| match error {
        CreateAuditorError::Store(error) => error.into(),
        other => NotDone::refused(other),
    })?;
    let view = AuditorView::of(&made.auditor, Some(made.secret.expose_secret()));
    let lines = vec![
        format!("{} `{}` may read the books until {}", view.operator, view.name, view.expires_at),
        format!("token (it is not shown again): {}", made.secret.expose_secret()),
    ];
    done(&view, lines)
}

pub(super) async fn revoke(
    services: &Services,
    by: &OpContext,
    operator: &str,
    reason: Option<&str>,
) -> Result<Done, NotDone> {
    let id = operator.parse().map_err(|error: InvalidId| NotDone::refused(error))?;
    let revoked = services.revoke_auditor(by, id, reason).await.map_err(|error| match error {
        RevokeAuditorError::Store(error) => error.into(),
        other => NotDone::refused(format!("`{operator}`: {other}")),
    })?;
    let line = format!("{operator} `{}` may not read the books any more", revoked.name);
    done(&AuditorView::of(&revoked, None), vec![line])
}

/// One of a list.
pub(super) fn line(auditor: &Auditor, now_us: i64) -> String {
    let state = match auditor.revoked_us {
        Some(_) => "revoked",
        None if auditor.expires_us <= now_us => "expired",
        None => "active",
    };
    let until = time_text(auditor.expires_us);
    format!("{}  {state:<8}  until {until}  …{}  {}", auditor.id, auditor.hint, auditor.name)
}
