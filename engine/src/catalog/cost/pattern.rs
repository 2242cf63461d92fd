//! How large a pattern is when it is compiled, roughly.

/// What parts of a pattern are counted as.
#[derive(Clone, Copy)]
struct Scale {
    class: u64,
    large_class: u64,
}

/// The states of a pattern that a text meets: one for a character, more for a class, and repeated as often as its counts say.
pub(super) fn states(pattern: &str) -> u64 {
    count(pattern, Scale { class: 4, large_class: 40 })
}

/// The states of a pattern as it is kept: a class of Unicode is an automaton of its own over bytes.
pub(super) fn size(pattern: &str) -> u64 {
    count(pattern, Scale { class: 12, large_class: 400 })
}

fn count(pattern: &str, scale: Scale) -> u64 {
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
            '[' => class(&mut rest, scale),
            '\\' => escape(&mut rest, scale),
            '.' => scale.class,
            _ => 1,
        };
        sum = sum.saturating_add(atom);
        last = atom;
    }
    open.into_iter().fold(sum, u64::saturating_add)
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn escape(rest: &mut Rest<'_>, scale: Scale) -> u64 {
    match rest.next() {
        Some('p' | 'P') => {
            if rest.next_if_eq(&'{').is_some() {
                rest.by_ref().take_while(|c| *c != '}').for_each(drop);
            }
            scale.large_class
        }
        // Of ASCII alone, as JavaScript has them; but for spaces, of which there are few.
        Some('w' | 'W' | 's' | 'S' | 'd' | 'D') => scale.class,
        Some('u') => {
            if rest.next_if_eq(&'{').is_some() {
                rest.by_ref().take_while(|c| *c != '}').for_each(drop);
            }
            1
        }
        _ => 1,
    }
}

fn class(rest: &mut Rest<'_>, scale: Scale) -> u64 {
    let mut states = scale.class;
    while let Some(character) = rest.next() {
        match character {
            ']' => break,
            '\\' => states = states.saturating_add(escape(rest, scale)),
            _ => {}
        }
    }
    states
}
