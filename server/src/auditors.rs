//! Routes for auditors: the books, given away with an auditor's token.

use actix_web::{http::Method, web};

use crate::http::routes::{Mount, resource};

pub mod export;

/// The routes of this module.
pub fn configure(routes: &mut Mount<'_>) {
    routes.service(resource("/ledger/export", [(Method::GET, web::to(export::export))]));
}
