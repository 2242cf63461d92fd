//! Cases as they stand in the files.

use std::path::Path;

use serde_json::{Map, Value};

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) basis: String,
    pub(super) dialects: Vec<String>,
    pub(super) config: Value,
    pub(super) env: Vec<(String, String)>,
    pub(super) setup: Vec<Value>,
    pub(super) request: Value,
    pub(super) is_unit: bool,
    pub(super) context: Value,
    pub(super) expect: Map<String, Value>,
    pub(super) expect_impl: Map<String, Value>,
    line: Value,
}

/// A case in one dialect.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) case: Case,
    pub(super) dialect: String,
}

/// Fields that say something to people only.
const NOTES: [&str; 5] = ["area", "basis", "note", "source", "fixture"];

impl Case {
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        Self::read(line)
    }

    fn read(line: Value) -> Result<Self, String> {
        let Value::Object(mut members) = line.clone() else { return Err("no object".to_owned()) };
        let text = |name: &str| line[name].as_str().map(str::to_owned).ok_or_else(|| format!("no `{name}`"));
        let (id, fixture) = (text("id")?, text("fixture")?);
        if fixture != "std" {
            return Err(format!("the fixture `{fixture}` is not known"));
        }
        let basis = line["basis"].as_str().unwrap_or_default().to_owned();
        NOTES.iter().chain(&["id"]).for_each(|name| drop(members.remove(*name)));
        let mut take = |name: &str| members.remove(name);
        let list = |value: Option<Value>| match value {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(format!("{other} is no list")),
        };
        let object = |value: Option<Value>| match value {
            None => Ok(Map::new()),
            Some(Value::Object(members)) => Ok(members),
            Some(other) => Err(format!("{other} is no object")),
        };
        let words = |items: Vec<Value>| items.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
        let case = Self {
            id,
            basis,
            dialects: words(list(take("dialects"))?),
            config: take("config").ok_or("no `config`")?,
            env: object(take("env"))?
                .into_iter()
                .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            setup: list(take("setup"))?,
            request: take("request").ok_or("no `request`")?,
            is_unit: take("unit").is_some(),
            context: take("context").unwrap_or_default(),
            expect: object(take("expect"))?,
            expect_impl: object(take("expect_impl"))?,
            line,
        };
        match members.keys().next() {
            Some(unknown) => Err(format!("`{unknown}` has no meaning")),
            None if case.dialects.is_empty() || case.expect.is_empty() => Err("nothing to run".to_owned()),
            None => Ok(case),
        }
    }

    /// The same with another value at a JSON pointer.
    pub(super) fn altered(&self, pointer: &str, value: Value) -> Self {
        let mut line = self.line.clone();
        *line.pointer_mut(pointer).unwrap_or_else(|| panic!("{} has no {pointer}", self.id)) = value;
        Self::read(line).unwrap_or_else(|why| panic!("{}: {why}", self.id))
    }
}

impl Run {
    pub(super) fn all_of(case: &Case) -> Vec<Self> {
        case.dialects.iter().map(|dialect| Self { case: case.clone(), dialect: dialect.clone() }).collect()
    }

    /// The brand of a name in this dialect: cases are written for the forks' brands.
    pub(super) fn branded(&self, name: &str) -> String {
        if self.dialect == "openclaw" {
            name.replace("x-fased-", "x-openclaw-").replace("FASED_", "OPENCLAW_")
        } else {
            name.to_owned()
        }
    }
}

/// All cases of all files of this kind in `folder`, in the order of the files' names.
pub(super) fn load(folder: &Path) -> Result<Vec<Case>, String> {
    let parse = |line: &str| Case::parse(line).map(|case| (case.id.clone(), case));
    tests::cases::load(folder, "gateway", &["dialects", "expect"], parse)
}
