//! The part `policies` of the console: its use cases.

use std::sync::Arc;

use engine::{
    audit::{Action, OpContext},
    catalog::Topics,
    dialect::Dialect,
    gateway::context::Hints,
    invocation::Surface,
    policy::{
        Policies, PolicySources, PolicyText, WrittenPolicy,
        chain::{SessionKind, Verdict},
    },
    pricing::PricingSpec,
    service::{
        Services,
        audit::AuditFilter,
        catalog::{DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredTool},
        explain::{Asker, NotExplained, PolicyCase, Question},
        policies::{FilePolicy, FilePublication, PolicyCheck, PolicyFilter, PolicyState, PolicyVersionError},
    },
    snapshot::{Billing, GatewaySetup},
};
use serde_json::json;

use super::{invocations::copy_call, shop::Shop};
use crate::ledger::desk::{Desk, Kind, SECOND_US, on_both};

on_both! {
    a_written_policy_keeps_its_comments_through_publication_and_rollback,
    the_same_form_sent_twice_keeps_one_draft,
    what_is_wrong_is_said_with_its_place,
    what_a_draft_changes_is_said_for_every_session,
    a_draft_knows_that_another_version_was_published_since,
    the_versions_are_a_list_with_pages_and_filters,
    a_call_is_explained_by_any_version,
    cases_are_tried_on_any_version,
    recorded_calls_are_decided_again_a_page_at_a_time,
}

pub(super) const BY: OpContext = OpContext::system();
/// Denies another tool than the first version does, and says why.
const WRITTEN: &str = "// of the house\n{\n  tools: {deny: ['right']}, // for now\n}\n";

fn tool(name: &str) -> DeclaredTool {
    DeclaredTool {
        name: name.to_owned(),
        short_description: String::new(),
        long_description: String::new(),
        topics: Topics::default(),
        input_schema: "{}".to_owned(),
        is_unverified_ok: true,
        method: "POST".to_owned(),
        url: "http://127.0.0.1:9/".to_owned(),
        mcp_tool: None,
        timeout_ms: 1_000,
        pricing: PricingSpec {
            pricing_mode: Some("fixed_per_request".to_owned()),
            fixed_credit_cost: Some("0".to_owned()),
            ..PricingSpec::default()
        },
        fingerprint: name.to_owned(),
    }
}

/// A gateway with the tools `acme/left` and `acme/right`, of which version 1 denies the left one.
pub(super) async fn house(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    services.complete_facts().await.unwrap();
    let namespace = DeclaredNamespace {
        name: "acme".to_owned(),
        description: String::new(),
        listing_name: None,
        topics: Topics::default(),
        tools: vec![tool("left"), tool("right")],
        fingerprint: "1".to_owned(),
    };
    let publisher = DeclaredPublisher {
        slug: "acme".to_owned(),
        display_name: "Acme".to_owned(),
        share_bps: 8_000,
        namespaces: vec![namespace],
        fingerprint: "1".to_owned(),
    };
    let catalog = DeclaredCatalog { publishers: vec![publisher], ..DeclaredCatalog::default() };
    services.import(&BY, &catalog).await.unwrap();
    services.set_up_gateway(Arc::new(GatewaySetup {
        dialect: Dialect::from_text(policies::dialects::FASED).unwrap(),
        schema: policies::SCHEMA,
        base: policies::BASE,
        namespaces: vec!["acme".to_owned()],
        billing: Billing::default(),
    }));
    let first = WrittenPolicy { chain: json!({"tools": {"deny": ["left"]}}), operator: String::new() };
    let taken = services.import_policy(&BY, &first, FilePublication::IfNone).await.unwrap();
    assert!(matches!(taken, FilePolicy::Published(_)), "{taken:?}");
    services.open_gateway().await.unwrap();
    desk.clock.advance_us(SECOND_US);
    (desk, services)
}

pub(super) fn text(chain: &str, operator: &str) -> PolicyText {
    PolicyText { chain: chain.to_owned(), operator: operator.to_owned() }
}

/// What the audit trail tells of a version, the newest first.
async fn told(services: &Services, number: i64) -> Vec<(String, Option<String>)> {
    let filter =
        AuditFilter { action: Some("policy".to_owned()), object: Some(number.to_string()), ..AuditFilter::default() };
    let (rows, _) = services.list_audit(&filter, None, 10).await.unwrap();
    rows.into_iter().map(|row| (row.action, row.reason)).collect()
}

fn action(action: Action) -> String {
    Action::ALL.iter().find(|(known, _)| *known == action).unwrap().1.to_owned()
}

async fn a_written_policy_keeps_its_comments_through_publication_and_rollback(kind: Kind) {
    let (desk, services) = house(kind).await;
    let written = text(WRITTEN, "// nothing by night\n");
    let draft = services.draft_policy_text(&BY, &written, "Ann", "the other way round").await.unwrap();
    assert_eq!((draft.number, draft.state, draft.author.as_str()), (2, PolicyState::Draft, "Ann"));
    assert_eq!(told(&services, 2).await, [(action(Action::PolicyDraft), Some("the other way round".to_owned()))]);
    assert_eq!(services.snapshot().policies().number(), 1, "a draft decides nothing");

    services.publish_policy(&BY, 2, None).await.unwrap();
    assert_eq!(services.snapshot().policies().number(), 2);
    services.rollback_policy(&BY, Some(1), None, "Bob", "too strict").await.unwrap();
    let note = "rollback to version 1: too strict".to_owned();
    assert_eq!(told(&services, 3).await, [(action(Action::PolicyRollback), Some(note))]);
    let again = services.rollback_policy(&BY, Some(2), None, "Bob", "").await.unwrap();
    assert_eq!((again.number, again.note.as_str(), again.sha256), (4, "rollback to version 2", draft.sha256));
    for number in [2, 4] {
        let (_, kept) = services.find_policy_text(number).await.unwrap().unwrap();
        assert_eq!(kept, written, "version {number}");
        let (_, meant) = services.find_policy(number).await.unwrap().unwrap();
        assert_eq!(meant.chain, json!({"tools": {"deny": ["right"]}}));
    }
    let stale = services.rollback_policy(&BY, Some(1), Some(3), "Bob", "").await;
    assert!(matches!(stale, Err(PolicyVersionError::Stale(3))), "version 4 is in force by now: {stale:?}");
    assert_eq!(services.snapshot().policies().number(), 4);
    services.rollback_policy(&BY, Some(1), Some(4), "Bob", "").await.unwrap();
    let long = services.rollback_policy(&BY, Some(1), None, "Bob", &"x".repeat(500)).await;
    assert!(matches!(long, Err(PolicyVersionError::Note)), "{long:?}");
    assert_eq!(services.find_policy_text(99).await.unwrap(), None);
    desk.verify();
}

async fn the_same_form_sent_twice_keeps_one_draft(kind: Kind) {
    let (desk, services) = house(kind).await;
    let keep = async |chain: &str, author: &str, note: &str| {
        services.draft_policy_text(&BY, &text(chain, ""), author, note).await.unwrap().number
    };
    assert_eq!(keep(WRITTEN, "Ann", "a").await, 2);
    assert_eq!(keep(WRITTEN, "Ann", "a").await, 2);
    assert_eq!(told(&services, 2).await.len(), 1);
    assert_eq!(keep(WRITTEN, "Ann", "b").await, 3, "another note is another draft");
    assert_eq!(keep(WRITTEN, "Bob", "b").await, 4);
    services.publish_policy(&BY, 4, None).await.unwrap();
    assert_eq!(keep(WRITTEN, "Bob", "b").await, 5, "what was published is no draft any more");
    desk.verify();
}

async fn what_is_wrong_is_said_with_its_place(kind: Kind) {
    let (_desk, services) = house(kind).await;
    let wrong = text("{\n  tools: {profile: 'nothing',\n    deny: 5},\n}", "\nforbid (principal, action, resource);");
    let check = services.check_policy(&wrong.read().unwrap()).await.unwrap();
    let PolicyCheck::Wrong(faults) = check else { panic!("{check:?}") };
    let places: Vec<_> = faults
        .iter()
        .map(|fault| (fault.path.as_ref().map(|path| wrong.places().around(path).to_string()), fault.line))
        .collect();
    assert_eq!(places[..2], [(Some("3:5".to_owned()), None), (Some("2:11".to_owned()), None)], "{faults:?}");
    assert!(places.len() > 2 && places[2..].iter().all(|place| *place == (None, Some(2))), "{faults:?}");
    assert!(faults[2..].iter().any(|fault| fault.message.contains("`@id`")), "{faults:?}");

    let kept = services.draft_policy_text(&BY, &wrong, "Ann", "x").await;
    assert!(matches!(&kept, Err(PolicyVersionError::Broken(lines)) if lines.len() >= 3), "{kept:?}");
    let kept = services.draft_policy_text(&BY, &text("{\n  tools: ", ""), "Ann", "x").await;
    let Err(PolicyVersionError::Broken(lines)) = kept else { panic!("{kept:?}") };
    assert!(lines[0].starts_with("2:") && lines[0].contains("not valid JSON5"), "{lines:?}");
    let kept = services.draft_policy_text(&BY, &text("{}", ""), "Ann", "a\nb").await;
    assert!(matches!(kept, Err(PolicyVersionError::Note)), "{kept:?}");
    assert_eq!(services.list_policies(None, 10).await.unwrap().len(), 1, "nothing was kept");

    let odd = text("{tools: {deny: ['nobody_has_this']}}", "");
    let check = services.check_policy(&odd.read().unwrap()).await.unwrap();
    let PolicyCheck::Right(policies) = check else { panic!("{check:?}") };
    let oddities = policies.oddities();
    assert_eq!(oddities[0].key.as_deref(), Some("tools.deny"), "{oddities:?}");
}

async fn what_a_draft_changes_is_said_for_every_session(kind: Kind) {
    let (_desk, services) = house(kind).await;
    let night = "@id(\"house.night\") @reason(\"Not now.\")
                 forbid (principal, action == Action::\"invokeMarketplace\", resource);";
    let written = text(WRITTEN, night);
    let policy = written.read().unwrap();
    let PolicyCheck::Right(policies) = services.check_policy(&policy).await.unwrap() else { panic!("it is right") };
    let (_, compared) = services.compare_with_published(policies, night).await.unwrap();
    let compared = compared.unwrap();
    assert_eq!(compared.counts(), (2, 2), "the main session and the subagents: {compared:?}");
    let main = compared.sessions.iter().find(|change| change.session == SessionKind::Main).unwrap();
    assert_eq!(
        (&main.agent, &main.allowed, &main.denied),
        (&None, &vec!["acme/left".to_owned()], &vec!["acme/right".to_owned()])
    );
    let operator: Vec<_> = compared.operator.iter().map(|(id, change)| (id.as_str(), change.as_str())).collect();
    assert_eq!(operator, [("house.night", "new")]);

    let (_, first) = services.find_policy(1).await.unwrap().unwrap();
    assert_eq!(services.compare_policies(&first, &policy).await.unwrap(), compared);
    let back = services.compare_policies(&policy, &first).await.unwrap();
    assert_eq!((back.counts(), back.operator[0].1.as_str()), ((2, 2), "gone"));
    assert!(services.compare_policies(&first, &first).await.unwrap().is_empty());
}

async fn a_draft_knows_that_another_version_was_published_since(kind: Kind) {
    let (desk, services) = house(kind).await;
    let one = services.draft_policy_text(&BY, &text(WRITTEN, ""), "Ann", "one").await.unwrap();
    desk.clock.advance_us(SECOND_US);
    let two = services.draft_policy_text(&BY, &text("{}", ""), "Bob", "two").await.unwrap();
    assert_eq!(services.find_newer_policy(&one).await.unwrap(), None);
    desk.clock.advance_us(SECOND_US);
    let stale = services.publish_policy(&BY, two.number, Some(two.number)).await;
    assert!(matches!(stale, Err(PolicyVersionError::Stale(_))), "{stale:?}");
    let two = services.publish_policy(&BY, two.number, None).await.unwrap();
    assert_eq!(services.find_newer_policy(&one).await.unwrap(), Some((two.number, Some(1))));
    assert_eq!(services.find_newer_policy(&two).await.unwrap(), None, "it is no draft");
    let at = async |us: i64| {
        let found = services.find_policy_in_force_at(us).await.unwrap();
        found.map(|version| version.number)
    };
    assert_eq!(at(one.created_us).await, Some(1));
    assert_eq!(at(desk.now_us()).await, Some(two.number));
    assert_eq!(at(0).await, None);
}

async fn the_versions_are_a_list_with_pages_and_filters(kind: Kind) {
    let (_desk, services) = house(kind).await;
    for number in 2..=53 {
        let author = if number % 2 == 0 { "Ann" } else { "100%" };
        let kept = services.draft_policy_text(&BY, &text("{}", ""), author, &number.to_string()).await.unwrap();
        assert_eq!(kept.number, number);
    }
    let page = async |filter: &PolicyFilter, before: Option<i64>| {
        let listed = services.list_policy_versions(filter, before).await.unwrap();
        (listed.rows.iter().map(|version| version.number).collect::<Vec<_>>(), listed.next)
    };
    let all = PolicyFilter::default();
    let (first, next) = page(&all, None).await;
    assert_eq!((first.len(), first[0], next.as_deref()), (50, 53, Some("4")));
    assert_eq!(page(&all, Some(4)).await, (vec![3, 2, 1], None));
    let published = PolicyFilter { state: Some(PolicyState::Published), ..PolicyFilter::default() };
    assert_eq!(page(&published, None).await, (vec![1], None));
    let author = PolicyFilter { author: "100%".to_owned(), ..PolicyFilter::default() };
    assert_eq!(page(&author, None).await.0.len(), 26);
    let author = PolicyFilter { author: "aNN".to_owned(), ..PolicyFilter::default() };
    assert_eq!(page(&author, None).await.0.len(), 26, "in any case");
    let nobody = PolicyFilter { author: "1%".to_owned(), ..PolicyFilter::default() };
    assert_eq!(page(&nobody, None).await, (Vec::new(), None), "a percent sign stands for itself");
}

fn question(desk: &Desk, tool: &str) -> Question {
    Question {
        surface: Surface::Gateway,
        tool: tool.to_owned(),
        caller: Asker::Payer,
        session_key: None,
        agent_id: None,
        hints: Hints::default(),
        is_owner: true,
        at_us: desk.now_us(),
    }
}

async fn a_call_is_explained_by_any_version(kind: Kind) {
    let (desk, services) = house(kind).await;
    let draft = services.draft_policy_text(&BY, &text(WRITTEN, ""), "Ann", "x").await.unwrap();
    let denied = async |version: Option<i64>, tool: &str| {
        let by = services.explain_by(version, &question(&desk, tool)).await.unwrap();
        let chain = by.explained.explanation.chain.unwrap();
        let causes = chain.steps.iter().filter_map(|step| match &step.verdict {
            Verdict::Denied(cause) => Some((cause.key.clone(), cause.entry.clone())),
            _ => None,
        });
        (by.number, causes.collect::<Vec<_>>())
    };
    let by_tools = |entry: &str| vec![("tools.deny".to_owned(), entry.to_owned())];
    assert_eq!(denied(None, "left").await, (1, by_tools("left")));
    assert_eq!(denied(Some(1), "right").await, (1, Vec::new()));
    assert_eq!(denied(Some(draft.number), "right").await, (2, by_tools("right")));
    assert_eq!(denied(Some(draft.number), "acme/left").await, (2, Vec::new()));
    let refused = async |version: Option<i64>, tool: &str| {
        services.explain_by(version, &question(&desk, tool)).await.unwrap_err()
    };
    assert!(matches!(refused(Some(99), "left").await, NotExplained::NoVersion(99)));
    assert!(matches!(refused(None, "nobody_has_this").await, NotExplained::NoTool(_)));
}

async fn cases_are_tried_on_any_version(kind: Kind) {
    let (_desk, services) = house(kind).await;
    let cases = PolicyCase::read_all(
        "[{says: 'left is shut', tool: 'left', expect: 'deny', by: ['tools.deny']},
          {tool: 'acme/right', expect: 'allow', is_owner: true},
          {tool: 'right', expect: 'deny'},
          {tool: 'nobody_has_this', expect: 'deny'}]",
    )
    .unwrap();
    let (_, first) = services.find_policy(1).await.unwrap().unwrap();
    let tried = services.try_policy_cases(&first, &cases, true).await.unwrap().unwrap();
    let wrong: Vec<Option<&str>> = tried.iter().map(Option::as_deref).collect();
    let wanted = [None, None, Some("is allowed by base.permit"), Some("there is no tool `nobody_has_this` here")];
    assert_eq!(wrong, wanted);
    let broken = WrittenPolicy { chain: json!({"tools": 5}), operator: String::new() };
    assert_eq!(services.try_policy_cases(&broken, &cases, true).await.unwrap(), None);
    let problems = PolicyCase::read_all("[{tool: 'x'}, {expect: 'deny', tol: 'x', at: 'noon'}]").unwrap_err();
    for part in
        ["case 1: the document needs the key `expect`", "case 2: `tol` is not a known key", "case 2: `at` is no time"]
    {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:?}");
    }
}

async fn recorded_calls_are_decided_again_a_page_at_a_time(kind: Kind) {
    let shop = Shop::open(kind).await;
    shop.paid_call("1").await;
    copy_call(&shop.desk, kind, 1_204, shop.desk.now_us()).await;
    let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
    let base = Arc::new(Policies::load(sources).unwrap());
    let replay = async |count: u64| shop.services.replay_calls(Arc::clone(&base), count).await.unwrap().calls;
    let all = replay(10_000).await;
    assert_eq!(all.len(), 1_205);
    assert!(all.windows(2).all(|pair| pair[0].call > pair[1].call), "the newest first, each once");
    assert!(all.iter().all(|call| call.was_allowed && call.is_allowed()));
    for count in [0, 1, 499, 500, 501, 1_000, 1_204] {
        assert_eq!(replay(count).await, all[..usize::try_from(count).unwrap()], "{count}");
    }
    // Whoever comes second waits for the first one, and gets the same.
    let (here, there) = tokio::join!(replay(1_000), replay(1_000));
    assert_eq!((here.len(), here), (1_000, there));
}
