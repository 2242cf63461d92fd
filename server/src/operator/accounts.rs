//! `tollgate account create` and `tollgate account grant`.

use engine::{
    audit::OpContext,
    credits::Credits,
    service::{
        Services,
        accounts::{CreateAccountError, FundedAccount, FundedAccountError, GrantError, GrantTerms},
        movements::Note,
    },
};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{Amount, Done, NotDone, available, done, find_account, parse_credits};
use crate::cli::dates;

#[derive(Serialize)]
struct AccountView<'a> {
    account: String,
    email: &'a str,
    verified: bool,
    credits: Amount,
    token: &'a str,
    token_id: String,
    token_name: &'a str,
}

#[derive(Serialize)]
struct GrantView<'a> {
    grant: String,
    account: String,
    email: &'a str,
    credits: Amount,
    /// When they expire, and in which order such credits are spent; nothing of both if they do not.
    expires: Option<String>,
    priority: Option<i64>,
    reason: &'a str,
    key: Option<&'a str>,
    replayed: bool,
    available: Amount,
}

/// Makes an account with a token and so many credits.
///
/// # Errors
/// The address is taken or none, the credits make no sense, or the database failed. Nothing was changed.
pub(super) async fn create(
    services: &Services,
    by: &OpContext,
    (email, is_verified): (&str, bool),
    token_name: &str,
    credits: Option<&str>,
) -> Result<Done, NotDone> {
    let credits = credits.map(|text| parse_credits("credits", text)).transpose()?.unwrap_or(Credits::ZERO);
    let made = services.create_funded_account(by, email, is_verified, token_name, credits).await;
    account_created(&made.map_err(account_refused)?)
}

fn account_created(made: &FundedAccount) -> Result<Done, NotDone> {
    let profile = &made.profile;
    let view = AccountView {
        account: profile.id.to_string(),
        email: &profile.email,
        verified: profile.is_verified,
        credits: Amount(made.credits),
        token: made.token.secret.expose_secret(),
        token_id: made.token.view.id.to_string(),
        token_name: &made.token.view.name,
    };
    let lines = vec![
        format!("account {} for {} with {} credits", view.account, view.email, made.credits),
        format!("token {} (it is not shown again): {}", view.token_name, view.token),
    ];
    done(&view, lines)
}

fn account_refused(error: FundedAccountError) -> NotDone {
    match error {
        FundedAccountError::Account(CreateAccountError::Store(error)) => error.into(),
        other => NotDone::refused(other),
    }
}

/// Gives credits, with `terms` such as expire.
///
/// # Errors
/// There is no such account, the credits make no sense or cannot be given, or the database failed. Nothing was changed.
pub(super) async fn grant(
    services: &Services,
    by: &OpContext,
    (account, credits): (&str, &str),
    terms: Option<GrantTerms>,
    (reason, key): (&str, Option<&str>),
) -> Result<Done, NotDone> {
    let credits = parse_credits("credits", credits)?;
    let profile = find_account(services, account).await?;
    let grant = services.grant_credits(by, profile.id, credits, terms, Note { reason, key }).await.map_err(
        |error| match error {
            GrantError::Store(error) => error.into(),
            GrantError::Expired { expires_us, now_us } => NotDone::refused(format!(
                "{error}: {} is not after {}",
                dates::render(expires_us),
                dates::render(now_us)
            )),
            other => NotDone::refused(other),
        },
    )?;
    let available = available(services, &profile).await?;
    let view = GrantView {
        grant: grant.id.to_string(),
        account: profile.id.to_string(),
        email: &profile.email,
        credits: Amount(credits),
        expires: terms.map(|terms| dates::render(terms.expires_us)),
        priority: terms.map(|terms| terms.priority),
        reason,
        key,
        replayed: grant.is_replay,
        available: Amount(available),
    };
    let line = if grant.is_replay {
        format!("this key granted {credits} credits to {} before: nothing was changed", profile.email)
    } else if let Some(expires) = &view.expires {
        format!("granted {credits} credits until {expires} to {}, who has {available}", profile.email)
    } else {
        format!("granted {credits} credits to {}, who has {available}", profile.email)
    };
    done(&view, vec![line])
}
