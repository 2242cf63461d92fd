//! A case on its stage: a ledger of its own, what was given, what happens.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use engine::{
    clock::Clock,
    id::IdSource,
    ledger::{LedgerAccountId, Post},
    policy::{Policies, PolicySources},
    service::Services,
    store::{Database, writer::Command},
    testing::ManualClock,
};
use serde_json::Value;
use tokio::task::JoinSet;

use super::{
    accounts::Accounts,
    calls::Call,
    case::Case,
    commands::{Fields, word},
};
use crate::ledger::desk::{Desk, Kind, SECOND_US};

/// What was said to one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Our word; empty for operations that are not answered.
    pub(super) word: String,
    /// What the operation did to a hold.
    pub(super) deed: Option<&'static str>,
    /// The HTTP status, for calls.
    pub(super) status: Option<u16>,
    /// Whether the upstream was called.
    pub(super) dispatched: bool,
    /// A number that was read.
    pub(super) number: Option<i64>,
}

impl Outcome {
    pub(super) fn word(word: &str) -> Self {
        Self { word: word.to_owned(), ..Self::default() }
    }
}

/// A ledger, the case's accounts in it, and what was said so far.
pub(super) struct Stage {
    pub(super) desk: Desk,
    pub(super) accounts: Accounts,
    group: String,
    /// Posts that writers have prepared, by the writers' names, with the number that the case gives them.
    pub(super) prepared: BTreeMap<String, (i64, Post)>,
    /// The numbers that the last seal covered.
    pub(super) sealed: Vec<i64>,
    pub(super) is_tampered: bool,
}

/// Counts of the books, to see what was added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) postings: i64,
    pub(super) refusals: i64,
}

/// Something that can be asked together with others.
enum Ask {
    Command(Box<Command>),
    Call(Box<Call>),
    Tick(Option<i64>),
    /// A request that never gets as far as the ledger.
    Invalid,
}

/// Plays a case and compares.
pub(super) async fn run(case: &Case, kind: Kind) -> Result<(), String> {
    let mut stage = Stage::set(case, kind).await?;
    let before = stage.sizes();
    let credited = stage.credited();
    let mut outcomes = Vec::new();
    for op in &case.when {
        outcomes.extend(stage.play(op).await?);
    }
    stage.check(case, &outcomes, before, &credited).await
}

impl Stage {
    async fn set(case: &Case, kind: Kind) -> Result<Self, String> {
        let desk = Desk::open_on(kind).await;
        let accounts = Accounts::open(&desk, case).await?;
        let group = case.group().to_owned();
        let (prepared, sealed) = (BTreeMap::new(), Vec::new());
        let mut stage = Self { desk, accounts, group, prepared, sealed, is_tampered: false };
        for (name, value) in &case.given {
            match (name.as_str(), value) {
                ("accounts" | "note", _) => {}
                ("done", Value::Array(done)) => {
                    for op in done {
                        for outcome in stage.play(op).await? {
                            let is_fine = [
                                "ok",
                                "processed",
                                "running",
                                "",
                                "upstream_failed",
                                "validation_error",
                                "outcome_unknown",
                            ];
                            if !is_fine.contains(&outcome.word.as_str()) {
                                return Err(format!("given {op}: {}", outcome.word));
                            }
                        }
                    }
                }
                ("history", Value::Array(history)) => stage.play_history(history).await?,
                ("chain", Value::String(text)) => stage.write_chain(text).await?,
                _ => return Err(format!("`given.{name}` has no meaning here")),
            }
        }
        Ok(stage)
    }

    pub(super) async fn account(&mut self, name: &str) -> Result<LedgerAccountId, String> {
        self.accounts.id(&self.desk, name, &self.group).await
    }

    /// What the program itself would tell the owner of a wallet.
    pub(super) async fn available(&self, wallet: LedgerAccountId) -> Result<i64, String> {
        let database = Database::open(&self.desk.url()).await.map_err(|error| error.to_string())?;
        let sources = PolicySources { schema: policies::SCHEMA, policies: policies::BASE };
        let policies = Policies::load(sources).map_err(|error| error.to_string())?;
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.desk.clock);
        let ids: Arc<dyn IdSource> = Arc::<engine::testing::SeededIds>::clone(&self.desk.ids);
        let services = Services::start(database, self.desk.ledger().clone(), clock, ids, policies)
            .await
            .map_err(|error| error.to_string())?;
        let balance = services.load_balance(wallet, self.desk.now_us()).await.map_err(|error| error.to_string())?;
        Ok(balance.available().micros())
    }

    pub(super) fn sizes(&self) -> Sizes {
        let count = |table: &str| self.desk.number(&format!("SELECT count(*) FROM {table}"));
        Sizes { postings: count("posting"), refusals: count("refusal") }
    }

    /// What every account has received, by its number.
    pub(super) fn credited(&self) -> BTreeMap<i64, i64> {
        let rows = self.desk.rows("SELECT credit, sum(amount) FROM posting GROUP BY credit");
        rows.iter().map(|row| (row[0].parse().unwrap(), row[1].parse().unwrap())).collect()
    }

    async fn ask(&mut self, op: &Value) -> Result<Option<Ask>, String> {
        if let Some(command) = self.command(op).await? {
            return Ok(Some(Ask::Command(Box::new(command))));
        }
        match op["op"].as_str().ok_or_else(|| format!("{op} is no operation"))? {
            name if name.starts_with("http") => {
                Ok(Some(self.call(op).await?.map_or(Ask::Invalid, |call| Ask::Call(Box::new(call)))))
            }
            "sweep" => {
                let mut fields = Fields::of(op)?;
                let at_s = fields.number("at_s")?;
                fields.end()?;
                Ok(Some(Ask::Tick(at_s)))
            }
            _ => Ok(None),
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Outcome, String> {
        answer(self.desk.ledger().clone(), Arc::clone(&self.desk.clock), ask).await
    }

    /// Lets one operation happen. What it says is a list, because a batch says several things.
    async fn play(&mut self, op: &Value) -> Result<Vec<Outcome>, String> {
        if let Some(ask) = self.ask(op).await? {
            if op["client_times_out"] == true {
                // The command is on its way when its client goes.
                let gone = tokio::time::timeout(Duration::ZERO, self.answer(ask)).await;
                drop(gone);
                return Ok(vec![Outcome::word("unknown")]);
            }
            return Ok(vec![self.answer(ask).await?]);
        }
        let mut fields = Fields::of(op)?;
        let name = fields.text("op")?;
        match name {
            "parallel" | "batch" => return self.play_together(fields).await,
            "split" => return Ok(vec![self.split(op).await?]),
            "tamper" => {
                self.tamper(op)?;
                return Ok(vec![Outcome::default()]);
            }
            "advance" => {
                let (seconds, is_swept) =
                    (fields.number("s")?.unwrap_or(0), fields.get("sweep") != Some(&Value::Bool(false)));
                self.desk.clock.advance_us(seconds * SECOND_US);
                if is_swept {
                    self.answer(Ask::Tick(None)).await?;
                }
            }
            "backdate" => {
                let outcome = self.backdate(&mut fields).await?;
                fields.end()?;
                return Ok(vec![outcome]);
            }
            "close_account" => self.close_account(&mut fields).await?,
            "restart" | "crash" => self.desk.restart(),
            "read" | "verify" => {}
            "read_available" => {
                let wallet = self.account(fields.text("account")?).await?;
                let number = Some(self.available(wallet).await?);
                fields.end()?;
                return Ok(vec![Outcome { number, ..Outcome::default() }]);
            }
            other => match self.writers(other).await? {
                Some(outcome) => {
                    fields.end()?;
                    return Ok(vec![outcome]);
                }
                None => return Err(format!("`{other}` has no meaning here")),
            },
        }
        fields.end()?;
        Ok(vec![Outcome::default()])
    }

    /// Everything at once, each from a task of its own, while another one looks on.
    async fn play_together(&mut self, mut fields: Fields<'_>) -> Result<Vec<Outcome>, String> {
        let ops = fields.get("ops").and_then(Value::as_array).ok_or("nothing to do together")?;
        let times = fields.number("n")?.unwrap_or(1);
        fields.end()?;
        let mut tasks = JoinSet::new();
        let mut asks = Vec::new();
        for _ in 0..times {
            for op in ops {
                asks.push(self.ask(op).await?.ok_or_else(|| format!("{op} cannot happen together with others"))?);
            }
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let looker = {
            let below = "SELECT count(*) FROM wallet_balance WHERE credits - debits - held + overdraft < 0";
            let (look, is_over) = (self.desk.looker(below), Arc::clone(&is_over));
            std::thread::spawn(move || look_on(look, &is_over))
        };
        for (number, ask) in asks.into_iter().enumerate() {
            let (ledger, clock) = (self.desk.ledger().clone(), Arc::clone(&self.desk.clock));
            tasks.spawn(async move { (number, answer(ledger, clock, ask).await) });
        }
        let mut answers = tasks.join_all().await;
        is_over.store(true, Ordering::SeqCst);
        looker.join().map_err(|_panic| "a wallet was below zero".to_owned())?;
        answers.sort_by_key(|(number, _)| *number);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Looks at the wallets from another connection until it is over; no look may find one below zero.
fn look_on(look: impl Fn() -> Vec<Vec<String>>, is_over: &AtomicBool) {
    loop {
        let is_last = is_over.load(Ordering::SeqCst);
        assert_eq!(look(), [["0"]], "a wallet is below zero");
        if is_last {
            return;
        }
    }
}

async fn answer(ledger: engine::store::Ledger, clock: Arc<ManualClock>, ask: Ask) -> Result<Outcome, String> {
    match ask {
        Ask::Command(command) => {
            let (word, deed) = word(ledger.command(*command).await.map_err(|error| error.to_string())?);
            Ok(Outcome { deed, ..Outcome::word(word) })
        }
        Ask::Call(call) => call.make(&ledger).await,
        Ask::Tick(at_s) => {
            clock.advance_us(at_s.unwrap_or(0) * SECOND_US);
            ledger.tick().await.map_err(|error| error.to_string())?;
            Ok(Outcome::default())
        }
        Ask::Invalid => Ok(Outcome { status: Some(422), ..Outcome::word("validation_error") }),
    }
}
