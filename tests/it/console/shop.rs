//! A small market whose tool says itself what a call costs: calls go all the way through the services.

use std::sync::Arc;

use engine::{
    audit::OpContext,
    catalog::Topics,
    credits::Credits,
    id::InvocationId,
    invocation::Surface,
    ledger::caps::CapWindow,
    pricing::PricingSpec,
    service::{
        Services,
        access::{CapOwner, Principal},
        catalog::{DeclaredAccount, DeclaredCap, DeclaredCatalog, DeclaredNamespace, DeclaredPublisher, DeclaredTool},
        invoke::{Answer, AnswerTemplate, AnswerWriter, Answered, Call, Completion},
    },
    upstream::{Upstream, UpstreamAnswer, UpstreamRequest},
};

use crate::ledger::desk::{Desk, Kind, SECOND_US};

pub(super) const ALICE: &str = "alice@example.com";
/// A call costs 2 + 1.5 × what the tool says, and at most 10.
pub(super) const MOST: i64 = 10_000_000;

/// A tool that answers what it is told to.
struct Saying(UpstreamAnswer);

impl Upstream for Saying {
    async fn call(&self, _: UpstreamRequest) -> UpstreamAnswer {
        self.0.clone()
    }
}

struct Empty;

impl AnswerWriter for Empty {
    fn template(&self, _: &Completion) -> AnswerTemplate {
        AnswerTemplate { status: 200, fill: Box::new(|_| "{}".into()) }
    }
}

fn tool(name: &str, pricing: PricingSpec) -> DeclaredTool {
    DeclaredTool {
        name: name.to_owned(),
        short_description: format!("The tool {name}"),
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
    }
}

fn catalog(cap: Option<i64>) -> DeclaredCatalog {
    let text = |text: &str| Some(text.to_owned());
    let returned = PricingSpec {
        pricing_mode: text("tool_returned"),
        returned_credit_cost_path: text("$.cost"),
        returned_credit_multiplier: text("1.5"),
        base_credit_cost: text("2"),
        estimated_max_credit_cost: text("10"),
        ..PricingSpec::default()
    };
    let free =
        PricingSpec { pricing_mode: text("fixed_per_request"), fixed_credit_cost: text("0"), ..PricingSpec::default() };
    let namespace = DeclaredNamespace {
        name: "acme".to_owned(),
        description: "Tools of Acme".to_owned(),
        listing_name: None,
        topics: Topics::default(),
        tools: vec![tool("dear", returned), tool("free", free)],
        fingerprint: "1".to_owned(),
    };
    let caps = cap.map(|credits| DeclaredCap {
        per: CapOwner::Account,
        window: CapWindow::Day,
        limit: Credits::from_micros(credits),
    });
    DeclaredCatalog {
        publishers: vec![DeclaredPublisher {
            slug: "acme".to_owned(),
            display_name: "Acme Tools".to_owned(),
            share_bps: 8_000,
            namespaces: vec![namespace],
            fingerprint: "1".to_owned(),
        }],
        accounts: vec![DeclaredAccount {
            email: ALICE.to_owned(),
            is_verified: true,
            password: None,
            grant: Credits::from_micros(1_000_000_000),
            tokens: Vec::new(),
            caps: caps.into_iter().collect(),
            fingerprint: "1".to_owned(),
        }],
        ..DeclaredCatalog::default()
    }
}

/// The market with its books.
pub(super) struct Shop {
    pub(super) desk: Desk,
    pub(super) services: Arc<Services>,
    principal: Arc<Principal>,
}

impl Shop {
    pub(super) async fn open(kind: Kind) -> Self {
        Self::open_with_cap(kind, None).await
    }

    /// With a cap on what Alice spends in a day, in micro-credits.
    pub(super) async fn open_with_cap(kind: Kind, cap: Option<i64>) -> Self {
        let desk = Desk::open_on(kind).await;
        let services = Arc::new(desk.services().await);
        services.complete_facts().await.unwrap();
        services.import(&OpContext::system(), &catalog(cap)).await.unwrap();
        desk.clock.advance_us(SECOND_US);
        let principal = services.find_principal_by_email(ALICE).await.unwrap().unwrap();
        Self { desk, services, principal }
    }

    /// Alice calls `tool`, which answers like this.
    pub(super) async fn call(&self, tool: &str, key: Option<&str>, answer: UpstreamAnswer) -> Answered {
        let now_us = self.desk.now_us();
        let snapshot = self.services.snapshot();
        let call = Call {
            id: InvocationId::new(&*self.services.ids, now_us),
            surface: Surface::Marketplace,
            principal: Some(Arc::clone(&self.principal)),
            end_user: None,
            gateway: None,
            offer: Arc::clone(snapshot.find_offer("acme", tool).unwrap()),
            snapshot,
            arguments: "{}".into(),
            key: key.map(Into::into),
            unknown_resolves_after_us: 3_600 * SECOND_US,
        };
        let answered = self.services.invoke(&Arc::new(Saying(answer)), Arc::new(Empty), call).await.unwrap();
        // Records of calls that moved no money follow behind the answer.
        self.services.ledger.tick().await.unwrap();
        self.desk.clock.advance_us(1_000);
        answered
    }

    /// A call that the tool says costs `cost`.
    pub(super) async fn paid_call(&self, cost: &str) -> InvocationId {
        let result = Some(format!("{{\"cost\": {cost}}}"));
        let answered = self.call("dear", None, UpstreamAnswer::Completed { result, meta: None }).await;
        assert!(matches!(answered.answer, Answer::Complete { .. }), "{answered:?}");
        answered.id
    }

    /// A call that the tool fails.
    pub(super) async fn failed_call(&self) -> InvocationId {
        let answer = UpstreamAnswer::Failed { detail: "a test".to_owned(), message: None };
        self.call("dear", None, answer).await.id
    }

    /// A call of which nobody knows how it ended.
    pub(super) async fn unknown_call(&self) -> InvocationId {
        self.call("dear", None, UpstreamAnswer::Unknown { detail: "a test".to_owned() }).await.id
    }

    pub(super) async fn free_call(&self) -> InvocationId {
        self.call("free", None, UpstreamAnswer::Completed { result: None, meta: None }).await.id
    }

    /// Alice is suspended from now on, and calls.
    pub(super) async fn denied_call(&mut self) -> InvocationId {
        let account = self.services.find_account_called(ALICE).await.unwrap().unwrap();
        self.services.set_account_suspended(&OpContext::system(), account, true, "a test").await.unwrap();
        self.principal = self.services.find_principal_by_email(ALICE).await.unwrap().unwrap();
        let answered = self.call("dear", None, UpstreamAnswer::Completed { result: None, meta: None }).await;
        assert!(matches!(answered.answer, Answer::Denied { .. }), "{answered:?}");
        answered.id
    }
}
