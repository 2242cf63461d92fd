//! Whether the database is there. Whoever waits for its connection knows first; everybody else asks before waiting.

use std::sync::Arc;

use tokio::sync::watch;

/// Why something was refused without being tried.
pub(super) const AWAY: &str = "the database is away";

/// Shared by all who use one database: cheap to clone.
#[derive(Debug, Clone)]
pub struct Presence(Arc<watch::Sender<bool>>);

impl Default for Presence {
    /// Taken to be there until somebody says otherwise.
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Presence {
    /// Whether it is away. What needs it fails at once then.
    pub fn is_away(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when it is away.
    pub async fn until_away(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        drop(self.0.subscribe().wait_for(|is_away| *is_away).await);
    }

    /// Says whether it is away; true if that is news.
    pub fn set_away(&self, is_away: bool) -> bool {
        self.0.send_if_modified(|known| std::mem::replace(known, is_away) != is_away)
    }
}
