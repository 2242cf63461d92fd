//! The graph of crates as cargo builds it, read from `cargo tree` (which, unlike `cargo metadata`, leaves out what no
//! feature turns on).

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use crate::workspace::workspace_root;
use crate::{environment, patience::Ends as _};

/// One crate in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    /// Its name in the registry.
    pub name: String,
    /// Its version, without a leading `v`.
    pub version: String,
}

/// Crates, their licences, and who depends on whom.
#[derive(Debug, Default)]
pub struct Graph {
    licences: BTreeMap<Crate, String>,
    edges: BTreeSet<(Crate, Crate)>,
}

impl Graph {
    /// Runs `cargo tree` with these arguments, for the machine's own target.
    pub fn load(arguments: &[&str]) -> Self {
        let output = Command::new(environment::cargo())
            .current_dir(workspace_root())
            .args(["tree", "--locked", "--quiet", "--prefix", "depth", "--format", "{p}\t{l}"])
            .args(arguments)
            .stdin(Stdio::null())
            .ended()
            .expect("cargo starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo tree {arguments:?} failed: {errors}");
        let graph = Self::parse(&String::from_utf8(output.stdout).expect("cargo writes UTF-8"));
        assert!(!graph.licences.is_empty(), "cargo tree {arguments:?} names no crate");
        graph
    }

    /// Reads lines such as `2serde v1.0.0 (proc-macro)<tab>MIT (*)`: depth, crate, licence.
    fn parse(text: &str) -> Self {
        let mut graph = Self::default();
        let mut path: Vec<Crate> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (depth, node, licence) =
                parse_line(line).unwrap_or_else(|| panic!("unknown line of cargo tree: {line}"));
            path.truncate(depth);
            if let Some(parent) = path.last() {
                graph.edges.insert((parent.clone(), node.clone()));
            }
            graph.licences.insert(node.clone(), licence.to_owned());
            path.push(node);
        }
        graph
    }

    /// The names of all crates.
    pub fn names(&self) -> BTreeSet<&str> {
        self.licences.keys().map(|node| node.name.as_str()).collect()
    }

    /// The versions of one crate.
    pub fn versions(&self, name: &str) -> Vec<&str> {
        self.licences.keys().filter(|node| node.name == name).map(|node| node.version.as_str()).collect()
    }

    /// Who depends directly on `name`.
    pub fn dependants(&self, name: &str) -> BTreeSet<&str> {
        self.edges.iter().filter(|(_, to)| to.name == name).map(|(from, _)| from.name.as_str()).collect()
    }

    /// On what `name` depends directly.
    pub fn dependencies(&self, name: &str) -> BTreeSet<&str> {
        self.edges.iter().filter(|(from, _)| from.name == name).map(|(_, to)| to.name.as_str()).collect()
    }

    /// Every crate with the licence expression that it declares (empty when it declares none).
    pub fn licences(&self) -> impl Iterator<Item = (&Crate, &str)> {
        self.licences.iter().map(|(node, licence)| (node, licence.as_str()))
    }
}

fn parse_line(line: &str) -> Option<(usize, Crate, &str)> {
    let (package, licence) = line.split_once('\t')?;
    let name_at = package.find(|character: char| !character.is_ascii_digit())?;
    let (depth, package) = package.split_at(name_at);
    let mut words = package.split_whitespace();
    let node = Crate { name: words.next()?.to_owned(), version: words.next()?.strip_prefix('v')?.to_owned() };
    Some((depth.parse().ok()?, node, licence.trim().trim_end_matches("(*)").trim_end()))
}

#[cfg(test)]
mod tests;
