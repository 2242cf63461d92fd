//! Operators, their sessions and their approvals through the services, on both databases, with a clock that moves by hand.

use std::sync::Arc;

use engine::{
    audit::{AuditRow, OpContext},
    id::RequestId,
    operator::{
        Role,
        totp::{TotpSecret, step_at},
    },
    sealing::Sealing,
    service::{
        Services,
        audit::AuditFilter,
        operators::{
            ConsoleSetup, CreatedOperator, NewOperator, NewSession, OperatorProfile, OperatorSession, OperatorSignIn,
            OperatorSignInError,
        },
    },
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::ledger::desk::{Desk, Kind};

mod approvals;
mod factors;
mod links;
mod owners;
mod sessions;

const PASSWORD: &str = "quartz-lemur-9-umbrella-kiosk";
const OTHER_PASSWORD: &str = "seven-brass-teapots-under-8-bridges";

fn system() -> OpContext {
    OpContext::system()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// A database with services that can seal second factors.
async fn open(kind: Kind) -> (Desk, Services) {
    let desk = Desk::open_on(kind).await;
    let services = desk.services().await;
    set_up(&services);
    (desk, services)
}

fn set_up(services: &Services) {
    services.set_up_console(Arc::new(ConsoleSetup { sealing: Sealing::new(&[7; 32]).unwrap() }));
}

fn request(services: &Services) -> RequestId {
    RequestId::new(&*services.ids, services.clock.now_us())
}

async fn create(services: &Services, email: &str, roles: &[Role]) -> CreatedOperator {
    let name = email.split('@').next().unwrap();
    services.create_operator(&system(), NewOperator { email, name, roles }).await.unwrap()
}

/// An operator with [`PASSWORD`].
async fn operator(services: &Services, email: &str, roles: &[Role]) -> OperatorProfile {
    let made = create(services, email, roles).await;
    let link = made.link.secret.expose_secret();
    services.use_operator_link(request(services), link, &secret(PASSWORD)).await.unwrap()
}

async fn try_sign_in(
    services: &Services,
    email: &str,
    password: &str,
    code: Option<&str>,
) -> Result<NewSession, OperatorSignInError> {
    let password = secret(password);
    let sign_in = OperatorSignIn { email, password: &password, code, address: "192.0.2.7", user_agent: "a browser" };
    services.operator_sign_in(request(services), sign_in).await
}

async fn find(services: &Services, session: &NewSession) -> Option<OperatorSession> {
    services.find_operator_session(session.secret.expose_secret()).await.unwrap()
}

/// Signs in with [`PASSWORD`].
async fn sign_in(services: &Services, email: &str) -> (NewSession, OperatorSession) {
    let new = try_sign_in(services, email, PASSWORD, None).await.unwrap();
    let session = find(services, &new).await.unwrap();
    (new, session)
}

/// What an authenticator with this secret shows now.
fn code(services: &Services, seed: &str) -> String {
    TotpSecret::parse(seed).unwrap().code_at(step_at(services.clock.wall_us()))
}

/// Enrols a second factor in a fresh session; its secret.
async fn enrol(services: &Services, session: &OperatorSession) -> String {
    let offer = services.offer_factor(&session.operator);
    let by = session.context(request(services));
    services.enrol_factor(&by, session, &offer.seed, &code(services, &offer.seed)).await.unwrap();
    offer.seed
}

/// The whole audit trail, the newest row first.
async fn trail(services: &Services) -> Vec<AuditRow> {
    services.list_audit(&AuditFilter::default(), None, 1_000).await.unwrap().0
}

/// The newest rows' actions.
async fn newest(services: &Services, count: usize) -> Vec<String> {
    trail(services).await.into_iter().take(count).map(|row| row.action).collect()
}

fn is_refused<T>(result: &Result<T, OperatorSignInError>) -> bool {
    matches!(result, Err(OperatorSignInError::BadCredentials))
}
