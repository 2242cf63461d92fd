//! How large a pattern is when it is compiled, roughly.

/// The states of a pattern: one for a character, more for a class, and repeated as often as its counts say.
pub(super) fn states(pattern: &str) -> u64 {
    let mut open: Vec<u64> = Vec::new();
    let (mut sum, mut last) = (1_u64, 0_u64);
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        let atom = match character {
            '(' => {
                open.push(sum);
                (sum, last) = (0, 0);
                continue;
            }
            ')' => {
                let group = sum.max(1);
                sum = open.pop().unwrap_or(0);
                group
            }
            '{' => {
                let counts: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let most = counts.split(',').filter_map(|count| count.trim().parse::<u64>().ok()).max().unwrap_or(1);
                let more = last.saturating_mul(most.saturating_sub(1));
                (sum, last) = (sum.saturating_add(more), last.saturating_add(more));
                continue;
            }
            '*' | '+' | '?' | '|' | '^' | '$' => continue,
            '[' => class(&mut rest),
            '\\' => escape(&mut rest),
            '.' => CLASS_STATES,
            _ => 1,
        };
        sum = sum.saturating_add(atom);
        last = atom;
    }
    open.into_iter().fold(sum, u64::saturating_add)
}

const CLASS_STATES: u64 = 4;
/// A class of Unicode.
const LARGE_CLASS_STATES: u64 = 40;

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn escape(rest: &mut Rest<'_>) -> u64 {
    match rest.next() {
        Some('p' | 'P') => {
            if rest.next_if_eq(&'{').is_some() {
                rest.by_ref().take_while(|c| *c != '}').for_each(drop);
            }
            LARGE_CLASS_STATES
        }
        Some('w' | 'W' | 's' | 'S' | 'd' | 'D') => LARGE_CLASS_STATES,
        Some('u') => {
            if rest.next_if_eq(&'{').is_some() {
                rest.by_ref().take_while(|c| *c != '}').for_each(drop);
            }
            1
        }
        _ => 1,
    }
}

fn class(rest: &mut Rest<'_>) -> u64 {
    let mut states = CLASS_STATES;
    while let Some(character) = rest.next() {
        match character {
            ']' => break,
            '\\' => states = states.saturating_add(escape(rest)),
            _ => {}
        }
    }
    states
}
