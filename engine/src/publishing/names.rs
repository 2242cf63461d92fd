//! Names for tools that others have named: as near to theirs as our rules allow, and no two alike.

use std::collections::HashSet;

use crate::limits;

/// Letters, digits, `_`, `-` and `.`, beginning with a letter or digit: always a tool's name.
pub fn fitting(wanted: &str, chars_max: usize) -> String {
    let mut name = String::new();
    for character in wanted.chars() {
        let fits = character.is_ascii_alphanumeric() || matches!(character, '-' | '.');
        if fits {
            name.push(character);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_start_matches(['.', '-', '_']).trim_end_matches('_');
    let name: String = name.chars().take(chars_max).collect();
    if name.is_empty() { "operation".to_owned() } else { name }
}

/// The names that are taken already.
#[derive(Debug, Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// A tool's name that is like `wanted` and no other's, taken from now on. What is a tool's name already is left as it is.
    pub fn take(&mut self, wanted: &str) -> String {
        let name = match crate::catalog::check_tool_name(wanted) {
            Ok(()) => wanted.to_owned(),
            Err(_unfit) => fitting(wanted, limits::TOOL_NAME_CHARS_MAX),
        };
        let numbered = (2_usize..).map(|number| {
            let tail = format!("_{number}");
            let head: String = name.chars().take(limits::TOOL_NAME_CHARS_MAX.saturating_sub(tail.len())).collect();
            head + &tail
        });
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.0.contains(name));
        let name = free.unwrap_or_default();
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests;
