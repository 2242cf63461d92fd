use std::sync::Barrier;

use engine::testing::Dice;
use serde_json::json;
use tests::{environment::extent, home::Kind, on_both_databases, program::Server};

use super::market::{FIXED_MICROS, Market, micros, racer, racer_balance_micros};

const CALLERS: usize = 64;

on_both_databases!(callers_that_race_for_a_balance_pay_exactly_for_what_it_is_worth);

/// On PostgreSQL the callers race over two servers.
fn callers_that_race_for_a_balance_pay_exactly_for_what_it_is_worth(kind: Kind) {
    let seed = 20_261_123;
    let rounds = extent().pick(20, 500);
    println!("seed {seed}: {rounds} rounds of {CALLERS} callers");
    let mut dice = Dice::new(seed);
    let worth: Vec<i64> = (0..rounds).map(|_| dice.between(0, 64)).collect();
    let market = Market::with_racers(kind, &worth);
    let servers: Vec<Server> = match kind {
        Kind::Sqlite => vec![Server::start(market.folder())],
        Kind::Postgres => (0..2).map(|_| Server::start(market.folder())).collect(),
    };
    for (round, calls_paid) in worth.iter().enumerate() {
        let before = market.upstream.log().len();
        let start = Barrier::new(CALLERS);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let race = |number: usize| {
                let (start, mut caller) = (&start, racer(servers[number / 2 % servers.len()].address(), round));
                move || {
                    // Half of the callers have keys, all of them different.
                    let key = number.is_multiple_of(2).then(|| format!("k-{number}"));
                    start.wait();
                    caller.post("/invoke/acme/fixed", &json!({ "arguments": {}, "idempotency_key": key })).unwrap()
                }
            };
            let callers: Vec<_> = (0..CALLERS).map(|number| scope.spawn(race(number))).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        let paid = usize::try_from(*calls_paid).unwrap();
        assert_eq!((count(200), count(402)), (paid, CALLERS - paid), "round {round}");
        assert_eq!(market.upstream.log().len() - before, paid, "round {round}: only who paid was served");
        let rest = racer_balance_micros(*calls_paid) - calls_paid * FIXED_MICROS;
        let balance = racer(servers[0].address(), round).get("/credits/balance").unwrap();
        assert_eq!(micros(&balance.json["available"]), rest, "round {round}: {}", balance.body);
    }
    for server in servers {
        assert_eq!(server.stop(), Some(0));
    }
    market.verify();
    let charged = worth.iter().sum::<i64>() * FIXED_MICROS;
    assert_eq!(market.totals("liabilities:wallet").0, charged);
}
