//! Identifiers: one type per kind of thing, so that an account can never be passed where a token is meant.
//!
//! Every identifier is a UUID version 7 (time-ordered, so that indexes grow at their right edge). Its public form is a
//! short prefix, an underscore and 32 lower-case hexadecimal digits, for example `inv_0192f0c1…`. Identifiers are
//! names, never secrets: whoever knows one still has to be allowed to see the thing.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// Where identifiers come from. Shells pass a random source; tests pass a seeded one.
pub trait IdSource: Send + Sync {
    /// A new UUID version 7 for the time `now_us` (microseconds since the Unix epoch).
    fn next_uuid(&self, now_us: i64) -> Uuid;
}

/// Builds a UUID version 7 (RFC 9562, section 5.7) from a time in microseconds and 74 random bits.
///
/// The millisecond part is 48 bits wide; a negative time counts as zero.
pub fn uuid_v7(now_us: i64, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now_us / 1_000).unwrap_or(0).to_be_bytes();
    let [_, _, m0, m1, m2, m3, m4, m5] = millis;
    let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9] = random;
    Uuid::from_bytes([m0, m1, m2, m3, m4, m5, 0x70 | (r0 & 0x0f), r1, 0x80 | (r2 & 0x3f), r3, r4, r5, r6, r7, r8, r9])
}

/// What every identifier made at `at_us` (microseconds since the Unix epoch) or later stands at or behind, in the order
/// of identifiers: what was made before stands before it. Exact to the millisecond that `at_us` is in.
pub fn first_at(at_us: i64) -> Uuid {
    uuid_v7(at_us, [0; 10])
}

/// When an identifier was made, in microseconds since the Unix epoch, exact to the millisecond.
pub fn made_us(id: Uuid) -> i64 {
    let [m0, m1, m2, m3, m4, m5, ..] = id.into_bytes();
    // 48 bits of milliseconds: a thousand times that still fits.
    i64::from_be_bytes([0, 0, m0, m1, m2, m3, m4, m5]).saturating_mul(1_000)
}

/// The text is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an identifier of the form `{prefix}_` and 32 hexadecimal digits")]
pub struct InvalidId {
    text: String,
    prefix: &'static str,
}

impl InvalidId {
    /// What was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What such an identifier begins with, without the underscore.
    pub const fn prefix(&self) -> &'static str {
        self.prefix
    }
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What stands before the underscore in the public form.
            pub const PREFIX: &'static str = $prefix;

            /// Takes the next identifier from `source` at the time `now_us` (microseconds since the Unix epoch).
            pub fn new(source: &dyn IdSource, now_us: i64) -> Self {
                Self(source.next_uuid(now_us))
            }

            /// The bare UUID, as the database stores it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.as_simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text, $prefix).map(Self)
            }
        }
    };
}

fn parse(text: &str, prefix: &'static str) -> Result<Uuid, InvalidId> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|hex| hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .and_then(|hex| Uuid::try_parse(hex).ok())
        .ok_or_else(|| InvalidId { text: text.chars().take(64).collect(), prefix })
}

typed_id! { /// A customer that owns tokens and a wallet.
AccountId, "acc" }
typed_id! { /// A bearer token of an account or a partner.
TokenId, "tok" }
typed_id! { /// A platform that calls for its own end users.
PartnerId, "par" }
typed_id! { /// A partner's customer.
EndUserId, "usr" }
typed_id! { /// Who sells tools.
PublisherId, "pub" }
typed_id! { /// A publisher's slug with its tools.
NamespaceId, "nsp" }
typed_id! { /// One callable tool.
ToolId, "tol" }
typed_id! { /// One immutable price of a tool.
PriceVersionId, "prc" }
typed_id! { /// One limit on spending.
CapId, "cap" }
typed_id! { /// A bought amount of credits.
PurchaseId, "pur" }
typed_id! { /// One call on either endpoint.
InvocationId, "inv" }
typed_id! { /// One command to the ledger: a transaction, a hold or a settlement. They share one space of names.
EntryId, "ent" }
typed_id! { /// One mail in the outbox.
MailId, "mai" }
typed_id! { /// One request that changes something: it ties the rows of the audit trail together.
RequestId, "req" }
typed_id! { /// Somebody who may read the books.
AuditorId, "aud" }
typed_id! { /// Somebody who may use the console.
OperatorId, "opr" }
typed_id! { /// What one operator asks and another one decides.
ApprovalId, "apr" }
typed_id! { /// A threshold of a limit at which a partner is told.
CapAlertId, "alt" }
typed_id! { /// Something that a partner is told.
PartnerEventId, "evt" }
typed_id! { /// Where a partner is told.
WebhookId, "whk" }
typed_id! { /// Something that is sent to a webhook.
DeliveryId, "dlv" }
typed_id! { /// A publisher's server.
ConnectionId, "con" }
typed_id! { /// Tools of a namespace with one price.
ToolGroupId, "grp" }

impl From<InvocationId> for EntryId {
    /// A call's hold and its charge carry the call's own identifier, so that either leads to the other.
    fn from(call: InvocationId) -> Self {
        Self(call.uuid())
    }
}

#[cfg(test)]
mod tests;
