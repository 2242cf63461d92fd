//! What publishers do themselves, through the services, on both databases.

mod live;
mod namespaces;
mod operators;
mod pictures;
mod profile;
mod public;
mod reviews;
mod sales;
mod secrets;
mod tools;

use std::sync::Arc;

use engine::{
    audit::OpContext,
    catalog::Visibility,
    credits::Credits,
    id::{AccountId, ConnectionId, NamespaceId, PublisherId},
    json,
    pricing::PricingSpec,
    publishing::{rest::RestShape, schema::CheckedSchema},
    sealing::Sealing,
    service::{
        Services,
        catalog::{DeclaredAccount, DeclaredCatalog},
        publishing::{
            ConnectionKind, CredentialSetup, NewConnection, NewOwnNamespace, NewOwnTool, OwnNamespace, OwnTool,
            OwnUpstream, ProfileChange, PublishingError,
        },
    },
};

use crate::ledger::desk::{Desk, Kind, SECOND_US};

const ALICE: &str = "alice@example.com";
const BOB: &str = "bob@example.com";

fn by() -> OpContext {
    OpContext::system()
}

fn account(email: &str) -> DeclaredAccount {
    DeclaredAccount {
        email: email.to_owned(),
        is_verified: true,
        password: None,
        grant: Credits::from_micros(1_000_000_000),
        tokens: Vec::new(),
        caps: Vec::new(),
        fingerprint: "1".to_owned(),
    }
}

fn setup(key: u8) -> Arc<CredentialSetup> {
    Arc::new(CredentialSetup { sealing: Sealing::new(&[key; 32]).unwrap() })
}

/// A desk with two accounts.
async fn open(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    services.complete_facts().await.unwrap();
    services.set_up_credentials(setup(7));
    let catalog = DeclaredCatalog { accounts: vec![account(ALICE), account(BOB)], ..DeclaredCatalog::default() };
    services.import(&by(), &catalog).await.unwrap();
    (desk, services)
}

async fn account_of(services: &Services, email: &str) -> AccountId {
    services.find_principal_by_email(email).await.unwrap().unwrap().account().unwrap()
}

async fn publisher(services: &Services, email: &str, name: &str) -> PublisherId {
    let profile = ProfileChange { display_name: Some(name.to_owned()), ..ProfileChange::default() };
    let account = account_of(services, email).await;
    services.register_publisher(&by(), account, &profile).await.unwrap().id
}

async fn connection(services: &Services, of: PublisherId) -> ConnectionId {
    let new = NewConnection { label: "Mine", kind: ConnectionKind::Rest, url: "https://upstream.example/api?key=k" };
    services.create_connection(&by(), of, &new).await.unwrap().id
}

async fn namespace(services: &Services, of: PublisherId, name: &str) -> NamespaceId {
    let new = NewOwnNamespace { name, connection: connection(services, of).await, readme_source_url: None };
    services.create_own_namespace(&by(), of, &new).await.unwrap().id
}

fn shape(text: &str) -> RestShape {
    RestShape::read(&json::parse(text).unwrap()).unwrap()
}

fn new_tool(name: &str) -> NewOwnTool {
    NewOwnTool {
        name: name.to_owned(),
        short_description: format!("The tool {name}"),
        long_description: String::new(),
        input_schema: Some(
            CheckedSchema::new(
                r#"{"type":"object","properties":{"q":{"type":"string"},"n":{"type":"integer"}},"required":["q","n"]}"#
                    .to_owned(),
            )
            .unwrap(),
        ),
        visibility: Visibility::Public,
        group: None,
        upstream: OwnUpstream::Rest(shape(r#"{"rest_method": "POST", "rest_path": "/add"}"#)),
    }
}

async fn tool(services: &Services, of: PublisherId, namespace: NamespaceId, name: &str) -> OwnTool {
    services.create_rest_tool(&by(), of, namespace, new_tool(name)).await.unwrap()
}

fn fixed(credits: &str) -> PricingSpec {
    PricingSpec {
        pricing_mode: Some("fixed_per_request".to_owned()),
        fixed_credit_cost: Some(credits.to_owned()),
        ..PricingSpec::default()
    }
}

/// The field that a refusal names.
fn field<T: std::fmt::Debug>(refused: Result<T, PublishingError>) -> String {
    match refused {
        Err(PublishingError::Field(fault)) => fault.field,
        Err(PublishingError::Price(error)) => error.field().to_owned(),
        other => panic!("no field is named: {other:?}"),
    }
}

/// A desk where Alice, who is Acme, has the namespace `acme` with the tool `add`.
struct Shop {
    desk: Desk,
    services: Services,
    acme: PublisherId,
    namespace: NamespaceId,
    tool: OwnTool,
}

impl Shop {
    async fn open(kind: Kind) -> Self {
        let (desk, services) = open(kind).await;
        let acme = publisher(&services, ALICE, "Acme").await;
        let namespace = namespace(&services, acme, "acme").await;
        let tool = tool(&services, acme, namespace, "add").await;
        desk.clock.advance_us(SECOND_US);
        Self { desk, services, acme, namespace, tool }
    }

    async fn look(&self) -> OwnNamespace {
        self.services.load_own_namespace(self.acme, self.namespace).await.unwrap()
    }

    /// What a call of the tool costs now, in micro-credits.
    fn price(&self, path: (&str, &str)) -> i64 {
        let snapshot = self.services.snapshot();
        let offer = snapshot.find_offer(path.0, path.1).unwrap();
        let price = offer.tool.prices.in_force_at(self.desk.now_us()).unwrap();
        engine::pricing::worst_case(price, &json::parse("{}").unwrap()).unwrap().micros()
    }

    /// Whether anybody knows of the tool, and whether Alice does.
    async fn known(&self, path: (&str, &str)) -> (bool, bool) {
        let alice = account_of(&self.services, ALICE).await;
        let snapshot = self.services.snapshot();
        let Some(offer) = snapshot.find_offer(path.0, path.1) else { return (false, false) };
        (offer.is_known_to(None), offer.is_known_to(Some(alice)))
    }

    fn audit(&self, action: &str) -> i64 {
        self.desk.number(&format!("SELECT count(*) FROM audit WHERE action = '{action}'"))
    }
}
