//! `tollgate purchase confirm` and `tollgate purchase fail`.

use engine::{
    audit::OpContext,
    id::InvalidId,
    service::{
        Services,
        purchases::{ConfirmError, Purchase},
    },
};
use serde::Serialize;

use super::{Amount, Done, NotDone, available, done};
use crate::cli::Exit;

#[derive(Serialize)]
struct PurchaseView {
    purchase: String,
    account: String,
    credits: Amount,
    status: &'static str,
    provider: &'static str,
    available: Amount,
}

/// The money for a purchase has come.
///
/// # Errors
/// There is no such purchase, it is closed already, or the database failed. Nothing was changed.
pub(super) async fn confirm(services: &Services, by: &OpContext, purchase: &str) -> Result<Done, NotDone> {
    let id = purchase.parse().map_err(|error: InvalidId| NotDone::refused(error))?;
    let confirmed = services.confirm_purchase(by, id, None).await.map_err(|error| not_closed(purchase, error))?;
    purchase_closed(services, &confirmed, "confirmed").await
}

/// The money for a purchase will not come.
///
/// # Errors
/// As [`confirm`].
pub(super) async fn fail(services: &Services, by: &OpContext, purchase: &str, reason: &str) -> Result<Done, NotDone> {
    let id = purchase.parse().map_err(|error: InvalidId| NotDone::refused(error))?;
    let failed = services.fail_purchase(by, id, reason).await.map_err(|error| not_closed(purchase, error))?;
    purchase_closed(services, &failed, "gave up").await
}

fn not_closed(purchase: &str, error: ConfirmError) -> NotDone {
    match error {
        ConfirmError::Store(error) => error.into(),
        other => NotDone::refused(format!("`{purchase}`: {other}")),
    }
}

async fn purchase_closed(services: &Services, purchase: &Purchase, word: &str) -> Result<Done, NotDone> {
    let missing = || NotDone::new(Exit::Database, "the purchase's account is missing");
    let profile = services.find_profile(purchase.account).await?.ok_or_else(missing)?;
    let available = available(services, &profile).await?;
    let view = PurchaseView {
        purchase: purchase.id.to_string(),
        account: profile.id.to_string(),
        credits: Amount(purchase.credits),
        status: purchase.status.as_str(),
        provider: purchase.provider.as_str(),
        available: Amount(available),
    };
    let line = format!("{word} {} credits for {}, who has {available}", purchase.credits, profile.email);
    done(&view, vec![line])
}
