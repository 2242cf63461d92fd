//! Secrets that outlive the key above them: each is sealed under a data key of its own, which is sealed under the master
//! key's and stands before it. When the master key is another one, only the data keys are sealed anew.

use secrecy::zeroize::Zeroizing;

use super::{NONCE_BYTES, SealError, Sealing};

/// The length of a data key, in bytes.
const KEY_BYTES: usize = 32;
/// The length of a sealed data key, in bytes: the nonce, the key, and the tag of AES-256-GCM-SIV.
const WRAPPED_BYTES: usize = NONCE_BYTES + KEY_BYTES + 16;

impl Sealing {
    /// The secret sealed under a new data key, behind that key, which is sealed under this one. Both are bound to `bound_to`.
    ///
    /// # Errors
    /// The library fails.
    pub fn seal_enveloped(&self, secret: &[u8], random: fn(&mut [u8]), bound_to: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random(key.as_mut_slice());
        let mut sealed = self.seal(key.as_slice(), nonce(random), bound_to)?;
        sealed.extend(Self::new(&key)?.seal(secret, nonce(random), bound_to)?);
        Ok(sealed)
    }

    /// Reads what [`Self::seal_enveloped`] made with the same `bound_to`.
    ///
    /// # Errors
    /// It is anything else.
    pub fn open_enveloped(&self, sealed: &[u8], bound_to: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (wrapped, secret) = sealed.split_first_chunk::<WRAPPED_BYTES>().ok_or(SealError)?;
        self.data_key(wrapped, bound_to)?.open(secret, bound_to)
    }

    /// The same secret for whoever has the key `to` instead of this one. The secret itself is opened once, to know that it can
    /// be, and stays sealed as it is.
    ///
    /// # Errors
    /// It was not made by [`Self::seal_enveloped`] with this key and the same `bound_to`.
    pub fn rewrap(
        &self,
        to: &Self,
        sealed: &[u8],
        random: fn(&mut [u8]),
        bound_to: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let (wrapped, secret) = sealed.split_first_chunk::<WRAPPED_BYTES>().ok_or(SealError)?;
        let key = self.open(wrapped, bound_to)?;
        self.data_key(wrapped, bound_to)?.open(secret, bound_to)?;
        let mut again = to.seal(&key, nonce(random), bound_to)?;
        again.extend(secret);
        Ok(again)
    }

    fn data_key(&self, wrapped: &[u8], bound_to: &[u8]) -> Result<Self, SealError> {
        let key = self.open(wrapped, bound_to)?;
        let key: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(key.as_slice().try_into().map_err(|_length| SealError)?);
        Self::new(&key)
    }
}

fn nonce(random: fn(&mut [u8])) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    random(&mut nonce);
    nonce
}

#[cfg(test)]
mod tests;
