//! Icons and logos: what a file is by its content, whatever it is called.
//!
//! A picture of pixels is one whose parts are all there and which ends where it says, so that nothing else is behind it. An
//! SVG is a document: it is read, and refused if there is anything in it that could act or that comes from elsewhere.

mod svg;

use crate::limits;

/// What an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// Scalable Vector Graphics.
    Svg,
}

impl ImageKind {
    /// The media type to serve it with.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// A file is no image that is accepted here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It is empty.
    #[error("the image is empty")]
    Empty,
    /// Longer than [`limits::IMAGE_BYTES_MAX`].
    #[error("the image must have at most {} bytes", limits::IMAGE_BYTES_MAX)]
    TooLarge,
    /// Its content is nothing that is known here.
    #[error("the file is not a PNG, JPEG, WebP or SVG image")]
    Unknown,
    /// It begins like an image and is none.
    #[error("the file is not a whole {kind} image: {what}")]
    Broken {
        /// What it begins like.
        kind: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// Wider or higher than [`limits::IMAGE_PIXELS_MAX`].
    #[error("the image must be 1 to {} pixels wide and high", limits::IMAGE_PIXELS_MAX)]
    Size,
    /// An SVG that is more than a picture.
    #[error("the SVG image {what}")]
    Svg {
        /// What is in it.
        what: String,
    },
}

/// What an image is.
///
/// # Errors
///
/// [`ImageError`] with the reason why it is none.
pub fn check(bytes: &[u8]) -> Result<ImageKind, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    if bytes.len() > limits::IMAGE_BYTES_MAX {
        return Err(ImageError::TooLarge);
    }
    let (kind, is_whole) = if bytes.starts_with(PNG) {
        (ImageKind::Png, is_whole_png(bytes))
    } else if bytes.starts_with(JPEG) {
        (ImageKind::Jpeg, bytes.ends_with(JPEG_END))
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        (ImageKind::Webp, is_whole_webp(bytes))
    } else {
        return svg::check(bytes).map(|()| ImageKind::Svg);
    };
    let broken = |what| ImageError::Broken { kind: kind.media_type(), what };
    if !is_whole {
        return Err(broken("it does not end where it says"));
    }
    let size = imagesize::blob_size(bytes).map_err(|_unreadable| broken("its size cannot be read"))?;
    let fits = |pixels: usize| (1..=limits::IMAGE_PIXELS_MAX).contains(&pixels);
    if fits(size.width) && fits(size.height) { Ok(kind) } else { Err(ImageError::Size) }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";
const JPEG_END: &[u8] = b"\xff\xd9";

/// Its chunks one after the other: the head first, the end last and nothing behind.
fn is_whole_png(bytes: &[u8]) -> bool {
    let mut at = PNG.len();
    let mut is_first = true;
    loop {
        let Some(Ok(length)) = at.checked_add(4).and_then(|end| bytes.get(at..end)).map(<[u8; 4]>::try_from) else {
            return false;
        };
        let kind = at.checked_add(4).zip(at.checked_add(8)).and_then(|(from, to)| bytes.get(from..to));
        let Some(kind) = kind else { return false };
        if is_first && kind != b"IHDR" {
            return false;
        }
        is_first = false;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        // length, kind and check sum
        let Some(end) = at.checked_add(12).and_then(|at| at.checked_add(length)) else { return false };
        if end > bytes.len() {
            return false;
        }
        if kind == b"IEND" {
            return end == bytes.len();
        }
        at = end;
    }
}

/// The length that it says is its own.
fn is_whole_webp(bytes: &[u8]) -> bool {
    let Some(Ok(length)) = bytes.get(4..8).map(<[u8; 4]>::try_from) else { return false };
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    length.checked_add(8) == Some(bytes.len())
}

#[cfg(test)]
mod tests;
