//! What a server or a document says of its tools, as new tools of a namespace.

use engine::{
    catalog::Visibility,
    limits::LINE_CHARS_MAX,
    publishing::{
        FieldFault,
        names::Names,
        openapi::{Described, Skipped},
        schema::CheckedSchema,
    },
    service::publishing::{NewOwnTool, OwnUpstream},
};

use crate::upstream::FoundTool;

/// The tools of an MCP server. Each keeps its name there, and is called what our rules allow.
///
/// # Errors
/// An input schema cannot be used: `tools.<name>.input_schema`.
pub(super) fn of_mcp(found: &[FoundTool], visibility: Visibility) -> Result<Vec<NewOwnTool>, FieldFault> {
    let mut names = Names::default();
    let mut tools = Vec::with_capacity(found.len());
    for tool in found {
        let input_schema = CheckedSchema::new(tool.input_schema.clone()).map_err(|fault| {
            let name: String = tool.name.chars().take(64).collect();
            FieldFault::new(format!("tools.{name}.{}", fault.field), fault.message)
        })?;
        tools.push(NewOwnTool {
            name: names.take(&tool.name),
            short_description: one_line(tool.title.as_deref(), &tool.description),
            long_description: plain(&tool.description),
            input_schema: Some(input_schema),
            visibility,
            group: None,
            upstream: OwnUpstream::Mcp(tool.name.clone()),
        });
    }
    Ok(tools)
}

/// The operations of a document, and what of it makes no tool.
pub(super) fn of_document(described: Described, visibility: Visibility) -> (Vec<NewOwnTool>, Vec<Skipped>) {
    let tools = described.tools.into_iter().map(|tool| NewOwnTool {
        name: tool.name,
        short_description: tool.short_description,
        long_description: tool.long_description,
        input_schema: Some(tool.input_schema),
        visibility,
        group: None,
        upstream: OwnUpstream::Rest(tool.shape),
    });
    (tools.collect(), described.skipped)
}

/// The first line of what a server says of a tool, or its title.
fn one_line(title: Option<&str>, description: &str) -> String {
    let lines = description.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let first = lines.chain(title.map(str::to_owned)).find(|line| !line.is_empty()).unwrap_or_default();
    first.chars().filter(|letter| !letter.is_control()).take(LINE_CHARS_MAX).collect()
}

/// Text without what is none.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t')).collect()
}

#[cfg(test)]
mod tests;
