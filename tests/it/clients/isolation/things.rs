//! What can be named of somebody's.

/// The digits of an identifier that nothing has.
const NOWHERE: &str = "00000000000070008000000000000000";

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    /// What is no thing of anybody's: always this.
    Fixed(&'static str),
    Address,
    NewAddress,
    Key,
    Call,
    Purchase,
    /// What is in a wallet: a number that no other one has.
    Balance,
    /// A place in a list of one's own.
    Turn,
    Token,
    CappedToken,
    HiddenNamespace,
    HiddenTool,
    AgentSession,
    PartnerToken,
    CappedPartnerToken,
    PartnerCap,
    EndUser,
    CappedEndUser,
    /// With credits in a wallet of its own.
    FundedEndUser,
    /// Whose calls are counted.
    CountedEndUser,
    CallOfEndUser,
    Alert,
    Hook,
    Delivery,
    Event,
    Connection,
    McpConnection,
    /// A connection's namespace that is not shown yet, by its identifier.
    Namespace,
    /// The same with an MCP server.
    McpNamespace,
    Slug,
    /// The first tool of the namespace that is named before it.
    Tool,
    Group,
    /// A call of a publisher's tool.
    Sale,
    /// What a publisher has earned with another one: a number that no other has.
    Earned,
    /// What calls that are counted came to: another one.
    CountedSale,
    /// What a publisher has uploaded.
    Picture,
}

/// Things that were made, by the names that a row has for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Made {
    pub(super) values: Vec<(&'static str, Thing, String)>,
    /// What else nobody else may read.
    pub(super) words: Vec<String>,
    /// The connection of a publisher that the others belong to.
    pub(super) connection: Option<String>,
}

impl Thing {
    /// Whether somebody else may choose the same.
    pub(super) const fn is_chosen(self) -> bool {
        matches!(self, Self::Address | Self::EndUser | Self::CappedEndUser | Self::FundedEndUser | Self::CountedEndUser)
            || self.is_free()
    }

    /// Whether it is a name for something that is yet to be.
    pub(super) const fn is_free(self) -> bool {
        matches!(self, Self::NewAddress | Self::Key | Self::AgentSession | Self::Slug)
    }

    /// Whether it is somebody's at all.
    pub(super) const fn is_somebodys(self) -> bool {
        !matches!(self, Self::Fixed(_) | Self::Turn | Self::PartnerCap | Self::Picture)
    }

    /// What is named instead where nothing is meant that there is.
    pub(super) fn unknown(self, value: &str) -> String {
        match self {
            Self::Fixed(_) | Self::Turn | Self::PartnerCap | Self::Key | Self::AgentSession | Self::Picture => {
                value.to_owned()
            }
            Self::Address | Self::NewAddress => "nobody@example.com".to_owned(),
            Self::EndUser | Self::CappedEndUser | Self::FundedEndUser | Self::CountedEndUser => "nobody".to_owned(),
            Self::HiddenNamespace | Self::HiddenTool | Self::Slug => "nothing".to_owned(),
            _ => unknown_id(value),
        }
    }
}

/// An identifier of the same form that nothing has.
fn unknown_id(value: &str) -> String {
    let mut digits = NOWHERE.chars();
    let start = value.len().saturating_sub(digits_of(value).map_or(0, |_| if value.contains('-') { 36 } else { 32 }));
    let (prefix, id) = value.split_at(start);
    prefix
        .chars()
        .chain(id.chars().map(|letter| if letter == '-' { '-' } else { digits.next().unwrap_or('0') }))
        .collect()
}

/// The digits that an identifier ends with, whatever stands before and between them.
pub(super) fn digits_of(value: &str) -> Option<String> {
    let digits: String = value.chars().filter(|letter| *letter != '-').collect();
    let digits = digits.get(digits.len().checked_sub(32)?..)?;
    digits.bytes().all(|letter| letter.is_ascii_hexdigit()).then(|| digits.to_owned())
}

impl Made {
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(known, ..)| *known == name);
        &found.unwrap_or_else(|| panic!("there is no {name} in {self:?}")).2
    }

    /// The same with another thing under one of the names.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut made = self.clone();
        for (_, _, known) in made.values.iter_mut().filter(|(known, ..)| *known == name) {
            value.clone_into(known);
        }
        made
    }

    pub(super) fn first(&self, of: &[Thing]) -> Option<&str> {
        self.values.iter().find(|(_, thing, _)| of.contains(thing)).map(|(_, _, value)| value.as_str())
    }

    /// The same with things that there are not.
    pub(super) fn unknown(&self) -> Self {
        let values = self.values.iter().map(|(name, thing, value)| (*name, *thing, thing.unknown(value)));
        Self { values: values.collect(), ..Self::default() }
    }

    /// `text` with everything in its place.
    pub(super) fn fill(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, _, value)| text.replace(&format!("{{{name}}}"), value))
    }
}
