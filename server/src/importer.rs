//! From the configuration's catalog to the one that the engine imports.

use engine::{
    catalog::Topics,
    credits::{Credits, CreditsError},
    ledger::caps::CapWindow,
    pricing::PricingSpec,
    service::{
        access::CapOwner,
        catalog::{
            DeclaredAccount, DeclaredCap, DeclaredCatalog, DeclaredNamespace, DeclaredPartner, DeclaredPublisher,
            DeclaredToken, DeclaredTool,
        },
        partners::Funding,
    },
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::catalog::{
    self as config, AccountItem, CapItem, Catalog, HttpMethod, NamespaceItem, PartnerItem, PricingItem, PricingMode,
    PublisherItem, ToolItem, UpstreamItem,
};

/// Something that the file may say and this program does not do.
#[derive(Debug, thiserror::Error)]
pub enum NotImportable {
    /// An amount that is out of range.
    #[error("{item}: {source}")]
    Amount {
        /// Where.
        item: String,
        /// Why.
        source: CreditsError,
    },
    /// An upstream that is not supported.
    #[error("{item}: {message}")]
    Unsupported {
        /// Where.
        item: String,
        /// What.
        message: &'static str,
    },
}

/// The declared catalog.
///
/// # Errors
/// It declares something that this program does not do.
pub fn declared(catalog: &Catalog) -> Result<DeclaredCatalog, NotImportable> {
    Ok(DeclaredCatalog {
        core_tools: catalog.core_tools.iter().map(core_tool).collect::<Result<_, _>>()?,
        publishers: catalog.publishers.iter().map(publisher).collect::<Result<_, _>>()?,
        accounts: catalog.accounts.iter().map(account).collect::<Result<_, _>>()?,
        partners: catalog.partners.iter().map(partner).collect::<Result<_, _>>()?,
    })
}

fn unsupported(item: String, message: &'static str) -> NotImportable {
    NotImportable::Unsupported { item, message }
}

fn publisher(item: &PublisherItem) -> Result<DeclaredPublisher, NotImportable> {
    Ok(DeclaredPublisher {
        slug: item.id.clone(),
        display_name: item.display_name.clone(),
        share_bps: item.share_bps,
        namespaces: item.namespaces.iter().map(namespace).collect::<Result<_, _>>()?,
        fingerprint: item.fingerprint.clone(),
    })
}

fn namespace(item: &NamespaceItem) -> Result<DeclaredNamespace, NotImportable> {
    Ok(DeclaredNamespace {
        name: item.name.clone(),
        listing_name: item.listing_name.clone(),
        description: item.description.clone(),
        topics: Topics { category: item.category.clone(), tags: item.tags.clone() },
        tools: item
            .tools
            .iter()
            .map(|tool| declared_tool(tool, || format!("tool `{}/{}`", item.name, tool.name)))
            .collect::<Result<_, _>>()?,
        fingerprint: item.fingerprint.clone(),
    })
}

fn core_tool(item: &ToolItem) -> Result<DeclaredTool, NotImportable> {
    declared_tool(item, || format!("core tool `{}`", item.name))
}

fn declared_tool(item: &ToolItem, name: impl Fn() -> String) -> Result<DeclaredTool, NotImportable> {
    let (method, url, mcp_tool, timeout_ms) = match &item.upstream {
        UpstreamItem::Http { method, url, timeout_ms } => (*method, url, None, timeout_ms),
        UpstreamItem::Mcp { url, tool, timeout_ms } => (HttpMethod::Post, url, Some(tool.clone()), timeout_ms),
        UpstreamItem::Builtin { .. } => {
            return Err(unsupported(name(), "only `http` and `mcp` upstreams are supported"));
        }
    };
    Ok(DeclaredTool {
        name: item.name.clone(),
        short_description: item.short_description.clone(),
        long_description: item.long_description.clone().unwrap_or_default(),
        topics: Topics { category: item.category.clone(), tags: item.tags.clone() },
        input_schema: item.input_schema.to_string(),
        // `paid` needs no flag: it is only for tools with a price, and these want a verified account with credits.
        is_unverified_ok: item.tier == Some(config::Tier::Unverified),
        method: method.as_str().to_owned(),
        url: url.clone(),
        mcp_tool,
        timeout_ms: *timeout_ms,
        pricing: item.pricing.as_ref().map_or_else(free, pricing),
        fingerprint: item.fingerprint.clone(),
    })
}

/// A tool without a price costs nothing.
fn free() -> PricingSpec {
    PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some("0".to_owned()),
        ..PricingSpec::default()
    }
}

/// A price as the engine checks it.
pub fn pricing(item: &PricingItem) -> PricingSpec {
    let amount = |amount: &crate::config::Amount| Some(amount.as_str().to_owned());
    let common = PricingSpec {
        charge_on: Some(
            match item.charge_on {
                config::ChargeOn::Success => "success",
                config::ChargeOn::Attempt => "attempt",
            }
            .to_owned(),
        ),
        pricing_description: item.description.clone(),
        ..PricingSpec::default()
    };
    match &item.mode {
        PricingMode::FixedPerRequest { cost } => PricingSpec {
            pricing_mode: Some("fixed_per_request".to_owned()),
            fixed_credit_cost: amount(cost),
            ..common
        },
        PricingMode::ToolReturned { cost_path, multiplier, base, estimated_max, unit_fields, credits_per_unit } => {
            PricingSpec {
                pricing_mode: Some("tool_returned".to_owned()),
                returned_credit_cost_path: Some(cost_path.clone()),
                returned_credit_multiplier: amount(multiplier),
                base_credit_cost: amount(base),
                estimated_max_credit_cost: estimated_max.as_ref().and_then(amount),
                pricing_unit_fields: (!unit_fields.is_empty()).then(|| unit_fields.clone()),
                pricing_credits_per_unit: credits_per_unit.as_ref().and_then(amount),
                ..common
            }
        }
    }
}

fn credits(amount: Option<&crate::config::Amount>, item: impl Fn() -> String) -> Result<Credits, NotImportable> {
    let Some(amount) = amount else { return Ok(Credits::ZERO) };
    Credits::parse_exact(amount.as_str()).map_err(|source| NotImportable::Amount { item: item(), source })
}

fn caps(items: &[CapItem], item: &dyn Fn() -> String) -> Result<Vec<DeclaredCap>, NotImportable> {
    items
        .iter()
        .map(|cap| {
            Ok(DeclaredCap {
                per: match cap.per {
                    config::CapScope::Account => CapOwner::Account,
                    config::CapScope::Token => CapOwner::Token,
                    config::CapScope::Partner => CapOwner::Partner,
                    config::CapScope::EndUser => CapOwner::EndUser,
                },
                window: match cap.window {
                    config::CapWindow::Call => CapWindow::Call,
                    config::CapWindow::Day => CapWindow::Day,
                    config::CapWindow::Month => CapWindow::Month,
                    config::CapWindow::Total => CapWindow::Total,
                },
                limit: credits(Some(&cap.credits), item)?,
            })
        })
        .collect()
}

fn token(name: &str, secret: &SecretString, caps: &[DeclaredCap]) -> DeclaredToken {
    DeclaredToken { name: name.to_owned(), secret: secret.expose_secret().to_owned(), caps: caps.to_vec() }
}

fn account(item: &AccountItem) -> Result<DeclaredAccount, NotImportable> {
    let name = || format!("account `{}`", item.email);
    let caps = caps(&item.caps, &name)?;
    Ok(DeclaredAccount {
        email: item.email.clone(),
        is_verified: item.verified,
        password: item.password.clone(),
        grant: credits(item.grant_credits.as_ref(), name)?,
        tokens: item.tokens.iter().map(|declared| token(&declared.name, &declared.token, &caps)).collect(),
        caps,
        fingerprint: item.fingerprint.clone(),
    })
}

fn partner(item: &PartnerItem) -> Result<DeclaredPartner, NotImportable> {
    let name = || format!("partner `{}`", item.name);
    let caps = caps(&item.caps, &name)?;
    Ok(DeclaredPartner {
        name: item.name.clone(),
        margin_bps: item.margin_bps,
        funding: item.funding.map(|funding| match funding {
            config::Funding::Partner => Funding::Partner,
            config::Funding::PerUser => Funding::PerUser,
        }),
        grant: credits(item.grant_credits.as_ref(), name)?,
        tokens: item.token.iter().map(|secret| token("configured", secret, &caps)).collect(),
        caps,
        fingerprint: item.fingerprint.clone(),
    })
}
