//! The catalog: publishers, tools, prices and listings.

use engine::{
    pricing::PriceError,
    publishing::FieldFault,
    service::{
        catalog::CatalogError,
        prices::{CancelPriceError, PRICE_LEAD_S, SchedulePriceError},
        publishing::PublishingError,
    },
};

use super::{Said, field, key, reason, with};
use crate::text::{t, t_with};

impl Said for PriceError {
    fn said(&self) -> String {
        field(self.field(), &self.fault().said())
    }
}

impl Said for FieldFault {
    fn said(&self) -> String {
        field(&self.field, &self.message)
    }
}

impl Said for CatalogError {
    fn said(&self) -> String {
        match self {
            Self::NotFound(what) => with("said-no-such", "what", what),
            Self::Field { field: name, fault } => field(name, &fault.said()),
            Self::Taken { field, what } => {
                t_with("said-catalog-taken", &[("field", (*field).into()), ("what", (*what).into())])
            }
            Self::Price(error) => error.said(),
            Self::Reason => reason(),
            Self::KeyReused => t("said-catalog-key-reused"),
            Self::AlreadySo(true) => t("said-catalog-stopped"),
            Self::AlreadySo(false) => t("said-catalog-not-stopped"),
            Self::Unchanged => t("said-catalog-unchanged"),
            Self::Stale => t("said-catalog-stale"),
            Self::Overtaken => t("said-catalog-overtaken"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for SchedulePriceError {
    fn said(&self) -> String {
        match self {
            Self::NoTool(tool) => with("said-price-no-tool", "tool", tool),
            Self::Price(error) => error.said(),
            Self::TooSoon => with("said-price-too-soon", "seconds", PRICE_LEAD_S),
            Self::Overlaps(price) => with("said-price-overlaps", "price", price),
            Self::Same => t("said-price-same"),
            Self::Key => key(),
            Self::Reason => reason(),
            Self::KeyReused(price) => with("said-price-key-reused", "price", price),
            Self::Stale => t("said-price-stale"),
            Self::Raises => t("said-price-raises"),
            Self::Overtaken => t("said-catalog-overtaken"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for CancelPriceError {
    fn said(&self) -> String {
        match self {
            Self::NotFound => t("said-price-gone"),
            Self::AlreadyCancelled => t("said-price-cancelled"),
            Self::TooLate => with("said-price-too-late", "seconds", PRICE_LEAD_S),
            Self::Stale => t("said-price-stale"),
            Self::Raises => t("said-price-raises-without"),
            Self::Overtaken => t("said-catalog-overtaken"),
            Self::Store(error) => error.said(),
        }
    }
}

impl Said for PublishingError {
    fn said(&self) -> String {
        match self {
            Self::NotAPublisher => t("said-listing-no-publisher"),
            Self::Unverified => t("said-listing-unverified"),
            Self::NotFound(what) => with("said-no-such", "what", what),
            Self::Field(fault) => fault.said(),
            Self::Incomplete(_) => t("said-listing-incomplete"),
            Self::Price(error) => error.said(),
            // The engine says which of two things stand in each other's way.
            Self::Conflict(why) => why.clone(),
            Self::NameKept { .. } => t("said-listing-name-kept"),
            Self::Overtaken => t("said-catalog-overtaken"),
            Self::Sealed(error) => error.said(),
            Self::Store(error) => error.said(),
        }
    }
}
