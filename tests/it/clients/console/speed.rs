//! That lists stay quick however much there is: which pages `load --only console` times, and that nothing that grows with every
//! call is read from its beginning to its end.

use tests::{
    home::{Home, Kind},
    on_both_databases,
};

use super::{
    routes::{forms, pages},
    samples::World,
};

mod plans;
#[path = "../../../../benches/src/console/lists.rs"]
mod table;

use self::plans::{plan_of, scans};

on_both_databases!(nothing_that_grows_is_read_whole);

/// Tells every statement with its plan.
const FILTER: &str = "warn,engine::store::readers::plans=trace";

/// Pages with nothing on them that grows, or that are read a part at a time.
const NOT_TIMED: [&str; 12] = [
    // Before anybody is signed in, and for nobody but oneself.
    "/sign-in",
    "/link/{secret}",
    // One paper, one version.
    "/ledger/transactions/{id}/receipt",
    "/policies/{number}/diff",
    "/policies/{number}/tests",
    "/policies/edit/check",
    "/policies/explain",
    // A file, sent as it is read.
    "/partners/{id}/users/{user}/file",
    // Evaluates as many calls as it is asked for.
    "/policies/{number}/replay",
    // Links to the forms that are there.
    "/refunds/new",
    "/refunds/reverse",
    "/payouts/new",
];

#[test]
fn every_page_is_timed_or_need_not_be() {
    let forms = forms();
    let is_form = |page: &str| forms.contains(&page);
    // Sent as they are read.
    let is_file = |page: &str| page.ends_with("/export");
    let is_timed = |page: &str| table::LISTS.iter().any(|list| list.route == page);
    let (mut missing, mut gone) = (Vec::new(), Vec::new());
    for page in pages() {
        if !is_timed(page) && !is_form(page) && !is_file(page) && !NOT_TIMED.contains(&page) {
            missing.push(page);
        }
    }
    for page in table::LISTS.iter().map(|list| list.route).chain(NOT_TIMED) {
        if !pages().contains(&page) {
            gone.push(page);
        }
    }
    assert!(missing.is_empty(), "pages that nobody times: {missing:?}");
    assert!(gone.is_empty(), "pages that are not there: {gone:?}");
    for list in table::LISTS {
        assert_eq!(list.route.contains('{'), !list.found_on.is_empty(), "where is {} found?", list.route);
    }
}

fn nothing_that_grows_is_read_whole(kind: Kind) {
    let home = Home::on(kind);
    if let Some(database) = home.database() {
        // Small tables are planned as if they were large, each by an index that is named. Two small ones are best merged
        // or hashed, from one end of their indexes to the other; large ones are not.
        let sql = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_seqscan = off', current_database());
                   EXECUTE format('ALTER DATABASE %I SET enable_mergejoin = off', current_database());
                   EXECUTE format('ALTER DATABASE %I SET enable_hashjoin = off', current_database());
                   EXECUTE format('ALTER DATABASE %I SET enable_bitmapscan = off', current_database()); END $$";
        database.query(sql);
    }
    let world = World::start_logging(&home, FILTER);
    let visitor = &world.owner.visitor;
    for sample in world.samples().iter().filter(|sample| !sample.is_for_anybody) {
        assert_eq!(visitor.get(&sample.path).status, 200, "{}", sample.path);
    }
    for list in table::LISTS.iter().filter(|list| list.found_on.is_empty()) {
        for query in list.queries {
            let path = format!("/admin{}?{query}", list.route);
            assert_eq!(visitor.get(&path).status, 200, "{path}");
        }
    }

    let log = std::fs::read_to_string(home.path().join("tollgate.log")).expect("a log");
    let mut plans: Vec<(&str, Vec<&str>)> = log.lines().filter_map(plan_of).collect();
    plans.sort_unstable();
    plans.dedup();
    assert!(plans.len() > 100, "{} plans", plans.len());
    let found: Vec<String> = plans.iter().flat_map(|(statement, steps)| scans(kind, statement, steps)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
