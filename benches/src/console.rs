//! The operators' console on a database with many calls: every list of [`lists`] is asked for again and again by an operator
//! who may read everything, of the real program, and timed from outside.

use std::{collections::BTreeMap, fmt, io::Write as _, path::Path, time::Instant};

use clap::Args;
use engine::{
    clock::{Clock as _, SystemClock},
    operator::totp::{TotpSecret, step_at},
};
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;
use serde_json::Value;

use self::visitor::Visitor;
use crate::{
    driver::count_f64,
    failure::{Failure, Outcome},
    note,
    postgres::cluster::Cluster,
    report::{median, rounded},
    seed::{self, Size},
    tollgate::{self, Site, Tollgate},
    verify,
    workspace::RunFolder,
};

mod lists;
mod plans;
pub(crate) mod visitor;

/// How often every page is asked for.
const TIMES: usize = 40;

/// What a page may take, in milliseconds, for 19 of 20 requests.
const P95_MS_MAX: f64 = 200.0;

/// What a page may weigh, packed, with everything that it brings but without data, in bytes.
const WEIGHT_MAX: usize = 60 * 1_024;

/// The command.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConsoleArguments {
    /// The database that `seed` has filled
    #[arg(long, value_name = "URL")]
    database: String,
    /// Print the plan of every statement that the lists are read with
    #[arg(long)]
    plans: bool,
}

/// What was measured on one database.
#[derive(Debug, Serialize)]
pub(crate) struct Lists {
    /// How long the calls took to make; absent where they were there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seeded_s: Option<f64>,
    /// Whether `tollgate ledger verify` was content, how long it took; absent where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verify: Option<crate::report::Verify>,
    /// By address below the console's root, variables left as they are.
    pub(crate) pages: BTreeMap<String, Timed>,
    /// Pages that nothing leads to in this database.
    pub(crate) not_there: Vec<&'static str>,
}

/// The times of a page.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Timed {
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
}

/// The console's figures.
#[derive(Debug, Serialize)]
pub(crate) struct Console {
    pub(crate) invocations: u64,
    pub(crate) accounts: u64,
    pub(crate) sqlite: Lists,
    pub(crate) postgres: Option<Lists>,
    /// What the heaviest page of an empty database weighs packed (gzip, level 6), with its style and its scripts, in KiB.
    pub(crate) heaviest_kib: f64,
    /// Which one that is.
    pub(crate) heaviest: String,
}

/// Times the lists on a database that is there, and prints what it found.
pub(crate) fn run(arguments: &ConsoleArguments, is_json: bool) -> Outcome<()> {
    let folder = RunFolder::create()?;
    let program = tollgate::build()?;
    let site = Site::with_database(folder.subfolder("console")?, arguments.database.clone());
    let found = time_lists(&program, &site)?;
    let text = if is_json { serde_json::to_string(&found)? } else { found.to_string() };
    writeln!(std::io::stdout(), "{text}")?;
    if arguments.plans {
        for (statement, plan) in plans::of(&program, &site)? {
            writeln!(std::io::stdout(), "{statement}\n    {}", plan.join("\n    "))?;
        }
    }
    Ok(())
}

/// Makes fresh databases with so many calls and times the lists on both.
pub(crate) fn measure(folder: &RunFolder, program: &Path, size: Size) -> Outcome<Console> {
    let site = Site::with_sqlite(folder.subfolder("console")?);
    let sqlite = fill_and_time(program, &site, size)?;
    let postgres = match Cluster::start(folder, "console-postgres")? {
        None => None,
        Some(cluster) => {
            let site = Site::with_database(folder.subfolder("console-server")?, cluster.create_database("console")?);
            let found = fill_and_time(program, &site, size).map_err(|failure| cluster.explain(&failure))?;
            cluster.stop()?;
            Some(found)
        }
    };
    let (heaviest, bytes) = weigh(program, &Site::with_sqlite(folder.subfolder("console-empty")?))?;
    Ok(Console {
        invocations: size.invocations,
        accounts: size.accounts,
        sqlite,
        postgres,
        heaviest_kib: rounded(count_f64(u64::try_from(bytes).unwrap_or(u64::MAX)) / 1_024.0),
        heaviest,
    })
}

fn fill_and_time(program: &Path, site: &Site, size: Size) -> Outcome<Lists> {
    let seeded_s = seed::fill(site.database_url(), size)?;
    let mut lists = time_lists(program, site)?;
    let installation = Tollgate::start_plain(program, site)?.stop()?;
    lists.verify = Some(verify::check_sound(&installation)?);
    lists.seeded_s = Some(rounded(seeded_s));
    for (page, timed) in &lists.pages {
        if timed.p95_ms > P95_MS_MAX {
            note(&format!("console: `{page}` takes {} ms", timed.p95_ms));
        }
    }
    Ok(lists)
}

fn time_lists(program: &Path, site: &Site) -> Outcome<Lists> {
    let tollgate = Tollgate::start_plain(program, site)?;
    let visitor = sign_in(&tollgate)?;
    let (mut pages, mut not_there) = (BTreeMap::new(), Vec::new());
    for (list, address) in addresses(&visitor)? {
        let Some(address) = address else {
            not_there.push(list.route);
            continue;
        };
        for query in list.queries {
            let (address, name) = (with_query(&address, query), with_query(list.route, query));
            let timed = time(&visitor, &address)?;
            note(&format!("{:>8.1}{:>8.1} ms  {name}", timed.p50_ms, timed.p95_ms));
            pages.insert(name, timed);
        }
    }
    drop(tollgate.stop()?);
    Ok(Lists { seeded_s: None, verify: None, pages, not_there })
}

/// Every list with its address below the console's root, without a query; `None` where nothing leads to such a page.
fn addresses(visitor: &Visitor) -> Outcome<Vec<(&'static lists::List, Option<String>)>> {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut found = Vec::new();
    for list in lists::LISTS {
        let address = if list.found_on.is_empty() {
            Some(list.route.to_owned())
        } else {
            let on = known.get(list.found_on).cloned().unwrap_or_else(|| list.found_on.to_owned());
            if on.contains('{') { None } else { visitor.find_link(&on, list.route)? }
        };
        if let Some(address) = &address {
            known.insert(list.route, address.clone());
        }
        found.push((list, address));
    }
    Ok(found)
}

fn with_query(address: &str, query: &str) -> String {
    if query.is_empty() { address.to_owned() } else { format!("{address}?{query}") }
}

fn time(visitor: &Visitor, address: &str) -> Outcome<Timed> {
    let mut times_ms = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begin = Instant::now();
        visitor.page(address)?;
        times_ms.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(timed(times_ms))
}

/// What so many milliseconds come to: of 40 the p95 is the 38th.
pub(crate) fn timed(mut times_ms: Vec<f64>) -> Timed {
    times_ms.sort_by(f64::total_cmp);
    let place = times_ms.len().saturating_mul(95).div_ceil(100).saturating_sub(1);
    let p95_ms = times_ms.get(place).copied().unwrap_or_default();
    Timed { p50_ms: rounded(median(times_ms)), p95_ms: rounded(p95_ms) }
}

/// An operator who may see everything, made and signed in.
fn sign_in(tollgate: &Tollgate) -> Outcome<Visitor> {
    const PASSWORD: &str = "correct horse battery staple";
    // nobody of an earlier start has it
    let email = format!("reads-{}-{}@example.com", std::process::id(), tollgate.address().port());
    let made: Value = tollgate.installation().run_json(&[
        "operator",
        "create",
        "--role",
        "auditor",
        "--role",
        "policy_editor",
        "--name",
        "Reads",
        "--email",
        &email,
        "--json",
    ])?;
    let link = made.get("link").and_then(Value::as_str).and_then(|link| link.get(link.find("/admin/link/")?..));
    let link = link.ok_or_else(|| Failure::new(format!("no link in {made}")))?;
    let mut visitor = Visitor::new(tollgate.address());
    visitor.submit(link, &[("password", PASSWORD), ("again", PASSWORD)])?;
    visitor.submit("/admin/sign-in", &[("email", &email), ("password", PASSWORD), ("code", "")])?;
    // A code that ends with its half minute on the way there is refused; the next one is not.
    enrol(&mut visitor).or_else(|_ended| enrol(&mut visitor))?;
    Ok(visitor)
}

/// Enrols the second factor that the editor of policies asks for.
fn enrol(visitor: &mut Visitor) -> Outcome<()> {
    const PATH: &str = "/admin/me/factor";
    let page = visitor.open(PATH)?;
    let secret = visitor::between(&page, "<code>", '<').into_iter().find_map(TotpSecret::parse);
    let secret = secret.ok_or_else(|| Failure::new(format!("no secret in {page}")))?;
    let code = secret.code_at(step_at(SystemClock::start().wall_us()));
    visitor.submit_shown(&page, PATH, &[("code", &code)])
}

/// The heaviest page of an empty database: its address and its bytes, packed, with those of its style and scripts.
fn weigh(program: &Path, site: &Site) -> Outcome<(String, usize)> {
    let tollgate = Tollgate::start_plain(program, site)?;
    let visitor = sign_in(&tollgate)?;
    let mut heaviest = (String::new(), 0);
    for (list, address) in addresses(&visitor)? {
        let Some(address) = address else { continue };
        let page = visitor.page(&address)?;
        let mut bytes = packed(&page)?;
        for part in visitor::parts(&String::from_utf8_lossy(&page)) {
            bytes = bytes.saturating_add(packed(&visitor.get(&part)?)?);
        }
        if bytes > heaviest.1 {
            heaviest = (list.route.to_owned(), bytes);
        }
    }
    if heaviest.1 > WEIGHT_MAX {
        note(&format!("console: `{}` weighs {} bytes", heaviest.0, heaviest.1));
    }
    drop(tollgate.stop()?);
    Ok(heaviest)
}

fn packed(bytes: &[u8]) -> Outcome<usize> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::new(6));
    packer.write_all(bytes)?;
    Ok(packer.finish()?.len())
}

impl fmt::Display for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<(&String, &Timed)> = self.pages.iter().collect();
        rows.sort_by(|left, right| right.1.p95_ms.total_cmp(&left.1.p95_ms));
        if let (Some(seeded_s), Some(verify)) = (self.seeded_s, &self.verify) {
            writeln!(f, "made in {seeded_s:.0} s; {} postings verified in {:.0} s", verify.postings, verify.seconds)?;
        }
        write!(f, "  p50 ms  p95 ms  page")?;
        for (page, timed) in rows {
            write!(f, "\n{:>8.1}{:>8.1}  {page}", timed.p50_ms, timed.p95_ms)?;
        }
        if self.not_there.is_empty() { Ok(()) } else { write!(f, "\nnot there: {}", self.not_there.join(", ")) }
    }
}

impl fmt::Display for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invocations, accounts, sqlite, postgres, heaviest_kib, heaviest } = self;
        write!(f, "console with {invocations} calls of {accounts} accounts, SQLite: {sqlite}")?;
        match postgres {
            Some(postgres) => write!(f, "\nPostgreSQL: {postgres}")?,
            None => write!(f, "\nPostgreSQL: not measured")?,
        }
        write!(f, "\nheaviest page without data, packed, with style and scripts: {heaviest_kib:.1} KiB, `{heaviest}`")
    }
}
