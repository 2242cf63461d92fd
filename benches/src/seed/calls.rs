//! Calls, a wave at a time, through `Services::invoke`.

use std::{sync::Arc, time::Instant};

use engine::{
    id::{EntryId, InvocationId, uuid_v7},
    invocation::Surface,
    service::{
        Services,
        invoke::{Answer, AnswerTemplate, AnswerWriter, Call, Completion, Told},
    },
    upstream::{Upstream, UpstreamAnswer, UpstreamRequest},
};
use tokio::task::JoinSet;

use super::{
    HandClock, Tally,
    deeds::Deeds,
    draw::{Draw, Draws, Ending, Who},
    world::World,
};
use crate::failure::{Context as _, Failure, Outcome};

/// How long a hold of unknown outcome is kept, in microseconds: a day, as the program has it.
const UNKNOWN_US: i64 = 86_400 * 1_000_000;

/// Waves between two ticks, at which old keys are forgotten: some hours.
const TICK_WAVES: u64 = 16;

/// Answers as the arguments say.
#[derive(Debug)]
struct Upstreams;

impl Upstream for Upstreams {
    async fn call(&self, request: UpstreamRequest) -> UpstreamAnswer {
        let is = |ending: &str| request.arguments.contains(ending);
        if is("\"failed\"") {
            UpstreamAnswer::Failed { detail: "seeded".to_owned(), message: None }
        } else if is("\"rejected\"") {
            UpstreamAnswer::Rejected { status: 422, message: Some("seeded".to_owned()) }
        } else if is("\"lost\"") {
            UpstreamAnswer::Unknown { detail: "seeded".to_owned() }
        } else {
            UpstreamAnswer::Completed { result: Some("{\"ok\":true}".to_owned()), meta: None }
        }
    }
}

#[derive(Debug)]
struct Answers;

impl AnswerWriter for Answers {
    fn template(&self, completion: &Completion) -> AnswerTemplate {
        let status = match completion {
            Completion::Result(_) => 200,
            Completion::Rejected(status, _) | Completion::Forbidden(status, _) => *status,
            Completion::Failed(_) => 502,
        };
        let fill =
            |told: &Told| -> Arc<str> { format!("{{\"id\":\"{}\",\"charged\":\"{}\"}}", told.id, told.charged).into() };
        AnswerTemplate { status, fill: Box::new(fill) }
    }
}

/// A database that is being filled.
pub(super) struct Seeding {
    services: Arc<Services>,
    world: World,
    draws: Draws,
    upstream: Arc<Upstreams>,
    writer: Arc<dyn AnswerWriter>,
    tally: Arc<Tally>,
    deeds: Deeds,
    begin: Instant,
}

impl Seeding {
    pub(super) fn new(services: Arc<Services>, world: World, draws: Draws) -> Self {
        Self {
            services,
            world,
            draws,
            upstream: Arc::new(Upstreams),
            writer: Arc::new(Answers),
            tally: Arc::default(),
            deeds: Deeds::default(),
            begin: Instant::now(),
        }
    }

    /// Since the first call, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    /// How many calls ended how.
    pub(super) fn told(&self) -> String {
        self.tally.told()
    }

    /// Carries out `count` calls from number `first` on, which come in evenly between two times.
    pub(super) async fn wave(
        &mut self,
        clock: &Arc<HandClock>,
        first: u64,
        count: u64,
        (from_us, until_us): (i64, i64),
    ) -> Outcome<()> {
        let between_us = until_us.saturating_sub(from_us).checked_div(i64::try_from(count.max(1)).unwrap_or(1));
        let mut at_us = from_us;
        let mut running = JoinSet::new();
        for number in first..first.saturating_add(count) {
            let draw = self.draws.call(number);
            let call = self.call(&draw, number, at_us)?;
            let (services, upstream) = (Arc::clone(&self.services), Arc::clone(&self.upstream));
            let (writer, clock, tally) = (Arc::clone(&self.writer), Arc::clone(clock), Arc::clone(&self.tally));
            running.spawn(async move {
                clock.reach(at_us);
                let answered = services.invoke(&upstream, writer, call).await;
                let answered = answered.context(|| "a call".to_owned())?;
                tally.add(told(&answered.answer)?);
                let is_charged = answered.charged > engine::credits::Credits::ZERO;
                Ok::<_, Failure>((draw.is_refunded && is_charged).then(|| EntryId::from(answered.id)))
            });
            at_us = at_us.saturating_add(between_us.unwrap_or(0));
        }
        while let Some(ended) = running.join_next().await {
            let refunded = ended.context(|| "a call's task".to_owned())??;
            self.deeds.refund.extend(refunded);
        }
        Ok(())
    }

    /// What people do beside the calls, in wave `wave` of `waves`.
    pub(super) async fn deeds(&mut self, (wave, waves): (u64, u64)) -> Outcome<()> {
        self.deeds.carry_out(&self.services, &self.world, (wave, waves)).await?;
        if wave % TICK_WAVES == 0 {
            self.services.ledger.tick().await.context(|| "the writer".to_owned())?;
        }
        Ok(())
    }

    /// What is done at the end.
    pub(super) async fn finish(&mut self) -> Outcome<()> {
        self.services.ledger.tick().await.context(|| "the writer".to_owned())?;
        self.deeds.finish(&self.services).await
    }

    fn call(&self, draw: &Draw, number: u64, at_us: i64) -> Outcome<Call> {
        let missing = || Failure::new("a draw beyond the last");
        let (principal, end_user) = match draw.who {
            Who::Account(place) => (self.world.accounts.get(place).ok_or_else(missing)?, None),
            Who::EndUser(place) => {
                let (partner, user) = self.world.end_users.get(place).ok_or_else(missing)?;
                (partner, Some(Arc::clone(user)))
            }
        };
        let ending = match draw.ending {
            Ending::Completed => "completed",
            Ending::Failed => "failed",
            Ending::Rejected => "rejected",
            Ending::Lost => "lost",
        };
        let text = if draw.is_malformed { "7".to_owned() } else { format!("\"call {number}\"") };
        Ok(Call {
            id: InvocationId::from(uuid_v7(at_us, self.draws.name(number))),
            surface: Surface::Marketplace,
            principal: Some(Arc::clone(principal)),
            end_user,
            gateway: None,
            offer: Arc::clone(self.world.tools.get(draw.tool).ok_or_else(missing)?),
            snapshot: Arc::clone(&self.world.snapshot),
            arguments: format!("{{\"text\":{text},\"ending\":\"{ending}\"}}").into(),
            key: draw.is_keyed.then(|| format!("call {number}").into()),
            unknown_resolves_after_us: UNKNOWN_US,
        })
    }
}

/// How a call ended, for the count of all. What a seed cannot bring about is an error.
fn told(answer: &Answer) -> Outcome<&'static str> {
    Ok(match answer {
        Answer::Complete { status: 200, .. } => "completed",
        Answer::Complete { .. } => "failed",
        Answer::OutcomeUnknown => "unknown",
        Answer::Denied { .. } => "denied",
        Answer::InvalidArguments(_) | Answer::Unpriceable(_) => "invalid",
        Answer::Refused { .. } => "refused",
        other => return Err(Failure::new(format!("a call ended as {other:?}"))),
    })
}
