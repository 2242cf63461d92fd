use super::*;

fn running(by: &str) -> RunningVerification {
    RunningVerification { by: by.to_owned(), begun_us: 10, from: VerifyFrom::Genesis, done: 0, total: 4 }
}

#[test]
fn one_run_at_a_time() {
    let verification = Verification::default();
    assert!(verification.begin(running("Ada")));
    assert!(!verification.begin(running("Ben")), "one is under way");
    verification.tell(3);
    let state = verification.with(|state| state.clone());
    assert_eq!(state.running.map(|run| (run.by, run.done, run.total)), Some(("Ada".to_owned(), 3, 4)));
    verification.end(20, Err("the database is away".to_owned()));
    assert!(verification.begin(running("Ben")));
    let state = verification.with(|state| state.clone());
    let last = state.last.unwrap();
    assert_eq!((last.by.as_str(), last.begun_us, last.ended_us, last.found.is_err()), ("Ada", 10, 20, true));
    verification.give_up();
    verification.end(30, Err(String::new()));
    let kept = verification.with(|state| state.last.clone()).unwrap();
    assert_eq!(kept.ended_us, 20, "what was given up has no end");
}
