//! What was kept of a deed, field by field.

use serde_json::Value;

use super::DeedUnreadable;
use crate::{credits::Credits, operator::Role, service::accounts::GrantTerms};

/// A payload, field by field.
pub(super) struct Kept<'a>(pub(super) &'a Value);

impl<'a> Kept<'a> {
    pub(super) fn text(&self, name: &str) -> Result<&'a str, DeedUnreadable> {
        self.0.get(name).and_then(Value::as_str).ok_or_else(|| wrong(name))
    }

    pub(super) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<T, DeedUnreadable> {
        self.text(name)?.parse().map_err(|_unreadable| wrong(name))
    }

    pub(super) fn maybe_parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, DeedUnreadable> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.parsed(name).map(Some),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<i64, DeedUnreadable> {
        self.maybe_number(name)?.ok_or_else(|| wrong(name))
    }

    pub(super) fn maybe_number(&self, name: &str) -> Result<Option<i64>, DeedUnreadable> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong(name)),
        }
    }

    pub(super) fn roles(&self, name: &str) -> Result<Vec<Role>, DeedUnreadable> {
        Role::split(self.text(name)?).map_err(|error| DeedUnreadable(error.to_string()))
    }

    pub(super) fn maybe_roles(&self, name: &str) -> Result<Option<Vec<Role>>, DeedUnreadable> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.roles(name).map(Some),
        }
    }

    pub(super) fn maybe_terms(&self) -> Result<Option<GrantTerms>, DeedUnreadable> {
        match (self.maybe_number("expires_us")?, self.maybe_number("priority")?) {
            (Some(expires_us), Some(priority)) => Ok(Some(GrantTerms { expires_us, priority })),
            (None, None) => Ok(None),
            _ => Err(wrong("expires_us")),
        }
    }

    pub(super) fn credits(&self, name: &str) -> Result<Credits, DeedUnreadable> {
        self.maybe_credits(name)?.ok_or_else(|| wrong(name))
    }

    pub(super) fn maybe_credits(&self, name: &str) -> Result<Option<Credits>, DeedUnreadable> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => Credits::parse_exact(self.text(name)?).map(Some).map_err(|_unreadable| wrong(name)),
        }
    }
}

pub(super) fn wrong(name: &str) -> DeedUnreadable {
    DeedUnreadable(format!("`{name}` is missing or wrong"))
}
