//! The section `catalog`: publishers, tools, accounts and partners, declared.
//!
//! Everything here is imported at start and by `tollgate apply`. Each item carries its place, for messages about
//! things that only the importer can find wrong, and a fingerprint that changes exactly when its content does.

mod people;
mod pricing;
mod tool;

use std::collections::{HashMap, HashSet};

use secrecy::ExposeSecret;

pub use self::{
    people::{AccountItem, CapItem, CapScope, CapWindow, Funding, PartnerItem, TokenItem},
    pricing::{ChargeOn, PricingItem, PricingMode},
    tool::{HttpMethod, Tier, ToolItem, UpstreamItem},
};
use super::{
    error::Place,
    fingerprint::fingerprint,
    reader::{Fields, Value},
    values::{parse_email, parse_http_url, parse_line},
};

/// Ten thousand basis points are everything.
pub(super) const BPS_MAX: u64 = 10_000;

/// The section `catalog`.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Tools without a namespace, offered on `/tools/invoke`.
    pub core_tools: Vec<ToolItem>,
    /// Who sells, with everything they sell.
    pub publishers: Vec<PublisherItem>,
    /// Customers, for demos and tests.
    pub accounts: Vec<AccountItem>,
    /// Platforms that call for their own users.
    pub partners: Vec<PartnerItem>,
}

/// One element of `catalog.publishers`.
#[derive(Debug, Clone)]
pub struct PublisherItem {
    /// The slug that identifies the publisher in the file.
    pub id: String,
    /// The name that people see.
    pub display_name: String,
    /// The publisher's part of every price, in basis points (0 to 10,000).
    pub share_bps: u16,
    /// The publisher's own site.
    pub website_url: Option<String>,
    /// Where the publisher's customers write to.
    pub support_email: Option<String>,
    /// A text about the publisher.
    pub bio: Option<String>,
    /// What the publisher sells.
    pub namespaces: Vec<NamespaceItem>,
    /// Where it was written.
    pub place: Place,
    /// SHA-256 of everything but `namespaces`, in hexadecimal.
    pub fingerprint: String,
}

/// One element of `catalog.publishers[].namespaces`.
#[derive(Debug, Clone)]
pub struct NamespaceItem {
    /// The slug in URLs.
    pub name: String,
    /// The title of the listing.
    pub listing_name: Option<String>,
    /// What it is for.
    pub description: String,
    /// The category of the listing.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Its tools.
    pub tools: Vec<ToolItem>,
    /// Where it was written.
    pub place: Place,
    /// SHA-256 of everything but `tools`, in hexadecimal.
    pub fingerprint: String,
}

impl Catalog {
    pub(super) fn read(fields: &mut Fields<'_>, allow_fixture_secrets: bool) -> Self {
        let mut core_names = Names::new("the core tool");
        let core_tools = fields.objects("core_tools", |tool| ToolItem::read(tool, &mut core_names));
        let mut publisher_ids = Names::new("the publisher");
        let mut namespace_names = Names::new("the namespace");
        let publishers =
            fields.objects("publishers", |item| PublisherItem::read(item, &mut publisher_ids, &mut namespace_names));
        let mut emails = Names::new("the account");
        let accounts = fields.objects("accounts", |item| AccountItem::read(item, &mut emails, allow_fixture_secrets));
        let mut partner_names = Names::new("the partner");
        let publishers: Vec<_> = publishers.into_iter().flatten().collect();
        let share_bps_max = publishers.iter().map(|publisher| publisher.share_bps).max().unwrap_or(0);
        let partners = fields.objects("partners", |item| {
            PartnerItem::read(item, &mut partner_names, share_bps_max, allow_fixture_secrets)
        });
        let catalog = Self {
            core_tools: core_tools.into_iter().flatten().collect(),
            publishers,
            accounts: accounts.into_iter().flatten().collect(),
            partners: partners.into_iter().flatten().collect(),
        };
        catalog.check_tokens(fields);
        catalog
    }

    /// A token finds its owner, so two owners cannot have the same. The message names the place, never the token.
    fn check_tokens(&self, fields: &Fields<'_>) {
        let of_accounts = self
            .accounts
            .iter()
            .flat_map(|account| account.tokens.iter().map(move |item| (&item.token, &account.place)));
        let of_partners =
            self.partners.iter().filter_map(|partner| partner.token.as_ref().map(|token| (token, &partner.place)));
        let mut seen = HashSet::new();
        for (token, place) in of_accounts.chain(of_partners) {
            if !seen.insert(token.expose_secret()) {
                fields.reader.problem(place, "has a token that was declared before");
            }
        }
    }
}

impl PublisherItem {
    fn read(fields: &mut Fields<'_>, ids: &mut Names, namespace_names: &mut Names) -> Option<Self> {
        let id = fields.require("id").and_then(|value| ids.read(&value, parse_slug));
        let display_name = fields.require("display_name").and_then(|value| value.parsed(parse_line));
        let share_bps = fields.require("share_bps").and_then(|value| read_bps(&value));
        let website_url = fields.parsed("website_url", |text| parse_http_url(text).map(String::from));
        let support_email = fields.parsed("support_email", parse_email);
        let bio = fields.text("bio");
        let namespaces = fields.objects("namespaces", |item| NamespaceItem::read(item, namespace_names));
        Some(Self {
            id: id?,
            display_name: display_name?,
            share_bps: share_bps?,
            website_url,
            support_email,
            bio,
            namespaces: namespaces.into_iter().flatten().collect(),
            place: fields.place.clone(),
            fingerprint: fingerprint(fields.members(), &["namespaces"]),
        })
    }
}

impl NamespaceItem {
    fn read(fields: &mut Fields<'_>, names: &mut Names) -> Option<Self> {
        let name = fields.require("name").and_then(|value| names.read(&value, parse_slug));
        let mut tool_names = Names::new("the tool");
        let listing_name = fields.parsed("listing_name", parse_line);
        let description = fields.text("description").unwrap_or_default();
        let category = fields.parsed("category", parse_line);
        let tags = fields.list("tags", |item| item.parsed(parse_line));
        let tools = fields.objects("tools", |tool| ToolItem::read(tool, &mut tool_names));
        Some(Self {
            name: name?,
            listing_name,
            description,
            category,
            tags,
            tools: tools.into_iter().flatten().collect(),
            place: fields.place.clone(),
            fingerprint: fingerprint(fields.members(), &["tools"]),
        })
    }
}

/// Names that must differ from one another, with the places where they were first written.
pub(super) struct Names {
    what: &'static str,
    first: HashMap<String, Place>,
}

impl Names {
    fn new(what: &'static str) -> Self {
        Self { what, first: HashMap::new() }
    }

    /// Reads a name and reports it when it was there before.
    fn read(&mut self, value: &Value<'_>, parse: impl FnOnce(&str) -> Result<String, String>) -> Option<String> {
        let name = value.parsed(parse)?;
        match self.first.get(&name) {
            None => {
                self.first.insert(name.clone(), value.place().clone());
            }
            Some(Place::File(first)) => {
                value.wrong(format!("declares {} `{name}` again, first declared at {first}", self.what));
            }
            Some(Place::Whole | Place::Variable(_)) => {
                value.wrong(format!("declares {} `{name}` again", self.what));
            }
        }
        Some(name)
    }
}

pub(super) fn read_bps(value: &Value<'_>) -> Option<u16> {
    value.whole_number(0..=BPS_MAX).and_then(|bps| u16::try_from(bps).ok())
}

/// Reads a slug: two to sixty-four of `a` to `z`, digits and inner hyphens.
pub(super) fn parse_slug(text: &str) -> Result<String, String> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_slug =
        (2..=64).contains(&text.len()) && text.chars().all(is_inner) && !text.starts_with('-') && !text.ends_with('-');
    if is_slug {
        Ok(text.to_owned())
    } else {
        Err("must be a slug: 2 to 64 lower-case letters, digits and inner hyphens".to_owned())
    }
}
