//! Holds from their placing to their end: who gets the money, what goes back, what the sweep does.

use super::*;

/// What each of publisher, partner and platform got, and what the wallet paid.
fn captured_parts(facts: &mut Facts, place: PlaceHold, amount: i64) -> (Vec<(LedgerAccountId, i64)>, i64) {
    let before = facts.wallets[&WALLET].debits;
    let mut batch = Batch::new(facts, NOW_US, 1);
    let id = place.id;
    assert_eq!(batch.hold(&place), Ok(Done::Held));
    assert_eq!(batch.settle(&capture(id, id, amount)), captured(amount));
    let plan = batch.into_plan();
    let legs = plan.entries.iter().find_map(|entry| match entry {
        Entry::Transaction(charge) => Some(charge.legs.clone()),
        _ => None,
    });
    let parts = legs.unwrap_or_default().iter().map(|leg| (leg.credit, leg.amount.micros())).collect();
    (parts, facts.wallets[&WALLET].debits - before)
}

#[test]
fn a_capture_is_shared_by_floors_and_the_platform_gets_the_rest() {
    let platform = LedgerAccountId::PLATFORM_FEE;
    let rows: [(i64, u16, u16, bool, &[(LedgerAccountId, i64)]); 8] = [
        (100, 8_000, 500, true, &[(PUBLISHER, 80), (PARTNER, 5), (platform, 15)]),
        (15, 8_000, 800, true, &[(PUBLISHER, 12), (PARTNER, 1), (platform, 2)]),
        (99, 3_333, 3_333, true, &[(PUBLISHER, 32), (PARTNER, 32), (platform, 35)]),
        (10_000, 19, 0, true, &[(PUBLISHER, 19), (platform, 9_981)]),
        (1, 9_999, 0, true, &[(platform, 1)]),
        (100, 10_000, 0, true, &[(PUBLISHER, 100)]),
        (100, 0, 10_000, true, &[(PARTNER, 100)]),
        (100, 8_000, 500, false, &[(PUBLISHER, 80), (platform, 5), (platform, 15)]),
    ];
    for (amount, publisher_bps, partner_bps, has_partner, expected) in rows {
        let shares = ShareTerms::new(publisher_bps, partner_bps).unwrap();
        let partner = has_partner.then_some(PARTNER);
        let place = PlaceHold { shares, partner, ..hold(name(2), 20_000) };
        let (parts, paid) = captured_parts(&mut facts_with(20_000), place, amount);
        assert_eq!(parts, expected, "{amount} at {publisher_bps}/{partner_bps}");
        assert_eq!(paid, amount, "{amount} at {publisher_bps}/{partner_bps}");
    }
}

#[test]
fn a_capture_of_a_part_gives_the_rest_back() {
    let mut facts = facts_with(100);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.hold(&hold(name(2), 100)), Ok(Done::Held));
    assert_eq!(batch.facts().wallets[&WALLET].available(), 0);
    assert_eq!(batch.settle(&capture(name(3), name(2), 30)), captured(30));
    let wallet = batch.facts().wallets[&WALLET];
    assert_eq!((wallet.available(), wallet.debits, wallet.held), (70, 30, 0));
    let plan = batch.into_plan();
    assert_eq!(plan.closed, [name(2)]);
    assert!(facts.holds.is_empty() && facts.expiries.is_empty());
}

#[test]
fn holds_count_against_the_balance_and_caps_until_they_end() {
    let mut facts = facts_with(5_000);
    let caps = vec![cap(1, CapWindow::Day, 2_500), cap(2, CapWindow::Call, 1_000)];
    let place = |id| PlaceHold { caps: caps.clone(), ..hold(name(id), 1_000) };
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    assert_eq!(batch.hold(&place(2)), Ok(Done::Held));
    assert_eq!(batch.hold(&place(3)), Ok(Done::Held));
    let refused = batch.hold(&place(4)).unwrap_err();
    let resets_us = Some(CapWindow::Day.bounds(NOW_US).1.unwrap());
    let limit = Limit::Cap { cap: caps[0].cap.id, resets_us };
    assert_eq!(refused, Refusal::Insufficient { limit, needed: micros(1_000), available: micros(500) });
    assert_eq!(batch.facts().spendable(WALLET, &caps, NOW_US), micros(500));
    assert_eq!(batch.settle(&capture(name(2), name(2), 200)), captured(200));
    assert_eq!(batch.settle(&release(name(3), name(3))), released());
    assert_eq!(batch.facts().spendable(WALLET, &caps[..1], NOW_US), micros(2_300));
    let counter = batch.facts().counters[&caps[0].counter().unwrap()];
    assert_eq!((counter.spent, counter.held), (200, 0));
}

#[test]
fn at_the_instant_of_its_expiry_a_hold_has_expired() {
    let mut facts = facts_with(100);
    let place = PlaceHold { ttl_us: SECOND_US, ..hold(name(2), 60) };
    assert_eq!(Batch::new(&mut facts, NOW_US, 1).hold(&place), Ok(Done::Held));
    assert_eq!(Batch::new(&mut facts, NOW_US + SECOND_US - 1, 1).sweep(10), Ok(0));
    assert_eq!(facts.expired_holds(NOW_US + SECOND_US - 1, 10), []);
    assert_eq!(Batch::new(&mut facts, NOW_US + SECOND_US, 1).sweep(10), Ok(1));
    assert_eq!(facts.wallets[&WALLET].available(), 100);
    assert_eq!(Batch::new(&mut facts, NOW_US + SECOND_US, 1).sweep(10), Ok(0), "a hold is swept once");
}

#[test]
fn the_sweep_goes_in_the_order_of_expiry_and_no_further_than_told() {
    let mut facts = facts_with(1_000);
    let mut batch = Batch::new(&mut facts, NOW_US, 1);
    for (id, seconds) in [(2, 9), (3, 1), (4, 5), (5, 0)] {
        let place = PlaceHold { ttl_us: seconds * SECOND_US, ..hold(name(id), 10) };
        assert_eq!(batch.hold(&place), Ok(Done::Held));
    }
    let mut batch = Batch::new(&mut facts, NOW_US + 100 * SECOND_US, 1);
    assert_eq!(batch.sweep(2), Ok(2));
    assert_eq!(batch.into_plan().closed, [name(3), name(4)]);
    let mut batch = Batch::new(&mut facts, NOW_US + 100 * SECOND_US, 1);
    assert_eq!(batch.sweep(usize::MAX), Ok(1));
    assert_eq!(facts.holds.keys().copied().collect::<Vec<_>>(), [name(5)], "lifetime 0 means for ever");
}

#[test]
fn an_attempt_priced_hold_is_charged_at_its_expiry_but_never_more_than_was_held() {
    for (rule, charged) in [(30, 30), (0, 0), (60, 60), (999, 60)] {
        let mut facts = facts_with(100);
        let on_expiry = OnExpiry::Capture(micros(rule));
        let place = PlaceHold { ttl_us: SECOND_US, on_expiry, ..hold(name(2), 60) };
        assert_eq!(Batch::new(&mut facts, NOW_US, 1).hold(&place), Ok(Done::Held));
        let mut batch = Batch::new(&mut facts, NOW_US + SECOND_US, 1);
        assert_eq!(batch.sweep(10), Ok(1));
        let ends: Vec<_> = batch
            .into_plan()
            .entries
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Settlement(end) => Some((end.settled, end.captured.micros())),
                _ => None,
            })
            .collect();
        assert_eq!(ends, [(Settled::CapturedAtExpiry, charged)]);
        assert_eq!(facts.wallets[&WALLET].available(), 100 - charged);
    }
}

#[test]
fn amounts_beyond_32_and_53_bits_stay_exact() {
    for amount in [(1_i64 << 31) + 1, (1 << 53) + 1, i64::MAX] {
        let mut facts = facts_with(amount);
        let mut batch = Batch::new(&mut facts, NOW_US, 1);
        assert_eq!(batch.hold(&hold(name(2), amount)), Ok(Done::Held));
        assert_eq!(batch.settle(&capture(name(2), name(2), amount - 1)), captured(amount - 1));
        assert_eq!(batch.facts().wallets[&WALLET].available(), 1, "{amount}");
        assert_eq!(batch.into_plan().hot[&PUBLISHER].credits, amount - 1);
    }
}
