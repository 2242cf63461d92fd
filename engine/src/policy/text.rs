//! A policy as an operator writes it: the chain's document as JSON5, and Cedar policies beside it. What is kept is one text;
//! a document with comments is kept as it was written, so that the next one who edits it reads them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{OPERATOR_POLICIES, WrittenPolicy};
use crate::document::{
    DocumentPath,
    edit::{Change, edit},
    written::{Position, TextProblem, Written, to_text},
};

/// The two texts of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyText {
    /// The sections, as JSON5.
    pub chain: String,
    /// Cedar policies of the operators; may be empty.
    pub operator: String,
}

impl PolicyText {
    /// The texts of a policy, with nothing in them but what it says.
    pub fn of(policy: &WrittenPolicy) -> Self {
        let mut value = policy.to_value();
        if let Some(members) = value.as_object_mut() {
            members.shift_remove(OPERATOR_POLICIES);
        }
        Self { chain: to_text(&value), operator: policy.operator.clone() }
    }

    /// The texts of a policy as [`PolicyText::to_stored`] wrote it, or [`WrittenPolicy::to_value`].
    ///
    /// # Errors
    /// It is neither.
    pub fn from_stored(stored: &str) -> Result<Self, String> {
        if let Ok(value) = serde_json::from_str::<Value>(stored) {
            return WrittenPolicy::from_value(value)
                .map(|policy| Self::of(&policy))
                .map_err(|problem| problem.to_string());
        }
        let policy = WrittenPolicy::from_stored(stored)?;
        let chain = if policy.operator.is_empty() {
            stored.to_owned()
        } else {
            let path = DocumentPath::default().key(OPERATOR_POLICIES);
            edit(stored, &path, &Change::Remove).map_err(|problem| problem.to_string())?.text
        };
        Ok(Self { chain, operator: policy.operator })
    }

    /// What the texts say. The sections are not looked at.
    ///
    /// # Errors
    /// The document cannot be read, or has the Cedar policies in it.
    pub fn read(&self) -> Result<WrittenPolicy, Vec<TextProblem>> {
        let written = Written::parse(&self.chain)?;
        if let Some(at) = written.places().get(OPERATOR_POLICIES) {
            let message = format!("`{OPERATOR_POLICIES}` is a text of its own, not a section of the document");
            return Err(vec![TextProblem { at: *at, message }]);
        }
        Ok(WrittenPolicy { chain: written.value().clone(), operator: self.operator.clone() })
    }

    /// As one text that is kept: with its comments, or, where there are none, as [`WrittenPolicy::to_value`] has it, so that
    /// the same policy is the same text whoever wrote it.
    ///
    /// # Errors
    /// As for [`PolicyText::read`].
    pub fn to_stored(&self) -> Result<String, Vec<TextProblem>> {
        let policy = self.read()?;
        let plain = || policy.to_value().to_string();
        if !Written::parse(&self.chain)?.has_comments() || !policy.chain.is_object() {
            return Ok(plain());
        }
        if self.operator.is_empty() {
            return Ok(self.chain.clone());
        }
        let path = DocumentPath::default().key(OPERATOR_POLICIES);
        let put = Change::Put(self.operator.as_str().into());
        Ok(edit(&self.chain, &path, &put).map_or_else(|_cannot_be| plain(), |edited| edited.text))
    }

    /// Where the values of the document stand; nothing is known of one that cannot be read.
    pub fn places(&self) -> TextPlaces {
        TextPlaces(Written::parse(&self.chain).map(|written| written.places()).unwrap_or_default())
    }
}

/// Where the values of a document stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextPlaces(BTreeMap<String, Position>);

impl TextPlaces {
    /// Where the value with this key stands, as messages write keys.
    pub fn get(&self, key: &str) -> Option<Position> {
        self.0.get(key).copied()
    }

    /// Where the value with this path stands, or what is around it; the document's beginning if that is all that is known.
    pub fn around(&self, path: &DocumentPath) -> Position {
        let mut around = DocumentPath::default();
        let mut found = self.get("").unwrap_or(Position { line: 1, column: 1 });
        for segment in path.segments() {
            around = around.join(segment);
            match self.get(&around.to_string()) {
                Some(place) => found = place,
                None => break,
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
