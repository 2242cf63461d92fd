//! What a call is, as its number says: the same seed draws the same calls.

use super::world::World;
use crate::driver::scatter;

/// In hundreds of calls.
const PERCENT: u64 = 100;

/// Who calls: a place in the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// An account.
    Account(usize),
    /// An end user of a partner.
    EndUser(usize),
}

/// How the upstream answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a result.
    Completed,
    /// It breaks.
    Failed,
    /// It does not accept the arguments.
    Rejected,
    /// Not in time: nobody knows what it did.
    Lost,
}

/// One call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Draw {
    pub(super) who: Who,
    /// A place in the list of tools.
    pub(super) tool: usize,
    pub(super) ending: Ending,
    /// Its arguments do not fit the tool's schema.
    pub(super) is_malformed: bool,
    /// It has an idempotency key.
    pub(super) is_keyed: bool,
    /// What it costs goes back.
    pub(super) is_refunded: bool,
}

/// How many there are to draw from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws {
    seed: u64,
    accounts: u64,
    end_users: u64,
    tools: u64,
}

impl Draws {
    pub(super) fn new(seed: u64, world: &World) -> Self {
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        Self::of(seed, count(world.accounts.len()), count(world.end_users.len()), count(world.tools.len()))
    }

    const fn of(seed: u64, accounts: u64, end_users: u64, tools: u64) -> Self {
        Self { seed, accounts, end_users, tools }
    }

    /// Call number `number`.
    pub(super) fn call(self, number: u64) -> Draw {
        // each question has digits of its own
        let digits = |question: u64| scatter(self.seed ^ scatter(number ^ scatter(question << 56)));
        let percent = |question: u64| digits(question) % PERCENT;
        let who = if percent(1) < 70 {
            Who::Account(place(uneven(digits(2), self.accounts)))
        } else {
            Who::EndUser(place(uneven(digits(2), self.end_users)))
        };
        let ending = match digits(4) % 10_000 {
            0..=399 => Ending::Failed,
            400..=599 => Ending::Rejected,
            600..=602 => Ending::Lost,
            _ => Ending::Completed,
        };
        Draw {
            who,
            tool: place(uneven(digits(3), self.tools)),
            ending,
            is_malformed: percent(5) < 2,
            is_keyed: percent(6) < 3,
            is_refunded: digits(7) % 1_000 == 0,
        }
    }

    /// 74 random bits for the name of call number `number`.
    pub(super) fn name(self, number: u64) -> [u8; 10] {
        let bytes = |question: u64| scatter(self.seed ^ scatter(number ^ scatter(question << 56))).to_le_bytes();
        let mut name = [0; 10];
        for (to, from) in name.iter_mut().zip(bytes(8).into_iter().chain(bytes(9))) {
            *to = from;
        }
        name
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A number below `count`; small ones come more often, the first twice as often as evenly.
fn uneven(digits: u64, count: u64) -> u64 {
    let draw = |part: u64| part.checked_rem(count).unwrap_or(0);
    draw(digits & 0xffff_ffff).min(draw(digits >> 32))
}

#[cfg(test)]
mod tests;
