use uuid::Uuid;

use super::*;

#[test]
fn wrong_codes_are_looked_at_three_times_in_half_a_minute() {
    let tries = FactorTries::default();
    let (ada, bob) = (OperatorId::from(Uuid::from_u128(1)), OperatorId::from(Uuid::from_u128(2)));
    for _ in 0..FACTOR_TRIES_MAX {
        assert!(tries.are_left(ada, 7));
        tries.add(ada, 7);
    }
    assert!(!tries.are_left(ada, 7));
    assert!(tries.are_left(bob, 7), "somebody else's are their own");
    assert!(tries.are_left(ada, 8), "nobody is locked out");
}
