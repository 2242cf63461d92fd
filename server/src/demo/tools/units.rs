//! Converting units. Pure. The factors are exact by definition (the international yard and pound of 1959; SI).

use super::ToolRefusal;

/// What a unit measures, and how to come from it to the base unit (metre, gram, kelvin): `(value + offset) * factor`.
struct Unit {
    symbol: &'static str,
    dimension: Dimension,
    offset: f64,
    factor: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Length,
    Mass,
    Temperature,
}

const fn unit(symbol: &'static str, dimension: Dimension, offset: f64, factor: f64) -> Unit {
    Unit { symbol, dimension, offset, factor }
}

static UNITS: [Unit; 19] = [
    unit("mm", Dimension::Length, 0.0, 0.001),
    unit("cm", Dimension::Length, 0.0, 0.01),
    unit("m", Dimension::Length, 0.0, 1.0),
    unit("km", Dimension::Length, 0.0, 1_000.0),
    unit("in", Dimension::Length, 0.0, 0.0254),
    unit("ft", Dimension::Length, 0.0, 0.3048),
    unit("yd", Dimension::Length, 0.0, 0.9144),
    unit("mi", Dimension::Length, 0.0, 1_609.344),
    unit("nmi", Dimension::Length, 0.0, 1_852.0),
    unit("mg", Dimension::Mass, 0.0, 0.001),
    unit("g", Dimension::Mass, 0.0, 1.0),
    unit("kg", Dimension::Mass, 0.0, 1_000.0),
    unit("t", Dimension::Mass, 0.0, 1_000_000.0),
    unit("oz", Dimension::Mass, 0.0, 28.349_523_125),
    unit("lb", Dimension::Mass, 0.0, 453.592_37),
    unit("st", Dimension::Mass, 0.0, 6_350.293_18),
    unit("C", Dimension::Temperature, 273.15, 1.0),
    unit("F", Dimension::Temperature, 459.67, 5.0 / 9.0),
    unit("K", Dimension::Temperature, 0.0, 1.0),
];

/// `value` of the unit `from` in the unit `to`, rounded to twelve significant digits.
pub(super) fn convert(value: f64, from: &str, to: &str) -> Result<f64, ToolRefusal> {
    let (source, target) = (find_unit(from)?, find_unit(to)?);
    if source.dimension != target.dimension {
        return Err(ToolRefusal::UnitMismatch { from: from.to_owned(), to: to.to_owned() });
    }
    let base = (value + source.offset) * source.factor;
    let is_below_zero = source.dimension == Dimension::Temperature && base < 0.0;
    let converted = round(base / target.factor - target.offset);
    if converted.is_finite() && !is_below_zero { Ok(converted) } else { Err(ToolRefusal::ValueOutOfRange) }
}

fn find_unit(symbol: &str) -> Result<&'static Unit, ToolRefusal> {
    UNITS
        .iter()
        .find(|unit| unit.symbol == symbol)
        .ok_or_else(|| ToolRefusal::UnknownUnit(symbol.chars().take(20).collect()))
}

/// Decimal rounding by way of text: twelve digits hide what binary fractions add at the sixteenth.
fn round(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}
