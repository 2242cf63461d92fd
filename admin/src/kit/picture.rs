//! A picture that was uploaded here.

use askama::Template;

/// A picture.
#[derive(Debug, Template)]
#[template(path = "kit/picture.html")]
pub struct Picture {
    /// Where it is, on this server.
    pub src: String,
    /// What it shows, for who cannot see it.
    pub alt: String,
}
