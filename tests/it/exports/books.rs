//! Books to export: a random history on a desk, whose writer has gone before the program comes. (Beside a running server
//! exports are tested in `market`.)

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use engine::{
    store::writer::Command as Asked,
    testing::{History, Step, World},
};
use serde_json::Value;
use tempfile::TempDir;
use tests::{patience::Ends as _, program::tollgate};

use crate::ledger::desk::{Desk, Kind, START_US};

const DAY_US: i64 = 86_400_000_000;

/// Books with a history, and a folder for what is exported from them.
pub(super) struct Books {
    pub(super) desk: Desk,
    pub(super) folder: TempDir,
    history: History,
}

impl Books {
    /// After so many steps of the history of `seed`; every seventh step a night goes by.
    pub(super) async fn after(kind: Kind, seed: u64, steps: usize) -> Self {
        println!("{kind:?}: history of seed {seed}, {steps} steps");
        let world = World::standard();
        let mut desk = Desk::open_world_on(kind, &world).await;
        desk.stop();
        let folder = tests::program::folder();
        let mut books = Self { desk, folder, history: History::new(seed, world, START_US) };
        books.go_on(steps).await;
        books
    }

    /// So many more steps.
    pub(super) async fn go_on(&mut self, steps: usize) {
        self.desk.start();
        for step_no in 0..steps {
            let desk = &mut self.desk;
            match self.history.next_step() {
                Step::Post(post) => drop(desk.ask(Asked::Post(post)).await),
                Step::Hold(hold) => drop(desk.ask(Asked::Hold(hold)).await),
                Step::Settle(settle) => drop(desk.ask(Asked::Settle(settle)).await),
                Step::Refund(refund) => drop(desk.ask(Asked::Refund(refund)).await),
                Step::Revert(revert) => drop(desk.ask(Asked::Revert(revert)).await),
                Step::Collect(collect) => drop(desk.ask(Asked::Collect(collect)).await),
                Step::Secure(secure) => drop(desk.ask(Asked::Secure(secure)).await),
                Step::Payout(payout) => drop(desk.ask(Asked::Payout(payout)).await),
                Step::Begin(begin) => drop(desk.ledger().begin(begin).await.unwrap()),
                Step::Finish(finish) => drop(desk.ledger().finish(finish).await.unwrap()),
                Step::Advance(by_us) => desk.clock.advance_us(by_us.min(DAY_US)),
                // What is closed gets no postings: that is not what this is about.
                Step::Give(give) => drop(desk.give(&give).await),
                Step::Close(_) => {}
                Step::Restart => desk.restart(),
            }
            if step_no % 60 == 59 {
                desk.clock.advance_us(DAY_US);
            }
        }
        // Whatever is due, and the calls of a writer that is gone, the next writer settles: here and not while exporting.
        self.desk.restart();
        self.desk.ledger().tick().await.unwrap();
        self.desk.stop();
    }

    /// `tollgate ledger …` on these books.
    pub(super) fn ledger(&self, arguments: &[&str]) -> Command {
        let mut command = tollgate(self.folder.path(), &[&["ledger"], arguments].concat());
        command.env("TOLLGATE_DATABASE__URL", self.desk.url());
        command
    }

    /// Where an export of this name is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Exports to a file of this name; its text and its manifest.
    pub(super) fn export(&self, name: &str, arguments: &[&str]) -> Exported {
        let output =
            self.ledger(&[&["export", "--json", "--replace", "--out", name], arguments].concat()).ended().unwrap();
        Exported::of(&self.path(name), &output)
    }

    /// What `ledger trial-balance` says: credits less debits by the account's name.
    pub(super) fn trial_balance(&self) -> Vec<(String, i128)> {
        let output = self.ledger(&["trial-balance", "--json"]).ended().unwrap();
        balances(&output)
    }
}

/// What `ledger trial-balance --json` printed.
pub(super) fn balances(output: &Output) -> Vec<(String, i128)> {
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let accounts = said["accounts"].as_array().unwrap().iter();
    let text = |account: &Value, name: &str| account[name].as_str().unwrap().to_owned();
    accounts.map(|account| (text(account, "code"), text(account, "balance_micros").parse().unwrap())).collect()
}

/// An export.
pub(super) struct Exported {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) manifest: Value,
}

impl Exported {
    /// One that went well: the manifest that was printed lies beside the file and says the truth about it.
    pub(super) fn of(path: &Path, output: &Output) -> Self {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(path).unwrap();
        let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
        let beside = std::fs::read(format!("{}.manifest.json", path.display())).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&beside).unwrap(), manifest);
        check_manifest(&manifest, &text);
        Self { path: path.to_owned(), text, manifest }
    }
}

/// What a manifest says of the bytes before it.
pub(super) fn check_manifest(manifest: &Value, text: &str) {
    let sha256 = engine::ledger::leaf::sha256(text.as_bytes());
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(manifest["bytes"].as_u64(), u64::try_from(text.len()).ok());
    assert_eq!(manifest["sha256"].as_str(), Some(sha256.as_str()));
}
