//! What a publisher changes of a namespace in public waits for an approval, whichever way it goes.

use engine::{
    catalog::Visibility,
    id::ToolId,
    json,
    limits::FORMER_NAME_DAYS,
    pricing::PricingSpec,
    service::publishing::{
        ArgumentsChange, NamespaceChange, NewOwnNamespace, OwnStatus, OwnTool, PublishAction, PublishingError,
        RestToolChange,
    },
};

use super::{Shop, by, field, namespace, new_tool, reviews::listing};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    nobody_pays_by_arguments_that_nobody_has_approved,
    a_tools_name_is_not_given_to_another_one_in_public,
    a_slug_is_kept_for_its_namespace,
    what_a_tool_says_of_itself_waits,
    a_new_tool_is_its_publishers_alone_until_it_is_approved,
}

const KEPT_US: i64 = FORMER_NAME_DAYS * 86_400 * SECOND_US;

fn set(static_args: Option<&str>, default_args: Option<&str>) -> ArgumentsChange {
    ArgumentsChange {
        static_args: static_args.map(str::to_owned),
        default_args: default_args.map(str::to_owned),
        ..ArgumentsChange::default()
    }
}

impl Shop {
    async fn set_arguments(&self, change: &ArgumentsChange) -> Result<OwnTool, PublishingError> {
        let done = self.services.set_tool_arguments(&by(), self.acme, (self.namespace, self.tool.id), change).await;
        self.desk.clock.advance_us(SECOND_US);
        done
    }

    async fn call_tool(&self, tool: ToolId, name: &str) -> Result<OwnTool, PublishingError> {
        self.services.rename_tool(&by(), self.acme, (self.namespace, tool), name).await
    }

    async fn add_tool(&self, name: &str) -> Result<OwnTool, PublishingError> {
        self.services.create_rest_tool(&by(), self.acme, self.namespace, new_tool(name)).await
    }

    async fn show_to(&self, tool: ToolId, visibility: Visibility) -> OwnTool {
        let of = (self.namespace, tool);
        self.services.set_tool_visibility(&by(), self.acme, of, visibility).await.unwrap()
    }

    async fn hand_in_and_approve(&self) {
        self.publish(PublishAction::Review).await.unwrap();
        self.approve().await.unwrap();
    }
}

/// Asserts that the name is kept until then.
fn assert_kept<T: std::fmt::Debug>(refused: &Result<T, PublishingError>, of: &str, until: i64) {
    assert!(
        matches!(refused, Err(PublishingError::NameKept { field, until_us }) if *field == of && *until_us == until),
        "{refused:?}"
    );
}

async fn nobody_pays_by_arguments_that_nobody_has_approved(kind: Kind) {
    let shop = Shop::open(kind).await;
    let units = |name: &str| ArgumentsChange {
        unit_fields: Some(vec![name.to_owned()]),
        credits_per_unit: Some("1".to_owned()),
        ..ArgumentsChange::default()
    };
    shop.set_arguments(&units("n")).await.unwrap();
    let returned = PricingSpec {
        pricing_mode: Some("tool_returned".to_owned()),
        returned_credit_cost_path: Some("$.cost".to_owned()),
        ..PricingSpec::default()
    };
    let group = (shop.namespace, shop.look().await.groups[0].id);
    shop.services.set_group_pricing(&by(), shop.acme, group, &returned).await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    // In a draft it is free, and whoever approves it sees what it is set to.
    shop.set_arguments(&set(Some(r#"{"q": "s3cret"}"#), Some(r#"{"n": 2}"#))).await.unwrap();
    let shown = shop.look().await.tools[0].set_arguments();
    assert_eq!(shown, [("q".to_owned(), None), ("n".to_owned(), Some("2".to_owned()))]);
    shop.edit(&listing()).await;
    shop.hand_in_and_approve().await;

    // In public it is another price.
    for (change, named) in [
        (set(Some(r#"{"q": "s3cret", "n": 100000}"#), Some("{}")), "mcp_static_args"),
        (set(None, Some(r#"{"n": 100000}"#)), "mcp_default_args"),
        (set(None, Some("{}")), "mcp_default_args"),
    ] {
        assert_eq!(field(shop.set_arguments(&change).await), named, "{change:?}");
    }
    shop.set_arguments(&set(Some(r#"{"q": "other"}"#), None)).await.unwrap();
    // What its publisher says of the price counts with the next approval; until then, the price in force does as well.
    shop.set_arguments(&units("q")).await.unwrap();
    assert_eq!(field(shop.set_arguments(&set(None, Some(r#"{"n": 3}"#))).await), "mcp_default_args");
    assert_eq!(field(shop.set_arguments(&set(Some(r#"{"q": 3}"#), None)).await), "mcp_static_args");
    let snapshot = shop.services.snapshot();
    let arguments = snapshot.find_offer("acme", "add").unwrap().tool.manner.set_arguments.clone().unwrap();
    let merged = arguments.merge("{}").unwrap();
    assert_eq!(json::parse(&merged).unwrap().get("n").unwrap().as_number(), Some("2"), "{merged}");

    shop.services.set_own_status(&by(), shop.acme, shop.namespace, OwnStatus::Draft).await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    shop.set_arguments(&set(Some(r#"{"q": 7}"#), Some(r#"{"n": 3}"#))).await.unwrap();
    let shown = shop.look().await.tools[0].set_arguments();
    assert_eq!(shown, [("q".to_owned(), Some("7".to_owned())), ("n".to_owned(), None)]);
    shop.desk.verify();
}

async fn a_tools_name_is_not_given_to_another_one_in_public(kind: Kind) {
    let shop = Shop::in_public(kind).await;
    let sub = shop.add_tool("sub").await.unwrap().id;
    shop.hand_in_and_approve().await;
    let until = shop.desk.now_us() + KEPT_US;
    shop.call_tool(shop.tool.id, "sum").await.unwrap();
    assert_kept(&shop.call_tool(sub, "add").await, "name", until);
    assert_kept(&shop.add_tool("add").await, "name", until);
    let server = shop.look().await.connection.unwrap();
    let imported =
        shop.services.import_own_tools(&by(), shop.acme, (shop.namespace, server), vec![new_tool("add")]).await;
    assert_kept(&imported, "name", until);
    // Its own tool takes it back, and gives it up again: the time begins anew.
    shop.call_tool(shop.tool.id, "add").await.unwrap();
    assert_eq!(shop.desk.rows("SELECT name FROM former_tool_name").concat(), ["sum"]);
    shop.desk.clock.advance_us(SECOND_US);
    let until = shop.desk.now_us() + KEPT_US;
    shop.call_tool(shop.tool.id, "sum").await.unwrap();
    shop.desk.clock.advance_us(KEPT_US - 1);
    assert_kept(&shop.call_tool(sub, "add").await, "name", until);
    shop.desk.clock.advance_us(1);
    shop.call_tool(sub, "add").await.unwrap();
    // A draft is looked at before anybody calls it: there every name is free, and none is kept.
    shop.services.set_own_status(&by(), shop.acme, shop.namespace, OwnStatus::Draft).await.unwrap();
    shop.call_tool(shop.tool.id, "sub").await.unwrap();
    assert_eq!(shop.desk.rows("SELECT name FROM former_tool_name").concat(), [""; 0]);
    shop.add_tool("sum").await.unwrap();
    shop.hand_in_and_approve().await;
    // Nor was one ever called that nobody has approved.
    let new = shop.add_tool("mul").await.unwrap().id;
    shop.call_tool(new, "times").await.unwrap();
    shop.add_tool("mul").await.unwrap();
    shop.desk.verify();
}

async fn a_slug_is_kept_for_its_namespace(kind: Kind) {
    let shop = Shop::in_public(kind).await;
    let other = namespace(&shop.services, shop.acme, "other").await;
    let rename = async |of, name: &str| {
        let renamed = NamespaceChange { name: Some(name.to_owned()), ..NamespaceChange::default() };
        shop.services.change_own_namespace(&by(), shop.acme, of, &renamed).await.map(drop)
    };
    let connection = shop.look().await.connection.unwrap();
    let create = async |name: &str| {
        let new = NewOwnNamespace { name, connection, readme_source_url: None };
        shop.services.create_own_namespace(&by(), shop.acme, &new).await.map(drop)
    };
    let until = shop.desk.now_us() + KEPT_US;
    rename(shop.namespace, "acme2").await.unwrap();
    assert_kept(&rename(other, "acme").await, "namespace", until);
    assert_kept(&create("acme").await, "namespace", until);
    rename(shop.namespace, "acme").await.unwrap();
    // That of a draft goes to another draft, which is looked at before it is in public; not to what is in public already.
    rename(other, "other2").await.unwrap();
    assert_kept(&rename(shop.namespace, "other").await, "namespace", until);
    create("other").await.unwrap();
    shop.desk.verify();
}

async fn what_a_tool_says_of_itself_waits(kind: Kind) {
    let shop = Shop::in_public(kind).await;
    let named = (shop.namespace, shop.tool.id);
    let wanted = RestToolChange {
        short_description: Some("Sells".to_owned()),
        long_description: Some("Everything".to_owned()),
        ..RestToolChange::default()
    };
    let tool = shop.services.change_rest_tool(&by(), shop.acme, named, &wanted).await.unwrap();
    assert_eq!((tool.short_description.as_str(), tool.long_description.as_str()), ("The tool add", ""));
    let broken = RestToolChange { short_description: Some("a\nb".to_owned()), ..RestToolChange::default() };
    let refused = shop.services.change_rest_tool(&by(), shop.acme, named, &broken).await;
    assert_eq!(field(refused), "short_description");
    let draft = shop.look().await.draft;
    let (_, staged) = draft.edit.tools.first().expect("it waits");
    assert_eq!(staged.short_description.as_deref(), Some("Sells"));
    assert_eq!(staged.long_description.as_deref(), Some("Everything"));
    shop.hand_in_and_approve().await;
    let tool = shop.look().await.tools.remove(0);
    assert_eq!((tool.short_description.as_str(), tool.long_description.as_str()), ("Sells", "Everything"));
    // A draft that was written before is still one.
    let old = format!(
        r#"{{"submitted":false,"tools":[{{"tool":"{}","short_description":"Adds"}}],"pricing":[]}}"#,
        shop.tool.id
    );
    shop.desk.change(&format!("UPDATE namespace SET draft_listing = '{old}'")).await;
    assert_eq!(shop.look().await.draft.edit.tools[0].1.short_description.as_deref(), Some("Adds"));
    shop.desk.verify();
}

async fn a_new_tool_is_its_publishers_alone_until_it_is_approved(kind: Kind) {
    let shop = Shop::in_public(kind).await;
    let sub = shop.add_tool("sub").await.unwrap();
    assert_eq!((sub.visibility, sub.staged_visibility), (Visibility::Private, Some(Visibility::Public)));
    assert_eq!(shop.known(("acme", "sub")).await, (false, true));
    let again = shop.show_to(sub.id, Visibility::Public).await;
    assert_eq!((again.visibility, again.staged_visibility), (Visibility::Private, Some(Visibility::Public)));
    assert_eq!(shop.known(("acme", "sub")).await, (false, true), "it waits, however often it is asked for");
    // What is thrown away was not approved.
    shop.services.discard_draft(&by(), shop.acme, shop.namespace).await.unwrap();
    assert!(shop.look().await.draft.is_empty());
    shop.show_to(sub.id, Visibility::Public).await;
    assert_eq!(shop.known(("acme", "sub")).await, (false, true));
    assert_eq!(shop.desk.number("SELECT count(*) FROM tool_document WHERE is_listed"), 1);
    shop.hand_in_and_approve().await;
    assert_eq!(shop.known(("acme", "sub")).await, (true, true));
    assert_eq!(shop.desk.number("SELECT count(*) FROM tool_document WHERE is_listed"), 2);
    // Who sees what was approved is its publisher's own word.
    for (visibility, is_known) in [(Visibility::Private, false), (Visibility::Public, true)] {
        shop.show_to(sub.id, visibility).await;
        assert_eq!(shop.known(("acme", "sub")).await, (is_known, true), "{visibility}");
    }
    let server = shop.look().await.connection.unwrap();
    shop.services.import_own_tools(&by(), shop.acme, (shop.namespace, server), vec![new_tool("mul")]).await.unwrap();
    assert_eq!(shop.known(("acme", "mul")).await, (false, true));
    shop.desk.verify();
}
