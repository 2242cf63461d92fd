//! Why the catalog was not changed.

use crate::{pricing::PriceError, service::accounts::REASON_CHARS_MAX, store::StoreError};

/// Why an operator's change of the catalog was not made. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field cannot be used as it is.
    #[error("`{field}` {message}")]
    Field {
        /// Which, as on the wire and in the configuration.
        field: &'static str,
        /// What is wrong with it; reads on from the field's name.
        message: String,
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

impl CatalogError {
    pub(super) fn field(field: &'static str, message: impl ToString) -> Self {
        Self::Field { field, message: message.to_string() }
    }
}

impl From<sea_orm::DbErr> for CatalogError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}
