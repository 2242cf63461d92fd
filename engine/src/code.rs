//! The stable, machine-readable codes of what Tollgate answers when it does not do what was asked.
//!
//! A code is a promise to programs: it never changes its spelling or its kind. What a code means and what its receiver
//! can do is written in `docs/errors.md`, one section per code; a test holds the two together. The HTTP layer turns a
//! [`Kind`] into a status, here nobody knows any.

use std::fmt;

/// What sort of refusal or failure a code is. One kind has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be read at all.
    Invalid,
    /// Nobody knows who asks.
    Unauthenticated,
    /// A verified account without money, or a spending limit without room.
    PaymentRequired,
    /// Known, but not allowed.
    Forbidden,
    /// Not there, or hidden from this caller.
    NotFound,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// The request took too long to arrive.
    Timeout,
    /// It contradicts something that is already there or under way.
    Conflict,
    /// Larger than allowed.
    TooLarge,
    /// Readable, but wrong in its content.
    Unprocessable,
    /// Too many requests for now.
    Limited,
    /// It is not offered here.
    NotOffered,
    /// A fault of our own.
    Internal,
    /// The upstream answered with an error.
    UpstreamFailed,
    /// We cannot serve anybody just now.
    Unavailable,
    /// Nobody knows whether the upstream did it.
    Unknown,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $kind:ident, $text:literal;)+) => {
        /// A stable public error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code, in the order of `docs/errors.md`.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// What sort of refusal or failure it is.
            pub const fn kind(self) -> Kind {
                match self {
                    $(Self::$name => Kind::$kind,)+
                }
            }
        }
    };
}

codes! {
    /// The body is not JSON.
    InvalidJson => Invalid, "invalid_json";
    /// The body is JSON, nested deeper than [`crate::limits::JSON_DEPTH_MAX`].
    TooDeep => Invalid, "too_deep";
    /// No token was sent.
    MissingToken => Unauthenticated, "missing_token";
    /// The token is unknown, revoked, expired or badly formed.
    InvalidToken => Unauthenticated, "invalid_token";
    /// Email and password do not belong together.
    InvalidCredentials => Unauthenticated, "invalid_credentials";
    /// The wallet cannot cover the worst case.
    InsufficientCredits => PaymentRequired, "insufficient_credits";
    /// A spending limit cannot cover the worst case.
    CapReached => PaymentRequired, "cap_reached";
    /// The account's email address is not verified yet.
    EmailUnverified => Forbidden, "email_unverified";
    /// A policy forbids the call.
    PolicyDenied => Forbidden, "policy_denied";
    /// The account is suspended.
    AccountSuspended => Forbidden, "account_suspended";
    /// The route wants a session of a signed-in person, not a key.
    SessionRequired => Forbidden, "session_required";
    /// The route is for partners.
    PartnerRequired => Forbidden, "partner_required";
    /// The route is for publishers.
    PublisherRequired => Forbidden, "publisher_required";
    /// A token with a limit of its own cannot do this, nor limit itself.
    TokenLimited => Forbidden, "token_limited";
    /// An operator set this limit: whom it limits does not change it.
    LimitImposed => Forbidden, "limit_imposed";
    /// `X-Faro-User` came with a token that is not a partner's.
    EndUserNotAllowed => Forbidden, "end_user_not_allowed";
    /// There is no such thing, or not for this caller.
    NotFound => NotFound, "not_found";
    /// The path does not take this method.
    MethodNotAllowed => MethodNotAllowed, "method_not_allowed";
    /// The request did not arrive in time.
    RequestTimeout => Timeout, "request_timeout";
    /// A call with this key is still under way.
    IdempotencyInFlight => Conflict, "idempotency_in_flight";
    /// The key was used for another tool or other arguments.
    IdempotencyKeyReused => Conflict, "idempotency_key_reused";
    /// It contradicts what is there: something is in use, was changed meanwhile, or is not so far.
    Conflict => Conflict, "conflict";
    /// The body is too long or holds too many values.
    BodyTooLarge => TooLarge, "body_too_large";
    /// Members of the request are missing, unknown or of the wrong type.
    InvalidRequest => Unprocessable, "invalid_request";
    /// The arguments do not fit the tool's schema or its units.
    InvalidArguments => Unprocessable, "invalid_arguments";
    /// A partner token came without a usable `X-Faro-User`.
    EndUserRequired => Unprocessable, "end_user_required";
    /// A listing was handed in that is not complete.
    ListingIncomplete => Unprocessable, "listing_incomplete";
    /// Too many requests; the answer says when to come back.
    RateLimited => Limited, "rate_limited";
    /// A fault of our own.
    Internal => Internal, "internal";
    /// The route is known, and this server does not offer it.
    NotOffered => NotOffered, "not_offered";
    /// The upstream failed.
    UpstreamFailed => UpstreamFailed, "upstream_failed";
    /// The upstream did not accept the arguments.
    UpstreamRejected => UpstreamFailed, "upstream_rejected";
    /// More work is waiting than we can take.
    Overloaded => Unavailable, "overloaded";
    /// The database cannot be written or read just now.
    DatabaseUnavailable => Unavailable, "database_unavailable";
    /// The call was sent and nobody knows how it ended.
    OutcomeUnknown => Unknown, "outcome_unknown";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
