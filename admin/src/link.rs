//! The pages behind a single-use link: set a password, perhaps confirm an address. No script, no foreign resource.

use askama::Template;

pub use askama::Error as RenderError;

/// The style of these pages; the server serves it as `/auth/page.css`.
pub const STYLE: &str = include_str!("../static/page.css");

/// The form that sets a password.
#[derive(Debug, Template)]
#[template(path = "link/form.html")]
pub struct Form<'a> {
    /// Whose account.
    pub email: &'a str,
    /// Sending it also confirms the address.
    pub is_verifying: bool,
    /// What was wrong with the last attempt, as a sentence.
    pub problem: Option<&'a str>,
    /// Shortest password, in characters.
    pub chars_min: usize,
    /// Longest password, in characters.
    pub chars_max: usize,
}

/// The page after a password was set.
#[derive(Debug, Template)]
#[template(path = "link/done.html")]
pub struct Done<'a> {
    /// Whose account.
    pub email: &'a str,
    /// Its address is confirmed.
    pub is_verified: bool,
    /// Where to sign in, without a trailing slash.
    pub base_url: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "link/gone.html")]
struct Gone;

/// Writes the form.
///
/// # Errors
/// The page could not be written.
pub fn render_form(form: &Form<'_>) -> Result<String, RenderError> {
    form.render()
}

/// Writes the page after a password was set.
///
/// # Errors
/// The page could not be written.
pub fn render_done(done: &Done<'_>) -> Result<String, RenderError> {
    done.render()
}

/// Writes the page of a link that is unknown, used or expired.
///
/// # Errors
/// The page could not be written.
pub fn render_gone() -> Result<String, RenderError> {
    Gone.render()
}

#[cfg(test)]
mod tests;
