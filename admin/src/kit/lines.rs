//! Two texts compared, line by line.

use crate::{kit::DiffLine, text::t_with};

/// How many lines around a change are shown.
const CONTEXT: usize = 3;
/// Over so many pairs of lines a comparison is not worked out: everything between what is alike at both ends is said to be
/// different. It takes some milliseconds.
const PAIRS_MAX: usize = 4_000_000;

/// The lines of both texts, without long runs of what is in both.
pub(crate) fn compare(old: &str, new: &str) -> Vec<DiffLine> {
    folded(all(old, new))
}

/// Every line of both texts.
fn all(old: &str, new: &str) -> Vec<DiffLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_middle, same) = old_rest.split_at(old_rest.len().saturating_sub(tail));
    let (new_middle, _) = new_rest.split_at(new_rest.len().saturating_sub(tail));
    let mut out: Vec<DiffLine> = old.iter().take(head).map(|text| line(' ', text)).collect();
    if old_middle.len().saturating_mul(new_middle.len()) > PAIRS_MAX {
        out.extend(old_middle.iter().map(|text| line('-', text)));
        out.extend(new_middle.iter().map(|text| line('+', text)));
    } else {
        walk(old_middle, new_middle, &mut out);
    }
    out.extend(same.iter().map(|text| line(' ', text)));
    out
}

fn line(mark: char, text: &str) -> DiffLine {
    DiffLine { mark, text: text.to_owned() }
}

/// Along the longest common subsequence of both.
fn walk(old: &[&str], new: &[&str], out: &mut Vec<DiffLine>) {
    let width = new.len().saturating_add(1);
    let place = |row: usize, column: usize| row.saturating_mul(width).saturating_add(column);
    // How many lines are common from a pair on.
    let mut common = vec![0_u32; place(old.len(), new.len()).saturating_add(1)];
    for (row, before) in old.iter().enumerate().rev() {
        for (column, after) in new.iter().enumerate().rev() {
            let at = |row, column| common.get(place(row, column)).copied().unwrap_or(0);
            let (down, right) = (row.saturating_add(1), column.saturating_add(1));
            let longest =
                if before == after { at(down, right).saturating_add(1) } else { at(down, column).max(at(row, right)) };
            if let Some(cell) = common.get_mut(place(row, column)) {
                *cell = longest;
            }
        }
    }
    let at = |row, column| common.get(place(row, column)).copied().unwrap_or(0);
    let (mut row, mut column) = (0_usize, 0_usize);
    loop {
        let (down, right) = (row.saturating_add(1), column.saturating_add(1));
        match (old.get(row), new.get(column)) {
            (Some(before), Some(after)) if before == after => {
                out.push(line(' ', before));
                (row, column) = (down, right);
            }
            (Some(before), after) if after.is_none() || at(down, column) >= at(row, right) => {
                out.push(line('-', before));
                row = down;
            }
            (_, Some(after)) => {
                out.push(line('+', after));
                column = right;
            }
            (_, None) => return,
        }
    }
}

/// Only what changes, with some lines around it.
fn folded(lines: Vec<DiffLine>) -> Vec<DiffLine> {
    let is_near = |at: usize| {
        // Of the first lines of a text there are fewer before.
        let count = at.min(CONTEXT).saturating_add(CONTEXT).saturating_add(1);
        lines.iter().skip(at.saturating_sub(CONTEXT)).take(count).any(|line| line.mark != ' ')
    };
    let near: Vec<bool> = (0..lines.len()).map(is_near).collect();
    let mut out = Vec::new();
    let mut skipped = 0_usize;
    for (line, is_near) in lines.into_iter().zip(near) {
        if !is_near {
            skipped = skipped.saturating_add(1);
            continue;
        }
        flush(&mut skipped, &mut out);
        out.push(line);
    }
    flush(&mut skipped, &mut out);
    out
}

fn flush(skipped: &mut usize, out: &mut Vec<DiffLine>) {
    if *skipped > 0 {
        let count = i64::try_from(*skipped).unwrap_or(i64::MAX);
        out.push(DiffLine { mark: ' ', text: t_with("console-lines-same", &[("count", count.into())]) });
        *skipped = 0;
    }
}

#[cfg(test)]
mod tests;
