//! Where this ledger answers in another way on purpose.

use serde_json::{Map, Value};
use tests::workspace;

use super::case::Case;

/// An entry of `deviations.json`.
#[derive(Debug)]
pub(super) struct Deviation {
    /// The case's id, or its beginning and `*`.
    pub(super) id: String,
    /// Only where the case expects this.
    expected: Map<String, Value>,
    /// What is expected instead.
    answer: Map<String, Value>,
    /// The sentence of the design that is followed.
    pub(super) quote: String,
    pub(super) reason: String,
}

impl Deviation {
    fn parse(entry: &Value) -> Self {
        let text = |name: &str| entry[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {entry}")).to_owned();
        let object = |name: &str| entry[name].as_object().unwrap_or_else(|| panic!("no `{name}` in {entry}")).clone();
        Self {
            id: text("id"),
            expected: object("expected"),
            answer: object("answer"),
            quote: text("quote"),
            reason: text("reason"),
        }
    }

    pub(super) fn is_pattern(&self) -> bool {
        self.id.ends_with('*')
    }

    pub(super) fn is_for(&self, case: &Case) -> bool {
        let is_named = match self.id.strip_suffix('*') {
            Some(beginning) => case.id.starts_with(beginning),
            None => case.id == self.id,
        };
        is_named && self.expected.iter().all(|(name, value)| case.then.get(name) == Some(value))
    }

    /// The case with our answer in the place of the other.
    pub(super) fn applied_to(&self, case: &Case) -> Case {
        let mut case = case.clone();
        for (name, value) in &self.answer {
            case.then.insert(name.clone(), value.clone());
        }
        case
    }
}

pub(super) fn load() -> Vec<Deviation> {
    let text = workspace::read("tests/cases/deviations.json");
    let file: Value = serde_json::from_str(&text).expect("deviations.json is JSON");
    file["ledger"].as_array().expect("`ledger` is a list").iter().map(Deviation::parse).collect()
}
