use super::*;
use crate::ledger::{leaf::sha256, signing::SigningKey};

#[test]
fn a_checkpoint_is_read_back_from_its_text_and_a_changed_one_is_not() {
    let key = SigningKey::from_seed(&[7; 32], 1).unwrap();
    let heads = vec![SlotHead { slot: 0, batch_no: 1, seq: 2, hash: sha256(b"h"), after: 0, span: sha256(b"s") }];
    let others = vec![OtherHead { name: "a \"b\"".to_owned(), count: 1, hash: sha256(b"o") }];
    let checkpoint =
        Checkpoint { number: 1, made_us: 5, key: 1, prev_hash: [0; 32], heads, others, successor: Some([3; 32]) };
    let signature = key.sign(&checkpoint.bytes()).unwrap();
    let signed = SignedCheckpoint { checkpoint, signature };
    let view = checkpoint_view_with_key(&signed, &key.public());
    assert_eq!(read_checkpoint(&view), Some((signed, key.public())));
    for (pointer, value) in [
        ("/number", json!(2)),
        ("/heads/0/seq", json!(3)),
        ("/heads/0/span", json!("00")),
        ("/others/0/count", json!(2)),
        ("/successor", Value::Null),
        ("/hash", json!(hex(&[0; 32]))),
        ("/signature", json!(17)),
    ] {
        let mut changed = view.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(read_checkpoint(&changed), None, "{pointer}");
    }
}
