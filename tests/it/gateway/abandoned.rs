//! A caller that goes away between the hold and the dispatch.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use engine::{
    catalog::Topics,
    clock::Clock,
    credits::Credits,
    id::{IdSource, InvocationId},
    invocation::Surface,
    policy::{Policies, PolicySources},
    pricing::PricingSpec,
    service::{
        Services,
        catalog::{DeclaredAccount, DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredTool},
        invoke::{Answer, AnswerTemplate, AnswerWriter, Call, Completion},
    },
    store::Database,
    upstream::{Upstream, UpstreamAnswer, UpstreamRequest},
};

use crate::ledger::desk::Desk;

const EMAIL: &str = "alice@example.com";

/// Counts what reaches it.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Upstream for Counting {
    async fn call(&self, _: UpstreamRequest) -> UpstreamAnswer {
        self.0.fetch_add(1, Ordering::SeqCst);
        UpstreamAnswer::Completed { result: None, meta: None }
    }
}

struct Empty;

impl AnswerWriter for Empty {
    fn template(&self, _: &Completion) -> AnswerTemplate {
        AnswerTemplate { status: 200, fill: Box::new(|_| "{}".into()) }
    }
}

fn catalog() -> DeclaredCatalog {
    let pricing = PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some("50".to_owned()),
        ..PricingSpec::default()
    };
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
        pricing,
        fingerprint: "1".to_owned(),
    };
    let namespace = DeclaredNamespace {
        name: "acme".to_owned(),
        description: String::new(),
        listing_name: None,
        topics: Topics::default(),
        tools: vec![tool],
        fingerprint: "1".to_owned(),
    };
    let account = DeclaredAccount {
        email: EMAIL.to_owned(),
        is_verified: true,
        password: None,
        grant: Credits::from_micros(100_000_000),
        tokens: Vec::new(),
        caps: Vec::new(),
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
        accounts: vec![account],
        ..DeclaredCatalog::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_dropped_before_its_dispatch_gives_money_and_key_back_and_is_never_dispatched() {
    let desk = Desk::open().await;
    let db = Database::open(&desk.url()).await.unwrap();
    let policies = Policies::load(PolicySources { schema: policies::SCHEMA, policies: policies::BASE }).unwrap();
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdSource>) = (desk.clock.clone(), desk.ids.clone());
    let services = Arc::new(Services::start(db, desk.ledger().clone(), clock, ids, policies).await.unwrap());
    services.import(&engine::audit::OpContext::system(), &catalog()).await.unwrap();
    let principal = services.find_principal_by_email(EMAIL).await.unwrap().unwrap();
    let wallet = match &principal.owner {
        engine::service::access::Owner::Account(account) => account.wallet,
        engine::service::access::Owner::Partner(_) => panic!("an account"),
    };
    let upstream = Arc::new(Counting::default());
    let call = || Call {
        id: InvocationId::new(&*services.ids, services.clock.now_us()),
        surface: Surface::Marketplace,
        principal: Some(Arc::clone(&principal)),
        end_user: None,
        gateway: None,
        offer: Arc::clone(services.snapshot().find_offer("acme", "tool").unwrap()),
        snapshot: services.snapshot(),
        arguments: "{}".into(),
        key: Some("k-1".into()),
        unknown_resolves_after_us: 1_000_000,
    };
    {
        let mut abandoned = pin!(services.invoke(&upstream, Arc::new(Empty), call()));
        // As far as it comes by itself: the ledger has been asked, nobody has waited for its answer.
        poll_fn(|context| {
            assert!(abandoned.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    // Everything that was asked before this is written before it: the same queue.
    let answered = loop {
        let answered = services.invoke(&upstream, Arc::new(Empty), call()).await.unwrap();
        match answered.answer {
            Answer::InFlight => tokio::task::yield_now().await,
            _ => break answered,
        }
    };
    assert!(matches!(answered.answer, Answer::Complete { .. }), "the key is free: {answered:?}");
    assert_eq!(upstream.0.load(Ordering::SeqCst), 1, "the abandoned call was never dispatched");
    let balance = services.load_balance(wallet, services.clock.now_us()).await.unwrap();
    assert_eq!((balance.balance, balance.reserved), (Credits::from_micros(50_000_000), Credits::ZERO));
}
