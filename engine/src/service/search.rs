//! One box for everything: an identifier, the beginning of one, or the beginning of a name.
//!
//! Every question is bounded: identifiers are looked up in a range of a primary key, names among the newest
//! [`NAMES_LOOKED_AT`] rows of a table. So an answer is quick and may be incomplete; an exact identifier and an exact e-mail
//! address are always found.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Services, invocations::Wanted};
use crate::{
    id::{
        AccountId, ApprovalId, AuditorId, CapId, EndUserId, EntryId, InvocationId, MailId, NamespaceId, OperatorId,
        PartnerId, PriceVersionId, PublisherId, PurchaseId, TokenId, ToolId,
    },
    store::{
        StoreError,
        search::{self, Found, Place},
    },
};

/// How many hits of one kind are shown.
pub const HITS_MAX: usize = 10;
/// How many are read: one more says that there are more.
const ROWS_READ: i64 = 11;
/// How many of the newest rows of a table are looked at for a name.
pub const NAMES_LOOKED_AT: i64 = search::LOOKED_AT;
/// The longest text that is looked for, in characters; what is longer is found nowhere.
pub const SEARCH_CHARS_MAX: usize = 320;
/// The fewest digits of an identifier without its prefix that are looked for.
const BARE_DIGITS_MIN: usize = 6;
/// The digits of an identifier.
const DIGITS: usize = 32;

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitKind {
    /// A customer.
    Account,
    /// A bearer token.
    Token,
    /// A platform.
    Partner,
    /// A partner's customer.
    EndUser,
    /// Who sells tools.
    Publisher,
    /// A publisher's slug.
    Namespace,
    /// A tool.
    Tool,
    /// A price version.
    Price,
    /// A limit on spending.
    Cap,
    /// Bought credits.
    Purchase,
    /// A call.
    Call,
    /// What an operator did with money.
    Movement,
    /// Credits that an operator gave.
    Grant,
    /// Another transaction of the books.
    Transaction,
    /// A mail.
    Mail,
    /// Somebody who reads the books.
    Auditor,
    /// Somebody who uses the console.
    Operator,
    /// What waits for a decision, or did.
    Approval,
}

impl HitKind {
    /// Every kind with its word and what its identifiers begin with, in the order in which they are shown.
    pub const ALL: [(Self, &'static str, &'static str); 18] = [
        (Self::Account, "account", AccountId::PREFIX),
        (Self::Call, "call", InvocationId::PREFIX),
        (Self::Tool, "tool", ToolId::PREFIX),
        (Self::Namespace, "namespace", NamespaceId::PREFIX),
        (Self::Publisher, "publisher", PublisherId::PREFIX),
        (Self::Partner, "partner", PartnerId::PREFIX),
        (Self::EndUser, "end_user", EndUserId::PREFIX),
        (Self::Purchase, "purchase", PurchaseId::PREFIX),
        (Self::Movement, "movement", EntryId::PREFIX),
        (Self::Grant, "grant", EntryId::PREFIX),
        (Self::Transaction, "transaction", EntryId::PREFIX),
        (Self::Price, "price", PriceVersionId::PREFIX),
        (Self::Token, "token", TokenId::PREFIX),
        (Self::Cap, "cap", CapId::PREFIX),
        (Self::Approval, "approval", ApprovalId::PREFIX),
        (Self::Operator, "operator", OperatorId::PREFIX),
        (Self::Auditor, "auditor", AuditorId::PREFIX),
        (Self::Mail, "mail", MailId::PREFIX),
    ];

    /// The word of the console.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| *word)
    }

    /// What its identifiers begin with.
    pub fn prefix(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., prefix)| *prefix)
    }

    /// Where its rows are; `None` where they are no table of their own.
    const fn place(self) -> Option<Place> {
        Some(match self {
            Self::Account => search::ACCOUNTS,
            Self::Token => search::TOKENS,
            Self::Partner => search::PARTNERS,
            Self::EndUser => search::END_USERS,
            Self::Publisher => search::PUBLISHERS,
            Self::Namespace => search::NAMESPACES,
            Self::Tool => search::TOOLS,
            Self::Price => search::PRICES,
            Self::Cap => search::CAPS,
            Self::Purchase => search::PURCHASES,
            Self::Call => search::CALLS,
            Self::Movement => search::MOVEMENTS,
            Self::Grant => search::GRANTS,
            Self::Mail => search::MAILS,
            Self::Auditor => search::AUDITORS,
            Self::Operator => search::OPERATORS,
            Self::Approval => search::APPROVALS,
            Self::Transaction => return None,
        })
    }

    /// Its rows have names that people look for.
    const fn has_name(self) -> bool {
        matches!(
            self,
            Self::Account
                | Self::Token
                | Self::Partner
                | Self::EndUser
                | Self::Publisher
                | Self::Namespace
                | Self::Tool
                | Self::Auditor
                | Self::Operator
        )
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: HitKind,
    /// Its identifier in its public form.
    pub id: String,
    /// Its name; may be empty.
    pub name: String,
    /// More about it; may be empty.
    pub note: String,
}

/// Hits of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitGroup {
    /// What they are.
    pub kind: HitKind,
    /// At most [`HITS_MAX`].
    pub hits: Vec<Hit>,
    /// There are more.
    pub has_more: bool,
}

/// What came of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchResult {
    /// The text is the identifier of exactly this.
    Exact(Hit),
    /// What fits, by kinds.
    Groups(Vec<HitGroup>),
}

impl Services {
    /// Looks for `text` among what the kinds `among` are.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn search(&self, text: &str, among: &[HitKind]) -> Result<SearchResult, StoreError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > SEARCH_CHARS_MAX {
            return Ok(SearchResult::Groups(Vec::new()));
        }
        match Sought::of(text) {
            Sought::Id { kinds, first, last } => match self.search_id(&kinds, (first, last), among).await? {
                // A name can look like the beginning of an identifier.
                SearchResult::Groups(groups) if groups.is_empty() => {
                    Ok(SearchResult::Groups(self.search_names(text, among).await?))
                }
                found => Ok(found),
            },
            Sought::Name => Ok(SearchResult::Groups(self.search_names(text, among).await?)),
        }
    }

    async fn search_id(
        &self,
        kinds: &[HitKind],
        (first, last): (Uuid, Uuid),
        among: &[HitKind],
    ) -> Result<SearchResult, StoreError> {
        let mut groups = Vec::new();
        for kind in kinds.iter().copied().filter(|kind| among.contains(kind)) {
            let found = match kind.place() {
                Some(place) => search::by_id(self.db.readers(), place, (first, last), ROWS_READ).await?,
                // Only whole ones: the index of transactions leaves the charges out, and has to be asked in its own words.
                None if first == last => self.search_transaction(first).await?,
                None => Vec::new(),
            };
            groups.extend(group(kind, found));
        }
        // A grant and other orders are transactions of the books as well: their own pages say more.
        if groups.len() > 1 && first == last {
            groups.retain(|group| group.kind != HitKind::Transaction);
        }
        self.name_tools(&mut groups).await?;
        if first == last
            && let [HitGroup { hits, .. }] = groups.as_slice()
            && let [hit] = hits.as_slice()
        {
            return Ok(SearchResult::Exact(hit.clone()));
        }
        Ok(SearchResult::Groups(groups))
    }

    /// A charge has the identifier of its call, which is no transaction's own.
    async fn search_transaction(&self, id: Uuid) -> Result<Vec<Found>, StoreError> {
        let is_there = search::has_transaction(self.db.readers(), id).await?;
        let found = Found { id, name: String::new(), note: String::new() };
        Ok(if is_there { vec![found] } else { Vec::new() })
    }

    async fn search_names(&self, text: &str, among: &[HitKind]) -> Result<Vec<HitGroup>, StoreError> {
        let readers = self.db.readers();
        let wanted = text.to_lowercase();
        let mut groups = Vec::new();
        let named = HitKind::ALL.into_iter().map(|(kind, ..)| kind).filter(|kind| kind.has_name());
        for kind in named.filter(|kind| among.contains(kind)) {
            let Some(place) = kind.place() else { continue };
            let mut found = search::by_name(readers, place, text, ROWS_READ).await?;
            if kind == HitKind::Account
                && let Some(exact) = search::account_of(readers, &wanted).await?
                && !found.contains(&exact)
            {
                found.insert(0, exact);
            }
            if kind == HitKind::Tool
                && let Some((namespace, tool)) = wanted.split_once('/')
            {
                found = search::tools_of(readers, namespace, tool, ROWS_READ).await?;
            }
            groups.extend(group(kind, found));
        }
        self.name_tools(&mut groups).await?;
        Ok(groups)
    }

    /// Tools are called by their namespaces, too.
    async fn name_tools(&self, groups: &mut [HitGroup]) -> Result<(), StoreError> {
        let tools = groups.iter_mut().filter(|group| group.kind == HitKind::Tool).flat_map(|group| &mut group.hits);
        let mut hits: HashMap<Uuid, &mut Hit> = HashMap::new();
        for hit in tools {
            if let Ok(id) = hit.id.parse::<ToolId>() {
                hits.insert(id.uuid(), hit);
            }
        }
        if hits.is_empty() {
            return Ok(());
        }
        let wanted = Wanted { tools: hits.keys().copied().collect(), ..Wanted::default() };
        for (id, name) in self.load_names(wanted).await?.tools {
            if let Some(hit) = hits.get_mut(&id) {
                hit.name = name;
            }
        }
        Ok(())
    }
}

fn group(kind: HitKind, found: Vec<Found>) -> Option<HitGroup> {
    if found.is_empty() {
        return None;
    }
    let has_more = found.len() > HITS_MAX;
    let hit = |found: Found| Hit {
        kind,
        id: format!("{}_{}", kind.prefix(), found.id.as_simple()),
        name: found.name,
        note: found.note,
    };
    Some(HitGroup { kind, hits: found.into_iter().take(HITS_MAX).map(hit).collect(), has_more })
}

/// What a text is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sought {
    /// An identifier of one of these kinds, or its beginning: from the first to the last that begins so.
    Id {
        /// The kinds whose prefix it has; all if it has none.
        kinds: Vec<HitKind>,
        /// The first.
        first: Uuid,
        /// The last; the same if it is whole.
        last: Uuid,
    },
    /// A name, or its beginning.
    Name,
}

impl Sought {
    fn of(text: &str) -> Self {
        let lower = text.to_lowercase();
        let all = || HitKind::ALL.into_iter();
        let (kinds, digits): (Vec<HitKind>, String) = match lower.split_once('_') {
            Some((prefix, digits)) => {
                let mut kinds: Vec<HitKind> =
                    all().filter(|(.., known)| *known == prefix).map(|(kind, ..)| kind).collect();
                // A call's hold and charge have the call's identifier.
                if prefix == EntryId::PREFIX {
                    kinds.push(HitKind::Call);
                }
                (kinds, digits.to_owned())
            }
            // As databases write it, or as it stands in an address.
            None => (all().map(|(kind, ..)| kind).collect(), lower.replace('-', "")),
        };
        let is_bare = !lower.contains('_');
        let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if kinds.is_empty()
            || !is_digits
            || digits.len() > DIGITS
            || (is_bare && (digits.len() < BARE_DIGITS_MIN || !digits.bytes().any(|byte| byte.is_ascii_digit())))
        {
            return Self::Name;
        }
        let fill =
            |with: &str| Uuid::try_parse(&format!("{digits}{}", with.repeat(DIGITS.saturating_sub(digits.len()))));
        let (Ok(first), Ok(last)) = (fill("0"), fill("f")) else { return Self::Name };
        Self::Id { kinds, first, last }
    }
}

#[cfg(test)]
mod tests;
