//! Discovery in a large catalog: how long searches take over HTTP, and what a change of the catalog costs.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc, time::Duration, time::Instant};

use engine::{audit::OpContext, catalog::ToolState, service::Services};
use serde::Serialize;

use self::market::{CATEGORIES, Draw, NAMESPACES_AT_ONCE, WORDS, word};
use crate::{
    console::{Timed, timed, visitor::Visitor},
    failure::{Context as _, Failure, Outcome},
    note,
    postgres::cluster::Cluster,
    report::rounded,
    rounds::{Pace, Yardsticks},
    seed,
    tollgate::{Site, Tollgate},
    turns::{Turns, take_turns},
    workspace::RunFolder,
};

mod market;

/// How often each kind of search is asked for, each time for other words.
const TIMES: usize = 100;
/// How often the catalog is changed.
const CHANGES: usize = 20;
/// How many tools the other server of `crowd` has.
const FEW_TOOLS: usize = 100;
/// What the throughput of calls among all tools may fall to, as a part of that among [`FEW_TOOLS`].
const CROWD_GOAL: f64 = 0.95;
/// What a search may take, in milliseconds, for 19 of 20 requests.
const P95_MS_MAX: f64 = 30.0;

/// What is asked for: how many words, from which place on to before which, and whether in one category. The words in front are
/// the common ones.
const KINDS: [(&str, usize, (usize, usize), bool); 12] = [
    ("a word of every tool", 0, (0, 0), false),
    ("a common word", 1, (0, 20), false),
    ("two common words", 2, (0, 20), false),
    ("three common words", 3, (0, 20), false),
    ("twelve common words", 12, (0, 40), false),
    ("two common words, in a category", 2, (0, 20), true),
    ("a word", 1, (100, 2_000), false),
    ("three words", 3, (100, 2_000), false),
    ("twelve words", 12, (100, 2_000), false),
    ("a rare word", 1, (5_000, WORDS), false),
    ("a common word and a rare one", 2, (0, WORDS), false),
    ("words of all kinds", 5, (0, WORDS), false),
];

/// What was found on one database.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    /// By what was asked for.
    pub(crate) searches: BTreeMap<&'static str, Timed>,
    /// What a change costs.
    pub(crate) changes: Changes,
    /// From the start of the process until it serves, in milliseconds.
    pub(crate) ready_ms: f64,
    /// What the process had of memory after the searches.
    pub(crate) resident_mib: Option<f64>,
}

/// What changes of one tool cost.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    /// Until the server that makes it decides by it.
    pub(crate) here: Timed,
    /// Until another one does, from its look at what has changed on: it looks every 250 milliseconds.
    pub(crate) there: Timed,
    /// The longest that somebody waited meanwhile who looked at a tool in memory, in milliseconds.
    pub(crate) longest_wait_ms: f64,
    /// Reading the whole catalog, as at a start, in milliseconds.
    pub(crate) whole_ms: f64,
}

/// The figures of both databases.
#[derive(Debug, Serialize)]
pub(crate) struct Search {
    pub(crate) tools: usize,
    pub(crate) sqlite: Found,
    pub(crate) postgres: Option<Found>,
}

/// Makes fresh databases with so many tools and searches both.
pub(crate) fn measure(folder: &RunFolder, program: &Path, tools: usize) -> Outcome<Search> {
    let site = Site::with_sqlite(folder.subfolder("search")?);
    let sqlite = fill_and_search(program, &site, tools)?;
    let postgres = match Cluster::start(folder, "search-postgres")? {
        None => None,
        Some(cluster) => {
            let site = Site::with_database(folder.subfolder("search-server")?, cluster.create_database("search")?);
            let found = fill_and_search(program, &site, tools).map_err(|failure| cluster.explain(&failure))?;
            cluster.stop()?;
            Some(found)
        }
    };
    Ok(Search { tools, sqlite, postgres })
}

fn fill_and_search(program: &Path, site: &Site, tools: usize) -> Outcome<Found> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let begin = Instant::now();
    let changes = runtime.block_on(seed::with_services(site.database_url(), async |services| {
        fill(services, tools).await?;
        note(&format!("{tools} tools made in {:.0} s", begin.elapsed().as_secs_f64()));
        change(services, site.database_url()).await
    }))?;
    let tollgate = Tollgate::start_plain(program, site)?;
    let visitor = Visitor::new(tollgate.address());
    let mut searches = BTreeMap::new();
    for (number, (name, ..)) in KINDS.iter().enumerate() {
        let mut milliseconds = Vec::with_capacity(TIMES);
        for path in paths(number) {
            let begin = Instant::now();
            visitor.get(&path)?;
            milliseconds.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        let found = timed(milliseconds);
        if found.p95_ms > P95_MS_MAX {
            note(&format!("search: {name} takes {} ms", found.p95_ms));
        }
        searches.insert(*name, found);
    }
    let resident_mib = tollgate.find_resident_kib().and_then(|kib| u32::try_from(kib).ok());
    let found = Found {
        searches,
        changes,
        ready_ms: rounded(tollgate.ready_after().as_secs_f64() * 1_000.0),
        resident_mib: resident_mib.map(|kib| rounded(f64::from(kib) / 1_024.0)),
    };
    drop(tollgate.stop()?);
    Ok(found)
}

/// The addresses of one kind of search.
fn paths(kind: usize) -> Vec<String> {
    let Some((_, count, (begin, end), in_category)) = KINDS.get(kind) else { return Vec::new() };
    let mut draw = Draw::from(u64::try_from(kind).unwrap_or(0) << 40);
    let path = |_| {
        let mut words: Vec<String> = (0..*count)
            .map(|place| {
                // of all words, half are common ones
                let from_front = *end == WORDS && *begin == 0 && place % 2 == 0;
                let end = if from_front { 20 } else { *end };
                word(begin.saturating_add(draw.below(end.saturating_sub(*begin))))
            })
            .collect();
        if words.is_empty() {
            words.push("data".to_owned());
        }
        let category = CATEGORIES.get(draw.below(CATEGORIES.len())).copied().unwrap_or_default();
        let category = if *in_category { format!("&category={category}") } else { String::new() };
        format!("/tools/search?q={}{category}", words.join("+"))
    };
    (0..TIMES).map(path).collect()
}

async fn fill(services: &Arc<Services>, tools: usize) -> Outcome<()> {
    let namespaces = market::namespaces_of(tools);
    for first in (0..namespaces).step_by(NAMESPACES_AT_ONCE) {
        let end = first.saturating_add(NAMESPACES_AT_ONCE).min(namespaces);
        let catalog = market::catalog(first, end);
        services.import(&OpContext::system(), &catalog).await.context(|| "the catalog".to_owned())?;
    }
    Ok(())
}

/// Switches a tool off and on again. Meanwhile somebody looks at memory every millisecond.
async fn change(services: &Arc<Services>, url: &str) -> Outcome<Changes> {
    let begin = Instant::now();
    let follower = seed::start_follower(url).await?;
    let whole_ms = rounded(begin.elapsed().as_secs_f64() * 1_000.0);
    let for_looking = Arc::clone(services);
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let looking = tokio::spawn(async move {
        let (pause, mut longest) = (Duration::from_millis(1), Duration::ZERO);
        while stopped.try_recv().is_err() {
            let begin = Instant::now();
            tokio::time::sleep(pause).await;
            let _found = for_looking.snapshot().find_offer("market-0", "nothing").is_some();
            longest = longest.max(begin.elapsed().saturating_sub(pause));
        }
        longest
    });
    let snapshot = services.snapshot();
    let offer = snapshot.offers_of("market-0").next().ok_or_else(|| Failure::new("`market-0` is empty"))?;
    let (id, name) = (offer.tool.id, offer.tool.name.clone());
    let (mut here, mut there) = (Vec::with_capacity(CHANGES), Vec::with_capacity(CHANGES));
    for number in 0..CHANGES {
        let is_disabled = number % 2 == 0;
        let is_seen = |services: &Services| {
            let state = services.snapshot().find_offer("market-0", &name).map(|offer| offer.tool.state);
            state == Some(if is_disabled { ToolState::Suspended } else { ToolState::Active })
        };
        let begin = Instant::now();
        let done = services.set_tool_disabled(&OpContext::system(), id, is_disabled, "the bench").await;
        here.push(begin.elapsed().as_secs_f64() * 1_000.0);
        done.context(|| "a tool cannot be switched".to_owned())?;
        let begin = Instant::now();
        follower.follow_changes().await.context(|| "the catalog cannot be read".to_owned())?;
        there.push(begin.elapsed().as_secs_f64() * 1_000.0);
        if !is_seen(services) || !is_seen(&follower) {
            return Err(Failure::new("a change is not seen"));
        }
    }
    // the last snapshot but one is let go meanwhile
    tokio::time::sleep(Duration::from_millis(500)).await;
    let _is_heard = stop.send(());
    let longest = looking.await.context(|| "nobody looked".to_owned())?;
    follower.db.clone().close().await.context(|| "the follower".to_owned())?;
    Ok(Changes {
        here: timed(here),
        there: timed(there),
        longest_wait_ms: rounded(longest.as_secs_f64() * 1_000.0),
        whole_ms,
    })
}

/// Both servers run at once, on databases of their own.
pub(crate) fn measure_crowd(folder: &RunFolder, program: &Path, pace: Pace, tools: usize) -> Outcome<Turns> {
    let yardsticks = Yardsticks::start(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let start = |name: &str, tools: usize| {
        let site = Site::with_sqlite(folder.subfolder(name)?);
        runtime.block_on(seed::with_services(site.database_url(), async |services| fill(services, tools).await))?;
        Tollgate::start(program, &site, yardsticks.upstream)
    };
    let servers = [start("crowded", tools)?, start("few", FEW_TOOLS)?];
    take_turns(("with all tools", CROWD_GOAL), servers, &yardsticks, pace)
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { searches, changes, ready_ms, resident_mib } = self;
        let Changes { here, there, longest_wait_ms, whole_ms } = changes;
        let resident = resident_mib.map_or_else(|| "not measured".to_owned(), |mib| format!("{mib:.0} MiB"));
        writeln!(f, "ready after {ready_ms:.0} ms; resident: {resident}")?;
        writeln!(
            f,
            "a change is live after {:.0} ms (p95 {:.0}), and elsewhere {:.0} ms after it is heard of (p95 {:.0}); the longest \
             wait meanwhile: {longest_wait_ms:.1} ms; the whole catalog is read in {whole_ms:.0} ms",
            here.p50_ms, here.p95_ms, there.p50_ms, there.p95_ms,
        )?;
        write!(f, "  p50 ms  p95 ms  search for")?;
        for (name, found) in searches {
            write!(f, "\n{:>8.1}{:>8.1}  {name}", found.p50_ms, found.p95_ms)?;
        }
        Ok(())
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tools, sqlite, postgres } = self;
        write!(f, "search among {tools} tools, SQLite: {sqlite}")?;
        match postgres {
            Some(postgres) => write!(f, "\nPostgreSQL: {postgres}"),
            None => write!(f, "\nPostgreSQL: not measured"),
        }
    }
}
