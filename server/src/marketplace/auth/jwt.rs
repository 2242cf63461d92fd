//! Session tokens: JWT with HS256, one key, one issuer, one audience; nothing else is accepted.

use std::sync::Arc;

use engine::{id::AccountId, ledger::leaf::sha256};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

/// How long a session lasts.
pub const SESSION_MINUTES: i64 = 60;
const ISSUER: &str = "tollgate";
const US_PER_S: i64 = 1_000_000;
/// Longer texts are not ours.
const TOKEN_BYTES_MAX: usize = 1_024;
/// How many bytes of the key's digest name the key.
const KEY_ID_BYTES: usize = 8;

/// Signs and checks session tokens. Cheap to clone.
#[derive(Clone)]
pub struct JwtKeys(Arc<Keys>);

struct Keys {
    sign: EncodingKey,
    check: DecodingKey,
    rules: Validation,
    key_id: String,
}

impl std::fmt::Debug for JwtKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtKeys").field("key_id", &self.0.key_id).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    /// The moment of the sign-in in microseconds: whether a session is from before a new password is decided by it.
    issued_us: i64,
}

impl JwtKeys {
    /// With the key that the master key gives for `jwt`.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        rules.set_audience(&[ISSUER]);
        rules.set_issuer(&[ISSUER]);
        // The time is a parameter here; the library would ask the system.
        rules.validate_exp = false;
        let key_id = sha256(key).iter().take(KEY_ID_BYTES).fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
        Self(Arc::new(Keys {
            sign: EncodingKey::from_secret(key),
            check: DecodingKey::from_secret(key),
            rules,
            key_id,
        }))
    }

    /// A session of `account` that begins at `now_us` (microseconds since the Unix epoch).
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn issue(&self, account: AccountId, now_us: i64) -> Result<String, jsonwebtoken::errors::Error> {
        let now_s = now_us.div_euclid(US_PER_S);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: account.to_string(),
            iat: now_s,
            exp: now_s.saturating_add(SESSION_MINUTES.saturating_mul(60)),
            issued_us: now_us,
        };
        let header = Header { kid: Some(self.0.key_id.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &self.0.sign)
    }

    /// Whose session it is at `now_us` and when it began, in microseconds since the Unix epoch; `None` for anything that
    /// is not a session of ours that still lasts.
    pub fn verify(&self, token: &str, now_us: i64) -> Option<(AccountId, i64)> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let header = decode_header(token).ok()?;
        if header.alg != Algorithm::HS256 || header.kid.as_deref() != Some(&*self.0.key_id) {
            return None;
        }
        let claims = decode::<Claims>(token, &self.0.check, &self.0.rules).ok()?.claims;
        let is_current = claims.issued_us <= now_us && now_us.div_euclid(US_PER_S) < claims.exp;
        if !is_current {
            return None;
        }
        Some((claims.sub.parse().ok()?, claims.issued_us))
    }
}

#[cfg(test)]
mod tests;
