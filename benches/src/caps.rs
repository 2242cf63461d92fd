//! What limits cost: paid calls with three nested limits on each, in turn with the same calls without any.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    failure::Outcome,
    rounds::{Pace, Yardsticks},
    tollgate::{Site, Tollgate},
    turns::{Turns, take_turns},
    workspace::RunFolder,
};

/// What the paid throughput with three nested limits may fall to, as a part of that without.
const GOAL: f64 = 0.85;

/// The partner, each of its end users and the token, in three windows; nobody reaches any of them.
fn nested() -> Value {
    json!([
        { "per": "partner", "window": "month", "credits": 9_000_000 },
        { "per": "end_user", "window": "day", "credits": 8_000_000 },
        { "per": "token", "window": "total", "credits": 7_000_000 },
    ])
}

/// Both servers run at once, on databases of their own.
pub(crate) fn measure(folder: &RunFolder, program: &Path, pace: Pace) -> Outcome<Turns> {
    let yardsticks = Yardsticks::start(folder)?;
    let start = |name: &str, caps: &Value| {
        let site = Site::with_sqlite(folder.subfolder(name)?);
        Tollgate::start_limited(program, &site, yardsticks.upstream, caps)
    };
    let servers = [start("capped", &nested())?, start("uncapped", &json!([]))?];
    take_turns(("three nested limits", GOAL), servers, &yardsticks, pace)
}
