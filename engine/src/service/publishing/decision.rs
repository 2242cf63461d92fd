//! What an operator says of what a publisher has handed in. Its publisher is told by mail, in the unit of the decision.

use sea_orm::EntityTrait;
use serde_json::json;

use super::{
    Change, ListingDraft, OwnNamespace, PublishingError,
    listing::is_public,
    review::{with_draft, with_status},
};
use crate::{
    audit::{Action, OpContext},
    catalog::NamespaceState,
    id::NamespaceId,
    service::{
        Services,
        accounts::is_reason,
        outbox::{MailTemplate, NewMail},
    },
    store::entity,
};

/// What a mail calls what was handed in.
const NEW: &str = "a new namespace";
/// The same of a namespace that is in public already.
const CHANGES: &str = "changes of a namespace in public";

fn check_reason(reason: Option<&str>) -> Result<(), PublishingError> {
    match reason {
        Some(reason) if !is_reason(reason) => Err(PublishingError::field("reason", "is one line that says why")),
        _ => Ok(()),
    }
}

impl Services {
    /// Makes public what was handed in, with its prices, if it still is what was `seen` ([`OwnNamespace::fingerprint`]). Where
    /// a `reason` is given, its publisher reads it.
    ///
    /// # Errors
    /// Nothing was handed in, or it was changed since, the reason cannot be used, and see [`PublishingError`].
    pub async fn approve_listing(
        &self,
        by: &OpContext,
        id: NamespaceId,
        seen: &str,
        reason: Option<&str>,
    ) -> Result<OwnNamespace, PublishingError> {
        check_reason(reason)?;
        let mut change = self.begin_change(by).await?;
        let old = self.load_handed_in(id, seen).await?;
        let draft = ListingDraft::of(&old)?;
        self.effective(&old, &draft).await?.check()?;
        let new = with_status(&old, NamespaceState::Active);
        let new = change.take_over_draft((Action::ListingApprove, &old), &new).await?;
        change.tell_publisher(&old, "approved", reason).await?;
        change.save().await?;
        self.view_namespace(&new).await
    }

    /// Gives back what was handed in, as it was `seen`, and says why: its publisher reads it.
    ///
    /// # Errors
    /// Nothing was handed in, or it was changed since, the reason cannot be used, and see [`PublishingError`].
    pub async fn reject_listing(
        &self,
        by: &OpContext,
        id: NamespaceId,
        seen: &str,
        reason: &str,
    ) -> Result<OwnNamespace, PublishingError> {
        check_reason(Some(reason))?;
        let mut change = self.begin_change(by).await?;
        let old = self.load_handed_in(id, seen).await?;
        let draft = ListingDraft {
            is_submitted: false,
            submitted_us: None,
            rejected_because: Some(reason.to_owned()),
            ..ListingDraft::of(&old)?
        };
        let new = with_draft(&old, &draft);
        let new = if is_public(&old) { new } else { with_status(&new, NamespaceState::Draft) };
        change.change_namespace(Action::ListingReject, &old, &new);
        change.tell_publisher(&old, "rejected", Some(reason)).await?;
        change.save().await?;
        self.view_namespace(&new).await
    }

    async fn load_handed_in(&self, id: NamespaceId, seen: &str) -> Result<entity::namespace::Model, PublishingError> {
        let row = entity::namespace::Entity::find_by_id(id.uuid()).one(self.db.readers()).await?;
        let row = row.ok_or(PublishingError::NotFound("namespace"))?;
        let shown = self.view_namespace(&row).await?;
        if !shown.is_handed_in() {
            return Err(PublishingError::conflict("nothing of this namespace was handed in"));
        }
        if shown.fingerprint() != seen {
            return Err(PublishingError::conflict("it was changed since it was looked at: look at it again"));
        }
        Ok(row)
    }
}

impl Change<'_> {
    /// Says why in the audit trail, and writes to the account that the publisher is. One that an operator or a file has made
    /// belongs to no account: nobody is written to.
    async fn tell_publisher(
        &mut self,
        namespace: &entity::namespace::Model,
        decided: &str,
        reason: Option<&str>,
    ) -> Result<(), PublishingError> {
        if let Some(reason) = reason {
            self.told = std::mem::take(&mut self.told).into_iter().map(|entry| entry.because(reason)).collect();
        }
        let publisher = self.services.load_publisher_row(namespace.publisher_id.into()).await?;
        let Some(account) = publisher.account_id else { return Ok(()) };
        let account = entity::account::Entity::find_by_id(account).one(self.services.db.readers()).await?;
        let Some(account) = account else { return Ok(()) };
        let what = if is_public(namespace) { CHANGES } else { NEW };
        let mail = NewMail {
            to: &account.email,
            template: MailTemplate::ListingDecision,
            data: json!({"namespace": namespace.name, "what": what, "decided": decided, "reason": reason}),
            about: ("namespace", NamespaceId::from(namespace.id).to_string()),
            key: None,
        };
        self.services.enqueue_mail(&mut self.unit, mail, self.now_us);
        Ok(())
    }
}
