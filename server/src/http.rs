//! What all endpoints share: problems, authentication, bodies, limits.

pub mod address;
pub mod auth;
pub mod body;
pub mod health;
pub mod limits;
pub mod login_backoff;
pub mod problem;
pub mod routes;
