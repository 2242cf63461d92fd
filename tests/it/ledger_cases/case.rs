//! Cases as they stand in the files.

use std::path::Path;

use serde_json::{Map, Value};

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) given: Map<String, Value>,
    pub(super) when: Vec<Value>,
    pub(super) then: Map<String, Value>,
}

impl Case {
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let mut line: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let mut take = |name: &str| line.remove(name);
        let object = |value: Option<Value>, name: &str| match value {
            Some(Value::Object(object)) => Ok(object),
            other => Err(format!("`{name}` is {other:?}")),
        };
        let Some(Value::String(id)) = take("id") else { return Err("no `id`".to_owned()) };
        let Some(Value::Array(when)) = take("when") else { return Err("no `when`".to_owned()) };
        let given = object(take("given").or_else(|| Some(Value::Object(Map::new()))), "given")?;
        let then = object(take("then"), "then")?;
        let _source = take("source");
        if let Some(unknown) = line.keys().next() {
            return Err(format!("`{unknown}` has no meaning"));
        }
        Ok(Self { id, given, when, then })
    }

    /// What stands before the number.
    pub(super) fn group(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    pub(super) fn has_races(&self) -> bool {
        self.when.iter().any(|op| op["op"] == "parallel")
    }
}

/// All cases of all files of this kind in `folder`, in the order of the files' names.
pub(super) fn load(folder: &Path) -> Result<Vec<Case>, String> {
    let parse = |line: &str| Case::parse(line).map(|case| (case.id.clone(), case));
    tests::cases::load(folder, "ledger", &["when", "then"], parse)
}
