use super::*;

/// Where a kind stands in the table. A new kind does not compile here before it is counted.
const fn place(kind: MovementKind) -> usize {
    match kind {
        MovementKind::Adjustment => 0,
        MovementKind::PartnerGrant => 1,
        MovementKind::Refund => 2,
        MovementKind::Reversal => 3,
        MovementKind::Payout => 4,
        MovementKind::ChargebackOpen => 5,
        MovementKind::ChargebackWon => 6,
        MovementKind::ChargebackLost => 7,
        MovementKind::Grant => 8,
    }
}

#[test]
fn every_kind_has_a_word_that_is_read_again() {
    for (number, (kind, word)) in MovementKind::ALL.into_iter().enumerate() {
        assert_eq!(place(kind), number, "{word}");
        assert_eq!(kind.as_str(), word);
        assert_eq!(MovementKind::from_word(word), Some(kind), "{word}");
    }
    assert_eq!(MovementKind::ALL.len(), place(MovementKind::Grant) + 1);
    assert_eq!(MovementKind::from_word("partner"), None);
}
