//! The part `ledger` of the console: its use cases.

use engine::{
    audit::{Actor, Method, OpContext},
    credits::Credits,
    id::EntryId,
    ledger::{
        AccountKind, LedgerAccountId, Post, Refund, TransactionKind, batch::Done, leaf::Settled, periods::digest,
        signing::WrappingKey,
    },
    service::{
        Services,
        audit::AuditFilter,
        checkpoints::{CheckpointError, CheckpointRules, CheckpointSetup},
        journal::{JournalPage, JournalRow, JournalStart},
        periods::{ClosePeriodError, CloseTerms, sums_of},
        verification::{EndedVerification, StartVerificationError, VerifyFrom},
    },
    store::{Ledger, UnitOfWork, books::FoundReceipt, writer::Command},
};
use tests::patience::wait_until;

use crate::ledger::desk::{
    Desk, Kind, SECOND_US, START_US, capture_all, hold, on_both, payable_id, post, push_account, release, wallet_id,
};

mod chart;

on_both! {
    the_journal_lists_everything_once_the_newest_first,
    an_account_shows_its_entries_with_running_balances,
    everything_that_bears_a_name_is_found,
    a_check_runs_in_the_background_and_says_what_it_found,
    a_check_finds_damage,
    a_close_is_looked_at_before_it_is_done,
    a_checkpoint_is_signed_by_hand,
}

const PUBLISHER: LedgerAccountId = payable_id(1);
const WALLET: LedgerAccountId = wallet_id(1);
const DAY_US: i64 = 86_400 * SECOND_US;
/// The first of February 2027 in UTC; the desks begin in January.
const FEBRUARY_US: i64 = 1_798_761_600_000_000 + 31 * DAY_US;

/// A desk with a customer and a publisher who can owe.
async fn open(kind: Kind) -> Desk {
    let desk = Desk::open_on(kind).await;
    let mut unit = UnitOfWork::new();
    push_account(&mut unit, PUBLISHER, AccountKind::Payable, 0);
    push_account(&mut unit, PUBLISHER.receivable(), AccountKind::Receivable, 0);
    push_account(&mut unit, WALLET, AccountKind::Wallet, 0);
    desk.save(unit).await.unwrap();
    desk
}

fn somebody() -> OpContext {
    OpContext { actor: Actor::Operator("opr_somebody".to_owned()), method: Method::Session, request: None }
}

/// The desk's own writer, and on PostgreSQL another one in a slot of its own, with its thread.
pub(super) fn writers(desk: &Desk) -> (Vec<Ledger>, Option<std::thread::JoinHandle<()>>) {
    let mut ledgers = vec![desk.ledger().clone()];
    if !desk.url().starts_with("postgres") {
        return (ledgers, None);
    }
    let (ledger, thread) = desk.another_writer().unwrap();
    ledgers.push(ledger);
    (ledgers, Some(thread))
}

/// Moves `amount` between the accounts, one microsecond after what was moved before.
async fn pay(desk: &Desk, ledger: &Ledger, (from, to, amount): (LedgerAccountId, LedgerAccountId, i64)) -> EntryId {
    let id = desk.fresh();
    let done = ledger.command(Command::Post(post(id, &[(from, to, amount)]))).await.unwrap();
    assert_eq!(done, Ok(Done::Posted));
    desk.clock.advance_us(1);
    id
}

/// Every page of the journal, as identifiers.
async fn pages(services: &Services, kind: Option<TransactionKind>, start: JournalStart) -> Vec<Vec<EntryId>> {
    let mut pages = Vec::new();
    let mut start = start;
    loop {
        let page: JournalPage<JournalRow> = services.list_journal(kind, &start).await.unwrap();
        assert_eq!(page.looked_back_to_us, None, "so few are all looked at");
        pages.push(page.rows.iter().map(|row| row.entry.id).collect());
        match page.next {
            // As it comes back from an address.
            Some(next) => start = JournalStart::After(next.to_string().parse().unwrap()),
            None => return pages,
        }
    }
}

async fn the_journal_lists_everything_once_the_newest_first(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    assert_eq!(pages(&services, None, JournalStart::Newest).await, [Vec::new()], "nothing is recorded yet");
    let (ledgers, thread) = writers(&desk);
    let mut ids = Vec::new();
    for number in 0..120_usize {
        // Not in turns: slots have different numbers of entries.
        let ledger = &ledgers[usize::from(number % 3 == 0) % ledgers.len()];
        ids.push(pay(&desk, ledger, (LedgerAccountId::OPENING, WALLET, 1)).await);
    }
    ids.reverse();
    let listed = pages(&services, None, JournalStart::Newest).await;
    assert_eq!(listed.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
    assert_eq!(listed.concat(), ids);
    assert_eq!(pages(&services, Some(TransactionKind::Opening), JournalStart::Newest).await.concat(), ids);
    assert_eq!(pages(&services, Some(TransactionKind::Charge), JournalStart::Newest).await, [Vec::new()]);
    let earlier = pages(&services, None, JournalStart::Before(START_US + 60)).await;
    assert_eq!(earlier.concat(), ids[60..], "what was recorded in the first sixty microseconds");
    let page = services.list_journal(None, &JournalStart::Newest).await.unwrap();
    let newest = &page.rows[0];
    assert_eq!((newest.recorded_us, newest.total()), (START_US + 119, 1));
    assert_eq!(newest.entry.legs[0].credit, WALLET);
    // What comes in while somebody turns pages moves nothing.
    pay(&desk, &ledgers[0], (LedgerAccountId::OPENING, WALLET, 1)).await;
    let second = services.list_journal(None, &JournalStart::After(page.next.unwrap())).await.unwrap();
    assert_eq!(second.rows[0].entry.id, ids[50]);
    drop(ledgers);
    if let Some(thread) = thread {
        thread.join().unwrap();
    }
}

async fn an_account_shows_its_entries_with_running_balances(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    let (ledgers, thread) = writers(&desk);
    let mut balances = Vec::new();
    let mut balance = 0;
    for number in 0..70_usize {
        let ledger = &ledgers[number % ledgers.len()];
        if number % 4 == 3 {
            pay(&desk, ledger, (WALLET, PUBLISHER, 2)).await;
            balance -= 2;
        } else {
            pay(&desk, ledger, (LedgerAccountId::OPENING, WALLET, 5)).await;
            balance += 5;
        }
        balances.push(balance);
        // Of somebody else.
        pay(&desk, ledger, (LedgerAccountId::OPENING, LedgerAccountId::PROMO, 1)).await;
    }
    balances.reverse();
    let mut start = JournalStart::Newest;
    let mut seen = Vec::new();
    loop {
        let page = services.list_account_moves(WALLET, &start).await.unwrap();
        seen.extend(page.rows.iter().map(|row| (row.balance.unwrap(), row.credits - row.debits)));
        let Some(next) = page.next else { break };
        start = JournalStart::After(next);
    }
    assert_eq!(seen.iter().map(|(balance, _)| *balance).collect::<Vec<_>>(), balances);
    assert_eq!(seen.iter().map(|(_, moved)| moved).sum::<i64>(), balance);
    let line = services.find_chart_line(WALLET).await.unwrap().unwrap();
    assert_eq!((line.balance(), line.held, line.overdraft), (balance, 0, Some(0)));
    // From a moment on: the balance is the one of then.
    let middle = services.list_account_moves(WALLET, &JournalStart::Before(START_US + 20)).await.unwrap();
    assert_eq!((middle.rows.len(), middle.rows[0].balance), (10, Some(balances[60])));
    let payable = services.list_account_moves(PUBLISHER, &JournalStart::Newest).await.unwrap();
    assert_eq!((payable.rows.len(), payable.rows[0].balance), (17, Some(34)));
    // Whoever reads on takes the balance along, whatever comes in meanwhile.
    let (first, running) = services.read_account_moves(WALLET, &JournalStart::Newest, None).await.unwrap();
    pay(&desk, &ledgers[0], (LedgerAccountId::OPENING, WALLET, 5)).await;
    let behind = JournalStart::After(first.next.unwrap());
    let (carried, end) = services.read_account_moves(WALLET, &behind, Some(running)).await.unwrap();
    assert_eq!((carried.rows.len(), carried.rows[0].balance), (20, Some(balances[50])));
    assert_eq!(carried, services.list_account_moves(WALLET, &behind).await.unwrap());
    let nothing = services.read_account_moves(WALLET, &JournalStart::Before(START_US), None).await.unwrap();
    assert_eq!((nothing.0.rows.len(), nothing.1), (0, end), "before the first entry there was nothing");
    let nobody = services.list_account_moves(wallet_id(9), &JournalStart::Newest).await.unwrap();
    assert!(nobody.rows.is_empty() && nobody.next.is_none());
    assert_eq!(services.find_chart_line(wallet_id(9)).await.unwrap(), None);
    drop(ledgers);
    if let Some(thread) = thread {
        thread.join().unwrap();
    }
}

async fn everything_that_bears_a_name_is_found(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    desk.fund(WALLET, 1_000).await;
    let (paid, given_back, running) = (desk.fresh(), desk.fresh(), desk.fresh());
    for id in [paid, given_back, running] {
        desk.ask(Command::Hold(hold(id, WALLET, PUBLISHER, 100))).await.unwrap();
    }
    desk.ask(Command::Settle(capture_all(paid, paid))).await.unwrap();
    desk.ask(Command::Settle(release(given_back, given_back))).await.unwrap();
    let refund = desk.fresh();
    let order = Refund { id: refund, of: paid, amount: Some(Credits::from_micros(40)), meta: None };
    desk.ask(Command::Refund(order)).await.unwrap();

    let found = services.find_named(paid).await.unwrap().unwrap();
    let charge = found.transaction.unwrap();
    assert_eq!((charge.entry.kind, charge.total()), (TransactionKind::Charge, 100));
    assert_eq!(found.hold.map(|hold| (hold.wallet, hold.amount.micros())), Some((WALLET, 100)));
    let end = found.end.unwrap();
    assert_eq!((end.settled, end.captured.micros()), (Settled::Captured, 100));
    assert_eq!(found.taken_back_by.iter().map(|row| row.entry.id).collect::<Vec<_>>(), [refund]);
    let place = found.place.unwrap();
    assert!(place.is_header_whole());
    assert_eq!((place.position, place.header.batch_no, place.checkpoint), (charge.position, charge.batch_no, None));
    assert_eq!(found.cause, None, "this hold is no call's");

    let found = services.find_named(refund).await.unwrap().unwrap();
    let back = found.transaction.unwrap();
    assert_eq!((back.entry.kind, back.entry.reverses), (TransactionKind::Refund, Some(paid)));
    assert!(found.hold.is_none() && found.taken_back_by.is_empty());

    let found = services.find_named(given_back).await.unwrap().unwrap();
    assert_eq!(found.end.map(|end| end.settled), Some(Settled::Released));
    assert!(found.transaction.is_none() && found.place.is_none());
    let found = services.find_named(running).await.unwrap().unwrap();
    assert!(found.hold.is_some() && found.end.is_none());
    assert_eq!(services.find_named(desk.fresh()).await.unwrap(), None);

    assert!(matches!(services.find_receipt(paid).await.unwrap(), FoundReceipt::NotYet(_)));
    set_up_checkpoints(&services);
    services.sign_checkpoint(&somebody(), None, "the end of a test").await.unwrap().unwrap();
    let place = services.find_named(paid).await.unwrap().unwrap().place.unwrap();
    assert_eq!(place.checkpoint, Some(1));
    let FoundReceipt::Proven(receipt) = services.find_receipt(paid).await.unwrap() else { panic!("no receipt") };
    assert!(receipt.entries.iter().any(|proven| proven.position == charge.position));
    assert_eq!(services.find_receipt(desk.fresh()).await.unwrap(), FoundReceipt::Unknown);
}

/// How the run under way ends.
fn ended(services: &Services) -> EndedVerification {
    let (last, _) = wait_until("the run has ended", || {
        let state = services.verification();
        state.last.filter(|_| state.running.is_none())
    });
    last
}

async fn a_check_runs_in_the_background_and_says_what_it_found(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    assert!(services.verification().last.is_none());
    desk.fund(WALLET, 1_000).await;
    let none = services.start_verification(&somebody(), "Ada".to_owned(), true).await;
    assert!(matches!(none, Err(StartVerificationError::NoCheckpoint)), "{none:?}");
    services.start_verification(&somebody(), "Ada".to_owned(), false).await.unwrap();
    let last = ended(&services);
    let report = last.found.unwrap();
    assert!(report.ok, "{:?}", report.problems);
    assert_eq!((last.by.as_str(), last.from, report.counts.transactions), ("Ada", VerifyFrom::Genesis, 1));
    let told = AuditFilter { action: Some("books.verify".to_owned()), ..AuditFilter::default() };
    let told = async || services.list_audit(&told, None, 10).await.unwrap().0;
    let rows = told().await;
    assert_eq!(rows.len(), 1, "only of what was begun: {rows:?}");
    assert_eq!((rows[0].object_id.as_str(), rows[0].after.as_deref()), ("ledger", Some(r#"{"from":"genesis"}"#)));
    set_up_checkpoints(&services);
    services.sign_checkpoint(&somebody(), None, "to begin from").await.unwrap().unwrap();
    desk.fund(WALLET, 1_000).await;
    services.start_verification(&somebody(), "Ben".to_owned(), true).await.unwrap();
    let (last, _) =
        wait_until("the second run has ended", || services.verification().last.filter(|last| last.by == "Ben"));
    assert_eq!(last.from, VerifyFrom::Checkpoint(1));
    assert_eq!(told().await[0].after.as_deref(), Some(r#"{"checkpoint":1,"from":"checkpoint"}"#));
    assert_eq!(last.found.map(|report| (report.ok, report.checkpoint)), Ok((true, Some(1))));
}

async fn a_check_finds_damage(kind: Kind) {
    let mut desk = open(kind).await;
    desk.fund(WALLET, 1_000).await;
    desk.stop();
    assert!(desk.force("UPDATE posting SET amount = amount + 1") > 0);
    desk.start();
    let services = desk.services().await;
    services.start_verification(&somebody(), "Ada".to_owned(), false).await.unwrap();
    let report = ended(&services).found.unwrap();
    assert!(!report.ok && report.problem_count > 0, "{report:?}");
}

async fn a_close_is_looked_at_before_it_is_done(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    assert_eq!(services.find_open_period().await.unwrap(), None, "before anything is recorded");
    desk.fund(WALLET, 1_000).await;
    pay(&desk, desk.ledger(), (WALLET, PUBLISHER, 100)).await;
    let open = services.find_open_period().await.unwrap().unwrap();
    assert_eq!((open.period, open.end_us, open.entries), (1, FEBRUARY_US, 2));
    let reason = "the month is over";
    let terms = CloseTerms { period: Some(1), reason: Some(reason), ..CloseTerms::default() };
    let early = services.rehearse_close(&terms).await;
    assert!(matches!(early, Err(ClosePeriodError::NotOver { period: 1, end_us: FEBRUARY_US, .. })), "{early:?}");
    desk.clock.advance_us(FEBRUARY_US - desk.now_us());

    let look = services.rehearse_close(&terms).await.unwrap();
    assert_eq!((look.transactions, look.entries, look.balance.close.is_none()), (2, 2, true));
    let rows: Vec<_> = look.balance.lines.iter().map(|line| line.row).collect();
    assert_eq!(look.digest, digest(1, &rows));
    let sums = sums_of(&look.balance.lines);
    assert_eq!(sums.iter().map(|row| row.credits - row.debits).sum::<i64>(), 0);
    assert_eq!(desk.number("SELECT count(*) FROM period_close"), 0, "looking changes nothing");

    let few = CloseTerms { entries_max: Some(1), ..terms };
    let many = services.close_period_as(&somebody(), &few).await;
    let is_refused = matches!(many, Err(ClosePeriodError::TooMany { period: 1, entries: 2, entries_max: 1 }));
    assert!(is_refused, "{many:?}");
    // Something counts earlier and comes in while somebody looks.
    let late = post(desk.fresh(), &[(WALLET, PUBLISHER, 1)]);
    let late = Post { effective_us: Some(FEBRUARY_US - 1), ..late };
    assert_eq!(desk.ask(Command::Post(late)).await, Ok(Done::Posted));
    let seen = CloseTerms { seen: Some(look.digest), ..terms };
    let changed = services.close_period_as(&somebody(), &seen).await;
    assert!(matches!(changed, Err(ClosePeriodError::Changed { period: 1 })), "{changed:?}");
    let look = services.rehearse_close(&terms).await.unwrap();
    assert_eq!(look.transactions, 3);
    let seen = CloseTerms { seen: Some(look.digest), ..terms };
    let closed = services.close_period_as(&somebody(), &seen).await.unwrap();
    assert_eq!(closed.lines, look.balance.lines);
    let told = desk.rows("SELECT actor_id, object_id, reason FROM audit WHERE action = 'period.close'");
    assert_eq!(told, [["opr_somebody", "1", reason]]);
    let stale = services.close_period_as(&somebody(), &seen).await;
    assert!(matches!(stale, Err(ClosePeriodError::Closed { period: 1, end_us: FEBRUARY_US })), "{stale:?}");

    let listed = services.list_periods(None).await.unwrap();
    assert_eq!((listed.rows.iter().map(|close| close.period).collect::<Vec<_>>(), listed.next), (vec![1], None));
    assert_eq!(services.find_period(1).await.unwrap(), closed.close);
    assert_eq!(services.find_period(2).await.unwrap(), None);
    assert_eq!(services.load_period_sums(1).await.unwrap(), sums_of(&closed.lines));
    let lines = services.list_period_lines(1, None).await.unwrap();
    assert_eq!((&lines.rows, lines.next), (&closed.lines, None));
    let behind = services.list_period_lines(1, Some(closed.lines[1].row.key)).await.unwrap();
    assert_eq!(behind.rows, closed.lines[2..]);
    desk.verify();
}

fn set_up_checkpoints(services: &Services) {
    let rules = CheckpointRules { every_us: DAY_US, auditors: Vec::new() };
    let wrapping = WrappingKey::new(&[7; 32]).unwrap();
    services.set_up_checkpoints(CheckpointSetup { rules, wrapping });
}

async fn a_checkpoint_is_signed_by_hand(kind: Kind) {
    let desk = open(kind).await;
    let services = desk.services().await;
    let none = services.sign_checkpoint(&somebody(), None, "why not").await;
    assert!(matches!(none, Err(CheckpointError::NotSetUp)), "{none:?}");
    assert_eq!(services.find_newest_checkpoint().await.unwrap(), None);
    set_up_checkpoints(&services);
    desk.fund(WALLET, 1_000).await;
    let signed = services.sign_checkpoint(&somebody(), None, "before a repair").await.unwrap().unwrap();
    assert!(signed.signed.is_signed_by(&signed.public));
    assert_eq!(services.find_newest_checkpoint().await.unwrap(), Some(signed));
    let told = desk.rows("SELECT actor_id, object_id, reason FROM audit WHERE action = 'checkpoint.sign'");
    assert_eq!(told, [["opr_somebody", "1", "before a repair"]]);
    desk.verify();
}
