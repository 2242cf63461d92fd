use super::*;
use crate::ledger::hex::{from_hex, hex};

/// The first example of RFC 8032, section 7.1.
#[test]
fn signatures_are_those_of_the_standard() {
    let seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    let key = SigningKey::from_seed(&seed, 1).unwrap();
    assert_eq!(hex(&key.public()), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let signature = key.sign(b"").unwrap();
    assert!(hex(&signature).starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"));
    assert!(is_signed_by(&key.public(), b"", &signature));
    assert!(!is_signed_by(&key.public(), b"x", &signature));
}

#[test]
fn a_wrapped_key_is_read_only_as_what_it_was_wrapped_as() {
    let wrapping = WrappingKey::new(&[1; 32]).unwrap();
    let key = SigningKey::from_seed(&[5; 32], 3).unwrap();
    let wrapped = wrapping.wrap(&[5; 32], [2; 12], 3).unwrap();
    let again = wrapping.unwrap(&wrapped, 3, &key.public()).unwrap();
    assert_eq!((again.number(), again.public()), (3, key.public()));
    assert!(!hex(&wrapped).contains(&hex(&[5; 8])), "the private part can be read");

    assert!(wrapping.unwrap(&wrapped, 4, &key.public()).is_err(), "another number");
    assert!(wrapping.unwrap(&wrapped, 3, &[0; 32]).is_err(), "another public key");
    assert!(WrappingKey::new(&[0; 32]).unwrap().unwrap(&wrapped, 3, &key.public()).is_err(), "another master key");
    assert!(wrapping.unwrap(&[], 3, &key.public()).is_err());
    for at in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[at] ^= 0x10;
        assert!(wrapping.unwrap(&changed, 3, &key.public()).is_err(), "byte {at}");
    }
}
