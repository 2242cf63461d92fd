//! What a call of `/tools/invoke` has beside any other: a session, its agent, and tools that are answered from our own
//! data.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use uuid::Uuid;

use super::Call;
use crate::{
    code::Code,
    credits::Credits,
    dialect::FailureKind,
    gateway::{
        builtin::{Builtin, BuiltinFacts},
        context::Hints,
        session_key::Session,
    },
    id::InvocationId,
    invocation::{Asked, CallParties, CallRecord, CallState, Surface},
    json,
    ledger::leaf::sha256,
    policy::chain::ChainPlace,
    service::{
        Services,
        access::{Owner, Principal},
    },
    snapshot::{GatewaySnapshot, Snapshot},
    store::{StoreError, WriterError},
    upstream::UpstreamAnswer,
};

/// Where a call of the gateway belongs.
#[derive(Debug, Clone)]
pub struct GatewayCall {
    /// What the gateway offers and allows, all from one moment.
    pub snapshot: Arc<GatewaySnapshot>,
    /// Its session.
    pub session: Session,
    /// What its headers hint at.
    pub hints: Hints,
    /// Its place in the tool-policy chain.
    pub place: ChainPlace,
    /// How it is recorded.
    pub asked: Arc<Asked>,
}

impl GatewayCall {
    /// Idempotency keys belong to the session: another session's call is another call.
    pub(super) fn key_scope(&self) -> Uuid {
        let digest = sha256(format!("gateway session {}", self.session.key).as_bytes());
        Uuid::from_slice(digest.split_at(16).0).unwrap_or_default()
    }

    pub(super) fn upstream_headers(&self) -> Vec<(&'static str, String)> {
        self.hints.upstream_headers(&self.session)
    }

    /// The tools that an agent may use in its main session.
    fn tools_of(&self, agent: &str) -> Vec<String> {
        let key = self.snapshot.sessions.main_session_of(agent);
        let session = Session::new(key, agent.to_owned());
        // As the owner: what the agent itself may use.
        let scope = self.snapshot.scope(&session, &Hints::default(), true);
        scope.map(|scope| self.snapshot.available(&scope)).unwrap_or_default()
    }
}

impl Services {
    /// The account that pays for an agent; `None` if nobody does.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_payer(
        &self,
        gateway: &GatewaySnapshot,
        agent: &str,
    ) -> Result<Option<Arc<Principal>>, StoreError> {
        match gateway.setup.billing.payer_of(agent) {
            Some(email) => self.find_principal_by_email(email).await,
            None => Ok(None),
        }
    }

    /// Records a call of a tool that is not there.
    ///
    /// # Errors
    /// The record cannot be taken.
    pub async fn record_unknown_tool(
        &self,
        id: InvocationId,
        snapshot: &Snapshot,
        principal: Option<&Principal>,
    ) -> Result<(), WriterError> {
        let now_us = self.clock.now_us();
        let account = principal.and_then(|principal| match &principal.owner {
            Owner::Account(account) => Some(account),
            Owner::Partner(_) => None,
        });
        let record = CallRecord {
            id,
            surface: Surface::Gateway,
            parties: CallParties {
                account: account.map(|account| account.id),
                token: None,
                partner: None,
                end_user: None,
            },
            tool: None,
            price: None,
            wallet: account.map(|account| account.wallet),
            held: Credits::ZERO,
            units: None,
            snapshot_version: snapshot.version(),
            policy_version: Arc::clone(snapshot.policies().label()),
            denied_by: None,
            explanation: None,
            key: None,
            created_us: now_us,
            state: CallState::Invalid,
            end: Some(super::end_of(CallState::Invalid, Some(Code::NotFound), now_us)),
            asked: None,
        };
        self.ledger.record(Arc::new(record)).await
    }

    pub(super) fn note_session(&self, call: &Call, now_us: i64) {
        if let Some(gateway) = &call.gateway {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.note(&gateway.session, gateway.hints.channel.as_deref(), now_us);
        }
    }

    pub(super) fn builtin_answer(&self, builtin: Builtin, call: &Call) -> UpstreamAnswer {
        let (Some(gateway), Ok(arguments)) = (&call.gateway, json::parse(&call.arguments)) else {
            return UpstreamAnswer::NotDispatched { detail: "a built-in tool belongs to the gateway".to_owned() };
        };
        let listed = gateway.snapshot.sessions.listed_agents().filter(|_| builtin == Builtin::AgentsList);
        // Before the lock, under which every other call notes its session: this may take a while.
        let tools: HashMap<&str, Vec<String>> = listed.map(|agent| (agent, gateway.tools_of(agent))).collect();
        let tools_of = |agent: &str| tools.get(agent).cloned().unwrap_or_default();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = &gateway.snapshot.sessions;
        let facts = BuiltinFacts { seen: &seen, settings, session: &gateway.session, tools_of: &tools_of };
        match builtin.answer(&arguments, &facts) {
            Ok(result) => UpstreamAnswer::Completed { result: Some(result), meta: None },
            Err(message) => {
                let status = gateway.snapshot.setup.dialect.http.errors.rule(FailureKind::ToolInput).status;
                UpstreamAnswer::Rejected { status, message: Some(message) }
            }
        }
    }
}
