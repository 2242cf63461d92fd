//! The section `payloads`: of which tools arguments and answers are kept, and for how long.

use engine::service::payloads::{ToolPattern, ToolPatternError};

use super::reader::Fields;

const BYTES_MAX_DEFAULT: u64 = 65_536;
const BYTES_MAX: u64 = 1024 * 1024;
/// A year.
const KEEP_S_MAX: u64 = 366 * 86_400;

/// The section `payloads`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payloads {
    /// Of which tools; of none where nothing is kept.
    pub tools: Vec<ToolPattern>,
    /// For how many seconds.
    pub keep_s: u64,
    /// How much of the arguments, and how much of the answer, in bytes.
    pub bytes_max: u64,
}

impl Payloads {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        // As many as are written, also those that are wrong: of these it is said already.
        let tools: Vec<Option<ToolPattern>> = fields.list("tools", |item| {
            Some(item.parsed(|text| text.parse().map_err(|error: ToolPatternError| error.to_string())))
        });
        let keep_s = fields.take("keep_s").map(|value| value.whole_number(1..=KEEP_S_MAX));
        match (tools.is_empty(), keep_s) {
            (false, None) => fields.reader.problem(
                &fields.place,
                format!(
                    "`{}` must be set where `{}` names tools: nothing is kept for ever",
                    fields.path_of("keep_s"),
                    fields.path_of("tools")
                ),
            ),
            (true, Some(_)) => fields.reader.problem(
                &fields.place,
                format!(
                    "`{}` must name the tools that `{}` is for, such as `acme/*`",
                    fields.path_of("tools"),
                    fields.path_of("keep_s")
                ),
            ),
            (true, None) | (false, Some(_)) => {}
        }
        Self {
            tools: tools.into_iter().flatten().collect(),
            keep_s: keep_s.flatten().unwrap_or_default(),
            bytes_max: fields.whole_number("bytes_max", BYTES_MAX_DEFAULT, 1..=BYTES_MAX),
        }
    }
}
