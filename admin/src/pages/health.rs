//! How the program is doing, as far as it knows.

use engine::{
    invocation::CallOutcome,
    policy::console::ConsoleAction,
    service::{
        counts::{Calls, bucket_of},
        dashboard::AtLeast,
        health::{DatabaseHealth, Health, ServerSlot, WriterHealth},
        work::{Work, WorkDone},
    },
};

use super::{catalog, places};
use crate::{
    console::{Access, Answer, Disk, Fault, Route, Visit, get},
    kit::{Bars, Block, Cell, Column, Facts, Heading, Notice, Page, Row, Series, Table, Tone, instant_text},
    text::{t, t_with},
};

mod saturation;

/// What the texts of kinds of work begin with.
const WORK: &str = "health-work-";
/// Less free room than this, in bytes, and the database is about to stop.
const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;
/// A queue of the writer that is filled to more than one in so many places is long.
const QUEUE_PART: usize = 4;
/// From so many seconds on a clock that is away from the program's time has jumped.
const WALL_AWAY_S: i64 = 2;
/// The strip of calls: six hours in steps of ten minutes, in microseconds, as they are counted.
const STRIP_STEPS: i64 = 36;
const STRIP_STEP_US: i64 = 600_000_000;

pub(super) fn routes() -> Vec<Route> {
    vec![get("/health", Access::Needs(ConsoleAction::HealthRead), show)]
}

async fn show(visit: Visit) -> Answer {
    let health = visit.services().load_health().await?;
    let disk = visit.console().door.disk();
    let mut page = Page::new(t("health-title"));
    for (tone, problem) in problems(&health, disk) {
        page = page.with(Notice::new(tone, problem));
    }
    let page = page
        .with(Heading::new(t("health-program")))
        .with(program(&health))
        .with(Heading::new(t("health-database")))
        .with(database(&health.database, disk))
        .with(Heading::new(t("health-writer")))
        .with(writer(&health))
        .with(Heading::new(t("health-work")))
        .with(work(&health))
        .with(Heading::new(t("health-servers")))
        .with(servers(&health))
        .with(Heading::new(t("health-books")))
        .with(books(&health));
    let mut page = page;
    page.blocks.extend(calls(&visit).await?.map(Block::from));
    let since_us = visit.now_us.saturating_sub(STRIP_STEPS.saturating_mul(STRIP_STEP_US));
    let took = visit.services().recent_latencies(since_us).await?;
    if !took.is_empty() {
        page = page.with(catalog::latency_bars(t("health-latency"), &took));
    }
    page.blocks.extend(saturation::of(&health, &visit.services().recent_saturation()));
    visit.show(page).await
}

/// The calls of the last six hours by ten minutes: those that ended well or as their caller was told, and those that did not.
/// Nothing if there was none.
async fn calls(visit: &Visit) -> Result<Option<Bars>, Fault> {
    let steps: Vec<i64> = (0..STRIP_STEPS)
        .rev()
        .map(|step| bucket_of(visit.now_us.saturating_sub(step.saturating_mul(STRIP_STEP_US))))
        .collect();
    let found = visit.services().load_calls_since(steps.first().copied().unwrap_or(visit.now_us)).await?;
    let of = |from_us: i64| found.between(from_us, from_us.saturating_add(STRIP_STEP_US));
    let errors = |calls: &Calls| calls.of(CallOutcome::Failed).saturating_add(calls.of(CallOutcome::Unknown));
    let counted: Vec<Calls> = steps.iter().map(|from_us| of(*from_us)).collect();
    if counted.iter().all(|calls| calls.total() == 0) {
        return Ok(None);
    }
    let labels = steps.iter().map(|from_us| instant_text(*from_us)).collect();
    let well = counted.iter().map(|calls| calls.total().saturating_sub(errors(calls))).collect();
    let series = vec![
        Series { label: t("health-calls-well"), class: "s2", values: well },
        Series { label: t("health-calls-failed"), class: "s4", values: counted.iter().map(errors).collect() },
    ];
    Ok(Some(Bars { title: t("health-calls"), labels, series, ..Bars::default() }))
}

/// What is not as it should be.
fn problems(health: &Health, disk: Option<Disk>) -> Vec<(Tone, String)> {
    let mut problems = Vec::new();
    if health.is_away {
        problems.push((Tone::Bad, t("health-away")));
    }
    if let Ok(settings) = &health.writer.settings
        && (settings.journal_mode.as_str(), settings.synchronous) != ("wal", "full")
    {
        problems.push((Tone::Bad, t("health-not-durable")));
    }
    if let Some(disk) = disk.filter(|disk| disk.free_bytes < FREE_BYTES_MIN) {
        problems.push((Tone::Bad, t_with("health-disk-low", &[("free", bytes(disk.free_bytes).into())])));
    }
    if health.writer.queued.saturating_mul(QUEUE_PART) > health.writer.queue_max {
        problems.push((Tone::Warn, t("health-queue-long")));
    }
    let away_s = health.wall_ahead_us.saturating_abs().checked_div(1_000_000).unwrap_or(0);
    if away_s >= WALL_AWAY_S {
        problems.push((Tone::Warn, t_with("health-wall-far", &[("seconds", away_s.into())])));
    }
    for done in health.work.iter().filter(|done| done.problem.is_some()) {
        let name = [("work", work_name(done.work).into())];
        problems.push((Tone::Warn, t_with("health-work-failing", &name)));
    }
    problems
}

/// So many bytes, in the largest unit of which there is one, with one decimal.
fn bytes(count: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let Some((unit, size)) = units.into_iter().find(|(_, size)| count >= *size) else { return format!("{count} B") };
    let (whole, rest) = (count.checked_div(size).unwrap_or(0), count.checked_rem(size).unwrap_or(0));
    let tenth = rest.saturating_mul(10).checked_div(size).unwrap_or(0);
    format!("{whole}.{tenth} {unit}")
}

fn number(count: impl TryInto<i64>) -> Cell {
    Cell::Number(count.try_into().unwrap_or(i64::MAX))
}

fn program(health: &Health) -> Facts {
    let policy = health.policy_version.split('-').next().unwrap_or_default();
    Facts::new()
        .fact(t("health-version"), Cell::Mono(health.version.to_owned()))
        .fact(t("health-started"), Cell::Time(health.started_us))
        .fact(t("health-now"), Cell::Time(health.now_us))
        .fact(t("health-wall"), Cell::Number(health.wall_ahead_us.checked_div(1_000).unwrap_or(0)))
        .fact(t("health-catalog"), Cell::Number(health.catalog_version))
        .fact(t("health-policy"), places::link(health.policy_version.clone(), &format!("/policies/{policy}")))
}

fn database(database: &DatabaseHealth, disk: Option<Disk>) -> Facts {
    let size = u64::try_from(database.bytes).unwrap_or(0);
    let mut facts = Facts::new()
        .fact(t("health-kind"), Cell::text(format!("{} {}", database.kind.as_str(), database.version)))
        .fact(t("health-size"), Cell::text(bytes(size)));
    if let Some(log) = database.log_bytes {
        facts = facts.fact(t("health-log"), Cell::text(bytes(log)));
    }
    if let Some(disk) = disk {
        let room = [("free", bytes(disk.free_bytes).into()), ("total", bytes(disk.total_bytes).into())];
        facts = facts.fact(t("health-disk"), Cell::text(t_with("health-disk-of", &room)));
    }
    facts
        .fact(t("health-migrations"), Cell::Number(database.migrations))
        .fact(t("health-migration"), database.newest_migration.clone().map_or(Cell::None, Cell::Mono))
}

fn writer(health: &Health) -> Facts {
    let WriterHealth { epoch, settings, queued, batches, requests, failures, .. } = &health.writer;
    let settings = match settings {
        Ok(found) => Cell::Mono(format!("journal_mode {}, synchronous {}", found.journal_mode, found.synchronous)),
        Err(why) => Cell::state(why, Tone::Warn),
    };
    let (key, tone) = if health.is_away { ("health-is-away", Tone::Bad) } else { ("health-is-there", Tone::Good) };
    let readers = &health.readers;
    let readers = [("open", readers.open.into()), ("idle", readers.idle.into()), ("most", readers.most.into())];
    Facts::new()
        .fact(t("health-presence"), Cell::state(t(key), tone))
        .fact(t("health-settings"), settings)
        .fact(t("health-epoch"), Cell::Number(*epoch))
        .fact(t("health-queued"), number(*queued))
        .fact(t("health-batches"), number(*batches))
        .fact(t("health-requests"), number(*requests))
        .fact(t("health-failures"), number(*failures))
        .fact(t("health-readers"), Cell::text(t_with("health-readers-of", &readers)))
}

fn work_name(work: Work) -> String {
    t(&format!("{WORK}{}", work.as_str()))
}

fn work(health: &Health) -> Table {
    let keys = ["health-work-name", "health-work-done", "health-work-tried", "health-work-state"];
    let row = |done: &WorkDone| {
        let state = match &done.problem {
            None => Cell::state(t("health-work-well"), Tone::Good),
            Some(problem) => Cell::state(problem, Tone::Bad),
        };
        let cells = vec![Cell::text(work_name(done.work)), Cell::time(done.done_us), Cell::Time(done.tried_us), state];
        Row::new("", cells)
    };
    Table {
        caption: t("health-work"),
        columns: keys.map(|key| Column::new(t(key))).into(),
        rows: health.work.iter().map(row).collect(),
        ..Table::default()
    }
}

fn servers(health: &Health) -> Table {
    let row = |server: &ServerSlot| {
        let lease = match server.lease_left_us {
            None => Cell::text(t("health-lease-alone")),
            Some(left_us) if left_us > 0 => Cell::state(t("health-lease-held"), Tone::Good),
            Some(_) => Cell::state(t("health-lease-free"), Tone::Plain),
        };
        let last = if server.seq > 0 { Cell::Time(server.last_us) } else { Cell::None };
        let cells = vec![
            Cell::Number(server.slot),
            lease,
            Cell::Number(server.epoch),
            Cell::Number(server.batch_no),
            Cell::Number(server.seq),
            last,
        ];
        Row::new("", cells)
    };
    Table {
        caption: t("health-servers"),
        columns: vec![
            Column::right(t("health-slot")),
            Column::new(t("health-lease")),
            Column::right(t("health-epoch")),
            Column::right(t("health-batch")),
            Column::right(t("health-entry")),
            Column::new(t("health-last")),
        ],
        rows: health.servers.iter().map(row).collect(),
        ..Table::default()
    }
}

/// How many things there are, with the list of them.
fn listed(count: AtLeast, path: &str) -> Cell {
    let text = if count.is_more { format!("{}+", count.count) } else { count.count.to_string() };
    places::link(text, path)
}

fn books(health: &Health) -> Facts {
    let mut facts = Facts::new();
    if let Some(last) = &health.checkpoint {
        facts = facts
            .fact(t("health-checkpoint"), Cell::Number(last.number))
            .fact(t("health-checkpoint-made"), Cell::Time(last.made_us))
            .fact(t("health-checkpoint-since"), Cell::Number(last.batches_since));
    }
    let every = health.checkpoint_every_us.and_then(|every_us| every_us.checked_div(1_000_000));
    facts
        .fact(t("health-checkpoint-every"), every.map_or(Cell::None, Cell::Number))
        .fact(t("health-mail"), listed(health.mail.queued, "/mail?state=queued"))
        .fact(t("health-mail-oldest"), Cell::time(health.mail.oldest_us))
        .fact(t("health-mail-failed"), listed(health.mail.failed, "/mail?state=failed"))
        .fact(t("health-webhooks"), listed(health.webhooks.queued, "/partners/deliveries?state=queued"))
        .fact(t("health-webhooks-oldest"), Cell::time(health.webhooks.oldest_us))
        .fact(t("health-webhooks-failed"), listed(health.webhooks.failed, "/partners/deliveries?state=failed"))
        .fact(t("health-counted"), Cell::time(health.counted_until_us))
}

#[cfg(test)]
mod tests;
