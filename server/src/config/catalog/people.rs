//! Accounts and partners of the catalog, for demos and tests.

use engine::service::accounts::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use secrecy::{ExposeSecret, SecretString};

use super::{BPS_MAX, Names, read_bps};
use crate::config::{
    error::Place,
    fingerprint::fingerprint,
    reader::{Fields, Value},
    values::{Amount, parse_email, parse_line, read_amount},
};

const ACCOUNT_TOKEN_PREFIX: &str = "faro_";
const PARTNER_TOKEN_PREFIX: &str = "faro_partner_";
const AUDITOR_TOKEN_PREFIX: &str = "faro_audit_";
const TOKEN_BODY_CHARS_MIN: usize = 8;
const TOKEN_CHARS_MAX: usize = 128;

/// One element of `catalog.accounts`.
#[derive(Debug, Clone)]
pub struct AccountItem {
    /// The e-mail address, in lower case.
    pub email: String,
    /// Whether the address counts as verified.
    pub verified: bool,
    /// Credits given once, whatever is applied again.
    pub grant_credits: Option<Amount>,
    /// A fixed password; only with `allow_fixture_secrets`.
    pub password: Option<SecretString>,
    /// Fixed tokens; only with `allow_fixture_secrets`.
    pub tokens: Vec<TokenItem>,
    /// What the account may spend.
    pub caps: Vec<CapItem>,
    /// Where it was written.
    pub place: Place,
    /// SHA-256 of the whole item, in hexadecimal.
    pub fingerprint: String,
}

/// One element of an account's `tokens`.
#[derive(Debug, Clone)]
pub struct TokenItem {
    /// The name that its owner sees.
    pub name: String,
    /// The token itself.
    pub token: SecretString,
}

/// One element of `catalog.partners`.
#[derive(Debug, Clone)]
pub struct PartnerItem {
    /// The name that people see; it identifies the partner in the file.
    pub name: String,
    /// A fixed token; only with `allow_fixture_secrets`.
    pub token: Option<SecretString>,
    /// The partner's part of every price, in basis points; with any publisher's share at most 10,000.
    pub margin_bps: u16,
    /// Whose wallet is debited; absent: as it is, and of a new partner the partner's.
    pub funding: Option<Funding>,
    /// Credits given once to the partner's wallet.
    pub grant_credits: Option<Amount>,
    /// What the partner and its users may spend.
    pub caps: Vec<CapItem>,
    /// Where it was written.
    pub place: Place,
    /// SHA-256 of the whole item, in hexadecimal.
    pub fingerprint: String,
}

/// Whose wallet pays for a partner's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Funding {
    /// The partner's.
    Partner,
    /// One of each end user's own.
    PerUser,
}

/// A bound on spending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapItem {
    /// Whose spending is counted.
    pub per: CapScope,
    /// Over which time.
    pub window: CapWindow,
    /// The bound in credits.
    pub credits: Amount,
}

/// Whose spending a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapScope {
    /// The account's as a whole.
    Account,
    /// Each token's of the account or partner.
    Token,
    /// The partner's as a whole.
    Partner,
    /// Each end user's of the partner.
    EndUser,
}

/// The time over which a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapWindow {
    /// One call.
    Call,
    /// A calendar day in UTC.
    Day,
    /// A calendar month in UTC.
    Month,
    /// For ever.
    Total,
}

impl AccountItem {
    pub(super) fn read(fields: &mut Fields<'_>, emails: &mut Names, allow_fixture_secrets: bool) -> Option<Self> {
        let parse = |text: &str| parse_email(text).map(|email| email.to_lowercase());
        let email = fields.require("email").and_then(|value| emails.read(&value, parse));
        let verified = fields.flag("verified", false);
        let grant_credits = fields.take("grant_credits").as_ref().and_then(read_amount);
        let password = fields.take("password").and_then(|value| read_password(&value, allow_fixture_secrets));
        let mut token_names = Names::new("the token");
        let tokens = fields.objects("tokens", |item| TokenItem::read(item, &mut token_names, allow_fixture_secrets));
        let caps = fields
            .objects("caps", |item| CapItem::read(item, &[("account", CapScope::Account), ("token", CapScope::Token)]));
        Some(Self {
            email: email?,
            verified,
            grant_credits,
            password,
            tokens: tokens.into_iter().flatten().collect(),
            caps: caps.into_iter().flatten().collect(),
            place: fields.place.clone(),
            fingerprint: fingerprint(fields.members(), &[]),
        })
    }
}

impl TokenItem {
    fn read(fields: &mut Fields<'_>, names: &mut Names, allow_fixture_secrets: bool) -> Option<Self> {
        let name = fields.require("name").and_then(|value| names.read(&value, parse_line));
        let token =
            fields.require("token").and_then(|value| read_token(&value, TokenKind::Account, allow_fixture_secrets));
        Some(Self { name: name?, token: token? })
    }
}

impl PartnerItem {
    pub(super) fn read(
        fields: &mut Fields<'_>,
        names: &mut Names,
        share_bps_max: u16,
        allow_fixture_secrets: bool,
    ) -> Option<Self> {
        let name = fields.require("name").and_then(|value| names.read(&value, parse_line));
        let token =
            fields.take("token").and_then(|value| read_token(&value, TokenKind::Partner, allow_fixture_secrets));
        let margin = fields.take("margin_bps");
        let margin_bps = margin.as_ref().map_or(Some(0), read_bps);
        if let (Some(value), Some(margin_bps)) = (&margin, margin_bps)
            && u64::from(margin_bps).saturating_add(u64::from(share_bps_max)) > BPS_MAX
        {
            value.wrong(format!(
                "is {margin_bps}, which with a publisher's `share_bps` of {share_bps_max} is more than {BPS_MAX}"
            ));
        }
        let funding = fields.choice("funding", &[("partner", Funding::Partner), ("per_user", Funding::PerUser)]);
        let grant_credits = fields.take("grant_credits").as_ref().and_then(read_amount);
        let scopes = [("partner", CapScope::Partner), ("end_user", CapScope::EndUser), ("token", CapScope::Token)];
        let caps = fields.objects("caps", |item| CapItem::read(item, &scopes));
        Some(Self {
            name: name?,
            token,
            margin_bps: margin_bps?,
            funding,
            grant_credits,
            caps: caps.into_iter().flatten().collect(),
            place: fields.place.clone(),
            fingerprint: fingerprint(fields.members(), &[]),
        })
    }
}

impl CapItem {
    fn read(fields: &mut Fields<'_>, scopes: &[(&str, CapScope)]) -> Option<Self> {
        const WINDOWS: [(&str, CapWindow); 4] = [
            ("call", CapWindow::Call),
            ("day", CapWindow::Day),
            ("month", CapWindow::Month),
            ("total", CapWindow::Total),
        ];
        let per = fields.require("per").and_then(|value| value.choice(scopes));
        let window = fields.require("window").and_then(|value| value.choice(&WINDOWS));
        let credits = fields.require("credits").as_ref().and_then(read_amount);
        Some(Self { per: per?, window: window?, credits: credits? })
    }
}

#[derive(Clone, Copy)]
enum TokenKind {
    Account,
    Partner,
}

/// The messages never repeat the secret.
fn read_token(value: &Value<'_>, kind: TokenKind, allow_fixture_secrets: bool) -> Option<SecretString> {
    let text = value.text()?;
    refuse_fixture(value, allow_fixture_secrets)?;
    let (prefix, body) = match kind {
        TokenKind::Partner => (PARTNER_TOKEN_PREFIX, text.strip_prefix(PARTNER_TOKEN_PREFIX)),
        TokenKind::Account if text.starts_with(PARTNER_TOKEN_PREFIX) || text.starts_with(AUDITOR_TOKEN_PREFIX) => {
            (ACCOUNT_TOKEN_PREFIX, None)
        }
        TokenKind::Account => (ACCOUNT_TOKEN_PREFIX, text.strip_prefix(ACCOUNT_TOKEN_PREFIX)),
    };
    let is_body = |body: &str| {
        body.len() >= TOKEN_BODY_CHARS_MIN && body.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    if text.len() <= TOKEN_CHARS_MAX && body.is_some_and(is_body) {
        return Some(SecretString::from(text));
    }
    value.wrong(format!(
        "must be `{prefix}` and at least {TOKEN_BODY_CHARS_MIN} letters, digits, `_` or `-`, \
         at most {TOKEN_CHARS_MAX} characters together"
    ));
    None
}

fn read_password(value: &Value<'_>, allow_fixture_secrets: bool) -> Option<SecretString> {
    let password = SecretString::from(value.text()?);
    refuse_fixture(value, allow_fixture_secrets)?;
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.expose_secret().chars().count()) {
        value.wrong(format!("must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters"));
        return None;
    }
    Some(password)
}

fn refuse_fixture(value: &Value<'_>, allow_fixture_secrets: bool) -> Option<()> {
    if allow_fixture_secrets {
        return Some(());
    }
    value.wrong("is a fixed secret: such are for demos and tests, and need `allow_fixture_secrets: true`");
    None
}
