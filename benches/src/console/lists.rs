//! What of the console is timed, and with which filters. A test compares it with the program's own routes; this file is a part
//! of that test, too, so it needs nothing.

/// A page whose time must not grow with what is in the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    /// As the program's routes have it, below the console's root.
    pub(crate) route: &'static str,
    /// For one with a variable: the address below the console's root of the page whose first link to such a page is followed.
    pub(crate) found_on: &'static str,
    /// What it is narrowed by: nothing, what finds much, what finds nothing and so looks furthest.
    pub(crate) queries: &'static [&'static str],
}

const fn list(route: &'static str, queries: &'static [&'static str]) -> List {
    List { route, found_on: "", queries }
}

const fn found(route: &'static str, found_on: &'static str, queries: &'static [&'static str]) -> List {
    List { route, found_on, queries }
}

/// Every list, and every page with lists in it.
pub(crate) const LISTS: &[List] = &[
    list("/", &[""]),
    list("/search", &["", "q=customer-00", "q=nobody-is-called-this", "q=inv_01"]),
    list(
        "/invocations",
        &[
            "",
            "surface=gateway",
            "outcome=unknown",
            "error=rate_limited",
            "tool=shop19/tool9&outcome=denied",
            "account=customer-000029@example.com&outcome=charged",
            "partner=Platform+099&outcome=open",
            "from=2020-01-01T00:00&to=2035-01-01T00:00&surface=gateway",
        ],
    ),
    found("/invocations/{id}", "/invocations", &[""]),
    found("/invocations/{id}/why", "/invocations", &[""]),
    found("/invocations/{id}/payload", "/invocations", &[""]),
    list(
        "/accounts",
        &[
            "",
            "email=customer-",
            "email=customer-0099",
            "email=nobody",
            "suspended=yes",
            "email=customer-00&suspended=yes",
        ],
    ),
    found("/accounts/{id}", "/accounts", &[""]),
    found("/accounts/{id}/caps", "/accounts?email=customer-000000", &[""]),
    list("/partners", &["", "name=Platform", "name=nobody", "suspended=yes"]),
    found("/partners/{id}", "/partners", &[""]),
    found("/partners/{id}/tokens", "/partners", &[""]),
    found("/partners/{id}/caps", "/partners", &[""]),
    list("/partners/deliveries", &["", "state=queued", "state=sent"]),
    found("/partners/{id}/alerts", "/partners", &[""]),
    found("/partners/{id}/usage", "/partners", &["", "by=user", "by=tool&per=month", "from=2026-01-01&to=2026-12-31"]),
    found("/partners/{id}/statement", "/partners", &[""]),
    found("/partners/{id}/statements", "/partners", &[""]),
    found("/partners/{id}/statements/{period}", "/partners/{id}/statements", &[""]),
    found("/partners/{id}/statements/{period}/print", "/partners/{id}/statements", &[""]),
    found("/partners/{id}/events", "/partners", &[""]),
    found("/partners/{id}/webhooks", "/partners", &[""]),
    found("/partners/{id}/webhooks/{webhook}", "/partners/{id}/webhooks", &[""]),
    found("/partners/{id}/users", "/partners", &["", "name=user-", "name=nobody", "blocked=yes"]),
    found("/partners/{id}/users/{user}", "/partners/{id}/users", &[""]),
    list("/publishers", &["", "slug=shop", "name=nobody", "suspended=yes"]),
    found("/publishers/{id}", "/publishers", &[""]),
    found("/namespaces/{id}", "/publishers/{id}", &[""]),
    list("/listings", &["", "state=any", "state=changes", "state=draft"]),
    found("/listings/{id}", "/listings?state=any", &[""]),
    list("/tools", &["", "name=tool", "name=nobody", "publisher=shop00", "namespace=shop19", "disabled=yes"]),
    found("/tools/{id}", "/tools", &[""]),
    list(
        "/refunds",
        &["", "kind=any", "kind=adjustment", "kind=grant", "kind=chargeback", "kind=payout&object=nobody"],
    ),
    found("/refunds/{id}", "/refunds", &[""]),
    list("/payouts", &["", "view=partners", "view=paid"]),
    found("/payouts/{id}", "/payouts?view=paid", &[""]),
    list("/purchases", &["", "state=pending", "state=failed", "state=confirmed"]),
    found("/purchases/{id}", "/purchases", &[""]),
    list("/chargebacks", &["", "state=lost", "state=open"]),
    found("/chargebacks/{id}", "/chargebacks", &[""]),
    list("/approvals", &["", "view=mine", "view=all", "view=all&state=rejected", "view=all&object=nobody"]),
    found("/approvals/{id}", "/approvals?view=all", &[""]),
    list("/ledger", &[""]),
    list(
        "/ledger/accounts",
        &["", "kind=wallet", "kind=grant", "kind=payable", "kind=partner", "kind=loss", "owner=nobody"],
    ),
    found("/ledger/accounts/{id}", "/ledger/accounts", &[""]),
    list(
        "/ledger/journal",
        &["", "kind=charge", "kind=reversal", "kind=adjustment", "until=2020-01-01T00:00", "until=2035-01-01T00:00"],
    ),
    found("/ledger/transactions/{id}", "/ledger/journal", &[""]),
    list("/ledger/trial-balance", &[""]),
    list("/ledger/periods", &[""]),
    list("/ledger/checkpoints", &[""]),
    found("/ledger/checkpoints/{number}", "/ledger/checkpoints", &[""]),
    list("/ledger/verify", &[""]),
    list("/ledger/exports", &[""]),
    list("/health", &[""]),
    list("/policies", &["", "author=nobody"]),
    // A form, above a count of the newest calls.
    list("/policies/edit", &[""]),
    found("/policies/{number}", "/policies", &[""]),
    list(
        "/audit",
        &[
            "",
            "actor=system",
            "actor=nobody",
            "action=account",
            "action=nobody.did",
            "object=nobody",
            "object=account",
            "actor=system&action=nobody.did&object=account",
            "from=2020-01-01&to=2035-01-01&actor=nobody",
        ],
    ),
    found("/audit/{place}", "/audit", &[""]),
    list("/mail", &["", "state=failed", "template=receipt", "to=nobody%40example.com"]),
    found("/mail/{id}", "/mail", &[""]),
    list("/operators", &[""]),
    found("/operators/{id}", "/operators", &[""]),
    found("/operators/auditors/{id}", "/operators", &[""]),
    list("/operators/auditors", &[""]),
    list("/operators/matrix", &[""]),
    list("/me", &[""]),
];
