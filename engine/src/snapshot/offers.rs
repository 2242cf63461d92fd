//! From the rows of the catalog to what is offered.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use uuid::Uuid;

use super::{Offer, Seller, Snapshot, inconsistent, rows::CatalogRows};
use crate::{
    catalog::{
        ArgumentSchema, Listing, Manner, Namespace, NamespaceState, Publisher, PublisherState, SealedCredential, Tier,
        Tool, ToolState, Topics, Visibility,
    },
    id::{AccountId, NamespaceId, PriceVersionId, PublisherId, ToolId},
    ledger::LedgerAccountId,
    pricing::{Price, PriceBook},
    publishing::{arguments::SetArguments, rest::RestShape},
    service::{catalog::spec_from_json, publishing::sealed_credential},
    store::{StoreError, entity},
    upstream::UpstreamTarget,
};

/// A namespace with what its tools share.
struct NamespaceParts {
    row: entity::namespace::Model,
    listing: Arc<Listing>,
    credential: Option<Arc<SealedCredential>>,
}

/// Hands over every tool, with its namespace's identifier and slug unless it is a core tool. What has not changed since `last`
/// is not compiled again.
pub(super) fn each(
    rows: CatalogRows,
    last: Option<&Snapshot>,
    mut take: impl FnMut(Option<(Uuid, &str)>, Offer),
) -> Result<(), StoreError> {
    let publishers: HashMap<_, _> = rows.publishers.into_iter().map(|row| (row.id, row)).collect();
    let connections: HashMap<_, _> = rows.connections.into_iter().map(|row| (row.id, row)).collect();
    let namespaces: HashMap<_, _> = rows
        .namespaces
        .into_iter()
        .map(|row| {
            let connection = row.connection_id.and_then(|id| connections.get(&id));
            let credential = sealed_credential(&row, connection).map(Arc::new);
            Ok((row.id, NamespaceParts { listing: listing_from(&row)?, credential, row }))
        })
        .collect::<Result<_, StoreError>>()?;
    let taken_back: HashSet<_> = rows.cancellations.into_iter().map(|row| row.price_version_id).collect();
    let mut prices: HashMap<_, Vec<Price>> = HashMap::new();
    for row in rows.prices.into_iter().filter(|row| !taken_back.contains(&row.id)) {
        prices.entry(row.tool_id).or_default().push(price_from(&row)?);
    }
    for row in rows.tools {
        let versions = prices.remove(&row.id).unwrap_or_default();
        let Some(id) = row.namespace_id else {
            let known = last.and_then(|last| last.find_core_tool(&row.name));
            take(None, core_offer(row, versions, known)?);
            continue;
        };
        let parts = namespaces.get(&id).ok_or_else(|| inconsistent("tool", format!("`{}`", row.name)))?;
        let namespace = &parts.row;
        let publisher = publishers
            .get(&namespace.publisher_id)
            .ok_or_else(|| inconsistent("namespace", format!("`{}` has no publisher", namespace.name)))?;
        let known = last.and_then(|last| last.find_offer(&namespace.name, &row.name));
        take(Some((id, &namespace.name)), offer_from(row, versions, parts, publisher, known)?);
    }
    Ok(())
}

/// A tool that only the platform sells.
fn core_offer(row: entity::tool::Model, prices: Vec<Price>, known: Option<&Arc<Offer>>) -> Result<Offer, StoreError> {
    Ok(Offer {
        name: ToolId::from(row.id).to_string(),
        path: row.name.clone(),
        seller: None,
        payable: LedgerAccountId::PLATFORM_FEE,
        tool: tool_from(row, prices, known)?,
    })
}

fn offer_from(
    row: entity::tool::Model,
    prices: Vec<Price>,
    parts: &NamespaceParts,
    publisher: &entity::publisher::Model,
    known: Option<&Arc<Offer>>,
) -> Result<Offer, StoreError> {
    let namespace = &parts.row;
    let (namespace_id, publisher_id) = (NamespaceId::from(namespace.id), PublisherId::from(publisher.id));
    Ok(Offer {
        name: ToolId::from(row.id).to_string(),
        path: format!("{}/{}", namespace.name, row.name),
        seller: Some(Seller {
            namespace: Namespace {
                id: namespace_id,
                name: namespace.name.clone(),
                publisher: publisher_id,
                state: if namespace.is_suspended { NamespaceState::Suspended } else { NamespaceState::Active },
                is_public: is_public(namespace),
                listing: Arc::clone(&parts.listing),
            },
            namespace_name: namespace_id.to_string(),
            publisher: Publisher {
                id: publisher_id,
                display_name: publisher.display_name.clone(),
                share_bps: u16::try_from(publisher.share_bps)
                    .map_err(|_above| inconsistent("publisher", "share_bps".to_owned()))?,
                state: if publisher.is_suspended { PublisherState::Suspended } else { PublisherState::Active },
            },
            publisher_name: publisher_id.to_string(),
            owner: publisher.account_id.map(AccountId::from),
            credential: parts.credential.clone(),
        }),
        payable: LedgerAccountId::from_raw(publisher.payable),
        tool: tool_from(row, prices, known)?,
    })
}

fn tool_from(row: entity::tool::Model, prices: Vec<Price>, known: Option<&Arc<Offer>>) -> Result<Tool, StoreError> {
    let broken = |error: &dyn std::fmt::Display| inconsistent("tool", format!("`{}`: {error}", row.name));
    let manner = manner_from(&row).map_err(|error| broken(&error))?;
    // What callers see, and their arguments are checked against.
    let public_schema = match &manner.set_arguments {
        Some(set) => set.public_schema(&row.input_schema).map_err(|error| broken(&error))?,
        None => row.input_schema.clone(),
    };
    let same = known.filter(|offer| *offer.tool.input_schema_text == *public_schema);
    let (schema, input_schema_text) = if let Some(offer) = same {
        (offer.tool.schema.clone(), Arc::clone(&offer.tool.input_schema_text))
    } else {
        (ArgumentSchema::compile(&public_schema).map_err(|error| broken(&error))?, public_schema.into())
    };
    let visibility = Visibility::from_wire(&row.visibility).ok_or_else(|| broken(&"visibility"))?;
    let timeout = Duration::from_millis(u64::try_from(row.timeout_ms).unwrap_or(0));
    Ok(Tool {
        id: ToolId::from(row.id),
        namespace: row.namespace_id.map(NamespaceId::from),
        name: row.name,
        short_description: row.short_description,
        long_description: row.long_description,
        topics: Topics { category: row.category, tags: tags_from("tool", &row.tags)? },
        schema,
        input_schema_text,
        upstream: Arc::new(match row.upstream_tool {
            Some(tool) => UpstreamTarget::Mcp { url: row.upstream_url, tool, timeout },
            None => UpstreamTarget::Http { method: row.upstream_method, url: row.upstream_url, timeout },
        }),
        tier: if row.is_unverified_ok { Tier::Unverified } else { Tier::Standard },
        visibility,
        state: if row.is_suspended { ToolState::Suspended } else { ToolState::Active },
        prices: PriceBook::new(prices),
        manner,
    })
}

fn manner_from(row: &entity::tool::Model) -> Result<Manner, String> {
    let set_arguments = match (&row.static_args, &row.default_args) {
        (None, None) => None,
        (fixed, defaults) => {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let set = SetArguments::read(&text(fixed), &text(defaults)).map_err(|fault| fault.to_string())?;
            Some(Arc::new(set))
        }
    };
    let shape = row.rest.as_deref().map(RestShape::from_text).transpose().map_err(|fault| fault.to_string())?;
    Ok(Manner {
        example_prompts: serde_json::from_str(&row.example_prompts).map_err(|error| error.to_string())?,
        display_order: row.display_order,
        set_arguments,
        shape: shape.map(Arc::new),
    })
}

/// Whether a namespace was approved. One that is not was never in public, or is not any more.
fn is_public(row: &entity::namespace::Model) -> bool {
    row.status == NamespaceState::Active.as_str()
}

fn listing_from(row: &entity::namespace::Model) -> Result<Arc<Listing>, StoreError> {
    Ok(Arc::new(Listing {
        name: row.listing_name.clone(),
        description: row.description.clone(),
        topics: Topics { category: row.category.clone(), tags: tags_from("namespace", &row.tags)? },
        icon: row.icon.clone(),
    }))
}

fn tags_from(table: &'static str, text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|error| inconsistent(table, format!("tags: {error}")))
}

pub(crate) fn price_from(row: &entity::price_version::Model) -> Result<Price, StoreError> {
    let spec = spec_from_json(&row.spec).map_err(|what| inconsistent("price_version", what))?;
    Price::from_spec(PriceVersionId::from(row.id), row.effective_from_us, &spec)
        .map_err(|error| inconsistent("price_version", error.to_string()))
}
