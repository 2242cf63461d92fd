//! The policies as data: the Cedar schema and the policies that stand under every call. Their cases are in `cases/`.
//!
//! The engine does not know this crate: whoever starts it hands these texts over.
#![deny(missing_docs)]

/// The entity types, attributes and actions that policies can speak about, in Cedar's schema language.
pub const SCHEMA: &str = include_str!("../schema.cedarschema");

/// The policies under every call: one permit, and what never passes.
pub const BASE: &str = include_str!("../base.cedar");

/// What the policies of the console can speak about, in Cedar's schema language.
pub const CONSOLE_SCHEMA: &str = include_str!("../console.cedarschema");

/// Who may do what in the console.
pub const CONSOLE: &str = include_str!("../console.cedar");

/// The dialects of the agent gateway: names, groups, profiles, deny lists and the shape of the endpoint, each a JSON5
/// text.
pub mod dialects {
    /// The Fased agent gateway.
    pub const FASED: &str = include_str!("../dialects/fased.json5");

    /// The ZERO gateway.
    pub const ZERO: &str = include_str!("../dialects/zero.json5");

    /// OpenClaw, newest version.
    pub const OPENCLAW: &str = include_str!("../dialects/openclaw.json5");
}
