//! The frame around every page: the menu, who is signed in, where one is.

use askama::Template;
use engine::policy::console::ConsoleAction;

use super::{Fault, ROOT, Visit, assets};
use crate::{
    kit::{Link, Page},
    text::t,
};

/// A part of the console, as the menu names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    /// The key of its name.
    pub(crate) key: &'static str,
    /// Where it begins, below [`ROOT`].
    pub(crate) path: &'static str,
    /// Who sees it.
    pub(crate) needs: ConsoleAction,
}

struct MenuEntry {
    text: String,
    href: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "console/page.html", blocks = ["main"])]
struct Framed<'a> {
    page: &'a Page,
    menu: Vec<MenuEntry>,
    /// Name of who is signed in; empty where nobody is.
    operator: &'a str,
    /// The page that stands open beside this one; empty where none does. Without scripts it is a link.
    opened: &'a str,
    root: &'static str,
    css: String,
    js: String,
    htmx: String,
}

#[derive(Template)]
#[template(path = "console/plain.html")]
struct Plain<'a> {
    title: &'a str,
    detail: &'a str,
    root: &'static str,
    css: String,
}

/// The whole page, or only what stands inside the frame.
pub(super) fn render(visit: &Visit, page: &Page) -> Result<String, Fault> {
    let here = visit.path.strip_prefix(ROOT).unwrap_or_default();
    let menu = crate::pages::SECTIONS.iter().filter(|section| visit.may(section.needs)).map(|section| MenuEntry {
        text: t(section.key),
        href: format!("{ROOT}{}", section.path),
        is_here: here == section.path || (section.path != "/" && here.starts_with(&format!("{}/", section.path))),
    });
    let framed = Framed {
        page,
        menu: menu.collect(),
        operator: visit.session.as_deref().map_or("", |session| session.operator.name.as_str()),
        opened: &visit.opened,
        root: ROOT,
        css: assets::href("app.css"),
        js: assets::href("app.js"),
        htmx: assets::href("htmx-4.0.1.min.js"),
    };
    Ok(if visit.is_fragment { framed.as_main().render()? } else { framed.render()? })
}

/// A page without a menu: for who is not signed in, and for what went wrong.
pub(crate) fn plain_page(title: &str, detail: &str) -> Result<String, askama::Error> {
    Plain { title, detail, root: ROOT, css: assets::href("app.css") }.render()
}

impl Framed<'_> {
    fn trail(&self) -> &[Link] {
        &self.page.crumbs
    }
}
