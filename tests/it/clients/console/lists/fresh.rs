//! What has just been made, so that its lists are empty.

use tests::{html, operator_console::visitor::Visitor};

use super::super::{routes::leads_to, samples::World};

const REASON: (&str, &str) = ("reason", "So that there is nothing to see yet");

/// The addresses of new things in a world.
pub(super) struct Fresh {
    account: String,
    ledger_account: String,
    operator: String,
    partner: String,
    webhook: String,
    publisher: String,
    namespace: String,
}

impl Fresh {
    pub(super) fn make(world: &World) -> Self {
        let (console, visitor) = (&world.console, &world.owner.visitor);
        console.command(&["account", "create", "--email", "fresh@example.com"]);
        let made = console.command(&[
            "operator",
            "create",
            "--role",
            "support",
            "--name",
            "Fresh",
            "--email",
            "fresh-operator@example.com",
        ]);
        // One stays without a webhook; that of the other one was never told anything.
        let partner = |name: &str| done(visitor, "/admin/partners/new", &[("name", name), ("margin_bps", "0"), REASON]);
        let (partner, told) = (partner("Fresh"), partner("Fresh too"));
        let hooks = format!("{told}/webhooks");
        let hook = visitor.submit(&hooks, &hooks, &[("url", "http://127.0.0.1:9/told"), REASON]);
        assert_eq!(hook.status, 200, "{}", html::text(&hook.body));
        // One stays without a namespace; the other has one without a tool.
        let publisher = |slug: &str| {
            let named = [("slug", slug), ("display_name", "Fresh"), ("share_bps", "8000"), REASON];
            done(visitor, "/admin/publishers/new", &named)
        };
        let (alone, other) = (publisher("fresh"), publisher("fresh-too"));
        let form = format!("/admin/namespaces/new?publisher={}", other.rsplit('/').next().unwrap_or_default());
        let named = [("name", "fresh"), ("description", "Without a tool"), REASON];
        let namespace = expect_done(visitor, &form, "/admin/namespaces/new", &named);
        Self {
            account: link_on(visitor, "/admin/accounts?email=fresh%40example.com", "/accounts/{id}"),
            ledger_account: link_on(
                visitor,
                "/admin/ledger/accounts?owner=fresh%40example.com",
                "/ledger/accounts/{id}",
            ),
            operator: format!("/admin/operators/{}", made["operator"].as_str().expect("an identifier")),
            webhook: link_on(visitor, &hooks, "/partners/{id}/webhooks/{webhook}"),
            partner,
            publisher: alone,
            namespace,
        }
    }

    /// Where a list is that belongs to something.
    pub(super) fn at(&self, route: &str) -> String {
        let known = [
            ("/partners/{id}/webhooks/{webhook}", &self.webhook),
            ("/partners/{id}", &self.partner),
            ("/ledger/accounts/{id}", &self.ledger_account),
            ("/accounts/{id}", &self.account),
            ("/operators/{id}", &self.operator),
            ("/publishers/{id}", &self.publisher),
            ("/namespaces/{id}", &self.namespace),
        ];
        let found = known.iter().find_map(|(begin, path)| Some(format!("{path}{}", route.strip_prefix(begin)?)));
        found.unwrap_or_else(|| panic!("nothing new for {route}"))
    }
}

/// Fills in the form at this path and sends it; where it leads.
#[track_caller]
fn done(visitor: &Visitor, form: &str, fields: &[(&str, &str)]) -> String {
    expect_done(visitor, form, form, fields)
}

#[track_caller]
fn expect_done(visitor: &Visitor, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
    let answer = visitor.submit(page, action, fields);
    assert_eq!(answer.status, 303, "{}", html::text(&answer.body));
    let to = answer.header("location").expect("where it leads");
    to.split(['?', '#']).next().unwrap_or_default().to_owned()
}

#[track_caller]
fn link_on(visitor: &Visitor, page: &str, route: &str) -> String {
    let links = html::links(&visitor.get(page).body);
    let link = links.iter().find(|link| leads_to(link, route));
    let link = link.unwrap_or_else(|| panic!("{page} has no link to {route}, but {links:?}"));
    link.split(['?', '#']).next().unwrap_or_default().to_owned()
}
