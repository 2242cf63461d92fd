//! What a charge costs as the books grow: the ledger alone, on books that stay small and on books that are made large,
//! in turn.

use std::{path::Path, sync::Arc, thread::JoinHandle};

use engine::{
    clock::{Clock, SharedClock, SystemClock},
    id::IdSource,
    ledger::LedgerAccountId,
    store::{Ledger, writer::WriterOptions},
};

use crate::{
    charging::{Charging, SPLIT, SpreadIds, Until, charge_from_all},
    driver::count_f64,
    failure::{Context as _, Failure, Outcome},
    ledger, nginx, note,
    postgres::{
        cluster::Cluster,
        ledger::{MANY_WALLETS, ONE_PAYEE, fund, open_accounts},
    },
    report::{Grown, Growth, median, rounded},
    rounds::Pace,
    tollgate::{Installation, Site, Tollgate},
    verify,
    workspace::RunFolder,
};

/// Transactions in the books that stay small, before they are measured.
const SMALL: u64 = 50_000;

/// Callers, each with one hold or capture in flight.
const CALLERS: usize = 256;

/// On SQLite, and on PostgreSQL where its server is installed, with `transactions` in the large books.
pub(crate) fn measure(folder: &RunFolder, program: &Path, pace: Pace, transactions: u64) -> Outcome<Growth> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let site = |name: &str| -> Outcome<Site> { Ok(Site::with_sqlite(folder.subfolder(name)?)) };
    let small = runtime.block_on(Shop::on_sqlite(program, &site("small")?))?;
    let large = runtime.block_on(Shop::on_sqlite(program, &site("large")?))?;
    let sqlite = compare(&runtime, small, large, pace, transactions)?;
    let postgres = match Cluster::start(folder, "growth")? {
        None => None,
        Some(cluster) => {
            let shop = |name: &str| Shop::on_postgres(&runtime, folder, program, &cluster, name);
            let found = shop("small").and_then(|small| compare(&runtime, small, shop("large")?, pace, transactions));
            let found = found.map_err(|failure| cluster.explain(&failure))?;
            cluster.stop()?;
            Some(found)
        }
    };
    Ok(Growth { small_transactions: SMALL, large_transactions: transactions, sqlite, postgres })
}

/// Makes both books as large as they are to be, then lets them take turns.
fn compare(
    runtime: &tokio::runtime::Runtime,
    mut small: Shop,
    mut large: Shop,
    pace: Pace,
    transactions: u64,
) -> Outcome<Grown> {
    runtime.block_on(small.charge(Until::Charges(SMALL)))?;
    let before = std::time::Instant::now();
    runtime.block_on(large.charge(Until::Charges(transactions)))?;
    note(&format!("{transactions} transactions made in {:.0} s", before.elapsed().as_secs_f64()));
    let (mut small_per_s, mut large_per_s) = (Vec::new(), Vec::new());
    for _ in 0..pace.rounds {
        for (shop, name, found) in [(&mut small, "small", &mut small_per_s), (&mut large, "large", &mut large_per_s)] {
            let charges = runtime.block_on(shop.charge(Until::Seconds(pace.seconds)))?;
            let per_s = count_f64(charges) / count_f64(pace.seconds);
            note(&format!("{name:6}{per_s:>10.0} hold+capture/s"));
            found.push(per_s);
        }
    }
    let ratio = median(small_per_s.iter().zip(&large_per_s).map(|(small, large)| large / small));
    let (small_per_s, large_per_s) = (median(small_per_s), median(large_per_s));
    small.close()?;
    large.close()?;
    Ok(Grown { small_per_s: rounded(small_per_s), large_per_s: rounded(large_per_s), large_over_small: ratio })
}

/// Books that are written to for some time.
struct Shop {
    installation: Installation,
    ledger: Ledger,
    writer: JoinHandle<()>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    wallets: Vec<LedgerAccountId>,
    payees: Vec<LedgerAccountId>,
    /// All that were made.
    captures: u64,
}

impl Shop {
    async fn on_sqlite(program: &Path, site: &Site) -> Outcome<Self> {
        // nothing is called here, so nobody has to listen
        let tollgate = Tollgate::start(program, site, nginx::free_address()?)?;
        tollgate.check_durable()?;
        let installation = tollgate.stop()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let ids: Arc<dyn IdSource> = Arc::new(SpreadIds::default());
        let options = WriterOptions { clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
        let (ledger, writer) =
            Ledger::start(&installation.database_path(), options).context(|| "cannot start the writer".to_owned())?;
        let (wallets, payee) = ledger::load_accounts(&installation, &ledger, &clock, &ids).await?;
        Ok(Self { installation, ledger, writer, clock, ids, wallets, payees: vec![payee], captures: 0 })
    }

    fn on_postgres(
        runtime: &tokio::runtime::Runtime,
        folder: &RunFolder,
        program: &Path,
        cluster: &Cluster,
        name: &str,
    ) -> Outcome<Self> {
        let url = cluster.create_database(name)?;
        let site = Site::with_database(folder.subfolder(&format!("{name}-postgres"))?, url);
        let tollgate = Tollgate::start_plain(program, &site)?;
        tollgate.check_durable()?;
        let installation = tollgate.stop()?;
        open_accounts(cluster, name)?;
        runtime.block_on(fund(installation.database_url()))?;
        let shared = Arc::new(SharedClock::start());
        let clock: Arc<dyn Clock> = Arc::<SharedClock>::clone(&shared);
        // far from the names that the funding gave
        let ids: Arc<dyn IdSource> = Arc::new(SpreadIds::starting_at(1 << 48));
        let options = WriterOptions { clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
        let (ledger, writer) = Ledger::start_postgres(installation.database_url(), options, Some(shared))
            .context(|| "cannot start the writer".to_owned())?;
        let (wallets, payees) = (MANY_WALLETS.ids(), ONE_PAYEE.ids());
        Ok(Self { installation, ledger, writer, clock, ids, wallets, payees, captures: 0 })
    }

    /// Returns how many charges were measured.
    async fn charge(&mut self, until: Until) -> Outcome<u64> {
        let charging = Charging {
            ledger: self.ledger.clone(),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            wallets: self.wallets.clone(),
            payees: self.payees.clone(),
            first: self.captures,
        };
        let charged = charge_from_all(charging, CALLERS, until).await?;
        self.captures = self.captures.saturating_add(charged.captures);
        Ok(charged.measured)
    }

    /// Stops the writer and checks the books.
    fn close(self) -> Outcome<()> {
        // the writer stops when the last handle is gone
        drop(self.ledger);
        self.writer.join().map_err(|_panic| Failure::new("the writer's thread panicked"))?;
        verify::check_sound(&self.installation)?;
        self.installation.check_books(SPLIT, self.captures, self.captures).map(drop)
    }
}
