//! Where the gateway answers in another way on purpose.

use serde_json::{Map, Value};
use tests::workspace;

use super::case::Run;

/// An entry of `deviations.json`.
#[derive(Debug)]
pub(super) struct Deviation {
    pub(super) id: String,
    /// The dialects in which it deviates; none: in all.
    dialects: Vec<String>,
    /// What is expected instead.
    answer: Map<String, Value>,
    /// The sentence of the design that is followed, where there is one.
    pub(super) quote: String,
    pub(super) reason: String,
}

impl Deviation {
    fn parse(entry: &Value) -> Self {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let dialects = entry["dialects"].as_array().into_iter().flatten();
        Self {
            id: text("id"),
            dialects: dialects.filter_map(Value::as_str).map(str::to_owned).collect(),
            answer: entry["answer"].as_object().unwrap_or_else(|| panic!("no `answer` in {entry}")).clone(),
            quote: text("quote"),
            reason: text("reason"),
        }
    }

    pub(super) fn is_for(&self, run: &Run) -> bool {
        self.id == run.case.id && (self.dialects.is_empty() || self.dialects.contains(&run.dialect))
    }

    /// The run with our answer in the place of the other.
    pub(super) fn applied_to(&self, run: &Run) -> Run {
        let mut run = run.clone();
        run.case.expect = self.answer.clone();
        run.case.expect_impl = Map::new();
        run
    }
}

pub(super) fn load() -> Vec<Deviation> {
    let text = workspace::read("tests/cases/deviations.json");
    let file: Value = serde_json::from_str(&text).expect("deviations.json is JSON");
    file["gateway"].as_array().expect("`gateway` is a list").iter().map(Deviation::parse).collect()
}
