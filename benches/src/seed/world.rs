//! Who calls, and what: publishers with their tools, accounts, partners with their end users.

use std::sync::Arc;

use engine::{
    audit::OpContext,
    catalog::Topics,
    credits::Credits,
    ledger::caps::CapWindow,
    pricing::PricingSpec,
    service::{
        Services,
        access::{EndUser, Principal},
        accounts::{GrantTerms, NewFundedAccount},
        caps::CapHolder,
        catalog::{DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredTool},
        movements::Note,
        partners::NewPartner,
        tokens::TokenOwner,
    },
    snapshot::{Offer, Snapshot},
};
use serde_json::json;

use super::HandClock;
use crate::failure::{Context as _, Failure, Outcome};

const PUBLISHERS: usize = 20;
const TOOLS_OF_EACH: usize = 10;
const PARTNERS: usize = 100;
/// The upstream's deadline. No call waits for it.
const TIMEOUT_MS: u64 = 30_000;
const MICRO: i64 = 1_000_000;
/// How long credits last that expire, in microseconds: longer than the calls go on.
const GRANT_US: i64 = 60 * 86_400 * 1_000_000;

/// Everything that calls are made of.
#[derive(Debug)]
pub(super) struct World {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) accounts: Vec<Arc<Principal>>,
    pub(super) end_users: Vec<(Arc<Principal>, Arc<EndUser>)>,
    pub(super) tools: Vec<Arc<Offer>>,
}

/// What of every fifty accounts, and end users, is not as the others are.
const SUSPENDED: usize = 7;
const UNVERIFIED: usize = 13;
const BROKE: usize = 29;
const OF: usize = 50;

/// Makes it, beginning at the time that the clock shows.
pub(super) async fn make(services: &Arc<Services>, clock: &HandClock, accounts: u64) -> Outcome<World> {
    let by = OpContext::system();
    services.import(&by, &catalog()).await.context(|| "the catalog".to_owned())?;
    let accounts = usize::try_from(accounts).unwrap_or(usize::MAX);
    let mut tokens = Vec::with_capacity(accounts);
    for number in 0..accounts {
        clock.step();
        tokens.push(open_account(services, &by, number).await?);
    }
    let partners = make_partners(services, clock, &by).await?;
    let mut found = Vec::with_capacity(accounts);
    for token in tokens {
        found.push(principal(services, token).await?);
    }
    let mut end_users = Vec::with_capacity(accounts >> 1);
    for number in 0..(accounts >> 1) {
        clock.step();
        let partner = partners.get(number % PARTNERS).ok_or_else(|| Failure::new("no partner"))?;
        end_users.push(make_end_user(services, &by, partner, number).await?);
    }
    let snapshot = services.snapshot();
    let mut tools: Vec<Arc<Offer>> = snapshot.offers().map(Arc::clone).collect();
    // a map has no order
    tools.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(World { snapshot, accounts: found, end_users, tools })
}

async fn principal(services: &Services, token: engine::id::TokenId) -> Outcome<Arc<Principal>> {
    let found = services.find_principal_by_token_id(token).await.context(|| "a token".to_owned())?;
    found.ok_or_else(|| Failure::new("a token that was made is unknown"))
}

async fn open_account(services: &Services, by: &OpContext, number: usize) -> Outcome<engine::id::TokenId> {
    let kind = number % OF;
    let email = format!("customer-{number:06}@example.com");
    let credits = if kind == BROKE { Credits::ZERO } else { Credits::from_micros(10_000 * MICRO) };
    let new = NewFundedAccount {
        key: None,
        email: &email,
        is_verified: kind != UNVERIFIED,
        token_name: "seeded",
        credits,
        reason: Some("seeded"),
    };
    let made = services.open_account(by, new).await.context(|| email.clone())?;
    let id = made.profile.id;
    if kind == SUSPENDED {
        services.set_account_suspended(by, id, true, "seeded").await.context(|| email.clone())?;
    }
    if number % 10 == 3 {
        let terms = GrantTerms { expires_us: services.clock.now_us().saturating_add(GRANT_US), priority: 100 };
        let note = Note { reason: "seeded", key: None };
        let credits = Credits::from_micros(500 * MICRO);
        services.grant_credits(by, id, credits, Some(terms), note).await.context(|| email.clone())?;
    }
    if number.is_multiple_of(5) {
        let limit = Credits::from_micros(i64::try_from(number % 40).unwrap_or(0).saturating_add(10) * MICRO);
        let cap = (CapHolder::Account(id), CapWindow::Day);
        services.set_cap(by, cap, (None, limit), "seeded").await.context(|| email.clone())?;
    }
    Ok(made.token.view.id)
}

/// A partner of the seed.
struct Partner {
    id: engine::id::PartnerId,
    principal: Arc<Principal>,
}

async fn make_partners(services: &Services, clock: &HandClock, by: &OpContext) -> Outcome<Vec<Partner>> {
    let mut made = Vec::with_capacity(PARTNERS);
    for number in 0..PARTNERS {
        clock.step();
        let name = format!("Platform {number:03}");
        let new = NewPartner { name: &name, margin_bps: 500, reason: "seeded", key: None };
        let partner = services.create_partner(by, new).await.context(|| name.clone())?;
        let credits = Credits::from_micros(10_000_000 * MICRO);
        let note = Note { reason: "seeded", key: None };
        services.grant_to_partner(by, partner.id, credits, note).await.context(|| name.clone())?;
        let (day, month) = (CapWindow::Day, CapWindow::Month);
        for (cap, credits) in
            [((CapHolder::Partner(partner.id), month), 5_000_000), ((CapHolder::EachEndUser(partner.id), day), 200)]
        {
            let limit = Credits::from_micros(credits * MICRO);
            services.set_cap(by, cap, (None, limit), "seeded").await.context(|| name.clone())?;
        }
        let owner = TokenOwner::from(partner.id);
        let token = services.create_owned_token(by, owner, "seeded", engine::service::tokens::TokenNote::default());
        let token = token.await.context(|| name.clone())?.view.id;
        made.push((partner.id, token));
    }
    let mut partners = Vec::with_capacity(PARTNERS);
    for (id, token) in made {
        partners.push(Partner { id, principal: principal(services, token).await? });
    }
    Ok(partners)
}

async fn make_end_user(
    services: &Services,
    by: &OpContext,
    partner: &Partner,
    number: usize,
) -> Outcome<(Arc<Principal>, Arc<EndUser>)> {
    let name = format!("user-{number:06}");
    let load = || services.load_end_user(partner.id, &name);
    let mut user = load().await.context(|| name.clone())?;
    if number % OF == SUSPENDED {
        services.set_end_user_blocked(by, user.id, true, "seeded").await.context(|| name.clone())?;
        user = load().await.context(|| name.clone())?;
    }
    Ok((Arc::clone(&partner.principal), user))
}

fn catalog() -> DeclaredCatalog {
    let publisher = |number: usize| {
        let name = format!("shop{number:02}");
        DeclaredPublisher {
            slug: name.clone(),
            display_name: format!("Shop {number:02}"),
            share_bps: 8_000,
            namespaces: vec![DeclaredNamespace {
                description: format!("What shop {number:02} sells"),
                listing_name: None,
                topics: Topics::default(),
                tools: (0..TOOLS_OF_EACH).map(tool).collect(),
                fingerprint: name.clone(),
                name: name.clone(),
            }],
            fingerprint: name,
        }
    };
    DeclaredCatalog {
        core_tools: Vec::new(),
        publishers: (0..PUBLISHERS).map(publisher).collect(),
        accounts: Vec::new(),
        partners: Vec::new(),
    }
}

/// Of ten tools two are free, and two are paid for whatever comes of them.
fn tool(number: usize) -> DeclaredTool {
    let schema = json!({
        "type": "object",
        "properties": {
            "text": { "type": "string", "minLength": 1, "maxLength": 200 },
            "ending": { "type": "string" },
        },
        "required": ["text"],
        "additionalProperties": false,
    });
    let costs = ["0", "0.25", "0.25", "0.5", "1", "0.1", "0", "2.5", "0.25", "0.75"];
    let cost = costs.get(number).copied().unwrap_or("0");
    let pricing = PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some(cost.to_owned()),
        charge_on: Some(if number < 8 { "success" } else { "attempt" }.to_owned()),
        ..PricingSpec::default()
    };
    DeclaredTool {
        name: format!("tool{number}"),
        short_description: format!("Does what tool {number} does"),
        long_description: String::new(),
        topics: Topics::default(),
        input_schema: schema.to_string(),
        is_unverified_ok: number == 0,
        method: "POST".to_owned(),
        url: format!("http://127.0.0.1:9/tool{number}"),
        mcp_tool: None,
        timeout_ms: TIMEOUT_MS,
        pricing,
        fingerprint: "1".to_owned(),
    }
}
