//! Checks credits that expire: that every grant is funded, that holds took from grants of their own wallet before these
//! expired, and which grants have lapsed. Slots are read one after the other, so what may stand in another slot is compared
//! when all have been read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ProblemKind, Problems, key_of};
use crate::{
    id::EntryId,
    ledger::{
        accounts::LedgerAccountId,
        command::TransactionKind,
        grants::GrantEntry,
        leaf::{HoldEntry, Position, TransactionEntry},
    },
};

/// What holds took from one account of a grant.
#[derive(Debug)]
struct Use {
    at: Position,
    grant: EntryId,
    wallet: LedgerAccountId,
    /// The last time that anything was taken, in microseconds since the Unix epoch, and where that was.
    latest: (i64, Position),
}

#[derive(Debug, Default)]
pub(super) struct Grants {
    given: BTreeMap<EntryId, (Position, GrantEntry)>,
    /// Their accounts.
    accounts: HashMap<LedgerAccountId, EntryId>,
    /// Those whose lapse is recorded, with the latest time of it. Some may be other transactions of this kind.
    lapsed: BTreeMap<EntryId, i64>,
    used: BTreeMap<LedgerAccountId, Use>,
    /// The grant just read, whose transaction must follow.
    due: Option<(Position, GrantEntry)>,
    /// What is open and has been compared.
    stored: BTreeSet<EntryId>,
}

const GRANT: (ProblemKind, &str) = (ProblemKind::GrantMismatch, "wallet_grant");

impl Grants {
    pub(super) fn given(&mut self, position: Position, grant: GrantEntry, problems: &mut Problems) {
        self.report_due(problems);
        if self.accounts.insert(grant.account, grant.id).is_some() {
            problems.add(GRANT.0, GRANT.1, key_of(position), || format!("account {} has a grant", grant.account));
        }
        if self.given.insert(grant.id, (position, grant)).is_some() {
            problems.add(GRANT.0, GRANT.1, key_of(position), || format!("{} was given before", grant.id));
        }
        self.due = Some((position, grant));
    }

    /// The next entry was read, or cannot be read.
    pub(super) fn forget_due(&mut self) {
        self.due = None;
    }

    pub(super) fn report_due(&mut self, problems: &mut Problems) {
        if let Some((position, _)) = self.due.take() {
            problems.add(GRANT.0, GRANT.1, key_of(position), || "its transaction does not follow".to_owned());
        }
    }

    pub(super) fn transaction(&mut self, position: Position, entry: &TransactionEntry, problems: &mut Problems) {
        if let Some((at, grant)) = self.due.take() {
            let is_funding = entry.id == grant.id
                && entry.hold.is_none()
                && !entry.legs.is_empty()
                && entry.legs.iter().all(|leg| leg.credit == grant.account);
            if !is_funding {
                problems.add(GRANT.0, GRANT.1, key_of(at), || {
                    format!("the transaction {} does not fund it", key_of(position))
                });
            }
        } else if let (TransactionKind::Grant, Some(grant)) = (entry.kind, entry.reverses) {
            // A server that waited for another one may give back a held part with a time from before it waited.
            let latest = self.lapsed.entry(grant).or_insert(entry.effective_us);
            *latest = entry.effective_us.max(*latest);
        }
    }

    pub(super) fn hold(&mut self, position: Position, recorded_us: i64, hold: &HoldEntry, problems: &mut Problems) {
        let mut rest = i128::from(hold.amount.micros());
        for source in &hold.sources {
            rest = rest.saturating_sub(source.amount.micros().into());
            let used = self.used.entry(source.account).or_insert_with(|| Use {
                at: position,
                grant: source.grant,
                wallet: hold.wallet,
                latest: (recorded_us, position),
            });
            if recorded_us > used.latest.0 {
                used.latest = (recorded_us, position);
            }
            if (used.grant, used.wallet) != (source.grant, hold.wallet) || source.amount.micros() <= 0 {
                problems.add(GRANT.0, "hold_source", key_of(position), || {
                    format!("takes {} from {} for wallet {}", source.amount, source.grant, hold.wallet)
                });
            }
        }
        if rest < 0 {
            problems.add(GRANT.0, "hold_source", key_of(position), || "takes more than is held".to_owned());
        }
    }

    /// All slots have been read.
    pub(super) fn end_books(&mut self, problems: &mut Problems) {
        self.report_due(problems);
        for (account, used) in std::mem::take(&mut self.used) {
            let given = self.given.get(&used.grant).map(|(_, grant)| *grant);
            let Some(grant) = given.filter(|grant| (grant.account, grant.wallet) == (account, used.wallet)) else {
                problems.add(GRANT.0, "hold_source", key_of(used.at), || {
                    format!("{} with account {account} was not given to wallet {}", used.grant, used.wallet)
                });
                continue;
            };
            let (latest_us, at) = used.latest;
            if latest_us >= grant.expires_us {
                problems.add(GRANT.0, "hold_source", key_of(at), || {
                    format!("{} expired at {}, it was taken from at {latest_us}", grant.id, grant.expires_us)
                });
            }
        }
        for (position, grant) in self.given.values() {
            if self.lapsed.get(&grant.id).is_some_and(|lapsed_us| *lapsed_us < grant.expires_us) {
                problems.add(GRANT.0, GRANT.1, key_of(*position), || "it lapsed before it expired".to_owned());
            }
        }
    }

    /// A row of the working state.
    pub(super) fn stored(&mut self, stored: &GrantEntry, problems: &mut Problems) {
        const OPEN: (ProblemKind, &str) = (ProblemKind::ProjectionMismatch, "open_grant");
        let known = self.given.get(&stored.id).filter(|_| !self.lapsed.contains_key(&stored.id));
        let Some((_, grant)) = known else {
            problems
                .add(OPEN.0, OPEN.1, stored.account, || format!("the books know no such open grant: {}", stored.id));
            return;
        };
        problems.compare(OPEN, stored.account, "wallet", (stored.wallet, grant.wallet));
        problems.compare(OPEN, stored.account, "account", (stored.account, grant.account));
        problems.compare(OPEN, stored.account, "priority", (stored.priority, grant.priority));
        problems.compare(OPEN, stored.account, "expires_us", (stored.expires_us, grant.expires_us));
        self.stored.insert(stored.id);
    }

    pub(super) fn report_missing(&self, problems: &mut Problems) {
        for (_, grant) in self.given.values() {
            if !self.lapsed.contains_key(&grant.id) && !self.stored.contains(&grant.id) {
                problems.add(ProblemKind::ProjectionMismatch, "open_grant", grant.account, || {
                    "the row is missing".to_owned()
                });
            }
        }
    }
}
