//! A namespace as lines for a terminal: all that an approval approves. A text of a publisher is shown whole, and moves no cursor.

use engine::service::publishing::{OwnGroup, OwnNamespace, OwnTool, ToolListing};
use serde_json::{Map, Value};

use crate::publishing::{address_free, names_alone};

/// What stands there for no text.
const NOTHING: &str = "(nothing)";

/// A namespace with everything in it, and after `->` what something is to become.
pub(super) fn lines_of(shown: &OwnNamespace) -> Vec<String> {
    let edit = &shown.draft.edit;
    let mut lines = vec![format!("{} is {}", shown.name, shown.status)];
    if shown.is_handed_in() {
        lines.push(format!("handed in; what you see here is {}", shown.fingerprint()));
    }
    let mut of = Lines { lines, indent: "" };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    of.put("title", &text(&shown.listing_name), edit.listing_name.as_deref());
    of.put("description", &shown.description, edit.description.as_deref());
    of.put("category", &text(&shown.category), edit.category.as_deref());
    let tags = edit.tags.as_ref().map(|tags| tags.join(", "));
    of.put("tags", &shown.tags.join(", "), tags.as_deref());
    let icon = edit.icon_url.as_deref().map(address_free);
    of.put("icon", &address_free(shown.icon.as_deref().unwrap_or_default()), icon.as_deref());
    of.put("readme", &text(&shown.readme_content), edit.readme_content.as_deref());
    of.put("readme from", &text(&shown.readme_source_url), None);
    for group in &shown.groups {
        put_group(&mut of, group);
    }
    for tool in &shown.tools {
        let next = edit.tools.iter().find(|(id, _)| *id == tool.id).map(|(_, next)| next);
        put_tool(&mut of, tool, next);
    }
    of.lines
}

fn put_group(of: &mut Lines, group: &OwnGroup) {
    of.head(&format!("group {}", visible(&group.name)));
    of.put("description", &group.description, None);
    of.put("price", &group.pricing, group.staged_pricing.as_deref());
}

fn put_tool(of: &mut Lines, tool: &OwnTool, next: Option<&ToolListing>) {
    let stopped = if tool.is_disabled { ", switched off by an operator" } else { "" };
    let wanted = tool.staged_visibility.map(|next| format!(" -> {next}")).unwrap_or_default();
    of.head(&format!("tool {} ({}{wanted}{stopped})", visible(&tool.name), tool.visibility));
    let prompts = next.and_then(|next| next.example_prompts.as_ref()).map(|prompts| prompts.join("\n"));
    let order = next.and_then(|next| next.display_order).map(|order| order.to_string());
    of.put("short description", &tool.short_description, next.and_then(|next| next.short_description.as_deref()));
    of.put("long description", &tool.long_description, next.and_then(|next| next.long_description.as_deref()));
    of.put("example prompts", &tool.example_prompts.join("\n"), prompts.as_deref());
    of.put("order", &tool.display_order.to_string(), order.as_deref());
    of.put("price", tool.pricing.as_deref().unwrap_or("no price"), tool.staged_pricing.as_deref());
    of.put("arguments", &tool.public_schema, None);
    of.put("what its server takes", &tool.input_schema, None);
    let mut how = Map::new();
    how.extend(tool.mcp_tool.clone().map(|name| ("mcp_tool_name".to_owned(), Value::from(name))));
    if let Some(Ok(Value::Object(rest))) = tool.rest.as_deref().map(serde_json::from_str) {
        how.extend(rest);
    }
    for (name, set) in [("mcp_static_args", &tool.static_args), ("mcp_default_args", &tool.default_args)] {
        let set = set.as_deref().and_then(|set| serde_json::from_str(set).ok());
        how.extend(set.map(|set: Value| (name.to_owned(), set)));
    }
    if !tool.units.fields.is_empty() {
        how.insert("pricing_unit_fields".to_owned(), tool.units.fields.clone().into());
    }
    how.extend(tool.units.credits_per_unit.clone().map(|cost| ("pricing_credits_per_unit".to_owned(), cost.into())));
    names_alone(&mut how);
    of.put("how it is called", &Value::Object(how).to_string(), None);
    for (name, value) in tool.set_arguments() {
        if let Some(value) = value {
            of.put(&format!("sets `{}`, by which it is priced", visible(&name)), &value, None);
        }
    }
}

/// Lines that grow: what is of a group or a tool stands below it.
struct Lines {
    lines: Vec<String>,
    indent: &'static str,
}

impl Lines {
    fn head(&mut self, line: &str) {
        self.lines.push(line.to_owned());
        self.indent = "  ";
    }

    /// A field as it is now, and what it is to become. Further lines of a text are marked, so that none of them is taken for ours.
    fn put(&mut self, name: &str, now: &str, next: Option<&str>) {
        self.text(&format!("{name}: "), now);
        if let Some(next) = next {
            self.text("  -> ", next);
        }
    }

    fn text(&mut self, before: &str, text: &str) {
        let indent = self.indent;
        let text = if text.is_empty() { NOTHING } else { text };
        for (number, line) in text.split('\n').enumerate() {
            let before = if number == 0 { before } else { "  | " };
            self.lines.push(format!("{indent}{before}{}", visible(line)));
        }
    }
}

/// A text in which every sign is seen that a terminal would act upon, or hide.
pub(super) fn visible(text: &str) -> String {
    let is_unseen = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unseen(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}
