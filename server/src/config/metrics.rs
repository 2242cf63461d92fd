//! The section `metrics`: whether `/metrics` is served.

use super::reader::Fields;

/// The section `metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    /// Whether `/metrics` is served; without the key, on a loopback address only.
    pub enabled: bool,
}

impl Metrics {
    pub(super) fn read(fields: &mut Fields<'_>, is_public: bool) -> Self {
        Self { enabled: fields.flag("enabled", !is_public) }
    }
}
