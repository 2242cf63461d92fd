//! A database that does not answer: callers are told, nothing is half-written, and the writer recovers by itself.

use std::sync::Mutex;

use engine::{
    ledger::{AccountKind, batch::Done},
    store::{
        WriterError,
        writer::{Command, QUEUE_MAX},
    },
};

use super::desk::{Desk, Waited, payable_id, post, together, wallet_id};

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_refuses_and_a_full_queue_says_so_at_once() {
    let desk = Desk::open().await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    let room = i64::try_from(QUEUE_MAX).unwrap();
    desk.fund(wallet_id(1), 10 * room).await;

    let intruder = Mutex::new(desk.connection());
    intruder.lock().unwrap().execute_batch("BEGIN IMMEDIATE").unwrap();
    let pay = || Command::Post(post(desk.fresh(), &[(wallet_id(1), payable_id(1), 1)]));
    // The first is taken out of the queue and waits for the file; the rest fills the queue and goes beyond it.
    let first: Waited<'_, _> = Box::pin(async {
        let answer = desk.try_ask(pay()).await;
        intruder.lock().unwrap().execute_batch("ROLLBACK").unwrap();
        answer
    });
    let mut waited = vec![first];
    let more = QUEUE_MAX + 4_096;
    waited.extend((0..more).map(|_| -> Waited<'_, _> { Box::pin(desk.try_ask(pay())) }));
    let answers = together(waited).await;

    assert!(matches!(answers[0], Err(WriterError::Unavailable(_))), "{:?}", answers[0]);
    let count =
        |is: fn(&Result<Result<Done, _>, WriterError>) -> bool| answers.iter().filter(|answer| is(answer)).count();
    let overloaded = count(|answer| matches!(answer, Err(WriterError::Overloaded)));
    let unavailable = count(|answer| matches!(answer, Err(WriterError::Unavailable(_))));
    let posted = count(|answer| matches!(answer, Ok(Ok(Done::Posted))));
    assert_eq!(overloaded + unavailable + posted, answers.len());
    assert!(overloaded >= more - QUEUE_MAX - 2_048, "{overloaded} of {} were refused at once", answers.len());
    assert!(posted > 0, "the writer did not recover");
    let paid = i64::try_from(posted).unwrap();
    assert_eq!(desk.wallet(wallet_id(1)).debits, paid, "exactly those that were told so have happened");
    assert_eq!(desk.number("SELECT count(*) FROM posting"), paid + 1);
    desk.verify();
}
