//! Paid calls with the books in PostgreSQL: by one server process, then by two on the same database.

use std::{path::Path, slice};

use crate::{
    failure::Outcome,
    postgres::cluster::Cluster,
    report::Figures,
    rounds::{CALLERS, Pace, PaidCalls, Yardsticks},
    tollgate::{self, Site, Tollgate},
    verify,
    workspace::RunFolder,
};

/// The database of this part.
const DATABASE: &str = "paid";

/// How many calls are in flight where two servers share them. One caller alone is at one server at a time.
const CALLERS_OF_TWO: [u32; 2] = [64, 256];

/// Drives both shapes; then the books are checked against the upstream, all calls together.
pub(crate) fn measure(
    folder: &RunFolder,
    program: &Path,
    pace: Pace,
    cluster: &Cluster,
    figures: &mut Figures,
) -> Outcome<()> {
    let yardsticks = Yardsticks::start(folder)?;
    let url = cluster.create_database(DATABASE)?;
    let site = Site::with_database(folder.subfolder("tollgate-postgres")?, url);
    let first = Tollgate::start(program, &site, yardsticks.upstream)?;
    figures.settings = Some(cluster.check_durable(DATABASE)?);
    // the writer's own session can say something else than the server
    first.check_durable()?;
    let mut calls = PaidCalls::default();
    figures.levels = calls.drive_levels(&yardsticks, slice::from_ref(&first), &CALLERS, pace)?;
    let servers = [first, Tollgate::start_second(program, &site, yardsticks.upstream)?];
    figures.two_servers = Some(calls.drive_levels(&yardsticks, &servers, &CALLERS_OF_TWO, pace)?);
    let [first, second] = servers.map(Tollgate::stop);
    second?;
    let stopped = first?;
    figures.verify = Some(verify::check_sound(&stopped)?);
    figures.books = Some(stopped.check_books(tollgate::SPLIT, calls.at_upstream, calls.answered)?);
    Ok(())
}
