//! Why an approved deed was not done.

use super::Weight;
use crate::{
    service::{
        accounts::GrantError,
        movements::MovementError,
        operators::{ChangeOperatorError, CreateOperatorError},
        policies::PolicyVersionError,
        prices::{CancelPriceError, SchedulePriceError},
        purchases::ConfirmError,
    },
    store::StoreError,
};

/// Why a deed was not done. Nothing has happened.
#[derive(Debug, thiserror::Error)]
pub enum DeedFailure {
    /// It cannot be done.
    #[error("{0}")]
    Refused(String),
    /// Somebody else was at the same thing: it may be done a moment later.
    #[error("{0}")]
    Overtaken(String),
    /// An operator does not move so much alone: another one has to approve it.
    #[error("{0}")]
    FourEyes(Weight),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) fn refused(error: &impl ToString) -> DeedFailure {
    DeedFailure::Refused(error.to_string())
}

impl From<GrantError> for DeedFailure {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Store(error) => error.into(),
            GrantError::FourEyes(weight) => Self::FourEyes(weight),
            GrantError::Changed => Self::Overtaken(error.to_string()),
            other => refused(&other),
        }
    }
}

impl From<ConfirmError> for DeedFailure {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Store(error) => error.into(),
            ConfirmError::FourEyes(weight) => Self::FourEyes(weight),
            ConfirmError::Changed => Self::Overtaken(error.to_string()),
            other => refused(&other),
        }
    }
}

impl From<PolicyVersionError> for DeedFailure {
    fn from(error: PolicyVersionError) -> Self {
        match error {
            PolicyVersionError::Store(error) => error.into(),
            other => refused(&other),
        }
    }
}

impl From<CreateOperatorError> for DeedFailure {
    fn from(error: CreateOperatorError) -> Self {
        match error {
            CreateOperatorError::Store(error) => error.into(),
            other => refused(&other),
        }
    }
}

impl From<ChangeOperatorError> for DeedFailure {
    fn from(error: ChangeOperatorError) -> Self {
        match error {
            ChangeOperatorError::Store(error) => error.into(),
            ChangeOperatorError::Changed => Self::Overtaken(error.to_string()),
            other => refused(&other),
        }
    }
}

impl From<CancelPriceError> for DeedFailure {
    fn from(error: CancelPriceError) -> Self {
        match error {
            CancelPriceError::Store(error) => error.into(),
            CancelPriceError::Overtaken => Self::Overtaken(error.to_string()),
            other => refused(&other),
        }
    }
}

impl From<SchedulePriceError> for DeedFailure {
    fn from(error: SchedulePriceError) -> Self {
        match error {
            SchedulePriceError::Store(error) => error.into(),
            SchedulePriceError::Overtaken => Self::Overtaken(error.to_string()),
            other => refused(&other),
        }
    }
}

impl From<MovementError> for DeedFailure {
    fn from(error: MovementError) -> Self {
        match error {
            MovementError::Store(error) => error.into(),
            MovementError::FourEyes(weight) => Self::FourEyes(weight),
            MovementError::Changed => Self::Overtaken(error.to_string()),
            other => refused(&other),
        }
    }
}
