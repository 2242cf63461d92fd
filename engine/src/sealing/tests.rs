use super::*;

#[test]
fn a_sealed_secret_is_read_only_as_what_it_was_sealed_as() {
    let sealing = Sealing::new(&[1; 32]).unwrap();
    let sealed = sealing.seal(b"twenty secret bytes!", [2; NONCE_BYTES], b"of alice").unwrap();
    assert!(!sealed.windows(6).any(|part| part == b"secret"), "it can be read");
    assert_eq!(*sealing.open(&sealed, b"of alice").unwrap(), b"twenty secret bytes!");

    assert!(sealing.open(&sealed, b"of bob").is_err(), "somebody else's");
    assert!(Sealing::new(&[0; 32]).unwrap().open(&sealed, b"of alice").is_err(), "another master key");
    assert!(sealing.open(&[], b"of alice").is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x10;
        assert!(sealing.open(&changed, b"of alice").is_err(), "byte {at}");
    }
}
