//! The files of the project as text, and Rust text taken apart far enough to look at code without its comments and
//! strings.

use std::path::Path;
use std::sync::OnceLock;

use crate::workspace::workspace_root;

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 6] = [".git", ".tools", ".venv", "data", "node_modules", "target"];

/// The folders whose `src` is shipped inside the program.
const SHIPPED: [&str; 5] = ["engine", "server", "admin", "policies", "migrations"];

/// One text file of the project.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path relative to the workspace root, with forward slashes.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl SourceFile {
    /// Whether it is Rust code that ends up in the program: under a shipped crate's `src`, and not its unit tests.
    pub fn is_shipped_code(&self) -> bool {
        let is_under_src = SHIPPED.iter().any(|folder| self.path.starts_with(&format!("{folder}/src/")));
        is_under_src && self.is_rust() && !self.is_unit_test()
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }

    fn is_unit_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// Every text file of the project, by path. Files that are not UTF-8 are left out.
pub fn source_files() -> &'static [SourceFile] {
    static FILES: OnceLock<Vec<SourceFile>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files = Vec::new();
        collect(workspace_root(), "", &mut files);
        files.sort_by(|left, right| left.path.cmp(&right.path));
        files
    })
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("`{}`: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("an entry of a folder");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().expect("the kind of an entry");
        if kind.is_dir() && !FOREIGN.contains(&name.as_str()) {
            collect(&entry.path(), &path, files);
        } else if kind.is_file()
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            files.push(SourceFile { path, text });
        }
    }
}

/// Rust text, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lexed {
    /// The text with comments, characters and the insides of strings blanked out; line numbers stay.
    pub code: String,
    /// The strings, each with the line (from 1) on which it starts.
    pub strings: Vec<(usize, String)>,
}

/// Takes Rust text apart. It need not compile; an open string or comment ends with the text.
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer { rest: text, line: 1, out: Lexed::default() };
    while lexer.step() {}
    lexer.out
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    out: Lexed,
}

impl<'a> Lexer<'a> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment_len(self.rest));
        } else if first.is_alphabetic() || first == '_' {
            self.word();
        } else if first == '"' {
            self.string();
        } else if first == '\'' {
            self.character_or_lifetime();
        } else {
            self.keep(first.len_utf8());
        }
        true
    }

    fn word(&mut self) {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let len = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at(len);
        self.keep(len);
        let hashes = after.len() - after.trim_start_matches('#').len();
        let is_string_next = after.trim_start_matches('#').starts_with('"');
        if matches!(word, "r" | "br" | "cr") && is_string_next {
            self.raw_string(hashes);
        } else if matches!(word, "b" | "c") && hashes == 0 && is_string_next {
            self.string();
        }
    }

    /// A string whose opening quote is next.
    fn string(&mut self) {
        let mut is_escaped = false;
        let inside = self.rest.get(1..).unwrap_or_default();
        let len = inside.find(|character| {
            let is_end = character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            is_end
        });
        self.record(1, len.unwrap_or(inside.len()), 1);
    }

    fn raw_string(&mut self, hashes: usize) {
        let opening = hashes + 1;
        let closing = format!("\"{}", "#".repeat(hashes));
        let inside = self.rest.get(opening..).unwrap_or_default();
        self.record(opening, inside.find(&closing).unwrap_or(inside.len()), closing.len());
    }

    fn record(&mut self, opening: usize, len: usize, closing: usize) {
        let text = self.rest.get(opening..opening + len).unwrap_or_default().to_owned();
        self.out.strings.push((self.line, text));
        self.keep(opening);
        self.blank(len);
        self.keep(closing.min(self.rest.len()));
    }

    fn character_or_lifetime(&mut self) {
        let mut characters = self.rest.char_indices().skip(1);
        let len = match (characters.next(), characters.next()) {
            (Some((_, '\\')), Some((at, escaped))) => {
                let from = at + escaped.len_utf8();
                self.rest.get(from..).and_then(|rest| rest.find('\'')).map(|end| from + end + 1)
            }
            (Some(_), Some((at, '\''))) => Some(at + 1),
            _ => None,
        };
        match len {
            Some(len) => self.blank(len),
            None => self.keep(1),
        }
    }

    fn keep(&mut self, len: usize) {
        let taken = self.take(len);
        self.out.code.push_str(taken);
    }

    fn blank(&mut self, len: usize) {
        let taken = self.take(len);
        self.out.code.extend(taken.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }
}

/// The length of the block comment that `text` starts with; block comments nest.
fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
