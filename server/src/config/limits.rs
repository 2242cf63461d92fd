//! The section `limits`: how much of everything one caller may ask for.

use super::reader::Fields;

/// The section `limits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Sustained calls of `/invoke` per token and second.
    pub invoke_per_token_per_s: u32,
    /// Calls of `/invoke` that a token may make at once before the rate above counts.
    pub invoke_burst: u32,
    /// Requests that look around (search, tools, documents) per token, or per client address where there is none, and second.
    pub discovery_per_caller_per_s: u32,
    /// Sign-in attempts per client address and minute.
    pub login_per_address_per_min: u32,
    /// Sign-in attempts per account and minute, whatever their addresses.
    pub login_per_account_per_min: u32,
    /// New accounts per client address and hour.
    pub signup_per_address_per_hour: u32,
    /// Mails per account and hour.
    pub mail_per_account_per_hour: u32,
    /// Seconds after which a call with an unknown outcome is settled by rule.
    pub unknown_resolve_after_s: u32,
    /// Seconds that the body of a request is waited for, beside one for every 16 KiB of it that have arrived.
    pub body_wait_s: u32,
}

impl Limits {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let mut limit = |key, default: u32| {
            let value = fields.whole_number(key, u64::from(default), 1..=u64::from(u32::MAX));
            u32::try_from(value).unwrap_or(default)
        };
        Self {
            invoke_per_token_per_s: limit("invoke_per_token_per_s", 1_000),
            invoke_burst: limit("invoke_burst", 2_000),
            discovery_per_caller_per_s: limit("discovery_per_caller_per_s", 100),
            login_per_address_per_min: limit("login_per_address_per_min", 20),
            login_per_account_per_min: limit("login_per_account_per_min", 10),
            signup_per_address_per_hour: limit("signup_per_address_per_hour", 20),
            mail_per_account_per_hour: limit("mail_per_account_per_hour", 5),
            unknown_resolve_after_s: limit("unknown_resolve_after_s", 60),
            body_wait_s: limit("body_wait_s", 10),
        }
    }
}
