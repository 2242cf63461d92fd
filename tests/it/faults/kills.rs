//! SIGKILL under parallel load, again and again on the same database; afterwards the clients' receipts, the upstream's
//! log and the books must tell the same story.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::process::ExitStatusExt as _,
    process::Command,
    sync::{atomic::AtomicBool, mpsc},
    time::Duration,
};

use engine::{id::InvocationId, testing::Dice};
use tests::{
    binary::binary_with_failpoints,
    environment::extent,
    patience::{SetOnDrop, pause, wait_until},
    program::{Server, at_home},
    publisher::Received,
};

use super::{
    market::{Market, Shares},
    places::{Place, find_places},
    till::{Final, Purchase, Till},
};

const CLIENTS: u64 = 24;
const SIGABRT: i32 = 6;
/// A client that waits for so long for any news is stuck.
pub(super) const SILENCE: Duration = Duration::from_mins(2);

/// How a run of the program ends.
#[derive(Debug, Clone, Copy)]
enum Kill {
    /// SIGKILL so many microseconds after so many answers.
    Random { answers: u64, delay_us: u64 },
    /// SIGKILL after so many answers, as soon as the upstream has an unanswered request.
    InFlight { answers: u64 },
    /// At the n-th pass of a failpoint.
    At { failpoint: &'static str, pass: u64, place: Place },
}

impl Kill {
    fn is_random(&self) -> bool {
        matches!(self, Self::Random { .. })
    }

    /// The place that it is aimed at.
    fn aim(&self) -> Option<Place> {
        match self {
            Self::Random { .. } => None,
            Self::InFlight { .. } => Some(Place::InFlight),
            Self::At { place, .. } => Some(*place),
        }
    }
}

/// The kills of a whole test: so many at random, and so many at each place, mixed.
fn plan(random: usize, aimed: usize, dice: &mut Dice) -> Vec<Kill> {
    let mut kills = Vec::new();
    for _ in 0..random {
        kills.push(Kill::Random { answers: dice.below(170), delay_us: dice.below(50_000) });
    }
    for _ in 0..aimed {
        kills.push(Kill::InFlight { answers: 10 + dice.below(60) });
        for (failpoint, place) in [
            ("before_hold", Place::BeforeHold),
            ("after_hold", Place::BeforeDispatch),
            ("after_upstream_answer", Place::BeforeCapture),
            ("inside_commit", Place::InsideCommit),
            ("after_commit", Place::BeforeAnswer),
        ] {
            kills.push(Kill::At { failpoint, pass: 60 + dice.below(80), place });
        }
    }
    for at in 1..kills.len() {
        let other = usize::try_from(dice.below(u64::try_from(at).unwrap() + 1)).unwrap();
        kills.swap(at, other);
    }
    kills
}

/// What was seen of a kill.
struct Seen {
    kill: Kill,
    places: BTreeMap<Place, usize>,
    open_at_upstream: usize,
}

fn start(market: &Market, kill: Option<&Kill>) -> Server {
    let Some(Kill::At { failpoint, pass, .. }) = kill else { return Server::start(market.folder()) };
    let mut command = Command::new(binary_with_failpoints());
    command.arg("serve").env("FAILPOINT", format!("{failpoint}:{pass}"));
    Server::start_as(at_home(command, market.folder()))
}

fn is_open(received: &Received) -> bool {
    received.answered.is_none()
}

/// Kills the server in the midst of the load; returns what the upstream had been asked in this run, and answered,
/// until then.
fn carry_out(
    kill: &Kill,
    mut server: Server,
    market: &Market,
    seen_before: usize,
    news: &mpsc::Receiver<()>,
) -> Vec<Received> {
    let await_answers = |count| (0..count).for_each(|_| news.recv_timeout(SILENCE).unwrap());
    match *kill {
        Kill::Random { answers, delay_us } => {
            await_answers(answers);
            pause(Duration::from_micros(delay_us));
            // While the log is held, no answer leaves: what is open now stays open until the program is gone.
            let log = market.upstream.log();
            server.kill();
            log[seen_before..].to_vec()
        }
        Kill::InFlight { answers } => {
            await_answers(answers);
            let (log, _) = wait_until("the upstream is at work", || {
                let log = market.upstream.log();
                log[seen_before..].iter().any(is_open).then_some(log)
            });
            server.kill();
            log[seen_before..].to_vec()
        }
        Kill::At { .. } => {
            let (status, _) = wait_until("the failpoint", || server.ended());
            assert_eq!(status.signal(), Some(SIGABRT), "{kill:?}: {status}\n{}", server.log());
            market.upstream.log()[seen_before..].to_vec()
        }
    }
}

/// One run of the program, from its start to its kill.
fn run(market: &Market, tills: &mut [Till], number: usize, kill: Kill) -> Seen {
    let server = start(market, Some(&kill));
    market.verify();
    let address = server.address().to_owned();
    let seen_before = market.upstream.log().len();
    let is_over = AtomicBool::new(false);
    let log = std::thread::scope(|scope| {
        // Dropped at the end, also after a panic: the clients stop when nobody wants their news.
        let (tell, news) = mpsc::channel();
        let _stop = SetOnDrop(&is_over);
        for till in tills.iter_mut() {
            let (tell, address, is_over) = (tell.clone(), &address, &is_over);
            scope.spawn(move || till.work(address, number, is_over, &tell));
        }
        carry_out(&kill, server, market, seen_before, &news)
    });
    let cut = tills.iter().flat_map(|till| &till.purchases).filter(|purchase| purchase.cut == Some(number));
    let mut places = find_places(&market.database(), cut, &log);
    let open_at_upstream = log.iter().filter(|received| is_open(received)).count();
    if kill.aim() == Some(Place::InsideCommit) {
        // The abort says so; from outside, a transaction of which nothing was written looks as if it had never begun.
        places.entry(Place::InsideCommit).or_insert(1);
    }
    println!("run {number}: {kill:?}: {open_at_upstream} open at the upstream, {places:?}");
    Seen { kill, places, open_at_upstream }
}

pub(super) fn parallel(tills: &mut [Till], work: impl Fn(&mut Till) + Sync) {
    std::thread::scope(|scope| {
        for till in tills {
            scope.spawn(|| work(till));
        }
    });
}

#[test]
fn no_kill_loses_or_doubles_a_charge() {
    let seed = 20_261_121;
    let (random, aimed) = extent().pick((10, 1), (50, 5));
    println!("seed {seed}: {random} random kills, {aimed} at each place, {CLIENTS} clients");
    let market = Market::open();
    let mut tills: Vec<Till> = (0..CLIENTS).map(|number| Till::new(number, seed)).collect();
    let kills = plan(random, aimed, &mut Dice::new(seed));
    let seen: Vec<Seen> =
        kills.into_iter().enumerate().map(|(number, kill)| run(&market, &mut tills, number, kill)).collect();

    let server = start(&market, None);
    let address = server.address().to_owned();
    parallel(&mut tills, |till| till.settle(&address));
    parallel(&mut tills, |till| till.ask_again(&address));
    assert_eq!(server.stop(), Some(0));

    let purchases: Vec<&Purchase> = tills.iter().flat_map(|till| &till.purchases).collect();
    check_receipts(&purchases, &market);
    check_books(&purchases, &market);
    report(&seen, &purchases);
    for (place, name) in Place::ALL {
        // What a transaction ends with is up to chance: the last place is also found by kills that were aimed elsewhere.
        let is_aimed = |seen: &&Seen| seen.kill.aim() == Some(place) || place == Place::BeforeAnswer;
        let hits = seen.iter().filter(is_aimed).filter(|seen| seen.places.contains_key(&place)).count();
        assert!(hits >= aimed, "only {hits} kills fell {name}");
    }
    let open = seen.iter().filter(|seen| seen.kill.is_random() && seen.open_at_upstream > 0).count();
    assert!(open * 3 >= random, "only {open} of {random} random kills fell while an upstream call was open");
}

/// What clients were told against what the upstream did.
pub(super) fn check_receipts(purchases: &[&Purchase], market: &Market) {
    let log = market.upstream.log();
    let mut by_key: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for received in log.iter() {
        by_key.entry(received.arguments["key"].as_str().unwrap()).or_default().push(received);
    }
    let keys: BTreeSet<&str> = log.iter().map(|received| received.key.as_str()).collect();
    assert_eq!(keys.len(), log.len(), "an outbound key reached the upstream twice");
    for purchase in purchases {
        let executed = by_key.get(purchase.key.as_str()).map_or(&[][..], Vec::as_slice);
        assert!(executed.len() <= 1, "`{}` reached the upstream {} times", purchase.key, executed.len());
        let told = purchase.told.as_ref().unwrap();
        assert!(executed.iter().all(|received| received.invocation == told.invocation), "{purchase:?}: {executed:?}");
        match &told.answer {
            Final::Answered(status, _) => {
                let statuses: Vec<_> = executed.iter().map(|received| received.answered).collect();
                assert_eq!(statuses, [Some(purchase.status)], "{purchase:?}");
                let expected = if purchase.status == 200 { 200 } else { 502 };
                assert_eq!((*status, told.charged), (expected, purchase.cost), "{purchase:?}");
            }
            Final::Unknown(state) => assert_eq!((state.as_str(), told.charged), purchase.rule(), "{purchase:?}"),
        }
    }
}

/// What clients were told against what is in the books.
pub(super) fn check_books(purchases: &[&Purchase], market: &Market) {
    market.verify();
    for (what, sql) in [
        ("open holds", "SELECT count(*) FROM open_hold"),
        ("holds without an end", "SELECT count(*) FROM hold WHERE id NOT IN (SELECT hold_id FROM hold_resolution)"),
        ("micro-credits held", "SELECT sum(held) FROM wallet_balance"),
        ("micro-credits held under caps", "SELECT sum(held) FROM cap_window"),
        ("calls without an end", "SELECT count(*) FROM invocation WHERE state IN (1, 2)"),
        ("keys in flight", "SELECT count(*) FROM idem WHERE state = 1"),
        (
            "keys under which several calls were dispatched",
            "SELECT count(*) - count(DISTINCT key) FROM invocation WHERE state <> 4 OR charged > 0",
        ),
    ] {
        assert_eq!(market.rows(sql), [["0"]], "{what}");
    }
    let sql = "SELECT hold_id, count(DISTINCT seq), sum(amount) FROM txn JOIN posting USING (slot, seq)
               WHERE hold_id IS NOT NULL GROUP BY hold_id";
    let rows = market.rows(sql).into_iter();
    let booked: BTreeMap<String, (i64, i64)> =
        rows.map(|row| (row[0].clone(), (row[1].parse().unwrap(), row[2].parse().unwrap()))).collect();
    let (mut told_of, mut shares) = (BTreeMap::new(), Shares::default());
    for purchase in purchases {
        let told = purchase.told.as_ref().unwrap();
        shares.add(purchase.buyer, told.charged);
        if told.charged > 0 {
            let id: InvocationId = told.invocation.parse().unwrap();
            told_of.insert(id.uuid().simple().to_string(), (1, told.charged));
        }
    }
    assert_eq!(booked, told_of, "each charge that was told of is booked once, and nothing else is");
    assert_eq!(Shares::booked(market), shares, "the trial balance is the sum of what was told");
}

fn report(seen: &[Seen], purchases: &[&Purchase]) {
    println!("{:28} {:>12} {:>12} {:>12}", "kills with a call …", "random", "aimed there", "calls");
    for (place, name) in Place::ALL {
        let fell = |wanted: &dyn Fn(&&Seen) -> bool| {
            seen.iter().filter(wanted).filter(|seen| seen.places.contains_key(&place)).count()
        };
        let calls: usize = seen.iter().filter_map(|seen| seen.places.get(&place)).sum();
        let calls = if place == Place::InsideCommit { String::new() } else { calls.to_string() };
        let (random, aimed) = (fell(&|seen| seen.kill.is_random()), fell(&|seen| seen.kill.aim() == Some(place)));
        println!("{name:28} {random:>12} {aimed:>12} {calls:>12}");
    }
    let open = seen.iter().filter(|seen| seen.kill.is_random() && seen.open_at_upstream > 0).count();
    let unknown =
        purchases.iter().filter(|purchase| matches!(purchase.told.as_ref().unwrap().answer, Final::Unknown(_)));
    println!(
        "{} kills, {} purchases, {} of unknown outcome; {open} random kills fell while an upstream call was open",
        seen.len(),
        purchases.len(),
        unknown.count()
    );
}
