//! The policies as data: the Cedar schema and the policies that stand under every call. Their cases are in `cases/`.
//!
//! The engine does not know this crate: whoever starts it hands these texts over.
#![deny(missing_docs)]

/// The entity types, attributes and actions that policies can speak about, in Cedar's schema language.
pub const SCHEMA: &str = include_str!("../schema.cedarschema");

/// The policies under every call: one permit, and what never passes.
pub const BASE: &str = include_str!("../base.cedar");
