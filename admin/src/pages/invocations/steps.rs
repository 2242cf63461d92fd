//! Where the time of a call went, as a picture.

use engine::service::invocations::CallDetail;

use crate::{
    kit::{Cell, Span, Spans},
    text::{t, t_with},
};

/// The steps of a call that has ended: until its credits were reserved, until its end was settled, and the whole. `None` while
/// it runs.
pub(super) fn picture(detail: &CallDetail) -> Option<Spans> {
    let call = &detail.call;
    let ended_us = call.ended_us?;
    let begun_us = call.created_us;
    let reserved_us = detail.money.hold.as_ref().map(|hold| hold.recorded_us);
    let settled_us = detail.money.settlement.as_ref().map(|settlement| settlement.recorded_us);
    let mut spans = Vec::new();
    if let Some(reserved_us) = reserved_us {
        spans.push(span("invocations-step-reserve", begun_us, begun_us, reserved_us, "s5"));
        // A server that found the call later settled it: its end is what counts.
        let answered_us = settled_us.map_or(ended_us, |settled_us| settled_us.min(ended_us));
        spans.push(span("invocations-step-tool", begun_us, reserved_us, answered_us, "s2"));
        spans.push(span("invocations-step-settle", begun_us, answered_us, ended_us, "s3"));
    }
    spans.push(span("invocations-step-whole", begun_us, begun_us, ended_us, "s1"));
    Some(Spans { title: t("invocations-steps"), values: t("invocations-took"), spans })
}

/// From one moment to another, both in microseconds since the Unix epoch. A clock that was set back makes nothing of it.
fn span(key: &str, begun_us: i64, from_us: i64, to_us: i64, class: &'static str) -> Span {
    let from = from_us.saturating_sub(begun_us).max(0);
    let to = to_us.saturating_sub(begun_us).max(from);
    let thousandths = to.saturating_sub(from);
    let (ms, rest) = (thousandths.checked_div(1_000).unwrap_or(0), thousandths.checked_rem(1_000).unwrap_or(0));
    let says = t_with("invocations-ms", &[("ms", format!("{ms}.{rest:03}").into())]);
    Span { name: t(key), from, to, value: Cell::text(&says), says, class, note: String::new() }
}
