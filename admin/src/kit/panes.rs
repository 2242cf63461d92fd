//! Texts beside each other, whose lines lead to one another.

use askama::Template;

use super::Link;

/// Texts beside each other.
#[derive(Debug, Default, Template)]
#[template(path = "kit/panes.html")]
pub struct Panes {
    /// From left to right.
    pub panes: Vec<Pane>,
}

/// One text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pane {
    /// What it is.
    pub caption: String,
    /// Its lines.
    pub lines: Vec<PaneLine>,
}

/// One line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PaneLine {
    /// What leads here; may be empty.
    pub id: String,
    /// The line.
    pub text: String,
    /// Where it leads, behind it.
    pub links: Vec<Link>,
}

impl PaneLine {
    /// A line that leads nowhere.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: text.into(), links: Vec::new() }
    }
}
