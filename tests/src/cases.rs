//! Conformance cases: files of JSON lines, found by their name or by what their lines look like.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

/// Every case of the files of one kind in `folder`, in the order of the files' names. A file is of the kind if its name
/// begins with it, or if its first line has these `members`.
///
/// # Errors
/// There is no such file, one holds no case, a line cannot be parsed, or two cases have the same `id`.
pub fn load<T>(
    folder: &Path,
    kind: &str,
    members: &[&str],
    parse: impl Fn(&str) -> Result<(String, T), String>,
) -> Result<Vec<T>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(|error| error.to_string())?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let (mut cases, mut ids, mut is_there_a_file) = (Vec::new(), BTreeSet::new(), false);
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        let lines = || (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let first: Option<Value> = lines().next().and_then(|(_, line)| serde_json::from_str(line).ok());
        let has_members = first.is_some_and(|line| members.iter().all(|member| line.get(member).is_some()));
        if !name.starts_with(kind) && !has_members {
            continue;
        }
        is_there_a_file = true;
        let before = cases.len();
        for (number, line) in lines() {
            let (id, case) = parse(line).map_err(|why| format!("{name}:{number}: {why}"))?;
            if ids.contains(&id) {
                return Err(format!("{name}:{number}: there is another case `{id}`"));
            }
            ids.insert(id);
            cases.push(case);
        }
        if cases.len() == before {
            return Err(format!("{name} holds no case"));
        }
    }
    if is_there_a_file { Ok(cases) } else { Err(format!("no file of {kind} cases")) }
}

#[cfg(test)]
mod tests;
