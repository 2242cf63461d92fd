//! Small secrets that stand in the database: sealed under a key that is made from the master key, each bound to what it is
//! and whose, so that none can be put in the place of another.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use secrecy::zeroize::Zeroizing;

mod envelope;

/// The length of a nonce, in bytes.
pub const NONCE_BYTES: usize = aws_lc_rs::aead::NONCE_LEN;

/// The library did not do what it does for every input of the right length, or what was to be opened is not what was
/// sealed: it was changed, it is something else's, or the master key is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret cannot be read: it was changed, or the master key is not the one that it was sealed under")]
pub struct SealError;

/// A key that seals secrets. `Debug` does not print it.
pub struct Sealing(LessSafeKey);

impl std::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealing")
    }
}

impl Sealing {
    /// From 32 bytes that were derived for one purpose alone.
    ///
    /// # Errors
    /// The library fails.
    pub fn new(key: &[u8; 32]) -> Result<Self, SealError> {
        UnboundKey::new(&AES_256_GCM_SIV, key).map(|key| Self(LessSafeKey::new(key))).map_err(|_unspecified| SealError)
    }

    /// The secret in a form that is of no use without this key: the nonce, then AES-256-GCM-SIV with `bound_to` as further
    /// data.
    ///
    /// # Errors
    /// The library fails.
    pub fn seal(&self, secret: &[u8], nonce: [u8; NONCE_BYTES], bound_to: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = secret.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut sealed)
            .map_err(|_unspecified| SealError)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Reads what [`Self::seal`] made with the same `bound_to`.
    ///
    /// # Errors
    /// It is anything else.
    pub fn open(&self, sealed: &[u8], bound_to: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let opened = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(bound_to), &mut sealed);
        let length = opened.map_err(|_unspecified| SealError)?.len();
        sealed.truncate(length);
        Ok(sealed)
    }

    /// The same secret for whoever has the key `to` instead of this one.
    ///
    /// # Errors
    /// It was not made by [`Self::seal`] with this key and the same `bound_to`.
    pub fn reseal(
        &self,
        to: &Self,
        sealed: &[u8],
        random: fn(&mut [u8]),
        bound_to: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce);
        to.seal(&self.open(sealed, bound_to)?, nonce, bound_to)
    }
}

#[cfg(test)]
mod tests;
