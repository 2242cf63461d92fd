//! Why a call was allowed or not, for operators. A denied call was recorded with its explanation; any other one is decided
//! again by the version of the policy that decided it.

use std::sync::Arc;

use sea_orm::EntityTrait;
use serde_json::Value;

use crate::{
    id::InvocationId,
    policy::Explanation,
    service::{Services, policies::PolicyVersionError},
    store::{StoreError, entity},
};

/// Why a call was decided as it was: the JSON of [`Explanation::to_value`].
#[derive(Debug, Clone, PartialEq)]
pub enum CallReason {
    /// As it was recorded with the call.
    Recorded(Value),
    /// Decided again just now, by the policy of that time, with accounts and tools as they are now.
    Again {
        /// How, and why.
        explanation: Value,
        /// Exactly the texts that decided then: else the program's own part of the policy has changed since.
        is_same: bool,
    },
    /// There is nothing to explain, for this reason.
    None(String),
}

impl Services {
    /// Why the call `id` was decided as it was; `None` if there is no such call.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn explain_invocation(&self, id: InvocationId) -> Result<Option<CallReason>, StoreError> {
        let row = entity::invocation::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        if let Some(recorded) = &row.explanation {
            let value = serde_json::from_str(recorded);
            let what = format!("`explanation` of {id}");
            let value = value.map_err(|_error| StoreError::Inconsistent { table: "invocation", what })?;
            return Ok(Some(CallReason::Recorded(value)));
        }
        let label = row.policy_version.clone();
        let none = |why: &str| Ok(Some(CallReason::None(why.to_owned())));
        let Some(recorded) = self.find_recorded(row).await? else {
            return none("no policy was asked, or the tool or the caller is not there any more");
        };
        let in_force = Arc::clone(self.snapshot().policies());
        if **in_force.label() == *label {
            return Ok(Some(reason(recorded.explain(in_force.policies()), true)));
        }
        let number = label.split_once('-').and_then(|(number, _)| number.parse::<i64>().ok());
        if number == Some(0) {
            let own = self.own_policies.policies();
            return Ok(Some(reason(recorded.explain(own), **self.own_policies.label() == *label)));
        }
        let Some(number) = number else { return none("the record names no version of the policy") };
        let Some((_, written)) = self.find_policy(number).await? else {
            return none("the version of the policy that decided is not there");
        };
        match self.compile_policy(&written).await {
            Ok(policies) => {
                let is_same = format!("{number}-{}", policies.version()) == label;
                Ok(Some(reason(recorded.explain(&policies), is_same)))
            }
            Err(PolicyVersionError::Store(error)) => Err(error),
            Err(error) => none(&format!("the version of the policy that decided cannot be used any more: {error}")),
        }
    }
}

fn reason(explanation: Option<Explanation>, is_same: bool) -> CallReason {
    match explanation {
        Some(explanation) => CallReason::Again { explanation: explanation.to_value(), is_same },
        None => CallReason::None("the policy that decided knew the tool under another name".to_owned()),
    }
}
