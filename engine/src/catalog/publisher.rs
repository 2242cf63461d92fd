//! Who sells.

use super::named_values;
use crate::id::PublisherId;

/// Who sells tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// Its name for programs.
    pub id: PublisherId,
    /// Its name for people.
    pub display_name: String,
    /// Its share of every charge, in basis points.
    pub share_bps: u16,
    /// Whether its tools can be called.
    pub state: PublisherState,
}

named_values! {
    /// Whether a publisher's tools can be called.
    PublisherState {
        /// They can.
        Active = "active",
        /// None of them can.
        Suspended = "suspended",
    }
}
