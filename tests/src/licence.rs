//! Licence expressions as crates declare them (SPDX, and the older `MIT/Apache-2.0`).

/// Whether an expression can be satisfied with licences of `allowed` alone. `OR` leaves a choice, `AND` does not; an
/// expression that can't be read is not allowed.
pub fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    reader.alternatives() == Some(true) && reader.words.is_empty()
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn alternatives(&mut self) -> Option<bool> {
        let mut is_any = self.all_of()?;
        while self.takes("OR") {
            is_any |= self.all_of()?;
        }
        Some(is_any)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut is_all = self.one()?;
        while self.takes("AND") {
            is_all &= self.one()?;
        }
        Some(is_all)
    }

    fn one(&mut self) -> Option<bool> {
        if self.takes("(") {
            let inner = self.alternatives()?;
            return self.takes(")").then_some(inner);
        }
        let licence = self.word()?;
        if !self.takes("WITH") {
            return Some(self.allowed.contains(&licence));
        }
        let exception = self.word()?;
        Some(self.allowed.contains(&format!("{licence} WITH {exception}").as_str()))
    }

    fn word(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        (!matches!(*first, "OR" | "AND" | "WITH" | ")")).then_some(*first)
    }

    fn takes(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
