//! The chain's document as lanes: every object with lists, in the order of the chain's steps, and small changes of it. Nothing
//! here has to be right: what does not have the form of a policy is passed over, and the compiler says what is wrong.

use serde_json::{Value, json};

use super::chain::{StepKind, normalised_agent};
use crate::{
    dialect::{ChainRules, ChannelLookup},
    document::{
        DocumentPath,
        edit::{Change, EditProblem, Edited, edit},
        written::{TextProblem, Written},
    },
    limits::POLICY_PATTERN_BYTES_MAX,
};

/// One object with lists, or with the name of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The step that it becomes.
    pub kind: StepKind,
    /// The key of the object in the document.
    pub path: DocumentPath,
    /// Whose it is: an agent's identifier; empty for everybody.
    pub agent: String,
    /// The profile, where one belongs here.
    pub profile: Option<LaneProfile>,
    /// The lists that belong here, whether they are there or not.
    pub lists: Vec<LaneList>,
    /// What the dialect takes away here by itself.
    pub built_in: Vec<String>,
}

/// The name of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneProfile {
    /// Its key.
    pub path: DocumentPath,
    /// As it is written, if it is there.
    pub chosen: Option<String>,
}

/// One list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneList {
    /// Its key.
    pub path: DocumentPath,
    /// The last part of the key: `allow`, `alsoAllow` or `deny`.
    pub name: &'static str,
    /// Its entries; `None` if it is not there.
    pub entries: Option<Vec<String>>,
}

/// A change that a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneEdit {
    /// Puts an entry at the end of a list.
    Add {
        /// The list.
        list: DocumentPath,
        /// What it is to say.
        entry: String,
    },
    /// Takes an entry out of a list.
    Remove {
        /// The list.
        list: DocumentPath,
        /// Which one, from 0.
        index: usize,
        /// What it says, in case the list has changed.
        entry: String,
    },
    /// Names a profile; an empty name takes it away.
    Profile {
        /// The key of the profile.
        path: DocumentPath,
        /// Which one.
        name: String,
    },
    /// Lists an agent.
    Agent(String),
    /// Makes room for lists about a model, `provider` or `provider/model`.
    Provider {
        /// The key of `tools`, everybody's or an agent's.
        tools: DocumentPath,
        /// Which one.
        name: String,
    },
    /// Makes room for lists of a group, `channel/group`.
    Group(String),
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaneEditProblem {
    /// Nothing was named.
    #[error("name what is to be added")]
    Nothing,
    /// The name is too long.
    #[error("an entry has at most {POLICY_PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// It is there.
    #[error("`{0}` is there already")]
    There(String),
    /// Somebody else took it out, or it was changed by hand.
    #[error("`{0}` is not there any more")]
    Gone(String),
    /// A group's name does not say of which channel.
    #[error("write a group as `channel/group`")]
    NoChannel,
    /// The text does not allow it.
    #[error(transparent)]
    Text(#[from] EditProblem),
}

impl From<Vec<TextProblem>> for LaneEditProblem {
    fn from(problems: Vec<TextProblem>) -> Self {
        Self::Text(EditProblem::Unreadable(problems))
    }
}

/// Changes the text of a document.
///
/// # Errors
/// See [`LaneEditProblem`].
pub fn edit_lane(text: &str, change: &LaneEdit) -> Result<Edited, LaneEditProblem> {
    let written = Written::parse(text)?;
    let document = written.value();
    let (path, change) = match change {
        LaneEdit::Add { list, entry } => {
            let entry = named(entry)?;
            if entries_of(document, list).is_some_and(|entries| entries.iter().any(|known| known.trim() == entry)) {
                return Err(LaneEditProblem::There(entry.to_owned()));
            }
            (list.clone(), Change::Append(entry.into()))
        }
        LaneEdit::Remove { list, index, entry } => {
            let entries = entries_of(document, list).unwrap_or_default();
            let is_meant = |at: &usize| entries.get(*at) == Some(entry);
            let at = Some(*index).filter(is_meant).or_else(|| entries.iter().position(|known| known == entry));
            (list.index(at.ok_or_else(|| LaneEditProblem::Gone(entry.clone()))?), Change::Remove)
        }
        LaneEdit::Profile { path, name } if name.is_empty() => (path.clone(), Change::Remove),
        LaneEdit::Profile { path, name } => (path.clone(), Change::Put(name.as_str().into())),
        LaneEdit::Agent(id) => {
            let id = named(id)?;
            if agents(document).any(|(_, known)| normalised_agent(known) == normalised_agent(id)) {
                return Err(LaneEditProblem::There(id.to_owned()));
            }
            (DocumentPath::default().key("agents").key("list"), Change::Append(json!({"id": id})))
        }
        LaneEdit::Provider { tools, name } => (tools.key("byProvider").key(named(name)?), Change::Put(json!({}))),
        LaneEdit::Group(name) => {
            let (channel, group) = named(name)?.split_once('/').ok_or(LaneEditProblem::NoChannel)?;
            let path = DocumentPath::default().key("channels").key(channel.trim()).key("groups").key(group.trim());
            (path, Change::Put(json!({"tools": {}})))
        }
    };
    if matches!(&change, Change::Put(Value::Object(_))) && path.find_in(document).is_some() {
        return Err(LaneEditProblem::There(path.to_string()));
    }
    Ok(edit(text, &path, &change)?)
}

fn named(text: &str) -> Result<&str, LaneEditProblem> {
    match text.trim() {
        "" => Err(LaneEditProblem::Nothing),
        text if text.len() > POLICY_PATTERN_BYTES_MAX => Err(LaneEditProblem::TooLong),
        text => Ok(text),
    }
}

/// The lanes of a document, in the order of the chain's steps.
pub fn lanes(document: &Value, rules: &ChainRules) -> Vec<Lane> {
    let root = DocumentPath::default();
    let tools = root.key("tools");
    let mut owners = vec![(String::new(), tools.clone())];
    owners.extend(
        agents(document)
            .map(|(index, id)| (normalised_agent(id), root.key("agents").key("list").index(index).key("tools"))),
    );
    let sheet = Sheet { document, rules };
    let mut found = Vec::new();
    for (agent, tools) in &owners {
        found.push(sheet.profile(StepKind::Profile, agent, tools));
        for provider in sheet.providers(tools) {
            found.push(sheet.profile(StepKind::ProviderProfile, agent, &provider));
        }
        let is_all = agent.is_empty();
        found.push(sheet.lists(if is_all { StepKind::Global } else { StepKind::Agent }, agent, tools));
        let kind = if is_all { StepKind::GlobalProvider } else { StepKind::AgentProvider };
        found.extend(sheet.providers(tools).map(|provider| sheet.lists(kind, agent, &provider)));
    }
    let channels = root.key("channels");
    for (name, channel) in members(document, &channels) {
        sheet.channel(&channel, &name, &mut found);
    }
    let mut subagents = sheet.lists(StepKind::Subagent, "", &tools.key("subagents").key("tools"));
    subagents.built_in.clone_from(&rules.subagents.deny);
    found.push(subagents);
    if !rules.owner_only.is_empty() {
        let (path, built_in) = (DocumentPath::default(), rules.owner_only.clone());
        found.push(Lane {
            kind: StepKind::Owner,
            path,
            agent: String::new(),
            profile: None,
            lists: Vec::new(),
            built_in,
        });
    }
    let mut http = sheet.lists(StepKind::Http, "", &root.key("gateway").key("tools"));
    http.lists.retain(|list| list.name != ALSO_ALLOW);
    http.built_in.clone_from(&rules.http_deny);
    found.push(http);
    // Sorting keeps the order of what is of one kind.
    found.sort_by_key(|lane| lane.kind);
    found
}

/// The list that not every dialect and no `gateway.tools` has.
const ALSO_ALLOW: &str = "alsoAllow";

/// A document that is looked at.
struct Sheet<'a> {
    document: &'a Value,
    rules: &'a ChainRules,
}

impl Sheet<'_> {
    fn profile(&self, kind: StepKind, agent: &str, path: &DocumentPath) -> Lane {
        let key = path.key("profile");
        let chosen = key.find_in(self.document).and_then(Value::as_str).map(str::to_owned);
        let profile = Some(LaneProfile { path: key, chosen });
        let (agent, built_in) = (agent.to_owned(), Vec::new());
        Lane { kind, path: path.clone(), agent, profile, lists: Vec::new(), built_in }
    }

    fn lists(&self, kind: StepKind, agent: &str, path: &DocumentPath) -> Lane {
        let names = ["allow", ALSO_ALLOW, "deny"].into_iter();
        let lists = names.filter(|name| *name != ALSO_ALLOW || self.rules.has_also_allow).map(|name| {
            let path = path.key(name);
            LaneList { entries: entries_of(self.document, &path), path, name }
        });
        let (agent, built_in) = (agent.to_owned(), Vec::new());
        Lane { kind, path: path.clone(), agent, profile: None, lists: lists.collect(), built_in }
    }

    fn providers(&self, tools: &DocumentPath) -> impl Iterator<Item = DocumentPath> + use<> {
        members(self.document, &tools.key("byProvider")).into_iter().map(|(_, path)| path)
    }

    fn channel(&self, path: &DocumentPath, name: &str, found: &mut Vec<Lane>) {
        let absent = ChannelLookup::default();
        let lookup = self.rules.channels.get(&name.trim().to_lowercase()).unwrap_or(&absent);
        let mut accounts = vec![path.clone()];
        accounts.extend(members(self.document, &path.key("accounts")).into_iter().map(|(_, path)| path));
        for account in accounts {
            let maps = std::iter::once("groups").chain(lookup.entries.as_deref());
            for (_, group) in maps.flat_map(|key| members(self.document, &account.key(key))) {
                self.group(&group, found);
            }
            let guild = lookup.guilds.as_deref().map(|key| account.key(key).key("*"));
            let Some(guild) = guild.filter(|guild| guild.find_in(self.document).is_some()) else { continue };
            self.group(&guild, found);
            for (_, group) in members(self.document, &guild.key("channels")) {
                self.group(&group, found);
            }
        }
    }

    fn group(&self, path: &DocumentPath, found: &mut Vec<Lane>) {
        found.push(self.lists(StepKind::Group, "", &path.key("tools")));
        if self.rules.has_tools_by_sender {
            let senders = members(self.document, &path.key("toolsBySender"));
            found.extend(senders.iter().map(|(_, sender)| self.lists(StepKind::Group, "", sender)));
        }
    }
}

/// The entries of a list, if it is one; those that are no texts are empty, so that the others keep their places.
fn entries_of(document: &Value, path: &DocumentPath) -> Option<Vec<String>> {
    let items = path.find_in(document)?.as_array()?;
    Some(items.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect())
}

/// The members of an object, with their paths.
fn members(document: &Value, path: &DocumentPath) -> Vec<(String, DocumentPath)> {
    let members = path.find_in(document).and_then(Value::as_object);
    members.into_iter().flatten().map(|(key, _)| (key.clone(), path.key(key))).collect()
}

/// The agents' places in the list, and their identifiers as they are written.
fn agents(document: &Value) -> impl Iterator<Item = (usize, &str)> {
    let list = document.get("agents").and_then(|agents| agents.get("list")).and_then(Value::as_array);
    list.into_iter().flatten().enumerate().filter_map(|(index, agent)| Some((index, agent.get("id")?.as_str()?)))
}

#[cfg(test)]
mod tests;
