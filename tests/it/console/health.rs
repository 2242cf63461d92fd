//! The part `health` of the console: its use cases.

use engine::{
    service::{health::DatabaseKind, work::Work},
    store::Ledger,
};
use migrations::{Migrator, MigratorTrait as _};

use super::shop::Shop;
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    what_is_known_of_the_program_is_told,
    a_process_that_only_reads_says_so,
    background_work_is_remembered_with_what_went_wrong,
    how_near_the_process_is_to_its_limits_is_kept_minute_by_minute,
}

async fn what_is_known_of_the_program_is_told(kind: Kind) {
    let shop = Shop::open(kind).await;
    shop.paid_call("1").await;
    let health = shop.services.load_health().await.unwrap();
    let expected = match kind {
        Kind::Sqlite => DatabaseKind::Sqlite,
        Kind::Postgres => DatabaseKind::Postgres,
    };
    assert_eq!((health.database.kind, health.is_away), (expected, false));
    assert!(health.database.bytes > 100_000 && !health.database.version.is_empty(), "{:?}", health.database);
    assert_eq!(health.database.log_bytes.is_some(), kind == Kind::Sqlite);
    let migrations = Migrator::migrations();
    assert_eq!(health.database.migrations, i64::try_from(migrations.len()).unwrap());
    assert_eq!(health.database.newest_migration.as_deref(), migrations.last().map(|migration| migration.name()));
    let settings = health.writer.settings.unwrap();
    assert_eq!((settings.journal_mode.as_str(), settings.synchronous), ("wal", "full"));
    assert!(health.writer.batches > 0 && health.writer.requests > 0 && health.writer.failures == 0);
    assert!(health.readers.open >= 1 && health.readers.open <= health.readers.most, "{:?}", health.readers);
    assert!(health.started_us <= health.now_us && health.version.contains('.'));
    assert_eq!(health.wall_ahead_us, 0);
    shop.desk.clock.advance_wall_us(45 * SECOND_US);
    assert_eq!(shop.services.load_health().await.unwrap().wall_ahead_us, 45 * SECOND_US);
    let writing: Vec<_> = health.servers.iter().filter(|server| server.seq > 0).collect();
    let [server] = writing.as_slice() else { panic!("{writing:?}") };
    assert_eq!(server.seq, shop.desk.number("SELECT max(seq) FROM chain_head"));
    assert_eq!(server.lease_left_us.is_some(), kind == Kind::Postgres);
    assert!(server.lease_left_us.is_none_or(|left_us| left_us > 0), "a server that lives has its slot");
    assert_eq!((health.checkpoint, health.checkpoint_every_us), (None, None), "nobody has said how");
}

async fn a_process_that_only_reads_says_so(kind: Kind) {
    let shop = Shop::open(kind).await;
    let reader = shop.desk.services_of(Ledger::without_writer()).await;
    let health = reader.load_health().await.unwrap();
    assert!(health.writer.settings.is_err_and(|why| why.contains("does not write")));
    assert_eq!(health.writer.batches, 0);
}

async fn background_work_is_remembered_with_what_went_wrong(kind: Kind) {
    let shop = Shop::open(kind).await;
    assert_eq!(shop.services.list_work(), []);
    let first_us = shop.desk.now_us();
    shop.services.note_work(Work::Outbox, None);
    shop.services.note_work(Work::Ledger, None);
    shop.desk.clock.advance_us(SECOND_US);
    shop.services.note_work(Work::Outbox, Some("the mail server is away".to_owned()));
    let work = shop.services.load_health().await.unwrap().work;
    assert_eq!(work.iter().map(|done| done.work).collect::<Vec<_>>(), [Work::Ledger, Work::Outbox]);
    let outbox = &work[1];
    assert_eq!((outbox.tried_us, outbox.done_us), (first_us + SECOND_US, Some(first_us)));
    assert_eq!(outbox.problem.as_deref(), Some("the mail server is away"));
    shop.services.note_work(Work::Outbox, None);
    assert_eq!(shop.services.list_work()[1].problem, None);
}

async fn how_near_the_process_is_to_its_limits_is_kept_minute_by_minute(kind: Kind) {
    let shop = Shop::open(kind).await;
    assert_eq!(shop.services.recent_saturation(), [], "nobody has looked");
    let minute_us = 60 * SECOND_US;
    let left_us = minute_us - shop.desk.now_us() % minute_us;
    shop.desk.clock.advance_us(left_us);
    let first_us = shop.desk.now_us();
    shop.services.note_saturation(3);
    let [first] = shop.services.recent_saturation()[..] else { panic!("one minute") };
    assert_eq!((first.from_us, first.writer, first.calls), (first_us, None, 3), "one look knows no time");

    shop.paid_call("1").await;
    // What the writer did for the call is told when it has turned to the next thing.
    shop.services.ledger.tick().await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    shop.services.note_saturation(1);
    let [first] = shop.services.recent_saturation()[..] else { panic!("one minute") };
    assert!(first.writer.is_some_and(|share| share > 0), "the writer was at work: {first:?}");
    assert_eq!((first.queued, first.calls), (0, 3), "the most of the minute");
    assert!(first.readers <= i64::from(shop.services.load_health().await.unwrap().readers.most), "{first:?}");

    // Nobody looks for five minutes, and at last for hours.
    shop.desk.clock.advance_us(5 * minute_us);
    shop.services.note_saturation(0);
    let found = shop.services.recent_saturation();
    let told: Vec<_> = found.iter().map(|minute| (minute.from_us, minute.writer.is_some())).collect();
    assert_eq!(told, [(first_us, true), (first_us + 5 * minute_us, false)], "what nobody saw is not there");
    shop.desk.clock.advance_us(355 * minute_us);
    assert_eq!(shop.services.recent_saturation(), found[1..], "six hours");
    shop.desk.clock.advance_us(5 * minute_us);
    assert_eq!(shop.services.recent_saturation(), []);
}
