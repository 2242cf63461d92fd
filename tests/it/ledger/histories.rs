//! Random histories through the writer: the same answers as the reference model, the same rows in the file, also when
//! the writer is replaced in the middle.

use std::collections::{BTreeMap, BTreeSet};

use engine::{
    ledger::{
        LedgerAccountId, Refusal,
        batch::{Begun, Done, Ended},
        caps::CounterKey,
        key::{KEY_TTL_US, KeyState, StoredKey},
    },
    store::writer::Command,
    testing::{History, Model, Step, World},
};
use tests::environment::extent;
use uuid::Uuid;

use super::desk::{Desk, START_US, Waited, together};

const STEPS: usize = 300;

#[derive(Debug, PartialEq)]
enum Answer {
    Done(Result<Done, Refusal>),
    Begun(Begun),
    Ended(Result<Ended, Refusal>),
}

fn ask<'a>(desk: &'a Desk, step: &'a Step) -> Waited<'a, Answer> {
    match step.clone() {
        Step::Post(post) => Box::pin(async move { Answer::Done(desk.ask(Command::Post(post)).await) }),
        Step::Hold(hold) => Box::pin(async move { Answer::Done(desk.ask(Command::Hold(hold)).await) }),
        Step::Settle(settle) => Box::pin(async move { Answer::Done(desk.ask(Command::Settle(settle)).await) }),
        Step::Begin(begin) => Box::pin(async move { Answer::Begun(desk.ledger().begin(begin).await.unwrap()) }),
        Step::Finish(finish) => Box::pin(async move { Answer::Ended(desk.ledger().finish(finish).await.unwrap()) }),
        Step::Advance(_) | Step::Close(_) | Step::Restart => panic!("not a request: {step:?}"),
    }
}

fn expect(model: &mut Model, step: &Step, epoch: i64, now_us: i64) -> Answer {
    match step {
        Step::Post(post) => Answer::Done(model.post(post)),
        Step::Hold(hold) => Answer::Done(model.hold(hold, now_us)),
        Step::Settle(settle) => Answer::Done(model.settle(settle, now_us)),
        Step::Begin(begin) => Answer::Begun(model.begin(begin, epoch, now_us)),
        Step::Finish(finish) => Answer::Ended(model.finish(finish, now_us)),
        Step::Advance(_) | Step::Close(_) | Step::Restart => panic!("not a request: {step:?}"),
    }
}

/// Sends `steps` together and compares the answers; a lone tick where there are none.
async fn play(desk: &Desk, model: &mut Model, steps: &[Step], at: &str) {
    if steps.is_empty() {
        desk.ledger().tick().await.unwrap();
    }
    let answers = together(steps.iter().map(|step| ask(desk, step)).collect()).await;
    let (epoch, now_us) = (desk.ledger().epoch(), desk.now_us());
    model.recover(epoch);
    model.sweep(now_us);
    for (step, answer) in steps.iter().zip(answers) {
        assert_eq!(answer, expect(model, step, epoch, now_us), "{at}: {step:?}");
    }
}

/// The file says what the model says.
fn check(desk: &Desk, world: &World, model: &Model, at: &str) {
    let connection = desk.connection();
    for (id, kind) in world.accounts() {
        let sums = model.sums(id);
        let posted = |side: &str| -> i128 {
            let sql = format!("SELECT coalesce(sum(amount), 0) FROM posting WHERE {side} = ?1");
            connection.query_row(&sql, [id.raw()], |row| row.get::<_, i64>(0)).unwrap().into()
        };
        assert_eq!((posted("credit"), posted("debit")), (sums.credits, sums.debits), "{at}: postings of {id} {kind:?}");
        let (credits, debits, held) = if kind.is_limited() {
            let wallet = desk.wallet(id);
            assert!(wallet.available() >= 0, "{at}: {id} is below zero: {wallet:?}");
            (wallet.credits, wallet.debits, wallet.held)
        } else {
            let sql =
                "SELECT coalesce(sum(credits), 0), coalesce(sum(debits), 0) FROM hot_balance WHERE account_id = ?1";
            connection.query_row(sql, [id.raw()], |row| Ok((row.get(0)?, row.get(1)?, 0))).unwrap()
        };
        let found = (credits.into(), debits.into(), held.into());
        assert_eq!(found, (sums.credits, sums.debits, sums.held), "{at}: {id} {kind:?}");
    }
    let blobs = |sql: &str| -> BTreeSet<[u8; 16]> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let open: BTreeSet<_> = model.open_holds().into_iter().map(|id| id.uuid().into_bytes()).collect();
    assert_eq!(blobs("SELECT hold_id FROM open_hold"), open, "{at}: open holds");
    let calls: BTreeSet<_> = model.open_calls().into_iter().map(|id| id.uuid().into_bytes()).collect();
    assert_eq!(blobs("SELECT id FROM invocation WHERE state IN (1, 2)"), calls, "{at}: open calls");
    assert_eq!(
        desk.number("SELECT count(*) FROM hold_resolution"),
        i64::try_from(model.ended_holds()).unwrap(),
        "{at}"
    );
    assert_eq!(desk.number("SELECT count(*) FROM txn"), i64::try_from(model.transactions()).unwrap(), "{at}");
    assert_eq!(desk.number("SELECT count(*) FROM posting"), i64::try_from(model.postings()).unwrap(), "{at}");
    check_keys(desk, model, at);
    check_counters(desk, model, at);
}

fn check_keys(desk: &Desk, model: &Model, at: &str) {
    type Row = (i64, Option<u16>, Option<String>, [u8; 16]);
    let connection = desk.connection();
    // Those whose day is over are forgotten some time.
    let oldest_us = desk.now_us() - KEY_TTL_US;
    let sql =
        "SELECT i.scope, i.key, i.state, i.status, a.body, i.call FROM idem i LEFT JOIN idem_answer a USING (call)
               WHERE i.state = 1 OR i.created_us > ?1";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement
        .query_map([oldest_us], |row| {
            let name: ([u8; 16], String) = (row.get(0)?, row.get(1)?);
            Ok((name, (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))
        })
        .unwrap();
    let found: BTreeMap<([u8; 16], String), Row> = rows.collect::<Result<_, _>>().unwrap();
    let is_remembered = |stored: &StoredKey| stored.state == KeyState::Running || stored.created_us > oldest_us;
    let expected = model.keys().iter().filter(|(_, stored)| is_remembered(stored)).map(|(name, stored)| {
        let (state, status, body) = match &stored.state {
            KeyState::Running => (1, None, None),
            KeyState::Finished { status, body } => (2, Some(*status), Some(body.to_string())),
            KeyState::Unknown => (3, None, None),
        };
        let name = (name.scope.into_bytes(), name.key.to_string());
        (name, (state, status, body, stored.call.uuid().into_bytes()))
    });
    assert_eq!(found, expected.collect(), "{at}: keys");
}

fn check_counters(desk: &Desk, model: &Model, at: &str) {
    let connection = desk.connection();
    let mut statement = connection.prepare("SELECT cap_id, start_us, spent, held FROM cap_window").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let cap = engine::id::CapId::from(Uuid::from_bytes(row.get(0).unwrap()));
        let key = CounterKey { cap, start_us: row.get(1).unwrap() };
        let found: (i64, i64) = (row.get(2).unwrap(), row.get(3).unwrap());
        let sums = model.counter(key);
        assert_eq!((found.0.into(), found.1.into()), (sums.spent, sums.held), "{at}: {key:?}");
    }
}

async fn close(desk: &Desk, id: LedgerAccountId) {
    let now_us = desk.now_us();
    desk.change(&format!("UPDATE ledger_account SET closed_us = {now_us} WHERE id = {}", id.raw())).await;
}

async fn play_history(seed: u64) -> usize {
    let world = World::standard();
    let mut desk = Desk::open_world(&world).await;
    let mut model = Model::new(&world);
    let mut history = History::new(seed, world.clone(), START_US);
    let (mut requests, mut waiting) = (0, Vec::new());
    for step_no in 0..STEPS {
        let at = format!("seed {seed}, step {step_no}");
        let step = history.next_step();
        match step {
            Step::Advance(_) | Step::Close(_) | Step::Restart => {
                play(&desk, &mut model, &std::mem::take(&mut waiting), &at).await;
                match step {
                    Step::Advance(by_us) => desk.clock.advance_us(by_us),
                    Step::Close(id) => {
                        close(&desk, id).await;
                        model.close(id);
                    }
                    _ => {
                        let epoch = desk.ledger().epoch();
                        desk.restart();
                        assert_eq!(desk.ledger().epoch(), epoch + 1, "{at}: every writer has a term of its own");
                    }
                }
                check(&desk, &world, &model, &at);
            }
            request => {
                requests += 1;
                waiting.push(request);
                if waiting.len() > step_no % 9 {
                    play(&desk, &mut model, &std::mem::take(&mut waiting), &at).await;
                }
            }
        }
    }
    play(&desk, &mut model, &waiting, &format!("seed {seed}, the end")).await;
    check(&desk, &world, &model, &format!("seed {seed}, the end"));
    desk.restart();
    check(&desk, &world, &model, &format!("seed {seed}, after the end"));
    desk.verify();
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_agrees_with_the_reference_model_on_random_histories() {
    let seeds = extent().pick(12, 200);
    let mut requests = 0;
    for seed in 0..seeds {
        requests += play_history(seed).await;
    }
    println!("{seeds} histories, {requests} requests through the writer");
    assert!(requests > STEPS / 2, "the histories hold hardly any requests");
}
