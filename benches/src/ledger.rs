//! The ledger alone: holds and captures through the writer's public interface, every one durable before it returns,
//! all of them crediting the same two accounts.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use engine::{
    clock::{Clock, SystemClock},
    credits::Credits,
    id::{EntryId, IdSource, uuid_v7},
    ledger::{CaptureAmount, LedgerAccountId, OnExpiry, PlaceHold, Settle, SettleAction, batch::Done},
    policy::{Policies, PolicySources},
    pricing::ShareTerms,
    service::{Services, access::Owner},
    store::{Database, Ledger, writer::Command, writer::WriterOptions},
};
use hdrhistogram::Histogram;
use uuid::Uuid;

use crate::{
    books::Split,
    driver::{Extent, count_f64, scatter},
    failure::{Context as _, Failure, Outcome},
    nginx,
    report::{LedgerAlone, Sqlite, rounded},
    rounds::Pace,
    tollgate::{self, Installation, Tollgate},
    verify,
    workspace::RunFolder,
};

/// Callers, each with one hold or capture in flight.
const CALLERS: usize = 256;

/// What every hold reserves and every capture charges, in micro-credits.
const AMOUNT_MICRO: i64 = 250_000;

/// Who gets how much of it: without a partner there are two accounts to credit.
const SPLIT: Split = Split { publisher: 200_000, partner: 0, platform: 50_000 };

/// Driven before the measured time.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long a hold lives, in microseconds: longer than the run.
const HOLD_TTL_US: i64 = 3_600_000_000;

/// Has Tollgate make the accounts, then drives the writer on its database without it, and checks the books.
pub(crate) fn measure(folder: &RunFolder, program: &Path, pace: Pace, sqlite: &mut Sqlite) -> Outcome<()> {
    // nothing is called here, so nobody has to listen
    let upstream = nginx::free_address()?;
    let tollgate = Tollgate::start(program, &folder.subfolder("ledger")?, upstream)?;
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

/// What the callers share.
struct Shared {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    wallets: Vec<LedgerAccountId>,
    payee: LedgerAccountId,
    shares: ShareTerms,
    next: AtomicU64,
    begin: Instant,
    end: Instant,
}

/// What one caller saw.
struct Seen {
    latencies_ns: Histogram<u64>,
    captures: u64,
    measured: u64,
}

async fn drive(installation: &Installation, pace: Pace) -> Outcome<Found> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let ids: Arc<dyn IdSource> = Arc::new(SpreadIds::default());
    let options = WriterOptions { clock: Arc::clone(&clock), ids: Arc::clone(&ids) };
    let (ledger, writer) =
        Ledger::start(&installation.database_path(), options).context(|| "cannot start the writer".to_owned())?;
    let (wallets, payee) = load_accounts(installation, &ledger, &clock, &ids).await?;
    let begin = Instant::now() + WARM_UP;
    let shared = Arc::new(Shared {
        ledger: ledger.clone(),
        clock,
        ids,
        wallets,
        payee,
        shares: ShareTerms::new(8_000, 0).context(|| "shares".to_owned())?,
        next: AtomicU64::new(0),
        begin,
        end: begin + Duration::from_secs(pace.seconds),
    });
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move { keep_charging(&shared).await })
        })
        .collect();
    let mut latencies_ns = new_histogram()?;
    let (mut captures, mut measured) = (0_u64, 0_u64);
    for caller in callers {
        let seen = caller.await.context(|| "a caller's task failed".to_owned())??;
        latencies_ns.add(&seen.latencies_ns).context(|| "histogram".to_owned())?;
        captures = captures.saturating_add(seen.captures);
        measured = measured.saturating_add(seen.measured);
    }
    let counters = ledger.counters();
    let batches = count_f64(counters.batches.load(Ordering::Relaxed));
    let figures = LedgerAlone {
        callers: CALLERS,
        hold_captures_per_s: rounded(count_f64(measured) / count_f64(pace.seconds)),
        p50_ms: rounded(count_f64(latencies_ns.value_at_quantile(0.50)) / 1e6),
        p99_ms: rounded(count_f64(latencies_ns.value_at_quantile(0.99)) / 1e6),
        requests_per_batch: rounded(count_f64(counters.requests.load(Ordering::Relaxed)) / batches.max(1.0)),
    };
    // the writer stops when the last handle is gone
    drop((shared, ledger));
    writer.join().map_err(|_panic| Failure::new("the writer's thread panicked"))?;
    Ok(Found { figures, captures })
}

async fn keep_charging(shared: &Shared) -> Outcome<Seen> {
    let mut seen = Seen { latencies_ns: new_histogram()?, captures: 0, measured: 0 };
    let mut asked = Instant::now();
    while asked < shared.end {
        charge(shared).await?;
        let answered = Instant::now();
        seen.captures = seen.captures.saturating_add(1);
        if answered >= shared.begin && answered <= shared.end {
            seen.measured = seen.measured.saturating_add(1);
            let latency_ns = u64::try_from(answered.duration_since(asked).as_nanos()).unwrap_or(u64::MAX);
            seen.latencies_ns.saturating_record(latency_ns);
        }
        asked = answered;
    }
    Ok(seen)
}

/// One hold and its capture, each durable when it returns.
async fn charge(shared: &Shared) -> Outcome<()> {
    let number = scatter(shared.next.fetch_add(1, Ordering::Relaxed));
    let wallets = u64::try_from(shared.wallets.len()).unwrap_or(u64::MAX).max(1);
    let wallet = usize::try_from(number % wallets).ok().and_then(|index| shared.wallets.get(index)).copied();
    let wallet = wallet.ok_or_else(|| Failure::new("there are no wallets"))?;
    let id = EntryId::new(shared.ids.as_ref(), shared.clock.now_us());
    let hold = PlaceHold {
        id,
        wallet,
        payee: shared.payee,
        amount: Credits::from_micros(AMOUNT_MICRO),
        ttl_us: HOLD_TTL_US,
        shares: shared.shares,
        partner: None,
        on_expiry: OnExpiry::Release,
        caps: Vec::new(),
        meta: None,
    };
    let capture = Settle {
        id,
        hold: id,
        action: SettleAction::Capture(CaptureAmount::All),
        wallet: Some(wallet),
        payee: Some(shared.payee),
        meta: None,
    };
    expect(shared, Command::Hold(hold), |done| done == Done::Held).await?;
    expect(shared, Command::Settle(capture), |done| matches!(done, Done::Settled { .. })).await
}

async fn expect(shared: &Shared, command: Command, is_wanted: fn(Done) -> bool) -> Outcome<()> {
    let answer = shared.ledger.command(command).await.context(|| "the writer".to_owned())?;
    match answer {
        Ok(done) if is_wanted(done) => Ok(()),
        Ok(done) => Err(Failure::new(format!("the ledger answered {done:?}"))),
        Err(refusal) => Err(Failure::new(format!("the ledger refused: {refusal}"))),
    }
}

/// The wallets of the measured catalog's partners, and the publisher's account.
async fn load_accounts(
    installation: &Installation,
    ledger: &Ledger,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdSource>,
) -> Outcome<(Vec<LedgerAccountId>, LedgerAccountId)> {
    let db = Database::open(&installation.database_url()).await.context(|| "cannot open the database".to_owned())?;
    let policies = Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE })
        .context(|| "policies".to_owned())?;
    let services = Services::start(db, ledger.clone(), Arc::clone(clock), Arc::clone(ids), policies)
        .await
        .context(|| "cannot read the database".to_owned())?;
    let offer = services.snapshot().find_offer("bench", "echo").map(|offer| offer.payable);
    let payee = offer.ok_or_else(|| Failure::new("the catalog has no `bench/echo`"))?;
    let mut wallets = Vec::new();
    // who calls is known from the plan; where it would go does not matter
    for caller in tollgate::plan(nginx::free_address()?, 1, Extent::EachCallerOnce).callers {
        let principal = services.find_principal(&caller.token).await.context(|| "tokens".to_owned())?;
        let principal = principal.ok_or_else(|| Failure::new("a declared token is unknown"))?;
        match &principal.owner {
            Owner::Partner(partner) => wallets.push(partner.wallet),
            Owner::Account(account) => wallets.push(account.wallet),
        }
    }
    Ok((wallets, payee))
}

fn new_histogram() -> Outcome<Histogram<u64>> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).context(|| "histogram".to_owned())
}

/// Identifiers without a pattern: unique within a run, which is all that a fresh database needs.
#[derive(Debug, Default)]
struct SpreadIds(AtomicU64);

impl IdSource for SpreadIds {
    fn next_uuid(&self, now_us: i64) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let bytes = scatter(number).to_le_bytes().into_iter().chain(scatter(!number).to_le_bytes());
        let mut random = [0; 10];
        for (place, byte) in random.iter_mut().zip(bytes) {
            *place = byte;
        }
        uuid_v7(now_us, random)
    }
}
