use super::*;
use crate::ledger::{leaf::sha256, signing::SigningKey};

fn checkpoint() -> Checkpoint {
    let head =
        |slot, after| SlotHead { slot, batch_no: 7, seq: 30, hash: sha256(b"head"), after, span: sha256(b"span") };
    Checkpoint {
        number: 3,
        made_us: 1_795_000_000_000_000,
        key: 2,
        prev_hash: sha256(b"before"),
        heads: vec![head(0, 4), head(5, 0)],
        others: vec![OtherHead { name: "audit".to_owned(), count: 12, hash: sha256(b"audit") }],
        successor: Some([9; 32]),
    }
}

#[test]
fn what_is_written_is_read_back_and_nothing_else_is() {
    let empty = Checkpoint { heads: Vec::new(), others: Vec::new(), successor: None, ..checkpoint() };
    for checkpoint in [checkpoint(), empty] {
        let bytes = checkpoint.bytes();
        assert_eq!(Checkpoint::from_bytes(&bytes), Some(checkpoint.clone()));
        for length in 0..bytes.len() {
            assert_eq!(Checkpoint::from_bytes(&bytes[..length]), None, "{length} bytes of {}", bytes.len());
        }
        assert_eq!(Checkpoint::from_bytes(&[bytes.as_slice(), &[0]].concat()), None);
    }
    assert_eq!(Checkpoint::from_bytes(&[0x05; 200]), None, "a list that is longer than anything");
}

#[test]
fn a_change_of_any_bit_is_another_checkpoint_and_not_signed() {
    let key = SigningKey::from_seed(&[7; 32], 2).unwrap();
    let checkpoint = checkpoint();
    let bytes = checkpoint.bytes();
    let signature = key.sign(&bytes).unwrap();
    let signed = SignedCheckpoint { checkpoint: checkpoint.clone(), signature };
    assert!(signed.is_signed_by(&key.public()));
    assert!(!signed.is_signed_by(&SigningKey::from_seed(&[8; 32], 2).unwrap().public()));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x04;
        if let Some(read) = Checkpoint::from_bytes(&changed) {
            assert_ne!(read, checkpoint, "byte {at} says nothing");
            assert!(!SignedCheckpoint { checkpoint: read, signature }.is_signed_by(&key.public()), "byte {at}");
        }
    }
    for at in 0..signature.len() {
        let mut changed = signed.clone();
        changed.signature[at] ^= 0x01;
        assert!(!changed.is_signed_by(&key.public()), "byte {at} of the signature");
    }
}
