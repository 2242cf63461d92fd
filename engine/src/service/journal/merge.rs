//! Puts what was found in every slot into one list by the time of recording.

use std::collections::BTreeMap;

use crate::store::journal::pages::Place;

/// What was found in one slot.
pub(super) struct Part<T> {
    /// The newest first.
    rows: Vec<(Place, T)>,
    /// The newest entry of the slot that was not looked at; `None`: all were.
    unread: Option<Place>,
    /// It was not looked at because there is an end to looking, not because there was enough.
    is_bounded: bool,
}

impl<T> Part<T> {
    /// Of `rows`, the newest first. One more than `count` says that there are more; else `unread` is the newest entry that
    /// was not looked at.
    pub(super) fn new(mut rows: Vec<(Place, T)>, count: u64, unread: Option<Place>) -> Self {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let surplus = if rows.len() > count { rows.get(count).map(|(place, _)| *place) } else { None };
        rows.truncate(count);
        Self { rows, unread: surplus.or(unread), is_bounded: surplus.is_none() && unread.is_some() }
    }
}

/// A page of all slots.
#[derive(Debug)]
pub(super) struct Merged<T> {
    /// The newest first.
    pub(super) rows: Vec<T>,
    /// Of every slot that has more, the first entry that is not to come.
    pub(super) left: BTreeMap<i64, i64>,
    /// Up to when everything was looked at, if that is why the page ends; in microseconds since the Unix epoch.
    pub(super) looked_back_to_us: Option<i64>,
}

/// The first `count` rows of all parts. Nothing is listed that is older than what was not looked at in another slot: it
/// would come before something newer of the next page.
pub(super) fn merge<T>(parts: Vec<Part<T>>, count: u64) -> Merged<T> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let horizon = parts.iter().filter_map(|part| part.unread).max();
    let bounded = parts.iter().filter(|part| part.is_bounded).filter_map(|part| part.unread).max();
    let mut left: BTreeMap<i64, i64> = BTreeMap::new();
    let mut keep = |place: Place| {
        let before = place.position.seq.saturating_add(1);
        let kept = left.entry(place.position.slot).or_insert(before);
        *kept = before.max(*kept);
    };
    parts.iter().filter_map(|part| part.unread).for_each(&mut keep);
    let mut rows: Vec<(Place, T)> = Vec::new();
    for (place, row) in parts.into_iter().flat_map(|part| part.rows) {
        if horizon.is_some_and(|horizon| place < horizon) {
            keep(place);
        } else {
            rows.push((place, row));
        }
    }
    rows.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    let is_full = rows.len() > count;
    let surplus = rows.split_off(count.min(rows.len()));
    for (place, _) in surplus {
        keep(place);
    }
    let looked_back_to_us = bounded.filter(|_| !is_full).map(|place| place.recorded_us);
    Merged { rows: rows.into_iter().map(|(_, row)| row).collect(), left, looked_back_to_us }
}

#[cfg(test)]
mod tests;
