//! Finds a place in what is numbered without gaps and has an order, by looking at a few numbers only.

/// The first number from 1 to `last` for which `holds`, where it also holds for every number after that one; one more than
/// `last` if it holds for none.
///
/// # Errors
/// The first that `holds` gives.
pub(super) fn first_of<E>(last: i64, mut holds: impl FnMut(i64) -> Result<bool, E>) -> Result<i64, E> {
    let (mut first, mut end) = (1_i64, last.saturating_add(1));
    while first < end {
        let middle = first.midpoint(end);
        if holds(middle)? {
            end = middle;
        } else {
            first = middle.saturating_add(1);
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
