//! Why the catalog was not changed.

use crate::{
    catalog::{HTTP_METHODS, HttpUrlError, LineError, NameError, SchemaError, TopicsError},
    limits::{DESCRIPTION_CHARS_MAX, UPSTREAM_TIMEOUT_MS_MAX},
    pricing::{BASIS_POINTS, PriceError},
    service::accounts::REASON_CHARS_MAX,
    store::StoreError,
};

/// Why an operator's change of the catalog was not made. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field cannot be used as it is.
    #[error("`{field}` {fault}")]
    Field {
        /// Which, as on the wire and in the configuration.
        field: &'static str,
        /// What is wrong with it.
        fault: TermFault,
    },
    /// The name is somebody's already.
    #[error("`{field}` is the name of another {what}")]
    Taken {
        /// The field that holds the name.
        field: &'static str,
        /// Of what.
        what: &'static str,
    },
    /// The price makes no sense.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The reason cannot be used.
    #[error("`reason` is one line of 1 to {REASON_CHARS_MAX} characters")]
    Reason,
    /// The form made something else before.
    #[error("this form was used for something else: open it again")]
    KeyReused,
    /// It is stopped already, or goes on already.
    #[error("it is {} already", if *.0 { "stopped" } else { "not stopped" })]
    AlreadySo(bool),
    /// It is as it was to become.
    #[error("it is so already: nothing was changed")]
    Unchanged,
    /// It is not as it was when the change was thought of.
    #[error("somebody has changed it since this form was opened: look at it again")]
    Stale,
    /// Somebody else changed the catalog at the same moment.
    #[error("the catalog was changed at the same moment: try again")]
    Overtaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a field; reads on from the field's name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermFault {
    /// It is no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is not one line.
    #[error(transparent)]
    Line(#[from] LineError),
    /// It is too long.
    #[error("must have at most {DESCRIPTION_CHARS_MAX} characters")]
    TooLong,
    /// It cannot be searched by.
    #[error(transparent)]
    Topics(#[from] TopicsError),
    /// Nothing can be checked against it.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// It does not fit what the tool's publisher sets.
    #[error("{0}")]
    Arguments(String),
    /// It is no method of an upstream.
    #[error("must be one of {}", HTTP_METHODS.join(", "))]
    Method,
    /// It is no address of an upstream.
    #[error(transparent)]
    Url(#[from] HttpUrlError),
    /// Nobody waits so long, or not at all.
    #[error("must be a whole number from 1 to {UPSTREAM_TIMEOUT_MS_MAX}")]
    Timeout,
    /// More than the whole.
    #[error("must be at most {BASIS_POINTS}")]
    Share,
    /// More than the whole, together with this margin of a partner, in basis points.
    #[error("is too high: with a partner's margin of {0} it is more than {BASIS_POINTS}")]
    ShareAndMargin(u16),
    /// Whoever has no credits may call it, and it costs some.
    #[error("is `unverified`, which is only for tools that cost nothing")]
    Tier,
}

impl CatalogError {
    pub(super) fn field(field: &'static str, fault: impl Into<TermFault>) -> Self {
        Self::Field { field, fault: fault.into() }
    }
}

impl From<sea_orm::DbErr> for CatalogError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}
