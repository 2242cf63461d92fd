//! `tollgate policy diff`: what changes for whom, over the whole catalog.

use clap::Args;
use engine::policy::{
    PolicyComparison,
    chain::{ChainDiff, SessionKind},
};
use serde_json::{Value, json};

use super::{Exit, Failure, Ground, Outcome, say};
use crate::config::Environment;

#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// A policy: a file, or the number of a version.
    old: String,
    /// The one that is to take its place.
    new: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(ground: &Ground, args: &DiffArgs, environment: &Environment) -> Outcome {
    let (old, new) = (ground.named(&args.old, environment).await?, ground.named(&args.new, environment).await?);
    let (old_text, new_text) = (&old.written.operator, &new.written.operator);
    let (old, new) = (ground.compile(&old)?, ground.compile(&new)?);
    let compared = old.compare(&new, old_text, new_text).map_err(|error| Failure::new(Exit::Refused, error))?;
    let PolicyComparison { sessions: changes, operator: policies } = &compared;
    if args.json {
        let changes: Vec<Value> = changes.iter().map(change_value).collect();
        let policies: Vec<Value> =
            policies.iter().map(|(id, what)| json!({"policy": id, "change": what.as_str()})).collect();
        return say(&json!({"sessions": changes, "operator_policies": policies}).to_string());
    }
    for change in changes {
        let agent = change.agent.as_deref().unwrap_or("any other agent");
        say(&format!("{agent}, {}", session_words(&change.session)))?;
        for (word, tools) in [("newly allowed", &change.allowed), ("newly denied", &change.denied)] {
            if !tools.is_empty() {
                say(&format!("  {word}: {}", tools.join(", ")))?;
            }
        }
    }
    for (id, what) in policies {
        say(&format!("operator policy `{id}` is {}", what.as_str()))?;
    }
    if compared.is_empty() {
        say("nothing changes for anybody")?;
    }
    Ok(Exit::Ok)
}

fn session_words(kind: &SessionKind) -> String {
    match kind {
        SessionKind::Main => "main session".to_owned(),
        SessionKind::Subagent => "subagents".to_owned(),
        SessionKind::Group(key) => format!("sessions under {key}"),
    }
}

fn change_value(change: &ChainDiff) -> Value {
    let (kind, group) = match &change.session {
        SessionKind::Main => ("main", None),
        SessionKind::Subagent => ("subagent", None),
        SessionKind::Group(key) => ("group", Some(key)),
    };
    json!({
        "agent": change.agent, "session": kind, "group": group,
        "newly_allowed": change.allowed, "newly_denied": change.denied,
    })
}
