use super::*;

fn running(by: &str) -> RunningVerification {
    RunningVerification { by: by.to_owned(), begun_us: 10, from: VerifyFrom::Genesis, done: 0, total: 4 }
}

fn state(verification: &Verification) -> VerificationState {
    verification.with(|runs| runs.state.clone())
}

#[test]
fn one_run_at_a_time() {
    let verification = Verification::default();
    let first = verification.begin(running("Ada")).unwrap();
    assert_eq!(verification.begin(running("Ben")), None, "one is under way");
    verification.tell(first, 3);
    let run = state(&verification).running.unwrap();
    assert_eq!((run.by.as_str(), run.done, run.total), ("Ada", 3, 4));
    verification.end(first, 20, Err("the database is away".to_owned()));
    let second = verification.begin(running("Ben")).unwrap();
    let last = state(&verification).last.unwrap();
    assert_eq!((last.by.as_str(), last.begun_us, last.ended_us, last.found.is_err()), ("Ada", 10, 20, true));
    verification.give_up(second);
    verification.end(second, 30, Err(String::new()));
    assert_eq!(state(&verification).last.unwrap().ended_us, 20, "what was given up has no end");
}

#[test]
fn what_has_ended_does_nothing_to_the_next_run() {
    let verification = Verification::default();
    let first = verification.begin(running("Ada")).unwrap();
    verification.end(first, 20, Err(String::new()));
    // Before the first one's thread has gone, somebody begins again.
    let second = verification.begin(running("Ben")).unwrap();
    verification.tell(first, 4);
    verification.give_up(first);
    verification.end(first, 25, Err(String::new()));
    assert_eq!(state(&verification).running, Some(running("Ben")), "it is under way all the same");
    assert_eq!(state(&verification).last.unwrap().ended_us, 20);
    verification.end(second, 30, Err(String::new()));
    let last = state(&verification).last.unwrap();
    assert_eq!((last.by.as_str(), last.ended_us), ("Ben", 30));
}
