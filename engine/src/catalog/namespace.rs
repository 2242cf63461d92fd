//! A publisher's slug.

use std::sync::Arc;

use super::{Listing, named_values};
use crate::id::{NamespaceId, PublisherId};

/// A publisher's slug with its tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name for programs, for ever.
    pub id: NamespaceId,
    /// The slug; see [`super::check_slug`].
    pub name: String,
    /// Whose it is.
    pub publisher: PublisherId,
    /// Whether its tools can be called.
    pub state: NamespaceState,
    /// Whether it was approved: before that, only its publisher knows of it.
    pub is_public: bool,
    /// How it presents itself.
    pub listing: Arc<Listing>,
}

named_values! {
    /// How far a namespace has come. Only the tools of an active one can be called.
    NamespaceState {
        /// Being written.
        Draft = "draft",
        /// Handed in, nobody has looked at it yet.
        Pending = "pending",
        /// Being looked at.
        Review = "review",
        /// Approved and public.
        Active = "active",
        /// Stopped by its publisher or an operator.
        Suspended = "suspended",
    }
}
