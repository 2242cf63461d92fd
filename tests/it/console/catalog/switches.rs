//! Publishers, namespaces and tools are stopped, and go on.

use engine::{
    audit::Action,
    credits::Credits,
    id::PublisherId,
    invocation::CallState,
    service::{
        Services,
        catalog::{CatalogError, Switch, ToolStanding},
    },
    store::Ledger,
};

use super::{add_tool, by, count_audit, record_call, shop};
use crate::ledger::desk::{Kind, SECOND_US, on_both};

on_both! {
    a_switch_stops_exactly_what_is_below_it_on_every_server,
    a_switch_says_before_what_it_stops,
}

async fn a_switch_stops_exactly_what_is_below_it_on_every_server(kind: Kind) {
    let (desk, here, add) = shop(kind).await;
    let there = desk.services_of(Ledger::without_writer()).await;
    let publisher = here.find_publisher("acme").await.unwrap().unwrap().id;
    let namespace = here.find_namespace("acme").await.unwrap().unwrap().id;
    let standing = async || here.find_tool(add).await.unwrap().unwrap().profile.standing();
    let is_stopped = |server: &Services| {
        use engine::catalog::{NamespaceState, PublisherState, ToolState};
        let snapshot = server.snapshot();
        let offer = snapshot.find_offer("acme", "add").unwrap();
        let seller = offer.seller.as_ref().unwrap();
        offer.tool.state != ToolState::Active
            || seller.namespace.state != NamespaceState::Active
            || seller.publisher.state != PublisherState::Active
    };
    for (switch, expected) in [
        (Switch::Publisher(publisher), ToolStanding::PublisherSuspended),
        (Switch::Namespace(namespace), ToolStanding::NamespaceSuspended),
        (Switch::Tool(add), ToolStanding::Disabled),
    ] {
        let turn = async |is_stopped: bool, reason: &'static str| match switch {
            Switch::Publisher(id) => here.set_publisher_suspended(&by(), id, is_stopped, reason).await,
            Switch::Namespace(id) => here.set_namespace_suspended(&by(), id, is_stopped, reason).await,
            Switch::Tool(id) => here.set_tool_disabled(&by(), id, is_stopped, reason).await,
        };
        assert!(matches!(turn(false, "x").await, Err(CatalogError::AlreadySo(false))));
        assert!(matches!(turn(true, "").await, Err(CatalogError::Reason)));
        for (stopped, standing_then) in [(true, expected), (false, ToolStanding::Active)] {
            turn(stopped, "an incident").await.unwrap();
            there.follow_changes().await.unwrap();
            assert_eq!((is_stopped(&here), is_stopped(&there)), (stopped, stopped), "{switch:?}");
            assert_eq!(standing().await, standing_then);
            assert!(matches!(turn(stopped, "x").await, Err(CatalogError::AlreadySo(so)) if so == stopped));
        }
    }
    for action in [
        Action::PublisherSuspend,
        Action::PublisherResume,
        Action::NamespaceSuspend,
        Action::NamespaceResume,
        Action::ToolDisable,
        Action::ToolEnable,
    ] {
        assert_eq!(count_audit(&desk, action), 1, "{action:?}");
    }
    let told = desk.rows("SELECT before_json, after_json, reason FROM audit WHERE action = 'tool.disable'");
    assert_eq!(told, [[r#"{"suspended":false}"#, r#"{"suspended":true}"#, "an incident"]]);
    let nobody = here.set_publisher_suspended(&by(), PublisherId::from(add.uuid()), true, "x").await;
    assert!(matches!(nobody, Err(CatalogError::NotFound("publisher"))), "{nobody:?}");
    desk.verify();
}

async fn a_switch_says_before_what_it_stops(kind: Kind) {
    let (desk, services, add) = shop(kind).await;
    let publisher = services.find_publisher("acme").await.unwrap().unwrap().id;
    let namespace = services.find_namespace("acme").await.unwrap().unwrap().id;
    let list = add_tool(&services, namespace, "list", "0").await;
    let off = add_tool(&services, namespace, "off", "0").await;
    services.set_tool_disabled(&by(), off, true, "not yet").await.unwrap();
    record_call(&desk, add, CallState::Succeeded, 5_000_000).await;
    // More than a day ago by the time of the look.
    desk.clock.advance_us(86_400 * SECOND_US);
    for (tool, state, charged) in [
        (add, CallState::Succeeded, 5_000_000),
        (add, CallState::Failed, 0),
        (list, CallState::Succeeded, 0),
        (off, CallState::Denied, 0),
    ] {
        record_call(&desk, tool, state, charged).await;
    }
    desk.clock.advance_us(SECOND_US);
    let of_publisher = services.preview_switch(Switch::Publisher(publisher)).await.unwrap();
    assert_eq!(
        (of_publisher.tools, of_publisher.named.as_slice()),
        (2, &["acme/add", "acme/list"].map(str::to_owned)[..])
    );
    let recent = of_publisher.recent;
    assert_eq!((recent.calls, recent.failed, recent.charged), (3, 1, Credits::from_micros(5_000_000)));
    assert_eq!(recent.since_us, desk.now_us() - 86_400 * SECOND_US, "the whole day was looked at");
    assert_eq!(services.preview_switch(Switch::Namespace(namespace)).await.unwrap().tools, 2);
    assert_eq!(services.preview_switch(Switch::Tool(off)).await.unwrap().named, ["acme/off"]);
    // What something else has stopped neither stops nor goes on.
    services.set_publisher_suspended(&by(), publisher, true, "an incident").await.unwrap();
    assert_eq!(services.preview_switch(Switch::Publisher(publisher)).await.unwrap().tools, 2);
    assert_eq!(services.preview_switch(Switch::Namespace(namespace)).await.unwrap().tools, 0);
    assert_eq!(services.preview_switch(Switch::Tool(add)).await.unwrap().tools, 0);
    let (recent, took) = services.recent_calls_of(list).await.unwrap();
    assert_eq!((recent.calls, took.iter().map(|part| part.calls).sum::<usize>()), (1, 1));
    assert!(took.iter().all(|part| part.failed == 0));
    let (_, took) = services.recent_calls_of(add).await.unwrap();
    let failed: Vec<(usize, usize)> =
        took.iter().filter(|part| part.calls > 0).map(|part| (part.calls, part.failed)).collect();
    assert_eq!(failed, [(2, 1)]);
}
