//! `POST /tools/invoke` as rules: how a request is read, who may call, which session it belongs to, and what every
//! refusal looks like. What differs between the dialects is data ([`crate::dialect::HttpRules`]).
//!
//! Pure: headers and addresses come in as texts, times as numbers. Whether a tool may be used is the business of
//! [`crate::policy`], what it costs of [`crate::pricing`].

pub mod address;
pub mod auth;
pub mod builtin;
pub mod context;
pub mod headers;
pub mod limiter;
pub mod request;
pub mod session_key;
pub mod sessions;

#[cfg(test)]
mod tests;
