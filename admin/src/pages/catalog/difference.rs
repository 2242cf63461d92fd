//! What is now, beside what somebody has typed.

use crate::kit::DiffLine;

/// How many unchanged lines are shown around a change.
const AROUND: usize = 2;

/// The lines of one field that differ: those of `old` taken away, those of `new` put in their place. Nothing if nothing
/// differs.
pub(in crate::pages) fn lines_of(name: &str, old: &str, new: &str) -> Vec<DiffLine> {
    if old == new {
        return Vec::new();
    }
    if !old.contains('\n') && !new.contains('\n') {
        return vec![marked('-', &format!("{name}: {old}")), marked('+', &format!("{name}: {new}"))];
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let shorter = old.len().min(new.len()).saturating_sub(before);
    let after = old.iter().rev().zip(new.iter().rev()).take(shorter).take_while(|(old, new)| old == new).count();
    let changed = |lines: &[&str], mark: char| -> Vec<DiffLine> {
        let end = lines.len().saturating_sub(after);
        lines.iter().take(end).skip(before).map(|line| marked(mark, line)).collect()
    };
    let (lead, tail) = (before.saturating_sub(AROUND), old.len().saturating_sub(after));
    let mut out = vec![marked(' ', &format!("{name}:"))];
    out.extend(old.iter().take(before).skip(lead).map(|line| marked(' ', line)));
    out.extend(changed(&old, '-'));
    out.extend(changed(&new, '+'));
    out.extend(old.iter().skip(tail).take(AROUND).map(|line| marked(' ', line)));
    out
}

fn marked(mark: char, text: &str) -> DiffLine {
    DiffLine { mark, text: text.to_owned() }
}

#[cfg(test)]
mod tests;
