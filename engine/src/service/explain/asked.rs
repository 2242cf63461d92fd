//! Questions about versions of the policy, and about calls that were made.

use std::sync::Arc;

use sea_orm::EntityTrait as _;

use super::{AskedPolicies, Asker, Explained, NotExplained, Question};
use crate::{
    gateway::{context::Hints, session_key::SessionSettings},
    id::{AccountId, InvocationId, TokenId},
    invocation::Surface,
    policy::WrittenPolicy,
    service::{Services, policies::PolicyVersionError, policies::replay::offers_by_id},
    snapshot::GatewaySetup,
    store::{StoreError, entity},
};

/// An explanation with the version that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedBy {
    /// The number of the version.
    pub number: i64,
    /// What it says.
    pub explained: Explained,
}

impl Services {
    /// How the gateway is set up; `None` where this process does not know it.
    pub fn gateway_setup(&self) -> Option<Arc<GatewaySetup>> {
        self.gateway.load_full()
    }

    /// Explains how the policy in force would decide, or another version of it.
    ///
    /// # Errors
    /// There is no such call or version, or this process does not serve the gateway.
    pub async fn explain_by(&self, version: Option<i64>, question: &Question) -> Result<ExplainedBy, NotExplained> {
        let snapshot = self.snapshot();
        let gateway = snapshot.gateway().ok_or(NotExplained::Unprepared)?;
        let in_force = snapshot.policies();
        let Some(number) = version.filter(|number| *number != in_force.number()) else {
            let (setup, offers) = (&gateway.setup, gateway.offers());
            let asked = AskedPolicies { policies: in_force.policies(), sessions: &gateway.sessions, setup, offers };
            return Ok(ExplainedBy { number: in_force.number(), explained: self.explain(asked, question).await? });
        };
        let (_, written) = self.find_policy(number).await?.ok_or(NotExplained::NoVersion(number))?;
        Ok(ExplainedBy { number, explained: self.explain_written(&written, question).await? })
    }

    /// Explains how a policy would decide that need not be kept anywhere.
    ///
    /// # Errors
    /// There is no such call, or the policy is wrong.
    pub async fn explain_written(
        &self,
        written: &WrittenPolicy,
        question: &Question,
    ) -> Result<Explained, NotExplained> {
        let setup = self.gateway_setup().ok_or(NotExplained::Unprepared)?;
        let policies = self.compile_policy(written).await.map_err(|error| match error {
            PolicyVersionError::Store(error) => error.into(),
            PolicyVersionError::Broken(problems) => NotExplained::Broken(problems),
            other => NotExplained::Broken(vec![other.to_string()]),
        })?;
        let offers = setup.offers(&self.snapshot()).map_err(|problem| NotExplained::Broken(vec![problem]))?;
        let sessions = SessionSettings::of(&written.chain);
        let asked = AskedPolicies { policies: &policies, sessions: &sessions, setup: &setup, offers: &offers };
        self.explain(asked, question).await
    }

    /// The question that a recorded call put: its session, hints, tool, caller and time. `None` if there is no such call, or
    /// its tool was never there.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_recorded_question(&self, call: InvocationId) -> Result<Option<Question>, StoreError> {
        let readers = self.db.readers();
        let Some(row) = entity::invocation::Entity::find_by_id(call.uuid()).one(readers).await? else {
            return Ok(None);
        };
        let offers = offers_by_id(&self.snapshot(), self.gateway.load().as_deref());
        let path = row.tool_id.and_then(|id| offers.get(&id)).map(|offer| offer.path.clone());
        let Some(tool) = row.requested.or(path) else { return Ok(None) };
        let caller = match (row.token_id, row.account_id) {
            (Some(token), _) => {
                let end_user = match row.end_user_id {
                    Some(id) => entity::end_user::Entity::find_by_id(id).one(readers).await?,
                    None => None,
                };
                let (token, end_user) = (TokenId::from(token).to_string(), end_user.map(|user| user.external_id));
                Asker::Token { token, end_user }
            }
            (None, Some(account)) => {
                let account = self.find_profile(AccountId::from(account)).await?;
                account.map_or(Asker::Payer, |account| Asker::Account(account.email))
            }
            (None, None) => Asker::Payer,
        };
        let is_gateway = row.surface == Surface::Gateway.raw();
        Ok(Some(Question {
            surface: if is_gateway { Surface::Gateway } else { Surface::Marketplace },
            tool,
            caller,
            session_key: row.session_key,
            agent_id: None,
            hints: Hints { channel: row.channel, account: row.channel_account, ..Hints::default() },
            is_owner: row.is_owner.unwrap_or(false),
            at_us: row.created_us,
        }))
    }
}
