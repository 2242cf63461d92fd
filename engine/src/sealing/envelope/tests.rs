use super::*;

fn random(out: &mut [u8]) {
    aws_lc_rs::rand::fill(out).unwrap();
}

#[test]
fn a_secret_is_opened_by_its_key_and_for_what_it_is_bound_to_alone() {
    let key = Sealing::new(&[1; 32]).unwrap();
    let other = Sealing::new(&[2; 32]).unwrap();
    for secret in [&b""[..], b"k", b"a longer key with spaces"] {
        let sealed = key.seal_enveloped(secret, random, b"connection 1").unwrap();
        assert_eq!(*key.open_enveloped(&sealed, b"connection 1").unwrap(), secret);
        assert_eq!(key.open_enveloped(&sealed, b"connection 2"), Err(SealError));
        assert_eq!(other.open_enveloped(&sealed, b"connection 1"), Err(SealError));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(key.open_enveloped(&changed, b"connection 1"), Err(SealError), "byte {place}");
        }
        assert_eq!(key.open_enveloped(&sealed[..40], b"connection 1"), Err(SealError));
    }
}

#[test]
fn every_secret_has_a_data_key_of_its_own() {
    let key = Sealing::new(&[1; 32]).unwrap();
    let one = key.seal_enveloped(b"same", random, b"x").unwrap();
    let two = key.seal_enveloped(b"same", random, b"x").unwrap();
    let (one_key, _) = one.split_first_chunk::<WRAPPED_BYTES>().unwrap();
    let (_, two_secret) = two.split_first_chunk::<WRAPPED_BYTES>().unwrap();
    assert_eq!(key.open_enveloped(&[one_key.as_slice(), two_secret].concat(), b"x"), Err(SealError));
}

#[test]
fn under_another_master_key_only_the_data_key_is_sealed_anew() {
    let (old, new) = (Sealing::new(&[1; 32]).unwrap(), Sealing::new(&[2; 32]).unwrap());
    let sealed = old.seal_enveloped(b"secret", random, b"x").unwrap();
    let again = old.rewrap(&new, &sealed, random, b"x").unwrap();
    assert_eq!(*new.open_enveloped(&again, b"x").unwrap(), b"secret");
    assert_eq!(old.open_enveloped(&again, b"x"), Err(SealError));
    assert_eq!(sealed[WRAPPED_BYTES..], again[WRAPPED_BYTES..]);
    assert_eq!(new.rewrap(&old, &sealed, random, b"x"), Err(SealError));
    assert_eq!(old.rewrap(&new, &sealed, random, b"y"), Err(SealError));
}
