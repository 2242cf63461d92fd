//! For every page of the console an address at which it can be looked at. Who adds a page adds a row.

use std::sync::{OnceLock, atomic::AtomicU32};

use serde_json::{Value, json};
use tests::{
    home::Home,
    html,
    operator_console::{Operator, OperatorConsole},
    program::configure,
};

use super::routes::{is_for_anybody, leads_to, pages};

pub(super) mod forms;
mod world;

use self::world::{Made, Maker, REASON, id_of};

/// Where a page can be looked at.
pub(super) enum Sample {
    /// At this path with its query, below the console's root.
    At(&'static str),
    /// Behind the first link to such a page on the first sample of the page with this path.
    LinkedFrom(&'static str),
    /// Below the first sample of the page with this path: that one's address, and this behind it.
    Below(&'static str, &'static str),
    /// At the page of something that was made, and this behind it.
    Of(fn(&Made) -> &str, &'static str),
    /// At the path that this makes, whole.
    Finds(fn(&World) -> String),
}

use Sample::{At, Below, Finds, LinkedFrom, Of};

/// The path of each page below the console's root, as `admin::routes` has it, with a sample. A page may have several:
/// filled, empty, narrowed.
const SAMPLES: &[(&str, Sample)] = &[
    ("/sign-in", At("/sign-in")),
    ("/link/{secret}", Finds(|world| world.console.invite("Grace", "grace@example.com", "owner"))),
    ("/me", At("/me")),
    ("/me/factor", At("/me/factor")),
    ("/me/password", At("/me/password")),
    ("/", At("/")),
    ("/health", At("/health")),
    ("/search", At("/search")),
    ("/search", At("/search?q=acme")),
    ("/search", At("/search?q=nobody-is-called-this")),
    ("/accounts", At("/accounts")),
    ("/accounts", At("/accounts?email=nobody-is-called-this")),
    ("/accounts/export", At("/accounts/export")),
    ("/accounts/new", At("/accounts/new")),
    ("/accounts/{id}", Of(|made| &made.account, "")),
    ("/accounts/{id}/grant", Below("/accounts/{id}", "/grant")),
    ("/accounts/{id}/adjust", Below("/accounts/{id}", "/adjust")),
    ("/accounts/{id}/link", Below("/accounts/{id}", "/link")),
    ("/accounts/{id}/suspend", Below("/accounts/{id}", "/suspend")),
    ("/accounts/{id}/tokens/new", Below("/accounts/{id}", "/tokens/new")),
    ("/accounts/{id}/caps", Below("/accounts/{id}", "/caps")),
    ("/accounts/{id}/caps/lift", LinkedFrom("/accounts/{id}/caps")),
    ("/accounts/{id}/tokens/{token}/revoke", LinkedFrom("/accounts/{id}")),
    ("/partners", At("/partners")),
    ("/partners", At("/partners?name=nobody-is-called-this")),
    ("/partners/export", At("/partners/export")),
    ("/partners/deliveries", At("/partners/deliveries?state=sent")),
    ("/partners/deliveries", At("/partners/deliveries")),
    ("/partners/new", At("/partners/new")),
    ("/partners/{id}", Of(|made| &made.partner, "")),
    ("/partners/{id}/edit", Below("/partners/{id}", "/edit")),
    ("/partners/{id}/funding", Below("/partners/{id}", "/funding")),
    ("/partners/{id}/suspend", Below("/partners/{id}", "/suspend")),
    ("/partners/{id}/grant", Below("/partners/{id}", "/grant")),
    ("/partners/{id}/tokens", Below("/partners/{id}", "/tokens")),
    ("/partners/{id}/tokens/new", Below("/partners/{id}", "/tokens/new")),
    ("/partners/{id}/caps", Below("/partners/{id}", "/caps")),
    ("/partners/{id}/alerts", Below("/partners/{id}", "/alerts")),
    ("/partners/{id}/alerts/{alert}/remove", LinkedFrom("/partners/{id}/alerts")),
    ("/partners/{id}/usage", Below("/partners/{id}", "/usage")),
    ("/partners/{id}/usage", Of(|made| &made.partner, "/usage?by=user&per=month")),
    ("/partners/{id}/usage/export", Below("/partners/{id}", "/usage/export")),
    ("/partners/{id}/statement", Below("/partners/{id}", "/statement")),
    ("/partners/{id}/statements", Below("/partners/{id}", "/statements")),
    ("/partners/{id}/statements/{period}", Of(|made| &made.partner, "/statements/2026-11")),
    ("/partners/{id}/statements/{period}/print", Below("/partners/{id}/statements/{period}", "/print")),
    ("/partners/{id}/events", Below("/partners/{id}", "/events")),
    ("/partners/{id}/webhooks", Below("/partners/{id}", "/webhooks")),
    ("/partners/{id}/webhooks/{webhook}", LinkedFrom("/partners/{id}/webhooks")),
    ("/partners/{id}/webhooks/{webhook}/remove", Below("/partners/{id}/webhooks/{webhook}", "/remove")),
    ("/partners/{id}/webhooks/{webhook}/deliveries/{delivery}/replay", LinkedFrom("/partners/{id}/webhooks/{webhook}")),
    ("/partners/{id}/users", Below("/partners/{id}", "/users")),
    ("/partners/{id}/users", Of(|made| &made.partner, "/users?name=nobody")),
    ("/partners/{id}/users/export", Below("/partners/{id}/users", "/export")),
    ("/partners/{id}/caps/lift", LinkedFrom("/partners/{id}/caps")),
    ("/partners/{id}/tokens/{token}/revoke", LinkedFrom("/partners/{id}/tokens")),
    ("/partners/{id}/users/{user}", LinkedFrom("/partners/{id}/users")),
    ("/partners/{id}/users/{user}/block", Below("/partners/{id}/users/{user}", "/block")),
    ("/partners/{id}/users/{user}/file", Below("/partners/{id}/users/{user}", "/file")),
    ("/partners/{id}/users/{user}/erase", Below("/partners/{id}/users/{user}", "/erase")),
    ("/publishers", At("/publishers")),
    ("/publishers", At("/publishers?slug=nobody-is-called-this")),
    ("/publishers/export", At("/publishers/export")),
    ("/publishers/new", At("/publishers/new")),
    ("/publishers/{id}", Of(|made| &made.publisher, "")),
    ("/publishers/{id}/edit", Below("/publishers/{id}", "/edit")),
    ("/publishers/{id}/suspend", Below("/publishers/{id}", "/suspend")),
    ("/namespaces/new", Finds(|world| format!("/admin/namespaces/new?publisher={}", id_of(&world.made.publisher)))),
    ("/namespaces/{id}", Of(|made| &made.namespace, "")),
    ("/namespaces/{id}/edit", Below("/namespaces/{id}", "/edit")),
    ("/namespaces/{id}/suspend", Below("/namespaces/{id}", "/suspend")),
    ("/listings", At("/listings")),
    ("/listings", At("/listings?state=suspended")),
    ("/listings/export", At("/listings/export")),
    ("/listings/{id}", Of(|made| &made.listing, "")),
    ("/listings/{id}/approve", Below("/listings/{id}", "/approve")),
    ("/listings/{id}/reject", Below("/listings/{id}", "/reject")),
    ("/tools", At("/tools")),
    ("/tools", At("/tools?name=nobody-is-called-this")),
    ("/tools/export", At("/tools/export")),
    ("/tools/new", At("/tools/new")),
    ("/tools/{id}", Of(|made| &made.tool, "")),
    ("/tools/{id}/edit", Below("/tools/{id}", "/edit")),
    ("/tools/{id}/disable", Below("/tools/{id}", "/disable")),
    ("/tools/{id}/price", Below("/tools/{id}", "/price")),
    ("/prices/{id}/cancel", LinkedFrom("/tools/{id}")),
    ("/invocations", At("/invocations")),
    ("/invocations", At("/invocations?tool=nothing-is-called-this")),
    ("/invocations/export", At("/invocations/export")),
    ("/invocations/{id}", Finds(|world| format!("/admin/invocations/{}", world.made.call))),
    ("/invocations/{id}", LinkedFrom("/invocations")),
    ("/invocations/{id}/why", Below("/invocations/{id}", "/why")),
    ("/invocations/{id}/payload", Below("/invocations/{id}", "/payload")),
    ("/refunds", At("/refunds")),
    ("/refunds", At("/refunds?kind=adjustment")),
    ("/refunds", At("/refunds?kind=any")),
    ("/refunds", At("/refunds?kind=grant")),
    ("/refunds/export", At("/refunds/export")),
    ("/refunds/{id}", Of(|made| &made.refund, "")),
    (
        "/refunds/{id}",
        Finds(|world| world.linked("/admin/refunds?kind=partner_grant", "/refunds/{id}").unwrap_or_default()),
    ),
    ("/refunds/{id}", Finds(|world| world.linked("/admin/refunds?kind=grant", "/refunds/{id}").unwrap_or_default())),
    ("/refunds/new", Finds(|world| format!("/admin/refunds/new?invocation={}", world.made.call))),
    ("/refunds/new", At("/refunds/new")),
    ("/refunds/reverse", Finds(|world| format!("/admin/refunds/reverse?invocation={}", world.made.call))),
    ("/refunds/reverse", At("/refunds/reverse")),
    ("/payouts", At("/payouts")),
    ("/payouts", At("/payouts?view=partners")),
    ("/payouts", At("/payouts?view=paid")),
    ("/payouts/export", At("/payouts/export")),
    ("/payouts/new", Finds(|world| format!("/admin/payouts/new?payee={}", id_of(&world.made.publisher)))),
    ("/payouts/{id}", Of(|made| &made.payout, "")),
    ("/purchases", At("/purchases")),
    ("/purchases", At("/purchases?state=failed")),
    ("/purchases/export", At("/purchases/export")),
    ("/purchases/{id}", Of(|made| &made.disputed, "")),
    ("/purchases/{id}", Of(|made| &made.pending, "")),
    ("/purchases/{id}/confirm", Of(|made| &made.pending, "/confirm")),
    ("/purchases/{id}/fail", Of(|made| &made.pending, "/fail")),
    ("/purchases/{id}/dispute", Of(|made| &made.paid, "/dispute")),
    ("/chargebacks", At("/chargebacks")),
    ("/chargebacks", At("/chargebacks?state=lost")),
    ("/chargebacks/export", At("/chargebacks/export")),
    ("/chargebacks/{id}", Of(|made| &made.chargeback, "")),
    ("/chargebacks/{id}/won", Below("/chargebacks/{id}", "/won")),
    ("/chargebacks/{id}/lost", Below("/chargebacks/{id}", "/lost")),
    ("/approvals", At("/approvals")),
    ("/approvals", At("/approvals?view=mine")),
    ("/approvals", At("/approvals?view=all")),
    ("/approvals/export", At("/approvals/export?view=all")),
    ("/approvals/{id}", Of(|made| &made.approval, "")),
    ("/approvals/{id}/approve", Below("/approvals/{id}", "/approve")),
    ("/approvals/{id}/reject", Below("/approvals/{id}", "/reject")),
    ("/approvals/{id}/withdraw", Below("/approvals/{id}", "/withdraw")),
    ("/ledger", At("/ledger")),
    ("/ledger/accounts", At("/ledger/accounts")),
    ("/ledger/accounts/export", At("/ledger/accounts/export")),
    ("/ledger/accounts/{id}", LinkedFrom("/ledger/accounts")),
    ("/ledger/accounts/{id}/export", Below("/ledger/accounts/{id}", "/export")),
    ("/ledger/journal", At("/ledger/journal")),
    ("/ledger/journal/export", At("/ledger/journal/export")),
    ("/ledger/transactions/{id}", LinkedFrom("/ledger/journal")),
    ("/ledger/transactions/{id}/receipt", Below("/ledger/transactions/{id}", "/receipt")),
    ("/ledger/trial-balance", At("/ledger/trial-balance")),
    ("/ledger/verify", At("/ledger/verify")),
    ("/ledger/periods", At("/ledger/periods")),
    ("/ledger/periods/export", At("/ledger/periods/export")),
    ("/ledger/periods/close", At("/ledger/periods/close")),
    ("/ledger/checkpoints", At("/ledger/checkpoints")),
    ("/ledger/checkpoints/export", At("/ledger/checkpoints/export")),
    ("/ledger/checkpoints/{number}", LinkedFrom("/ledger/checkpoints")),
    ("/ledger/checkpoints/sign", At("/ledger/checkpoints/sign")),
    ("/ledger/exports", At("/ledger/exports")),
    ("/policies", At("/policies")),
    ("/policies/export", At("/policies/export")),
    ("/policies/explain", At("/policies/explain")),
    ("/policies/explain", Finds(|world| format!("/admin/policies/explain?invocation={}", world.made.call))),
    ("/policies/edit", At("/policies/edit")),
    ("/policies/edit/check", At("/policies/edit/check")),
    ("/policies/{number}", Of(|made| &made.draft, "")),
    ("/policies/{number}", Of(|made| &made.retired, "")),
    ("/policies/{number}/diff", Of(|made| &made.draft, "/diff")),
    ("/policies/{number}/replay", Of(|made| &made.draft, "/replay")),
    ("/policies/{number}/tests", Of(|made| &made.draft, "/tests")),
    ("/policies/{number}/publish", Of(|made| &made.draft, "/publish")),
    ("/policies/{number}/rollback", Of(|made| &made.retired, "/rollback")),
    ("/audit", At("/audit")),
    ("/audit", At("/audit?object=nothing-is-called-this")),
    ("/audit/export", At("/audit/export")),
    ("/audit/{place}", LinkedFrom("/audit")),
    ("/mail", At("/mail")),
    ("/mail", At("/mail?state=cancelled")),
    ("/mail/export", At("/mail/export")),
    ("/mail/test", At("/mail/test")),
    ("/mail/{id}", LinkedFrom("/mail")),
    ("/mail/{id}", Finds(|world| world.mail("receipt"))),
    ("/mail/{id}/retry", Below("/mail/{id}", "/retry")),
    ("/mail/{id}/cancel", Below("/mail/{id}", "/cancel")),
    ("/operators", At("/operators")),
    ("/operators/matrix", At("/operators/matrix")),
    ("/operators/new", At("/operators/new")),
    ("/operators/auditors", At("/operators/auditors")),
    ("/operators/{id}", Of(|made| &made.operator, "")),
    ("/operators/{id}/roles", Below("/operators/{id}", "/roles")),
    ("/operators/{id}/disable", Below("/operators/{id}", "/disable")),
    ("/operators/{id}/enable", Below("/operators/{id}", "/enable")),
    ("/operators/{id}/end-sessions", Below("/operators/{id}", "/end-sessions")),
    ("/operators/{id}/link", Below("/operators/{id}", "/link")),
    ("/operators/auditors/new", At("/operators/auditors/new")),
    ("/operators/auditors/{id}", Of(|made| &made.auditor, "")),
    ("/operators/auditors/{id}/revoke", Below("/operators/auditors/{id}", "/revoke")),
];

/// What the samples are found in: the demo, with an owner who may see everything.
pub(super) struct World {
    pub(super) console: OperatorConsole,
    pub(super) owner: Operator,
    pub(super) made: Made,
    /// How many came after the owner.
    newcomers: AtomicU32,
    known: OnceLock<String>,
}

impl World {
    pub(super) fn start(home: &Home) -> Self {
        Self::start_logging(home, "warn,server=info")
    }

    /// The same, with a log of what `filter` asks for (in the form of `RUST_LOG`).
    pub(super) fn start_logging(home: &Home, filter: &str) -> Self {
        Self::start_as(home, filter, &json!({}))
    }

    /// The same, with what every call carries kept.
    pub(super) fn start_keeping(home: &Home) -> Self {
        Self::start_as(home, "warn", &json!({"tools": ["*"], "keep_s": 3600}))
    }

    fn start_as(home: &Home, filter: &str, payloads: &Value) -> Self {
        // Purchases wait here until somebody confirms them, as they do where it is not the demo.
        // More operators sign in and more is called from one address than anywhere else.
        let limits = json!({"login_per_address_per_min": 1000, "invoke_per_token_per_s": 1000, "invoke_burst": 1000});
        // Nobody takes the mail: it waits in the outbox.
        let mail = json!({"transport": "smtp", "url": "smtp://127.0.0.1:9", "from": "tollgate@example.com"});
        // Webhooks of the tests listen on this machine.
        let egress = json!({"allow_private": true});
        let payments = json!({"provider": "manual"});
        let configuration =
            json!({"payments": payments, "limits": limits, "mail": mail, "egress": egress, "payloads": payloads});
        configure(home.path(), &configuration);
        let console = OperatorConsole::start_demo_logging(home.path(), filter);
        let owner = console.owner();
        let made = Made::make(&console, &owner);
        Self { console, owner, made, newcomers: AtomicU32::new(0), known: OnceLock::new() }
    }

    /// Makes more.
    fn maker(&self) -> Maker<'_> {
        Maker { console: &self.console, owner: &self.owner }
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
        self.try_find(page, sample).unwrap_or_else(|missing| panic!("{missing}"))
    }

    /// Where it is, or what has no link to it.
    fn try_find(&self, page: &str, sample: &Sample) -> Result<String, String> {
        Ok(match sample {
            At(path) => format!("/admin{path}"),
            LinkedFrom(list) => self.linked(&self.first(list)?, page)?,
            Below(above, rest) => format!("{}{rest}", self.first(above)?),
            Of(what, rest) => format!("{}{rest}", what(&self.made)),
            Finds(find) => find(self),
        })
    }

    /// The first link on the page at this path that leads to `page`.
    fn linked(&self, list: &str, page: &str) -> Result<String, String> {
        let shown = self.owner.visitor.get(list);
        let links = html::links(&shown.body);
        let link = links.iter().find(|link| leads_to(link, page));
        Ok(link.ok_or_else(|| format!("{list} has no link to {page}, but {links:?}"))?.clone())
    }

    /// The page of the newest mail with this template.
    fn mail(&self, template: &str) -> String {
        let list = format!("/admin/mail?template={template}");
        self.linked(&list, "/mail/{id}").unwrap_or_else(|missing| panic!("{missing}"))
    }

    /// The page of the newest mail that was not sent yet.
    fn mail_that_waits(&self) -> String {
        self.linked("/admin/mail?state=queued", "/mail/{id}").unwrap_or_else(|missing| panic!("{missing}"))
    }

    fn first(&self, page: &str) -> Result<String, String> {
        let row = SAMPLES.iter().find(|(known, _)| *known == page);
        let (page, sample) = row.unwrap_or_else(|| panic!("no sample of {page}"));
        self.try_find(page, sample)
    }

    /// Paid calls of so many end users of the partner.
    pub(super) fn call_for_users(&self, count: u64) {
        // Nobody gives so much alone on one day.
        for giver in ["one", "two"] {
            let mut owner = self.console.operator(giver, &format!("giver-{giver}@example.com"), "owner");
            owner.enrol();
            let form = format!("{}/grant", self.made.partner);
            Maker { console: &self.console, owner: &owner }.previewed(&form, &form, &[("credits", "90"), REASON]);
        }
        let token = self.maker().partner_token(&self.made.partner, "more");
        (0..count).for_each(|number| self.maker().call_for(&token, &format!("more-{number}")));
    }

    /// A new token of the partner.
    pub(super) fn partner_token(&self, name: &str) -> String {
        self.maker().partner_token(&self.made.partner, name)
    }

    /// The page of the listing that waits.
    pub(super) fn listing(&self) -> &str {
        &self.made.listing
    }

    /// The listing that waits, which its publisher describes otherwise from now on; its page.
    pub(super) fn describe_listing(&self, description: &str) -> &str {
        let path = format!("/namespaces/{}/listing", id_of(&self.made.listing));
        self.maker().put(&path, &json!({"description": description}));
        &self.made.listing
    }

    /// The identifier of the account, the publisher or the partner that was made, or the number of the draft.
    pub(super) fn id_for(&self, what: &str) -> String {
        id_of(match what {
            "account" => &self.made.account,
            "publisher" => &self.made.publisher,
            "draft" => &self.made.draft,
            _ => &self.made.partner,
        })
        .to_owned()
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
