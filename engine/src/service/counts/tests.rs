use super::*;

const MINUTE_US: i64 = 60_000_000;

fn count(bucket_us: i64, outcome: CallOutcome, calls: i64) -> CallCount {
    CallCount { bucket_us, outcome: outcome.raw(), calls }
}

fn flow(kind: TransactionKind, debited: AccountKind, credited: AccountKind, amount: i64) -> FlowCount {
    FlowCount { bucket_us: 0, kind: kind.raw(), debited: debited.raw(), credited: credited.raw(), postings: 1, amount }
}

#[test]
fn counts_of_the_same_ten_minutes_are_added_up() {
    let found = [
        count(0, CallOutcome::Charged, 2),
        count(0, CallOutcome::Denied, 1),
        count(BUCKET_US, CallOutcome::Charged, 5),
        // What was not counted yet of the first ten minutes.
        count(0, CallOutcome::Charged, 1),
        CallCount { bucket_us: 0, outcome: 99, calls: 7 },
    ];
    let since = CallsSince { buckets: buckets_of(&found), until_us: 2 * BUCKET_US };
    assert_eq!(since.buckets.len(), 2);
    let first = since.between(0, BUCKET_US);
    assert_eq!((first.of(CallOutcome::Charged), first.of(CallOutcome::Denied), first.total()), (3, 1, 4));
    assert_eq!(since.between(0, 2 * BUCKET_US).total(), 9);
    assert_eq!(since.between(2 * BUCKET_US, 3 * BUCKET_US), Calls::default());
}

#[test]
fn a_charge_is_divided_and_what_goes_back_is_told_apart() {
    use AccountKind::{Clearing, Grant, PartnerMargin, Payable, PlatformFee, Promo, Receivable, Wallet};
    let mut takings = Takings::default();
    for flow in [
        flow(TransactionKind::Charge, Wallet, Payable, 80),
        flow(TransactionKind::Charge, Grant, Payable, 8),
        flow(TransactionKind::Charge, Wallet, PartnerMargin, 5),
        flow(TransactionKind::Charge, Wallet, PlatformFee, 15),
        flow(TransactionKind::Refund, Payable, Wallet, 8),
        flow(TransactionKind::Refund, Receivable, Wallet, 4),
        flow(TransactionKind::Reversal, PlatformFee, Wallet, 2),
        // Neither of these has to do with calls.
        flow(TransactionKind::Purchase, Clearing, Wallet, 1_000),
        flow(TransactionKind::Grant, Promo, Grant, 100),
        flow(TransactionKind::Reversal, Wallet, Clearing, 1_000),
        flow(TransactionKind::Payout, Payable, Clearing, 50),
    ] {
        takings.add(&flow);
    }
    let expected = Takings { charged: 108, publishers: 88, partners: 5, platform: 15, refunded: 14 };
    assert_eq!(takings, expected);
}

#[test]
fn times_are_cut_down_to_their_ten_minutes() {
    assert_eq!(bucket_of(25 * MINUTE_US + 1), 20 * MINUTE_US);
    assert_eq!(bucket_of(30 * MINUTE_US), 30 * MINUTE_US);
    assert_eq!(whole_ms(1_999), 1_000);
}

#[test]
fn the_platform_keeps_its_share_less_what_it_gives_back() {
    use AccountKind::{Grant, Payable, PlatformFee, Wallet};
    for (says, flow, expected) in [
        ("its share", flow(TransactionKind::Charge, Wallet, PlatformFee, 20), 20),
        ("of credits that expire", flow(TransactionKind::Charge, Grant, PlatformFee, 20), 20),
        ("the publisher's share", flow(TransactionKind::Charge, Wallet, Payable, 80), 0),
        ("its part of a refund", flow(TransactionKind::Refund, PlatformFee, Wallet, 5), -5),
        ("the publisher's part", flow(TransactionKind::Refund, Payable, Wallet, 20), 0),
        ("its part of a reversal", flow(TransactionKind::Reversal, PlatformFee, Grant, 5), -5),
    ] {
        assert_eq!(kept(&flow), expected, "{says}");
    }
}
