//! What is wrong with a field of the catalog or of a price: names, addresses, schemas, numbers. Each sentence reads on from
//! the field's name. What a parser says of a schema or a path is passed on.

use engine::{
    catalog::{HTTP_METHODS, HttpUrlError, LineError, NameError, SchemaError, TopicsError},
    limits::{
        COST_MULTIPLIER_MAX, COST_PATH_BYTES_MAX, DESCRIPTION_CHARS_MAX, INPUT_SCHEMA_BYTES_MAX, LINE_CHARS_MAX,
        PRICING_DESCRIPTION_CHARS_MAX, SCHEMA_APPLICATIONS_MAX, SCHEMA_SUBSCHEMAS_MAX, SLUG_CHARS_MAX, SLUG_CHARS_MIN,
        TAGS_MAX, TOOL_NAME_CHARS_MAX, UNIT_FIELD_CHARS_MAX, UNIT_FIELDS_MAX, UPSTREAM_TIMEOUT_MS_MAX,
    },
    pricing::{BASIS_POINTS, CostPathError, PriceFault},
    service::catalog::TermFault,
};

use super::{Said, with};
use crate::text::{t, t_with};

impl Said for TermFault {
    fn said(&self) -> String {
        match self {
            Self::Name(error) => error.said(),
            Self::Line(error) => error.said(),
            Self::TooLong => with("said-term-too-long", "max", DESCRIPTION_CHARS_MAX),
            Self::Topics(error) => error.said(),
            Self::Schema(error) => error.said(),
            Self::Arguments(message) => message.clone(),
            Self::Method => with("said-term-method", "methods", HTTP_METHODS.join(", ")),
            Self::Url(error) => error.said(),
            Self::Timeout => with("said-term-timeout", "max", UPSTREAM_TIMEOUT_MS_MAX),
            Self::Share => with("said-term-at-most", "max", BASIS_POINTS),
            Self::ShareAndMargin(margin) => {
                let values = [("margin", margin.to_string().into()), ("max", BASIS_POINTS.to_string().into())];
                t_with("said-term-share-and-margin", &values)
            }
            Self::Tier => t("said-term-tier"),
        }
    }
}

impl Said for NameError {
    fn said(&self) -> String {
        match self {
            Self::Slug { text } => {
                let (min, max) = (SLUG_CHARS_MIN.to_string(), SLUG_CHARS_MAX.to_string());
                let values = [("text", text.as_str().into()), ("min", min.into()), ("max", max.into())];
                t_with("said-name-slug", &values)
            }
            Self::ToolName { text } => {
                let values = [("text", text.as_str().into()), ("max", TOOL_NAME_CHARS_MAX.to_string().into())];
                t_with("said-name-tool", &values)
            }
        }
    }
}

impl Said for LineError {
    fn said(&self) -> String {
        let Self = self;
        with("said-line", "max", LINE_CHARS_MAX)
    }
}

impl Said for HttpUrlError {
    fn said(&self) -> String {
        let Self = self;
        t("said-url")
    }
}

impl Said for TopicsError {
    fn said(&self) -> String {
        match self {
            Self::Category(error) => error.said(),
            Self::Tag(LineError) => with("said-topics-tag", "max", LINE_CHARS_MAX),
            Self::TooMany => with("said-term-at-most", "max", TAGS_MAX),
        }
    }
}

impl Said for SchemaError {
    fn said(&self) -> String {
        match self {
            Self::TooLarge => with("said-schema-too-large", "max", INPUT_SCHEMA_BYTES_MAX),
            Self::Json(error) => with("said-schema-json", "message", error),
            Self::NotAnObject => t("said-schema-not-an-object"),
            Self::Reference { message } => with("said-schema-reference", "message", message),
            Self::Invalid { at, message } => {
                t_with("said-schema-invalid", &[("at", at.as_str().into()), ("message", message.as_str().into())])
            }
            Self::TooManySubschemas => with("said-schema-subschemas", "max", SCHEMA_SUBSCHEMAS_MAX),
            Self::TooManyPatterns { at } => with("said-schema-patterns", "at", at),
            Self::Endless { at } => with("said-schema-endless", "at", at),
            Self::TooCostly { at } => {
                let values = [("at", at.as_str().into()), ("max", SCHEMA_APPLICATIONS_MAX.to_string().into())];
                t_with("said-schema-costly", &values)
            }
        }
    }
}

impl Said for PriceFault {
    fn said(&self) -> String {
        match self {
            Self::Unsupported => t("said-price-rules"),
            Self::ChargeOn => t("said-price-charge-on"),
            Self::Mode => t("said-price-mode"),
            Self::NoMode => t("said-price-no-mode"),
            Self::DescriptionTooLong => with("said-term-too-long", "max", PRICING_DESCRIPTION_CHARS_MAX),
            Self::Required(beside) => with("said-price-required", "beside", beside),
            Self::AboveZero(beside) => with("said-price-above-zero", "beside", beside),
            Self::NoBound => t("said-price-no-bound"),
            Self::Foreign(mode) => with("said-price-foreign", "mode", mode),
            Self::Path(error) => error.said(),
            Self::Number(error) => error.said(),
            Self::Multiplier => with("said-term-at-most", "max", COST_MULTIPLIER_MAX),
            Self::BelowBase(base) => with("said-price-below-base", "base", base),
            Self::TooManyUnits => with("said-price-units", "max", UNIT_FIELDS_MAX),
            Self::UnitName => with("said-price-unit-name", "max", UNIT_FIELD_CHARS_MAX),
            Self::Twice(name) => with("said-price-twice", "name", name),
        }
    }
}

impl Said for CostPathError {
    fn said(&self) -> String {
        match self {
            Self::TooLong => with("said-path-too-long", "max", COST_PATH_BYTES_MAX),
            Self::TooCostly(why) => with("said-path-costly", "why", why),
            Self::Syntax(message) => with("said-path-syntax", "message", message),
        }
    }
}
