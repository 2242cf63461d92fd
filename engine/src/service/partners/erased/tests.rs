use uuid::Uuid;

use super::*;

#[test]
fn a_name_has_a_digest_only_under_a_key_that_was_set() {
    let (names, partner) = (ErasedNames::default(), PartnerId::from(Uuid::from_u128(1)));
    assert_eq!(names.digest(partner, "ann"), None);
    names.0.store(Some(std::sync::Arc::new(Key::new(HMAC_SHA256, &[7; 32]))));
    let digest = names.digest(partner, "ann");
    assert!(digest.is_some());
    assert_eq!(names.digest(partner, "ann"), digest);
    assert_ne!(names.digest(partner, "ben"), digest);
    assert_ne!(names.digest(PartnerId::from(Uuid::from_u128(2)), "ann"), digest);
}
