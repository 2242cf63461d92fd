//! One-time codes from a clock (RFC 6238 over RFC 4226): six digits, a new code every half minute, SHA-1, which is what
//! every authenticator understands. Only the code of the present half minute counts (OWASP ASVS 5.0, 6.5.5); that it counts
//! once is for whoever keeps the last step ([`step_at`]).
//!
//! RFC 6238 (section 5.2) would let one step back count too, for codes that are long on their way. Here they are not: they
//! are typed into a form, and whoever was too slow types the next one. The step is taken from the clock on the wall, which
//! the authenticator goes by: a clock that follows it slowly is wrong by minutes after a pause of the computer.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign},
};
use secrecy::zeroize::{Zeroize as _, Zeroizing};

/// How long a code is good for, in seconds (RFC 6238, section 5.2 recommends this).
pub const STEP_S: i64 = 30;
/// How many digits a code has.
pub const DIGITS: usize = 6;
/// Length of a secret, in bytes (RFC 4226, section 4, R6 recommends this).
pub const SECRET_BYTES: usize = 20;

const US_PER_STEP: i64 = STEP_S * 1_000_000;
const MODULUS: u32 = 1_000_000;
/// RFC 4648, section 6.
const BASE32: [char; 32] = [
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W',
    'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
];
/// How many characters stand together in a text to be read.
const GROUP_CHARS: usize = 4;

/// A secret that an authenticator shares with us. `Debug` does not print it, and it is wiped when dropped.
#[derive(Clone)]
pub struct TotpSecret([u8; SECRET_BYTES]);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret")
    }
}

impl Drop for TotpSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Which half minute a time (microseconds since the Unix epoch) lies in, counted from the epoch. To be asked with
/// [`crate::clock::Clock::wall_us`].
pub const fn step_at(now_us: i64) -> i64 {
    now_us.div_euclid(US_PER_STEP)
}

impl TotpSecret {
    /// From random bytes.
    pub const fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// From bytes of whatever length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The secret itself.
    pub const fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    /// The code of a half minute.
    pub fn code_at(&self, step: i64) -> String {
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let digest = sign(&key, &step.to_be_bytes());
        let digest = digest.as_ref();
        // RFC 4226, section 5.3: the last four bits say where four bytes are taken from.
        let offset = usize::from(digest.last().copied().unwrap_or_default() & 0x0f);
        let taken = digest.get(offset..).and_then(<[u8]>::first_chunk::<4>).copied().unwrap_or_default();
        let number = (u32::from_be_bytes(taken) & 0x7fff_ffff).checked_rem(MODULUS).unwrap_or_default();
        format!("{number:0DIGITS$}")
    }

    /// Whether `text` is the code of the half minute `step`; blanks in it do not matter. Takes as long for every code.
    pub fn is_code(&self, step: i64, text: &str) -> bool {
        let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).take(64).collect());
        verify_slices_are_equal(self.code_at(step).as_bytes(), text.as_bytes()).is_ok()
    }

    /// The secret for an authenticator: base32 without padding.
    pub fn text(&self) -> String {
        let bit = |at: usize| {
            let byte = self.0.get(at.div_euclid(8)).copied().unwrap_or_default();
            usize::from(byte.rotate_left(u32::try_from(at.rem_euclid(8)).unwrap_or_default()) >> 7)
        };
        let letter = |first: usize| (first..first.saturating_add(5)).fold(0_usize, |number, at| number << 1 | bit(at));
        (0..SECRET_BYTES.saturating_mul(8)).step_by(5).filter_map(|first| BASE32.get(letter(first))).collect()
    }

    /// The same in groups of four, for whoever types it.
    pub fn grouped_text(&self) -> String {
        let text: Vec<char> = self.text().chars().collect();
        text.chunks(GROUP_CHARS).map(String::from_iter).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`Self::text`] or [`Self::grouped_text`] made.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES));
        let (mut kept, mut bits) = (0_u32, 0_u32);
        for letter in text.chars().filter(|c| !c.is_whitespace()).take(SECRET_BYTES.saturating_mul(2)) {
            let letter = letter.to_ascii_uppercase();
            let value = BASE32.iter().position(|known| *known == letter).and_then(|at| u32::try_from(at).ok())?;
            kept = (kept << 5 | value) & 0xffff;
            bits = bits.saturating_add(5);
            if bits >= 8 {
                bits = bits.saturating_sub(8);
                bytes.push(u8::try_from(kept.checked_shr(bits)? & 0xff).ok()?);
            }
        }
        // A letter too many leaves bits over.
        if bits == 0 { Self::from_bytes(&bytes) } else { None }
    }

    /// What an authenticator reads from a picture: `otpauth://totp/…`, the form of Google's key URI format. `issuer` and
    /// `account` are what it shows.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (percent_encoded(issuer), percent_encoded(account));
        let secret = self.text();
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
        )
    }
}

/// RFC 3986, section 2.1: all but unreserved characters.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            format!("{out}{}", char::from(byte))
        } else {
            format!("{out}%{byte:02X}")
        }
    })
}

#[cfg(test)]
mod tests;
