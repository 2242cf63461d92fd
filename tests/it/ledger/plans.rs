//! How PostgreSQL carries out what the writer asks: planned once, while the tables were empty, it must be good when they are
//! not.

use engine::{
    ledger::{AccountKind, Refusal, batch::Done},
    store::writer::Command,
};
use tests::patience::wait_until;

use super::desk::{Desk, Kind, Waited, capture_all, hold, payable_id, together, wallet_id};

/// Batches of holds, and as many of captures.
const BATCHES: usize = 40;
/// Requests of each.
const TOGETHER: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_writer_finds_rows_by_their_keys_also_where_it_planned_on_empty_tables() {
    let mut desk = Desk::open_on(Kind::Postgres).await;
    desk.open_account(wallet_id(1), AccountKind::Wallet, 0).await;
    desk.open_account(payable_id(1), AccountKind::Payable, 0).await;
    desk.fund(wallet_id(1), 1_000_000).await;
    for _ in 0..BATCHES {
        let holds: Vec<_> = (0..TOGETHER).map(|_| desk.fresh()).collect();
        let placed = holds.iter().map(|id| Command::Hold(hold(*id, wallet_id(1), payable_id(1), 1))).collect();
        all_done(&desk, placed).await;
        let captured = holds.iter().map(|id| Command::Settle(capture_all(desk.fresh(), *id))).collect();
        all_done(&desk, captured).await;
    }
    desk.verify();
    // A session tells what it has read when it ends.
    desk.stop();
    let sessions = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    wait_until("the writer's session is gone", || desk.rows(sessions).is_empty().then_some(()));
    let asked = BATCHES * TOGETHER;
    let looks =
        desk.number("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'hold_resolution_hold_id_key'");
    assert!(looks > 0, "nobody looked whether a name is taken");
    // What looks for one row reads one, or none; who reads the whole table reads some hundred times as many.
    let read_whole = desk.rows(&format!(
        "SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes
         WHERE idx_tup_read > 2 * idx_scan + {asked} ORDER BY 1"
    ));
    assert_eq!(read_whole, Vec::<Vec<String>>::new(), "index, how often it was looked into, rows that were read");
}

async fn all_done(desk: &Desk, commands: Vec<Command>) {
    let asked: Vec<Waited<'_, Result<Done, Refusal>>> =
        commands.into_iter().map(|command| Box::pin(desk.ask(command)) as _).collect();
    for done in together(asked).await {
        done.unwrap();
    }
}
