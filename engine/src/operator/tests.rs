use uuid::Uuid;

use super::*;

#[test]
fn roles_are_kept_as_sorted_words_and_read_back() {
    assert_eq!(Role::join(&[Role::Support, Role::Owner, Role::Finance, Role::Owner]), "finance owner support");
    assert_eq!(Role::split("finance owner support").unwrap(), [Role::Owner, Role::Finance, Role::Support]);
    assert_eq!(Role::split("").unwrap(), []);
    for (role, word) in Role::ALL {
        assert_eq!((role.as_str(), word.parse()), (word, Ok(role)));
    }
    assert_eq!("king".parse::<Role>(), Err(InvalidRole("king".to_owned())));
    assert!(Role::split("owner king").is_err());
    // The database looks for an owner by this word.
    assert_eq!(Role::ALL.iter().filter(|(_, word)| word.contains("owner")).count(), 1);
}

#[test]
fn a_sealed_factor_is_of_one_operator() {
    let sealing = Sealing::new(&[7; 32]).unwrap();
    let (ada, bob) = (OperatorId::from(Uuid::from_u128(1)), OperatorId::from(Uuid::from_u128(2)));
    let secret = TotpSecret::new([9; totp::SECRET_BYTES]);
    let sealed = seal_factor(&sealing, &secret, ada, [3; 12]).unwrap();
    assert_eq!(open_factor(&sealing, &sealed, ada).unwrap().as_bytes(), secret.as_bytes());
    assert!(open_factor(&sealing, &sealed, bob).is_err(), "a row that was copied is worth nothing");
}
