//! Servers, namespaces and groups.

use engine::{
    id::{ConnectionId, NamespaceId, ToolGroupId},
    limits::{FORMER_NAME_DAYS, FORMER_NAMES_MAX},
    service::publishing::{
        ConnectionKind, GroupChange, NamespaceChange, NewConnection, NewGroup, NewOwnNamespace, PublishingError, SetUp,
    },
};

use super::{ALICE, BOB, Shop, account_of, by, connection, field, fixed, new_tool, open, publisher};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    a_server_goes_when_nothing_refers_to_it,
    a_namespace_has_a_slug_of_its_own,
    under_its_old_name_nobody_finds_it,
    a_name_that_was_given_up_is_kept_for_its_publisher,
    names_are_not_hoarded_by_renaming,
    of_a_group_that_goes_the_tools_stay,
    all_of_it_is_set_up_or_nothing,
}

async fn a_server_goes_when_nothing_refers_to_it(kind: Kind) {
    let shop = Shop::open(kind).await;
    let globex = publisher(&shop.services, BOB, "Globex").await;
    let used = shop.look().await.connection.unwrap();
    let refused = shop.services.remove_connection(&by(), shop.acme, used).await;
    assert!(matches!(&refused, Err(PublishingError::Conflict(why)) if why.contains("`acme`")), "{refused:?}");
    let unknown = ConnectionId::from(shop.namespace.uuid());
    for (of, id) in [(globex, used), (shop.acme, unknown)] {
        let removed = shop.services.remove_connection(&by(), of, id).await;
        assert!(matches!(removed, Err(PublishingError::NotFound("connection"))), "{removed:?}");
        let shown = shop.services.load_connection(of, id).await;
        assert!(matches!(shown, Err(PublishingError::NotFound("connection"))), "{shown:?}");
    }
    let spare = connection(&shop.services, shop.acme).await;
    assert_eq!(shop.services.list_connections(shop.acme).await.unwrap().len(), 2);
    shop.services.remove_connection(&by(), shop.acme, spare).await.unwrap();
    assert_eq!(shop.services.list_connections(shop.acme).await.unwrap().len(), 1);
    for (label, url, named) in
        [("a\nb", "https://a.example", "label"), ("a", "file:///etc/passwd", "mcp_url"), ("a", "a", "mcp_url")]
    {
        let new = NewConnection { label, kind: ConnectionKind::Mcp, url };
        assert_eq!(field(shop.services.create_connection(&by(), shop.acme, &new).await), named);
    }
    shop.desk.verify();
}

async fn a_namespace_has_a_slug_of_its_own(kind: Kind) {
    let shop = Shop::open(kind).await;
    let connection = shop.look().await.connection.unwrap();
    for name in [
        "a",
        "-a",
        "a-",
        "A b",
        "ä",
        "public",
        "quick-setup",
        "acme",
        "5f6f1234-0000-4000-8000-000000000001",
        "00000000000070008000000000000000",
        &"x".repeat(65),
    ] {
        let new = NewOwnNamespace { name, connection, readme_source_url: None };
        let refused = shop.services.create_own_namespace(&by(), shop.acme, &new).await;
        assert_eq!(field(refused), "namespace", "{name}");
    }
    let globex = publisher(&shop.services, BOB, "Globex").await;
    let new = NewOwnNamespace { name: "globex", connection, readme_source_url: None };
    let refused = shop.services.create_own_namespace(&by(), globex, &new).await;
    assert_eq!(field(refused), "connection_id", "somebody else's");
    assert_eq!(shop.desk.number("SELECT count(*) FROM namespace"), 1);
    for text in ["acme".to_owned(), shop.namespace.to_string(), shop.namespace.uuid().hyphenated().to_string()] {
        assert_eq!(shop.services.find_own_namespace(shop.acme, &text).await.unwrap(), shop.namespace);
        let foreign = shop.services.find_own_namespace(globex, &text).await;
        assert!(matches!(foreign, Err(PublishingError::NotFound("namespace"))), "{foreign:?}");
    }
}

async fn under_its_old_name_nobody_finds_it(kind: Kind) {
    let shop = Shop::open(kind).await;
    let there = shop.desk.services_of(engine::store::Ledger::without_writer()).await;
    let renamed = NamespaceChange { name: Some("acme2".to_owned()), ..NamespaceChange::default() };
    shop.services.change_own_namespace(&by(), shop.acme, shop.namespace, &renamed).await.unwrap();
    shop.services.rename_tool(&by(), shop.acme, (shop.namespace, shop.tool.id), "sum").await.unwrap();
    there.follow_changes().await.unwrap();
    for server in [&shop.services, &there] {
        let snapshot = server.snapshot();
        for old in [("acme", "add"), ("acme", "sum"), ("acme2", "add")] {
            assert!(snapshot.find_offer(old.0, old.1).is_none(), "{old:?}");
        }
        assert_eq!(snapshot.find_offer("acme2", "sum").unwrap().tool.id, shop.tool.id);
    }
    // Names are stated in the books: the verifier compares them.
    shop.desk.verify();
    let foreign = NamespaceId::from(shop.tool.id.uuid());
    let unknown = shop.services.change_own_namespace(&by(), shop.acme, foreign, &renamed).await;
    assert!(matches!(unknown, Err(PublishingError::NotFound("namespace"))), "{unknown:?}");
}

impl Shop {
    async fn rename(&self, name: &str) -> Result<(), PublishingError> {
        let renamed = NamespaceChange { name: Some(name.to_owned()), ..NamespaceChange::default() };
        self.services.change_own_namespace(&by(), self.acme, self.namespace, &renamed).await.map(drop)
    }
}

async fn a_name_that_was_given_up_is_kept_for_its_publisher(kind: Kind) {
    let shop = Shop::open(kind).await;
    let globex = publisher(&shop.services, BOB, "Globex").await;
    let server = connection(&shop.services, globex).await;
    let take = async |name: &str| {
        let new = NewOwnNamespace { name, connection: server, readme_source_url: None };
        shop.services.create_own_namespace(&by(), globex, &new).await
    };
    let mine = take("globex").await.unwrap().id;
    let given_up_us = shop.desk.now_us();
    shop.rename("acme2").await.unwrap();
    let free_us = given_up_us + FORMER_NAME_DAYS * 86_400 * SECOND_US;
    // Neither a new namespace nor another one of a stranger's gets it.
    let refused = take("acme").await;
    assert!(matches!(refused, Err(PublishingError::NameKept { until_us, .. }) if until_us == free_us), "{refused:?}");
    let renamed = NamespaceChange { name: Some("acme".to_owned()), ..NamespaceChange::default() };
    let refused = shop.services.change_own_namespace(&by(), globex, mine, &renamed).await;
    assert!(matches!(refused, Err(PublishingError::NameKept { until_us, .. }) if until_us == free_us), "{refused:?}");
    // Its own publisher takes it back, and gives it up again: the time begins anew.
    shop.rename("acme").await.unwrap();
    assert_eq!(shop.desk.rows("SELECT name FROM former_name").concat(), ["acme2"]);
    shop.desk.clock.advance_us(SECOND_US);
    shop.rename("acme3").await.unwrap();
    shop.desk.clock.advance_us(FORMER_NAME_DAYS * 86_400 * SECOND_US - 1);
    assert!(matches!(take("acme").await, Err(PublishingError::NameKept { .. })), "a microsecond too early");
    shop.desk.clock.advance_us(1);
    take("acme").await.unwrap();
    assert_eq!(shop.desk.number("SELECT count(*) FROM former_name WHERE name = 'acme'"), 0);
    // An operator frees one before.
    shop.rename("acme4").await.unwrap();
    assert!(matches!(take("acme3").await, Err(PublishingError::NameKept { .. })));
    shop.services.free_former_name(&by(), "acme3", Some("both asked for it")).await.unwrap();
    take("acme3").await.unwrap();
    let again = shop.services.free_former_name(&by(), "acme3", None).await;
    assert!(matches!(again, Err(PublishingError::NotFound(_))), "{again:?}");
    assert_eq!(shop.audit("namespace.free_name"), 1);
    shop.desk.verify();
}

async fn names_are_not_hoarded_by_renaming(kind: Kind) {
    let shop = Shop::open(kind).await;
    for number in 0..FORMER_NAMES_MAX {
        shop.rename(&format!("acme-{number}")).await.unwrap();
    }
    let refused = shop.rename("one-too-many").await;
    assert!(matches!(refused, Err(PublishingError::Conflict(_))), "{refused:?}");
    shop.desk.clock.advance_us(FORMER_NAME_DAYS * 86_400 * SECOND_US);
    shop.rename("one-too-many").await.unwrap();
}

async fn of_a_group_that_goes_the_tools_stay(kind: Kind) {
    let shop = Shop::open(kind).await;
    let (services, of) = (&shop.services, shop.acme);
    let new = NewGroup { name: "Dear".to_owned(), ..NewGroup::default() };
    let dear = services.create_group(&by(), of, shop.namespace, &new).await.unwrap();
    assert_eq!(field(services.create_group(&by(), of, shop.namespace, &new).await), "name");
    let renamed = GroupChange { name: Some("Dearer".to_owned()), ..GroupChange::default() };
    services.change_group(&by(), of, (shop.namespace, dear.id), &renamed).await.unwrap();
    services.set_group_pricing(&by(), of, (shop.namespace, dear.id), &fixed("5")).await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    assert_eq!(shop.price(("acme", "add")), 0);
    services.set_tool_group(&by(), of, (shop.namespace, shop.tool.id), dear.id).await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    assert_eq!(shop.price(("acme", "add")), 5_000_000);
    let nowhere = ToolGroupId::from(shop.tool.id.uuid());
    let refused = services.set_tool_group(&by(), of, (shop.namespace, shop.tool.id), nowhere).await;
    assert_eq!(field(refused), "tool_group_id");
    services.remove_group(&by(), of, (shop.namespace, dear.id)).await.unwrap();
    shop.desk.clock.advance_us(SECOND_US);
    assert_eq!(shop.price(("acme", "add")), 0, "that of the default group");
    let left = shop.look().await;
    assert_eq!((left.groups.len(), left.tools[0].group), (1, Some(left.groups[0].id)));
    let refused = services.remove_group(&by(), of, (shop.namespace, left.groups[0].id)).await;
    assert!(matches!(refused, Err(PublishingError::Conflict(_))), "{refused:?}");
    shop.desk.verify();
}

async fn all_of_it_is_set_up_or_nothing(kind: Kind) {
    let (desk, services) = open(kind).await;
    let alice = account_of(&services, ALICE).await;
    let new = NewConnection { label: "Mine", kind: ConnectionKind::Rest, url: "https://upstream.example" };
    let tables = ["publisher", "connection", "namespace", "tool_group", "tool", "price_version", "audit", "txn"];
    let counts = || tables.map(|table| desk.number(&format!("SELECT count(*) FROM {table}")));
    let before = counts();
    let set_up =
        |tools| SetUp { register_as: Some("Acme"), connection: new, namespace: "acme", readme_source_url: None, tools };
    let broken = services.set_up_namespace(&by(), alice, set_up(vec![new_tool("add"), new_tool("a/b")])).await;
    assert_eq!(field(broken), "name");
    let twice = services.set_up_namespace(&by(), alice, set_up(vec![new_tool("add"), new_tool("add")])).await;
    assert_eq!(field(twice), "name");
    let nobody = SetUp { register_as: None, ..set_up(Vec::new()) };
    let nobody = services.set_up_namespace(&by(), alice, nobody).await;
    assert!(matches!(nobody, Err(PublishingError::NotAPublisher)), "{nobody:?}");
    assert_eq!(counts(), before, "nothing of it was done");
    let made = services.set_up_namespace(&by(), alice, set_up(vec![new_tool("add"), new_tool("sub")])).await.unwrap();
    assert_eq!((made.tools.len(), made.groups.len(), made.connection.is_some()), (2, 1, true));
    desk.verify();
}
