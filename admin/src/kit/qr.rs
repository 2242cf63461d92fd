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
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_nothing_around_it() {
        let code = Qr::new("Secret", "otpauth://totp/Tollgate:a@b.example?secret=ABC&issuer=Tollgate").unwrap();
        let far = code.size - QUIET - 7;
        for (x, y) in [(QUIET, QUIET), (far, QUIET), (QUIET, far)] {
            // The outer ring of a finder pattern is dark, the one inside it is light.
            assert!(code.path.contains(&format!("M{x} {y}h1")), "{x}, {y}: {}", code.path);
            assert!(!code.path.contains(&format!("M{} {}h1", x + 1, y + 1)), "{x}, {y}: {}", code.path);
        }
        assert!(!code.path.contains("M3 ") && !code.path.contains(" 3h"), "{}", code.path);
        let html = code.to_string();
        assert!(html.contains("role=\"img\"") && !html.contains("style="), "{html}");
        assert!(Qr::new("Too long", &"x".repeat(2_332)).is_err());
    }
}
