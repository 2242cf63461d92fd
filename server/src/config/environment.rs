//! The process's environment, read once and then passed on as a value.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{Debug, Formatter},
};

/// A copy of the environment variables.
///
/// This is the only way by which the environment enters the program, so that everything that depends on it can be
/// tested with made-up variables. Values are often secrets: `Debug` prints the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    not_unicode: BTreeSet<String>,
}

impl Environment {
    /// The variables of this process, as they are now.
    ///
    /// A variable whose name is not Unicode is left out. One whose value is not Unicode is remembered by name:
    /// asking for it is an error, not silence.
    pub fn of_process() -> Self {
        let mut environment = Self::default();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => environment.variables.extend([(name, value)]),
                Err(_value) => environment.not_unicode.extend([name]),
            }
        }
        environment
    }

    /// Exactly these variables.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self {
            variables: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            not_unicode: BTreeSet::new(),
        }
    }

    /// The value of a variable, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// All variables with Unicode values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names of the variables whose values are not Unicode.
    pub fn not_unicode(&self) -> impl Iterator<Item = &str> {
        self.not_unicode.iter().map(String::as_str)
    }
}

impl Debug for Environment {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("names", &self.variables.keys().collect::<Vec<_>>())
            .field("not_unicode", &self.not_unicode)
            .finish()
    }
}
