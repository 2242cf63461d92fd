//! Random histories through the writer: the same answers as the reference model, the same rows in the file, also when
//! the writer is replaced in the middle.

use std::collections::{BTreeMap, BTreeSet};

use engine::{
    ledger::{
        AccountKind, LedgerAccountId, Refusal,
        batch::{Begun, Done, Ended},
        caps::CounterKey,
        key::{KEY_TTL_US, KeyState, StoredKey},
    },
    store::writer::Command,
    testing::{History, Model, Step, World},
};
use tests::environment::extent;
use uuid::Uuid;

use super::desk::{Desk, Kind, START_US, Waited, together};

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
        Step::Advance(_) | Step::Give(_) | Step::Close(_) | Step::Restart => panic!("not a request: {step:?}"),
    }
}

fn expect(model: &mut Model, step: &Step, epoch: i64, now_us: i64) -> Answer {
    match step {
        Step::Post(post) => Answer::Done(model.post(post, now_us)),
        Step::Hold(hold) => Answer::Done(model.hold(hold, now_us)),
        Step::Settle(settle) => Answer::Done(model.settle(settle, now_us)),
        Step::Begin(begin) => Answer::Begun(model.begin(begin, epoch, now_us)),
        Step::Finish(finish) => Answer::Ended(model.finish(finish, now_us)),
        Step::Advance(_) | Step::Give(_) | Step::Close(_) | Step::Restart => panic!("not a request: {step:?}"),
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

/// The database says what the model says.
fn check(desk: &Desk, world: &World, model: &Model, at: &str) {
    let sums_of = |sql: &str| -> BTreeMap<i64, Vec<i128>> {
        let number = |text: &String| text.parse::<i128>().unwrap();
        let rows = desk.rows(sql);
        rows.iter().map(|row| (row[0].parse().unwrap(), row[1..].iter().map(number).collect())).collect()
    };
    let posted = sums_of(
        "SELECT account, sum(credit), sum(debit)
         FROM (SELECT credit AS account, amount AS credit, 0 AS debit FROM posting
               UNION ALL SELECT debit, 0, amount FROM posting) AS sides GROUP BY account",
    );
    let stored = sums_of(
        "SELECT account_id, credits, debits, held, overdraft FROM wallet_balance
         UNION ALL SELECT account_id, sum(credits), sum(debits), 0, 0 FROM hot_balance GROUP BY account_id",
    );
    let granted = model.grant_accounts().into_iter().map(|account| (account, AccountKind::Grant));
    for (id, kind) in world.accounts().into_iter().chain(granted) {
        let sums = model.sums(id);
        let found = posted.get(&id.raw()).map_or((0, 0), |row| (row[0], row[1]));
        assert_eq!(found, (sums.credits, sums.debits), "{at}: postings of {id} {kind:?}");
        let row = stored.get(&id.raw()).cloned().unwrap_or_else(|| vec![0; 4]);
        assert!(!kind.is_limited() || row[0] - row[1] - row[2] + row[3] >= 0, "{at}: {id} is below zero: {row:?}");
        assert_eq!((row[0], row[1], row[2]), (sums.credits, sums.debits, sums.held), "{at}: {id} {kind:?}");
    }
    let ids = |sql: &str| -> BTreeSet<String> { desk.rows(sql).into_iter().flatten().collect() };
    let open: BTreeSet<_> = model.open_holds().into_iter().map(|id| id.uuid().simple().to_string()).collect();
    assert_eq!(ids("SELECT hold_id FROM open_hold"), open, "{at}: open holds");
    let calls: BTreeSet<_> = model.open_calls().into_iter().map(|id| id.uuid().simple().to_string()).collect();
    assert_eq!(ids("SELECT id FROM invocation WHERE state IN (1, 2)"), calls, "{at}: open calls");
    let counts = desk.rows(
        "SELECT (SELECT count(*) FROM hold_resolution), (SELECT count(*) FROM txn), (SELECT count(*) FROM posting)",
    );
    let expected = [model.ended_holds(), model.transactions(), model.postings()];
    assert_eq!(counts[0], expected.map(|count| count.to_string()), "{at}: settlements, transactions, postings");
    let open_grants: BTreeSet<_> = model.open_grants().iter().map(|grant| grant.account.raw().to_string()).collect();
    assert_eq!(ids("SELECT account FROM open_grant"), open_grants, "{at}: open grants");
    check_keys(desk, model, at);
    check_counters(desk, model, at);
}

fn check_keys(desk: &Desk, model: &Model, at: &str) {
    // Those whose day is over are forgotten some time.
    let oldest_us = desk.now_us() - KEY_TTL_US;
    let found: BTreeSet<Vec<String>> = desk
        .rows(&format!(
            "SELECT i.scope, i.key, i.state, i.status, a.body, i.call FROM idem i LEFT JOIN idem_answer a USING (call)
             WHERE i.state = 1 OR i.created_us > {oldest_us}"
        ))
        .into_iter()
        .collect();
    let is_remembered = |stored: &StoredKey| stored.state == KeyState::Running || stored.created_us > oldest_us;
    let expected = model.keys().iter().filter(|(_, stored)| is_remembered(stored)).map(|(name, stored)| {
        let (state, status, body) = match &stored.state {
            KeyState::Running => ("1", String::new(), String::new()),
            KeyState::Finished { status, body } => ("2", status.to_string(), body.to_string()),
            KeyState::Unknown => ("3", String::new(), String::new()),
        };
        let (scope, call) = (name.scope.simple().to_string(), stored.call.uuid().simple().to_string());
        vec![scope, name.key.to_string(), state.to_owned(), status, body, call]
    });
    assert_eq!(found, expected.collect(), "{at}: keys");
}

fn check_counters(desk: &Desk, model: &Model, at: &str) {
    for row in desk.rows("SELECT cap_id, start_us, spent, held FROM cap_window") {
        let cap = engine::id::CapId::from(Uuid::parse_str(&row[0]).unwrap());
        let sums = model.counter(CounterKey { cap, start_us: row[1].parse().unwrap() });
        assert_eq!(row[2..], [sums.spent.to_string(), sums.held.to_string()], "{at}: {row:?}");
    }
}

async fn close(desk: &Desk, id: LedgerAccountId) {
    let now_us = desk.now_us();
    desk.change(&format!("UPDATE ledger_account SET closed_us = {now_us} WHERE id = {}", id.raw())).await;
}

/// Plays the history of `seed` on `desk`, in batches of up to `together_max` requests; returns how many there were.
async fn play_history(desk: &mut Desk, seed: u64, together_max: usize) -> usize {
    let world = World::standard();
    let mut model = Model::new(&world);
    let mut history = History::new(seed, world.clone(), START_US);
    let (mut requests, mut waiting) = (0, Vec::new());
    for step_no in 0..STEPS {
        let at = format!("seed {seed}, step {step_no}");
        let step = history.next_step();
        match step {
            Step::Give(give) => {
                requests += 1;
                play(desk, &mut model, &std::mem::take(&mut waiting), &at).await;
                let expected = model.give(&give, desk.now_us());
                assert_eq!(desk.give(&give).await, expected, "{at}: {give:?}");
                check(desk, &world, &model, &at);
            }
            Step::Advance(_) | Step::Close(_) | Step::Restart => {
                play(desk, &mut model, &std::mem::take(&mut waiting), &at).await;
                match step {
                    Step::Advance(by_us) => desk.clock.advance_us(by_us),
                    Step::Close(id) => {
                        close(desk, id).await;
                        model.close(id);
                    }
                    _ => {
                        let epoch = desk.ledger().epoch();
                        desk.restart();
                        assert_eq!(desk.ledger().epoch(), epoch + 1, "{at}: every writer has a term of its own");
                    }
                }
                check(desk, &world, &model, &at);
            }
            request => {
                requests += 1;
                waiting.push(request);
                if waiting.len() >= together_max.min(step_no % 9 + 1) {
                    play(desk, &mut model, &std::mem::take(&mut waiting), &at).await;
                }
            }
        }
    }
    play(desk, &mut model, &waiting, &format!("seed {seed}, the end")).await;
    check(desk, &world, &model, &format!("seed {seed}, the end"));
    desk.restart();
    check(desk, &world, &model, &format!("seed {seed}, after the end"));
    desk.verify();
    requests
}

/// How many requests go to the writer together.
const TOGETHER_MAX: usize = 9;

async fn play_histories(kind: Kind, seeds: u64, prepare: impl Fn(&Desk)) {
    let mut requests = 0;
    for seed in 0..seeds {
        let mut desk = Desk::open_world_on(kind, &World::standard()).await;
        prepare(&desk);
        requests += play_history(&mut desk, seed, TOGETHER_MAX).await;
    }
    println!("{seeds} histories, {requests} requests through the writer");
    assert!(requests > STEPS / 2, "the histories hold hardly any requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_agrees_with_the_reference_model_on_random_histories() {
    play_histories(Kind::Sqlite, extent().pick(12, 200), |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_on_postgresql_agrees_with_the_reference_model_on_random_histories() {
    play_histories(Kind::Postgres, extent().pick(4, 100), |_| {}).await;
}

/// Every third batch is refused when it is written, every fifth at its commit, as by a lost race.
const LOST_RACES: &str = "
    CREATE SEQUENCE tries; GRANT USAGE ON tries TO PUBLIC; CREATE SEQUENCE commits; GRANT USAGE ON commits TO PUBLIC;
    CREATE FUNCTION lose_a_race() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval(TG_ARGV[0]) % TG_ARGV[1]::bigint = 0 THEN
            RAISE EXCEPTION 'another server was first' USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER write BEFORE INSERT ON batch FOR EACH ROW EXECUTE FUNCTION lose_a_race('tries', 3);
    CREATE CONSTRAINT TRIGGER commit AFTER INSERT ON batch DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION lose_a_race('commits', 5)";

#[tokio::test(flavor = "multi_thread")]
async fn lost_races_change_nothing() {
    play_histories(Kind::Postgres, extent().pick(2, 50), |desk| desk.alter(LOST_RACES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_history_makes_the_same_batches_on_both_databases() {
    for seed in 0..extent().pick(2, 50) {
        let mut chains = Vec::new();
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let mut desk = Desk::open_world_on(kind, &World::standard()).await;
            // One request at a time: how many a writer finds together in its queue is chance.
            play_history(&mut desk, seed, 1).await;
            let batches =
                desk.rows("SELECT batch_no, epoch, recorded_us, hash FROM batch WHERE slot = 0 ORDER BY batch_no");
            let plain = |row: Vec<String>| row.join(" ").replace("\\x", "");
            chains.push(batches.into_iter().map(plain).collect::<Vec<_>>());
        }
        let [sqlite, postgres] = chains.as_slice() else { panic!("two databases") };
        assert!(sqlite.len() > STEPS / 3, "seed {seed}: {} batches", sqlite.len());
        let differs = sqlite.iter().zip(postgres).find(|(left, right)| left != right);
        assert_eq!((differs, sqlite.len()), (None, postgres.len()), "seed {seed}");
    }
}
