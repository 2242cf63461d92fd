//! The rows of partners: every route below `/partners/`.

use super::{
    house::{COUNTED, Who},
    table::{Foreign, MISSING, Party, Row, row},
    things::Thing,
};

const PARTNER: Party = Party {
    owner: Who::Globex,
    strangers: &[Who::Initech],
    outsiders: &[
        (Who::Nobody, 401, "missing_token"),
        (Who::Alice, 403, "partner_required"),
        (Who::UnknownPartner, 401, "invalid_token"),
    ],
};

/// Its end users pay themselves.
const FILLER: Party = Party { owner: Who::Umbrella, strangers: &[Who::Tyrell, Who::Globex], ..PARTNER };
const FILLED: &[(&str, Thing)] = &[("external_id", Thing::FundedEndUser), ("idempotency_key", Thing::Key)];
const MOVED: &str = r#"{"credits": "3.000321", "idempotency_key": "{idempotency_key}"}"#;

const USER: &[(&str, Thing)] = &[("external_id", Thing::CappedEndUser)];
const TOKEN: &[(&str, Thing)] = &[("id", Thing::CappedPartnerToken)];
const COUNTED_USER: &[(&str, Thing)] = &[("+user", Thing::CountedEndUser)];
const CREDITS: &str = r#"{"credits": "777.000321"}"#;
/// The newest of a list stand behind it, the oldest before it.
const LATEST: Thing = Thing::Fixed("ffffffff-ffff-ffff-ffff-ffffffffffff");
const FIRST: Thing = Thing::Fixed("00000000-0000-0000-0000-000000000000");
const FIRST_LINE: Thing = Thing::Fixed("0.00000000-0000-0000-0000-000000000000");

pub(super) const ROWS: &[Row] = &[
    row(PARTNER, "GET /partners/me", &[], Foreign::Nothing).shows("Globex"),
    row(PARTNER, "GET /partners/tokens", &[("+token", Thing::PartnerToken)], Foreign::Nothing).shows("{+token}"),
    row(PARTNER, "POST /partners/tokens", &[("idempotency_key", Thing::Key)], Foreign::Own)
        .body(r#"{"name": "another", "idempotency_key": "{idempotency_key}"}"#),
    row(PARTNER, "DELETE /partners/tokens/{id}", &[("id", Thing::PartnerToken)], MISSING),
    row(PARTNER, "GET /partners/tokens/{id}/caps", TOKEN, MISSING).shows("777.000321"),
    row(PARTNER, "PUT /partners/tokens/{id}/caps/{window}", TOKEN, MISSING)
        .body(CREDITS)
        .keeps("/partners/tokens/{id}/caps"),
    row(PARTNER, "DELETE /partners/tokens/{id}/caps/{window}", TOKEN, MISSING),
    // End users.
    row(
        PARTNER,
        "GET /partners/users",
        &[("external_id", Thing::EndUser), ("after", Thing::Fixed("A"))],
        Foreign::Nothing,
    )
    .query("?external_id={external_id}&after={after}")
    .shows("{external_id}"),
    row(PARTNER, "GET /partners/users", &[("external_id", Thing::EndUser)], Foreign::Nothing).shows("{external_id}"),
    row(PARTNER, "POST /partners/users", &[("external_id", Thing::EndUser)], Foreign::Own)
        .body(r#"{"external_id": "{external_id}"}"#),
    row(PARTNER, "GET /partners/users/{external_id}", USER, MISSING).shows("{external_id}"),
    row(PARTNER, "PATCH /partners/users/{external_id}", USER, MISSING)
        .body(r#"{"state": "blocked", "metadata": null}"#)
        .keeps("/partners/users/{external_id}"),
    row(PARTNER, "DELETE /partners/users/{external_id}", USER, MISSING).keeps("/partners/users/{external_id}"),
    row(
        PARTNER,
        "GET /partners/users/{external_id}/export",
        &[("external_id", Thing::EndUser), ("+call", Thing::CallOfEndUser), ("after", LATEST)],
        MISSING,
    )
    .query("?after={after}")
    .shows("{+call}"),
    row(FILLER, "POST /partners/users/{external_id}/fund", FILLED, MISSING)
        .body(MOVED)
        .keeps("/partners/users/{external_id}")
        .shows("780.000642"),
    row(FILLER, "POST /partners/users/{external_id}/withdraw", FILLED, MISSING)
        .body(MOVED)
        .keeps("/partners/users/{external_id}")
        .shows("774"),
    row(PARTNER, "GET /partners/users/{external_id}/caps", USER, MISSING).shows("777.000321"),
    row(PARTNER, "PUT /partners/users/{external_id}/caps/{window}", USER, MISSING)
        .body(CREDITS)
        .keeps("/partners/users/{external_id}/caps"),
    row(PARTNER, "DELETE /partners/users/{external_id}/caps/{window}", USER, MISSING),
    // Limits of the partner itself: without one of its own, the other lifts none.
    row(PARTNER, "GET /partners/caps", &[("+cap", Thing::PartnerCap)], Foreign::Nothing).shows("777000.000321"),
    row(PARTNER, "PUT /partners/caps/{per}/{window}", &[("+cap", Thing::PartnerCap)], Foreign::Own)
        .body(r#"{"credits": 888000}"#)
        .keeps("/partners/caps"),
    row(PARTNER, "DELETE /partners/caps/{per}/{window}", &[("+cap", Thing::PartnerCap)], Foreign::Nothing)
        .keeps("/partners/caps"),
    // Sums.
    row(PARTNER, "GET /partners/usage", &[("user", Thing::CountedEndUser), ("after", FIRST_LINE)], MISSING)
        .query("?group_by=user&from=2025-10-01&to=2025-10-31&user={user}&after={after}")
        .shows(COUNTED),
    row(PARTNER, "GET /partners/usage", COUNTED_USER, Foreign::Nothing)
        .query("?group_by=user&from=2025-10-01&to=2025-10-31")
        .shows(COUNTED),
    row(PARTNER, "GET /partners/usage", COUNTED_USER, Foreign::Nothing)
        .query("?group_by=month&from=2025-10-01&to=2025-10-31")
        .shows(COUNTED),
    row(PARTNER, "GET /partners/statements", COUNTED_USER, Foreign::Nothing).shows(COUNTED),
    row(
        PARTNER,
        "GET /partners/statements/{period}",
        &[("+user", Thing::CountedEndUser), ("after", FIRST_LINE)],
        Foreign::Nothing,
    )
    .query("?after={after}")
    .shows("{+user}"),
    // Being told.
    row(PARTNER, "GET /partners/alerts", &[("+alert", Thing::Alert), ("after", FIRST)], Foreign::Nothing)
        .query("?after={after}")
        .shows("{+alert}"),
    row(PARTNER, "POST /partners/alerts", &[("token_id", Thing::PartnerToken)], Foreign::AsUnknown(&[422]))
        .body(r#"{"applies_to": "token", "token_id": "{token_id}", "window": "day", "percent": 77}"#),
    row(PARTNER, "POST /partners/alerts", &[("external_id", Thing::EndUser)], Foreign::AsUnknown(&[422]))
        .body(r#"{"applies_to": "end_user", "external_id": "{external_id}", "window": "day", "percent": 77}"#),
    row(PARTNER, "POST /partners/alerts", &[("idempotency_key", Thing::Key)], Foreign::Own)
        .body(r#"{"applies_to": "partner", "window": "day", "percent": 77, "idempotency_key": "{idempotency_key}"}"#),
    row(PARTNER, "DELETE /partners/alerts/{id}", &[("id", Thing::Alert)], MISSING),
    row(PARTNER, "GET /partners/events", &[("+event", Thing::Event), ("after", LATEST)], Foreign::Nothing)
        .query("?after={after}")
        .shows("{+event}"),
    row(PARTNER, "GET /partners/webhooks", &[("+hook", Thing::Hook)], Foreign::Nothing).shows("{+hook}"),
    row(PARTNER, "POST /partners/webhooks", &[("idempotency_key", Thing::Key)], Foreign::Own)
        .body(r#"{"url": "{receiver}/made", "idempotency_key": "{idempotency_key}"}"#),
    row(PARTNER, "DELETE /partners/webhooks/{id}", &[("id", Thing::Hook)], MISSING),
    row(
        PARTNER,
        "GET /partners/webhooks/{id}/deliveries",
        &[("id", Thing::Hook), ("+delivery", Thing::Delivery), ("after", LATEST)],
        MISSING,
    )
    .query("?after={after}")
    .shows("{+delivery}"),
    row(
        PARTNER,
        "POST /partners/webhooks/{id}/deliveries/{delivery}/replay",
        &[("id", Thing::Hook), ("delivery", Thing::Delivery)],
        MISSING,
    )
    .shows("{delivery}"),
];
