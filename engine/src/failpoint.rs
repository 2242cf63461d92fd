//! Places at which a test may end the process without warning, as a crash would. They exist only with the feature
//! `failpoints`, which the program as shipped is built without; there each of them is nothing at all.
//!
//! `failpoint!("after_hold")` marks a place. The process ends when it has come to the armed place for the n-th time.

/// Marks a place by its name.
#[cfg(feature = "store")]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::pass($name);
    };
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::{
        str::FromStr,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    /// Every place, in the order in which a call comes to them; the last one is behind the commit of a unit of work.
    const PLACES: [&str; 6] =
        ["before_hold", "after_hold", "after_upstream_answer", "inside_commit", "after_commit", "after_unit"];

    /// Where the process is to end. One for a process: a crash is of the whole process, too.
    static ARMED: OnceLock<Failpoint> = OnceLock::new();

    /// A place, and how often the process may still come to it.
    #[derive(Debug)]
    pub struct Failpoint {
        place: &'static str,
        passes_left: AtomicU64,
    }

    impl FromStr for Failpoint {
        type Err = String;

        /// Reads `after_hold:3`: the process ends when it comes to the place for the third time.
        fn from_str(text: &str) -> Result<Self, Self::Err> {
            let wrong = || format!("`{text}` is not a failpoint: expected PLACE:N with a PLACE of {PLACES:?}");
            let (name, passes) = text.split_once(':').ok_or_else(wrong)?;
            let place = PLACES.into_iter().find(|place| *place == name).ok_or_else(wrong)?;
            let passes = passes.parse().ok().filter(|passes| *passes > 0).ok_or_else(wrong)?;
            Ok(Self { place, passes_left: AtomicU64::new(passes) })
        }
    }

    /// Arms the one failpoint of this process; the first call counts.
    pub fn arm(failpoint: Failpoint) {
        ARMED.get_or_init(|| failpoint);
    }

    /// The process comes to a place. Nothing is unwound, flushed or closed when it ends there.
    pub(crate) fn pass(place: &str) {
        if let Some(armed) = ARMED.get().filter(|armed| armed.place == place)
            && armed.passes_left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            std::process::abort();
        }
    }
}

#[cfg(feature = "failpoints")]
pub(crate) use armed::pass;
#[cfg(feature = "failpoints")]
pub use armed::{Failpoint, arm};
