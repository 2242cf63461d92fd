//! The policy's versions, as operators change them.

use engine::{
    audit::OpContext,
    policy::WrittenPolicy,
    service::{
        Services,
        policies::{FilePolicy, FilePublication, PolicyVersionError, PolicyVersionInfo},
    },
};
use serde::Serialize;

use super::{Done, NotDone, done};
use crate::{cli::Exit, marketplace::time_text};

/// A version, as JSON.
#[derive(Debug, Serialize)]
pub struct PolicyView<'a> {
    number: i64,
    state: &'static str,
    author: &'a str,
    note: &'a str,
    sha256: String,
    replaces: Option<i64>,
    created_at: String,
    published_at: Option<String>,
    retired_at: Option<String>,
}

#[derive(Serialize)]
struct DraftView<'a> {
    #[serde(flatten)]
    policy: PolicyView<'a>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct ListView<'a> {
    policies: Vec<PolicyView<'a>>,
}

/// What `apply` did or would do with the policy.
#[derive(Debug, Serialize)]
pub struct AppliedPolicy {
    change: &'static str,
    number: Option<i64>,
}

impl<'a> From<&'a PolicyVersionInfo> for PolicyView<'a> {
    fn from(info: &'a PolicyVersionInfo) -> Self {
        Self {
            number: info.number,
            state: info.state.as_str(),
            author: &info.author,
            note: &info.note,
            sha256: info.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            replaces: info.replaces,
            created_at: time_text(info.created_us),
            published_at: info.published_us.map(time_text),
            retired_at: info.retired_us.map(time_text),
        }
    }
}

impl AppliedPolicy {
    /// For people.
    pub fn line(&self) -> String {
        let number = self.number.map(|number| format!(" as version {number}")).unwrap_or_default();
        format!("{} the policy{number}", self.change)
    }
}

impl From<PolicyVersionError> for NotDone {
    fn from(error: PolicyVersionError) -> Self {
        match error {
            PolicyVersionError::Store(error) => error.into(),
            other => Self::refused(other),
        }
    }
}

/// A policy as it goes over the socket.
pub fn text_of(policy: &WrittenPolicy) -> String {
    policy.to_value().to_string()
}

fn read(text: &str) -> Result<WrittenPolicy, NotDone> {
    let value = serde_json::from_str(text).map_err(|error| NotDone::new(Exit::Usage, error))?;
    WrittenPolicy::from_value(value).map_err(|problem| NotDone::new(Exit::Usage, problem))
}

const fn publication(publishes: bool) -> FilePublication {
    if publishes { FilePublication::IfChanged } else { FilePublication::Never }
}

pub(super) async fn apply(
    services: &Services,
    by: &OpContext,
    text: &str,
    publishes: bool,
) -> Result<Option<AppliedPolicy>, NotDone> {
    Ok(match services.import_policy(by, &read(text)?, publication(publishes)).await? {
        FilePolicy::Unchanged => None,
        FilePolicy::Draft(kept) => Some(AppliedPolicy { change: "draft", number: Some(kept.number) }),
        FilePolicy::Published(kept) => Some(AppliedPolicy { change: "publish", number: Some(kept.number) }),
    })
}

/// What `apply` would do with a policy.
///
/// # Errors
/// The policy is wrong, or the database cannot be read.
pub async fn plan(
    services: &Services,
    policy: &WrittenPolicy,
    publishes: bool,
) -> Result<Option<AppliedPolicy>, NotDone> {
    let planned = services.plan_policy(policy, publication(publishes)).await?;
    Ok(planned.map(|change| AppliedPolicy { change, number: None }))
}

pub(super) async fn draft(
    services: &Services,
    by: &OpContext,
    policy: &str,
    author: &str,
    note: &str,
) -> Result<Done, NotDone> {
    let (kept, warnings) = services.draft_policy(by, &read(policy)?, author, note).await?;
    let mut lines: Vec<String> = warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    lines.push(format!("draft {number}: `tollgate policy publish {number}` puts it in force", number = kept.number));
    done(&DraftView { policy: (&kept).into(), warnings: &warnings }, lines)
}

pub(super) async fn publish(services: &Services, by: &OpContext, number: i64) -> Result<Done, NotDone> {
    published(&services.publish_policy(by, number, None).await?)
}

pub(super) async fn rollback(
    services: &Services,
    by: &OpContext,
    number: Option<i64>,
    author: &str,
) -> Result<Done, NotDone> {
    published(&services.rollback_policy(by, number, None, author, "").await?)
}

fn published(version: &PolicyVersionInfo) -> Result<Done, NotDone> {
    let note = if version.note.is_empty() { String::new() } else { format!(" ({})", version.note) };
    done(&PolicyView::from(version), vec![format!("version {} is in force{note}", version.number)])
}

/// The versions, for reading.
///
/// # Errors
/// The answer cannot be written.
pub fn listed(versions: &[PolicyVersionInfo]) -> Result<Done, NotDone> {
    let mut lines: Vec<String> = versions
        .iter()
        .map(|version| {
            let at = time_text(version.published_us.unwrap_or(version.created_us));
            format!("{:>5}  {:<9}  {at}  {}  {}", version.number, version.state, version.author, version.note)
                .trim_end()
                .to_owned()
        })
        .collect();
    if lines.is_empty() {
        lines.push("there is no version yet: the first start makes one".to_owned());
    }
    done(&ListView { policies: versions.iter().map(PolicyView::from).collect() }, lines)
}
