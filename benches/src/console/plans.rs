//! How the database carries out what the lists read: the program tells it in its log when it is asked to.

use std::{collections::BTreeMap, path::Path};

use super::{addresses, sign_in, with_query};
use crate::{
    failure::Outcome,
    tollgate::{Site, Tollgate},
};

/// What the log is asked for.
const FILTER: &str = "warn,engine::store::readers::plans=trace";

/// What stands before a statement in the log, and between it and the steps of its plan, and between those.
const BEFORE: &str = "engine::store::readers::plans: ";
const BETWEEN: &str = " => ";
const STEPS: &str = " | ";

/// The steps of the plan of every statement that the lists are read with, by the statement.
pub(super) fn of(program: &Path, site: &Site) -> Outcome<BTreeMap<String, Vec<String>>> {
    let tollgate = Tollgate::start_logging(program, site, FILTER)?;
    let visitor = sign_in(&tollgate)?;
    for (list, address) in addresses(&visitor)? {
        let Some(address) = address else { continue };
        for query in list.queries {
            visitor.page(&with_query(&address, query))?;
        }
    }
    let log = tollgate.stop()?.read_log();
    Ok(log.lines().filter_map(parse).collect())
}

fn parse(line: &str) -> Option<(String, Vec<String>)> {
    let (_, told) = line.split_once(BEFORE)?;
    let (statement, plan) = told.split_once(BETWEEN)?;
    Some((statement.to_owned(), plan.split(STEPS).map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests;
