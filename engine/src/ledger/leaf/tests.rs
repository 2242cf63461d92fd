//! The bytes are spelt out here by hand: what is written once may never be hashed in another way.

use super::*;

const POSITION: Position = Position { slot: 0, seq: 258 };

/// `0x00`, the kind, and the position that every leaf begins with.
fn opening(kind: u8) -> Vec<u8> {
    let mut bytes = vec![0x00, kind];
    bytes.extend([0; 8]);
    bytes.extend([0, 0, 0, 0, 0, 0, 1, 2]);
    bytes
}

fn id(byte: u8) -> EntryId {
    EntryId::from(Uuid::from_bytes([byte; 16]))
}

fn int(value: i64) -> [u8; 8] {
    value.to_be_bytes()
}

fn check(what: &str, entry: &Entry, bytes: &[u8]) {
    let mut scratch = b"left over".to_vec();
    assert_eq!(leaf_hash(POSITION, entry, &mut scratch), sha256(bytes), "{what}");
    assert_eq!(scratch, bytes, "{what}");
}

fn transaction() -> TransactionEntry {
    let account = LedgerAccountId::from_raw;
    TransactionEntry {
        id: id(7),
        kind: TransactionKind::Charge,
        hold: Some(id(8)),
        reverses: None,
        effective_us: -2,
        meta: Some([9; 32]),
        legs: vec![Leg { debit: account(10), credit: account(11), amount: Credits::from_micros(12) }],
    }
}

#[test]
fn a_transaction_has_these_bytes() {
    let mut bytes = opening(1);
    bytes.extend([7; 16]);
    bytes.extend(int(3));
    bytes.push(1);
    bytes.extend([8; 16]);
    bytes.push(0);
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]);
    bytes.push(1);
    bytes.extend([9; 32]);
    bytes.extend([0, 0, 0, 1]);
    bytes.extend(int(10));
    bytes.extend(int(11));
    bytes.extend(int(12));
    check("a charge", &Entry::Transaction(transaction()), &bytes);
}

fn hold() -> HoldEntry {
    HoldEntry {
        id: id(7),
        wallet: LedgerAccountId::from_raw(10),
        payee: LedgerAccountId::from_raw(11),
        amount: Credits::from_micros(12),
        ttl_us: 13,
        shares: ShareTerms::new(8_000, 500).unwrap(),
        partner: Some(LedgerAccountId::from_raw(14)),
        on_expiry: OnExpiry::Capture(Credits::from_micros(15)),
        counters: vec![CounterKey { cap: CapId::from(Uuid::from_bytes([16; 16])), start_us: 17 }],
        sources: Vec::new(),
        meta: None,
    }
}

#[test]
fn a_hold_has_these_bytes() {
    let mut bytes = opening(2);
    bytes.extend([7; 16]);
    for value in [10, 11, 12, 13, 8_000, 500] {
        bytes.extend(int(value));
    }
    bytes.push(1);
    bytes.extend(int(14));
    bytes.push(1);
    bytes.extend(int(15));
    bytes.extend([0, 0, 0, 1]);
    bytes.extend([16; 16]);
    bytes.extend(int(17));
    bytes.push(0);
    check("a hold", &Entry::Hold(hold()), &bytes);

    // With grants that pay first it is an entry of another kind, with a list more.
    bytes.splice(1..2, [5]);
    bytes.extend([0, 0, 0, 2]);
    for (grant, account, amount) in [(18, 19, 20), (21, 22, 23)] {
        bytes.extend([grant; 16]);
        bytes.extend(int(account));
        bytes.extend(int(amount));
    }
    check("a hold on grants", &Entry::Hold(HoldEntry { sources: sources(), ..hold() }), &bytes);
}

fn sources() -> Vec<HoldSource> {
    let source = |(grant, account, amount)| HoldSource {
        grant: id(grant),
        account: LedgerAccountId::from_raw(account),
        amount: Credits::from_micros(amount),
    };
    [(18, 19, 20), (21, 22, 23)].map(source).to_vec()
}

#[test]
fn a_grant_has_these_bytes() {
    let mut bytes = opening(6);
    bytes.extend([7; 16]);
    for value in [10, 11, 12, 13] {
        bytes.extend(int(value));
    }
    let (wallet, account) = (LedgerAccountId::from_raw(10), LedgerAccountId::from_raw(11));
    check("a grant", &Entry::Grant(GrantEntry { id: id(7), wallet, account, priority: 12, expires_us: 13 }), &bytes);
}

#[test]
fn a_close_has_these_bytes() {
    let mut bytes = opening(7);
    bytes.extend([7; 16]);
    for value in [3, 10, 11] {
        bytes.extend(int(value));
    }
    bytes.extend([0, 0, 0, 2]);
    for value in [0, 5, 2, 6] {
        bytes.extend(int(value));
    }
    bytes.extend([9; 32]);
    let cut = vec![Position { slot: 0, seq: 5 }, Position { slot: 2, seq: 6 }];
    let close = PeriodClose { id: id(7), period: 3, start_us: 10, end_us: 11, cut, digest: [9; 32] };
    check("a close", &Entry::Close(close), &bytes);
}

#[test]
fn a_settlement_has_these_bytes() {
    let mut bytes = opening(3);
    bytes.extend([7; 16]);
    bytes.extend([8; 16]);
    bytes.extend(int(4));
    bytes.extend(int(5));
    bytes.push(0);
    let settled = Settled::CapturedAtExpiry;
    let entry = SettlementEntry { id: id(7), hold: id(8), settled, captured: Credits::from_micros(5), meta: None };
    check("a settlement", &Entry::Settlement(entry), &bytes);
}

#[test]
fn a_refusal_has_these_bytes() {
    let mut bytes = opening(4);
    bytes.extend([7; 16]);
    bytes.push(1);
    bytes.extend(int(10));
    bytes.extend([0, 0, 0, 8]);
    bytes.extend(b"overflow");
    bytes.extend(int(6));
    let wallet = Some(LedgerAccountId::from_raw(10));
    let entry = RefusalEntry { id: id(7), wallet, reason: "overflow", needed: Credits::from_micros(6) };
    check("a refusal", &Entry::Refusal(entry), &bytes);
}

#[test]
fn every_field_changes_the_hash() {
    let of = |entry: &Entry| leaf_hash(POSITION, entry, &mut Vec::new());
    let base = transaction();
    let account = LedgerAccountId::from_raw;
    let leg = |debit, credit, amount| {
        vec![Leg { debit: account(debit), credit: account(credit), amount: Credits::from_micros(amount) }]
    };
    let mut digests = vec![
        of(&Entry::Transaction(base.clone())),
        of(&Entry::Transaction(TransactionEntry { id: id(1), ..base.clone() })),
        of(&Entry::Transaction(TransactionEntry { kind: TransactionKind::Refund, ..base.clone() })),
        of(&Entry::Transaction(TransactionEntry { hold: None, ..base.clone() })),
        of(&Entry::Transaction(TransactionEntry { hold: None, reverses: base.hold, ..base.clone() })),
        of(&Entry::Transaction(TransactionEntry { effective_us: 0, ..base.clone() })),
        of(&Entry::Transaction(TransactionEntry { meta: None, ..base.clone() })),
        of(&Entry::Transaction(TransactionEntry { legs: Vec::new(), ..base.clone() })),
        of(&Entry::Transaction(TransactionEntry { legs: leg(11, 10, 12), ..base.clone() })),
        of(&Entry::Transaction(TransactionEntry { legs: leg(10, 11, 13), ..base.clone() })),
        leaf_hash(Position { seq: 259, ..POSITION }, &Entry::Transaction(base.clone()), &mut Vec::new()),
        leaf_hash(Position { slot: 1, ..POSITION }, &Entry::Transaction(base), &mut Vec::new()),
    ];
    let base = hold();
    digests.extend([
        of(&Entry::Hold(base.clone())),
        of(&Entry::Hold(HoldEntry { wallet: base.payee, payee: base.wallet, ..base.clone() })),
        of(&Entry::Hold(HoldEntry { ttl_us: 0, ..base.clone() })),
        of(&Entry::Hold(HoldEntry { shares: ShareTerms::new(500, 8_000).unwrap(), ..base.clone() })),
        of(&Entry::Hold(HoldEntry { partner: None, ..base.clone() })),
        of(&Entry::Hold(HoldEntry { on_expiry: OnExpiry::Release, ..base.clone() })),
        of(&Entry::Hold(HoldEntry { on_expiry: OnExpiry::Capture(Credits::ZERO), ..base.clone() })),
        of(&Entry::Hold(HoldEntry { counters: Vec::new(), ..base.clone() })),
        of(&Entry::Hold(HoldEntry { sources: sources(), ..base.clone() })),
        of(&Entry::Hold(HoldEntry { sources: sources().into_iter().rev().collect(), ..base.clone() })),
        of(&Entry::Hold(HoldEntry { sources: sources().split_off(1), ..base.clone() })),
        of(&Entry::Hold(HoldEntry { meta: Some([0; 32]), ..base })),
    ]);
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count, "two different facts have the same hash");
}

#[test]
fn counters_are_read_back_and_damage_is_seen() {
    let counter = |byte, start_us| CounterKey { cap: CapId::from(Uuid::from_bytes([byte; 16])), start_us };
    for counters in [vec![], vec![counter(1, 0)], vec![counter(1, i64::MIN), counter(2, i64::MAX), counter(3, -1)]] {
        let bytes = encode_counters(&counters);
        assert_eq!(bytes.len(), counters.len() * 24);
        assert_eq!(decode_counters(&bytes), Some(counters));
    }
    assert_eq!(decode_counters(&[0; 23]), None);
    assert_eq!(decode_counters(&[0; 25]), None);
}

#[test]
fn settlements_are_read_back_from_their_number() {
    let all = [Settled::Captured, Settled::Released, Settled::Expired, Settled::CapturedAtExpiry];
    assert_eq!(all.map(Settled::raw), [1, 2, 3, 4]);
    assert_eq!(all.map(|settled| Settled::from_raw(settled.raw())), all.map(Some));
    assert_eq!(Settled::from_raw(5), None);
}
