//! What is said of the catalog and of prices.

use engine::{
    catalog::{ArgumentSchema, HttpUrlError, LineError, NameError, SchemaError, TopicsError},
    credits::CreditsError,
    pricing::{CostPathError, Price, PriceFault, PricingSpec},
    service::catalog::TermFault,
};

use super::*;

#[test]
fn the_catalog() {
    check([
        CatalogError::NotFound("tool"),
        CatalogError::Field { field: "method", fault: TermFault::Method },
        CatalogError::Taken { field: "name", what: "tool" },
        CatalogError::Reason,
        CatalogError::KeyReused,
        CatalogError::AlreadySo(true),
        CatalogError::AlreadySo(false),
        CatalogError::Unchanged,
        CatalogError::Stale,
        CatalogError::Overtaken,
    ]);
    let price = PriceVersionId::from(Uuid::nil());
    check([
        SchedulePriceError::NoTool(text()),
        SchedulePriceError::TooSoon,
        SchedulePriceError::Overlaps(price),
        SchedulePriceError::Same,
        SchedulePriceError::Key,
        SchedulePriceError::Reason,
        SchedulePriceError::KeyReused(price),
        SchedulePriceError::Stale,
        SchedulePriceError::Raises,
        SchedulePriceError::Overtaken,
    ]);
    check([
        CancelPriceError::NotFound,
        CancelPriceError::AlreadyCancelled,
        CancelPriceError::TooLate,
        CancelPriceError::Stale,
        CancelPriceError::Raises,
        CancelPriceError::Overtaken,
    ]);
    let fault = || FieldFault { field: "readme".to_owned(), message: text() };
    check([fault()]);
    check([
        PublishingError::NotAPublisher,
        PublishingError::Unverified,
        PublishingError::NotFound("former name"),
        fault().into(),
        PublishingError::Incomplete(vec![fault()]),
        PublishingError::Conflict(text()),
        PublishingError::NameKept { field: "name", until_us: 1 },
        PublishingError::Overtaken,
        SealError.into(),
    ]);
}

#[test]
fn a_field_of_the_catalog() {
    check([
        TermFault::Name(NameError::Slug { text: text() }),
        TermFault::Name(NameError::ToolName { text: text() }),
        LineError.into(),
        TermFault::TooLong,
        TopicsError::Category(LineError).into(),
        TopicsError::Tag(LineError).into(),
        TopicsError::TooMany.into(),
        TermFault::Arguments(text()),
        TermFault::Method,
        HttpUrlError.into(),
        TermFault::Timeout,
        TermFault::Share,
        TermFault::ShareAndMargin(2_000),
        TermFault::Tier,
    ]);
    check([
        SchemaError::TooLarge,
        ArgumentSchema::declare("{").unwrap_err(),
        SchemaError::NotAnObject,
        SchemaError::Reference { message: text() },
        SchemaError::Invalid { at: text(), message: text() },
        SchemaError::TooManySubschemas,
        SchemaError::TooManyPatterns { at: text() },
        SchemaError::Endless { at: text() },
        SchemaError::TooCostly { at: text() },
    ]);
}

#[test]
fn a_field_of_a_price() {
    check([
        PriceFault::Unsupported,
        PriceFault::ChargeOn,
        PriceFault::Mode,
        PriceFault::NoMode,
        PriceFault::DescriptionTooLong,
        PriceFault::Required("tool_returned"),
        PriceFault::AboveZero("pricing_unit_fields"),
        PriceFault::NoBound,
        PriceFault::Foreign("tool_returned"),
        CostPathError::TooLong.into(),
        CostPathError::TooCostly("two descents").into(),
        CostPathError::Syntax(text()).into(),
        CreditsError::Exponent.into(),
        PriceFault::Multiplier,
        PriceFault::BelowBase(credits(12_000)),
        PriceFault::TooManyUnits,
        PriceFault::UnitName,
        PriceFault::Twice(text()),
    ]);
    let nothing = PricingSpec::default();
    check([Price::from_spec(PriceVersionId::from(Uuid::nil()), 0, &nothing).unwrap_err()]);
}
