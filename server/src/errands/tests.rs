use actix_web::ResponseError as _;

use super::*;

fn account(number: usize) -> Uuid {
    Uuid::from_u128(u128::try_from(number).unwrap())
}

/// So many errands under way of each of so many accounts.
fn under_way(errands: &Arc<Errands>, accounts: usize, of_each: usize) -> Vec<Arc<Errand>> {
    (0..accounts * of_each).map(|number| errands.begin(account(number / of_each)).unwrap()).collect()
}

#[test]
fn as_many_errands_begin_as_may_be_under_way() {
    const OF_EACH: usize = ERRANDS_PER_OWNER_MAX;
    const FULL: usize = ERRANDS_MAX / OF_EACH;
    for (name, accounts, of_each, asks, begins) in [
        ("the first", 0, 1, 0, true),
        ("the last of its own", 1, OF_EACH - 1, 0, true),
        ("one too many of its own", 1, OF_EACH, 0, false),
        ("another account's", 1, OF_EACH, 1, true),
        ("the last of all", FULL - 1, OF_EACH, FULL, true),
        ("one too many of all", FULL, OF_EACH, FULL, false),
        ("one too many, of many accounts", ERRANDS_MAX, 1, ERRANDS_MAX, false),
    ] {
        let errands = Arc::new(Errands::default());
        let held = under_way(&errands, accounts, of_each);
        let begun = errands.begin(account(asks));
        assert_eq!(begun.is_ok(), begins, "{name}");
        match begun {
            Ok(errand) => drop(errand),
            Err(problem) => {
                let answer = problem.error_response();
                assert_eq!((answer.status().as_u16(), problem.code()), (429, Code::RateLimited), "{name}");
                assert!(answer.headers().contains_key("retry-after"), "{name}");
            }
        }
        drop(held);
        assert!(errands.lock().is_empty(), "{name}: nothing is left of them");
        errands.begin(account(asks)).map(drop).unwrap();
    }
}

#[test]
fn an_errand_is_under_way_until_nobody_holds_it() {
    let errands = Arc::new(Errands::default());
    let mut held = under_way(&errands, 1, ERRANDS_PER_OWNER_MAX);
    let elsewhere = Arc::clone(&held[0]);
    drop(held.remove(0));
    assert!(errands.begin(account(0)).is_err(), "it goes on elsewhere");
    drop(elsewhere);
    errands.begin(account(0)).map(drop).unwrap();
}
