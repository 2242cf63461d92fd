use super::is_before;
use crate::ledger::{
    checkpoint::{Checkpoint, NO_CHECKPOINT, OtherHead, SlotHead},
    export::manifest::Position,
};

fn checkpoint(heads: &[(i64, i64)], trails: &[(&str, i64)]) -> Checkpoint {
    let head = |&(slot, batch_no): &(i64, i64)| SlotHead {
        slot,
        batch_no,
        seq: 10 * batch_no,
        hash: [1; 32],
        after: 0,
        span: [2; 32],
    };
    let other = |&(name, count): &(&str, i64)| OtherHead { name: name.to_owned(), count, hash: [3; 32] };
    Checkpoint {
        number: 1,
        made_us: 0,
        key: 1,
        prev_hash: NO_CHECKPOINT,
        heads: heads.iter().map(head).collect(),
        others: trails.iter().map(other).collect(),
        successor: None,
    }
}

fn at(slot: i64, batch_no: Option<i64>, seq: i64) -> Position {
    Position { slot, batch_no, seq, hash: [1; 32] }
}

#[test]
fn a_checkpoint_counts_when_no_chain_of_it_goes_further() {
    let books = checkpoint(&[(0, 5), (2, 7)], &[("audit/0", 3), ("audit/1", 0)]);
    for (position, expected) in [
        (vec![at(0, Some(5), 50), at(2, Some(7), 70)], true),
        (vec![at(0, Some(9), 90), at(1, Some(1), 1), at(2, Some(8), 80)], true),
        (vec![at(0, Some(4), 40), at(2, Some(7), 70)], false),
        (vec![at(0, Some(5), 50), at(2, Some(6), 60)], false),
        (vec![at(0, Some(5), 50)], false),
        (vec![], false),
        (vec![at(0, None, 3)], true),
        (vec![at(0, None, 2)], false),
        (vec![at(1, None, 9)], false),
    ] {
        assert_eq!(is_before(&books, &position), expected, "{position:?}");
    }
}
