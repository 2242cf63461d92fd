//! Requests as they stand in the file.

use std::{cell::Cell, path::Path};

use serde_json::{Map, Value};

/// One line: a request that a published client sent.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its place among the lines, from 1.
    pub(super) number: usize,
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Line {
    pub(super) fn parse(number: usize, text: &str) -> Result<Self, String> {
        let mut members: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut take = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Null) => Ok(String::new()),
            other => Err(format!("`{name}` is {other:?}")),
        };
        let (method, path, body) = (take("m")?, take("path")?, take("body")?);
        let mut headers = Vec::new();
        for (name, header) in
            [("auth", "authorization"), ("ct", "content-type"), ("inm", "if-none-match"), ("ua", "user-agent")]
        {
            let value = take(name)?;
            headers.extend((!value.is_empty()).then_some((header, value)));
        }
        match members.keys().next() {
            Some(unknown) => Err(format!("`{unknown}` has no meaning")),
            None => Ok(Self { number, method, path, headers, body }),
        }
    }

    /// `METHOD /path?query`.
    pub(super) fn request(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether it is sent to change something.
    pub(super) fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Whether it is one of these: `METHOD /path` without a query, where a `*` stands for one part of the path.
    pub(super) fn is_one_of(&self, requests: &str) -> bool {
        let (method, pattern) = requests.split_once(' ').unwrap();
        method == self.method && fits(pattern, &self.path)
    }

    /// The same with another text wherever one stands.
    pub(super) fn with(&self, old: &str, new: &str) -> Self {
        let mut line = self.clone();
        line.path = line.path.replace(old, new);
        line.body = line.body.replace(old, new);
        for (_, value) in &mut line.headers {
            *value = value.replace(old, new);
        }
        line
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let is_part = |(wanted, part): (&&str, &&str)| wanted == part || (*wanted == "*" && !part.is_empty());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(is_part)
}

/// All lines of all files of this kind in `folder`, in the order of the files' names.
pub(super) fn load(folder: &Path) -> Result<Vec<Line>, String> {
    let count = Cell::new(0);
    let parse = |text: &str| {
        count.set(count.get() + 1);
        // A request may stand in the file more than once.
        Line::parse(count.get(), text).map(|line| (count.get().to_string(), line))
    };
    tests::cases::load(folder, "marketplace-wire", &["m", "path", "ua"], parse)
}
