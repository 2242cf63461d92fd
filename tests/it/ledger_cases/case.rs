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

/// Whether a file holds cases of this kind: by its name, or by what its first line looks like.
fn is_of_this_kind(name: &str, text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let has_our_fields =
        serde_json::from_str::<Value>(first).is_ok_and(|line| line.get("when").is_some() && line.get("then").is_some());
    name.starts_with("ledger") || has_our_fields
}

/// All cases of all files of this kind in `folder`, in the order of the files' names.
pub(super) fn load(folder: &Path) -> Result<Vec<Case>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut paths: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let (mut cases, mut is_there_a_file) = (Vec::new(), false);
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        if !is_of_this_kind(&name, &text) {
            continue;
        }
        is_there_a_file = true;
        let before = cases.len();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            cases.push(Case::parse(line).map_err(|why| format!("{name}:{}: {why}", number + 1))?);
        }
        if cases.len() == before {
            return Err(format!("{name} holds no case"));
        }
    }
    let mut ids: Vec<_> = cases.iter().map(|case| case.id.clone()).collect();
    ids.sort();
    ids.dedup();
    match () {
        () if !is_there_a_file => Err("no file of ledger cases".to_owned()),
        () if ids.len() != cases.len() => Err("two cases have the same id".to_owned()),
        () => Ok(cases),
    }
}
