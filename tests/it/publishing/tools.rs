//! A publisher's tools.

use engine::{
    catalog::Visibility,
    json,
    service::publishing::{
        ArgumentsChange, ConnectionKind, NewConnection, NewOwnNamespace, NewOwnTool, RestToolChange,
    },
};

use super::{Shop, by, field, fixed, new_tool};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    a_tool_is_its_publishers_alone_until_it_is_approved,
    what_a_publisher_sets_is_hidden_from_callers,
    a_tool_is_changed_field_by_field,
    what_is_no_tool_is_named,
    units_count_where_the_group_is_priced_by_what_tools_return,
}

/// A schema that names `n` in a second place.
const EITHER: &str =
    r#"{"type":"object","properties":{"q":{},"n":{}},"anyOf":[{"required":["q"]},{"required":["n"]}]}"#;

async fn a_tool_is_its_publishers_alone_until_it_is_approved(kind: Kind) {
    let shop = Shop::open(kind).await;
    assert_eq!(shop.known(("acme", "add")).await, (false, true));
    assert_eq!(shop.price(("acme", "add")), 0, "free until there is a price");
    assert_eq!(shop.desk.number("SELECT count(*) FROM tool_document WHERE is_listed"), 0);
    shop.desk.verify();
}

async fn what_a_publisher_sets_is_hidden_from_callers(kind: Kind) {
    let shop = Shop::open(kind).await;
    let named = (shop.namespace, shop.tool.id);
    let set = ArgumentsChange {
        static_args: Some(r#"{"n": 3}"#.to_owned()),
        default_args: Some(r#"{"q": "all"}"#.to_owned()),
        ..ArgumentsChange::default()
    };
    let tool = shop.services.set_tool_arguments(&by(), shop.acme, named, &set).await.unwrap();
    assert!(tool.input_schema.contains("\"n\""), "its publisher sees what its server takes");
    let snapshot = shop.services.snapshot();
    let offer = snapshot.find_offer("acme", "add").unwrap();
    let shown = &*offer.tool.input_schema_text;
    assert_eq!(shown, tool.public_schema);
    assert!(!shown.contains("\"n\"") && shown.contains(r#""default":"all""#), "{shown}");
    assert!(offer.tool.schema.validate(&json::parse("{}").unwrap()).is_ok(), "nothing is required any more");
    let merged = offer.tool.manner.set_arguments.as_ref().unwrap().merge(r#"{"n": 9}"#).unwrap();
    assert_eq!(json::parse(&merged).unwrap().get("n").unwrap().as_number(), Some("3"));
    let told = shop.desk.rows("SELECT after_json FROM audit WHERE action = 'tool.change'").concat().concat();
    assert!(told.contains("static_args_sha256") && !told.contains("\"all\""), "{told}");
    for (change, at) in [
        (ArgumentsChange { static_args: Some("[]".to_owned()), ..Default::default() }, "mcp_static_args"),
        (
            ArgumentsChange { input_schema: Some(r#"{"$ref": "https://x"}"#.to_owned()), ..Default::default() },
            "input_schema",
        ),
        (
            ArgumentsChange { credits_per_unit: Some("1e3".to_owned()), ..Default::default() },
            "pricing_credits_per_unit",
        ),
        (ArgumentsChange { credits_per_unit: Some("-1".to_owned()), ..Default::default() }, "pricing_credits_per_unit"),
        (ArgumentsChange { input_schema: Some(EITHER.to_owned()), ..Default::default() }, "input_schema"),
    ] {
        let refused = shop.services.set_tool_arguments(&by(), shop.acme, named, &change).await;
        assert_eq!(field(refused), at, "{change:?}");
    }
    let clear = ArgumentsChange {
        static_args: Some("{}".to_owned()),
        default_args: Some("{}".to_owned()),
        ..ArgumentsChange::default()
    };
    let cleared = shop.services.set_tool_arguments(&by(), shop.acme, named, &clear).await.unwrap();
    assert_eq!((cleared.static_args, cleared.default_args), (None, None));
    // What the schema names in a second place cannot be hidden.
    let either = ArgumentsChange { input_schema: Some(EITHER.to_owned()), ..ArgumentsChange::default() };
    shop.services.set_tool_arguments(&by(), shop.acme, named, &either).await.unwrap();
    let hide = ArgumentsChange { static_args: Some(r#"{"n": 3}"#.to_owned()), ..ArgumentsChange::default() };
    let refused = shop.services.set_tool_arguments(&by(), shop.acme, named, &hide).await;
    assert!(refused.as_ref().unwrap_err().to_string().contains("`/anyOf/1/required`"), "{refused:?}");
    assert_eq!(field(refused), "mcp_static_args");
    let shown = shop.look().await.tools.remove(0);
    assert_eq!((shown.static_args, shown.public_schema.as_str()), (None, EITHER));
    shop.desk.verify();
}

async fn a_tool_is_changed_field_by_field(kind: Kind) {
    let shop = Shop::open(kind).await;
    let named = (shop.namespace, shop.tool.id);
    let wanted = RestToolChange {
        shape: Some(json::parse(r#"{"rest_path": "/q", "rest_method": "GET"}"#).unwrap()),
        visibility: Some(Visibility::Private),
        ..RestToolChange::default()
    };
    let tool = shop.services.change_rest_tool(&by(), shop.acme, named, &wanted).await.unwrap();
    assert!(tool.rest.unwrap().contains("\"/q\""));
    assert_eq!((tool.visibility, tool.name.as_str()), (Visibility::Private, "add"));
    let again = shop.services.set_tool_visibility(&by(), shop.acme, named, Visibility::Private).await.unwrap();
    assert_eq!(again.visibility, Visibility::Private);
    assert_eq!(shop.audit("tool.change"), 1, "what is so already is no change");
    super::tool(&shop.services, shop.acme, shop.namespace, "sub").await;
    let refused = shop.services.rename_tool(&by(), shop.acme, named, "sub").await;
    assert_eq!(field(refused), "name");
    shop.desk.verify();
}

async fn what_is_no_tool_is_named(kind: Kind) {
    let shop = Shop::open(kind).await;
    let make = async |new: NewOwnTool| shop.services.create_rest_tool(&by(), shop.acme, shop.namespace, new).await;
    for (new, named) in [
        (NewOwnTool { name: "a/b".to_owned(), ..new_tool("x") }, "name"),
        (new_tool("add"), "name"),
        (NewOwnTool { short_description: "a\nb".to_owned(), ..new_tool("x") }, "short_description"),
        (NewOwnTool { group: Some(shop.tool.id.uuid().into()), ..new_tool("x") }, "tool_group_id"),
    ] {
        assert_eq!(field(make(new).await), named);
    }
    assert_eq!(shop.look().await.tools.len(), 1);
    // An MCP server says itself how its tools are called.
    let mcp = NewConnection { label: "M", kind: ConnectionKind::Mcp, url: "https://mcp.example" };
    let mcp = shop.services.create_connection(&by(), shop.acme, &mcp).await.unwrap();
    let new = NewOwnNamespace { name: "other", connection: mcp.id, readme_source_url: None };
    let other = shop.services.create_own_namespace(&by(), shop.acme, &new).await.unwrap();
    let refused = shop.services.create_rest_tool(&by(), shop.acme, other.id, new_tool("x")).await;
    assert_eq!(field(refused), "rest_path");
}

async fn units_count_where_the_group_is_priced_by_what_tools_return(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (services, named) = (&shop.services, (shop.namespace, shop.tool.id));
    let units = ArgumentsChange {
        unit_fields: Some(vec!["n".to_owned()]),
        credits_per_unit: Some("2.50".to_owned()),
        ..ArgumentsChange::default()
    };
    // With a fixed price they wait.
    services.set_tool_arguments(&by(), shop.acme, named, &units).await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    let group = (shop.namespace, shop.look().await.groups[0].id);
    let returned = engine::pricing::PricingSpec {
        pricing_mode: Some("tool_returned".to_owned()),
        returned_credit_cost_path: Some("$.cost".to_owned()),
        ..engine::pricing::PricingSpec::default()
    };
    services.set_group_pricing(&by(), shop.acme, group, &returned).await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    let snapshot = services.snapshot();
    let price = snapshot.find_offer("acme", "add").unwrap().tool.prices.in_force_at(shop.desk.now_us()).unwrap();
    let held = engine::pricing::worst_case(price, &json::parse(r#"{"n": 4}"#).unwrap()).unwrap();
    assert_eq!(held.micros(), 10_000_000);
    // Without units of its own a tool needs an estimate.
    let refused = services.create_rest_tool(&by(), shop.acme, shop.namespace, new_tool("sub")).await;
    assert_eq!(field(refused), "estimated_max_credit_cost");
    let rules = engine::pricing::PricingSpec { pricing_rules: true, ..fixed("1") };
    assert_eq!(field(services.set_group_pricing(&by(), shop.acme, group, &rules).await), "pricing_rules");
    let exponent = services.set_group_pricing(&by(), shop.acme, group, &fixed("1e3")).await;
    assert_eq!(field(exponent), "fixed_credit_cost");
    shop.desk.verify();
}
