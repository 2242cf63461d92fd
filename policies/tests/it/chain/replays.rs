//! Drafts: what recorded decisions would have been, and what changes for whom.

use std::collections::BTreeSet;

use engine::policy::{
    DecisionRequest, Policies, Surface,
    chain::{RecordedDecision, SessionKind, replay},
};
use serde_json::{Value, json};

use super::{
    Asked, DIALECTS, Tool, dialect, dice::Dice, facts, generator, interpreter::path_of, is_available, place,
    policies_for, request,
};
use crate::extent;

/// A call on `/tools/invoke` as it was recorded.
fn recorded<'a>(
    policies: &'a Policies,
    asked: &'a Asked,
    requested: &'a str,
    was_allowed: bool,
) -> RecordedDecision<'a> {
    let place = place(policies, asked, requested);
    RecordedDecision { session: Some(facts(asked)), requested, request: request(requested, place), was_allowed }
}

#[test]
fn a_replay_lists_the_decisions_that_a_draft_turns_over() {
    let catalog = |names: &[&str]| names.iter().map(|name| (None, (*name).to_owned())).collect::<Vec<Tool>>();
    let fased = dialect("fased");
    let current = policies_for(&fased, &json!({"tools": {"deny": ["tts"]}}), &catalog(&["image", "tts", "browser"]));
    // `image` stands elsewhere in the draft's catalog, and `browser` is not there any more
    let draft = json!({"agents": {"list": [{"id": "rhea", "tools": {"deny": ["image"]}}]}});
    let draft = policies_for(&fased, &draft, &catalog(&["message", "tts", "image"]));
    let [rhea, main] = ["agent:rhea:main", "agent:main:main"].map(|key| Asked { key: key.into(), ..Asked::default() });
    let marketplace = RecordedDecision {
        session: None,
        requested: "image",
        request: DecisionRequest { surface: Surface::Marketplace, ..request("image", None) },
        was_allowed: true,
    };
    let recording = [
        recorded(&current, &rhea, "image", true),
        recorded(&current, &main, "image", true),
        recorded(&current, &rhea, "tts", false),
        recorded(&current, &main, "browser", true),
        recorded(&current, &main, "nobodys", false),
        marketplace,
        RecordedDecision { was_allowed: false, ..marketplace },
    ];
    let flips: Vec<(usize, Option<bool>, Vec<String>)> = replay(&draft, recording)
        .into_iter()
        .map(|flip| {
            let determining = flip.decision.iter().filter(|decision| !decision.allowed);
            let determining = determining.flat_map(|decision| &decision.determining).map(ToString::to_string);
            (flip.index, flip.decision.as_ref().map(|decision| decision.allowed), determining.collect())
        })
        .collect();
    assert_eq!(
        flips,
        [
            (0, Some(false), vec!["agents.rhea.tools.deny".to_owned()]),
            (2, Some(true), vec![]),
            (3, None, vec![]),
            (6, Some(true), vec![]),
        ]
    );
}

#[test]
fn a_replay_of_random_calls_finds_exactly_those_that_are_decided_differently() {
    for (name, _) in DIALECTS {
        let mut flipped = 0;
        for round in 0..extent::pick(5, 50) {
            let mut dice = Dice::new(extent::seed(), round);
            let catalogs = [generator::catalog(&mut dice), generator::catalog(&mut dice)];
            let [old, new] = catalogs
                .each_ref()
                .map(|catalog| policies_for(&dialect(name), &generator::document(&mut dice), catalog));
            let questions: Vec<(Asked, String)> =
                (0..60).map(|_| (generator::asked(&mut dice), generator::requested(&mut dice, &catalogs[0]))).collect();
            let recording: Vec<RecordedDecision<'_>> = questions
                .iter()
                .map(|(asked, requested)| recorded(&old, asked, requested, is_available(&old, asked, requested, false)))
                .collect();
            assert_eq!(replay(&old, recording.iter().copied()), [], "{name}, round {round}");
            let found: Vec<usize> = replay(&new, recording.iter().copied()).iter().map(|flip| flip.index).collect();
            let is_flipped = |(asked, requested): &(Asked, String)| {
                is_available(&old, asked, requested, false) != is_available(&new, asked, requested, false)
            };
            let wanted: Vec<usize> = (0..questions.len()).filter(|index| is_flipped(&questions[*index])).collect();
            assert_eq!(found, wanted, "{name}, CHAIN_SEED={}, round {round}", extent::seed());
            flipped += wanted.len();
        }
        assert!(flipped > 20, "{name}: only {flipped} decisions were different");
    }
}

/// What a session may call, asked tool by tool.
fn available(policies: &Policies, key: &str, catalog: &[Tool]) -> BTreeSet<String> {
    let asked = Asked { key: key.to_owned(), ..Asked::default() };
    catalog.iter().map(path_of).filter(|path| is_available(policies, &asked, path, false)).collect()
}

/// The session keys of everything that a diff of random documents can be about, as far as keys name it.
fn sessions(documents: &[&Value]) -> Vec<(Option<String>, SessionKind, String)> {
    let agents: BTreeSet<&str> = documents
        .iter()
        .flat_map(|document| document["agents"]["list"].as_array().unwrap())
        .map(|agent| agent["id"].as_str().unwrap())
        .collect();
    let known = agents.into_iter().map(|id| (Some(id.replace("Ops Team!", "ops-team")), id));
    known
        .chain([(None, "not-listed")])
        .flat_map(|(agent, id)| {
            [
                (agent.clone(), SessionKind::Main, format!("agent:{id}:main")),
                (agent, SessionKind::Subagent, format!("agent:{id}:subagent:1")),
            ]
        })
        .collect()
}

#[test]
fn a_diff_of_random_documents_says_what_the_sessions_would_notice() {
    for (name, _) in DIALECTS {
        let mut changed = 0;
        for round in 0..extent::pick(4, 40) {
            let mut dice = Dice::new(extent::seed(), round);
            let catalogs = [generator::catalog(&mut dice), generator::catalog(&mut dice)];
            let documents = [generator::document(&mut dice), generator::document(&mut dice)];
            let policies = |at: usize| policies_for(&dialect(name), &documents[at], &catalogs[at]);
            let (old, new) = (policies(0), policies(1));
            let diff = old.chain().unwrap().diff(new.chain().unwrap());
            for (agent, kind, key) in sessions(&documents.each_ref()) {
                let (before, after) = (available(&old, &key, &catalogs[0]), available(&new, &key, &catalogs[1]));
                let wanted: (Vec<&String>, Vec<&String>) =
                    (after.difference(&before).collect(), before.difference(&after).collect());
                let row = diff.iter().find(|row| row.agent == agent && row.session == kind);
                let found: (Vec<&String>, Vec<&String>) =
                    row.map(|row| (row.allowed.iter().collect(), row.denied.iter().collect())).unwrap_or_default();
                assert_eq!(found, wanted, "{name}, CHAIN_SEED={}, round {round}: {key}", extent::seed());
                changed += usize::from(row.is_some());
            }
        }
        assert!(changed > 10, "{name}: only {changed} sessions noticed anything");
    }
}

#[test]
fn a_diff_does_not_take_the_agent_main_for_all_that_are_not_listed() {
    let catalog: Vec<Tool> = vec![(None, "tts".to_owned())];
    let policies = |document: &Value| policies_for(&dialect("fased"), document, &catalog);
    let old = policies(&json!({"agents": {"list": [{"id": "main"}]}}));
    let new = policies(&json!({"agents": {"list": [{"id": "main", "tools": {"deny": ["tts"]}}]}}));
    let changes = old.chain().unwrap().diff(new.chain().unwrap());
    let changed: Vec<_> = changes.into_iter().map(|diff| (diff.agent, diff.session, diff.denied)).collect();
    let main = Some("main".to_owned());
    assert_eq!(
        changed,
        [
            (main.clone(), SessionKind::Main, vec!["tts".to_owned()]),
            (main, SessionKind::Subagent, vec!["tts".to_owned()]),
        ]
    );
}
