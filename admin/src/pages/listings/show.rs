//! One listing, with everything that somebody who approves it says yes to.

use actix_web::web::Path;
use engine::{
    catalog::Visibility,
    policy::console::ConsoleAction,
    service::{
        accounts::AccountProfile,
        publishing::{CredentialView, ListingFacts, OwnConnection, OwnNamespace, OwnProfile, OwnTool, Review},
    },
};

use super::{
    LISTINGS,
    compare::{Effective, differences, long_of, rises, texts_of, visibility_of},
    decide::rise_text,
    fault_of, href, load, waiting,
};
use crate::{
    console::{Answer, Visit},
    kit::{Cell, Code, Column, Diff, Facts, Heading, Notice, Page, Picture, Row, Table, Text, Tone},
    pages::{
        catalog::{namespace_href, namespace_state, publisher_href, tool_href, visibility},
        places,
        prices::{stored_cell, stored_text},
    },
    text::{t, t_with},
};

/// Where pictures are that were uploaded here.
const ASSETS: &str = "/assets";
/// What says that everybody between here and a server can read along.
const PLAIN: &str = "http://";

pub(super) async fn show(visit: Visit, id: Path<String>) -> Answer {
    let review = load(&visit, &id).await?;
    let shown = &review.facts.shown;
    let profile = visit.services().load_own_profile(shown.publisher).await.map_err(fault_of)?;
    let owner = match profile.account {
        Some(account) => visit.services().find_profile(account).await?,
        None => None,
    };
    let own = href(shown.id);
    let may = shown.is_handed_in() && visit.may(ConsoleAction::ListingDecide);
    let mut page = Page::new(shown.name.clone())
        .under(t("listings-title"), LISTINGS)
        .tool(may, t("listings-approve"), format!("{own}/approve"))
        .tool(may, t("listings-reject"), format!("{own}/reject"));
    page.subtitle = vec![namespace_state(shown.status), Cell::id(shown.id, "")];
    let rising = shown.tools.iter().filter(|tool| rises(shown, tool)).count();
    if rising > 0 {
        page = page.with(Notice::new(Tone::Warn, rise_text(rising)));
    }
    page = page
        .with(facts(shown, &profile, owner.as_ref()))
        .with(Heading::new(t("listings-checklist")))
        .with(checklist(&review, &profile, owner.as_ref()))
        .with(Heading::new(t("listings-difference")));
    let lines = differences(shown);
    page = if lines.is_empty() {
        page.with(Text::new(t(if shown.is_handed_in() { "listings-all-new" } else { "listings-no-difference" })))
    } else {
        page.with(Diff { caption: t("listings-difference"), lines })
    };
    page = with_listing(page, shown);
    let names = [shown.id.to_string(), shown.name.clone()].map(|name| ("namespace", name));
    let timeline = crate::pages::timeline_of(&visit, &names).await?;
    let page = page
        .with(Heading::new(t("catalog-tools")))
        .with(price_table(shown))
        .with(text_table(shown))
        .with(Heading::new(t("catalog-connection")))
        .with(server(&review.facts))
        .with(Heading::new(t("console-timeline")))
        .with(timeline);
    visit.show(page).await
}

/// Whose it is, what waits, and since when.
fn facts(shown: &OwnNamespace, profile: &OwnProfile, owner: Option<&AccountProfile>) -> Facts {
    let owner = owner.map_or(Cell::None, |owner| places::link(&owner.email, &format!("/accounts/{}", owner.id)));
    let waits = if shown.is_handed_in() { waiting(shown.status) } else { Cell::None };
    Facts::new()
        .fact(t("catalog-namespace"), Cell::link(&shown.name, namespace_href(shown.id)))
        .fact(t("catalog-publisher"), Cell::link(&profile.display_name, publisher_href(profile.id)))
        .fact(t("catalog-owner"), owner)
        .fact(t("listings-waits"), waits)
        .fact(t("listings-since"), Cell::time(shown.draft.submitted_us))
        .fact(t("listings-rejected-because"), Cell::maybe(shown.draft.rejected_because.as_deref()))
        .fact(t("catalog-created"), Cell::Time(shown.created_us))
}

/// What somebody looks for, and how it stands.
struct Check {
    what: String,
    tone: Tone,
    note: String,
}

fn check(key: &str, tone: Tone, note: impl Into<String>) -> Check {
    Check { what: t(key), tone, note: note.into() }
}

/// What has to be there: without it nothing can be approved.
fn needed(review: &Review) -> Vec<Check> {
    let is_there = |field: &str| review.missing.iter().all(|fault| fault.field != field);
    let needs = |key: &str, field: &str| check(key, if is_there(field) { Tone::Good } else { Tone::Bad }, "");
    let bare = review.missing.iter().filter_map(|fault| fault.field.strip_prefix("tools."));
    let bare: Vec<&str> = bare.map(|field| field.trim_end_matches(".short_description")).collect();
    vec![
        needs("catalog-listing-name", "listing_name"),
        needs("catalog-description", "description"),
        needs("catalog-category", "category"),
        needs("catalog-tags", "tags"),
        needs("listings-check-tools", "tools"),
        check("listings-check-texts", if bare.is_empty() { Tone::Good } else { Tone::Bad }, bare.join(", ")),
    ]
}

/// What is worth a look.
fn advisable(review: &Review, profile: &OwnProfile, owner: Option<&AccountProfile>) -> Vec<Check> {
    let (shown, server) = (&review.facts.shown, review.facts.connection.as_ref());
    let unless = |is_fine: bool| if is_fine { Tone::Good } else { Tone::Warn };
    let rising: Vec<&str> =
        shown.tools.iter().filter(|tool| rises(shown, tool)).map(|tool| tool.name.as_str()).collect();
    let bare: Vec<&str> =
        shown.tools.iter().filter(|tool| tool.pricing.is_none()).map(|tool| tool.name.as_str()).collect();
    let is_private = server.is_some_and(|server| !server.url.starts_with(PLAIN));
    let has_examples = shown.tools.iter().any(|tool| !texts_of(shown, tool).1.is_empty());
    let is_well = owner.is_some_and(|owner| owner.is_verified && !owner.is_suspended);
    let next = Effective::of(shown);
    vec![
        check("listings-check-prices", unless(bare.is_empty()), bare.join(", ")),
        check("listings-check-raise", unless(rising.is_empty()), rising.join(", ")),
        check(
            "listings-check-server",
            unless(server.is_some()),
            server.map(OwnConnection::shown_url).unwrap_or_default(),
        ),
        check("listings-check-private", unless(is_private), ""),
        check("listings-icon", unless(!next.icon.is_empty()), ""),
        check("listings-readme", unless(!next.readme.is_empty()), ""),
        check("catalog-example-prompts", unless(has_examples), ""),
        check(
            "catalog-website",
            unless(profile.website_url.is_some()),
            profile.website_url.clone().unwrap_or_default(),
        ),
        check("catalog-support-email", unless(profile.support_email.is_some()), ""),
        check("catalog-owner", unless(is_well), ""),
    ]
}

fn checklist(review: &Review, profile: &OwnProfile, owner: Option<&AccountProfile>) -> Table {
    let state = |tone: Tone| {
        let key = match tone {
            Tone::Good | Tone::Plain => "listings-check-fine",
            Tone::Warn => "listings-check-look",
            Tone::Bad => "listings-check-missing",
        };
        Cell::state(t(key), tone)
    };
    let checks = needed(review).into_iter().chain(advisable(review, profile, owner));
    let rows =
        checks.map(|check| Row::new("", vec![Cell::text(check.what), state(check.tone), Cell::text(check.note)]));
    Table {
        caption: t("listings-checklist"),
        columns: ["listings-check", "catalog-state", "listings-check-note"].map(|key| Column::new(t(key))).into(),
        rows: rows.collect(),
        ..Table::default()
    }
}

/// How it presents itself, with its draft in its place.
fn with_listing(page: Page, shown: &OwnNamespace) -> Page {
    let next = Effective::of(shown);
    let text = |text: &str| Cell::maybe(Some(text.to_owned()).filter(|text| !text.is_empty()));
    let is_here = !next.icon.is_empty() && !next.icon.contains(':');
    let mut facts = Facts::new()
        .fact(t("catalog-listing-name"), text(next.title))
        .fact(t("catalog-description"), text(next.description))
        .fact(t("catalog-category"), text(next.category))
        .fact(t("catalog-tags"), text(&next.tags.join(" · ")));
    if !is_here {
        // One from elsewhere is not fetched: whoever has it would learn who looks at it.
        facts = facts.fact(t("listings-icon"), text(next.icon));
    }
    facts = facts.fact(t("listings-readme-source"), text(shown.readme_source_url.as_deref().unwrap_or_default()));
    let mut page = page.with(Heading::new(t("listings-as-it-would-be"))).with(facts);
    if is_here {
        let alt = t_with("listings-icon-of", &[("namespace", shown.name.clone().into())]);
        page = page.with(Picture { src: format!("{ASSETS}/{}", next.icon), alt });
    }
    if next.readme.is_empty() {
        return page;
    }
    page.with(Code { caption: t("listings-readme"), text: next.readme.to_owned(), is_copied: false })
}

/// What the tools cost now, and with the approval.
pub(super) fn price_table(shown: &OwnNamespace) -> Table {
    let group = |tool: &OwnTool| {
        let found = shown.groups.iter().find(|group| tool.group == Some(group.id));
        Cell::maybe(found.map(|group| group.name.clone()))
    };
    let cell = |spec: &Option<String>| spec.as_deref().map_or(Cell::None, stored_cell);
    let row = |tool: &OwnTool| {
        let change = match (&tool.staged_pricing, rises(shown, tool)) {
            (None, _) => Cell::None,
            (Some(_), true) => Cell::state(t("listings-rises"), Tone::Bad),
            (Some(_), false) => Cell::state(t("listings-price-changes"), Tone::Warn),
        };
        let price = tool.staged_pricing.as_ref().or(tool.pricing.as_ref());
        let words = price.map(|price| stored_text(price));
        let cells = vec![
            Cell::link(&tool.name, tool_href(tool.id)),
            visibility(visibility_of(tool)),
            group(tool),
            cell(&tool.pricing),
            cell(&tool.staged_pricing),
            change,
            Cell::maybe(words),
            set_arguments(tool),
        ];
        let is_hidden = visibility_of(tool) == Visibility::Private;
        Row { tone: if is_hidden { Tone::Warn } else { Tone::Plain }, ..Row::new(tool_href(tool.id), cells) }
    };
    Table {
        caption: t("listings-prices"),
        columns: vec![
            Column::new(t("catalog-tool")),
            Column::new(t("catalog-visibility")),
            Column::new(t("listings-group")),
            Column::right(t("listings-price-now")),
            Column::right(t("listings-price-next")),
            Column::new(t("listings-change")),
            Column::new(t("prices-words")),
            Column::new(t("listings-set-arguments")),
        ],
        rows: shown.tools.iter().map(row).collect(),
        ..Table::default()
    }
}

/// What its publisher sets for its callers: only names, but for what it is priced by.
fn set_arguments(tool: &OwnTool) -> Cell {
    let named = |(name, value): (String, Option<String>)| match value {
        Some(value) => [name, value].join(" = "),
        None => name,
    };
    let all: Vec<String> = tool.set_arguments().into_iter().map(named).collect();
    Cell::maybe(Some(all.join(" · ")).filter(|all| !all.is_empty()))
}

/// What the tools say of themselves, with the draft in its place.
fn text_table(shown: &OwnNamespace) -> Table {
    let row = |tool: &OwnTool| {
        let (line, prompts) = texts_of(shown, tool);
        let cells = vec![
            Cell::link(&tool.name, tool_href(tool.id)),
            Cell::text(line),
            Cell::text(long_of(shown, tool)),
            Cell::text(prompts.join(" · ")),
        ];
        Row::new(tool_href(tool.id), cells)
    };
    Table {
        caption: t("listings-texts"),
        columns: ["catalog-tool", "catalog-short-description", "catalog-long-description", "catalog-example-prompts"]
            .map(|key| Column::new(t(key)))
            .into(),
        rows: shown.tools.iter().map(row).collect(),
        ..Table::default()
    }
}

/// Where calls go, and whether they carry a secret; never which.
pub(in crate::pages) fn server(facts: &ListingFacts) -> Facts {
    let Some(server) = &facts.connection else {
        return Facts::new().fact(t("catalog-connection"), Cell::text(t("catalog-connection-none")));
    };
    Facts::new()
        .fact(t("catalog-connection"), Cell::text(&server.label))
        .fact(t("catalog-connection-kind"), Cell::text(t(&["catalog-kind-", server.kind.as_str()].concat())))
        .fact(t("catalog-address"), Cell::Mono(server.shown_url()))
        .fact(t("catalog-credential"), credential(&facts.credential))
        .fact(t("catalog-credential-name"), Cell::maybe(facts.credential.name.clone()))
}

/// Whether there is a secret, and whose it is.
pub(in crate::pages) fn credential(credential: &CredentialView) -> Cell {
    match (credential.is_set, credential.is_own) {
        (false, _) => Cell::text(t("catalog-credential-none")),
        (true, false) => Cell::state(t("catalog-credential-set"), Tone::Good),
        (true, true) => Cell::state(t("catalog-credential-own"), Tone::Good),
    }
}
