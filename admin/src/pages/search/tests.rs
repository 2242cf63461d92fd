use super::*;

#[test]
fn whatever_can_be_found_has_a_word() {
    for (kind, word, _) in HitKind::ALL {
        let text = t(&format!("{KIND}{word}"));
        assert!(!text.starts_with(KIND), "{kind:?} has no word");
    }
}

#[test]
fn a_charge_leads_to_its_call() {
    let digits = "0192f0c1a2b37c4d8e5f60718293a4b5";
    assert_eq!(href(HitKind::Call, &format!("ent_{digits}")), format!("/admin/invocations/inv_{digits}"));
    assert_eq!(href(HitKind::Call, &format!("inv_{digits}")), format!("/admin/invocations/inv_{digits}"));
    for (kind, page) in [(HitKind::Movement, "/admin/refunds/"), (HitKind::Transaction, "/admin/ledger/transactions/")]
    {
        assert_eq!(href(kind, &format!("ent_{digits}")), format!("{page}ent_{digits}"));
    }
    assert_eq!(href(HitKind::Account, &format!("acc_{digits}")), format!("/admin/accounts/acc_{digits}"));
}
