//! Where things have their pages. Parts of the console link to each other through here, so that nothing leads nowhere.

use std::sync::LazyLock;

use super::routes;
use crate::{
    console::{ROOT, Verb},
    kit::Cell,
};

/// The pages that there are, with their variables in braces.
static SHOWN: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let shown = routes().into_iter().filter(|route| route.verb == Verb::Get);
    shown.map(|route| route.path).collect()
});

/// Where the page at `path` is, which is below the root and may have a query; empty if there is none.
pub(super) fn href(path: &str) -> String {
    let page = path.split_once('?').map_or(path, |(page, _)| page);
    let is_shown = SHOWN.iter().any(|pattern| fits(pattern, page));
    if is_shown { format!("{ROOT}{path}") } else { String::new() }
}

/// Words that lead to the page at `path`, or stand for themselves if there is none.
pub(super) fn link(text: impl Into<String>, path: &str) -> Cell {
    let href = href(path);
    if href.is_empty() { Cell::text(text) } else { Cell::link(text, href) }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests;
