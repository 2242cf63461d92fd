//! Recorded calls, decided again by a draft.

use std::sync::Arc;

use engine::{
    clock::{Clock, SystemClock},
    dialect::Dialect,
    invocation::Surface,
    policy::{Policies, PolicySources, WrittenPolicy},
    service::{Services, explain::Asker, policies::Replayed},
    snapshot::{Billing, GatewaySetup},
    store::Database,
    testing::SeededIds,
};
use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    on_both_databases,
    program::Server,
    upstream::Upstream,
    wire,
};

use super::{ALICE, TOKEN, configure_with, policy_without, send};
use crate::rows;

on_both_databases!(a_draft_says_which_recorded_calls_it_would_turn_over);

/// The service over the home's database, as a process that only reads has it.
async fn services(home: &Home) -> Services {
    let url = home.database().map_or_else(|| format!("sqlite://{}", home.file().display()), |database| database.url());
    let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let ids = Arc::new(SeededIds::new(7));
    let db = Database::open(&url).await.unwrap();
    let services = Services::read_only(db, clock, ids, Policies::load(sources).unwrap()).await.unwrap();
    services.set_up_gateway(Arc::new(GatewaySetup {
        dialect: Dialect::from_text(policies::dialects::FASED).unwrap(),
        schema: policies::SCHEMA,
        base: policies::BASE,
        namespaces: vec!["acme".to_owned()],
        billing: Billing::default(),
    }));
    services
}

/// What flips, as `session tool was-allowed denied-by-now`, sorted.
fn flips(replayed: &Replayed) -> Vec<String> {
    let mut flips: Vec<String> = replayed
        .flips()
        .map(|flip| {
            let session = flip.session_key.as_deref().unwrap_or("marketplace");
            let now = flip.decision.as_ref().map(|decision| decision.determining[0].to_string());
            format!("{session} {} {} {}", flip.tool, flip.was_allowed, now.unwrap_or_default())
        })
        .collect();
    flips.sort_unstable();
    flips
}

fn a_draft_says_which_recorded_calls_it_would_turn_over(kind: Kind) {
    let (home, upstream) = (Home::on(kind), Upstream::answering("{}"));
    configure_with(home.path(), &upstream, &policy_without(home.path(), "left"), &json!({}));
    let server = Server::start(home.path());
    let group = "agent:a:slack:group:g1";
    let in_group = |body: &Value| {
        let headers = [("authorization", &*format!("Bearer {TOKEN}")), ("x-fased-message-channel", "slack")];
        let bytes = wire::request("POST", "/tools/invoke", &headers, &body.to_string());
        wire::send(server.address().parse().unwrap(), bytes.as_bytes()).unwrap().status
    };
    let on_gateway = |tool: &str| send(&server, "/tools/invoke", TOKEN, &json!({"tool": tool})).status;
    let on_marketplace = |tool: &str| send(&server, &format!("/invoke/acme/{tool}"), ALICE, &json!({})).status;
    let tools = ["left", "acme/right", "agents_list", "nobody_has_this"];
    assert_eq!(tools.map(on_gateway), [404, 200, 200, 404]);
    assert_eq!(in_group(&json!({"tool": "right", "sessionKey": group})), 200);
    assert_eq!(["left", "right"].map(on_marketplace), [403, 200]);
    assert_eq!(server.stop(), Some(0), "everything is recorded");
    let recorded = "SELECT requested, channel, is_owner FROM invocation WHERE session_key = 'agent:a:slack:group:g1'";
    let recorded = rows::of_home(&home, recorded);
    assert_eq!(recorded[0][..2], ["right", "slack"], "{recorded:?}");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let services = services(&home).await;
        let replay = async |chain: Value, operator: &str, count: u64| {
            let draft = WrittenPolicy { chain, operator: operator.to_owned() };
            let policies = Arc::new(services.compile_policy(&draft).await.unwrap());
            services.replay_calls(policies, count).await.unwrap()
        };
        let cedar = std::fs::read_to_string(home.path().join("without-left.cedar")).unwrap();
        let agents = json!({"list": [{"id": "a"}, {"id": "b"}]});
        let same = replay(json!({"agents": agents, "tools": {"deny": ["left"]}}), &cedar, 100).await;
        assert_eq!((same.calls.len(), flips(&same)), (6, Vec::new()), "a tool that is not there was never decided on");

        // Another chain, and nothing on the marketplace any more.
        let group_only = json!({"slack": {"groups": {"g1": {"tools": {"deny": ["right"]}}}}});
        let other =
            replay(json!({"agents": agents, "tools": {"deny": ["agents_list"]}, "channels": group_only}), "", 100)
                .await;
        let wanted = [
            "agent:a:main agents_list true tools.deny",
            "agent:a:main left false base.permit",
            "agent:a:slack:group:g1 right true channels.slack.groups.g1.tools.deny",
            "marketplace acme/left false base.permit",
        ];
        assert_eq!(flips(&other), wanted);
        let cells = [(true, true), (true, false), (false, true), (false, false)];
        assert_eq!(cells.map(|(was, is)| other.cell(was, is).count()), [2, 2, 2, 0]);

        // What a recorded call asked can be asked again.
        let recorded = other.calls.iter().find(|call| call.session_key.as_deref() == Some(group)).unwrap();
        let question = services.find_recorded_question(recorded.call).await.unwrap().unwrap();
        assert_eq!((question.tool.as_str(), question.session_key.as_deref()), ("right", Some(group)));
        assert_eq!((question.hints.channel.as_deref(), question.is_owner), (Some("slack"), true));
        let customers = other.calls.iter().find(|call| call.tool == "acme/left").unwrap();
        let question = services.find_recorded_question(customers.call).await.unwrap().unwrap();
        assert_eq!((question.surface, question.tool.as_str()), (Surface::Marketplace, "acme/left"));
        assert!(matches!(question.caller, Asker::Token { end_user: None, .. }), "{question:?}");
        let one = replay(json!({"tools": {"deny": ["*"]}}), "", 1).await;
        assert_eq!((one.calls.len(), one.flips().count()), (1, 0), "the newest, on the marketplace: {one:?}");
    });
}
