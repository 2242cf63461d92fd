use proptest::prelude::*;

use super::*;
use crate::credits::CreditsError;

fn shares(publisher: i64, partner: i64, platform: i64) -> Shares {
    let [publisher, partner, platform] = [publisher, partner, platform].map(Credits::from_micros);
    Shares { publisher, partner, platform }
}

fn terms(publisher_bps: u16, partner_bps: u16) -> ShareTerms {
    ShareTerms::new(publisher_bps, partner_bps).unwrap()
}

/// The largest difference between a party's reversals and its exact proportion, times the charge.
fn is_within_two_units(cumulative: i64, part: i64, refunded: i64, charge: i64) -> bool {
    let exact = i128::from(part) * i128::from(refunded);
    (i128::from(cumulative) * i128::from(charge) - exact).abs() < 2 * i128::from(charge)
}

#[test]
fn shares_are_rounded_down_and_the_platform_gets_the_rest() {
    for (charge, publisher_bps, partner_bps, expected) in [
        (15, 8_000, 800, shares(12, 1, 2)),
        (10, 8_000, 0, shares(8, 0, 2)),
        (1, 9_999, 0, shares(0, 0, 1)),
        (1, 10_000, 0, shares(1, 0, 0)),
        (3, 5_000, 5_000, shares(1, 1, 1)),
        (2, 9_000, 0, shares(1, 0, 1)),
        (0, 8_000, 800, shares(0, 0, 0)),
        (10_000, 19, 0, shares(19, 0, 9_981)),
        (50_000_000, 8_000, 500, shares(40_000_000, 2_500_000, 7_500_000)),
        (i64::MAX, 10_000, 0, shares(i64::MAX, 0, 0)),
        (i64::MAX, 0, 0, shares(0, 0, i64::MAX)),
    ] {
        assert_eq!(split(Credits::from_micros(charge), terms(publisher_bps, partner_bps)), Ok(expected), "{charge}");
    }
    assert_eq!(split(Credits::from_micros(-1), terms(8_000, 0)), Err(CreditsError::Negative));
}

#[test]
fn terms_above_the_whole_are_refused() {
    assert!(ShareTerms::new(10_000, 0).is_ok());
    assert!(ShareTerms::new(9_500, 500).is_ok());
    for (publisher_bps, partner_bps) in [(10_001, 0), (9_500, 501), (u16::MAX, u16::MAX)] {
        let error = ShareTerms::new(publisher_bps, partner_bps).unwrap_err().to_string();
        assert!(error.contains("`share_bps`") && error.contains("`margin_bps`"), "{error}");
    }
}

#[test]
fn partial_refunds_add_up_exactly() {
    // charge 10, publisher 8, platform 2: refunds of 3, 3 and 4
    let posted = shares(8, 0, 2);
    let refund =
        |before: i64, amount: i64| refund_shares(posted, Credits::from_micros(before), Credits::from_micros(amount));
    assert_eq!(refund(0, 3), Ok(shares(3, 0, 0)));
    assert_eq!(refund(3, 3), Ok(shares(2, 0, 1)));
    assert_eq!(refund(6, 4), Ok(shares(3, 0, 1)));
    assert_eq!(refund(10, 1), Err(RefundError::ExceedsRefundable { refundable: Credits::ZERO }));
}

#[test]
fn a_full_refund_reverses_exactly_what_was_posted() {
    for posted in [shares(12, 1, 2), shares(0, 0, 1), shares(7, 0, 0), shares(i64::MAX - 2, 1, 1), shares(0, 5, 0)] {
        assert_eq!(refund_shares(posted, Credits::ZERO, posted.total().unwrap()), Ok(posted));
    }
}

#[test]
fn no_party_gives_back_what_it_never_got() {
    // three parts rounded on their own would take a unit from the platform, or give one to the partner
    assert_eq!(refund_shares(shares(5, 5, 0), Credits::ZERO, Credits::from_micros(1)), Ok(shares(1, 0, 0)));
    for refunded in 0..7 {
        let reversal = refund_shares(shares(3, 1, 3), Credits::from_micros(refunded), Credits::from_micros(1)).unwrap();
        assert!([reversal.publisher, reversal.partner, reversal.platform].iter().all(|part| !part.is_negative()));
    }
}

#[test]
fn refunds_that_cannot_be_are_refused() {
    let posted = shares(8, 0, 2);
    let [one, two] = [1, 2].map(Credits::from_micros);
    for (posted, before, amount, expected) in [
        (posted, Credits::ZERO, Credits::ZERO, RefundError::NotPositive),
        (posted, Credits::ZERO, Credits::from_micros(-1), RefundError::NotPositive),
        (posted, Credits::from_micros(9), two, RefundError::ExceedsRefundable { refundable: one }),
        (posted, Credits::ZERO, Credits::MAX, RefundError::ExceedsRefundable { refundable: Credits::from_micros(10) }),
        (shares(0, 0, 0), Credits::ZERO, one, RefundError::ExceedsRefundable { refundable: Credits::ZERO }),
        (posted, Credits::from_micros(11), one, RefundError::Inconsistent),
        (posted, Credits::from_micros(-1), one, RefundError::Inconsistent),
        (shares(11, 0, -1), Credits::ZERO, one, RefundError::Inconsistent),
        (shares(i64::MAX, 1, 0), Credits::ZERO, one, RefundError::Inconsistent),
    ] {
        assert_eq!(refund_shares(posted, before, amount), Err(expected));
    }
}

fn any_terms() -> impl Strategy<Value = ShareTerms> {
    (0..=BASIS_POINTS)
        .prop_flat_map(|publisher_bps| (Just(publisher_bps), 0..=BASIS_POINTS - publisher_bps))
        .prop_map(|(publisher_bps, partner_bps)| terms(publisher_bps, partner_bps))
}

/// Charges of every size, small ones often: rounding shows there.
fn any_charge() -> impl Strategy<Value = i64> {
    prop_oneof![0_i64..100, 0_i64..100_000_000, 0_i64..=i64::MAX]
}

proptest! {
    #[test]
    fn shares_add_up_to_the_charge_and_none_exceeds_its_terms(charge in any_charge(), terms in any_terms()) {
        let parts = split(Credits::from_micros(charge), terms).unwrap();
        prop_assert_eq!(parts.total(), Some(Credits::from_micros(charge)));
        let exact = |bps: u16| i128::from(charge) * i128::from(bps);
        for (part, bps) in [(parts.publisher, terms.publisher_bps()), (parts.partner, terms.partner_bps())] {
            let scaled = i128::from(part.micros()) * 10_000;
            prop_assert!(scaled <= exact(bps) && exact(bps) - scaled < 10_000);
        }
        prop_assert!(i128::from(parts.platform.micros()) * 10_000 >= exact(BASIS_POINTS - terms.publisher_bps() - terms.partner_bps()));
    }

    #[test]
    fn any_series_of_refunds_adds_up_and_never_takes_more_than_was_posted(
        charge in any_charge(), terms in any_terms(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let posted = split(Credits::from_micros(charge), terms).unwrap();
        let size = usize::try_from(charge).unwrap();
        let mut stops: Vec<i64> = cuts.iter().map(|cut| i64::try_from(cut.index(size.max(1))).unwrap()).collect();
        stops.push(charge);
        stops.sort_unstable();
        stops.dedup();

        let mut refunded = 0;
        let mut reversed = [0_i64; 3];
        let parts = [posted.publisher, posted.partner, posted.platform].map(Credits::micros);
        for stop in stops.into_iter().filter(|stop| *stop > 0) {
            let refund = Credits::from_micros(stop - refunded);
            let reversal = refund_shares(posted, Credits::from_micros(refunded), refund).unwrap();
            prop_assert_eq!(reversal.total(), Some(refund));
            refunded = stop;
            for (index, part) in [reversal.publisher, reversal.partner, reversal.platform].into_iter().enumerate() {
                prop_assert!(!part.is_negative());
                reversed[index] += part.micros();
                prop_assert!(reversed[index] <= parts[index]);
                prop_assert!(is_within_two_units(reversed[index], parts[index], refunded, charge));
            }
        }
        prop_assert_eq!(reversed, parts);
    }

    #[test]
    fn how_a_refund_is_cut_does_not_matter(
        terms in any_terms(), first in 1_i64..1_000, second in 1_i64..1_000, left in 0_i64..1_000,
    ) {
        let posted = split(Credits::from_micros(first + second + left), terms).unwrap();
        let [first, second] = [first, second].map(Credits::from_micros);
        let once = refund_shares(posted, Credits::ZERO, first.checked_add(second).unwrap()).unwrap();
        let one = refund_shares(posted, Credits::ZERO, first).unwrap();
        let two = refund_shares(posted, first, second).unwrap();
        prop_assert_eq!(once.publisher, one.publisher.checked_add(two.publisher).unwrap());
        prop_assert_eq!(once.partner, one.partner.checked_add(two.partner).unwrap());
        prop_assert_eq!(once.platform, one.platform.checked_add(two.platform).unwrap());
    }
}
