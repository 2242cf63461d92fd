//! A policy is changed, tried, published by two, and taken back.

use tests::{patience::wait_until, program::paste};

use super::{Story, job::Job, world::World};

const TEXT: &str = "{\n  // Nobody counts words over HTTP for now.\n  tools: { deny: [\"text_stats\"] },\n}\n";

/// The call of an agent that the demo prints.
fn agent_status(world: &World) -> u16 {
    let commands = world.console.demo().expect("the demo").commands();
    let agent = commands.iter().find(|command| command.contains("/tools/invoke"));
    paste(agent.expect("a call of an agent")).status
}

/// The newest version: its number, its state, and the digest of its text.
fn newest(world: &World) -> (i64, String, String) {
    let list = world.console.command(&["policy", "list"]);
    let version = list["policies"][0].clone();
    let text = |name: &str| version[name].as_str().unwrap_or_default().to_owned();
    (version["number"].as_i64().expect("a number"), text("state"), text("sha256"))
}

pub(super) fn change_the_policy(job: &Job<'_>, _: &mut Story) {
    let world = job.world;
    let (first, state, digest) = newest(world);
    assert_eq!((first, state.as_str(), agent_status(world)), (1, "published", 200));
    let sven = job.sign_in(world.who("Sven"), "/admin/policies/edit", "/admin/policies/edit");
    sven.fill("Document (JSON5)", TEXT);
    sven.fill("Note", "No statistics for agents");
    sven.press("Save as draft");
    sven.press("Publish");
    // What it would change, and how the recorded calls would be decided by it.
    sven.browser.see("recorded calls, decided again");
    sven.browser.see("demo/text_stats");
    sven.fill("Why", "They cost too much");
    sven.press("Ask for the publication");
    let request = sven.path();
    let request = request.split('?').next().unwrap_or_default().to_owned();
    sven.see("approval.request");
    assert_eq!(
        (newest(world).1.as_str(), agent_status(world)),
        ("draft", 200),
        "nothing changes before somebody agrees"
    );

    let tara = job.sign_in(world.who("Tara"), &request, "the request's address");
    tara.press("Approve, and do it now");
    wait_until("the denied call", || (agent_status(world) != 200).then_some(()));
    assert_eq!(newest(world).1, "published");
    let published = world.told("policy.publish");
    assert_eq!(published["actor"], world.told("approval.approve")["actor"], "{published}");
    assert_ne!(published["actor"], world.told("policy.draft")["actor"], "two people");

    tara.press("Roll back to version 1");
    tara.fill("Why", "The agents need them");
    tara.press("Put version 1 in force again, now");
    wait_until("the allowed call", || (agent_status(world) == 200).then_some(()));
    let (number, state, text) = newest(world);
    assert_eq!((number, state.as_str(), text), (3, "published", digest));
    world.expect_told("policy.rollback", "rollback to version 1: The agents need them");
    tara.see("policy.rollback");
}
