//! Texts without a secret, however it is spelled there: as it is, with the escapes of JSON, percent-encoded, as in a form.
//!
//! The text is read back under each coding whose marks it has, and the secret is looked for in what comes out. That is a fixed
//! number of passes over the text, whatever the secret is.

use std::borrow::Cow;

/// What stands where a secret was.
const INSTEAD: &str = "[credential]";

/// Which marks mean something else than themselves.
#[derive(Debug, Clone, Copy)]
struct Coding {
    /// `\"`, `\/`, `\u0026`.
    is_json: bool,
    /// `%26`, in capitals or not.
    is_percent: bool,
    /// `+` is a space, as in forms.
    is_form: bool,
}

impl Coding {
    /// The richest first: what is left then is spelled more plainly.
    const ALL: [Self; 6] = [
        Self { is_json: true, is_percent: true, is_form: true },
        Self { is_json: true, is_percent: true, is_form: false },
        Self { is_json: true, is_percent: false, is_form: false },
        Self { is_json: false, is_percent: true, is_form: true },
        Self { is_json: false, is_percent: true, is_form: false },
        Self { is_json: false, is_percent: false, is_form: false },
    ];

    const fn is_mark(self, letter: char) -> bool {
        match letter {
            '\\' => self.is_json,
            '%' => self.is_percent,
            '+' => self.is_form,
            _ => false,
        }
    }

    /// Whether it can find something that a plainer one does not.
    fn is_needed(self, text: &str, secret: &str) -> bool {
        (!self.is_json || text.contains('\\'))
            && (!self.is_percent || text.contains('%') || (self.is_form && text.contains('+')))
            && (!self.is_form || secret.contains(' '))
    }
}

/// `text` without `secret`, which is not empty.
pub(super) fn hidden(text: String, secret: &str) -> String {
    Coding::ALL.into_iter().fold(text, |text, coding| {
        let found = if coding.is_needed(&text, secret) { without(&text, secret, coding) } else { None };
        found.unwrap_or(text)
    })
}

/// The text without the secret; `None` where it is not in it.
fn without(text: &str, secret: &str, coding: Coding) -> Option<String> {
    let read = Read::of(text, coding);
    let mut out = String::new();
    let mut done = 0;
    for (start, found) in read.text.match_indices(secret) {
        out.push_str(text.get(done..read.place_of(start))?);
        out.push_str(INSTEAD);
        done = read.place_of(start.saturating_add(found.len()));
    }
    if out.is_empty() {
        return None;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// A text as it is meant, and where its parts stand in the text as it is spelled.
struct Read<'t> {
    text: Cow<'t, str>,
    /// Places in `text` with the places in the text as it is spelled; from one to the next, both are the same.
    places: Vec<(usize, usize)>,
}

impl<'t> Read<'t> {
    fn of(spelled: &'t str, coding: Coding) -> Self {
        let mut read = Self { text: Cow::Borrowed(""), places: vec![(0, 0)] };
        let mut rest = spelled;
        while let Some((plain, marked)) =
            rest.find(|letter| coding.is_mark(letter)).and_then(|index| rest.split_at_checked(index))
        {
            read.text.to_mut().push_str(plain);
            let at = spelled.len().saturating_sub(marked.len());
            let taken = read.take(marked, at);
            rest = marked.get(taken..).unwrap_or_default();
            read.places.push((read.text.len(), at.saturating_add(taken)));
        }
        if read.text.is_empty() {
            read.text = Cow::Borrowed(rest);
        } else {
            read.text.to_mut().push_str(rest);
        }
        read
    }

    /// Reads what stands at the beginning of `marked`, which is at `at`: how many bytes that are.
    fn take(&mut self, marked: &str, at: usize) -> usize {
        let bytes = marked.as_bytes();
        let first = marked.chars().next().unwrap_or_default();
        match first {
            '+' => self.push(' ', at),
            '%' => {
                let run: Vec<u8> = bytes.chunks_exact(3).map_while(percent_byte).collect();
                if !run.is_empty() {
                    self.push_run(&run, at);
                    return run.len().saturating_mul(3);
                }
                self.push(first, at);
            }
            _ => match json_escape(bytes) {
                Some((letter, taken)) => {
                    self.push(letter, at);
                    return taken;
                }
                None => self.push(first, at),
            },
        }
        1
    }

    fn push(&mut self, letter: char, at: usize) {
        self.places.push((self.text.len(), at));
        self.text.to_mut().push(letter);
    }

    /// Bytes of which each stands there as three.
    fn push_run(&mut self, run: &[u8], at: usize) {
        let mut at = at;
        for chunk in run.utf8_chunks() {
            for letter in chunk.valid().chars() {
                self.push(letter, at);
                at = at.saturating_add(letter.len_utf8().saturating_mul(3));
            }
            if !chunk.invalid().is_empty() {
                self.push(char::REPLACEMENT_CHARACTER, at);
                at = at.saturating_add(chunk.invalid().len().saturating_mul(3));
            }
        }
    }

    /// Where a place in the text is in the text as it is spelled.
    fn place_of(&self, place: usize) -> usize {
        let after = self.places.partition_point(|(known, _)| *known <= place);
        let (known, spelled) = self.places.get(after.saturating_sub(1)).copied().unwrap_or_default();
        spelled.saturating_add(place.saturating_sub(known))
    }
}

fn percent_byte(three: &[u8]) -> Option<u8> {
    let [b'%', high, low] = three else { return None };
    u8::try_from(hex(&[*high, *low])?).ok()
}

/// Digits of base sixteen, in capitals or not.
fn hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |number, digit| {
        let digit = u16::try_from(char::from(*digit).to_digit(16)?).ok()?;
        number.checked_mul(16)?.checked_add(digit)
    })
}

/// What an escape of JSON means, and how long it is.
fn json_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let [b'\\', kind, rest @ ..] = bytes else { return None };
    let letter = match kind {
        b'"' | b'\\' | b'/' => char::from(*kind),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(rest),
        _ => return None,
    };
    Some((letter, 2))
}

/// What follows `\u`, with the second half of a pair where it is one.
fn unicode_escape(rest: &[u8]) -> Option<(char, usize)> {
    let unit = hex(rest.get(..4)?)?;
    let second = match rest.get(4..10) {
        Some([b'\\', b'u', digits @ ..]) => hex(digits),
        _ => None,
    };
    if let Some(second) = second
        && let Some(Ok(letter)) = char::decode_utf16([unit, second]).next()
        && letter.len_utf16() == 2
    {
        return Some((letter, 12));
    }
    Some((char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}
