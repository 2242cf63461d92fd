//! What people and agents find a tool by, beside its name and its descriptions.

/// What something is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topics {
    /// Its category, for narrowing a search down.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
}

/// How a namespace presents itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Its title, where that is not the slug.
    pub name: Option<String>,
    /// What it is for.
    pub description: String,
    /// What it is about.
    pub topics: Topics,
    /// Its picture: the name of an asset, or a URL.
    pub icon: Option<String>,
}
