//! Every refusal, and the documented order in which the rules are checked: each row breaks several rules at once.

use super::*;

/// 1,000 in the wallet (transaction 1); hold 10 open (100), 11 captured (40 of 50, settlement 111),
/// 12 released (settlement 112), 13 expired and swept, 14 expired and not swept, 15 for a publisher that has closed,
/// 16 captured with nothing (settlement 116).
fn scene() -> Facts {
    let mut facts = facts_with(1_000);
    let mut early = Batch::new(&mut facts, NOW_US - 10 * SECOND_US, 1);
    assert_eq!(early.hold(&PlaceHold { ttl_us: SECOND_US, ..hold(name(13), 50) }), Ok(Done::Held));
    let mut later = Batch::new(&mut facts, NOW_US - 5 * SECOND_US, 1);
    assert_eq!(later.sweep(10), Ok(1));
    assert_eq!(later.hold(&PlaceHold { ttl_us: 5 * SECOND_US, ..hold(name(14), 50) }), Ok(Done::Held));
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    for (id, amount) in [(10, 100), (11, 50), (12, 50), (16, 50)] {
        assert_eq!(batch.hold(&hold(name(id), amount)), Ok(Done::Held));
    }
    assert_eq!(batch.hold(&PlaceHold { payee: OTHER_PUBLISHER, ..hold(name(15), 50) }), Ok(Done::Held));
    assert_eq!(batch.settle(&capture(name(111), name(11), 40)), captured(40));
    assert_eq!(batch.settle(&release(name(112), name(12))), released());
    assert_eq!(batch.settle(&capture(name(116), name(16), 0)), captured(0));
    close(&mut facts, OTHER_PUBLISHER);
    close(&mut facts, OTHER_WALLET);
    facts
}

/// The balances of all wallets and the open holds: what a refusal may not touch.
fn money(facts: &Facts) -> (Vec<(LedgerAccountId, Wallet)>, Vec<EntryId>) {
    let mut wallets: Vec<_> = facts.wallets.iter().map(|(id, wallet)| (*id, *wallet)).collect();
    wallets.sort_by_key(|(id, _)| *id);
    let mut holds: Vec<_> = facts.holds.keys().copied().collect();
    holds.sort();
    (wallets, holds)
}

/// Decides `ask` on the scene; checks that a refusal changes no money and is recorded under its word.
fn decide(ask: impl FnOnce(&mut Batch<'_>) -> Result<Done, Refusal>) -> Result<Done, Refusal> {
    let mut facts = scene();
    let before = money(&facts);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    let answer = ask(&mut batch);
    let plan = batch.into_plan();
    if let Err(refusal) = answer {
        // Whoever asks for an expired hold finds it swept.
        if refusal != Refusal::HoldExpired {
            assert_eq!(money(&facts), before, "a refused command changed the money: {refusal:?}");
            assert!(plan.hot.is_empty() && plan.wallets.is_empty() && plan.closed.is_empty(), "{plan:?}");
        }
        let Some(Entry::Refusal(entry)) = plan.entries.last() else { panic!("not recorded: {:?}", plan.entries) };
        assert_eq!(entry.reason, refusal.as_str());
    }
    answer
}

/// Carries `first` out and then asks `again`.
fn ask_again(
    first: impl FnOnce(&mut Batch<'_>) -> Result<Done, Refusal>,
    again: impl FnOnce(&mut Batch<'_>) -> Result<Done, Refusal>,
) -> Result<Done, Refusal> {
    let mut facts = scene();
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    first(&mut batch).unwrap();
    again(&mut batch)
}

fn no_money(wallet: LedgerAccountId, needed: i64, available: i64) -> Refusal {
    Refusal::Insufficient { limit: Limit::Wallet(wallet), needed: micros(needed), available: micros(available) }
}

#[test]
fn posts_are_refused_in_the_documented_order() {
    let poor = leg(WALLET, PUBLISHER, 1_000_000);
    let closed = leg(OTHER_WALLET, PUBLISHER, 1);
    let strange = leg(WALLET, STRANGER, 1);
    let same = leg(WALLET, WALLET, 1);
    let nothing = leg(WALLET, PUBLISHER, 0);
    let negative = leg(WALLET, PUBLISHER, -1);
    let rich = LedgerAccountId::from_raw(1_004);
    let flood = leg(LedgerAccountId::OPENING, rich, i64::MAX);
    let fine = leg(WALLET, PUBLISHER, 1);
    let rows: &[(&str, EntryId, &[Leg], Result<Done, Refusal>)] = &[
        ("an identifier of a hold", name(10), &[poor, closed, nothing], Err(Refusal::Exists(Difference::Operation))),
        ("an identifier of a settled hold", name(11), &[fine], Err(Refusal::Exists(Difference::Operation))),
        ("an identifier of a charge", name(111), &[fine], Err(Refusal::Exists(Difference::Operation))),
        ("an identifier of a release", name(112), &[fine], Err(Refusal::Exists(Difference::Operation))),
        ("another post", name(1), &[poor, closed], Err(Refusal::Exists(Difference::DebitAccount))),
        ("a leg of nothing", name(90), &[poor, closed, strange, same, nothing], Err(Refusal::OutOfRange)),
        ("a negative leg", name(90), &[poor, closed, strange, same, negative], Err(Refusal::OutOfRange)),
        ("twice the same account", name(90), &[poor, closed, strange, same], Err(Refusal::SameAccount)),
        ("an account that is not there", name(90), &[poor, closed, strange], Err(Refusal::UnknownAccount(STRANGER))),
        ("a closed account", name(90), &[poor, closed], Err(Refusal::AccountClosed(OTHER_WALLET))),
        ("no money", name(90), &[poor, flood, flood], Err(no_money(WALLET, 1_000_000, 760))),
        (
            "no money for the second leg",
            name(90),
            &[leg(WALLET, PUBLISHER, 700), leg(WALLET, PUBLISHER, 61)],
            Err(no_money(WALLET, 61, 60)),
        ),
        ("too much for 64 bits", name(90), &[flood, flood], Err(Refusal::Overflow)),
        ("money that comes in before it goes out", name(90), &[flood, leg(rich, WALLET, 5)], Ok(Done::Posted)),
        ("no legs", name(90), &[], Ok(Done::Posted)),
    ];
    for (what, id, legs, expected) in rows {
        assert_eq!(decide(|batch| batch.post(&post(*id, legs))), *expected, "{what}");
    }
}

#[test]
fn holds_are_refused_in_the_documented_order() {
    let tight = || vec![cap(7, CapWindow::Call, 5)];
    let of_cap = |needed, available| Refusal::Insufficient {
        limit: Limit::Cap { cap: cap(7, CapWindow::Call, 5).cap.id, resets_us: None },
        needed: micros(needed),
        available: micros(available),
    };
    let wide = hold(name(90), 100);
    let rows = [
        (
            "an identifier of a post",
            PlaceHold { id: name(1), amount: micros(-1), ..wide.clone() },
            Err(Refusal::Exists(Difference::Operation)),
        ),
        (
            "a negative amount",
            PlaceHold { amount: micros(-1), payee: WALLET, ..wide.clone() },
            Err(Refusal::OutOfRange),
        ),
        ("a negative lifetime", PlaceHold { ttl_us: -1, payee: WALLET, ..wide.clone() }, Err(Refusal::OutOfRange)),
        (
            "its own payee",
            PlaceHold { payee: WALLET, partner: Some(STRANGER), ..wide.clone() },
            Err(Refusal::SameAccount),
        ),
        (
            "its own partner",
            PlaceHold { partner: Some(WALLET), payee: STRANGER, ..wide.clone() },
            Err(Refusal::SameAccount),
        ),
        (
            "a wallet that is not there",
            PlaceHold { wallet: STRANGER, payee: OTHER_PUBLISHER, ..wide.clone() },
            Err(Refusal::UnknownAccount(STRANGER)),
        ),
        ("an unlimited account", PlaceHold { wallet: PARTNER, ..wide.clone() }, Err(Refusal::UnknownAccount(PARTNER))),
        (
            "a payee that is not there",
            PlaceHold { wallet: OTHER_WALLET, payee: STRANGER, ..wide.clone() },
            Err(Refusal::UnknownAccount(STRANGER)),
        ),
        (
            "a partner that is not there",
            PlaceHold { partner: Some(STRANGER), payee: OTHER_PUBLISHER, ..wide.clone() },
            Err(Refusal::UnknownAccount(STRANGER)),
        ),
        (
            "a closed wallet",
            PlaceHold { wallet: OTHER_WALLET, ..wide.clone() },
            Err(Refusal::AccountClosed(OTHER_WALLET)),
        ),
        (
            "a closed payee",
            PlaceHold { payee: OTHER_PUBLISHER, amount: micros(9_999), ..wide.clone() },
            Err(Refusal::AccountClosed(OTHER_PUBLISHER)),
        ),
        ("no money", PlaceHold { amount: micros(761), caps: tight(), ..wide.clone() }, Err(no_money(WALLET, 761, 760))),
        ("a cap", PlaceHold { amount: micros(6), caps: tight(), ..wide.clone() }, Err(of_cap(6, 5))),
        ("to the last unit", PlaceHold { amount: micros(760), ..wide.clone() }, Ok(Done::Held)),
        ("nothing", PlaceHold { amount: micros(0), caps: tight(), ..wide }, Ok(Done::Held)),
    ];
    for (what, hold, expected) in rows {
        assert_eq!(decide(|batch| batch.hold(&hold)), expected, "{what}");
    }
}

#[test]
fn settlements_are_refused_in_the_documented_order() {
    let with = |settle: Settle, wallet, payee| Settle { wallet, payee, ..settle };
    let partial =
        |id, hold, amount| Settle { action: SettleAction::Release(Some(micros(amount))), ..release(id, hold) };
    let (new, held) = (name(90), micros(100));
    let rows = [
        ("an identifier of a post", capture(name(1), name(10), -1), Err(Refusal::Exists(Difference::Operation))),
        ("an identifier of another hold", capture(name(12), name(10), -1), Err(Refusal::Exists(Difference::Operation))),
        ("an identifier of an open hold", capture(name(15), name(10), 1), Err(Refusal::Exists(Difference::Operation))),
        ("the charge of another hold", capture(name(111), name(10), 1), Err(Refusal::Exists(Difference::Hold))),
        ("a release under a charge's name", release(name(111), name(10)), Err(Refusal::Exists(Difference::Operation))),
        ("a zero charge of another hold", capture(name(116), name(10), 1), Err(Refusal::Exists(Difference::Hold))),
        (
            "a charge under a release's name",
            capture(name(112), name(10), 1),
            Err(Refusal::Exists(Difference::Operation)),
        ),
        ("a negative capture of nothing", capture(new, name(99), -1), Err(Refusal::OutOfRange)),
        ("a negative release", partial(new, name(10), -1), Err(Refusal::OutOfRange)),
        ("no such hold", with(capture(new, name(99), 1), Some(STRANGER), None), Err(Refusal::HoldNotFound)),
        ("a post", with(release(new, name(1)), Some(STRANGER), None), Err(Refusal::NotAHold)),
        ("a charge", with(release(new, name(111)), Some(STRANGER), None), Err(Refusal::NotAHold)),
        ("a release", with(release(new, name(112)), Some(STRANGER), None), Err(Refusal::NotAHold)),
        (
            "another wallet",
            with(capture(new, name(10), 999), Some(STRANGER), Some(STRANGER)),
            Err(Refusal::HoldHasOtherWallet),
        ),
        (
            "another payee",
            with(capture(new, name(10), 999), Some(WALLET), Some(STRANGER)),
            Err(Refusal::HoldHasOtherPayee),
        ),
        (
            "another payee, captured before",
            with(capture(new, name(11), 9), None, Some(STRANGER)),
            Err(Refusal::HoldHasOtherPayee),
        ),
        ("more than was held", capture(new, name(10), 101), Err(Refusal::ExceedsHold { held })),
        ("a release of more than was held", partial(new, name(10), 101), Err(Refusal::ExceedsHold { held })),
        (
            "more than was held, captured before",
            capture(new, name(11), 51),
            Err(Refusal::ExceedsHold { held: micros(50) }),
        ),
        ("more than was held, expired", capture(new, name(14), 51), Err(Refusal::ExceedsHold { held: micros(50) })),
        ("a part", partial(new, name(10), 99), Err(Refusal::ReleaseIsPartial { held })),
        ("a part, released before", partial(new, name(12), 49), Err(Refusal::ReleaseIsPartial { held: micros(50) })),
        ("captured before", capture(new, name(11), 50), Err(Refusal::AlreadyCaptured)),
        ("captured before with nothing", release(new, name(16)), Err(Refusal::AlreadyCaptured)),
        ("released before", release(new, name(12)), Err(Refusal::AlreadyReleased)),
        ("expired and swept", capture(new, name(13), 1), Err(Refusal::HoldExpired)),
        ("expired and not swept", capture(new, name(14), 1), Err(Refusal::HoldExpired)),
        ("released too late", release(new, name(14)), Err(Refusal::HoldExpired)),
        ("a closed payee", capture(new, name(15), 1), Err(Refusal::AccountClosed(OTHER_PUBLISHER))),
        ("a closed payee, nothing for it", release(new, name(15)), released()),
        ("all of it, in so many words", partial(new, name(10), 100), released()),
        ("to the last unit", capture(new, name(10), 100), captured(100)),
    ];
    for (what, settle, expected) in rows {
        assert_eq!(decide(|batch| batch.settle(&settle)), expected, "{what}");
    }
}

#[test]
fn repeated_commands_tell_the_first_difference_in_the_documented_order() {
    let first = Post { meta: Some(sha256(b"a")), ..post(name(50), &[leg(WALLET, PUBLISHER, 5)]) };
    let with_legs = |legs: &[Leg]| Post { meta: None, legs: legs.to_vec(), ..first.clone() };
    let posts = [
        (Post { kind: TransactionKind::Grant, ..with_legs(&[leg(PARTNER, PARTNER, 0)]) }, Err(Difference::Operation)),
        (Post { reverses: Some(name(1)), ..with_legs(&[leg(PARTNER, PARTNER, 0)]) }, Err(Difference::Operation)),
        (with_legs(&[leg(PARTNER, PARTNER, 0)]), Err(Difference::DebitAccount)),
        (with_legs(&[leg(WALLET, PARTNER, 0)]), Err(Difference::CreditAccount)),
        (with_legs(&[leg(WALLET, PUBLISHER, 6)]), Err(Difference::Amount)),
        (with_legs(&[]), Err(Difference::Amount)),
        (with_legs(&[leg(WALLET, PUBLISHER, 5)]), Err(Difference::Metadata)),
        (first.clone(), Ok(Done::Exists)),
    ];
    for (again, expected) in posts {
        let answer = ask_again(|batch| batch.post(&first), |batch| batch.post(&again));
        assert_eq!(answer, expected.map_err(Refusal::Exists), "{again:?}");
    }

    let first = PlaceHold { meta: Some(sha256(b"a")), caps: vec![cap(8, CapWindow::Total, 99)], ..hold(name(50), 5) };
    let other =
        PlaceHold { wallet: STRANGER, payee: STRANGER, amount: micros(-1), ttl_us: -1, meta: None, ..first.clone() };
    let holds = [
        (PlaceHold { shares: ShareTerms::new(1, 1).unwrap(), ..other.clone() }, Err(Difference::Operation)),
        (PlaceHold { partner: Some(PARTNER), ..other.clone() }, Err(Difference::Operation)),
        (PlaceHold { on_expiry: OnExpiry::Capture(micros(1)), ..other.clone() }, Err(Difference::Operation)),
        (PlaceHold { caps: Vec::new(), ..other.clone() }, Err(Difference::Operation)),
        (other.clone(), Err(Difference::DebitAccount)),
        (PlaceHold { wallet: WALLET, ..other.clone() }, Err(Difference::CreditAccount)),
        (PlaceHold { wallet: WALLET, payee: PUBLISHER, ..other.clone() }, Err(Difference::Amount)),
        (PlaceHold { ttl_us: 1, meta: None, ..first.clone() }, Err(Difference::Ttl)),
        (PlaceHold { meta: None, ..first.clone() }, Err(Difference::Metadata)),
        (
            PlaceHold { caps: vec![cap(9, CapWindow::Call, 99), cap(8, CapWindow::Total, 1)], ..first.clone() },
            Ok(Done::Exists),
        ),
        (first.clone(), Ok(Done::Exists)),
    ];
    for (again, expected) in holds {
        let answer = ask_again(|batch| batch.hold(&first), |batch| batch.hold(&again));
        assert_eq!(answer, expected.map_err(Refusal::Exists), "{again:?}");
    }
}

#[test]
fn repeated_settlements_tell_the_first_difference_in_the_documented_order() {
    let charge = Settle { meta: Some(sha256(b"a")), ..capture(name(50), name(10), 60) };
    let wrong = Settle { wallet: Some(STRANGER), payee: Some(STRANGER), meta: Some(sha256(b"b")), ..charge.clone() };
    let exactly = |amount| SettleAction::Capture(CaptureAmount::Exactly(micros(amount)));
    let rows = [
        (Settle { action: SettleAction::Release(Some(micros(1))), ..wrong.clone() }, Err(Difference::Operation)),
        (Settle { action: exactly(61), ..wrong.clone() }, Err(Difference::DebitAccount)),
        (Settle { wallet: Some(WALLET), action: exactly(61), ..wrong.clone() }, Err(Difference::CreditAccount)),
        (Settle { action: SettleAction::Capture(CaptureAmount::All), ..charge.clone() }, Err(Difference::Amount)),
        (Settle { action: exactly(0), meta: None, ..charge.clone() }, Err(Difference::Amount)),
        (Settle { meta: Some(sha256(b"b")), ..charge.clone() }, Err(Difference::Metadata)),
        (Settle { meta: None, wallet: Some(WALLET), payee: Some(PUBLISHER), ..charge.clone() }, Ok(Done::Exists)),
        (charge.clone(), Ok(Done::Exists)),
    ];
    for (again, expected) in rows {
        let answer = ask_again(|batch| batch.settle(&charge), |batch| batch.settle(&again));
        assert_eq!(answer, expected.map_err(Refusal::Exists), "{again:?}");
    }
    let back = release(name(50), name(10));
    let rows = [
        (capture(name(50), name(10), 0), Err(Difference::Operation)),
        (Settle { action: SettleAction::Release(Some(micros(99))), ..back.clone() }, Err(Difference::Amount)),
        (Settle { action: SettleAction::Release(Some(micros(100))), ..back.clone() }, Ok(Done::Exists)),
        (back.clone(), Ok(Done::Exists)),
    ];
    for (again, expected) in rows {
        let answer = ask_again(|batch| batch.settle(&back), |batch| batch.settle(&again));
        assert_eq!(answer, expected.map_err(Refusal::Exists), "{again:?}");
    }
}
