//! That the audit trail vouches for a request before anything is done because of it. A row of its own table is a command to
//! move money: whoever writes one into the database has asked nobody. What was asked and what was approved stand in the
//! trail, too, whose chain the ledger verifies; both have to say the same.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::{Value, json};

use super::Approval;
use crate::{
    audit::Action,
    id::OperatorId,
    ledger::{hex::hex, leaf::sha256},
    service::Services,
    store::{StoreError, entity},
};

impl Approval {
    /// What is asked for and by whom, and who has decided, as one digest in hexadecimal: what the trail keeps as `terms`.
    pub(super) fn terms(&self, decided_by: Option<OperatorId>) -> String {
        let (author, decided_by) = (self.author.to_string(), decided_by.map(|operator| operator.to_string()));
        let said = json!([self.kind, self.payload, self.amount, self.object_kind, self.object_id, author, decided_by]);
        hex(&sha256(said.to_string().as_bytes()))
    }
}

impl Services {
    /// Whether the trail tells once that this was asked for, in these terms. By `audit_object`.
    pub(super) async fn is_asked_for(&self, approval: &Approval) -> Result<bool, StoreError> {
        self.is_told(approval, Action::ApprovalRequest, &approval.terms(None)).await
    }

    /// Whether the trail tells once that this was approved by whoever is said to have approved it, in these terms. By
    /// `audit_object`.
    pub(super) async fn is_approved(&self, approval: &Approval) -> Result<bool, StoreError> {
        self.is_told(approval, Action::ApprovalApprove, &approval.terms(approval.decided_by)).await
    }

    async fn is_told(&self, approval: &Approval, action: Action, terms: &str) -> Result<bool, StoreError> {
        use entity::audit::Column;
        let told = entity::audit::Entity::find()
            .filter(Column::ObjectId.eq(approval.id.to_string()))
            .filter(Column::Action.eq(action.as_str()))
            // A second one is one too many already.
            .limit(2)
            .all(self.db.readers())
            .await?;
        let [entry] = told.as_slice() else { return Ok(false) };
        let after: Option<Value> = entry.after_json.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Ok(after.is_some_and(|after| after.get("terms").and_then(Value::as_str) == Some(terms)))
    }
}
