//! Scheduled prices, with a clock that the test moves: the very microsecond, every refusal, every server.

use std::sync::Arc;

use engine::{
    audit::OpContext,
    catalog::Topics,
    clock::Clock,
    id::{IdSource, PriceVersionId},
    policy::{Policies, PolicySources},
    pricing::PricingSpec,
    service::{
        Services,
        catalog::{DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredTool},
        prices::{CancelPriceError, PriceVersion, SchedulePriceError},
    },
    store::{Database, Ledger},
};

use super::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    a_scheduled_price_is_in_force_from_its_microsecond_on_and_on_every_server,
    a_cancelled_price_never_takes_effect_and_its_moment_can_be_used_again,
    what_cannot_be_scheduled_or_cancelled_is_refused_and_changes_nothing,
    the_same_key_schedules_one_price,
    an_import_changes_the_price_of_now_and_not_the_one_to_come,
    an_auditors_token_is_worth_nothing_from_its_last_microsecond_on,
}

async fn services(desk: &Desk, ledger: Ledger) -> Services {
    let db = Database::open(&desk.url()).await.unwrap();
    let policies = Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE }).unwrap();
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdSource>) = (desk.clock.clone(), desk.ids.clone());
    Services::start(db, ledger, clock, ids, policies).await.unwrap()
}

fn fixed(credits: &str) -> PricingSpec {
    PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some(credits.to_owned()),
        ..PricingSpec::default()
    }
}

fn catalog(credits: &str) -> DeclaredCatalog {
    let tool = DeclaredTool {
        name: "tool".to_owned(),
        short_description: String::new(),
        long_description: String::new(),
        topics: Topics::default(),
        input_schema: "{}".to_owned(),
        is_unverified_ok: false,
        method: "POST".to_owned(),
        url: "http://127.0.0.1:9/".to_owned(),
        mcp_tool: None,
        timeout_ms: 1_000,
        pricing: fixed(credits),
        fingerprint: credits.to_owned(),
    };
    let namespace = DeclaredNamespace {
        name: "acme".to_owned(),
        description: String::new(),
        listing_name: None,
        topics: Topics::default(),
        tools: vec![tool],
        fingerprint: "1".to_owned(),
    };
    DeclaredCatalog {
        publishers: vec![DeclaredPublisher {
            slug: "acme".to_owned(),
            display_name: "Acme".to_owned(),
            share_bps: 8_000,
            namespaces: vec![namespace],
            fingerprint: "1".to_owned(),
        }],
        ..DeclaredCatalog::default()
    }
}

/// A shop with one tool that costs 5, a second after its clock began to go.
async fn shop(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    let services = services(&desk, desk.ledger().clone()).await;
    // As every server does when it starts.
    services.complete_facts().await.unwrap();
    services.import(&OpContext::system(), &catalog("5")).await.unwrap();
    desk.clock.advance_us(SECOND_US);
    (desk, services)
}

/// Which version a server charges by, and how much, at a time.
fn price_at(services: &Services, at_us: i64) -> (PriceVersionId, String) {
    let snapshot = services.snapshot();
    let price = Arc::clone(snapshot.find_offer("acme", "tool").unwrap().tool.prices.in_force_at(at_us).unwrap());
    (price.id, engine::pricing::worst_case(&price, &engine::json::parse("{}").unwrap()).unwrap().to_string())
}

async fn schedule(services: &Services, credits: &str, from_us: i64) -> Result<PriceVersion, SchedulePriceError> {
    services.schedule_price(&OpContext::system(), "acme/tool", &fixed(credits), from_us, None).await
}

async fn a_scheduled_price_is_in_force_from_its_microsecond_on_and_on_every_server(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = services(&desk, Ledger::without_writer()).await;
    let from_us = desk.now_us() + 60 * SECOND_US;
    let later = schedule(&here, "9", from_us + 1_000_000).await.unwrap();
    let first = schedule(&here, "7.5", from_us).await.unwrap();
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        assert_eq!(price_at(server, desk.now_us()).1, "5");
        assert_eq!(price_at(server, from_us - 1).1, "5");
        assert_eq!(price_at(server, from_us), (first.id, "7.5".to_owned()));
        assert_eq!(price_at(server, from_us + 999_999), (first.id, "7.5".to_owned()));
        assert_eq!(price_at(server, from_us + 1_000_000), (later.id, "9".to_owned()));
    }
    desk.verify();
}

async fn a_cancelled_price_never_takes_effect_and_its_moment_can_be_used_again(kind: Kind) {
    let (desk, here) = shop(kind).await;
    let there = services(&desk, Ledger::without_writer()).await;
    let from_us = desk.now_us() + 60 * SECOND_US;
    let mistaken = schedule(&here, "500", from_us).await.unwrap();
    there.follow_changes().await.unwrap();
    assert_eq!(price_at(&there, from_us).1, "500");
    let cancelled = here.cancel_price(&OpContext::system(), mistaken.id, Some("a slip")).await.unwrap();
    assert_eq!(cancelled.cancelled_us, Some(desk.now_us()));
    there.follow_changes().await.unwrap();
    for server in [&here, &there] {
        assert_eq!(price_at(server, from_us + 1).1, "5");
    }
    let right = schedule(&here, "6", from_us).await.unwrap();
    assert_eq!(right.effective_from_us, from_us + 1, "a cancelled version keeps its microsecond");
    there.follow_changes().await.unwrap();
    assert_eq!(price_at(&there, from_us + 1), (right.id, "6".to_owned()));
    assert!(matches!(
        here.cancel_price(&OpContext::system(), mistaken.id, None).await,
        Err(CancelPriceError::AlreadyCancelled)
    ));
    desk.verify();
}

async fn what_cannot_be_scheduled_or_cancelled_is_refused_and_changes_nothing(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let by = OpContext::system();
    let now_us = desk.now_us();
    let standing = schedule(&services, "7", now_us + 60 * SECOND_US).await.unwrap();
    let count = || {
        let tables = ["price_version", "price_cancellation", "audit"];
        tables.map(|table| desk.number(&format!("SELECT count(*) FROM {table}")))
    };
    let before = count();
    for from_us in [0, now_us - 1, now_us, now_us + 2 * SECOND_US - 1] {
        assert!(matches!(schedule(&services, "6", from_us).await, Err(SchedulePriceError::TooSoon)), "{from_us}");
    }
    let refused = schedule(&services, "6", standing.effective_from_us).await.unwrap_err();
    assert!(matches!(refused, SchedulePriceError::Overlaps(id) if id == standing.id), "{refused}");
    let same = schedule(&services, "7", standing.effective_from_us + 1).await;
    assert!(matches!(same, Err(SchedulePriceError::Same)));
    assert!(matches!(schedule(&services, "-1", now_us + 9 * SECOND_US).await, Err(SchedulePriceError::Price(_))));
    let elsewhere = services.schedule_price(&by, "acme/other", &fixed("1"), now_us + 9 * SECOND_US, None).await;
    assert!(matches!(elsewhere, Err(SchedulePriceError::NoTool(path)) if path == "acme/other"));
    let keyed = services.schedule_price(&by, "acme/tool", &fixed("1"), now_us + 9 * SECOND_US, Some("")).await;
    assert!(matches!(keyed, Err(SchedulePriceError::Key)));

    let unknown = PriceVersionId::new(&*desk.ids, now_us);
    assert!(matches!(services.cancel_price(&by, unknown, None).await, Err(CancelPriceError::NotFound)));
    let of_now = price_at(&services, now_us).0;
    assert!(matches!(services.cancel_price(&by, of_now, None).await, Err(CancelPriceError::TooLate)));
    desk.clock.advance_us(58 * SECOND_US + 1);
    assert!(matches!(services.cancel_price(&by, standing.id, None).await, Err(CancelPriceError::TooLate)));
    assert_eq!(count(), before);
    assert_eq!(price_at(&services, standing.effective_from_us).0, standing.id);
    desk.verify();
}

async fn the_same_key_schedules_one_price(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let from_us = desk.now_us() + 60 * SECOND_US;
    let ask = |credits: &'static str, from_us: i64| {
        let (services, spec) = (&services, fixed(credits));
        async move { services.schedule_price(&OpContext::system(), "acme/tool", &spec, from_us, Some("k")).await }
    };
    let first = ask("7", from_us).await.unwrap();
    let again = ask("7", from_us).await.unwrap();
    assert!(!first.is_replay && again.is_replay && again.id == first.id);
    for other in [ask("8", from_us).await, ask("7", from_us + SECOND_US).await] {
        assert!(matches!(other, Err(SchedulePriceError::KeyReused(id)) if id == first.id));
    }
    // What was taken back since is not scheduled again, and that is said.
    let key = Some("cancelled");
    let later_us = from_us + 10 * SECOND_US;
    let by = OpContext::system();
    let taken_back = services.schedule_price(&by, "acme/tool", &fixed("8"), later_us, key).await.unwrap();
    services.cancel_price(&by, taken_back.id, None).await.unwrap();
    let again = services.schedule_price(&by, "acme/tool", &fixed("8"), later_us, key).await.unwrap();
    assert!(again.is_replay && again.id == taken_back.id && again.cancelled_us.is_some(), "{again:?}");
    // Its moment is taken by one other, and by no third.
    let instead = schedule(&services, "9", later_us).await.unwrap();
    let third = schedule(&services, "10", later_us).await;
    assert!(matches!(third, Err(SchedulePriceError::Overlaps(id)) if id == instead.id), "{third:?}");
    // Also when the price is in force by now: the command was carried out.
    desk.clock.advance_us(61 * SECOND_US);
    assert!(ask("7", from_us).await.unwrap().is_replay);
    assert_eq!(desk.number("SELECT count(*) FROM price_version"), 4);
    assert_eq!(desk.number("SELECT count(*) FROM audit WHERE action = 'price.schedule'"), 3);
}

async fn an_import_changes_the_price_of_now_and_not_the_one_to_come(kind: Kind) {
    let (desk, services) = shop(kind).await;
    let from_us = desk.now_us() + 60 * SECOND_US;
    let to_come = schedule(&services, "6", from_us).await.unwrap();
    // What the file says is what is to come, and not yet the price.
    services.import(&OpContext::system(), &catalog("6")).await.unwrap();
    assert_eq!(price_at(&services, desk.now_us()).1, "6");
    desk.clock.advance_us(SECOND_US);
    services.import(&OpContext::system(), &catalog("4")).await.unwrap();
    assert_eq!(price_at(&services, desk.now_us()).1, "4");
    assert_eq!(price_at(&services, from_us), (to_come.id, "6".to_owned()));
    desk.verify();
}

async fn an_auditors_token_is_worth_nothing_from_its_last_microsecond_on(kind: Kind) {
    use secrecy::ExposeSecret as _;
    let desk = Desk::open_on(kind).await;
    let services = services(&desk, desk.ledger().clone()).await;
    let made = services.create_auditor(&OpContext::system(), "Ernst", 2, None).await.unwrap();
    let left_us = made.auditor.expires_us - desk.now_us();
    assert_eq!(left_us, 2 * 86_400 * SECOND_US);
    let find = async || services.find_auditor(made.secret.expose_secret()).await.unwrap();
    desk.clock.advance_us(left_us - 1);
    assert_eq!(find().await, Some(made.auditor.clone()));
    desk.clock.advance_us(1);
    assert_eq!(find().await, None);
}
