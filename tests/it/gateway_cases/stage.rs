//! Runs cases against servers.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tests::{
    patience::Ends as _,
    patience::pause,
    program::{Answer, Server, configure, folder, tollgate},
    upstream::Upstream,
    wire,
};

use super::{Report, case::Run, deviations::Deviation, expectations::check, fixture, judge, unit};

/// Runs that may share a server: the same dialect, configuration and environment, and nothing that they leave behind.
pub(super) fn groups(runs: Vec<Run>) -> Vec<Vec<Run>> {
    let mut groups: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for run in runs {
        let own = if run.case.setup.is_empty() { "" } else { &run.case.id };
        let kind = if run.case.is_unit { "unit" } else { "http" };
        let key = format!("{kind} {own} {} {} {:?}", run.dialect, run.case.config, run.case.env);
        groups.entry(key).or_default().push(run);
    }
    groups.into_values().collect()
}

pub(super) fn run_group(group: &[Run], upstream: &Upstream, deviations: &[Deviation]) -> Vec<Report> {
    let Some(first) = group.first() else { return Vec::new() };
    if first.case.is_unit {
        return group.iter().map(|run| judge(run, deviations, unit::run(run), unit::run)).collect();
    }
    match Stage::start(first, upstream) {
        Ok(stage) => {
            group.iter().map(|run| judge(run, deviations, stage.run(run), |other| stage.check(other))).collect()
        }
        Err(said) => {
            let refused = || Err(format!("the program does not start: {said}"));
            let again = |run: &Run| match run.case.expect.get("refused_at_start").and_then(Value::as_str) {
                Some(sentence) if said.contains(sentence) => Ok(()),
                _ => refused(),
            };
            group.iter().map(|run| judge(run, deviations, refused(), again)).collect()
        }
    }
}

/// A running program with a case's configuration.
struct Stage {
    _folder: TempDir,
    _server: Server,
    address: SocketAddr,
}

impl Stage {
    /// What the program says instead where it does not start.
    fn start(run: &Run, upstream: &Upstream) -> Result<Self, String> {
        let folder = folder();
        configure(folder.path(), &fixture::config(&run.case.config, &run.dialect, upstream));
        let command = |words: &[&str]| {
            let mut command = tollgate(folder.path(), words);
            command.envs(run.case.env.iter().map(|(name, value)| (run.branded(name), value)));
            command
        };
        if run.case.basis == "impl" && run.case.id.starts_with("auth") {
            // The only cases whose configuration may be refused: the plan reads it as a start does.
            let planned = command(&["apply", "tollgate.json5", "--plan"]).ended().expect("the program runs");
            if planned.status.code() == Some(3) {
                return Err(String::from_utf8_lossy(&planned.stderr).into_owned());
            }
        }
        let server = Server::start_as(command(&["serve"]));
        let address = server.address().parse().expect("an address");
        Ok(Self { _folder: folder, _server: server, address })
    }

    fn run(&self, run: &Run) -> Result<(), String> {
        for step in &run.case.setup {
            self.step(run, step).map_err(|why| format!("setup {step}: {why}"))?;
        }
        self.check(run)
    }

    fn step(&self, run: &Run, step: &Value) -> Result<(), String> {
        if let Some(milliseconds) = step["sleep_ms"].as_u64() {
            // The program has the system's clock.
            pause(Duration::from_millis(milliseconds));
            return Ok(());
        }
        let expect = step["expect"].as_object().cloned().unwrap_or_default();
        for _ in 0..step["repeat"].as_u64().unwrap_or(1) {
            check(&expect, self.send(run, &step["request"], None).as_ref())?;
        }
        Ok(())
    }

    fn check(&self, run: &Run) -> Result<(), String> {
        let answer = self.send(run, &run.case.request, None);
        check(&run.case.expect, answer.as_ref())?;
        let mut details = run.case.expect_impl.clone();
        // Every JSON error says `ok: false` here.
        if details.get("json_absent") == Some(&serde_json::json!(["ok"])) {
            details.remove("json_absent");
        }
        check(&details, answer.as_ref()).map_err(|why| format!("expect_impl.{why}"))?;
        match (run.case.expect.get("same_body_shape_as"), answer) {
            (Some(other), Some(answer)) => self.check_shape(run, other, &answer),
            _ => Ok(()),
        }
    }

    /// The answers may differ by the tool's name alone.
    fn check_shape(&self, run: &Run, other: &Value, answer: &Answer) -> Result<(), String> {
        let other_answer = self.send(run, &run.case.request, Some(other)).ok_or("no answer to the other body")?;
        let name_of = |body: &Value| body["tool"].as_str().unwrap_or_default().to_owned();
        let mine = answer.body.replace(&name_of(&run.case.request["body"]), "?");
        let theirs = other_answer.body.replace(&name_of(other), "?");
        // in no particular order
        let headers = |answer: &Answer| answer.headers.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
        if (answer.status, &mine, headers(answer)) == (other_answer.status, &theirs, headers(&other_answer)) {
            Ok(())
        } else {
            Err(format!("{mine} and {theirs} differ by more than the name"))
        }
    }

    fn send(&self, run: &Run, request: &Value, body: Option<&Value>) -> Option<Answer> {
        let text = |name: &str| request[name].as_str().unwrap_or_default();
        let headers: Vec<(String, String)> = request["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (run.branded(name), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let body = body.map_or_else(|| body_of(request), Value::to_string);
        wire::send(self.address, wire::request(text("method"), text("path"), &headers, &body).as_bytes())
    }
}

fn body_of(request: &Value) -> String {
    if let Some(raw) = request["body_raw"].as_str() {
        return raw.to_owned();
    }
    let Some(body) = request.get("body") else { return String::new() };
    let mut body = body.clone();
    if let Some(bytes) = request["body_pad_to_bytes"].as_u64() {
        body["args"]["pad"] = "".into();
        let missing = usize::try_from(bytes).expect("a length").saturating_sub(body.to_string().len());
        body["args"]["pad"] = "x".repeat(missing).into();
    }
    body.to_string()
}
