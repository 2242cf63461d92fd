//! For every route of the console that takes a form: the form with values that can be used, and what the audit trail
//! tells once it is done. Who adds such a route adds a row.

use tests::operator_console::PASSWORD;

use super::{
    Sample, World,
    world::{REASON, id_of},
};
use crate::clients::console::routes::forms;

mod meanwhile;
mod newcomers;

pub(in crate::clients::console) use self::meanwhile::{Changed, Meanwhile};
use self::meanwhile::{close_period, give_role, publish_another, raise_limit, retry_mail};

use Sample::{At, Below, Finds, LinkedFrom, Of};

/// Who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::clients::console) enum By {
    /// Ada, who owns the place.
    Owner,
    /// Another owner, who did not ask for what is to be decided.
    Other,
    /// Somebody who has just begun, without a second factor.
    Newcomer,
    /// Somebody who is not signed in.
    Nobody,
}

/// What the audit trail tells of a form that was sent: the action, and what it says of before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::clients::console) enum Told {
    /// Something was, and is otherwise now.
    Change(&'static str),
    /// Something is there that was not: there is no before.
    New(&'static str),
    /// Something is not there any more: there is no after.
    Gone(&'static str),
    /// It was done; it has neither a before nor an after that could be told.
    Done(&'static str),
}

impl Told {
    /// The word of the action.
    pub(in crate::clients::console) const fn action(self) -> &'static str {
        let (Self::Change(action) | Self::New(action) | Self::Gone(action) | Self::Done(action)) = self;
        action
    }
}

/// A route with its form.
pub(in crate::clients::console) struct Sending {
    pub(in crate::clients::console) route: &'static str,
    /// Where the form stands.
    page: Sample,
    pub(in crate::clients::console) by: By,
    /// What is typed; all else stays as it stands in the form. `{code}` and `{now}` are worked out.
    pub(in crate::clients::console) fields: &'static [(&'static str, &'static str)],
    /// In the order of the trail.
    pub(in crate::clients::console) told: &'static [Told],
    /// What may be otherwise by the time it is sent.
    pub(in crate::clients::console) meanwhile: Option<Meanwhile>,
}

const fn row(
    route: &'static str,
    page: Sample,
    fields: &'static [(&'static str, &'static str)],
    told: &'static [Told],
) -> Sending {
    Sending { route, page, by: By::Owner, fields, told, meanwhile: None }
}

impl Sending {
    const fn by(mut self, by: By) -> Self {
        self.by = by;
        self
    }

    /// It can be changed in the meantime; then both are shown, and it can be sent once more.
    const fn changed(mut self, change: Changed, shows: &'static [&'static str]) -> Self {
        self.meanwhile = Some(Meanwhile { change, shows, goes_on: true });
        self
    }

    /// The same, of what cannot be done any more then, or may change by itself.
    const fn gone(mut self, change: Changed, shows: &'static [&'static str]) -> Self {
        self.meanwhile = Some(Meanwhile { change, shows, goes_on: false });
        self
    }
}

use Changed::{By as ByDoing, BySending};
use Told::{Change, Done, Gone, New};

const NAMED: &[(&str, &str)] = &[("name", "spare"), REASON];
const LIMIT: &[(&str, &str)] = &[("credits", "6000"), ("window", "month"), REASON];
const WHY: &[(&str, &str)] = &[REASON];
const NOTE: &[(&str, &str)] = &[("note", "Seen")];

/// In an order in which each can be done after those before it.
pub(in crate::clients::console) static SENDINGS: &[Sending] = &[
    row(
        "/publishers/new",
        At("/publishers/new"),
        &[("slug", "initech"), ("display_name", "Initech"), ("share_bps", "7000"), REASON],
        &[New("publisher.create")],
    ),
    row(
        "/publishers/{id}/edit",
        Of(|made| &made.publisher, "/edit"),
        &[("display_name", "Acme & Daughters"), ("share_bps", "7500"), REASON],
        &[Change("publisher.change")],
    )
    .changed(
        BySending(&[("display_name", "Acme & Nieces"), ("share_bps", "7600"), REASON]),
        &["Acme & Nieces", "Acme & Daughters", "7600", "7500"],
    ),
    row(
        "/namespaces/new",
        Finds(|world| format!("/admin/namespaces/new?publisher={}", id_of(&world.made.publisher))),
        &[("name", "spare"), ("description", "For later"), REASON],
        &[New("namespace.create")],
    ),
    row(
        "/namespaces/{id}/edit",
        Of(|made| &made.namespace, "/edit"),
        &[("listing_name", "Acme's tools"), ("category", "Office"), ("tags", "text\nwords, many"), REASON],
        &[Change("namespace.change")],
    )
    .changed(BySending(&[("listing_name", "Acme's workshop"), REASON]), &["Acme's workshop", "Acme's tools"]),
    row(
        "/tools/new",
        At("/tools/new?namespace=acme"),
        &[
            ("name", "second"),
            ("short_description", "Looks it up again"),
            ("category", "Office"),
            ("tags", "text"),
            ("url", "https://tools.example/second"),
            ("fixed_credit_cost", "5"),
            REASON,
        ],
        &[New("tool.create")],
    ),
    row(
        "/tools/{id}/edit",
        Of(|made| &made.tool, "/edit"),
        &[("short_description", "Looks a text up, with care"), REASON],
        &[Change("tool.change")],
    )
    .changed(
        BySending(&[("short_description", "Looks a text up, in a hurry"), REASON]),
        &["Looks a text up, in a hurry", "Looks a text up, with care"],
    ),
    row(
        "/tools/{id}/price",
        Of(|made| &made.tool, "/price"),
        &[("fixed_credit_cost", "90"), ("valid_from", "2033-01-01T00:00"), REASON],
        &[Change("price.schedule")],
    )
    .changed(
        BySending(&[("fixed_credit_cost", "95"), ("valid_from", "2032-06-01T00:00"), REASON]),
        &["95 credits", "90 credits"],
    ),
    row("/prices/{id}/cancel", LinkedFrom("/tools/{id}"), WHY, &[New("approval.request")]),
    row(
        "/listings/{id}/approve",
        Finds(|world| world.maker().listing() + "/approve"),
        WHY,
        &[Change("listing.approve")],
    ),
    row("/listings/{id}/reject", Finds(|world| world.maker().listing() + "/reject"), WHY, &[Change("listing.reject")]),
    row(
        "/partners/new",
        At("/partners/new"),
        &[("name", "Hooli"), ("margin_bps", "400"), REASON],
        &[New("partner.create")],
    ),
    row(
        "/partners/{id}/edit",
        Of(|made| &made.partner, "/edit"),
        &[("margin_bps", "700"), REASON],
        &[Change("partner.change")],
    )
    .changed(BySending(&[("margin_bps", "600"), REASON]), &["- 5 %", "+ 6 %", "+ 7 %"]),
    row(
        "/partners/{id}/grant",
        Of(|made| &made.partner, "/grant"),
        &[("credits", "20"), REASON],
        &[New("grant.create")],
    ),
    row("/partners/{id}/tokens/new", Of(|made| &made.partner, "/tokens/new"), NAMED, &[New("token.create")]),
    row("/partners/{id}/tokens/{token}/revoke", LinkedFrom("/partners/{id}/tokens"), WHY, &[Change("token.revoke")]),
    row("/partners/{id}/caps", Of(|made| &made.partner, "/caps"), LIMIT, &[Change("cap.set")])
        .changed(BySending(&[("credits", "5500"), ("window", "month"), REASON]), &["no limit", "5500 cr"]),
    row("/partners/{id}/caps/lift", LinkedFrom("/partners/{id}/caps"), WHY, &[Change("cap.set")])
        .changed(ByDoing(raise_limit), &["5500 cr"]),
    row(
        "/partners/{id}/alerts",
        Of(|made| &made.partner, "/alerts"),
        &[("percent", "80"), ("email", "ops@example.com"), REASON],
        &[New("cap_alert.create")],
    ),
    row("/partners/{id}/alerts/{alert}/remove", LinkedFrom("/partners/{id}/alerts"), WHY, &[Gone("cap_alert.remove")]),
    row(
        "/partners/{id}/webhooks",
        Of(|made| &made.partner, "/webhooks"),
        &[("url", "http://127.0.0.1:9/told"), REASON],
        &[New("webhook.create")],
    ),
    row(
        "/partners/{id}/webhooks/{webhook}/deliveries/{delivery}/replay",
        LinkedFrom("/partners/{id}/webhooks/{webhook}"),
        WHY,
        &[Change("webhook.replay")],
    ),
    row(
        "/partners/{id}/webhooks/{webhook}/remove",
        Below("/partners/{id}/webhooks/{webhook}", "/remove"),
        WHY,
        &[Change("webhook.remove")],
    ),
    row(
        "/partners/{id}/users/{user}/block",
        Below("/partners/{id}/users/{user}", "/block"),
        WHY,
        &[Change("end_user.block")],
    ),
    row(
        "/partners/{id}/users/{user}/erase",
        Below("/partners/{id}/users/{user}", "/erase"),
        WHY,
        &[New("end_user.erase")],
    ),
    row("/partners/{id}/funding", Of(|made| &made.partner, "/funding"), WHY, &[Change("partner.change")]),
    row("/partners/{id}/suspend", Of(|made| &made.partner, "/suspend"), WHY, &[Change("partner.suspend")]),
    row(
        "/accounts/new",
        At("/accounts/new"),
        &[("email", "hire@example.com"), ("token", "first"), ("credits", "10"), REASON],
        &[New("account.create"), New("token.create"), New("grant.create")],
    ),
    row(
        "/accounts/{id}/grant",
        Of(|made| &made.account, "/grant"),
        &[("credits", "15"), REASON],
        &[New("grant.create")],
    ),
    row(
        "/accounts/{id}/adjust",
        Of(|made| &made.account, "/adjust"),
        &[("credits", "5"), REASON],
        &[New("account.adjust")],
    ),
    row("/accounts/{id}/tokens/new", Of(|made| &made.account, "/tokens/new"), NAMED, &[New("token.create")]),
    row("/accounts/{id}/caps", Of(|made| &made.account, "/caps"), LIMIT, &[Change("cap.set")])
        .changed(BySending(&[("credits", "5500"), ("window", "month"), REASON]), &["no limit", "5500 cr"]),
    row("/accounts/{id}/caps/lift", LinkedFrom("/accounts/{id}/caps"), WHY, &[Change("cap.set")])
        .changed(ByDoing(raise_limit), &["5500 cr"]),
    row(
        "/purchases/{id}/confirm",
        Finds(|world| world.maker().purchase(20) + "/confirm"),
        WHY,
        &[Change("purchase.confirm")],
    ),
    row("/purchases/{id}/fail", Finds(|world| world.maker().purchase(20) + "/fail"), WHY, &[Change("purchase.fail")]),
    row("/purchases/{id}/dispute", Of(|made| &made.paid, "/dispute"), WHY, &[New("chargeback.open")]),
    row("/chargebacks/{id}/won", Of(|made| &made.chargeback, "/won"), WHY, &[Change("chargeback.won")])
        .gone(BySending(WHY), &["The dispute is over.", "won"]),
    row("/chargebacks/{id}/lost", Finds(|world| world.maker().dispute() + "/lost"), WHY, &[Change("chargeback.lost")])
        .gone(BySending(WHY), &["The dispute is over.", "lost"]),
    row(
        "/refunds/new",
        Finds(|world| format!("/admin/refunds/new?invocation={}", world.made.call)),
        &[("credits", "5"), REASON],
        &[New("refund.create")],
    )
    .changed(BySending(&[("credits", "3"), REASON]), &["137"]),
    row(
        "/refunds/reverse",
        Finds(|world| format!("/admin/refunds/reverse?invocation={}", world.maker().cheap_call())),
        WHY,
        &[New("reversal.create")],
    ),
    row(
        "/payouts/new",
        Finds(|world| format!("/admin/payouts/new?payee={}", id_of(&world.made.publisher))),
        &[("credits", "20"), REASON],
        &[New("payout.create")],
    ),
    row(
        "/approvals/{id}/approve",
        Of(|made| &made.approval, "/approve"),
        NOTE,
        &[Change("approval.approve"), New("refund.create")],
    )
    .by(By::Other),
    row(
        "/approvals/{id}/reject",
        Finds(|world| world.maker().request() + "/reject"),
        WHY,
        &[Change("approval.reject")],
    )
    .by(By::Other),
    row(
        "/approvals/{id}/withdraw",
        Finds(|world| world.maker().request() + "/withdraw"),
        NOTE,
        &[Change("approval.withdraw")],
    ),
    row("/accounts/{id}/tokens/{token}/revoke", LinkedFrom("/accounts/{id}"), WHY, &[Change("token.revoke")]),
    row("/accounts/{id}/suspend", Of(|made| &made.account, "/suspend"), WHY, &[Change("account.suspend")]),
    row("/tools/{id}/disable", Of(|made| &made.tool, "/disable"), WHY, &[Change("tool.disable")]),
    row("/namespaces/{id}/suspend", Of(|made| &made.namespace, "/suspend"), WHY, &[Change("namespace.suspend")]),
    row("/publishers/{id}/suspend", Of(|made| &made.publisher, "/suspend"), WHY, &[Change("publisher.suspend")]),
    row("/ledger/verify", At("/ledger/verify"), &[], &[New("books.verify")]),
    row("/ledger/periods/close", At("/ledger/periods/close"), &[("until", "{now}"), REASON], &[New("period.close")])
        .gone(ByDoing(close_period), &["made for period 2", "number 3 is open"]),
    row("/ledger/checkpoints/sign", At("/ledger/checkpoints/sign"), WHY, &[New("checkpoint.sign")]),
    row("/ledger/exports", At("/ledger/exports"), &[("format", "csv")], &[New("export.create")]),
    row("/policies/edit", At("/policies/edit"), &[("note", "As it is"), ("do", "save")], &[New("policy.draft")])
        .changed(ByDoing(publish_another), &["What was published meanwhile"]),
    row("/policies/edit/check", At("/policies/edit"), &[("note", "")], &[]),
    row(
        "/policies/{number}/tests",
        Of(|made| &made.draft, "/tests"),
        &[("cases", "[{tool: \"web_fetch\", agent_id: \"research\", expect: \"deny\"}]")],
        &[],
    ),
    row("/policies/{number}/publish", Of(|made| &made.draft, "/publish"), WHY, &[New("approval.request")])
        .changed(ByDoing(publish_another), &["which is in force now"]),
    row("/policies/{number}/rollback", Of(|made| &made.retired, "/rollback"), WHY, &[Change("policy.rollback")])
        .changed(ByDoing(publish_another), &["which this form did not know"]),
    row(
        "/operators/new",
        At("/operators/new"),
        &[("email", "eve@example.com"), ("name", "Eve"), ("roles", "support"), REASON],
        &[New("approval.request")],
    ),
    row(
        "/operators/{id}/roles",
        Of(|made| &made.operator, "/roles"),
        &[("roles", "finance"), REASON],
        &[New("approval.request")],
    )
    .changed(ByDoing(give_role), &["- support", "+ policy_editor"]),
    row("/operators/{id}/disable", Of(|made| &made.operator, "/disable"), WHY, &[Change("operator.disable")]),
    row("/operators/{id}/enable", Finds(|world| world.shut_out() + "/enable"), WHY, &[New("approval.request")]),
    row(
        "/operators/{id}/end-sessions",
        Finds(|world| world.newcomer().1 + "/end-sessions"),
        &[],
        &[Change("operator.end_sessions")],
    ),
    row("/operators/{id}/link", Finds(|world| world.newcomer().1 + "/link"), WHY, &[New("approval.request")]),
    row(
        "/operators/auditors/new",
        At("/operators/auditors/new"),
        &[("name", "Pacioli & Co"), ("days", "7")],
        &[New("operator.create")],
    ),
    row("/operators/auditors/{id}/revoke", Of(|made| &made.auditor, "/revoke"), WHY, &[Change("operator.revoke")]),
    row(
        "/link/{secret}",
        Finds(|world| world.invite_newcomer()),
        &[("password", PASSWORD), ("again", PASSWORD)],
        &[Change("operator.set_password")],
    )
    .by(By::Nobody),
    row(
        "/sign-in",
        Finds(|world| format!("/admin/sign-in?email={}", world.known_email().replace('@', "%40"))),
        &[("password", PASSWORD)],
        &[New("operator.sign_in")],
    )
    .by(By::Nobody),
    row("/accounts/{id}/link", Of(|made| &made.account, "/link"), WHY, &[Done("account.resend_verification")]),
    row("/mail/test", At("/mail/test"), &[], &[New("mail.test")]),
    row("/mail/{id}/retry", Finds(|world| world.mail_that_waits() + "/retry"), WHY, &[Change("mail.retry")])
        .gone(ByDoing(retry_mail), &["has changed since this form was made", "What has become of it"]),
    row("/mail/{id}/cancel", Finds(|world| world.mail_that_waits() + "/cancel"), WHY, &[Change("mail.cancel")])
        .gone(ByDoing(retry_mail), &["has changed since this form was made", "What has become of it"]),
    row("/me/factor", At("/me/factor"), &[("code", "{code}")], &[Change("operator.enrol_factor")]).by(By::Newcomer),
    row(
        "/me/password",
        At("/me/password"),
        &[("old", PASSWORD), ("password", NEXT_PASSWORD), ("again", NEXT_PASSWORD)],
        &[Done("operator.set_password")],
    )
    .by(By::Newcomer),
    row("/sign-out", At("/me"), &[], &[Done("operator.sign_out")]).by(By::Newcomer),
];

/// What somebody changes a password to.
const NEXT_PASSWORD: &str = "another horse, another battery";

impl World {
    /// The page with the form of `sending`, if anything leads to it.
    pub(in crate::clients::console) fn page_of(&self, sending: &Sending) -> Option<String> {
        self.try_find(sending.route, &sending.page).ok()
    }
}

#[test]
fn every_route_that_takes_a_form_has_one() {
    let routes = forms();
    let missing: Vec<&&str> =
        routes.iter().filter(|route| SENDINGS.iter().all(|sending| sending.route != **route)).collect();
    assert!(missing.is_empty(), "routes without a form: {missing:#?}");
    let gone: Vec<&str> =
        SENDINGS.iter().map(|sending| sending.route).filter(|route| !routes.contains(route)).collect();
    assert!(gone.is_empty(), "forms for routes that are not there: {gone:#?}");
}
