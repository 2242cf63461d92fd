//! The application on an operator's phone: codes by RFC 6238 (HMAC-SHA-1, six digits, every 30 seconds), worked out here
//! and not by the program under test.

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use engine::clock::{Clock as _, SystemClock};

use crate::patience::wait_until;

const STEP_S: i64 = 30;
/// A code is asked for only if it is good for so long yet: the program has to check a password before.
const GOOD_FOR_S_MIN: i64 = 8;

/// A secret, and which of its codes were used.
#[derive(Debug)]
pub struct Authenticator {
    secret: Vec<u8>,
    used: Mutex<i64>,
}

impl Authenticator {
    /// With the secret that a page shows: base32, with or without spaces.
    ///
    /// # Panics
    /// It is no secret.
    pub fn new(secret: &str) -> Self {
        let secret = read_base32(secret).unwrap_or_else(|| panic!("`{secret}` is not base32"));
        Self { secret, used: Mutex::new(0) }
    }

    /// The code of this moment; if that was asked for before, or is nearly over, the next one, for which it waits.
    ///
    /// # Panics
    /// The clock stands still.
    pub fn code(&self) -> String {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (step, _) = wait_until("the next code", || fit_step(SystemClock::start().now_us() / 1_000_000, *used));
        *used = step;
        code_at(&self.secret, step)
    }
}

/// The half minute that it is, if its code was not used and is good for long enough.
fn fit_step(now_s: i64, used: i64) -> Option<i64> {
    let step = now_s / STEP_S;
    (step > used && STEP_S - now_s % STEP_S >= GOOD_FOR_S_MIN).then_some(step)
}

/// The code of the `step`th half minute since the Unix epoch.
fn code_at(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0x0f);
    let four = bytes.get(offset..offset + 4).and_then(|four| four.try_into().ok()).expect("twenty bytes");
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// RFC 4648, section 6, without padding.
fn read_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = ((bits << 5) | u32::from(value)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests;
