//! The ledger alone: holds and captures through the writer's public interface, every one durable before it returns,
//! all of them crediting the same two accounts.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use engine::{
    clock::{Clock, SystemClock},
    id::IdSource,
    ledger::LedgerAccountId,
    policy::{Policies, PolicySources},
    service::{Services, access::Owner},
    store::{Database, Ledger, writer::WriterOptions},
};

use crate::{
    charging::{Charging, SPLIT, SpreadIds, Until, charge_from_all},
    driver::{Extent, count_f64},
    failure::{Context as _, Failure, Outcome},
    nginx,
    report::{LedgerAlone, Sqlite, rounded},
    rounds::Pace,
    tollgate::{self, Installation, Site, Tollgate},
    verify,
    workspace::RunFolder,
};

/// Callers, each with one hold or capture in flight.
const CALLERS: usize = 256;

/// Has Tollgate make the accounts, then drives the writer on its database without it, and checks the books.
pub(crate) fn measure(folder: &RunFolder, program: &Path, pace: Pace, sqlite: &mut Sqlite) -> Outcome<()> {
    // nothing is called here, so nobody has to listen
    let upstream = nginx::free_address()?;
    let tollgate = Tollgate::start(program, &Site::with_sqlite(folder.subfolder("ledger")?), upstream)?;
    let settings = tollgate.check_durable()?;
    let installation = tollgate.stop()?;
    sqlite.settings.get_or_insert(settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(drive(&installation, pace))?;
    sqlite.ledger = Some(found.figures);
    let verified = verify::check_sound(&installation)?;
    sqlite.verify.get_or_insert(verified);
    installation.check_books(SPLIT, found.captures, found.captures).map(drop)
}

struct Found {
    figures: LedgerAlone,
    /// All captures, the warm-up included.
    captures: u64,
}

async fn drive(installation: &Installation, pace: Pace) -> Outcome<Found> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let ids: Arc<dyn IdSource> = Arc::new(SpreadIds::default());
    let options = WriterOptions { clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
    let (ledger, writer) =
        Ledger::start(&installation.database_path(), options).context(|| "cannot start the writer".to_owned())?;
    let (wallets, payee) = load_accounts(installation, &ledger, &clock, &ids).await?;
    let charging = Charging { ledger: ledger.clone(), clock, ids, wallets, payees: vec![payee], first: 0 };
    let charged = charge_from_all(charging, CALLERS, Until::Seconds(pace.seconds)).await?;
    let counters = ledger.counters();
    let batches = count_f64(counters.batches.load(Ordering::Relaxed));
    let figures = LedgerAlone {
        callers: CALLERS,
        hold_captures_per_s: rounded(count_f64(charged.measured) / count_f64(pace.seconds)),
        p50_ms: rounded(count_f64(charged.latencies_ns.value_at_quantile(0.50)) / 1e6),
        p99_ms: rounded(count_f64(charged.latencies_ns.value_at_quantile(0.99)) / 1e6),
        requests_per_batch: rounded(count_f64(counters.requests.load(Ordering::Relaxed)) / batches.max(1.0)),
    };
    // the writer stops when the last handle is gone
    drop(ledger);
    writer.join().map_err(|_panic| Failure::new("the writer's thread panicked"))?;
    Ok(Found { figures, captures: charged.captures })
}

/// The wallets of the measured catalog's partners, and the publisher's account.
pub(crate) async fn load_accounts(
    installation: &Installation,
    ledger: &Ledger,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdSource>,
) -> Outcome<(Vec<LedgerAccountId>, LedgerAccountId)> {
    let db = Database::open(installation.database_url()).await.context(|| "cannot open the database".to_owned())?;
    let policies = Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE })
        .context(|| "policies".to_owned())?;
    let services = Services::start(db, ledger.clone(), Arc::clone(clock), Arc::clone(ids), policies)
        .await
        .context(|| "cannot read the database".to_owned())?;
    let offer = services.snapshot().find_offer("bench", "echo").map(|offer| offer.payable);
    let payee = offer.ok_or_else(|| Failure::new("the catalog has no `bench/echo`"))?;
    let mut wallets = Vec::new();
    // who calls is known from the plan; where it would go does not matter
    for caller in tollgate::plan(vec![nginx::free_address()?], 1, Extent::EachCallerOnce).callers {
        let principal = services.find_principal(&caller.token).await.context(|| "tokens".to_owned())?;
        let principal = principal.ok_or_else(|| Failure::new("a declared token is unknown"))?;
        match &principal.owner {
            Owner::Partner(partner) => wallets.push(partner.wallet),
            Owner::Account(account) => wallets.push(account.wallet),
        }
    }
    Ok((wallets, payee))
}
