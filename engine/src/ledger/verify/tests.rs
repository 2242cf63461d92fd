//! Books that are hashed as they should be and are wrong all the same: whoever writes the books can do that, and no
//! edit of a file can. `store/books/tests` has the edits.
#![expect(clippy::arithmetic_side_effects, reason = "small numbers that the tests make up themselves")]

use uuid::Uuid;

use super::*;
use crate::{
    id::CapId,
    ledger::{
        Leg, OnExpiry, TransactionKind,
        chain::GENESIS,
        leaf::{HoldEntry, RefusalEntry, Settled, SettlementEntry, TransactionEntry, leaf_hash, sha256},
        merkle,
    },
    pricing::ShareTerms,
};

mod anchors;
mod facts;
mod grants;
mod money;
mod movements;
mod periods;
mod slots;

const NOW_US: i64 = 1_795_000_000_000_000;
const WALLET: LedgerAccountId = LedgerAccountId::from_raw(100);
const PAYEE: LedgerAccountId = LedgerAccountId::from_raw(200);
const PARTNER: LedgerAccountId = LedgerAccountId::from_raw(300);

fn id(number: u128) -> EntryId {
    Uuid::from_u128(number).into()
}

fn micros(amount: i64) -> Credits {
    Credits::from_micros(amount)
}

fn leg(debit: LedgerAccountId, credit: LedgerAccountId, amount: i64) -> Leg {
    Leg { debit, credit, amount: micros(amount) }
}

fn post(number: u128, legs: Vec<Leg>) -> TransactionEntry {
    let kind = TransactionKind::Purchase;
    TransactionEntry { id: id(number), kind, hold: None, reverses: None, effective_us: NOW_US, meta: None, legs }
}

/// The charge of `captured` of a hold at 70 % and 10 %.
fn charge(number: u128, legs: [i64; 3]) -> TransactionEntry {
    let [publisher, partner, platform] = legs;
    let all = [
        leg(WALLET, PAYEE, publisher),
        leg(WALLET, PARTNER, partner),
        leg(WALLET, LedgerAccountId::PLATFORM_FEE, platform),
    ];
    let legs = all.into_iter().filter(|leg| leg.amount > Credits::ZERO).collect();
    TransactionEntry { kind: TransactionKind::Charge, hold: Some(id(number)), ..post(number, legs) }
}

fn hold(number: u128, amount: i64) -> HoldEntry {
    HoldEntry {
        id: id(number),
        wallet: WALLET,
        payee: PAYEE,
        amount: micros(amount),
        ttl_us: 0,
        shares: ShareTerms::new(7_000, 1_000).unwrap(),
        partner: Some(PARTNER),
        on_expiry: OnExpiry::Release,
        counters: vec![CounterKey { cap: CapId::from(Uuid::from_u128(9)), start_us: 0 }],
        sources: Vec::new(),
        meta: None,
    }
}

fn settle(number: u128, settled: Settled, captured: i64) -> SettlementEntry {
    SettlementEntry { id: id(number), hold: id(number), settled, captured: micros(captured), meta: None }
}

/// Writes books that carry the right hashes, whatever stands in them.
struct Scribe {
    lines: Vec<Line>,
    slot: i64,
    epoch: i64,
    batch_no: i64,
    seq: i64,
    recorded_us: i64,
    hash: Digest,
}

impl Scribe {
    fn new() -> Self {
        let account = |(id, kind): (LedgerAccountId, AccountKind)| Line::Account { id, kind, code: kind.code("") };
        let others =
            [(WALLET, AccountKind::Wallet), (PAYEE, AccountKind::Payable), (PARTNER, AccountKind::PartnerMargin)];
        let lines = LedgerAccountId::WELL_KNOWN.into_iter().chain(others).map(account).collect();
        Self { lines, slot: 0, epoch: 1, batch_no: 0, seq: 0, recorded_us: NOW_US, hash: GENESIS }
    }

    fn batch(&mut self, entries: Vec<Entry>) -> &mut Self {
        let legs = |entry: &Entry| match entry {
            Entry::Transaction(transaction) => transaction.legs.clone(),
            Entry::Hold(_) | Entry::Settlement(_) | Entry::Refusal(_) | Entry::Grant(_) | Entry::Close(_) => Vec::new(),
        };
        let legs: Vec<_> = entries.iter().flat_map(legs).collect();
        let at = |number: usize| Position { slot: self.slot, seq: self.seq + 1 + i64::try_from(number).unwrap() };
        let leaves: Vec<_> =
            entries.iter().enumerate().map(|(number, entry)| leaf_hash(at(number), entry, &mut Vec::new())).collect();
        let header = BatchHeader {
            slot: self.slot,
            batch_no: self.batch_no + 1,
            epoch: self.epoch,
            first_seq: self.seq + 1,
            entries: i64::try_from(entries.len()).unwrap(),
            postings: i64::try_from(legs.len()).unwrap(),
            total: legs.iter().map(|leg| leg.amount.micros()).sum(),
            recorded_us: self.recorded_us,
            client_batch: Uuid::from_u128(1),
            root: merkle::root(&leaves),
            prev_hash: self.hash,
        };
        let rows: Vec<_> = entries
            .into_iter()
            .enumerate()
            .map(|(number, entry)| Line::Entry(at(number), header.batch_no, entry))
            .collect();
        self.batch_no = header.batch_no;
        self.seq += header.entries;
        self.hash = header.hash();
        self.lines.push(Line::Batch(header, self.hash));
        self.lines.extend(rows);
        self
    }

    fn head(&self) -> Line {
        let (slot, epoch, batch_no, seq) = (self.slot, self.epoch, self.batch_no, self.seq);
        Line::Head(ChainHead { slot, epoch, batch_no, seq, last_us: self.recorded_us, hash: self.hash })
    }

    fn findings(&self, beside: Vec<Line>) -> Findings {
        let mut verifier = Verifier::new(Vec::new());
        for line in self.lines.iter().cloned().chain(beside) {
            verifier.take(line);
        }
        verifier.finish()
    }

    /// The problems of the books alone, without what stands beside them.
    fn problems(&self) -> Vec<(ProblemKind, &'static str, String)> {
        let beside = [ProblemKind::ProjectionMismatch, ProblemKind::HeadMismatch];
        let problems = self.findings(Vec::new()).problems.into_iter();
        problems.filter(|problem| !beside.contains(&problem.kind)).map(|it| (it.kind, it.table, it.key)).collect()
    }
}

fn transaction(entry: TransactionEntry) -> Entry {
    Entry::Transaction(entry)
}

#[test]
fn a_charge_may_be_the_first_entry_of_the_next_batch() {
    let mut scribe = Scribe::new();
    scribe.batch(vec![Entry::Hold(hold(1, 100)), Entry::Settlement(settle(1, Settled::Captured, 50))]);
    scribe.batch(vec![transaction(charge(1, [35, 5, 10]))]);
    assert_eq!(scribe.problems(), []);
}

#[test]
fn time_and_terms_may_not_go_backwards() {
    let mut scribe = Scribe::new();
    scribe.batch(vec![transaction(post(1, vec![]))]);
    scribe.recorded_us -= 1;
    scribe.batch(vec![transaction(post(2, vec![]))]);
    scribe.epoch = 0;
    scribe.recorded_us += 1;
    scribe.batch(vec![transaction(post(3, vec![]))]);
    let expected =
        [(ProblemKind::TimeBackwards, "batch", "0/2".to_owned()), (ProblemKind::Fork, "batch", "0/3".to_owned())];
    assert_eq!(scribe.problems(), expected);
}

#[test]
fn a_batch_that_was_rewritten_with_its_hash_breaks_the_link_after_it() {
    let mut scribe = Scribe::new();
    scribe.batch(vec![transaction(post(1, vec![leg(LedgerAccountId::PROMO, WALLET, 5)]))]);
    let original = scribe.hash;
    let mut forged = Scribe::new();
    forged.batch(vec![transaction(post(1, vec![leg(LedgerAccountId::PROMO, WALLET, 500)]))]);
    assert_eq!(forged.problems(), [], "a chain of one batch shows nothing");
    forged.hash = original;
    forged.batch(vec![transaction(post(2, vec![]))]);
    assert_eq!(forged.problems(), [(ProblemKind::LinkMismatch, "batch", "0/2".to_owned())]);
}

#[test]
fn a_batch_that_repeats_a_number_is_a_fork() {
    let mut scribe = Scribe::new();
    scribe.batch(vec![transaction(post(1, vec![]))]);
    scribe.batch_no = 0;
    scribe.batch(vec![transaction(post(2, vec![]))]);
    assert_eq!(scribe.problems(), [(ProblemKind::Fork, "batch", "0/1".to_owned())]);
    let mut scribe = Scribe::new();
    scribe.batch(vec![transaction(post(1, vec![])), transaction(post(2, vec![]))]);
    scribe.seq = 1;
    scribe.batch(vec![transaction(post(3, vec![]))]);
    assert_eq!(scribe.problems(), [(ProblemKind::Fork, "batch", "0/2".to_owned())]);
}

/// Two slots, money in both, one hold open.
fn two_slots() -> (Scribe, Vec<Line>) {
    let mut scribe = Scribe::new();
    scribe.batch(vec![transaction(post(1, vec![leg(LedgerAccountId::PROMO, WALLET, 500)])), Entry::Hold(hold(1, 100))]);
    let first = scribe.head();
    scribe.batch_no = 0;
    scribe.seq = 0;
    (scribe.slot, scribe.hash) = (1, GENESIS);
    scribe.batch(vec![transaction(post(2, vec![leg(LedgerAccountId::PROMO, WALLET, 30), leg(WALLET, PAYEE, 7)]))]);
    let hot = |id, slot, credits, debits| Line::Hot { id, slot, credits, debits };
    let key = CounterKey { cap: CapId::from(Uuid::from_u128(9)), start_us: 0 };
    let beside = vec![
        Line::Wallet { id: WALLET, credits: 530, debits: 7, held: 100 },
        hot(LedgerAccountId::PROMO, 0, 0, 500),
        hot(LedgerAccountId::PROMO, 1, 0, 30),
        hot(PAYEE, 1, 7, 0),
        Line::Counter(key, Counter { spent: 0, held: 100 }),
        Line::OpenHold { id: id(1), wallet: WALLET, amount: micros(100), expires_us: None },
        first,
        scribe.head(),
    ];
    (scribe, beside)
}

#[test]
fn every_slot_has_its_own_chain_and_wallets_belong_to_all() {
    let (scribe, beside) = two_slots();
    let findings = scribe.findings(beside);
    assert_eq!(findings.problems, []);
    assert_eq!(findings.counts, Counts { batches: 2, entries: 3, transactions: 2, postings: 3, audit_rows: 0 });
    assert_eq!(findings.heads.iter().map(|head| (head.slot, head.seq)).collect::<Vec<_>>(), [(0, 2), (1, 1)]);
}

#[test]
fn a_line_beside_the_books_that_is_left_out_is_missed() {
    let (scribe, beside) = two_slots();
    for left_out in 0..beside.len() {
        let mut lines = beside.clone();
        let line = lines.remove(left_out);
        let findings = scribe.findings(lines);
        let table = match line {
            Line::Wallet { .. } => "wallet_balance",
            Line::Hot { .. } => "hot_balance",
            Line::Counter(..) => "cap_window",
            Line::OpenHold { .. } => "open_hold",
            _ => "chain_head",
        };
        assert_eq!(findings.problem_count, 1, "without {line:?}: {:?}", findings.problems);
        assert_eq!(findings.problems[0].table, table);
    }
}

#[test]
fn a_kept_hold_expires_when_its_call_says_so() {
    let open = |expires_us| Line::OpenHold { id: id(1), wallet: WALLET, amount: micros(100), expires_us };
    let mut scribe = Scribe::new();
    scribe.batch(vec![Entry::Hold(HoldEntry { ttl_us: 60, counters: Vec::new(), ..hold(1, 100) })]);
    let beside = |lines: Vec<Line>| {
        let wallet = Line::Wallet { id: WALLET, credits: 0, debits: 0, held: 100 };
        [vec![wallet], lines, vec![scribe.head()]].concat()
    };
    for (lines, problems) in [
        (vec![open(Some(NOW_US + 60))], 0),
        (vec![open(Some(NOW_US + 61))], 1),
        (vec![open(None)], 1),
        (vec![Line::Postponed(id(1), NOW_US + 99), open(Some(NOW_US + 99))], 0),
        (vec![Line::Postponed(id(1), NOW_US + 99), open(Some(NOW_US + 60))], 1),
        (vec![Line::Postponed(id(2), NOW_US + 99), open(Some(NOW_US + 60))], 0),
    ] {
        let findings = scribe.findings(beside(lines.clone()));
        assert_eq!(findings.problem_count, problems, "{lines:?}: {:?}", findings.problems);
    }
}

#[test]
fn sums_that_leave_64_bits_are_reported_and_do_not_stop_the_verifier() {
    let mut scribe = Scribe::new();
    let much = || transaction(post(1, vec![leg(LedgerAccountId::PROMO, WALLET, i64::MAX)]));
    scribe.batch(vec![much()]).batch(vec![much()]).batch(vec![much()]);
    let wallet = Line::Wallet { id: WALLET, credits: i64::MAX, debits: 0, held: 0 };
    let problems = scribe.findings(vec![wallet]).problems;
    let text = format!("`credits` is {}, the books say {}", i64::MAX, 3 * i128::from(i64::MAX));
    assert!(problems.iter().any(|problem| problem.text == text), "{problems:?}");
}

#[test]
fn all_problems_are_counted_and_the_first_are_kept() {
    let mut scribe = Scribe::new();
    let nobody = || leg(WALLET, LedgerAccountId::from_raw(77), 1);
    let count = PROBLEMS_MAX + 50;
    scribe.batch(vec![transaction(post(1, (0..count).map(|_| nobody()).collect()))]);
    let findings = scribe.findings(Vec::new());
    assert_eq!(findings.problems.len(), PROBLEMS_MAX);
    assert_eq!(findings.problems[0].key, "0/1/0");
    // Beside those: a wallet, a balance of nobody's account and a head are missing.
    assert_eq!(findings.problem_count, u64::try_from(count).unwrap() + 3);
}

#[test]
fn an_account_whose_kind_contradicts_its_code_is_found() {
    for (raw, kind, code, is_right) in [
        (500, AccountKind::Wallet, "liabilities:wallet:acc_1", true),
        (500, AccountKind::Wallet, "liabilities:wallets", false),
        (500, AccountKind::Wallet, "liabilities:payable:pub_1", false),
        (500, AccountKind::Loss, "expenses:loss:unbilled", true),
        (1, AccountKind::Wallet, "liabilities:wallet:acc_1", false),
    ] {
        let mut scribe = Scribe::new();
        let id = LedgerAccountId::from_raw(raw);
        scribe.lines.push(Line::Account { id, kind, code: code.to_owned() });
        let found = scribe.problems();
        assert_eq!(found.is_empty(), is_right, "{raw} {code}: {found:?}");
    }
}

#[test]
fn the_example_of_the_document_is_what_the_program_computes() {
    let document = include_str!("../../../../docs/ledger-format.md");
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let mut scratch = Vec::new();
    let buyer = vec![leg(LedgerAccountId::CLEARING_DEMO, WALLET, 2_500_000)];
    let refusal =
        RefusalEntry { id: id(2), wallet: Some(WALLET), reason: "insufficient_funds", needed: micros(9_000_000) };
    let leaves: Vec<_> = [(1, transaction(post(1, buyer))), (2, Entry::Refusal(refusal))]
        .iter()
        .map(|(seq, entry)| {
            let leaf = leaf_hash(Position { slot: 0, seq: *seq }, entry, &mut scratch);
            let bytes = document.replace([' ', '\n'], "");
            assert!(bytes.contains(&format!("{}{}", hex(&scratch), hex(&leaf))), "{}", hex(&scratch));
            leaf
        })
        .collect();
    let header = BatchHeader {
        slot: 0,
        batch_no: 1,
        epoch: 1,
        first_seq: 1,
        entries: 2,
        postings: 1,
        total: 2_500_000,
        recorded_us: NOW_US,
        client_batch: Uuid::from_u128(3),
        root: merkle::root(&leaves),
        prev_hash: GENESIS,
    };
    assert!(document.contains(&format!("{}\n{}", hex(&header.root), hex(&header.hash()))));
}
