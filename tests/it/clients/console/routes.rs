//! The program's own table of what the console answers to.

use admin::console::{Access, ROOT, Route, Verb};

/// The paths, below the console's root, of the pages.
pub(super) fn pages() -> Vec<&'static str> {
    paths(|route| route.verb == Verb::Get)
}

/// The paths, below the console's root, to which forms are sent.
pub(super) fn forms() -> Vec<&'static str> {
    paths(|route| route.verb == Verb::Post)
}

/// Whether a page is for who is not signed in.
pub(super) fn is_for_anybody(page: &str) -> bool {
    let routes = admin::routes();
    routes.iter().any(|route| route.verb == Verb::Get && route.path == page && route.access == Access::Anybody)
}

fn paths(is_wanted: impl Fn(&Route) -> bool) -> Vec<&'static str> {
    let mut found: Vec<&str> =
        admin::routes().iter().filter(|route| is_wanted(route)).map(|route| route.path).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A path of a route with something in the place of its variables.
pub(super) fn with_stand_ins(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    format!("{ROOT}{}", parts.collect::<Vec<_>>().join("/"))
}

/// Whether an address within the console leads to the route with this path.
pub(super) fn leads_to(address: &str, path: &str) -> bool {
    let plain = address.split(['?', '#']).next().unwrap_or_default();
    let Some(below) = plain.strip_prefix(ROOT) else { return false };
    let (parts, wanted): (Vec<&str>, Vec<&str>) = (below.split('/').collect(), path.split('/').collect());
    let is_same =
        |(part, wanted): (&&str, &&str)| if wanted.starts_with('{') { !part.is_empty() } else { part == wanted };
    parts.len() == wanted.len() && parts.iter().zip(&wanted).all(is_same)
        // `/accounts/new` is a route of its own, and no account.
        && (parts == wanted || !admin::routes().iter().any(|route| route.path == below))
}

#[test]
fn an_address_is_told_from_another() {
    for (address, path, expected) in [
        ("/admin/accounts", "/accounts", true),
        ("/admin/accounts?email=a", "/accounts", true),
        ("/admin/accounts/acc_1", "/accounts", false),
        ("/admin/accounts/acc_1#top", "/accounts/{id}", true),
        ("/admin/accounts/", "/accounts/{id}", false),
        ("/admin/accounts/acc_1/grant", "/accounts/{id}/grant", true),
        ("/admin/", "/", true),
        ("/elsewhere/accounts", "/accounts", false),
    ] {
        assert_eq!(leads_to(address, path), expected, "{address} {path}");
    }
    assert_eq!(with_stand_ins("/accounts/{id}/grant"), "/admin/accounts/x/grant");
    assert!(forms().contains(&"/sign-out") && pages().contains(&"/accounts/{id}") && is_for_anybody("/sign-in"));
}
