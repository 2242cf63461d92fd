//! One writer at a time: a second one is refused, and one that lost its slot can write no more.

use engine::{
    ledger::{AccountKind, batch::Done},
    store::{StoreError, WriterError, writer::Command},
};

use super::desk::{Desk, hold, payable_id, post, wallet_id};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_writer_is_refused_and_told_what_to_do() {
    let mut desk = Desk::open().await;
    let refused = desk.another_writer().expect_err("two writers on one file");
    assert!(matches!(refused, StoreError::Locked { .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("ledger.db") && text.contains("stop it"), "{text}");
    assert_eq!(desk.ledger().epoch(), 1, "the one that works goes on");
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.stop();
    desk.start();
    assert_eq!(desk.ledger().epoch(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_lost_its_slot_writes_nothing_more() {
    let desk = Desk::open().await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.fund(wallet_id(1), 100).await;
    // Somebody who takes the lock file away gets round the first guard, not round the second.
    let mut lock = desk.path().as_os_str().to_owned();
    lock.push(".lock");
    std::fs::remove_file(lock).unwrap();
    let (usurper, thread) = desk.another_writer().unwrap();
    assert_eq!(usurper.epoch(), desk.ledger().epoch() + 1);

    let place = || Command::Hold(hold(desk.fresh(), wallet_id(1), payable_id(1), 60));
    for _ in 0..3 {
        assert_eq!(desk.try_ask(place()).await, Err(WriterError::Fenced));
        assert_eq!(desk.ledger().tick().await, Err(WriterError::Fenced), "not even a batch without entries");
    }
    let mut unit = engine::store::UnitOfWork::new();
    unit.post(post(desk.fresh(), &[(wallet_id(1), payable_id(1), 1)]));
    assert!(desk.save(unit).await.is_err());
    assert_eq!(desk.number("SELECT count(*) FROM open_hold"), 0);

    assert_eq!(usurper.command(place()).await.unwrap(), Ok(Done::Held));
    assert_eq!(desk.try_ask(place()).await, Err(WriterError::Fenced), "also after the other has written");
    assert_eq!(desk.wallet(wallet_id(1)).held, 60);
    drop(usurper);
    thread.join().unwrap();
    desk.verify();
}
