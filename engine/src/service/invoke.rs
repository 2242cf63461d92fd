//! A call, from decision to settlement:
//! decide → validate → quote → *hold* → upstream → *settle* → answer. The two steps in italics are durable before
//! anybody is told.
//!
//! From the hold on the call runs in a task of its own: a caller that hangs up does not cancel it.

use std::sync::Arc;

use super::{
    Services,
    access::{EndUser, OwnedCap, Owner, PartnerPrincipal, Principal},
    partners::Funding,
};
use crate::{
    catalog::ArgumentFault,
    code::Code,
    credits::Credits,
    id::{EntryId, InvocationId},
    invocation::{CallEnd, CallParties, CallRecord, CallState, Surface},
    ledger::{
        LedgerAccountId, OnExpiry, PlaceHold, Refusal,
        batch::{Begin, Begun},
        caps::CapUse,
        key::{KeyClaim, KeyName, KeyVerdict},
    },
    limits::EXPLANATION_BYTES_MAX,
    policy::{self, Explanation},
    pricing::{ChargeOn, Price, Quote, QuoteRefusal, ShareTerms, cost_of_failed_attempt, units_text},
    snapshot::{Offer, Snapshot},
    store::{StoreError, WriterError},
    upstream::Upstream,
};

mod decision;
mod dispatch;
mod gateway;
mod keys;
mod prepared;
mod undispatched;

pub(super) use self::decision::{Asked, request_for};
pub use self::gateway::GatewayCall;
use self::{
    keys::{fingerprint, key_scope},
    prepared::{Prepared, prepare},
    undispatched::Undispatched,
};

/// How long a hold outlives the upstream's deadline, in microseconds: settling takes its time, too.
const HOLD_MARGIN_US: i64 = 60 * 1_000_000;

/// A call as it came in, after authentication and after its tool was found.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its name.
    pub id: InvocationId,
    /// Where it came in.
    pub surface: Surface,
    /// Who calls, and so who pays; on the gateway nobody, unless somebody is set to pay for the agent.
    pub principal: Option<Arc<Principal>>,
    /// For partners: for whom.
    pub end_user: Option<Arc<EndUser>>,
    /// On the gateway: where the call belongs.
    pub gateway: Option<GatewayCall>,
    /// What is called.
    pub offer: Arc<Offer>,
    /// What it is from, and what decides on the call: all of one moment.
    pub snapshot: Arc<Snapshot>,
    /// The arguments object as JSON text, as the caller wrote it.
    pub arguments: Arc<str>,
    /// The idempotency key.
    pub key: Option<Arc<str>>,
    /// How long a hold of unknown outcome is kept before its rule is followed, in microseconds.
    pub unknown_resolves_after_us: i64,
}

/// Money facts that an answer may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The call.
    pub id: InvocationId,
    /// Micro-credits charged.
    pub charged: Credits,
    /// Micro-credits that can be spent now, where that is known.
    pub spendable: Option<Credits>,
}

/// What the upstream made of a call that was answered completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// It did the work; the result as JSON text.
    Result(Option<String>),
    /// It did not accept the arguments (400, 422): its status and its words.
    Rejected(u16, Option<String>),
    /// It did not accept the caller (401, 403): its status and its words.
    Forbidden(u16, Option<String>),
    /// It failed; its words are for the callers of a dialect that shows them.
    Failed(Option<String>),
}

/// Writes a body once the settlement's figures are known.
pub type FillBody = Box<dyn Fn(&Told) -> Arc<str> + Send + Sync>;

/// An answer whose body lacks only the figures that the settlement finds.
pub struct AnswerTemplate {
    /// The HTTP status.
    pub status: u16,
    /// Writes the body. Called inside a batch: it must be quick and must not fail.
    pub fill: FillBody,
}

impl std::fmt::Debug for AnswerTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AnswerTemplate({})", self.status)
    }
}

/// Writes answers in the form of a surface. A written answer may be stored and sent again.
pub trait AnswerWriter: Send + Sync + 'static {
    /// The answer to a call that the upstream answered completely.
    fn template(&self, completion: &Completion) -> AnswerTemplate;
}

/// How a call ended for the caller.
#[derive(Debug)]
pub enum Answer {
    /// Completely: the body as written by the [`AnswerWriter`].
    Complete {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Arc<str>,
    },
    /// With the stored answer of an earlier call with the same key.
    Replayed {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Arc<str>,
    },
    /// Nobody knows what happened; neither does this call with the same key.
    OutcomeUnknown,
    /// The first call with this key has not been settled.
    InFlight,
    /// The key was used for something else.
    KeyReused,
    /// Policy says no.
    Denied {
        /// The public code, where the policy names one.
        code: Option<Code>,
        /// The public reason.
        reason: Option<Arc<str>>,
    },
    /// The arguments do not fit the tool's schema.
    InvalidArguments(Vec<ArgumentFault>),
    /// The arguments that the price depends on are not usable.
    Unpriceable(QuoteRefusal),
    /// No money.
    Refused {
        /// Which limit, how much.
        refusal: Refusal,
        /// The cap that said no, if it was one.
        cap: Option<OwnedCap>,
    },
    /// The call costs something, and nobody is set to pay for it.
    NobodyPays {
        /// The worst case, in micro-credits.
        needed: Credits,
    },
    /// The tool has no price in force: nothing may be charged, so nothing is called.
    NotForSale,
    /// The request never reached the upstream. Nothing was charged; the key is free.
    NotDispatched,
    /// The ledger or the database could not. Nothing was dispatched.
    Unavailable(WriterError),
}

/// An answer with the facts that go into its headers.
#[derive(Debug)]
pub struct Answered {
    /// Which call the answer is about: for a replay, the first one.
    pub id: InvocationId,
    /// Micro-credits charged by this request.
    pub charged: Credits,
    /// Micro-credits that can be spent now, where that is known.
    pub spendable: Option<Credits>,
    /// The answer.
    pub answer: Answer,
}

/// A call that may be dispatched: everything that can be known before is.
struct Accepted {
    call: Call,
    prepared: Prepared,
    price: Arc<Price>,
    record: Arc<CallRecord>,
    payer: Option<LedgerAccountId>,
    caps: Vec<CapUse>,
    hold: Credits,
    shares: ShareTerms,
    /// Whether the ledger knows of the call: it holds money or a key.
    is_begun: bool,
}

impl Services {
    /// Carries a call out.
    ///
    /// # Errors
    /// The database cannot be read. Nothing was dispatched.
    pub async fn invoke<U: Upstream>(
        self: &Arc<Self>,
        upstream: &Arc<U>,
        writer: Arc<dyn AnswerWriter>,
        call: Call,
    ) -> Result<Answered, StoreError> {
        let now_us = self.clock.now_us();
        let id = call.id;
        let accepted = match self.accept(call, now_us) {
            Ok(accepted) => accepted,
            Err(refused) => {
                let (record, answer) = *refused;
                // Behind the answer; a lost record of a refusal costs nobody anything.
                if let Err(error) = self.ledger.record(Arc::new(record)).await {
                    tracing::warn!(%error, invocation = %id, "a refused call was not recorded");
                }
                return Ok(Answered { id, charged: Credits::ZERO, spendable: None, answer });
            }
        };
        failpoint!("before_hold");
        let undispatched = Undispatched::new(self, &accepted, now_us);
        let ended = if accepted.is_begun { self.begin_call(&accepted, now_us).await } else { None };
        undispatched.pass();
        if let Some(answered) = ended {
            return Ok(answered);
        }
        failpoint!("after_hold");
        let (services, upstream) = (Arc::clone(self), Arc::clone(upstream));
        let running = tokio::spawn(async move { services.dispatch(&*upstream, &*writer, accepted).await });
        match running.await {
            Ok(answered) => Ok(answered),
            Err(error) => {
                tracing::error!(%error, invocation = %id, "a call's task ended early; its hold is settled by rule");
                Ok(Answered { id, charged: Credits::ZERO, spendable: None, answer: Answer::OutcomeUnknown })
            }
        }
    }

    /// Everything that is decided before money is touched.
    fn accept(&self, call: Call, now_us: i64) -> Result<Accepted, Box<(CallRecord, Answer)>> {
        let price = call.offer.tool.prices.in_force_at(now_us).map(Arc::clone);
        let mut record = record_of(&call, price.as_deref(), now_us);
        let refuse = |mut record: CallRecord, state: CallState, error: Code, answer: Answer| {
            record.state = state;
            record.end = Some(end_of(state, Some(error), now_us));
            Box::new((record, answer))
        };
        let partner_bps = partner_of(&call).map_or(0, |partner| partner.margin_bps);
        let publisher_bps = call.offer.seller.as_ref().map_or(0, |seller| seller.publisher.share_bps);
        // Shares above the whole are refused where they are set; should they come together all the same, nobody may be
        // charged, so nothing is sold.
        let (Some(price), Ok(shares)) = (price, ShareTerms::new(publisher_bps, partner_bps)) else {
            return Err(refuse(record, CallState::Invalid, Code::NotFound, Answer::NotForSale));
        };
        let policies = call.snapshot.policies().cached();
        let asked = (&call).into();
        let request = request_for(&asked, &price, now_us);
        let decision = policies.decide(&request);
        for fault in &decision.faults {
            tracing::error!(%fault, invocation = %call.id, "a call is denied");
        }
        if !decision.allowed {
            record.denied_by =
                Some(decision.determining.iter().map(policy::PolicyId::as_str).collect::<Vec<_>>().join(","));
            record.explanation = Some(explanation_text(policies.explain_call(&request)));
            let answer = Answer::Denied { code: decision.code, reason: decision.reason.clone() };
            return Err(refuse(record, CallState::Denied, decision.code.unwrap_or(Code::PolicyDenied), answer));
        }
        let invalid = |record, answer| refuse(record, CallState::Invalid, Code::InvalidArguments, answer);
        let (prepared, Quote { worst_case: hold, units }) = match prepare(&call, &price) {
            Ok(prepared) => prepared,
            Err(answer) => return Err(invalid(record, answer)),
        };
        record.units = units_text(&units);
        let is_begun = hold > Credits::ZERO || call.key.is_some();
        let caps: Vec<_> = all_caps(&call).map(|owned| CapUse::at(owned.cap, now_us)).collect();
        let payer = payer(&call);
        record.held = hold;
        if payer.is_none() && hold > Credits::ZERO {
            let answer = Answer::NobodyPays { needed: hold };
            return Err(refuse(record, CallState::Refused, Code::InsufficientCredits, answer));
        }
        self.note_session(&call, now_us);
        Ok(Accepted { call, prepared, price, record: Arc::new(record), payer, caps, hold, shares, is_begun })
    }

    /// Claims the key and holds the money; an answer if the call ends here.
    async fn begin_call(&self, accepted: &Accepted, now_us: i64) -> Option<Answered> {
        let call = &accepted.call;
        let begin = Begin {
            call: Arc::clone(&accepted.record),
            key: call.key.as_ref().map(|key| KeyClaim {
                name: KeyName { scope: key_scope(call), key: Arc::clone(key) },
                fingerprint: fingerprint(call),
            }),
            hold: accepted.payer.filter(|_| accepted.hold > Credits::ZERO).map(|payer| place_hold(accepted, payer)),
        };
        let answered = |id, spendable, answer| Some(Answered { id, charged: Credits::ZERO, spendable, answer });
        match self.ledger.begin(begin).await {
            Ok(Begun::Go) => None,
            Ok(Begun::Key(verdict)) => {
                let spendable = match accepted.payer {
                    Some(payer) => self.spendable(payer, &accepted.caps, now_us).await.ok(),
                    None => None,
                };
                match verdict {
                    KeyVerdict::Fresh => None,
                    KeyVerdict::Replay { call, status, body } => {
                        answered(call, spendable, Answer::Replayed { status, body })
                    }
                    KeyVerdict::OutcomeUnknown { call } => answered(call, spendable, Answer::OutcomeUnknown),
                    KeyVerdict::InFlight { call } => answered(call, spendable, Answer::InFlight),
                    KeyVerdict::Reused { call } => answered(call, spendable, Answer::KeyReused),
                }
            }
            Ok(Begun::Refused { refusal, spendable }) => {
                let cap = refused_cap(call, &refusal);
                answered(call.id, Some(spendable), Answer::Refused { refusal, cap })
            }
            Err(error) => answered(call.id, None, Answer::Unavailable(error)),
        }
    }
}

/// What a denied call is recorded with: in full, unless the steps of a long document would make a long record.
fn explanation_text(explanation: Explanation) -> Arc<str> {
    let text = explanation.to_value().to_string();
    if text.len() <= EXPLANATION_BYTES_MAX {
        return text.into();
    }
    Explanation { chain: None, ..explanation }.to_value().to_string().into()
}

fn record_of(call: &Call, price: Option<&Price>, now_us: i64) -> CallRecord {
    let (account, partner) = match call.principal.as_ref().map(|principal| &principal.owner) {
        None => (None, None),
        Some(Owner::Account(account)) => (Some(account.id), None),
        Some(Owner::Partner(partner)) => (None, Some(partner.id)),
    };
    CallRecord {
        id: call.id,
        surface: call.surface,
        parties: CallParties {
            account,
            partner,
            token: call.principal.as_ref().and_then(|principal| principal.token),
            end_user: call.end_user.as_ref().map(|user| user.id),
        },
        tool: Some(call.offer.tool.id),
        price: price.map(|price| price.id),
        wallet: payer(call),
        held: Credits::ZERO,
        units: None,
        snapshot_version: call.snapshot.version(),
        policy_version: Arc::clone(call.snapshot.policies().label()),
        denied_by: None,
        explanation: None,
        key: call.key.as_ref().map(|key| (key_scope(call), Arc::clone(key))),
        created_us: now_us,
        state: CallState::Running,
        end: None,
        asked: call.gateway.as_ref().map(|gateway| Arc::clone(&gateway.asked)),
    }
}

fn place_hold(accepted: &Accepted, payer: LedgerAccountId) -> PlaceHold {
    let call = &accepted.call;
    let timeout_us = i64::try_from(call.offer.tool.upstream.timeout().as_micros()).unwrap_or(i64::MAX);
    PlaceHold {
        id: EntryId::from(call.id),
        wallet: payer,
        payee: call.offer.payable,
        amount: accepted.hold,
        ttl_us: timeout_us.saturating_add(HOLD_MARGIN_US),
        shares: accepted.shares,
        partner: partner_of(call).map(|partner| partner.margin),
        on_expiry: match accepted.price.charge_on {
            ChargeOn::Success => OnExpiry::Release,
            ChargeOn::Attempt => OnExpiry::Capture(cost_of_failed_attempt(&accepted.price)),
        },
        caps: accepted.caps.clone(),
        meta: None,
    }
}

fn payer(call: &Call) -> Option<LedgerAccountId> {
    match &call.principal.as_ref()?.owner {
        Owner::Account(account) => Some(account.wallet),
        Owner::Partner(PartnerPrincipal { funding: Funding::Partner, wallet, .. }) => Some(*wallet),
        Owner::Partner(PartnerPrincipal { funding: Funding::PerUser, .. }) => call.end_user.as_ref()?.wallet,
    }
}

fn partner_of(call: &Call) -> Option<&PartnerPrincipal> {
    match &call.principal.as_ref()?.owner {
        Owner::Account(_) => None,
        Owner::Partner(partner) => Some(partner),
    }
}

fn all_caps(call: &Call) -> impl Iterator<Item = &OwnedCap> {
    call.principal.iter().flat_map(|principal| &principal.caps).chain(call.end_user.iter().flat_map(|user| &user.caps))
}

fn refused_cap(call: &Call, refusal: &Refusal) -> Option<OwnedCap> {
    let Refusal::Insufficient { limit: crate::ledger::refusal::Limit::Cap { cap, .. }, .. } = refusal else {
        return None;
    };
    all_caps(call).find(|owned| owned.cap.id == *cap).copied()
}

fn end_of(state: CallState, error: Option<Code>, now_us: i64) -> CallEnd {
    CallEnd {
        state,
        charged: Credits::ZERO,
        shortfall: Credits::ZERO,
        error,
        warning: None,
        returned: None,
        ended_us: now_us,
        resolves_us: None,
    }
}
