//! How many calls there were and what they came to, without looking at all of them whenever somebody asks.
//!
//! Every server counts behind the calls, in steps, off the way of a paid call: calls by when they came in and how they ended,
//! and from the books what moved, each in ten minutes. What has been counted stands in small tables, and with it up to
//! where, in the same transaction: two servers never count the same twice. Calls are counted when they cannot change any
//! more ([`Services::count_calls`]); those that came in since are looked at when somebody asks, up to a bound, and whoever
//! asks is told until when the answer is complete. The books stay the truth; this is an overview of them.

use self::lag::Lag;
use super::{Services, outbox::unexpected};
use crate::{
    invocation::CallOutcome,
    ledger::{AccountKind, TransactionKind},
    store::{
        NotSaved, StoreError, UnitOfWork,
        counts::{self, BUCKET_US, CallCount, FlowCount},
        periods,
    },
};

mod lag;
mod partners;
mod sales;

/// How many calls, and how many entries of the books, one step counts.
const STEP_MAX: i64 = 20_000;
/// How many calls that have not been counted yet are looked at when somebody asks.
const FRESH_MAX: i64 = 10_000;
/// How long after a tool's deadline its call may still be written down: its settlement is tried for some time. In
/// microseconds.
const SETTLING_US: i64 = 90_000_000;

/// How often counts are read again because somebody counts on.
const TRIES_MAX: u32 = 4;

/// What counting remembers in this process.
#[derive(Debug, Default)]
pub(super) struct Counting(std::sync::Mutex<Lag>);

impl Counting {
    fn with<T>(&self, then: impl FnOnce(&mut Lag) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The name under which it is noted up to when calls have been counted.
const CALLS: &str = "calls";

/// Calls by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls([i64; CallOutcome::ALL.len()]);

impl Calls {
    /// Those that ended like this.
    pub fn of(&self, outcome: CallOutcome) -> i64 {
        self.0.iter().zip(CallOutcome::ALL).find(|(_, (known, ..))| *known == outcome).map_or(0, |(calls, _)| *calls)
    }

    /// All of them.
    pub fn total(&self) -> i64 {
        self.0.iter().fold(0, |sum: i64, calls| sum.saturating_add(*calls))
    }

    fn add(&mut self, count: &CallCount) {
        let place = self.0.iter_mut().zip(CallOutcome::ALL).find(|(_, (_, raw, _))| *raw == count.outcome);
        if let Some((calls, _)) = place {
            *calls = calls.saturating_add(count.calls);
        }
    }
}

/// What calls came to, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Takings {
    /// What callers paid.
    pub charged: i64,
    /// Of that, the publishers' share.
    pub publishers: i64,
    /// Of that, the partners' margin.
    pub partners: i64,
    /// Of that, the platform's share.
    pub platform: i64,
    /// What went back to callers of this or of earlier charges.
    pub refunded: i64,
}

impl Takings {
    fn add(&mut self, flow: &FlowCount) {
        let earns = |raw: i16| match AccountKind::from_raw(raw)? {
            AccountKind::Payable => Some(AccountKind::Payable),
            AccountKind::PartnerMargin => Some(AccountKind::PartnerMargin),
            AccountKind::PlatformFee => Some(AccountKind::PlatformFee),
            _ => None,
        };
        let spends = |raw: i16| AccountKind::from_raw(raw).is_some_and(AccountKind::is_limited);
        match TransactionKind::from_raw(flow.kind) {
            Some(TransactionKind::Charge) => {
                let share = match earns(flow.credited) {
                    Some(AccountKind::Payable) => &mut self.publishers,
                    Some(AccountKind::PartnerMargin) => &mut self.partners,
                    Some(_) => &mut self.platform,
                    None => return,
                };
                *share = share.saturating_add(flow.amount);
                self.charged = self.charged.saturating_add(flow.amount);
            }
            // What a publisher owes because it was paid out is given back by them all the same.
            Some(TransactionKind::Refund | TransactionKind::Reversal)
                if spends(flow.credited)
                    && (earns(flow.debited).is_some()
                        || AccountKind::from_raw(flow.debited) == Some(AccountKind::Receivable)) =>
            {
                self.refunded = self.refunded.saturating_add(flow.amount);
            }
            _ => {}
        }
    }
}

/// Ten minutes of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedCalls {
    /// When they began, in microseconds since the Unix epoch.
    pub from_us: i64,
    /// The calls that came in then.
    pub calls: Calls,
}

/// The calls of a time, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsSince {
    /// By ten minutes, the earliest first; without those in which there were none.
    pub buckets: Vec<CountedCalls>,
    /// Calls that came in before this (in microseconds since the Unix epoch) are all in it.
    pub until_us: i64,
}

impl CallsSince {
    /// The calls from `from_us` on and before `to_us`, both at the beginning of ten minutes.
    pub fn between(&self, from_us: i64, to_us: i64) -> Calls {
        let within = self.buckets.iter().filter(|bucket| (from_us..to_us).contains(&bucket.from_us));
        let mut sum = Calls::default();
        for bucket in within {
            for (calls, more) in sum.0.iter_mut().zip(bucket.calls.0) {
                *calls = calls.saturating_add(more);
            }
        }
        sum
    }
}

/// What the platform kept of a flow, in micro-credits: less than nothing where it gave something back.
pub(super) fn kept(flow: &FlowCount) -> i64 {
    let is_fee = |raw: i16| AccountKind::from_raw(raw) == Some(AccountKind::PlatformFee);
    match TransactionKind::from_raw(flow.kind) {
        Some(TransactionKind::Charge) if is_fee(flow.credited) => flow.amount,
        Some(TransactionKind::Refund | TransactionKind::Reversal) if is_fee(flow.debited) => {
            flow.amount.saturating_neg()
        }
        _ => 0,
    }
}

/// When the ten minutes began that `at_us` is in, both in microseconds since the Unix epoch.
pub fn bucket_of(at_us: i64) -> i64 {
    at_us.saturating_sub(at_us.rem_euclid(BUCKET_US))
}

impl Services {
    /// Counts a step further: calls, and entries of the books. Says whether there is more to count at once. To be called
    /// from time to time by every server; two of them at once do no harm.
    ///
    /// # Errors
    /// The database failed. What was counted stays.
    pub async fn count_further(&self) -> Result<bool, StoreError> {
        let counted = self.count_step().await;
        if counted.is_err() {
            self.counting.with(|lag| lag.failed(self.clock.now_us()));
        }
        counted
    }

    async fn count_step(&self) -> Result<bool, StoreError> {
        let has_more_calls = self.count_calls().await?;
        let has_more_entries = self.count_entries().await?;
        let has_more_partners = self.count_partner_calls().await?;
        let has_more_sales = self.count_sales().await?;
        Ok(has_more_calls || has_more_entries || has_more_partners || has_more_sales)
    }

    /// Calls are counted once they can be in the database and have ended: a free call is written down at its end, so no
    /// sooner than the slowest tool may take. What is still open then is one whose end nobody knows.
    ///
    /// The place that is reached is the one behind the last call that was counted, never one behind nothing: what a server
    /// wrote down late, because the database was away, is still to come there.
    async fn count_calls(&self) -> Result<bool, StoreError> {
        let (readers, now_us) = (self.db.readers(), self.clock.now_us());
        let settled_us = self.settled_us(now_us);
        if self.counting.with(|lag| lag.is_resting(now_us)) {
            return Ok(false);
        }
        let known = counts::reached(readers, CALLS).await?;
        let from_us = match known {
            Some(reached_us) if reached_us > now_us => return self.count_again(reached_us, settled_us).await,
            Some(reached_us) => reached_us,
            None => match counts::first_call_us(readers).await? {
                Some(first_us) => first_us,
                None => return Ok(false),
            },
        };
        if settled_us <= from_us {
            return Ok(false);
        }
        let Some(step) = counts::step(readers, from_us, settled_us, STEP_MAX).await? else {
            // Nobody called: nothing is written either.
            return Ok(false);
        };
        let mut found = counts::calls(readers, from_us, step.until_us).await?;
        for count in &mut found {
            if count.outcome == CallOutcome::Open.raw() {
                count.outcome = CallOutcome::Unknown.raw();
            }
        }
        let backend = self.db.backend();
        let mut unit = UnitOfWork::new();
        unit.push(counts::advance(backend, CALLS, known, step.until_us), Some(1));
        for count in &found {
            unit.push(counts::add_calls(backend, count), Some(1));
        }
        Ok(self.save_counts(unit).await? && step.has_more)
    }

    /// Calls up to `reached_us` were counted, and that is still to come: the clock was ahead and has been set right. What
    /// comes in now stands before that place and would never be counted. So the ten minutes that `settled_us` is in, and all
    /// behind them, are counted anew; calls of the time that is still to come are counted when it has come.
    async fn count_again(&self, reached_us: i64, settled_us: i64) -> Result<bool, StoreError> {
        let (backend, from_us) = (self.db.backend(), bucket_of(settled_us));
        tracing::warn!(reached_us, from_us, "calls were counted that are still to come: they are counted again");
        let mut unit = UnitOfWork::new();
        unit.push(counts::advance(backend, CALLS, Some(reached_us), from_us), Some(1));
        unit.push(counts::empty_calls(backend, from_us), None);
        self.save_counts(unit).await
    }

    /// What stands in the books never changes, so it is counted as soon as it is there.
    async fn count_entries(&self) -> Result<bool, StoreError> {
        let (readers, backend) = (self.db.readers(), self.db.backend());
        let mut has_more = false;
        for head in periods::heads(readers).await? {
            let slot = head.last.slot;
            let name = format!("slot {slot}");
            let known = counts::reached(readers, &name).await?;
            let after = known.unwrap_or(0);
            let until = after.saturating_add(STEP_MAX).min(head.last.seq);
            if until <= after {
                continue;
            }
            let mut unit = UnitOfWork::new();
            unit.push(counts::advance(backend, &name, known, until), Some(1));
            for flow in counts::flows(readers, slot, after, until).await? {
                unit.push(counts::add_flow(backend, &flow), Some(1));
            }
            has_more |= self.save_counts(unit).await? && until < head.last.seq;
        }
        Ok(has_more)
    }

    /// Says whether it was saved: if not, another server has counted the same meanwhile, and goes on counting.
    async fn save_counts(&self, unit: UnitOfWork) -> Result<bool, StoreError> {
        let saved = self.ledger.save(unit.unaudited("counts of what is told and kept elsewhere")).await;
        match saved {
            Ok(_) => Ok(true),
            Err(NotSaved::Conflict { .. }) => Ok(false),
            Err(not_saved) => Err(unexpected("count_head", not_saved)),
        }
    }

    /// Calls that came in before this moment have ended and are in the database, if it is now `now_us`: as long ago as a
    /// call may take from its first to its last row.
    pub(super) fn settled_us(&self, now_us: i64) -> i64 {
        let snapshot = self.snapshot();
        let longest = snapshot.offers().chain(snapshot.core_tools()).map(|offer| offer.tool.upstream.timeout());
        let longest = longest.max().unwrap_or_default();
        let longest_us = i64::try_from(longest.as_micros()).unwrap_or(i64::MAX).saturating_add(SETTLING_US);
        whole_ms(now_us.saturating_sub(self.counting.with(|lag| lag.longest_us(longest_us, now_us))))
    }

    /// What `name` counts has been counted for all calls that came in before this moment, in microseconds since the Unix epoch:
    /// up to the last one that was, or, where none has come behind it, as far as calls cannot change any more.
    async fn complete_until(&self, name: &str) -> Result<i64, StoreError> {
        let (readers, now_us) = (self.db.readers(), self.clock.now_us());
        let reached_us = counts::reached(readers, name).await?.unwrap_or(0).min(now_us);
        let settled_us = self.settled_us(now_us);
        if settled_us <= reached_us || self.counting.with(|lag| lag.is_resting(now_us)) {
            return Ok(reached_us);
        }
        let next = counts::step(readers, reached_us, settled_us, 1).await?;
        Ok(if next.is_some() { reached_us } else { settled_us })
    }

    /// Up to when calls have been counted, in microseconds since the Unix epoch; `None` if none was.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn counted_calls_until(&self) -> Result<Option<i64>, StoreError> {
        counts::reached(self.db.readers(), CALLS).await
    }

    /// The calls that came in from `from_us` (microseconds since the Unix epoch, at the beginning of ten minutes) until
    /// now: what was counted, and the newest as they stand. What is read is bounded, so the answer may end before now.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_calls_since(&self, from_us: i64) -> Result<CallsSince, StoreError> {
        let (readers, now_us) = (self.db.readers(), self.clock.now_us());
        let (reached_us, mut found) = self.counted_until(from_us).await?;
        let fresh_us = match reached_us {
            // As in `count_again`.
            Some(reached_us) if reached_us > now_us => {
                let again_us = bucket_of(self.settled_us(now_us));
                found.retain(|count| count.bucket_us < again_us);
                again_us
            }
            Some(reached_us) => reached_us,
            None => counts::first_call_us(readers).await?.unwrap_or(now_us),
        };
        // One more millisecond: the one that it is now.
        let end_us = whole_ms(now_us).saturating_add(1_000);
        let fresh_from_us = fresh_us.max(from_us);
        let until_us = match counts::step(readers, fresh_from_us, end_us, FRESH_MAX).await? {
            Some(step) if step.has_more => step.until_us,
            _ => end_us,
        };
        if fresh_from_us < until_us {
            found.extend(counts::calls(readers, fresh_from_us, until_us).await?);
        }
        Ok(CallsSince { buckets: buckets_of(&found), until_us: until_us.min(now_us) })
    }

    /// What was counted since `from_us`, and up to when that was. Somebody may count on meanwhile: then it is read again, or
    /// calls would be counted twice or not at all.
    async fn counted_until(&self, from_us: i64) -> Result<(Option<i64>, Vec<CallCount>), StoreError> {
        let readers = self.db.readers();
        let mut reached_us = counts::reached(readers, CALLS).await?;
        let mut tries = 0_u32;
        loop {
            let found = counts::counted_calls(readers, from_us, i64::MAX).await?;
            let now = counts::reached(readers, CALLS).await?;
            tries = tries.saturating_add(1);
            if now == reached_us || tries >= TRIES_MAX {
                return Ok((reached_us, found));
            }
            reached_us = now;
        }
    }

    /// The calls that came in from `from_us` on and before `to_us` (microseconds since the Unix epoch, both at the beginning
    /// of ten minutes), as far as they were counted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_counted_calls(&self, from_us: i64, to_us: i64) -> Result<Calls, StoreError> {
        let mut calls = Calls::default();
        for count in counts::counted_calls(self.db.readers(), from_us, to_us).await? {
            calls.add(&count);
        }
        Ok(calls)
    }

    /// What calls came to between these times (microseconds since the Unix epoch, at the beginning of ten minutes), as far
    /// as it was counted: a few seconds behind the books.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn load_takings(&self, from_us: i64, to_us: i64) -> Result<Takings, StoreError> {
        let mut takings = Takings::default();
        for flow in counts::counted_flows(self.db.readers(), from_us, to_us).await? {
            takings.add(&flow);
        }
        Ok(takings)
    }
}

fn whole_ms(at_us: i64) -> i64 {
    at_us.saturating_sub(at_us.rem_euclid(1_000))
}

fn buckets_of(found: &[CallCount]) -> Vec<CountedCalls> {
    let mut by_time = std::collections::BTreeMap::<i64, Calls>::new();
    for count in found {
        by_time.entry(count.bucket_us).or_default().add(count);
    }
    by_time.into_iter().map(|(from_us, calls)| CountedCalls { from_us, calls }).collect()
}

#[cfg(test)]
mod tests;
