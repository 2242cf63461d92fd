//! The policies of groups and channels: `channels.<channel>`, with accounts and senders.

use std::collections::HashMap;

use super::lists::Policy;
use crate::{
    dialect::{ChainRules, ChannelLookup},
    document::{DocumentPath, Fields, Node},
};

/// Keys of a group beside its policy.
const GROUP_UNUSED: &[&str] = &[
    "agentId",
    "allow",
    "allowBots",
    "allowFrom",
    "allowlist",
    "autoThread",
    "enabled",
    "groupPolicy",
    "id",
    "ignoreOtherMentions",
    "includeThreadStarter",
    "ingest",
    "mentionPatterns",
    "name",
    "prompt",
    "reactionNotifications",
    "replyToMode",
    "requireMention",
    "roles",
    "skills",
    "slug",
    "systemPrompt",
    "threads",
    "topics",
    "users",
];

/// The policies of one channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::policy::chain) struct ChannelPolicies {
    /// For every account without its own.
    pub(in crate::policy::chain) own: AccountPolicies,
    /// Account, normalised → what it has instead.
    pub(in crate::policy::chain) accounts: Vec<(String, AccountPolicies)>,
}

/// Where the policies of an account's groups stand. What is absent here is the channel's.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::policy::chain) struct AccountPolicies {
    pub(in crate::policy::chain) groups: Option<GroupMap>,
    /// In the channel's own map, in which an entry without tools stands for itself.
    pub(in crate::policy::chain) entries: Option<GroupMap>,
    /// Of a guild that nobody knows, and its channels.
    pub(in crate::policy::chain) guild: Option<(Group, GroupMap)>,
}

/// Group → its policy.
pub(in crate::policy::chain) type GroupMap = HashMap<String, Group>;

/// The policy of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::policy::chain) struct Group {
    pub(in crate::policy::chain) tools: Option<Policy>,
    /// In the order of the document; of two keys that mean the same the first one counts.
    pub(in crate::policy::chain) by_sender: Vec<(Sender, Policy)>,
    /// The key of `by_sender` in the document.
    pub(in crate::policy::chain) by_sender_path: DocumentPath,
}

/// Whom an entry of `toolsBySender` means, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::policy::chain) enum Sender {
    Id(String),
    E164(String),
    Username(String),
    Name(String),
    Anybody,
}

impl Sender {
    /// Reads a key of `toolsBySender`. A key without a type is an identifier.
    fn from_key(key: &str) -> Option<Self> {
        let key = key.trim().to_lowercase();
        let (kind, value) = match key.split_once(':') {
            Some((kind @ ("id" | "e164" | "username" | "name"), value)) => (kind, value.trim()),
            _ => ("id", key.as_str()),
        };
        let value = value.to_owned();
        match kind {
            _ if value.is_empty() => None,
            _ if key == "*" => Some(Self::Anybody),
            "e164" => Some(Self::E164(value)),
            "username" => Some(Self::Username(value.strip_prefix('@').unwrap_or(&value).to_owned())),
            "name" => Some(Self::Name(value)),
            _ => Some(Self::Id(value)),
        }
    }
}

impl ChannelPolicies {
    pub(super) fn each_policy<'a>(&'a self, visit: &mut dyn FnMut(&'a Policy)) {
        for group in self.groups() {
            group.tools.iter().for_each(&mut *visit);
            group.by_sender.iter().for_each(|(_, policy)| visit(policy));
        }
    }

    /// Every group of every account.
    pub(in crate::policy::chain) fn groups(&self) -> impl Iterator<Item = &Group> {
        let accounts = std::iter::once(&self.own).chain(self.accounts.iter().map(|(_, account)| account));
        accounts.flat_map(|account| {
            let guild =
                account.guild.iter().flat_map(|(guild, channels)| std::iter::once(guild).chain(channels.values()));
            let maps = [&account.groups, &account.entries].into_iter().flatten().flat_map(HashMap::values);
            maps.chain(guild)
        })
    }
}

pub(super) fn read(node: &Node<'_>, rules: &ChainRules) -> Vec<(String, ChannelPolicies)> {
    let absent = ChannelLookup::default();
    let channel = |(name, node): (&str, Node<'_>)| {
        let name = name.trim().to_lowercase();
        let lookup = rules.channels.get(&name).unwrap_or(&absent);
        let mut channel = ChannelPolicies { own: read_account(&node, lookup), accounts: Vec::new() };
        // that it is an object has been looked at
        if let Some(accounts) = node.value.get("accounts") {
            let accounts = node.member("accounts", accounts).entries().into_iter();
            channel.accounts =
                accounts.map(|(id, node)| (id.trim().to_lowercase(), read_account(&node, lookup))).collect();
        }
        (name, channel)
    };
    node.entries().into_iter().map(channel).collect()
}

/// Only the keys with groups are looked at: the rest is the channel's configuration.
fn read_account(node: &Node<'_>, lookup: &ChannelLookup) -> AccountPolicies {
    let mut account = AccountPolicies::default();
    for (key, value) in node.entries() {
        if key == "groups" {
            account.groups = Some(read_map(&value));
        } else if lookup.entries.as_deref() == Some(key) {
            account.entries = Some(read_map(&value));
        } else if lookup.guilds.as_deref() == Some(key) {
            // no guild is known over HTTP, so the one for all of them applies
            account.guild =
                value.entries().into_iter().find(|(id, _)| *id == "*").and_then(|(_, node)| read_guild(&node));
        }
    }
    account
}

fn read_map(node: &Node<'_>) -> GroupMap {
    node.entries().into_iter().filter_map(|(id, node)| Some((id.to_owned(), node.object(read_group)?))).collect()
}

fn read_guild(node: &Node<'_>) -> Option<(Group, GroupMap)> {
    node.object(|fields| {
        let channels = fields.take("channels").map(|node| read_map(&node)).unwrap_or_default();
        (read_group(fields), channels)
    })
}

fn read_group(fields: &mut Fields<'_>) -> Group {
    fields.tolerate(GROUP_UNUSED);
    let tools = fields.take("tools").and_then(|node| node.object(Policy::read));
    let by_sender = fields.entries("toolsBySender").into_iter().filter_map(|(key, node)| {
        let policy = node.object(Policy::read)?;
        let Some(sender) = Sender::from_key(key) else {
            node.wrong("names nobody");
            return None;
        };
        Some((sender, policy))
    });
    Group { tools, by_sender: by_sender.collect(), by_sender_path: fields.node.path.key("toolsBySender") }
}
