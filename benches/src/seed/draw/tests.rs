use super::*;

#[test]
fn the_same_seed_draws_the_same_calls_and_another_one_others() {
    let calls = |seed: u64| (0..1_000).map(|number| Draws::of(seed, 500, 200, 200).call(number)).collect::<Vec<_>>();
    assert_eq!(calls(6), calls(6));
    assert_ne!(calls(6), calls(7));
    let names: std::collections::BTreeSet<_> = (0..10_000).map(|number| Draws::of(6, 9, 9, 9).name(number)).collect();
    assert_eq!(names.len(), 10_000, "every call has a name of its own");
}

#[test]
fn everybody_calls_everything_and_all_ends_come() {
    let draws = Draws::of(6, 500, 200, 200);
    let calls: Vec<Draw> = (0..100_000).map(|number| draws.call(number)).collect();
    let count = |wanted: &dyn Fn(&Draw) -> bool| calls.iter().filter(|draw| wanted(draw)).count();
    for (what, from, to, found) in [
        ("accounts", 68_000, 72_000, count(&|draw| matches!(draw.who, Who::Account(_)))),
        ("completed", 93_000, 95_000, count(&|draw| draw.ending == Ending::Completed)),
        ("failed", 3_500, 4_500, count(&|draw| draw.ending == Ending::Failed)),
        ("rejected", 1_700, 2_300, count(&|draw| draw.ending == Ending::Rejected)),
        ("lost", 5, 80, count(&|draw| draw.ending == Ending::Lost)),
        ("malformed", 1_700, 2_300, count(&|draw| draw.is_malformed)),
        ("keyed", 2_700, 3_300, count(&|draw| draw.is_keyed)),
        ("refunded", 50, 150, count(&|draw| draw.is_refunded)),
    ] {
        assert!((from..to).contains(&found), "{found} of 100,000 calls are {what}, not {from} to {to}");
    }
    // the last ones call seldom
    for account in 0..400 {
        assert!(calls.iter().any(|draw| draw.who == Who::Account(account)), "account {account} never calls");
    }
    for tool in 0..150 {
        assert!(calls.iter().any(|draw| draw.tool == tool), "tool {tool} is never called");
    }
}
