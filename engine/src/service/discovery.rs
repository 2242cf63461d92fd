//! Looking around: which tools there are for whoever asks, and what they cost.
//!
//! What is shown is decided as a call is: by the same snapshot, the same policies and the price that is in force. What a
//! caller may not know of is not there, wherever it is asked for.

use std::sync::Arc;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    Services,
    access::{Owner, Principal},
    invoke::{Asked, request_for},
};
use crate::{
    catalog::{Listing, NamespaceState, PublisherState, ToolState, Topics, search_words},
    code::Code,
    id::{EndUserId, PartnerId},
    invocation::Surface,
    limits::NAMESPACE_TOOLS_LISTED_MAX,
    policy::EndUserFacts,
    pricing::{Price, ShareTerms},
    snapshot::{Offer, Snapshot},
    store::{
        StoreError, entity,
        finder::{self, Sought},
    },
};

/// Who looks around.
#[derive(Debug, Clone, Default)]
pub struct Viewer {
    /// Whose token it is; nobody's for a stranger.
    pub principal: Option<Arc<Principal>>,
    /// For partners: for whom, if that was said.
    pub end_user: Option<SeenEndUser>,
}

/// A partner's customer, as far as policies look at it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenEndUser {
    /// Its public form; empty for one that has not called yet.
    pub name: String,
    /// The partner or an operator has blocked it.
    pub is_blocked: bool,
}

/// A tool that may be shown, with what a call would be charged by now.
#[derive(Debug, Clone)]
pub struct ShownTool {
    /// The tool and where it belongs.
    pub offer: Arc<Offer>,
    /// The price in force.
    pub price: Arc<Price>,
}

/// A namespace of which at least one tool may be shown.
#[derive(Debug, Clone)]
pub struct ShownNamespace {
    /// The slug.
    pub name: String,
    /// Who sells in it.
    pub publisher: String,
    /// How it presents itself.
    pub listing: Arc<Listing>,
    /// It was approved; else only its publisher is shown it.
    pub is_public: bool,
    /// Its tools that may be shown, in the order of their publisher and by name; a list of namespaces has none.
    pub tools: Vec<ShownTool>,
    /// There are more tools than are listed.
    pub has_more: bool,
}

/// What somebody looks for.
#[derive(Debug, Clone, Copy)]
pub struct ToolQuery<'a> {
    /// Plain text.
    pub text: &'a str,
    /// Only tools of exactly this category.
    pub category: Option<&'a str>,
    /// How many tools are wanted.
    pub count_max: usize,
}

impl ShownTool {
    /// What the tool is about: the category is its own or else the namespace's, the tags are those of both.
    pub fn topics(&self) -> Topics {
        let own = &self.offer.tool.topics;
        let listing = self.offer.seller.as_ref().map(|seller| &seller.namespace.listing);
        let namespace = listing.map_or(own, |listing| &listing.topics);
        let mut tags = own.tags.clone();
        tags.extend(namespace.tags.iter().filter(|tag| !own.tags.contains(tag)).cloned());
        Topics { category: own.category.clone().or_else(|| namespace.category.clone()), tags }
    }
}

impl Services {
    /// A tool, if it may be shown.
    pub fn find_shown_tool(&self, viewer: &Viewer, namespace: &str, tool: &str) -> Option<ShownTool> {
        let snapshot = self.snapshot();
        shown(&snapshot, viewer, snapshot.find_offer(namespace, tool)?, self.clock.now_us())
    }

    /// The tools that fit best and may be shown, best first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn search_tools(&self, viewer: &Viewer, query: &ToolQuery<'_>) -> Result<Vec<ShownTool>, StoreError> {
        let words = search_words(query.text);
        let sought = Sought { words: &words, category: query.category };
        let found = finder::find_tools(self.db.readers(), &sought, query.count_max).await?;
        let (snapshot, now_us) = (self.snapshot(), self.clock.now_us());
        let offers = found.iter().filter_map(|tool| snapshot.find_offer(&tool.namespace, &tool.name));
        Ok(offers.filter_map(|offer| shown(&snapshot, viewer, offer, now_us)).take(query.count_max).collect())
    }

    /// Namespaces of which something may be shown, by name, from behind `after` on, at most `count_max`.
    pub fn list_shown_namespaces(&self, viewer: &Viewer, after: Option<&str>, count_max: usize) -> Vec<ShownNamespace> {
        let (snapshot, now_us) = (self.snapshot(), self.clock.now_us());
        let mut names: Vec<&str> = snapshot.namespaces().map(|(name, _)| name).collect();
        names.retain(|name| after.is_none_or(|after| *name > after));
        names.sort_unstable();
        let first = |name: &str| snapshot.offers_of(name).find_map(|offer| shown(&snapshot, viewer, offer, now_us));
        names.into_iter().filter_map(|name| namespace_of(&first(name)?)).take(count_max).collect()
    }

    /// A namespace with its tools, if something of it may be shown.
    pub fn find_shown_namespace(&self, viewer: &Viewer, name: &str) -> Option<ShownNamespace> {
        let (snapshot, now_us) = (self.snapshot(), self.clock.now_us());
        let offers = snapshot.offers_of(name);
        let mut tools: Vec<ShownTool> = offers.filter_map(|offer| shown(&snapshot, viewer, offer, now_us)).collect();
        let place = |tool: &ShownTool| (tool.offer.tool.manner.display_order, tool.offer.tool.name.clone());
        tools.sort_by_cached_key(place);
        let namespace = namespace_of(tools.first()?)?;
        let has_more = tools.len() > NAMESPACE_TOOLS_LISTED_MAX;
        tools.truncate(NAMESPACE_TOOLS_LISTED_MAX);
        Some(ShownNamespace { tools, has_more, ..namespace })
    }

    /// A partner's customer by the partner's own name for it. Unlike a call, looking around makes nobody known.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_seen_end_user(&self, partner: PartnerId, external_id: &str) -> Result<SeenEndUser, StoreError> {
        let found = entity::end_user::Entity::find()
            .filter(entity::end_user::Column::PartnerId.eq(partner.uuid()))
            .filter(entity::end_user::Column::ExternalId.eq(external_id))
            .one(self.db.readers())
            .await?;
        let seen = |row: entity::end_user::Model| SeenEndUser {
            name: EndUserId::from(row.id).to_string(),
            is_blocked: row.is_blocked,
        };
        Ok(found.map_or_else(SeenEndUser::default, seen))
    }
}

fn namespace_of(tool: &ShownTool) -> Option<ShownNamespace> {
    let seller = tool.offer.seller.as_ref()?;
    Some(ShownNamespace {
        name: seller.namespace.name.clone(),
        publisher: seller.publisher.display_name.clone(),
        listing: Arc::clone(&seller.namespace.listing),
        is_public: seller.namespace.is_public,
        tools: Vec::new(),
        has_more: false,
    })
}

/// A tool, unless it is stopped, private, not for sale, or hidden from this viewer: then a call would not find it, or find
/// nothing that can be called.
fn shown(snapshot: &Snapshot, viewer: &Viewer, offer: &Arc<Offer>, now_us: i64) -> Option<ShownTool> {
    let seller = offer.seller.as_ref()?;
    let account = viewer.principal.as_ref().and_then(|principal| principal.account());
    let is_open = offer.tool.state == ToolState::Active
        && offer.is_known_to(account)
        && seller.namespace.state == NamespaceState::Active
        && seller.publisher.state == PublisherState::Active;
    if !is_open {
        return None;
    }
    let price = offer.tool.prices.in_force_at(now_us)?;
    let owner = viewer.principal.as_ref().map(|principal| &principal.owner);
    let partner_bps = match owner {
        Some(Owner::Partner(partner)) => partner.margin_bps,
        Some(Owner::Account(_)) | None => 0,
    };
    ShareTerms::new(seller.publisher.share_bps, partner_bps).ok()?;
    let end_user = match owner {
        Some(Owner::Partner(_)) => {
            Some(viewer.end_user.as_ref().map_or(EndUserFacts { id: "", is_blocked: false }, |user| EndUserFacts {
                id: &user.name,
                is_blocked: user.is_blocked,
            }))
        }
        Some(Owner::Account(_)) | None => None,
    };
    let asked =
        Asked { surface: Surface::Marketplace, principal: viewer.principal.as_deref(), end_user, offer, place: None };
    let decision = snapshot.policies().cached().decide(&request_for(&asked, price, now_us));
    // Whoever may not call a tool may know of it, unless it is hidden: so it is with a call.
    let is_hidden = !decision.allowed && decision.code == Some(Code::NotFound);
    (!is_hidden).then(|| ShownTool { offer: Arc::clone(offer), price: Arc::clone(price) })
}
