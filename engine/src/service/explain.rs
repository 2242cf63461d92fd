//! Why a call would be decided as it would be: for operators who ask. Nothing is called, charged or written.

use std::sync::Arc;

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::{
    Services,
    access::{Owner, Principal},
    invoke::{Asked, request_for},
};
use crate::{
    gateway::{
        context::Hints,
        request::{GatewayRequest, RequestFault},
        session_key::{SessionSettings, find_session},
    },
    id::{EndUserId, InvalidId, InvocationId, TokenId},
    invocation::Surface,
    policy::{Caller, DecisionRequest, EndUserFacts, Explanation, Policies, chain::ChainPlace},
    snapshot::{Billing, GatewaySetup, Offer, Snapshot, session_facts},
    store::{StoreError, entity},
};

mod asked;
mod cases;

pub use self::{asked::ExplainedBy, cases::PolicyCase};

/// A call that is only asked about.
#[derive(Debug, Clone)]
pub struct Question {
    /// Through which endpoint it would come.
    pub surface: Surface,
    /// The tool as a caller writes it; on the marketplace `namespace/tool`.
    pub tool: String,
    /// Who would call.
    pub caller: Asker,
    /// On the gateway: `sessionKey`.
    pub session_key: Option<String>,
    /// On the gateway: `agentId`.
    pub agent_id: Option<String>,
    /// On the gateway: what the headers would hint at.
    pub hints: Hints,
    /// On the gateway: whether the caller owns it.
    pub is_owner: bool,
    /// When, in microseconds since the Unix epoch: policies and prices may look at the time.
    pub at_us: i64,
}

/// Who would call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// On the gateway: whoever pays for the agent, or nobody.
    Payer,
    /// The account with this e-mail address, signed in.
    Account(String),
    /// Whoever holds the token with this identifier (`tok_…`); a partner's also says for whom.
    Token {
        /// Which token.
        token: String,
        /// A partner's own name for its end user.
        end_user: Option<String>,
    },
}

/// The policies that are asked, and how the gateway is set up beside them.
#[derive(Debug, Clone, Copy)]
pub struct AskedPolicies<'a> {
    /// With the chain for these offers.
    pub policies: &'a Policies,
    /// The sessions and agents of the policy.
    pub sessions: &'a SessionSettings,
    /// The gateway.
    pub setup: &'a GatewaySetup,
    /// What it offers, as [`GatewaySetup::offers`] gives it.
    pub offers: &'a [Arc<Offer>],
}

/// A call that was explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The decision and what led to it.
    pub explanation: Explanation,
    /// What policies call those who take part: types and identifiers, the caller's first. Empty identifiers are left out.
    pub entities: Vec<(&'static str, String)>,
}

/// Why there is nothing to explain.
#[derive(Debug, thiserror::Error)]
pub enum NotExplained {
    /// No such tool on this endpoint.
    #[error("there is no tool `{0}` here")]
    NoTool(String),
    /// The tool cannot be called at all then.
    #[error("the tool has no price in force at that time")]
    NoPrice,
    /// No such account.
    #[error("there is no account with the address `{0}`")]
    NoAccount(String),
    /// The token's identifier makes no sense.
    #[error(transparent)]
    BadToken(#[from] InvalidId),
    /// No such token, or a revoked one.
    #[error("there is no token `{0}`, or it is revoked")]
    NoToken(String),
    /// A partner's token without an end user.
    #[error("a partner's token calls for one of its end users: name it")]
    NoEndUser,
    /// An account's token with an end user.
    #[error("only a partner's token calls for end users")]
    NotForEndUsers,
    /// The session.
    #[error("{}", .0.detail)]
    Session(RequestFault),
    /// No such version of the policy.
    #[error("there is no version {0} of the policy")]
    NoVersion(i64),
    /// The version cannot be used with the catalog of now.
    #[error("{}", .0.join("\n"))]
    Broken(Vec<String>),
    /// This process does not serve the gateway.
    #[error("policies cannot be asked here: the gateway is not open")]
    Unprepared,
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A partner's end user by our identifier, and whether it is blocked.
type AskedUser = (String, bool);

impl Services {
    /// Explains how `asked` would decide.
    ///
    /// # Errors
    /// There is no such call.
    pub async fn explain(&self, asked: AskedPolicies<'_>, question: &Question) -> Result<Explained, NotExplained> {
        let snapshot = self.snapshot();
        let no_tool = || NotExplained::NoTool(question.tool.clone());
        let mut agent = None;
        let (offer, place) = match question.surface {
            Surface::Marketplace => (find_on_marketplace(&snapshot, &question.tool).ok_or_else(no_tool)?, None),
            Surface::Gateway => {
                let request = GatewayRequest {
                    tool: question.tool.clone(),
                    action: None,
                    arguments: Arc::from("{}"),
                    session_key: question.session_key.clone(),
                    agent_id: question.agent_id.clone(),
                    key: None,
                };
                let session =
                    find_session(asked.sessions, &asked.setup.dialect, &request).map_err(NotExplained::Session)?;
                let chain = asked.policies.chain().ok_or_else(no_tool)?;
                let tool = chain.find_tool(&question.tool).ok_or_else(no_tool)?;
                let scope = chain.scope(&session_facts(&session, &question.hints, question.is_owner));
                agent = Some(session.agent);
                (asked.offers.get(tool.usize()).ok_or_else(no_tool)?, Some(ChainPlace { scope, tool }))
            }
        };
        let (principal, user) = self.find_asker(question, &asked.setup.billing, agent.as_deref()).await?;
        let price = offer.tool.prices.in_force_at(question.at_us).ok_or(NotExplained::NoPrice)?;
        let facts = Asked {
            surface: question.surface,
            principal: principal.as_deref(),
            end_user: user.as_ref().map(|(id, is_blocked)| EndUserFacts { id, is_blocked: *is_blocked }),
            offer,
            place,
        };
        let request = request_for(&facts, price, question.at_us);
        Ok(Explained { explanation: asked.policies.explain_call(&request), entities: entities_of(&request) })
    }

    /// The explanation that was recorded with a denied call, as JSON; `None` if there is no such call, or it was not denied.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_recorded_explanation(&self, call: InvocationId) -> Result<Option<String>, StoreError> {
        let row = entity::invocation::Entity::find_by_id(call.uuid()).one(self.db.readers()).await?;
        Ok(row.and_then(|row| row.explanation))
    }

    async fn find_asker(
        &self,
        question: &Question,
        billing: &Billing,
        agent: Option<&str>,
    ) -> Result<(Option<Arc<Principal>>, Option<AskedUser>), NotExplained> {
        match &question.caller {
            Asker::Payer => match agent.and_then(|agent| billing.payer_of(agent)) {
                Some(email) => Ok((self.find_principal_by_email(email).await?, None)),
                None => Ok((None, None)),
            },
            Asker::Account(email) => {
                let found = self.find_principal_by_email(email).await?;
                Ok((Some(found.ok_or_else(|| NotExplained::NoAccount(email.clone()))?), None))
            }
            Asker::Token { token, end_user } => {
                let id: TokenId = token.parse()?;
                let found = self.find_principal_by_token_id(id).await?;
                let principal = found.ok_or_else(|| NotExplained::NoToken(token.clone()))?;
                let end_user = self.find_asked_end_user(&principal, end_user.as_deref()).await?;
                Ok((Some(principal), end_user))
            }
        }
    }

    /// An end user who has never called stands for any other: its first call would make it.
    async fn find_asked_end_user(
        &self,
        principal: &Principal,
        name: Option<&str>,
    ) -> Result<Option<AskedUser>, NotExplained> {
        let (partner, name) = match (&principal.owner, name) {
            (Owner::Partner(partner), Some(name)) => (partner.id, name),
            (Owner::Account(_), None) => return Ok(None),
            (Owner::Partner(_), None) => return Err(NotExplained::NoEndUser),
            (Owner::Account(_), Some(_)) => return Err(NotExplained::NotForEndUsers),
        };
        let row = entity::end_user::Entity::find()
            .filter(entity::end_user::Column::PartnerId.eq(partner.uuid()))
            .filter(entity::end_user::Column::ExternalId.eq(name))
            .one(self.db.readers())
            .await
            .map_err(StoreError::from)?;
        Ok(Some(row.map(|row| (EndUserId::from(row.id).to_string(), row.is_blocked)).unwrap_or_default()))
    }
}

fn entities_of(request: &DecisionRequest<'_>) -> Vec<(&'static str, String)> {
    let mut entities = vec![("Token", request.token)];
    match request.caller {
        Caller::Account(account) => entities.push(("Account", account.id)),
        Caller::Partner { partner, end_user } => entities.extend([("Partner", partner.id), ("EndUser", end_user.id)]),
    }
    entities.push(("Tool", request.tool.id));
    let namespace = request.tool.namespace;
    entities.extend(namespace.map(|namespace| ("Namespace", namespace.id)));
    entities.extend(namespace.map(|namespace| ("Publisher", namespace.publisher.id)));
    entities.into_iter().filter(|(_, id)| !id.is_empty()).map(|(kind, id)| (kind, id.to_owned())).collect()
}

fn find_on_marketplace<'a>(snapshot: &'a Snapshot, path: &str) -> Option<&'a Arc<Offer>> {
    let (namespace, tool) = path.split_once('/')?;
    snapshot.find_offer(namespace, tool)
}
