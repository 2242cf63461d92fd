//! Two texts compared, line by line: what stands in both keeps its place, with a few lines around what differs.

use std::collections::VecDeque;

use crate::kit::DiffLine;

/// How many lines stand around a difference.
const AROUND: usize = 3;
/// How many lines of each text are compared with one another; of more only the ends are.
const COMPARED_MAX: usize = 1_000;
/// How many lines are shown.
const SHOWN_MAX: usize = 4_000;

/// What differs between two texts.
pub(super) fn lines(old: &str, new: &str) -> Vec<DiffLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let middle = |rest: &[&str]| rest.len().saturating_sub(tail);
    let (old_mid, new_mid) =
        (old_rest.get(..middle(old_rest)).unwrap_or_default(), new_rest.get(..middle(new_rest)).unwrap_or_default());
    let mut out: Vec<DiffLine> = old.iter().take(head).map(|line| same(line)).collect();
    out.extend(compare(old_mid, new_mid));
    out.extend(old_rest.iter().skip(middle(old_rest)).map(|line| same(line)));
    shortened(out)
}

fn line(mark: char, text: &str) -> DiffLine {
    DiffLine { mark, text: text.to_owned() }
}

fn same(text: &str) -> DiffLine {
    line(' ', text)
}

/// The longest series of lines that stand in both, the others around it.
fn compare(old: &[&str], new: &[&str]) -> Vec<DiffLine> {
    if old.len() > COMPARED_MAX || new.len() > COMPARED_MAX {
        return old.iter().map(|text| line('-', text)).chain(new.iter().map(|text| line('+', text))).collect();
    }
    // How many lines can be kept from each place on, for the old text's lines from its end.
    let width = new.len().saturating_add(1);
    let mut table: VecDeque<Vec<usize>> = VecDeque::from([vec![0; width]]);
    for old_line in old.iter().rev() {
        let below = table.front().cloned().unwrap_or_default();
        let mut row = vec![0; width];
        let mut right = 0;
        for (column, new_line) in new.iter().enumerate().rev() {
            let at = |offset: usize| below.get(column.saturating_add(offset)).copied().unwrap_or(0);
            right = if old_line == new_line { at(1).saturating_add(1) } else { at(0).max(right) };
            if let Some(cell) = row.get_mut(column) {
                *cell = right;
            }
        }
        table.push_front(row);
    }
    let kept = |row: usize, column: usize| table.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0);
    let (mut row, mut column, mut out) = (0_usize, 0_usize, Vec::new());
    loop {
        let (next_row, next_column) = (row.saturating_add(1), column.saturating_add(1));
        match (old.get(row), new.get(column)) {
            (Some(old_line), Some(new_line)) if old_line == new_line => {
                out.push(same(old_line));
                (row, column) = (next_row, next_column);
            }
            (Some(old_line), new_line) if new_line.is_none() || kept(next_row, column) >= kept(row, next_column) => {
                out.push(line('-', old_line));
                row = next_row;
            }
            (_, Some(new_line)) => {
                out.push(line('+', new_line));
                column = next_column;
            }
            (_, None) => return out,
        }
    }
}

/// Leaves out what is far from any difference.
fn shortened(lines: Vec<DiffLine>) -> Vec<DiffLine> {
    let changed: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| line.mark != ' ').map(|(place, _)| place).collect();
    let is_near = |place: usize| {
        let next = changed.partition_point(|change| change.saturating_add(AROUND) < place);
        changed.get(next).is_some_and(|change| *change <= place.saturating_add(AROUND))
    };
    let mut out = Vec::new();
    let mut is_gap = false;
    for (place, line) in lines.into_iter().enumerate() {
        if out.len() >= SHOWN_MAX {
            out.push(same("…"));
            break;
        }
        if is_near(place) {
            out.push(line);
            is_gap = false;
        } else if !is_gap {
            out.push(same("…"));
            is_gap = true;
        }
    }
    out
}

#[cfg(test)]
mod tests;
