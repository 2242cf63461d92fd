//! `tollgate doctor`: looks at everything a server needs, changes nothing, and says what is wrong. Also beside a
//! running server, which is asked what only it can know.

use clap::Args;
use serde_json::{Map, Value};

use super::{Exit, Failure, Outcome, operate, say};
use crate::config::{ConfigSource, Environment};

mod checks;
mod files;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// As it should be.
    Fine,
    /// Worth knowing.
    Note,
    /// To be put right; decides the exit code.
    Wrong(Exit),
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Wrong(_) => "wrong",
        }
    }
}

/// One line of the report.
#[derive(Debug)]
struct Finding {
    /// Of which part: the name of its member in the JSON report.
    part: &'static str,
    level: Level,
    text: String,
}

/// What was looked at and found.
#[derive(Debug, Default)]
struct Report {
    facts: Map<String, Value>,
    findings: Vec<Finding>,
}

impl Report {
    /// Notes a fact under `part.name`.
    fn fact(&mut self, part: &'static str, name: &str, value: impl Into<Value>) {
        let section = self.facts.entry(part).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(section) = section {
            section.insert(name.to_owned(), value.into());
        }
    }

    fn find(&mut self, part: &'static str, level: Level, text: impl Into<String>) {
        self.findings.push(Finding { part, level, text: text.into() });
    }

    fn wrong(&mut self, part: &'static str, exit: Exit, text: impl std::fmt::Display) {
        self.find(part, Level::Wrong(exit), text.to_string());
    }

    /// The configuration's code before the database's before any other: whoever puts things right goes in this order.
    fn exit(&self) -> Exit {
        let found = |wanted| self.findings.iter().any(|finding| finding.level == Level::Wrong(wanted));
        let order = [Exit::Config, Exit::Damaged, Exit::Database, Exit::Refused];
        order.into_iter().find(|exit| found(*exit)).unwrap_or(Exit::Ok)
    }

    fn into_json(self) -> Value {
        let mut json = self.facts;
        let is_ok = !self.findings.iter().any(|finding| matches!(finding.level, Level::Wrong(_)));
        let findings = self.findings.iter().map(
            |finding| serde_json::json!({"part": finding.part, "level": finding.level.word(), "text": finding.text}),
        );
        json.insert("findings".to_owned(), findings.collect());
        json.insert("ok".to_owned(), is_ok.into());
        Value::Object(json)
    }
}

pub(super) fn run(args: &DoctorArgs, source: &ConfigSource, environment: &Environment) -> Outcome {
    let report = operate::runtime()?.block_on(checks::examine(source, environment));
    let exit = report.exit();
    if args.json {
        say(&report.into_json().to_string())?;
        return Ok(exit);
    }
    for finding in &report.findings {
        say(&format!("{:<5} {}: {}", finding.level.word(), finding.part, finding.text))?;
    }
    match exit {
        Exit::Ok => say("all is well"),
        exit => Err(Failure::new(exit, "something is wrong: see above")),
    }
}

#[cfg(test)]
mod tests;
