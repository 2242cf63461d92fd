//! A text for a camera. Drawn as one path, dark on light in both colour schemes: cameras want it so.

use std::fmt::Write as _;

use askama::Template;
use qrcodegen::{DataTooLong, QrCode, QrCodeEcc};

/// How many empty modules stand around a code, of ISO/IEC 18004.
const QUIET: i32 = 4;

/// A QR code.
#[derive(Debug, Template)]
#[template(path = "kit/qr.html")]
pub struct Qr {
    /// What it is, for who cannot see it.
    pub title: String,
    size: i32,
    path: String,
}

impl Qr {
    /// The code of `text`.
    ///
    /// # Errors
    /// The text is longer than 2,331 bytes.
    pub fn new(title: impl Into<String>, text: &str) -> Result<Self, DataTooLong> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium)?;
        let mut path = String::new();
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                let (left, top) = (x.saturating_add(QUIET), y.saturating_add(QUIET));
                // Writing into a text does not fail.
                let _ = write!(path, "M{left} {top}h1v1h-1z");
            }
        }
        let size = code.size().saturating_add(QUIET.saturating_mul(2));
        Ok(Self { title: title.into(), size, path })
    }
}

#[cfg(test)]
mod tests;
