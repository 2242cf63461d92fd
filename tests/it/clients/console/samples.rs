//! For every page of the console an address at which it can be looked at. Who adds a page adds a row.

use tests::{
    home::Home,
    html,
    operator_console::{Operator, OperatorConsole},
};

use super::routes::{is_for_anybody, leads_to, pages};

/// Where a page can be looked at.
pub(super) enum Sample {
    /// At this path with its query, below the console's root.
    At(&'static str),
    /// Behind the first link to such a page on the first sample of the page with this path.
    LinkedFrom(&'static str),
    /// Below the first sample of the page with this path: that one's address, and this behind it.
    Below(&'static str, &'static str),
    /// At the path that this makes, whole.
    Made(fn(&World) -> String),
}

use Sample::{At, Below, LinkedFrom, Made};

/// The path of each page below the console's root, as `admin::routes` has it, with a sample. A page may have several:
/// filled, empty, narrowed.
const SAMPLES: &[(&str, Sample)] = &[
    ("/sign-in", At("/sign-in")),
    ("/link/{secret}", Made(|world| world.console.invite("Grace", "grace@example.com", "owner"))),
    ("/me", At("/me")),
    ("/me/factor", At("/me/factor")),
    ("/me/password", At("/me/password")),
    ("/accounts", At("/accounts")),
    ("/accounts", At("/accounts?email=nobody-is-called-this")),
    ("/accounts/{id}", LinkedFrom("/accounts")),
    ("/accounts/{id}/grant", Below("/accounts/{id}", "/grant")),
    ("/accounts/{id}/suspend", Below("/accounts/{id}", "/suspend")),
];

/// What the samples are found in: the demo, with an owner who may see everything.
pub(super) struct World {
    pub(super) console: OperatorConsole,
    pub(super) owner: Operator,
}

impl World {
    pub(super) fn start(home: &Home) -> Self {
        let console = OperatorConsole::start_demo(home.path());
        let owner = console.owner();
        Self { console, owner }
    }

    /// The addresses of all samples, each with the page's path and whether it is for who is not signed in.
    pub(super) fn samples(&self) -> Vec<Found> {
        let found = SAMPLES.iter().map(|(page, sample)| Found {
            page,
            path: self.find(page, sample),
            is_for_anybody: is_for_anybody(page),
        });
        found.collect()
    }

    fn find(&self, page: &str, sample: &Sample) -> String {
        match sample {
            At(path) => format!("/admin{path}"),
            LinkedFrom(list) => {
                let list = self.first(list);
                let shown = self.owner.visitor.get(&list);
                let links = html::links(&shown.body);
                let link = links.iter().find(|link| leads_to(link, page));
                link.unwrap_or_else(|| panic!("{list} has no link to {page}, but {links:?}")).clone()
            }
            Below(above, rest) => format!("{}{rest}", self.first(above)),
            Made(make) => make(self),
        }
    }

    fn first(&self, page: &str) -> String {
        let row = SAMPLES.iter().find(|(known, _)| *known == page);
        let (page, sample) = row.unwrap_or_else(|| panic!("no sample of {page}"));
        self.find(page, sample)
    }
}

/// A sample and its address.
pub(super) struct Found {
    pub(super) page: &'static str,
    pub(super) path: String,
    pub(super) is_for_anybody: bool,
}

#[test]
fn every_page_has_a_sample_and_every_sample_a_page() {
    let pages = pages();
    let missing: Vec<&&str> = pages.iter().filter(|page| SAMPLES.iter().all(|(known, _)| known != *page)).collect();
    assert!(missing.is_empty(), "pages without a sample: {missing:#?}");
    let gone: Vec<&str> = SAMPLES.iter().map(|(page, _)| *page).filter(|page| !pages.contains(page)).collect();
    assert!(gone.is_empty(), "samples of pages that are not there: {gone:#?}");
}
