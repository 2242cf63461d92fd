//! Sign-ins that failed, of customers and of operators. Whoever guesses passwords may not fill the disk with the trail of it:
//! failures are counted here, by account, and written behind the answer: the first of an hour at once, the others as one number when the hour is over.
//! An address that no account has is not kept: people type passwords there, too.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::json;

use crate::{
    audit::{Action, Actor, AuditEntry, Method, OpContext},
    id::{AccountId, OperatorId},
    service::{Services, outbox::unexpected},
    store::{StoreError, UnitOfWork},
};

/// How long failures are put together, in microseconds.
pub(super) const WINDOW_US: i64 = 3_600_000_000;
/// How many customers have a number of their own in one window; the others share one. Operators are few.
pub(super) const NAMED_MAX: usize = 50;

/// Where somebody wanted to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::service) enum Door {
    /// As a customer.
    Account,
    /// In the console.
    Operator,
}

impl Door {
    /// The kind of object in the audit trail, and what is told there.
    const fn told(self) -> (&'static str, Action) {
        match self {
            Self::Account => ("account", Action::AccountSignInFailed),
            Self::Operator => ("operator", Action::OperatorSignInFailed),
        }
    }
}

/// Whose failures are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::service) enum Whose {
    /// Of this customer.
    Account(AccountId),
    /// Of this operator.
    Operator(OperatorId),
    /// Of addresses that nobody has.
    Unknown(Door),
    /// Of customers beyond [`NAMED_MAX`].
    Others,
}

impl Whose {
    const fn door(self) -> Door {
        match self {
            Self::Account(_) | Self::Others => Door::Account,
            Self::Operator(_) => Door::Operator,
            Self::Unknown(door) => door,
        }
    }
}

/// Failures that are not written yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) count: u64,
    /// When the first and the last of them were, in microseconds since the Unix epoch.
    pub(super) first_us: i64,
    pub(super) last_us: i64,
}

/// What one window has seen.
#[derive(Debug, Default)]
struct Window {
    /// When its first failure was, in microseconds since the Unix epoch.
    begun_us: Option<i64>,
    /// `None`: all that was counted is written.
    tallies: BTreeMap<Whose, Option<Tally>>,
    /// Those whose first failure of this window is written.
    told: Vec<Whose>,
}

/// The present window.
#[derive(Debug, Default)]
pub(in crate::service) struct FailedSignIns(Mutex<Window>);

impl FailedSignIns {
    fn window(&self) -> MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a failure at `now_us` (microseconds since the Unix epoch).
    pub(in crate::service) fn count(&self, whose: Whose, now_us: i64) {
        let mut window = self.window();
        window.begun_us.get_or_insert(now_us);
        let is_named = |whose| window.tallies.contains_key(&whose) || window.tallies.len() < NAMED_MAX;
        let whose = match whose {
            Whose::Account(_) if !is_named(whose) => Whose::Others,
            named => named,
        };
        window.add(whose, Tally { count: 1, first_us: now_us, last_us: now_us });
    }

    /// What is to be written at `now_us`: the first failures of each account; the rest when the window is over, or
    /// `at_once`. It counts as written.
    pub(super) fn take_due(&self, now_us: i64, at_once: bool) -> Vec<(Whose, Tally)> {
        let mut window = self.window();
        // A clock that was set back ends a window, too.
        let is_over = window.begun_us.is_some_and(|us| now_us < us || now_us.saturating_sub(us) >= WINDOW_US);
        let mut due = Vec::new();
        let Window { tallies, told, .. } = &mut *window;
        for (whose, tally) in tallies {
            if at_once || is_over || !told.contains(whose) {
                due.extend(tally.take().map(|tally| (*whose, tally)));
            }
        }
        told.extend(due.iter().map(|(whose, _)| *whose));
        if is_over {
            *window = Window::default();
        }
        due
    }

    /// Takes back what could not be written.
    pub(super) fn give_back(&self, due: Vec<(Whose, Tally)>) {
        let mut window = self.window();
        for (whose, tally) in due {
            window.begun_us.get_or_insert(tally.first_us);
            window.add(whose, tally);
            window.told.retain(|told| *told != whose);
        }
    }
}

impl Window {
    fn add(&mut self, whose: Whose, more: Tally) {
        let tally = self.tallies.entry(whose).or_default();
        *tally = Some(match *tally {
            None => more,
            Some(known) => Tally {
                count: known.count.saturating_add(more.count),
                first_us: known.first_us.min(more.first_us),
                last_us: known.last_us.max(more.last_us),
            },
        });
    }
}

fn told((whose, tally): &(Whose, Tally)) -> AuditEntry {
    let by = OpContext { actor: Actor::Stranger, method: Method::Password, request: None };
    let id = match whose {
        Whose::Account(id) => id.to_string(),
        Whose::Operator(id) => id.to_string(),
        Whose::Unknown(_) => "unknown".to_owned(),
        Whose::Others => "others".to_owned(),
    };
    let after = json!({"failures": tally.count, "first_us": tally.first_us, "last_us": tally.last_us});
    let (kind, action) = whose.door().told();
    by.entry(action, kind, id).after(after)
}

impl Services {
    /// Writes the failed sign-ins that are due into the audit trail; all of them `at_once`, because the program ends.
    ///
    /// # Errors
    /// The database failed: they are written later.
    pub async fn write_failed_sign_ins(&self, at_once: bool) -> Result<(), StoreError> {
        let due = self.failed_sign_ins.take_due(self.clock.now_us(), at_once);
        let mut entries = due.iter().map(told);
        let Some(first) = entries.next() else { return Ok(()) };
        let unit = UnitOfWork::new().audited(first).and(entries);
        match self.ledger.save(unit).await {
            Ok(_) => Ok(()),
            Err(not_saved) => {
                self.failed_sign_ins.give_back(due);
                Err(unexpected("audit", not_saved))
            }
        }
    }
}

#[cfg(test)]
mod tests;
