//! What is made from the master key to seal with: each key for one purpose alone, under a label of its own.

use std::sync::Arc;

use engine::{
    ledger::hex::{from_hex, hex},
    sealing::SealError,
    service::{
        Services,
        master_key::{KeyMaterial, SealingKeys},
    },
};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use crate::{
    config::{
        Config,
        master_key::{KEY_BYTES, MasterKey, MasterKeyError},
    },
    console, payloads, publishing,
};

/// For what the key is that second factors are sealed under.
pub const FACTORS_LABEL: &str = "second factors";
/// For what the key is that payloads are sealed under.
pub const PAYLOADS_LABEL: &str = "payloads";
/// For what the key is that publishers' secrets are sealed under.
pub const CREDENTIALS_LABEL: &str = "publishers' credentials";
/// For what the key is that signing keys are wrapped under.
pub const SIGNING_KEYS_LABEL: &str = "ledger-signing-keys";
/// For what the key is that webhooks' secrets are made from, where none was kept from an earlier master key.
const WEBHOOKS_LABEL: &str = "webhooks";
/// For what the key is that such kept keys are sealed under.
const KEPT_KEYS_LABEL: &str = "kept keys";
/// What tells one master key from another.
const IDENTITY_LABEL: &str = "which master key it is";

/// What is made from a master key, as one process hands it to another over the commands' socket: hexadecimal digits. The master
/// key itself is never handed over.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandedKeys {
    identity: String,
    credentials: String,
    factors: String,
    signing_keys: String,
    payloads: String,
    kept_keys: String,
    webhooks: String,
}

impl std::fmt::Debug for HandedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandedKeys")
    }
}

/// What stands in the place of a key has not its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is not {KEY_BYTES} bytes in hexadecimal digits")]
pub struct Malformed;

fn key_of(digits: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, Malformed> {
    from_hex(digits).map(Zeroizing::new).ok_or(Malformed)
}

/// Reads what [`identity`] gives.
///
/// # Errors
/// It is something else.
pub fn read_identity(digits: &str) -> Result<[u8; KEY_BYTES], Malformed> {
    key_of(digits).map(|key| *key)
}

impl HandedKeys {
    /// What is made from this master key.
    ///
    /// # Errors
    /// The library fails.
    pub fn of(key: &MasterKey) -> Result<Self, MasterKeyError> {
        let made = |label: &str| key.derive(label).map(|derived| hex(&derived));
        Ok(Self {
            identity: made(IDENTITY_LABEL)?,
            credentials: made(CREDENTIALS_LABEL)?,
            factors: made(FACTORS_LABEL)?,
            signing_keys: made(SIGNING_KEYS_LABEL)?,
            payloads: made(PAYLOADS_LABEL)?,
            kept_keys: made(KEPT_KEYS_LABEL)?,
            webhooks: made(WEBHOOKS_LABEL)?,
        })
    }

    /// The keys themselves.
    ///
    /// # Errors
    /// One has not the form of a key.
    pub fn read(&self) -> Result<KeyMaterial, Malformed> {
        Ok(KeyMaterial {
            identity: key_of(&self.identity)?,
            credentials: key_of(&self.credentials)?,
            factors: key_of(&self.factors)?,
            signing_keys: key_of(&self.signing_keys)?,
            payloads: key_of(&self.payloads)?,
            kept_keys: key_of(&self.kept_keys)?,
            webhooks: key_of(&self.webhooks)?,
        })
    }
}

/// What tells this master key from another, in hexadecimal digits; it opens nothing.
///
/// # Errors
/// The library fails.
pub fn identity(key: &MasterKey) -> Result<String, MasterKeyError> {
    Ok(hex(&key.derive(IDENTITY_LABEL)?))
}

/// What a master key opens and seals.
///
/// # Errors
/// The library fails.
pub fn sealing_keys(key: &MasterKey) -> Result<SealingKeys, MasterKeyError> {
    let made = |label: &str| key.derive(label).map(Zeroizing::new);
    let made = KeyMaterial {
        identity: made(IDENTITY_LABEL)?,
        credentials: made(CREDENTIALS_LABEL)?,
        factors: made(FACTORS_LABEL)?,
        signing_keys: made(SIGNING_KEYS_LABEL)?,
        payloads: made(PAYLOADS_LABEL)?,
        kept_keys: made(KEPT_KEYS_LABEL)?,
        webhooks: made(WEBHOOKS_LABEL)?,
    };
    SealingKeys::new(&made).map_err(|_failed: SealError| MasterKeyError::Crypto)
}

/// Hands over what is made from the master key, but for checkpoints, which have rules of their own.
///
/// # Errors
/// The library fails.
pub fn set_up(services: &Services, config: &Config, key: &MasterKey) -> Result<(), MasterKeyError> {
    services.set_up_master_key(Arc::new(sealing_keys(key)?));
    services.set_up_console(console::setup(key)?);
    services.set_up_payloads(payloads::setup(&config.payloads, key)?);
    services.set_up_credentials(publishing::setup(key)?);
    Ok(())
}
