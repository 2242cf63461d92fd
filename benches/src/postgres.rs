//! What is measured with the books in PostgreSQL: a cluster of our own, made from the installed server's programs for
//! each part and gone with it, on the same two cores as everything else.

pub(crate) mod baseline;
pub(crate) mod cluster;
pub(crate) mod crew;
pub(crate) mod ledger;
pub(crate) mod paid;

use crate::{
    failure::Outcome,
    note,
    postgres::cluster::Cluster,
    report::{Figures, Postgres},
    workspace::RunFolder,
};

/// Measures `part` on a cluster of its own and adds it to `report`; where PostgreSQL is not installed the report says so.
pub(crate) fn measure(
    folder: &RunFolder,
    name: &str,
    report: &mut Option<Postgres>,
    part: impl FnOnce(&Cluster, &mut Figures) -> Outcome<()>,
) -> Outcome<()> {
    let Some(cluster) = Cluster::start(folder, name)? else {
        note("load: PostgreSQL's server is not installed, so it is not measured");
        *report = Some(Postgres::NotMeasured);
        return Ok(());
    };
    let mut figures = match report.take() {
        Some(Postgres::Measured(figures)) => figures,
        Some(Postgres::NotMeasured) | None => Box::default(),
    };
    part(&cluster, &mut figures).map_err(|failure| cluster.explain(&failure))?;
    *report = Some(Postgres::Measured(figures));
    cluster.stop()
}
