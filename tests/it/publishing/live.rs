//! What a change of the catalog has running servers read again: what it touches, and nothing else.

use std::{collections::BTreeMap, sync::Arc};

use engine::{
    catalog::{Topics, Visibility},
    pricing::PricingSpec,
    service::{
        Services,
        catalog::{DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredTool},
        prices::{PriceOrder, PriceStart},
        publishing::{ArgumentsChange, NamespaceChange, ProfileChange},
    },
    snapshot::Offer,
    store::Ledger,
};

use super::{Shop, by, connection, fixed, secrets::input, tool};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! { every_change_is_read_again_and_nothing_else, }

/// Everything that a server offers, by its paths.
fn offers(services: &Services) -> BTreeMap<String, Arc<Offer>> {
    let snapshot = services.snapshot();
    let all = snapshot.offers().chain(snapshot.core_tools());
    all.map(|offer| (offer.path.clone(), Arc::clone(offer))).collect()
}

/// The same, word for word.
fn shown(services: &Services) -> BTreeMap<String, String> {
    offers(services).into_iter().map(|(path, offer)| (path, format!("{offer:#?}"))).collect()
}

/// The server that makes the changes, and one that hears of them.
struct Pair {
    shop: Shop,
    there: Services,
}

impl Pair {
    /// After a change that touches what begins with one of `touched`: both servers offer what one does that has read
    /// everything, and have kept everything else.
    async fn check(&self, what: &str, touched: &[&str], before: &[BTreeMap<String, Arc<Offer>>; 2]) {
        self.there.follow_changes().await.unwrap();
        let fresh = shown(&self.shop.desk.services_of(Ledger::without_writer()).await);
        for (services, before) in [&self.shop.services, &self.there].into_iter().zip(before) {
            assert_eq!(shown(services), fresh, "{what}");
            for (path, offer) in offers(services) {
                let is_touched = touched.iter().any(|start| path.starts_with(start));
                let is_kept = before.get(&path).is_some_and(|before| Arc::ptr_eq(before, &offer));
                assert_eq!(is_kept, !is_touched, "{what}: {path}");
            }
        }
        self.shop.desk.clock.advance_us(SECOND_US);
    }

    fn now(&self) -> [BTreeMap<String, Arc<Offer>>; 2] {
        [offers(&self.shop.services), offers(&self.there)]
    }
}

fn declared(name: &str, about: &str) -> DeclaredTool {
    DeclaredTool {
        name: name.to_owned(),
        short_description: about.to_owned(),
        long_description: String::new(),
        topics: Topics::default(),
        input_schema: r#"{"type": "object"}"#.to_owned(),
        is_unverified_ok: false,
        method: "POST".to_owned(),
        url: "https://upstream.example/".to_owned(),
        mcp_tool: None,
        timeout_ms: 1_000,
        pricing: fixed("2"),
        fingerprint: about.to_owned(),
    }
}

/// The core tool `clock`, and Globex with one namespace or two of a tool each.
fn catalog(about: &str, names: &[&str]) -> DeclaredCatalog {
    let namespace = |name: &&str| DeclaredNamespace {
        name: (*name).to_owned(),
        listing_name: None,
        description: "Sells".to_owned(),
        topics: Topics::default(),
        tools: vec![declared("look", "Looks")],
        fingerprint: (*name).to_owned(),
    };
    DeclaredCatalog {
        core_tools: vec![declared("clock", about)],
        publishers: vec![DeclaredPublisher {
            slug: "globex".to_owned(),
            display_name: "Globex".to_owned(),
            share_bps: 8_000,
            namespaces: names.iter().map(namespace).collect(),
            fingerprint: names.join(" "),
        }],
        ..DeclaredCatalog::default()
    }
}

async fn every_change_is_read_again_and_nothing_else(kind: Kind) {
    let shop = Shop::open(kind).await;
    shop.services.import(&by(), &catalog("Says the time", &["near"])).await.unwrap();
    let there = shop.desk.services_of(Ledger::without_writer()).await;
    let pair = Pair { shop, there };
    let (shop, services) = (&pair.shop, &pair.shop.services);
    let (acme, space, add) = (shop.acme, shop.namespace, (shop.namespace, shop.tool.id));
    let because = "a test";

    /// Does it, and says what it touches.
    macro_rules! step {
        ($what:literal, $touched:expr, $change:expr) => {{
            let before = pair.now();
            let done = $change.await.unwrap();
            pair.check($what, &$touched, &before).await;
            done
        }};
    }

    let visibility = Visibility::Private;
    step!("a tool is hidden", ["acme/"], services.set_tool_visibility(&by(), acme, add, visibility));
    let group = (space, shop.look().await.groups[0].id);
    step!("a group has a price", ["acme/"], services.set_group_pricing(&by(), acme, group, &fixed("5")));
    let set = ArgumentsChange { static_args: Some(r#"{"n": 1}"#.to_owned()), ..ArgumentsChange::default() };
    step!("arguments are set", ["acme/"], services.set_tool_arguments(&by(), acme, add, &set));
    step!("a tool is renamed", ["acme/"], services.rename_tool(&by(), acme, add, "sum"));
    step!("a tool is added", ["acme/"], async { Ok::<_, ()>(tool(services, acme, space, "sub").await) });
    let used = shop.look().await.connection.unwrap();
    let secret = input("s", "X-Key");
    step!("a server's secret", ["acme/"], services.set_connection_credential(&by(), acme, used, &secret));
    step!("another server's secret", [""; 0], async {
        let other = connection(services, acme).await;
        services.set_connection_credential(&by(), acme, other, &secret).await
    });
    step!("a namespace's secret", ["acme/"], services.set_namespace_credential(&by(), acme, space, &secret));
    let renamed = NamespaceChange { name: Some("acme2".to_owned()), ..NamespaceChange::default() };
    step!("a namespace is renamed", ["acme2/"], services.change_own_namespace(&by(), acme, space, &renamed));
    let profile = ProfileChange { display_name: Some("Acme and Sons".to_owned()), ..ProfileChange::default() };
    step!("a publisher is renamed", ["acme2/"], services.change_own_profile(&by(), acme, &profile));
    step!("a publisher is stopped", ["acme2/"], services.set_publisher_suspended(&by(), acme, true, because));
    step!("and goes on", ["acme2/"], services.set_publisher_suspended(&by(), acme, false, because));
    step!("a namespace is stopped", ["acme2/"], services.set_namespace_suspended(&by(), space, true, because));
    let look = services.snapshot().find_offer("near", "look").unwrap().tool.id;
    step!("a tool is stopped", ["near/"], services.set_tool_disabled(&by(), look, true, because));
    let dearer: PricingSpec = fixed("1");
    let order = PriceOrder {
        path: "near/look",
        spec: &dearer,
        start: PriceStart::NotBefore(shop.desk.now_us() + 600 * SECOND_US),
        key: None,
        reason: Some(because),
        may_raise: true,
        over: None,
    };
    let made = step!("a price is scheduled", ["near/"], services.order_price(&by(), &order));
    step!("and taken back", ["near/"], services.cancel_price(&by(), made.id, Some(because)));
    let with_core = catalog("Says the hour", &["near"]);
    step!("a core tool is changed", ["clock"], services.import(&by(), &with_core));
    let with_more = catalog("Says the hour", &["near", "far"]);
    // Its publisher is written anew, and so are all of its tools.
    step!("a namespace is declared", ["far/", "near/"], services.import(&by(), &with_more));
    shop.desk.verify();
}
