//! A request of somebody. Who it is, is found out before anything else of it is looked at, its body included: a handler that has an
//! [`Asked`] has nobody to refuse any more.

use std::{cell::Cell, collections::BTreeMap, future::Future, ops::Deref, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, dev,
    web::{Data, Payload},
};
use engine::{audit::OpContext, code::Code, limits::BODY_BYTES_MAX};
use utoipa::openapi::{RefOr, Response};

use super::{body::read_body, problem::Problem};
use crate::state::AppState;

/// What a handler answers.
pub type Answer = Result<HttpResponse, Problem>;

/// Somebody whom a kind of route is for.
pub trait Known: Sized + 'static {
    /// Finds out who asks, and whether they may.
    fn find(request: &HttpRequest, state: &AppState) -> impl Future<Output = Result<Self, Problem>>;

    /// What the audit trail says of who asks.
    fn context(&self, state: &AppState) -> OpContext;
}

/// A request with who asks. The first part of a handler's arguments, but for what stands in the path.
pub struct Asked<W> {
    who: W,
    /// What all handlers share.
    pub state: Data<AppState>,
    /// What was asked.
    pub request: HttpRequest,
    payload: Cell<Option<Payload>>,
}

impl<W> std::fmt::Debug for Asked<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Asked({})", self.request.path())
    }
}

impl<W> Deref for Asked<W> {
    type Target = W;

    fn deref(&self) -> &W {
        &self.who
    }
}

impl<W: Known> Asked<W> {
    /// What the audit trail says of who asks.
    pub fn context(&self) -> OpContext {
        self.who.context(&self.state)
    }

    /// The body as text.
    ///
    /// # Errors
    /// As for [`read_body`].
    pub async fn body(&self) -> Result<String, Problem> {
        self.body_within(BODY_BYTES_MAX).await
    }

    /// The body as text, at most `bytes_max` bytes of it.
    ///
    /// # Errors
    /// As for [`read_body`].
    pub async fn body_within(&self, bytes_max: usize) -> Result<String, Problem> {
        read_body(self.payload()?, bytes_max, &self.state.config.limits).await
    }

    /// The body, unread. It is there once.
    ///
    /// # Errors
    /// It was taken before.
    pub fn payload(&self) -> Result<Payload, Problem> {
        self.payload.take().ok_or_else(|| Problem::new(Code::Internal, "the body was read before"))
    }
}

impl<W: Known> FromRequest for Asked<W> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, taken) = (request.clone(), Payload::from_request(request, payload));
        Box::pin(async move {
            let broken = |what: &str| Problem::new(Code::Internal, format!("the request has no {what}"));
            let state = request.app_data::<Data<AppState>>().cloned().ok_or_else(|| broken("state"))?;
            let who = W::find(&request, &state).await?;
            let payload = taken.await.map_err(|_none| broken("body"))?;
            Ok(Self { who, state, request, payload: Cell::new(Some(payload)) })
        })
    }
}

/// How whoever is not meant is refused, for the description of the interface: nobody is known, or `forbidden`, or too many requests.
pub fn refusals(forbidden: &str) -> BTreeMap<String, RefOr<Response>> {
    [("401", "No valid token"), ("403", forbidden), ("429", "This caller asks too fast, or has too much under way")]
        .map(|(status, description)| (status.to_owned(), RefOr::T(Response::new(description))))
        .into()
}
