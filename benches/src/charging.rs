//! Holds and captures through the writer's public interface, every one durable before it returns, from many callers at
//! once in one process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use engine::{
    clock::Clock,
    credits::Credits,
    id::{EntryId, IdSource, uuid_v7},
    ledger::{CaptureAmount, LedgerAccountId, OnExpiry, PlaceHold, Refusal, Settle, SettleAction, batch::Done},
    pricing::ShareTerms,
    store::{Ledger, writer::Command},
};
use hdrhistogram::Histogram;
use uuid::Uuid;

use crate::{
    books::Split,
    driver::scatter,
    failure::{Context as _, Failure, Outcome},
};

/// What every hold reserves and every capture charges, in micro-credits.
pub(crate) const AMOUNT_MICRO: i64 = 250_000;

/// Who gets how much of it: without a partner there are two accounts to credit.
pub(crate) const SPLIT: Split = Split { publisher: 200_000, partner: 0, platform: 50_000 };

/// The publisher's part of it, in hundredths of a percent.
const PUBLISHER_BPS: u16 = 8_000;

/// Driven before the measured time.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long a hold lives, in microseconds: longer than the run.
const HOLD_TTL_US: i64 = 3_600_000_000;

/// When the callers are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Until {
    /// A warm-up and so many measured seconds are over. A refusal ends the run.
    Seconds(u64),
    /// The wallets can pay no more. All is measured.
    Dry,
    /// So many charges are made. All are measured; a refusal ends the run.
    Charges(u64),
}

/// What the callers share.
pub(crate) struct Charging {
    /// The way to the writer.
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    /// Who pays, drawn evenly.
    pub(crate) wallets: Vec<LedgerAccountId>,
    /// Who is paid, drawn evenly.
    pub(crate) payees: Vec<LedgerAccountId>,
    /// The first of the numbers that are drawn by; processes that charge together have ranges of their own.
    pub(crate) first: u64,
}

/// What they saw.
#[derive(Debug)]
pub(crate) struct Charged {
    /// Of pairs of a hold and its capture, within the measured time.
    pub(crate) latencies_ns: Histogram<u64>,
    /// All captures, the warm-up included.
    pub(crate) captures: u64,
    /// Those within the measured time.
    pub(crate) measured: u64,
}

/// One caller's way through a run.
struct Round {
    charging: Charging,
    shares: ShareTerms,
    next: AtomicU64,
    begin: Instant,
    end: Option<Instant>,
    /// How many charges may still begin, where they are counted.
    rest: Option<AtomicU64>,
    stops_when_dry: bool,
}

/// Has `callers` charge, each with one hold or capture in flight.
pub(crate) async fn charge_from_all(charging: Charging, callers: usize, until: Until) -> Outcome<Charged> {
    let now = Instant::now();
    let (begin, end) = match until {
        Until::Dry | Until::Charges(_) => (now, None),
        Until::Seconds(seconds) => (now + WARM_UP, Some(now + WARM_UP + Duration::from_secs(seconds))),
    };
    let shares = ShareTerms::new(PUBLISHER_BPS, 0).context(|| "shares".to_owned())?;
    let next = AtomicU64::new(charging.first);
    let rest = match until {
        Until::Charges(charges) => Some(AtomicU64::new(charges)),
        Until::Seconds(_) | Until::Dry => None,
    };
    let round = Arc::new(Round { charging, shares, next, begin, end, rest, stops_when_dry: until == Until::Dry });
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let round = Arc::clone(&round);
            tokio::spawn(async move { round.keep_charging().await })
        })
        .collect();
    let mut all = Charged::nothing()?;
    for task in tasks {
        let seen = task.await.context(|| "a caller's task failed".to_owned())??;
        all.latencies_ns.add(&seen.latencies_ns).context(|| "histogram".to_owned())?;
        all.captures = all.captures.saturating_add(seen.captures);
        all.measured = all.measured.saturating_add(seen.measured);
    }
    Ok(all)
}

impl Charged {
    /// Of nobody yet.
    pub(crate) fn nothing() -> Outcome<Self> {
        let latencies_ns = Histogram::new_with_bounds(1, 60_000_000_000, 3).context(|| "histogram".to_owned())?;
        Ok(Self { latencies_ns, captures: 0, measured: 0 })
    }

    fn record(&mut self, latency: Duration) {
        self.measured = self.measured.saturating_add(1);
        self.latencies_ns.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }
}

impl Round {
    async fn keep_charging(&self) -> Outcome<Charged> {
        let mut seen = Charged::nothing()?;
        let mut asked = Instant::now();
        while self.end.is_none_or(|end| asked < end) && self.takes_one() {
            match self.charge().await? {
                Ok(()) => {}
                Err(Refusal::Insufficient { .. }) if self.stops_when_dry => break,
                Err(refusal) => return Err(Failure::new(format!("the ledger refused: {refusal}"))),
            }
            let answered = Instant::now();
            seen.captures = seen.captures.saturating_add(1);
            if answered >= self.begin && self.end.is_none_or(|end| answered <= end) {
                seen.record(answered.duration_since(asked));
            }
            asked = answered;
        }
        Ok(seen)
    }

    /// Whether another charge may begin; it is counted.
    fn takes_one(&self) -> bool {
        let less = |rest: &AtomicU64| rest.try_update(Ordering::Relaxed, Ordering::Relaxed, |rest| rest.checked_sub(1));
        self.rest.as_ref().is_none_or(|rest| less(rest).is_ok())
    }

    /// One hold and its capture, each durable when it returns.
    async fn charge(&self) -> Outcome<Result<(), Refusal>> {
        let Charging { clock, ids, wallets, payees, .. } = &self.charging;
        let number = scatter(self.next.fetch_add(1, Ordering::Relaxed));
        let wallet = draw(wallets, number)?;
        // the other half of the digits: who pays says nothing about who is paid
        let payee = draw(payees, number >> 32)?;
        let id = EntryId::new(ids.as_ref(), clock.now_us());
        let hold = PlaceHold {
            id,
            wallet,
            payee,
            amount: Credits::from_micros(AMOUNT_MICRO),
            ttl_us: HOLD_TTL_US,
            shares: self.shares,
            partner: None,
            on_expiry: OnExpiry::Release,
            caps: Vec::new(),
            meta: None,
        };
        let action = SettleAction::Capture(CaptureAmount::All);
        let capture = Settle { id, hold: id, action, wallet: Some(wallet), payee: Some(payee), meta: None };
        if let Err(refusal) = self.ask(Command::Hold(hold), |done| done == Done::Held).await? {
            return Ok(Err(refusal));
        }
        self.ask(Command::Settle(capture), |done| matches!(done, Done::Settled { .. })).await
    }

    async fn ask(&self, command: Command, is_wanted: fn(Done) -> bool) -> Outcome<Result<(), Refusal>> {
        let answer = self.charging.ledger.command(command).await.context(|| "the writer".to_owned())?;
        match answer {
            Ok(done) if is_wanted(done) => Ok(Ok(())),
            Ok(done) => Err(Failure::new(format!("the ledger answered {done:?}"))),
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}

/// One of `accounts`, each equally often.
fn draw(accounts: &[LedgerAccountId], number: u64) -> Outcome<LedgerAccountId> {
    let count = u64::try_from(accounts.len()).unwrap_or(u64::MAX).max(1);
    let chosen = usize::try_from(number % count).ok().and_then(|index| accounts.get(index));
    chosen.copied().ok_or_else(|| Failure::new("there are no accounts to charge"))
}

/// Identifiers without a pattern: unique within a run, which is all that a fresh database needs.
#[derive(Debug, Default)]
pub(crate) struct SpreadIds(AtomicU64);

impl SpreadIds {
    /// Counts from `first`: processes that write to the same books begin far apart.
    pub(crate) fn starting_at(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

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

#[cfg(test)]
mod tests;
