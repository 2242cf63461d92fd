//! One callable tool.

use std::sync::Arc;

use super::{ArgumentSchema, Topics, named_values};
use crate::{
    id::{NamespaceId, ToolId},
    pricing::PriceBook,
    publishing::{arguments::SetArguments, rest::RestShape},
    upstream::UpstreamTarget,
};

/// One callable tool, as the engine decides by it.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its name for programs, for ever.
    pub id: ToolId,
    /// Where it belongs; nowhere for a core tool.
    pub namespace: Option<NamespaceId>,
    /// Its name within the namespace; see [`super::check_tool_name`].
    pub name: String,
    /// One line about it.
    pub short_description: String,
    /// More about it; may be empty.
    pub long_description: String,
    /// What it is about, where that is not what its namespace is about.
    pub topics: Topics,
    /// What its arguments must look like, compiled once per version of the tool.
    pub schema: ArgumentSchema,
    /// The same as it was written, for showing.
    pub input_schema_text: Arc<str>,
    /// Where its calls go.
    pub upstream: Arc<UpstreamTarget>,
    /// Who may call it before their email address is verified.
    pub tier: Tier,
    /// Whether it is listed and callable for others than its publisher.
    pub visibility: Visibility,
    /// Whether it can be called.
    pub state: ToolState,
    /// What its calls cost, over time.
    pub prices: PriceBook,
    /// What its publisher has said of it.
    pub manner: Manner,
}

/// How a publisher wants a tool to be shown and called, beside its schema.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// What somebody could ask an agent to use it.
    pub example_prompts: Vec<String>,
    /// Where it stands among the tools of its namespace: the lowest first.
    pub display_order: i64,
    /// The arguments that its publisher sets.
    pub set_arguments: Option<Arc<SetArguments>>,
    /// How the request is made; `None`: the arguments are its body.
    pub shape: Option<Arc<RestShape>>,
}

named_values! {
    /// Which accounts may call a tool.
    Tier {
        /// Every account, while the tool's price is zero.
        Unverified = "unverified",
        /// Verified accounts only.
        Standard = "standard",
    }
}

named_values! {
    /// Who sees a tool.
    Visibility {
        /// Everybody.
        Public = "public",
        /// Its publisher.
        Private = "private",
    }
}

named_values! {
    /// Whether a tool can be called.
    ToolState {
        /// Not yet.
        Draft = "draft",
        /// It can.
        Active = "active",
        /// Not any more, for now.
        Suspended = "suspended",
    }
}
