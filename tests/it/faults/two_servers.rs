//! Two servers on one PostgreSQL database, and SIGKILL for one of them under parallel load, again and again: its clients
//! go on at the other one, and afterwards their receipts, the upstream's log and the books tell the same story.

use std::sync::{atomic::AtomicBool, mpsc};

use engine::testing::Dice;
use tests::{
    environment::extent,
    home::Kind,
    patience::{SetOnDrop, pause, wait_until},
    program::Server,
};

use super::{
    kills::{SILENCE, check_books, check_receipts, parallel},
    market::Market,
    till::{Purchase, Till},
};

const CLIENTS: u64 = 16;

/// Under load by half of the clients each, one of the two is killed; its clients turn to the other one, which goes on
/// serving meanwhile. Returns whether an upstream call was open at the kill.
fn run(market: &Market, servers: &mut [Option<Server>; 2], tills: &mut [Till], number: usize, dice: &mut Dice) -> bool {
    let dying = usize::from(dice.chance(50));
    let (answers, delay_us) = (dice.below(120), dice.below(30_000));
    let addresses = [0, 1].map(|server| servers[server].as_ref().unwrap().address().to_owned());
    let (is_over, other) = (AtomicBool::new(false), &addresses[1 - dying]);
    std::thread::scope(|scope| {
        let (tell, news) = mpsc::channel();
        let _stop = SetOnDrop(&is_over);
        for (client, till) in tills.iter_mut().enumerate() {
            let (tell, own, is_over) = (tell.clone(), &addresses[client % 2], &is_over);
            scope.spawn(move || {
                till.work(own, number, is_over, &tell);
                // Its server is gone: every key that was not answered is asked for at the other one.
                till.work(other, number, is_over, &tell);
            });
        }
        (0..answers).for_each(|_| news.recv_timeout(SILENCE).unwrap());
        pause(std::time::Duration::from_micros(delay_us));
        servers[dying].take().unwrap().kill();
        let is_open = market.upstream.log().iter().any(|received| received.answered.is_none());
        (0..CLIENTS * 4).for_each(|_| news.recv_timeout(SILENCE).unwrap());
        println!("run {number}: server {dying} killed after {answers} answers and {delay_us} µs; open: {is_open}");
        is_open
    })
}

#[test]
fn a_killed_servers_clients_go_on_at_the_other_one() {
    let seed = 20_261_124;
    let kills = extent().pick(5, 50);
    println!("seed {seed}: {kills} kills, {CLIENTS} clients");
    let market = Market::open_on(Kind::Postgres);
    let mut dice = Dice::new(seed);
    let mut tills: Vec<Till> = (0..CLIENTS).map(|number| Till::new(number, seed)).collect();
    let mut servers = [None, None];
    let mut open = 0;
    for number in 0..kills {
        for server in &mut servers {
            server.get_or_insert_with(|| Server::start(market.folder()));
        }
        open += usize::from(run(&market, &mut servers, &mut tills, number, &mut dice));
        market.verify();
    }
    let left = servers.into_iter().flatten().next().unwrap();
    let started = Server::start(market.folder());
    parallel(&mut tills, |till| till.settle(left.address()));
    parallel(&mut tills, |till| till.ask_again(started.address()));
    // What nobody asked for under its key again is settled by whichever server finds it.
    wait_until("nothing is open", || (market.rows("SELECT count(*) FROM open_hold") == [["0"]]).then_some(()));
    for server in [left, started] {
        assert_eq!(server.stop(), Some(0));
    }
    let purchases: Vec<&Purchase> = tills.iter().flat_map(|till| &till.purchases).collect();
    check_receipts(&purchases, &market);
    check_books(&purchases, &market);
    println!("{} purchases; an upstream call was open at {open} of {kills} kills", purchases.len());
    assert!(open > 0, "no kill fell while an upstream call was open");
}
