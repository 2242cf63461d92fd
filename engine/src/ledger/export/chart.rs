//! The names that reports use: accounts, publishers, partners, tools.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::ledger::{AccountKind, LedgerAccountId, Leg};

/// An account of the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartAccount {
    /// What it is for.
    pub kind: AccountKind,
    /// Its name.
    pub code: String,
    /// When it was opened, in microseconds since the Unix epoch.
    pub opened_us: i64,
}

impl ChartAccount {
    /// The part of its name that says whose it is; empty where there is none.
    pub fn owner(&self) -> &str {
        let class = self.kind.code("");
        self.code.strip_prefix(class.as_str()).and_then(|rest| rest.strip_prefix(':')).unwrap_or("")
    }
}

/// All names. Memory grows with the accounts and the tools.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    accounts: BTreeMap<LedgerAccountId, ChartAccount>,
    /// Slugs of publishers by their public identifiers.
    publishers: BTreeMap<String, String>,
    tools: BTreeMap<Uuid, String>,
}

/// What is said of an account that postings name and that the chart does not have.
const UNKNOWN: &str = "unknown";

impl Chart {
    /// With no names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an account that was opened at `opened_us`, in microseconds since the Unix epoch.
    pub fn account(&mut self, id: LedgerAccountId, kind: AccountKind, code: String, opened_us: i64) {
        self.accounts.insert(id, ChartAccount { kind, code, opened_us });
    }

    /// Takes in a publisher by its public identifier.
    pub fn publisher(&mut self, id: String, slug: String) {
        self.publishers.insert(id, slug);
    }

    /// Takes in a tool.
    pub fn tool(&mut self, id: Uuid, name: String) {
        self.tools.insert(id, name);
    }

    /// All accounts in the order of their numbers.
    pub const fn accounts(&self) -> &BTreeMap<LedgerAccountId, ChartAccount> {
        &self.accounts
    }

    /// The account's name.
    pub fn code(&self, id: LedgerAccountId) -> &str {
        self.accounts.get(&id).map_or(UNKNOWN, |account| &account.code)
    }

    /// What the account is for; `None` for one that the chart does not have.
    pub fn kind(&self, id: LedgerAccountId) -> Option<AccountKind> {
        self.accounts.get(&id).map(|account| account.kind)
    }

    /// The slug of the publisher that the account belongs to; else whatever its name says of its owner.
    pub fn publisher_of(&self, id: LedgerAccountId) -> &str {
        let owner = self.accounts.get(&id).map_or(UNKNOWN, ChartAccount::owner);
        self.publishers.get(owner).map_or(owner, String::as_str)
    }

    /// The tool's name; empty if there is none.
    pub fn tool_name(&self, id: Option<Uuid>) -> &str {
        id.and_then(|id| self.tools.get(&id)).map_or("", String::as_str)
    }

    /// Who gained what by these postings.
    pub fn flows(&self, legs: &[Leg]) -> Flows {
        let mut flows = Flows::default();
        for leg in legs {
            let amount = i128::from(leg.amount.micros());
            flows.add(self, leg.debit, amount.saturating_neg());
            flows.add(self, leg.credit, amount);
        }
        flows
    }
}

/// What a transaction brought to whom, in micro-credits: credits less debits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flows {
    /// To wallets.
    pub wallets: i128,
    /// To publishers: payable and receivable.
    pub publishers: i128,
    /// To partners.
    pub partners: i128,
    /// To the platform's fee.
    pub platform: i128,
    /// To all others.
    pub others: i128,
    /// The first wallet.
    pub wallet: Option<LedgerAccountId>,
    /// The first account of a publisher.
    pub publisher: Option<LedgerAccountId>,
    /// The platform's fee is among the accounts.
    pub has_fee: bool,
}

impl Flows {
    fn add(&mut self, chart: &Chart, account: LedgerAccountId, amount: i128) {
        let sum = match chart.kind(account) {
            // Also what belongs to one, such as a grant's own account.
            Some(kind) if kind.is_limited() => {
                self.wallet = self.wallet.or(Some(account));
                &mut self.wallets
            }
            Some(AccountKind::Payable | AccountKind::Receivable) => {
                self.publisher = self.publisher.or(Some(account));
                &mut self.publishers
            }
            Some(AccountKind::PartnerMargin) => &mut self.partners,
            Some(AccountKind::PlatformFee) => {
                self.has_fee = true;
                &mut self.platform
            }
            _ => &mut self.others,
        };
        *sum = sum.saturating_add(amount);
    }
}
