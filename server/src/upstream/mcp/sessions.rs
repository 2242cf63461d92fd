//! All sessions with MCP servers: one for each URL and what is asked of its callers, opened by the first call, left after a while
//! without any. What one account publishes takes a part of them at most, so that there is room for everybody else's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use engine::{id::AccountId, ledger::leaf::sha256, upstream::Credential};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    super::http::Shared,
    session::{NotOpened, Session},
};

/// So many sessions are kept; then the one that was idle for longest makes room.
pub(super) const SESSIONS_MAX: usize = 512;
/// So many of them with the servers of one account that publishes; then its own that was idle for longest makes room.
pub(super) const SESSIONS_PER_OWNER_MAX: usize = 32;
/// A session without a call for so long is left.
pub(super) const SESSION_IDLE: Duration = Duration::from_mins(5);
/// How often idle sessions are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Why there is no session for a call.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoSession {
    #[error("{SESSIONS_MAX} sessions are in use already")]
    TooMany,
    #[error("{SESSIONS_PER_OWNER_MAX} sessions with servers of this publisher are in use already")]
    TooManyOfOwner,
    #[error("the deadline passed before there was a session")]
    Late,
    #[error("the session could not be opened for a call that came before")]
    NotOpenedForAnother,
    #[error(transparent)]
    NotOpened(#[from] NotOpened),
}

/// The place of one URL's session. Whoever opens it holds the lock, and the others wait for what comes of it: if that is
/// nothing, they have nothing either, and do not try one after the other.
struct Slot {
    session: tokio::sync::Mutex<Option<Arc<Session>>>,
    used: Mutex<Instant>,
    failed: Mutex<Option<Instant>>,
}

impl Slot {
    fn new() -> Self {
        Self { session: tokio::sync::Mutex::new(None), used: Mutex::new(Instant::now()), failed: Mutex::new(None) }
    }

    fn fail_now(&self) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn has_failed_since(&self, asked: Instant) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|failed| failed > asked)
    }

    fn use_now(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last_used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody opens it and no call is open in it.
    fn is_idle(self: &Arc<Self>) -> bool {
        // one is the map's own
        let is_held = Arc::strong_count(self) > 1;
        let session = self.session.try_lock();
        !is_held && session.is_ok_and(|session| session.as_ref().is_none_or(|session| Arc::strong_count(session) == 1))
    }
}

/// With whom, as whom, and for whose tools: nobody speaks in a session that was opened with another one's secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct With {
    url: String,
    /// A digest of the credential.
    as_whom: Option<[u8; 32]>,
    /// The account that publishes the tools; `None` where an operator has declared them, which no bound of its own holds for.
    owner: Option<AccountId>,
}

impl With {
    pub(super) fn new(url: &str, credential: Option<&Credential>, owner: Option<AccountId>) -> Self {
        let as_whom = credential.map(|credential| {
            let place = credential.place().as_str();
            sha256([place, "\n", credential.name(), "\n", credential.secret()].concat().as_bytes())
        });
        Self { url: url.to_owned(), as_whom, owner }
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<With, Arc<Slot>>>);

impl Sessions {
    /// The session with this server, opened now with `credential` if there is none that the server still knows.
    pub(super) async fn find_or_open(
        &self,
        shared: &Arc<Shared>,
        with: &With,
        credential: Option<&Arc<Credential>>,
        deadline: Instant,
    ) -> Result<Arc<Session>, NoSession> {
        let slot = self.slot(with)?;
        let asked = Instant::now();
        let opening = async {
            let mut place = slot.session.lock().await;
            if slot.has_failed_since(asked) {
                return Err(NoSession::NotOpenedForAnother);
            }
            if let Some(session) = place.as_ref()
                && session.is_open(shared.generation())
                && session.is_known().await
            {
                return Ok(Arc::clone(session));
            }
            *place = None;
            let session = Arc::new(
                Session::open(shared, &with.url, credential.cloned()).await.inspect_err(|_error| slot.fail_now())?,
            );
            *place = Some(Arc::clone(&session));
            Ok(session)
        };
        let opened = timeout_at(deadline, Box::pin(opening)).await.map_err(|_elapsed| NoSession::Late)?;
        slot.use_now();
        opened
    }

    /// Leaves idle sessions, for as long as there are any who could call.
    pub(super) async fn leave_idle(sessions: Weak<Self>) {
        loop {
            sleep(LOOK_EVERY).await;
            let Some(sessions) = sessions.upgrade() else { return };
            sessions.leave_unused_since(Instant::now().checked_sub(SESSION_IDLE));
        }
    }

    /// Leaves what nobody has used since then.
    pub(super) fn leave_unused_since(&self, since: Option<Instant>) {
        let Some(since) = since else { return };
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| slot.last_used() > since || !slot.is_idle());
    }

    fn slot(&self, with: &With) -> Result<Arc<Slot>, NoSession> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(with) {
            slot.use_now();
            return Ok(Arc::clone(slot));
        }
        let is_owners = |other: &With| with.owner.is_some() && other.owner == with.owner;
        if slots.keys().filter(|other| is_owners(other)).count() >= SESSIONS_PER_OWNER_MAX {
            leave_oldest(&mut slots, is_owners).ok_or(NoSession::TooManyOfOwner)?;
        }
        if slots.len() >= SESSIONS_MAX {
            leave_oldest(&mut slots, |_| true).ok_or(NoSession::TooMany)?;
        }
        let slot = Arc::new(Slot::new());
        slots.insert(with.clone(), Arc::clone(&slot));
        Ok(slot)
    }

    /// How many calls wait for a session.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().map(|slot| Arc::strong_count(slot).saturating_sub(1)).sum()
    }

    /// How many are kept.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Leaves the one of these sessions that was idle for longest; `None` if all of them are in use.
fn leave_oldest(slots: &mut HashMap<With, Arc<Slot>>, is_one: impl Fn(&With) -> bool) -> Option<()> {
    let idle = slots.iter().filter(|(with, slot)| is_one(with) && slot.is_idle());
    let oldest = idle.min_by_key(|(_, slot)| slot.last_used()).map(|(with, _)| with.clone())?;
    slots.remove(&oldest).map(drop)
}

#[cfg(test)]
mod tests;
