//! Whom a cap limits.

/// Whom a cap limits. The numbers are stored: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CapOwner {
    /// An account.
    Account,
    /// One token.
    Token,
    /// A partner as a whole.
    Partner,
    /// Each end user of a partner (owner: the partner), or one end user.
    EndUser,
}

impl CapOwner {
    const ALL: [(Self, i16, &'static str); 4] = [
        (Self::Account, 1, "account"),
        (Self::Token, 2, "token"),
        (Self::Partner, 3, "partner"),
        (Self::EndUser, 4, "end_user"),
    ];

    /// As the database stores it.
    pub fn raw(self) -> i16 {
        Self::ALL.iter().find(|(owner, ..)| *owner == self).map_or(0, |(_, raw, _)| *raw)
    }

    /// The word of the configuration and the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(owner, ..)| *owner == self).map_or("", |(.., word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(.., stored)| *stored == word).map(|(owner, ..)| *owner)
    }

    /// Reads what [`Self::raw`] wrote.
    pub fn from_raw(raw: i16) -> Option<Self> {
        Self::ALL.iter().find(|(_, stored, _)| *stored == raw).map(|(owner, ..)| *owner)
    }
}
