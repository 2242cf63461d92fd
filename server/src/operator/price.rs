//! Prices that are to come, as operators schedule and cancel them.

use engine::{
    audit::OpContext,
    id::InvalidId,
    service::{
        Services,
        catalog::spec_from_json,
        prices::{CancelPriceError, PriceVersion, SchedulePriceError},
    },
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Done, NotDone, done};
use crate::{cli::Exit, marketplace::time_text};

#[derive(Serialize)]
struct PriceView<'a> {
    price: String,
    tool: &'a str,
    effective_from: String,
    spec: Box<RawValue>,
    created_at: String,
    cancelled_at: Option<String>,
    replayed: bool,
}

fn view(version: &PriceVersion) -> Result<PriceView<'_>, NotDone> {
    let spec = RawValue::from_string(version.spec.clone()).map_err(|error| NotDone::new(Exit::Database, error))?;
    Ok(PriceView {
        price: version.id.to_string(),
        tool: &version.path,
        effective_from: time_text(version.effective_from_us),
        spec,
        created_at: time_text(version.created_us),
        cancelled_at: version.cancelled_us.map(time_text),
        replayed: version.is_replay,
    })
}

pub(super) async fn schedule(
    services: &Services,
    by: &OpContext,
    tool: &str,
    (spec, from_us): (&str, i64),
    key: Option<&str>,
) -> Result<Done, NotDone> {
    let spec = spec_from_json(spec).map_err(|what| NotDone::new(Exit::Usage, what))?;
    let made = services.schedule_price(by, tool, &spec, from_us, key).await.map_err(|error| match error {
        SchedulePriceError::Store(error) => error.into(),
        other => NotDone::refused(other),
    })?;
    let view = view(&made)?;
    let line = if let (true, Some(cancelled)) = (made.is_replay, &view.cancelled_at) {
        format!("this key scheduled {} before, which was cancelled at {cancelled}: nothing was changed", view.price)
    } else if made.is_replay {
        format!("this key scheduled {} before: nothing was changed", view.price)
    } else {
        format!("{} is the price of {tool} from {} on", view.price, view.effective_from)
    };
    done(&view, vec![line])
}

pub(super) async fn cancel(
    services: &Services,
    by: &OpContext,
    price: &str,
    reason: Option<&str>,
) -> Result<Done, NotDone> {
    let id = price.parse().map_err(|error: InvalidId| NotDone::refused(error))?;
    let cancelled = services.cancel_price(by, id, reason).await.map_err(|error| match error {
        CancelPriceError::Store(error) => error.into(),
        other => NotDone::refused(format!("`{price}`: {other}")),
    })?;
    let view = view(&cancelled)?;
    let line = format!("{price} of {} will not take effect", view.tool);
    done(&view, vec![line])
}
