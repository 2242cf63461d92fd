//! Is the program alive, and may it be sent work?

use actix_web::{HttpResponse, web};
use engine::code::Code;
use serde_json::json;

use super::problem::Problem;
use crate::state::AppState;

/// The process answers.
#[utoipa::path(get, path = "/healthz", responses((status = OK, description = "The process answers")))]
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// The ledger writes, and the program is not about to stop.
#[utoipa::path(get, path = "/readyz", responses(
    (status = OK, description = "Ready for work"),
    (status = SERVICE_UNAVAILABLE, description = "Stopping, or the database is away")
))]
pub(crate) async fn readyz(state: web::Data<AppState>) -> Result<HttpResponse, Problem> {
    if state.in_flight.is_stopping() {
        return Err(Problem::new(Code::Overloaded, "the server is stopping").retry_after_s(1));
    }
    state.services.ledger.tick().await?;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}
