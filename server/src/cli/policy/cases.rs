//! `tollgate policy test DIR`: stored cases, each a call and how it must be decided.

use std::path::{Path, PathBuf};

use clap::Args;
use engine::service::explain::PolicyCase;
use serde_json::{Value, json};

use super::{Exit, Failure, Ground, Outcome, say};
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
            let wrong = ground.services.try_policy_case(asked, &case, ground.callers_own_the_gateway()).await;
            let wrong = wrong.map_err(|error| Failure::new(Exit::Database, error))?;
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

fn case_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refused = |error: std::io::Error| Failure::new(Exit::Refused, format!("`{}`: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(refused)?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(refused)?;
    files.retain(|path| path.extension().is_some_and(|end| end == "json5" || end == "json"));
    files.sort();
    Ok(files)
}

fn read_cases(file: &Path) -> Result<Vec<PolicyCase>, Failure> {
    let refused = |error: String| Failure::new(Exit::Refused, format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    PolicyCase::read_all(&text).map_err(|problems| refused(problems.join("\n")))
}
