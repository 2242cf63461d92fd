//! What every refusal and failure looks like.

use crate::document::{Fields, Node};

/// What one refusal or failure looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorRule {
    /// The HTTP status.
    pub status: u16,
    /// An upstream's own status stands instead.
    pub keeps_status: bool,
    /// `error.type`.
    pub kind: String,
    /// `error.message`. Where `{}` stands, the detail of the case is put in; without it the caller learns no detail.
    pub message: String,
    /// Stands for an empty detail.
    pub without_detail: String,
}

impl ErrorRule {
    fn read(fields: &mut Fields<'_>) -> Self {
        let status = fields.require("status").and_then(|node| status(&node)).unwrap_or_default();
        let mut text = |key| fields.require(key).and_then(|node| node.text()).unwrap_or_default().to_owned();
        Self {
            status,
            kind: text("type"),
            message: text("message"),
            keeps_status: fields.flag("keeps_status", false),
            without_detail: fields.text("without_detail").unwrap_or_default().to_owned(),
        }
    }

    /// The message for a case with this detail.
    pub fn message_with(&self, detail: &str) -> String {
        let detail = if detail.is_empty() { self.without_detail.as_str() } else { detail };
        self.message.replacen("{}", detail, 1)
    }
}

/// A status of an error, of three digits.
fn status(node: &Node<'_>) -> Option<u16> {
    let status = node.whole_number().and_then(|number| u16::try_from(number).ok());
    let status = status.filter(|status| matches!(status.checked_div(100), Some(4 | 5)));
    if status.is_none() {
        node.wrong("must be a status from 400 to 599");
    }
    status
}

macro_rules! failures {
    ($($(#[$doc:meta])* $kind:ident = $name:ident;)+) => {
        /// Every way in which a request of `/tools/invoke` can end without a result.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FailureKind {
            $($(#[$doc])* $kind,)+
        }

        impl FailureKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];
        }

        /// What every one of them looks like.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct ErrorRules {
            $($name: ErrorRule,)+
        }

        impl ErrorRules {
            pub(super) fn read(fields: &mut Fields<'_>) -> Self {
                Self {
                    $($name: fields
                        .require(stringify!($name))
                        .and_then(|node| node.object(ErrorRule::read))
                        .unwrap_or_default(),)+
                }
            }

            /// What this kind looks like.
            pub const fn rule(&self, kind: FailureKind) -> &ErrorRule {
                match kind {
                    $(FailureKind::$kind => &self.$name,)+
                }
            }
        }
    };
}

failures! {
    /// Nobody knows who asks, or the credential is wrong.
    Unauthorized = unauthorized;
    /// Too many wrong credentials from this client.
    LockedOut = locked_out;
    /// Forwarding headers that cannot be believed.
    Unattributed = unattributed;
    /// The caller has given itself too few scopes. The detail is the scope that is missing.
    MissingScope = missing_scope;
    /// The body is not JSON. The detail says where.
    InvalidJson = invalid_json;
    /// The body is larger than allowed.
    BodyTooLarge = body_too_large;
    /// The body did not arrive in time.
    BodyTimeout = body_timeout;
    /// The body ended early.
    BodyCut = body_cut;
    /// The body names no tool.
    MissingTool = missing_tool;
    /// A member of the body cannot be used. The detail says which and why.
    InvalidRequest = invalid_request;
    /// Unknown, denied or not offered: the caller cannot tell. The detail is the name that it asked for.
    NotAvailable = not_available;
    /// The arguments were not accepted. The detail says why.
    ToolInput = tool_input;
    /// The tool did not accept the caller. The detail says why.
    ToolForbidden = tool_forbidden;
    /// The tool failed. The detail is what it said.
    ToolFailed = tool_failed;
    /// Nobody pays, or there is not enough money. The detail says what is missing.
    PaymentRequired = payment_required;
    /// The first call with this idempotency key is still being carried out.
    KeyInFlight = key_in_flight;
    /// The idempotency key was used for something else.
    KeyReused = key_reused;
    /// The call was sent, and nobody knows what became of it.
    OutcomeUnknown = outcome_unknown;
    /// More work than can be taken, or the database is away. Nothing was done.
    Unavailable = unavailable;
}
