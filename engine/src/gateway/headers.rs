//! The headers of a request, as texts.

use std::borrow::Cow;

/// The headers of a request in the order in which they came, names in lower case.
#[derive(Debug, Clone, Default)]
pub struct Headers<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> FromIterator<(&'a str, Cow<'a, str>)> for Headers<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, Cow<'a, str>)>>(headers: I) -> Self {
        Self(headers.into_iter().collect())
    }
}

impl Headers<'_> {
    /// The first value of a header.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }

    /// Every value of a header, in order.
    pub fn list<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }

    /// The only value of a header, trimmed, if something is left. Of several nobody knows which one a proxy wrote.
    pub fn only_text(&self, name: &str) -> Option<&str> {
        let is_repeated = self.0.iter().filter(|(known, _)| *known == name).nth(1).is_some();
        self.text(name).filter(|_| !is_repeated)
    }

    /// The first value of a header, trimmed, if something is left.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.find(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Whether a header came with which a proxy says for whom it asks; an empty one counts.
    pub fn are_forwarded(&self) -> bool {
        let is_forwarding =
            |name: &str| matches!(name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-");
        self.0.iter().any(|(name, _)| is_forwarding(name))
    }
}
