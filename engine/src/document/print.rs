//! A value as JSON5 for people: one member or entry a line, keys without quotes where they need none.

use serde_json::Value;

/// One level of nesting.
pub(super) const INDENT: &str = "  ";

/// A value as a text of its own.
pub fn to_text(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, "");
    out.push('\n');
    out
}

/// A value that stands in a line with this indentation.
pub(super) fn write_value(out: &mut String, value: &Value, indent: &str) {
    match value {
        Value::Array(items) => match items.as_slice() {
            [] => out.push_str("[]"),
            [only] if !only.is_array() && !only.is_object() => {
                out.push('[');
                write_value(out, only, indent);
                out.push(']');
            }
            several => {
                let inner = format!("{indent}{INDENT}");
                out.push_str("[\n");
                for item in several {
                    out.push_str(&inner);
                    write_value(out, item, &inner);
                    out.push_str(",\n");
                }
                out.push_str(indent);
                out.push(']');
            }
        },
        Value::Object(members) if members.is_empty() => out.push_str("{}"),
        Value::Object(members) => {
            let inner = format!("{indent}{INDENT}");
            out.push_str("{\n");
            for (key, value) in members {
                out.push_str(&inner);
                write_member(out, key, value, &inner);
                out.push_str(",\n");
            }
            out.push_str(indent);
            out.push('}');
        }
        // What JSON writes, JSON5 reads.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

/// A member of an object.
pub(super) fn write_member(out: &mut String, key: &str, value: &Value, indent: &str) {
    let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$');
    if key.starts_with(begins) && key.chars().all(|c| begins(c) || c.is_ascii_digit()) {
        out.push_str(key);
    } else {
        out.push_str(&Value::from(key).to_string());
    }
    out.push_str(": ");
    write_value(out, value, indent);
}
