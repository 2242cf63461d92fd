//! The connection to PostgreSQL is cut at every message of a story, before it and behind it: the same answers and the
//! same books as without.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    thread,
};

use engine::{
    credits::Credits,
    id::InvocationId,
    invocation::CallState,
    ledger::{
        AccountKind,
        batch::{Begin, Done, Ended, Finish, KeyEnd, Outcome},
        key::{KeyClaim, KeyName},
        leaf::sha256,
    },
    store::{UnitOfWork, writer::Command},
    testing::{call_end, running_call},
};
use tests::environment::extent;
use uuid::Uuid;

use super::desk::{Desk, Kind, capture_all, hold, payable_id, post, push_account, wallet_id};

/// Cuts nothing.
const NEVER: i64 = i64::MAX;

/// Stands between the writer and PostgreSQL, and counts what the writer sends.
#[derive(Clone)]
struct Wire {
    address: SocketAddr,
    /// How many messages are let through before the cut; below zero: it has happened.
    left: Arc<AtomicI64>,
    sent: Arc<AtomicUsize>,
}

impl Wire {
    /// `forwards_last`: the message at which the wire is cut still arrives, and only its answer is lost.
    fn new(server: SocketAddr, forwards_last: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (left, sent) = (Arc::new(AtomicI64::new(NEVER)), Arc::<AtomicUsize>::default());
        let wire = Self { address: listener.local_addr().unwrap(), left, sent };
        let shared = wire.clone();
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || {
                    drop(std::io::copy(&mut answers, &mut back));
                    drop(back.shutdown(Shutdown::Both));
                });
                let wire = shared.clone();
                thread::spawn(move || wire.forward(client, server, forwards_last));
            }
        });
        wire
    }

    fn forward(&self, mut client: TcpStream, mut server: TcpStream, forwards_last: bool) {
        let mut bytes = vec![0; 256 * 1024];
        while let Ok(count) = client.read(&mut bytes) {
            if count == 0 {
                break;
            }
            self.sent.fetch_add(1, Ordering::SeqCst);
            if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
                // Cut first on this side, so that no answer slips through.
                drop(client.shutdown(Shutdown::Both));
                if forwards_last {
                    drop(server.write_all(&bytes[..count]));
                }
                break;
            }
            if server.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
        // Not both: PostgreSQL still has to read what was forwarded last.
        drop(server.shutdown(Shutdown::Write));
    }
}

/// What every step was answered.
async fn play(desk: &Desk) -> Vec<String> {
    let mut answers = Vec::new();
    let mut unit = UnitOfWork::new();
    push_account(&mut unit, payable_id(1), AccountKind::Payable, 0);
    push_account(&mut unit, wallet_id(1), AccountKind::Wallet, 0);
    unit.post(post(desk.fresh(), &[(engine::ledger::LedgerAccountId::OPENING, wallet_id(1), 1_000)]));
    answers.push(format!("{:?}", desk.save(unit).await));
    answers
        .push(format!("{:?}", desk.ask(Command::Post(post(desk.fresh(), &[(wallet_id(1), payable_id(1), 7)]))).await));
    let placed = desk.fresh();
    answers.push(format!("{:?}", desk.ask(Command::Hold(hold(placed, wallet_id(1), payable_id(1), 100))).await));
    answers.push(format!("{:?}", desk.ask(Command::Settle(capture_all(desk.fresh(), placed))).await));
    let place = hold(desk.fresh(), wallet_id(1), payable_id(1), 60);
    let name = KeyName { scope: Uuid::from_u128(1), key: "k".into() };
    let key = KeyClaim { name, fingerprint: sha256(b"the request") };
    let call = running_call(InvocationId::from(place.id.uuid()), Some(&place), Some(&key), desk.now_us());
    let begin = Begin { call, key: Some(key), hold: Some(place) };
    answers.push(format!("{:?}", desk.ledger().begin(begin.clone()).await));
    let finish = Finish {
        call: begin.call.id,
        wallet: Some(wallet_id(1)),
        caps: Vec::new(),
        outcome: Outcome::Capture(Credits::from_micros(50)),
        key: KeyEnd::Store { status: 200, render: Arc::new(|ended: &Ended| format!("{}", ended.charged).into()) },
        end: call_end(CallState::Succeeded),
    };
    answers.push(format!("{:?}", desk.ledger().finish(finish).await));
    // A call that costs nothing leaves no trace in the books, only its key.
    let name = KeyName { scope: Uuid::from_u128(1), key: "free".into() };
    let key = KeyClaim { name, fingerprint: sha256(b"the free request") };
    let call = running_call(InvocationId::from(desk.fresh().uuid()), None, Some(&key), desk.now_us());
    let begin = Begin { call, key: Some(key), hold: None };
    answers.push(format!("{:?}", desk.ledger().begin(begin.clone()).await));
    let finish = Finish {
        call: begin.call.id,
        wallet: None,
        caps: Vec::new(),
        outcome: Outcome::Release,
        key: KeyEnd::Store { status: 200, render: Arc::new(|_ended: &Ended| "nothing".into()) },
        end: call_end(CallState::Succeeded),
    };
    answers.push(format!("{:?}", desk.ledger().finish(finish).await));
    let too_much = post(desk.fresh(), &[(wallet_id(1), payable_id(1), 844)]);
    answers.push(format!("{:?}", desk.ask(Command::Post(too_much)).await));
    answers
}

/// The books without what differs from run to run.
fn books(desk: &Desk) -> Vec<Vec<String>> {
    [
        "SELECT batch_no, first_seq, n_entry, n_posting, total FROM batch WHERE slot = 0 ORDER BY batch_no",
        "SELECT seq, ord, debit, credit, amount FROM posting ORDER BY seq, ord",
        "SELECT account_id, credits, debits, held FROM wallet_balance ORDER BY account_id",
        "SELECT state, charged FROM invocation ORDER BY charged",
        "SELECT key, state, status, body FROM idem LEFT JOIN idem_answer USING (call) ORDER BY key",
        "SELECT reason, needed FROM refusal",
        "SELECT count(*) FROM open_hold",
    ]
    .into_iter()
    .flat_map(|sql| desk.rows(sql))
    .collect()
}

async fn play_with_cut(at: i64, forwards_last: bool) -> (Vec<String>, Vec<Vec<String>>, usize) {
    let mut desk = Desk::open_on(Kind::Postgres).await;
    desk.stop();
    let wire = Wire::new(desk.server_address(), forwards_last);
    desk.start_through(wire.address);
    let before = wire.sent.load(Ordering::SeqCst);
    wire.left.store(at, Ordering::SeqCst);
    let answers = play(&desk).await;
    let sent = wire.sent.load(Ordering::SeqCst) - before;
    assert!(at == NEVER || wire.left.load(Ordering::SeqCst) < 0, "the wire was not cut at {at}");
    desk.stop();
    desk.verify();
    (answers, books(&desk), sent)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_anywhere_changes_nothing() {
    let (answers, found, messages) = play_with_cut(NEVER, false).await;
    assert_eq!(answers[8], format!("{:?}", Err::<Done, _>(refused(844, 843))));
    let step = extent().pick(5, 1);
    let mut cuts = 0;
    for at in (0..i64::try_from(messages).unwrap()).step_by(step) {
        for forwards_last in [false, true] {
            let cut = play_with_cut(at, forwards_last).await;
            let place = format!("cut at message {at} of {messages}, which was sent: {forwards_last}");
            assert_eq!(cut.0, answers, "{place}");
            assert_eq!(cut.1, found, "{place}");
            cuts += 1;
        }
    }
    println!("{cuts} cuts in a story of {messages} messages");
}

fn refused(needed: i64, available: i64) -> engine::ledger::Refusal {
    engine::ledger::Refusal::Insufficient {
        limit: engine::ledger::refusal::Limit::Wallet(wallet_id(1)),
        needed: Credits::from_micros(needed),
        available: Credits::from_micros(available),
    }
}
