//! `tollgate policy test DIR`: stored cases, each a call and how it must be decided.

use std::path::{Path, PathBuf};

use clap::Args;
use engine::{
    gateway::context::Hints,
    invocation::Surface,
    policy::PolicyId,
    service::explain::{AskedPolicies, Asker, Question},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Exit, Failure, Ground, Outcome, explain::not_explained, say};
use crate::config::Environment;

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    /// The folder with the cases: files that end in `.json5` or `.json`, each with one case or a list of them.
    folder: PathBuf,
    /// Try this policy instead of the one in force.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A call and how it must be decided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows.
    says: Option<String>,
    #[serde(default)]
    surface: CaseSurface,
    tool: String,
    session_key: Option<String>,
    agent_id: Option<String>,
    channel: Option<String>,
    account_id: Option<String>,
    is_owner: Option<bool>,
    caller: Option<CaseCaller>,
    at: Option<String>,
    expect: Expected,
    /// The policies that must determine it; anything goes where this is missing.
    by: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CaseSurface {
    #[default]
    Gateway,
    Marketplace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    Allow,
    Deny,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseCaller {
    /// An e-mail address.
    account: Option<String>,
    /// A token's identifier.
    token: Option<String>,
    end_user: Option<String>,
}

pub(super) async fn run(ground: &Ground, args: &TestArgs, environment: &Environment) -> Outcome {
    let subject = ground.subject(args.policy.as_deref(), environment)?;
    let policies = ground.compile(&subject)?;
    let sessions = subject.sessions();
    let asked = ground.asked(&subject, &policies, &sessions);
    let mut results: Vec<Value> = Vec::new();
    let mut failed = 0_usize;
    for file in case_files(&args.folder)? {
        let name = file.display().to_string();
        for (index, case) in read_cases(&file)?.into_iter().enumerate() {
            let wrong = try_case(ground, asked, &case).await?;
            failed = failed.saturating_add(usize::from(wrong.is_some()));
            let title = case.says.unwrap_or_else(|| format!("case {}", index.saturating_add(1)));
            if let Some(wrong) = wrong.as_ref().filter(|_| !args.json) {
                say(&format!("{name}: {title}: {wrong}"))?;
            }
            results.push(json!({"file": name, "case": title, "ok": wrong.is_none(), "problem": wrong}));
        }
    }
    let tried = results.len();
    if tried == 0 {
        return Err(Failure::new(Exit::Refused, format!("`{}` holds no cases", args.folder.display())));
    }
    if args.json {
        say(&json!({"ok": failed == 0, "tried": tried, "failed": failed, "cases": results}).to_string())?;
    } else {
        say(&format!("{tried} cases tried, {failed} failed"))?;
    }
    Ok(if failed == 0 { Exit::Ok } else { Exit::Refused })
}

/// What is wrong with the decision, if anything.
async fn try_case(ground: &Ground, asked: AskedPolicies<'_>, case: &Case) -> Result<Option<String>, Failure> {
    let at_us = match case.at.as_deref().map(str::parse::<jiff::Timestamp>) {
        None => ground.services.clock.now_us(),
        Some(Ok(at)) => at.as_microsecond(),
        Some(Err(error)) => return Ok(Some(format!("`at`: {error}"))),
    };
    let question = Question {
        surface: match case.surface {
            CaseSurface::Gateway => Surface::Gateway,
            CaseSurface::Marketplace => Surface::Marketplace,
        },
        tool: case.tool.clone(),
        caller: match &case.caller {
            Some(CaseCaller { account: Some(email), token: None, end_user: None }) => Asker::Account(email.clone()),
            Some(CaseCaller { account: None, token: Some(token), end_user }) => {
                Asker::Token { token: token.clone(), end_user: end_user.clone() }
            }
            None => Asker::Payer,
            Some(_) => return Ok(Some("`caller` must have an `account` or a `token`, and not both".to_owned())),
        },
        session_key: case.session_key.clone(),
        agent_id: case.agent_id.clone(),
        hints: Hints { channel: case.channel.clone(), account: case.account_id.clone(), ..Hints::default() },
        is_owner: case.is_owner.unwrap_or_else(|| ground.callers_own_the_gateway()),
        at_us,
    };
    let decision = match ground.services.explain(asked, &question).await {
        Ok(explained) => explained.explanation.decision,
        Err(error) => {
            let failure = not_explained(&error);
            return if failure.exit == Exit::Database { Err(failure) } else { Ok(Some(failure.message)) };
        }
    };
    let by: Vec<&str> = decision.determining.iter().map(PolicyId::as_str).collect();
    let word = if decision.allowed { "allowed" } else { "denied" };
    if decision.allowed != (case.expect == Expected::Allow) {
        return Ok(Some(format!("is {word} by {}", by.join(", "))));
    }
    let expected_by = case.by.as_ref().filter(|expected| expected.iter().map(String::as_str).ne(by.iter().copied()));
    Ok(expected_by.map(|expected| format!("is {word} by {}, not by {}", by.join(", "), expected.join(", "))))
}

fn case_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refused = |error: std::io::Error| Failure::new(Exit::Refused, format!("`{}`: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(refused)?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(refused)?;
    files.retain(|path| path.extension().is_some_and(|end| end == "json5" || end == "json"));
    files.sort();
    Ok(files)
}

fn read_cases(file: &Path) -> Result<Vec<Case>, Failure> {
    let refused = |error: String| Failure::new(Exit::Refused, format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    let cases = match json5::from_str(&text).map_err(|error| refused(error.to_string()))? {
        Value::Array(cases) => cases,
        case => vec![case],
    };
    let read =
        |(number, case)| serde_json::from_value(case).map_err(|error| refused(format!("case {number}: {error}")));
    (1_usize..).zip(cases).map(read).collect()
}
