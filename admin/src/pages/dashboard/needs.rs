//! What needs somebody, the most pressing first.

use engine::{
    policy::console::ConsoleAction,
    service::dashboard::{AtLeast, Dashboard},
};

use super::{at_least, places};
use crate::{
    console::Visit,
    kit::{Cell, Column, Row, Table, Tone},
    text::{said, t, t_with},
};

/// A mail that waits longer than this (in microseconds) is not on its way.
const MAIL_LATE_US: i64 = 600_000_000;
/// What waits longer than this (in microseconds) for a webhook has been tried in vain for some time.
const WEBHOOK_LATE_US: i64 = 600_000_000;
/// A checkpoint is late after so many times its own interval.
const CHECKPOINTS_MISSED: i64 = 3;
/// What the texts of kinds of requests begin with.
const DEED: &str = "dashboard-waits-";

/// One thing that needs somebody.
struct Need {
    tone: Tone,
    what: String,
    count: Cell,
    since_us: Option<i64>,
    path: String,
}

/// What needs somebody; `None` if nothing does.
pub(super) fn table(visit: &Visit, found: &Dashboard) -> Option<Table> {
    let mut needs = of(found, visit.now_us);
    if needs.is_empty() {
        return None;
    }
    needs.sort_by_key(|need| need.tone != Tone::Bad);
    let rows = needs.into_iter().map(|need| {
        let href = places::href(&need.path);
        let what = if href.is_empty() { Cell::text(need.what) } else { Cell::link(need.what, href) };
        Row { tone: need.tone, ..Row::new("", vec![what, need.count, Cell::time(need.since_us)]) }
    });
    Some(Table {
        caption: t("dashboard-needs"),
        columns: vec![
            Column::new(t("dashboard-need")),
            Column::right(t("dashboard-need-count")),
            Column::new(t("dashboard-need-since")),
        ],
        rows: rows.collect(),
        ..Table::default()
    })
}

/// What the request for a deed is called: its sentence where there is one.
fn deed(kind: &str) -> String {
    ConsoleAction::from_word(kind).map_or_else(|| kind.to_owned(), said::deed)
}

fn of(found: &Dashboard, now_us: i64) -> Vec<Need> {
    let mut needs = Vec::new();
    let mut add = |tone: Tone, what: String, count: AtLeast, since_us: Option<i64>, path: String| {
        if count.count > 0 {
            needs.push(Need { tone, what, count: at_least(count), since_us, path });
        }
    };
    for waiting in &found.waiting {
        let count = AtLeast { count: waiting.of_others, is_more: false };
        let what = t_with(&format!("{DEED}decision"), &[("deed", deed(&waiting.kind).into())]);
        let path = format!("/approvals?state=waiting&kind={}", waiting.kind);
        add(Tone::Warn, what, count, Some(waiting.oldest_us), path);
    }
    let listings = "/listings".to_owned();
    let queue = found.listings;
    add(Tone::Warn, t("dashboard-waits-listing"), queue.waiting, queue.oldest_us, listings);
    let purchases = "/purchases?state=pending".to_owned();
    add(Tone::Warn, t("dashboard-waits-purchase"), found.pending_purchases, None, purchases);
    let chargebacks = "/chargebacks?state=open".to_owned();
    add(Tone::Warn, t("dashboard-waits-chargeback"), found.open_chargebacks, None, chargebacks);
    let unknown = "/invocations?state=unknown".to_owned();
    add(Tone::Warn, t("dashboard-waits-unknown"), found.unknown, None, unknown);
    let failed = "/mail?state=failed".to_owned();
    add(Tone::Bad, t("dashboard-waits-mail-failed"), found.mail.failed, None, failed);
    if let Some(oldest_us) = found.mail.oldest_us
        && now_us.saturating_sub(oldest_us) > MAIL_LATE_US
    {
        let late = "/mail?state=queued".to_owned();
        add(Tone::Warn, t("dashboard-waits-mail-late"), found.mail.queued, Some(oldest_us), late);
    }
    let given_up = "/partners/deliveries?state=failed".to_owned();
    add(Tone::Bad, t("dashboard-waits-webhook-failed"), found.webhooks.failed, None, given_up);
    if let Some(oldest_us) = found.webhooks.oldest_us
        && now_us.saturating_sub(oldest_us) > WEBHOOK_LATE_US
    {
        let late = "/partners/deliveries?state=queued".to_owned();
        add(Tone::Warn, t("dashboard-waits-webhook-late"), found.webhooks.queued, Some(oldest_us), late);
    }
    let full = found.near_caps.iter().filter(|cap| cap.percent() >= 100).count();
    let full = AtLeast { count: i64::try_from(full).unwrap_or(i64::MAX), is_more: false };
    add(Tone::Warn, t("dashboard-waits-cap"), full, None, String::new());
    if let Some(late_since_us) = checkpoint_late_since(found, now_us) {
        let one = AtLeast { count: 1, is_more: false };
        add(Tone::Bad, t("dashboard-waits-checkpoint"), one, Some(late_since_us), "/ledger".to_owned());
    }
    needs
}

/// Since when a checkpoint has been missing, if there is something that it could sign.
fn checkpoint_late_since(found: &Dashboard, now_us: i64) -> Option<i64> {
    let (every_us, last) = (found.checkpoint_every_us?, found.checkpoint.as_ref()?);
    let late_us = last.made_us.saturating_add(every_us.saturating_mul(CHECKPOINTS_MISSED));
    (last.batches_since > 0 && now_us > late_us).then_some(last.made_us)
}
