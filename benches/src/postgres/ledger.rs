//! The ledger alone on PostgreSQL: four processes, each with a writer of its own, at the same accounts; beside it the same
//! work without batches, in turn.

use std::{path::Path, sync::Arc};

use engine::{
    clock::{Clock, SharedClock},
    credits::Credits,
    id::{EntryId, IdSource},
    ledger::{
        AccountKind, LedgerAccountId, Leg, Post, TransactionKind,
        fact::{Cell, LEDGER_ACCOUNT},
    },
    store::{
        Ledger, UnitOfWork,
        writer::{Command, WriterOptions},
    },
};
use serde_json::Value;

use crate::{
    charging::{AMOUNT_MICRO, SPLIT, SpreadIds, Until},
    failure::{Context as _, Failure, Outcome},
    note,
    postgres::{
        baseline::{Baseline, WALLETS, Work},
        cluster::Cluster,
        crew::{self, Accounts, Shift},
    },
    report::{Figures, LedgerRate, PostgresLedger, RunDry, Unbatched, median},
    rounds::Pace,
    tollgate::{Installation, Site, Tollgate},
    verify,
    workspace::RunFolder,
};

/// The database of this part.
const DATABASE: &str = "ledger";

/// Who pays where many do.
pub(crate) const MANY_WALLETS: Accounts = Accounts { first: 1_000_001, count: WALLETS };

/// Who pays where all pay from the same wallet.
const ONE_WALLET: Accounts = Accounts { first: 1_100_001, count: 1 };

/// A wallet that is emptied.
const DRY_WALLET: Accounts = Accounts { first: 1_200_001, count: 1 };

/// Who is paid where many are.
const MANY_PAYEES: Accounts = Accounts { first: 2_000_001, count: 1_000 };

/// Who is paid where one is.
pub(crate) const ONE_PAYEE: Accounts = Accounts { count: 1, ..MANY_PAYEES };

/// All of them, with what they are for.
const ACCOUNTS: [(Accounts, AccountKind); 4] = [
    (MANY_WALLETS, AccountKind::Wallet),
    (ONE_WALLET, AccountKind::Wallet),
    (DRY_WALLET, AccountKind::Wallet),
    (MANY_PAYEES, AccountKind::Payable),
];

/// What a wallet that does not run dry is given, in micro-credits.
const PLENTY_MICRO: i64 = 1_000_000_000_000;

/// How many charges the wallet that is emptied can pay.
const DRY_CHARGES: u64 = 4_000;

/// Has Tollgate make the tables, then works on them without it, and checks the books.
pub(crate) fn measure(
    folder: &RunFolder,
    program: &Path,
    pace: Pace,
    cluster: &Cluster,
    figures: &mut Figures,
) -> Outcome<()> {
    let url = cluster.create_database(DATABASE)?;
    let settings = cluster.check_durable(DATABASE)?;
    figures.settings.get_or_insert(settings);
    let site = Site::with_database(folder.subfolder("ledger-postgres")?, url);
    let tollgate = Tollgate::start_plain(program, &site)?;
    tollgate.check_durable()?;
    let installation = tollgate.stop()?;
    open_accounts(cluster, DATABASE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(fund(installation.database_url()))?;
    let mut crews = Crews { url: installation.database_url(), seconds: pace.seconds, runs: 1, captures: 0 };
    let mut baseline = Baseline::create(cluster)?;
    let mut samples = Samples::default();
    for _ in 0..pace.rounds {
        samples.take_turns(&mut crews, &mut baseline)?;
    }
    let dry = crews.charge("one wallet, until dry", DRY_WALLET, ONE_PAYEE, Until::Dry)?;
    baseline.check_books()?;
    let run_dry = RunDry { funded: DRY_CHARGES, captured: dry.captures };
    figures.ledger = Some(samples.figures(run_dry));
    let verified = verify::check_sound(&installation)?;
    figures.verify.get_or_insert(verified);
    check_dry(&installation)?;
    installation.check_books(SPLIT, crews.captures, crews.captures).map(drop)
}

/// What the sides showed, round by round.
#[derive(Debug, Default)]
struct Samples {
    one_publisher: Vec<LedgerRate>,
    many_publishers: Vec<LedgerRate>,
    one_wallet: Vec<LedgerRate>,
    unbatched: Vec<Unbatched>,
    row_locks: Vec<Unbatched>,
}

impl Samples {
    fn take_turns(&mut self, crews: &mut Crews<'_>, baseline: &mut Baseline<'_>) -> Outcome<()> {
        let until = Until::Seconds(crews.seconds);
        self.one_publisher.push(crews.charge("one publisher", MANY_WALLETS, ONE_PAYEE, until)?.rate);
        self.many_publishers.push(crews.charge("1,000 publishers", MANY_WALLETS, MANY_PAYEES, until)?.rate);
        self.one_wallet.push(crews.charge("one wallet", ONE_WALLET, ONE_PAYEE, until)?.rate);
        for (work, samples) in [(Work::HoldCapture, &mut self.unbatched), (Work::Charge, &mut self.row_locks)] {
            let best = samples.first().map(|found| found.connections);
            samples.push(baseline.drive(work, crews.seconds, best)?);
        }
        Ok(())
    }

    fn figures(&self, run_dry: RunDry) -> PostgresLedger {
        let ours = &self.one_publisher;
        let over = |theirs: &mut dyn Iterator<Item = f64>| {
            median(ours.iter().zip(theirs).map(|(ours, theirs)| ours.hold_captures_per_s / theirs))
        };
        PostgresLedger {
            processes: crew::PROCESSES,
            callers_of_each: crew::CALLERS,
            one_publisher: LedgerRate::median(&self.one_publisher),
            thousand_publishers: LedgerRate::median(&self.many_publishers),
            one_over_thousand: over(&mut self.many_publishers.iter().map(|found| found.hold_captures_per_s)),
            one_wallet: LedgerRate::median(&self.one_wallet),
            run_dry,
            unbatched: Unbatched::median(&self.unbatched),
            over_unbatched: over(&mut self.unbatched.iter().map(|found| found.per_s)),
            row_locks: Unbatched::median(&self.row_locks),
            over_row_locks: over(&mut self.row_locks.iter().map(|found| found.per_s)),
        }
    }
}

/// Runs of the crew, one after the other on one database.
struct Crews<'u> {
    url: &'u str,
    seconds: u64,
    /// How many runs there have been, the one included that funded the wallets.
    runs: u64,
    captures: u64,
}

impl Crews<'_> {
    fn charge(&mut self, side: &str, wallets: Accounts, payees: Accounts, until: Until) -> Outcome<crew::Found> {
        let shift = Shift { url: self.url.to_owned(), wallets, payees, until, number: self.runs };
        self.runs = self.runs.saturating_add(1);
        let found = crew::charge(&shift, self.seconds)?;
        self.captures = self.captures.saturating_add(found.captures);
        let rate = &found.rate;
        note(&match until {
            Until::Dry | Until::Charges(_) => format!("{side}: {} captured", found.captures),
            Until::Seconds(_) => format!(
                "{side:18}{:>10.0} hold+capture/s   p50 {:.3} ms   p99 {:.3} ms",
                rate.hold_captures_per_s, rate.p50_ms, rate.p99_ms
            ),
        });
        Ok(found)
    }
}

/// Opens the accounts of this part in `database`.
pub(crate) fn open_accounts(cluster: &Cluster, database: &str) -> Outcome<()> {
    let script = include_str!("accounts.sql");
    for (wallets, payees) in [(MANY_WALLETS, MANY_PAYEES), (ONE_WALLET, NOBODY), (DRY_WALLET, NOBODY)] {
        let numbers = [
            ("first_wallet", wallets.first),
            ("wallets", wallets.count),
            ("first_payee", payees.first),
            ("payees", payees.count),
        ];
        cluster.run_script(database, script, &numbers.map(|(name, number)| (name, number.to_string())))?;
    }
    Ok(())
}

const NOBODY: Accounts = Accounts { first: 0, count: 0 };

/// What the books have to say of the accounts, with what `accounts.sql` has written into their rows.
fn statements(ids: &dyn IdSource, now_us: i64) -> Vec<Post> {
    let mut statements = Vec::new();
    for (accounts, kind) in ACCOUNTS {
        let overdraft = if kind.is_limited() { Cell::Int(0) } else { Cell::Null };
        for account in accounts.ids() {
            let code = kind.code(&account.to_string());
            let values = [Cell::Text(&code), Cell::Int(kind.raw().into()), Cell::Int(0), overdraft];
            statements.push(LEDGER_ACCOUNT.state(EntryId::new(ids, now_us), Cell::Int(account.raw()), &values));
        }
    }
    statements
}

/// States the accounts in the books, as the program does when it opens one, and gives every wallet its money, both
/// through the writer.
pub(crate) async fn fund(url: &str) -> Outcome<()> {
    let shared = Arc::new(SharedClock::start());
    let clock: Arc<dyn Clock> = Arc::<SharedClock>::clone(&shared);
    let ids: Arc<dyn IdSource> = Arc::new(SpreadIds::default());
    let options = WriterOptions { clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
    let (ledger, writer) =
        Ledger::start_postgres(url, options, Some(shared)).context(|| "cannot start the writer".to_owned())?;
    let mut unit = UnitOfWork::new();
    for statement in statements(ids.as_ref(), clock.now_us()) {
        unit.post(statement);
    }
    let stated = ledger.save(unit.unaudited("accounts of a bench belong to nobody")).await;
    stated.context(|| "the accounts were not stated".to_owned())?;
    let dry_micro = i64::try_from(DRY_CHARGES).unwrap_or(i64::MAX).saturating_mul(AMOUNT_MICRO);
    for (wallets, micro) in [(MANY_WALLETS, PLENTY_MICRO), (ONE_WALLET, PLENTY_MICRO), (DRY_WALLET, dry_micro)] {
        for wallet in wallets.ids() {
            let leg = Leg { debit: LedgerAccountId::OPENING, credit: wallet, amount: Credits::from_micros(micro) };
            let id = EntryId::new(ids.as_ref(), clock.now_us());
            let kind = TransactionKind::Opening;
            let post = Post { id, kind, legs: vec![leg], reverses: None, effective_us: None, meta: None };
            let answer = ledger.command(Command::Post(post)).await.context(|| "the writer".to_owned())?;
            answer.context(|| format!("wallet {wallet} was not funded"))?;
        }
    }
    // the writer stops when the last handle is gone
    drop(ledger);
    writer.join().map_err(|_panic| Failure::new("the writer's thread panicked"))
}

/// Fails unless the wallet that was emptied has paid exactly what it had, however many asked at the same moment.
fn check_dry(installation: &Installation) -> Outcome<()> {
    let balance = installation.run_json(&["ledger", "trial-balance", "--json"])?;
    let code = format!("liabilities:wallet:{}", DRY_WALLET.first);
    let has_code = |line: &&Value| line.get("code").and_then(Value::as_str) == Some(&code);
    let line = balance.get("accounts").and_then(Value::as_array).into_iter().flatten().find(has_code);
    let amount = |side: &str| line.and_then(|line| line.get(side)).and_then(Value::as_str);
    let funded = i128::from(DRY_CHARGES).saturating_mul(i128::from(AMOUNT_MICRO)).to_string();
    if [amount("debits_micros"), amount("credits_micros")] == [Some(funded.as_str()); 2] {
        return Ok(());
    }
    Err(Failure::new(format!("`{code}` had {funded} micro-credits and no more to spend, but the books have {line:?}")))
}

#[cfg(test)]
mod tests;
