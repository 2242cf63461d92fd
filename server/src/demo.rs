//! `serve --demo`: a database with something in it, tools that it serves itself, and calls to paste.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::{
    audit::OpContext,
    catalog::Topics,
    credits::Credits,
    pricing::PricingSpec,
    service::{
        Services,
        access::ACCOUNT_TOKEN_PREFIX,
        catalog::{
            DeclaredAccount, DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredToken, DeclaredTool,
            ImportError,
        },
        operators::{CreateOperatorError, OperatorLinkSecret},
    },
};

use crate::{
    config::{
        Billing, Config,
        master_key::{MasterKey, MasterKeyError},
    },
    gateway::PATH,
};

pub mod tools;

/// The demo's customer.
pub const EMAIL: &str = "demo@tollgate.localhost";
/// The demo's operator.
pub const OWNER_EMAIL: &str = "owner@tollgate.localhost";
const POOR_EMAIL: &str = "penniless@tollgate.localhost";
/// The namespace of the demo's tools.
pub const NAMESPACE: &str = "demo";
const GRANT_CREDITS: i64 = 10_000;
/// Longer than the slowest demo tool may sleep.
const TIMEOUT_MS: u64 = 25_000;

/// What the demo prints: calls to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoCalls {
    /// A comment and a command, in the order of showing.
    pub lines: Vec<(String, String)>,
}

/// Why the demo cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The catalog could not be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Tokens are made from the master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The owner of its console could not be made.
    #[error(transparent)]
    Owner(#[from] CreateOperatorError),
    /// There are customers in it.
    #[error("this database holds accounts and was not made by the demo; use another `database.url` for the demo")]
    NotTheDemos,
    /// The database could not be read.
    #[error(transparent)]
    Store(#[from] engine::store::StoreError),
}

/// Puts the demo's tools on the gateway, paid by its customer where nobody else is set to pay.
pub fn offer(config: &mut Config, namespaces: &mut Vec<String>) {
    namespaces.push(NAMESPACE.to_owned());
    let billing = Billing { account: EMAIL.to_owned(), agents: BTreeMap::new() };
    config.gateway.billing.get_or_insert(billing);
}

/// Fills the database with the demo's catalog, whose tools are served at `upstream`. May be done again on the same
/// database, also after strangers have signed up to the demo; refuses one with accounts and without the demo's.
///
/// # Errors
/// See [`DemoError`].
pub async fn seed(services: &Arc<Services>, key: &MasterKey, upstream: SocketAddr) -> Result<DemoTokens, DemoError> {
    let is_demo = services.find_account_by_email(EMAIL).await?.is_some();
    if !is_demo && !services.list_emails(1).await?.is_empty() {
        return Err(DemoError::NotTheDemos);
    }
    let by = OpContext::system();
    let owner_link = services.offer_demo_owner(&by, OWNER_EMAIL, "Demo owner").await?;
    let tokens =
        DemoTokens { rich: token(key, "demo-token")?, poor: token(key, "demo-token-without-credits")?, owner_link };
    services.import(&by, &catalog(&tokens, upstream)).await?;
    Ok(tokens)
}

/// The demo's tokens: the same at every start on the same database, since they are derived from its master key.
#[derive(Clone)]
pub struct DemoTokens {
    /// Of the account with credits.
    pub rich: String,
    /// Of the account without.
    pub poor: String,
    /// Where the console's owner sets the first password; `None` once it is set.
    pub owner_link: Option<OperatorLinkSecret>,
}

impl std::fmt::Debug for DemoTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DemoTokens")
    }
}

fn token(key: &MasterKey, label: &str) -> Result<String, MasterKeyError> {
    Ok(format!("{ACCOUNT_TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(key.derive(label)?)))
}

fn catalog(tokens: &DemoTokens, upstream: SocketAddr) -> DeclaredCatalog {
    let account = |email: &str, grant: i64, secret: &str| DeclaredAccount {
        email: email.to_owned(),
        is_verified: true,
        password: None,
        grant: Credits::from_micros(grant.saturating_mul(1_000_000)),
        tokens: vec![DeclaredToken { name: "demo".to_owned(), secret: secret.to_owned(), caps: Vec::new() }],
        caps: Vec::new(),
        fingerprint: format!("{email} {grant}"),
    };
    DeclaredCatalog {
        core_tools: Vec::new(),
        publishers: vec![DeclaredPublisher {
            slug: NAMESPACE.to_owned(),
            display_name: "Demo".to_owned(),
            share_bps: 8_000,
            namespaces: vec![DeclaredNamespace {
                name: NAMESPACE.to_owned(),
                description: "Small tools that this server serves itself".to_owned(),
                listing_name: None,
                topics: Topics::default(),
                tools: tools::tools().iter().map(|tool| declared_tool(tool, upstream)).collect(),
                fingerprint: "1".to_owned(),
            }],
            fingerprint: "1".to_owned(),
        }],
        accounts: vec![account(EMAIL, GRANT_CREDITS, &tokens.rich), account(POOR_EMAIL, 0, &tokens.poor)],
        partners: Vec::new(),
    }
}

fn declared_tool(tool: &tools::DemoTool, upstream: SocketAddr) -> DeclaredTool {
    let url = format!("http://{upstream}{}", tool.path);
    DeclaredTool {
        name: tool.name.to_owned(),
        short_description: tool.short_description.to_owned(),
        long_description: String::new(),
        topics: Topics::default(),
        input_schema: tool.input_schema.to_owned(),
        is_unverified_ok: false,
        method: "POST".to_owned(),
        // The port is another one at every start, so the tools are imported again at every start.
        fingerprint: url.clone(),
        url,
        mcp_tool: None,
        timeout_ms: TIMEOUT_MS,
        pricing: pricing(tool),
    }
}

fn pricing(tool: &tools::DemoTool) -> PricingSpec {
    match tool.returned_credits {
        Some(returned) => PricingSpec {
            pricing_mode: Some("tool_returned".to_owned()),
            returned_credit_cost_path: Some(returned.path.to_owned()),
            estimated_max_credit_cost: Some(returned.credits_max.to_string()),
            ..PricingSpec::default()
        },
        None => PricingSpec {
            pricing_mode: Some("fixed_per_request".to_owned()),
            fixed_credit_cost: Some("2.5".to_owned()),
            ..PricingSpec::default()
        },
    }
}

/// Calls to paste, each on one line.
///
/// `credential` is what the gateway wants to see as bearer.
pub fn calls(base_url: &str, tokens: &DemoTokens, credential: Option<&str>) -> DemoCalls {
    let call = |token: &str, tool: &tools::DemoTool| {
        format!(
            "curl -sS {base_url}/invoke/{NAMESPACE}/{} -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{{\"arguments\": {}}}'",
            tool.name,
            tool.example_arguments.replace('\'', "'\\''"),
        )
    };
    let fixed = tools::tools().iter().find(|tool| tool.returned_credits.is_none());
    let returned = tools::tools().iter().find(|tool| tool.returned_credits.is_some());
    let as_bearer = credential.map_or_else(String::new, |credential| {
        format!(" -H {}", quoted(&format!("Authorization: Bearer {credential}")))
    });
    let on_gateway = |tool: &tools::DemoTool| {
        let body = format!("{{\"tool\": \"{}\", \"args\": {}}}", tool.name, tool.example_arguments);
        format!("curl -sS {base_url}{PATH}{as_bearer} -H 'Content-Type: application/json' -d {}", quoted(&body))
    };
    let lines = [
        fixed.map(|tool| (format!("pay 2.5 credits for {}", tool.name), call(&tokens.rich, tool))),
        returned.map(|tool| (format!("{} costs what it says it used", tool.name), call(&tokens.rich, tool))),
        fixed.map(|tool| ("the same without credits: refused, with the ways out".to_owned(), call(&tokens.poor, tool))),
        fixed.map(|tool| (format!("{} for an agent, on the agent gateway", tool.name), on_gateway(tool))),
    ];
    DemoCalls { lines: lines.into_iter().flatten().collect() }
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
