//! What a publisher says of itself, whose account it is, and its servers.

use engine::{
    id::PublisherId,
    service::publishing::{OwnConnection, OwnProfile},
};

use crate::{
    console::{Fault, Visit},
    kit::{Cell, Column, Facts, Heading, Page, Picture, Row, Table},
    pages::{listings, places},
    text::{t, t_with},
};

/// Adds it to the page of a publisher.
pub(super) async fn with_profile(visit: &Visit, publisher: PublisherId, page: Page) -> Result<Page, Fault> {
    let services = visit.services();
    let profile = services.load_own_profile(publisher).await.map_err(listings::fault_of)?;
    let owner = match profile.account {
        Some(account) => services.find_profile(account).await?,
        None => None,
    };
    let owner = owner.map_or_else(
        || Cell::text(t("catalog-owner-none")),
        |owner| places::link(&owner.email, &format!("/accounts/{}", owner.id)),
    );
    let mut page = page.with(facts(&profile, owner));
    // One from elsewhere is not fetched: whoever has it would learn who looks at it.
    if let Some(logo) = profile.logo.as_ref().filter(|logo| !logo.contains(':')) {
        let alt = t_with("catalog-logo-of", &[("publisher", profile.display_name.clone().into())]);
        page = page.with(Picture { src: format!("/assets/{logo}"), alt });
    }
    let servers = services.list_connections(publisher).await?;
    if servers.is_empty() {
        return Ok(page);
    }
    Ok(page.with(Heading::new(t("catalog-connections"))).with(table(&servers)))
}

fn facts(profile: &OwnProfile, owner: Cell) -> Facts {
    let text = |text: &Option<String>| Cell::maybe(text.as_deref());
    let elsewhere = profile.logo.clone().filter(|logo| logo.contains(':'));
    let mut facts = Facts::new()
        .fact(t("catalog-owner"), owner)
        .fact(t("catalog-website"), text(&profile.website_url))
        .fact(t("catalog-support-email"), text(&profile.support_email))
        .fact(t("catalog-legal-name"), text(&profile.legal_name))
        .fact(t("catalog-country"), text(&profile.country))
        .fact(t("catalog-bio"), text(&profile.bio));
    if elsewhere.is_some() {
        facts = facts.fact(t("catalog-logo"), Cell::maybe(elsewhere));
    }
    facts
}

/// At most [`engine::service::publishing::CONNECTIONS_MAX`] rows.
fn table(servers: &[OwnConnection]) -> Table {
    let row = |server: &OwnConnection| {
        let cells = vec![
            Cell::text(&server.label),
            Cell::text(t(&["catalog-kind-", server.kind.as_str()].concat())),
            Cell::Mono(server.shown_url()),
            listings::credential(&server.credential),
            Cell::Time(server.created_us),
        ];
        Row::new("", cells)
    };
    Table {
        caption: t("catalog-connections"),
        columns: [
            "catalog-connection",
            "catalog-connection-kind",
            "catalog-address",
            "catalog-credential",
            "catalog-created",
        ]
        .map(|key| Column::new(t(key)))
        .into(),
        rows: servers.iter().map(row).collect(),
        ..Table::default()
    }
}
