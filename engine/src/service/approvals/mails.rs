//! Who is written to: those who may decide what was asked for, and afterwards whoever asked.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{Approval, ApprovalState};
use crate::{
    credits::Credits,
    id::{ApprovalId, OperatorId},
    operator::Role,
    policy::console::{ConsoleAction, ConsoleCaller, ConsolePolicies},
    service::{
        Services,
        outbox::{MailTemplate, NewMail},
    },
    store::{StoreError, UnitOfWork, entity},
};

/// How many operators are asked to decide one thing, at most.
const ASKED_MAX: usize = 20;
/// How many operators are looked at for that.
const OPERATORS_MAX: u64 = 1_000;

impl Services {
    /// Adds to `unit` mails to those who may decide what `row` asks for.
    pub(super) async fn add_request_mails(
        &self,
        unit: &mut UnitOfWork,
        row: &entity::approval::Model,
        now_us: i64,
    ) -> Result<(), StoreError> {
        let Some(policies) = self.console_policies.load_full() else { return Ok(()) };
        let operators = entity::operator::Entity::find()
            .filter(entity::operator::Column::IsDisabled.eq(false))
            .order_by_asc(entity::operator::Column::Id)
            .limit(OPERATORS_MAX)
            .all(self.db.readers())
            .await?;
        let author = operators.iter().find(|operator| operator.id == row.author);
        let data = json!({
            "approval_id": ApprovalId::from(row.id).to_string(),
            "what": what(&row.kind),
            "object": row.object_id,
            "author": author.map(|author| author.name.clone()).unwrap_or_default(),
            "reason": row.reason,
            "credits": row.amount.map(|amount| Credits::from_micros(amount).to_string()),
        });
        let asked = operators.iter().filter(|operator| {
            // Who has never chosen a password cannot come in.
            operator.id != row.author && operator.password_hash.is_some() && may_decide(&policies, operator, row)
        });
        for operator in asked.take(ASKED_MAX) {
            let about = ("approval", ApprovalId::from(row.id).to_string());
            let template = MailTemplate::ApprovalRequest;
            let new = NewMail { to: &operator.email, template, data: data.clone(), about, key: None };
            self.enqueue_mail(unit, new, now_us);
        }
        Ok(())
    }

    /// Adds to `unit` a mail to whoever asked for what was decided.
    pub(super) async fn add_decision_mail(
        &self,
        unit: &mut UnitOfWork,
        approval: &Approval,
        state: ApprovalState,
        (by, note): (OperatorId, Option<&str>),
        now_us: i64,
    ) -> Result<(), StoreError> {
        let Some(author) = self.find_operator(approval.author).await?.filter(|author| !author.is_disabled) else {
            return Ok(());
        };
        let by = self.find_operator(by).await?.map(|operator| operator.name).unwrap_or_default();
        let data = json!({
            "approval_id": approval.id.to_string(),
            "what": what(&approval.kind),
            "object": approval.object_id,
            "decided": state.as_str(),
            "by": by,
            "note": note,
        });
        let about = ("approval", approval.id.to_string());
        let template = MailTemplate::ApprovalDecision;
        self.enqueue_mail(unit, NewMail { to: &author.email, template, data, about, key: None }, now_us);
        Ok(())
    }
}

/// What a deed is, for people.
fn what(kind: &str) -> String {
    ConsoleAction::from_word(kind).map_or_else(|| kind.to_owned(), |action| action.sentence().to_owned())
}

/// Whoever decides has to be allowed to decide, and to do what is asked for. What is only missing, they can do: show their
/// password, enrol a second factor.
fn may_decide(policies: &ConsolePolicies, operator: &entity::operator::Model, asked: &entity::approval::Model) -> bool {
    let Ok(roles) = Role::split(&operator.roles) else { return false };
    let id = OperatorId::from(operator.id);
    let caller = ConsoleCaller { id, roles: &roles, is_fresh: true, has_factor: true, may_postpone: false };
    let may = |action| policies.decide(&caller, action, asked.amount).is_allowed();
    may(ConsoleAction::ApprovalDecide) && ConsoleAction::from_word(&asked.kind).is_some_and(may)
}
