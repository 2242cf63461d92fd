//! The second copy of a form that has shown the password. It was sent with the first one, whose answer gives the session
//! another secret, and comes with the old one: `engine::service::operators` lets it in once more, and only it. It finds
//! then what the first copy did, instead of a sign-in with an empty form behind it.

use actix_web::{
    dev::ServiceRequest,
    web::{Bytes, Payload},
};
use engine::service::operators::{NewSession, SessionKey};

use super::{Console, Fault, Fields, STEP_UP_FORM};

/// A session for a form that comes with this secret, which is no session's; `None` if it is a stranger's. Only where a form
/// could be meant its body is read, and put back for the handler.
pub(super) async fn enter(
    console: &Console,
    request: &mut ServiceRequest,
    secret: &str,
) -> Result<Option<NewSession>, Fault> {
    let Some(key) = SessionKey::of(secret) else { return Ok(None) };
    let Some(echo) = console.services.find_echo(key).await? else { return Ok(None) };
    let payload = request.extract::<Payload>().await.map_err(|error| Fault::Broken(error.to_string()))?;
    let body = Fields::body(console, payload).await?;
    let fields = Fields::parse(&body)?;
    request.set_payload(Bytes::from(body).into());
    Ok(console.services.enter_by_echo(&echo, fields.text(STEP_UP_FORM)).await?)
}
