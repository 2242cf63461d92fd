//! Rows as CSV (RFC 4180, lines end with a line feed) or as JSON Lines.

use super::{
    out::Out,
    value::{TimeTexts, Value, push_integer},
};
use crate::ledger::hex::push_hex;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// Comma-separated values.
    Csv,
    /// An object on each line.
    Jsonl,
}

/// A table with its columns.
#[derive(Debug, Clone)]
pub struct Table {
    format: RowFormat,
    columns: &'static [&'static str],
    times: TimeTexts,
}

impl Table {
    /// With these columns. Their names are words.
    pub fn new(format: RowFormat, columns: &'static [&'static str]) -> Self {
        Self { format, columns, times: TimeTexts::default() }
    }

    /// Writes the line of names, where there is one.
    pub fn begin(&self, out: &mut Out<'_>) {
        if self.format == RowFormat::Csv {
            out.text(&self.columns.join(","));
            out.text("\n");
        }
    }

    /// Writes a row: a value for each column.
    pub fn row(&mut self, out: &mut Out<'_>, values: &[Value<'_>]) {
        let Self { format, columns, times } = self;
        out.row(|bytes| match format {
            RowFormat::Csv => csv_row(bytes, values, times),
            RowFormat::Jsonl => json_row(bytes, columns, values, times),
        });
    }
}

fn csv_row(out: &mut Vec<u8>, values: &[Value<'_>], times: &mut TimeTexts) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match value {
            Value::Nothing => {}
            Value::Number(number) => push_integer(out, (*number).into()),
            Value::Micros(micros) => push_integer(out, *micros),
            Value::Word(word) => out.extend_from_slice(word.as_bytes()),
            Value::Text(text) => push_csv_text(out, text),
            Value::Id(id) => push_hex(out, id.as_bytes()),
            Value::Time(us) => out.extend_from_slice(times.text(*us).as_bytes()),
            Value::Hash(hash) => push_hex(out, hash.as_slice()),
        }
    }
    out.push(b'\n');
}

/// Text from outside. What a spreadsheet would take for a formula gets an apostrophe in front.
fn push_csv_text(out: &mut Vec<u8>, text: &str) {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_quoted = is_formula || text.contains([',', '"', '\n', '\r']);
    if !is_quoted {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    if is_formula {
        out.push(b'\'');
    }
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn json_row(out: &mut Vec<u8>, columns: &[&str], values: &[Value<'_>], times: &mut TimeTexts) {
    for (at, (column, value)) in columns.iter().zip(values).enumerate() {
        out.extend_from_slice(if at == 0 { b"{\"" } else { b",\"" });
        out.extend_from_slice(column.as_bytes());
        out.extend_from_slice(b"\":");
        match value {
            Value::Nothing => out.extend_from_slice(b"null"),
            Value::Number(number) => push_integer(out, (*number).into()),
            Value::Text(text) => push_json_text(out, text),
            other => {
                out.push(b'"');
                match other {
                    Value::Micros(micros) => push_integer(out, *micros),
                    Value::Word(word) => out.extend_from_slice(word.as_bytes()),
                    Value::Id(id) => push_hex(out, id.as_bytes()),
                    Value::Time(us) => out.extend_from_slice(times.text(*us).as_bytes()),
                    Value::Hash(hash) => push_hex(out, hash.as_slice()),
                    Value::Nothing | Value::Number(_) | Value::Text(_) => {}
                }
                out.push(b'"');
            }
        }
    }
    out.extend_from_slice(b"}\n");
}

/// A JSON string.
pub(super) fn push_json_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x00..=0x1f => {
                out.extend_from_slice(b"\\u00");
                push_hex(out, &[byte]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
