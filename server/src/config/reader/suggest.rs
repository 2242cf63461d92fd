//! Finds the key that was probably meant.

use super::super::overlay::normalised;

/// The nearest of the known keys, if it is near enough to be a typing error.
pub(super) fn find_suggestion<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let written: Vec<char> = normalised(key).chars().collect();
    let distance_max = (written.len() / 3).clamp(1, 3);
    known
        .iter()
        .map(|candidate| (distance(&written, &normalised(candidate).chars().collect::<Vec<_>>()), *candidate))
        .filter(|(distance, _)| *distance <= distance_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be inserted, deleted, changed or swapped with their neighbour (optimal string alignment).
pub(super) fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, c) in from.iter().enumerate() {
        let mut current = vec![row.saturating_add(1)];
        for (column, d) in to.iter().enumerate() {
            let at = |values: &[usize], index: usize| values.get(index).copied().unwrap_or(usize::MAX);
            let deleted = at(&last, column.saturating_add(1)).saturating_add(1);
            let inserted = at(&current, column).saturating_add(1);
            let changed = at(&last, column).saturating_add(usize::from(c != d));
            let mut best = deleted.min(inserted).min(changed);
            let is_swap = row > 0
                && column > 0
                && from.get(row.wrapping_sub(1)) == Some(d)
                && to.get(column.wrapping_sub(1)) == Some(c);
            if is_swap {
                best = best.min(at(&before_last, column.wrapping_sub(1)).saturating_add(1));
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
