//! `tollgate policy compile`: the Cedar text of a policy, and where each Cedar policy came from.

use engine::policy::{OPERATOR_POLICIES, PolicyId, chain::Chain};
use serde_json::json;

use super::{Exit, Failure, Ground, OneFile, Outcome, say};
use crate::config::Environment;

pub(super) fn compile(ground: &Ground, args: &OneFile, environment: &Environment) -> Outcome {
    let subject = ground.subject(args.file.as_deref(), environment)?;
    let policies = ground.compile(&subject)?;
    let chain = policies.chain();
    let text = chain.map(Chain::cedar_text).transpose();
    let text = text.map_err(|error| Failure::new(Exit::Refused, error))?.unwrap_or_default();
    let operator = subject.written.operator.trim_end();
    if args.json {
        let place = |key: &String| json!({"key": key, "place": subject.place_of(key)});
        let entry = |(id, keys): &(PolicyId, Vec<String>)| json!({"policy": id.as_str(), "sources": keys.iter().map(place).collect::<Vec<_>>()});
        let map: Vec<_> = chain.map(Chain::source_map).unwrap_or_default().iter().map(entry).collect();
        let version = policies.version().as_str();
        return say(&json!({
            "version": version, "base": policies::BASE, "operator": operator, "chain": text, "source_map": map,
        })
        .to_string());
    }
    say("// --- the program's own ---\n")?;
    say(policies::BASE.trim_end())?;
    if !operator.is_empty() {
        say(&format!("\n// --- {OPERATOR_POLICIES} ---\n\n{operator}"))?;
    }
    say(&format!("\n// --- the chain, in the order of its steps ---\n\n{}", text.trim_end()))
}
