//! Who may use the console, and as what. What a role may do is said by the policies ([`crate::policy::console`]); this
//! module knows the roles' names and the second factor.

use std::{fmt, str::FromStr};

use crate::{
    id::OperatorId,
    sealing::{SealError, Sealing},
};

pub mod totp;

use totp::TotpSecret;

/// What somebody is in the console. Several roles add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May do everything, and says who may do what.
    Owner,
    /// Runs the catalog, the partners and the accounts.
    Operator,
    /// Moves money and closes the books.
    Finance,
    /// Writes and publishes policies.
    PolicyEditor,
    /// Reads and exports everything and changes nothing.
    Auditor,
    /// Helps customers: reads, and gives small amounts back.
    Support,
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role")]
pub struct InvalidRole(String);

impl Role {
    /// Every role with its word, from the most to the least.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Owner, "owner"),
        (Self::Operator, "operator"),
        (Self::Finance, "finance"),
        (Self::PolicyEditor, "policy_editor"),
        (Self::Auditor, "auditor"),
        (Self::Support, "support"),
    ];

    /// The word of the database, the policies and the command line.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(role, _)| *role == self).map_or("", |(_, word)| *word)
    }

    /// The words of these roles as the database has them: each once, sorted, with one blank between them.
    pub fn join(roles: &[Self]) -> String {
        let mut words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        words.join(" ")
    }

    /// Reads what [`Self::join`] makes; in the order of [`Self::ALL`].
    ///
    /// # Errors
    /// A word is none of a role.
    pub fn split(words: &str) -> Result<Vec<Self>, InvalidRole> {
        let mut roles =
            words.split(' ').filter(|word| !word.is_empty()).map(str::parse).collect::<Result<Vec<_>, _>>()?;
        roles.sort_unstable();
        roles.dedup();
        Ok(roles)
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        let found = Self::ALL.iter().find(|(_, word)| *word == text);
        found.map(|(role, _)| *role).ok_or_else(|| InvalidRole(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The secret of an operator's second factor as the database keeps it: sealed for this operator alone.
///
/// # Errors
/// The library fails.
pub fn seal_factor(
    sealing: &Sealing,
    secret: &TotpSecret,
    operator: OperatorId,
    nonce: [u8; crate::sealing::NONCE_BYTES],
) -> Result<Vec<u8>, SealError> {
    sealing.seal(secret.as_bytes(), nonce, &factor_bound_to(operator))
}

/// Reads what [`seal_factor`] made for the same operator.
///
/// # Errors
/// It is anything else.
pub fn open_factor(sealing: &Sealing, sealed: &[u8], operator: OperatorId) -> Result<TotpSecret, SealError> {
    let opened = sealing.open(sealed, &factor_bound_to(operator))?;
    TotpSecret::from_bytes(&opened).ok_or(SealError)
}

/// What the secret of an operator's second factor is bound to: nobody puts it in the place of another one.
pub(crate) fn factor_bound_to(operator: OperatorId) -> Vec<u8> {
    [b"tollgate operator factor".as_slice(), operator.uuid().as_bytes()].concat()
}

#[cfg(test)]
mod tests;
