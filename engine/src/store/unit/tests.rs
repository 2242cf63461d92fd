use super::*;

#[test]
fn accounts_of_one_unit_never_share_an_identifier() {
    let mut drawn = [7, 7, 7, 8, 7, 8, 9].into_iter().map(LedgerAccountId::from_raw);
    let mut unit = UnitOfWork::new();
    let given: Vec<_> = (0..3).map(|_| unit.next_ledger_account(|| drawn.next().unwrap()).raw()).collect();
    assert_eq!(given, [7, 8, 9]);
}
