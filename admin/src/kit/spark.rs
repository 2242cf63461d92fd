//! A line as small as a word, in a table's cell. Beside it stand its numbers.

/// Its size, in its own units: the line, and below it the ticks.
const WIDTH: i64 = 96;
const TALL: i64 = 16;
const HEIGHT: i64 = 22;

/// Numbers over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spark {
    /// What it shows, in words.
    pub says: String,
    /// From the earliest on.
    pub values: Vec<i64>,
    /// Of as many times: where there is something, a tick stands.
    pub ticks: Vec<i64>,
}

impl Spark {
    /// Its size.
    pub const fn size(&self) -> (i64, i64) {
        (WIDTH, HEIGHT)
    }

    fn x(at: usize, count: usize) -> i64 {
        let (at, spaces) = (i64::try_from(at).unwrap_or(0), i64::try_from(count.saturating_sub(1)).unwrap_or(1));
        at.saturating_mul(WIDTH).checked_div(spaces.max(1)).unwrap_or(0)
    }

    /// The line, as the attribute `points` of a polyline.
    pub fn points(&self) -> String {
        let highest = self.values.iter().copied().max().unwrap_or(0).max(1);
        let point = |(at, value): (usize, &i64)| {
            let height = i128::from((*value).max(0)).saturating_mul(TALL.into()).checked_div(highest.into());
            let height = height.and_then(|height| i64::try_from(height).ok()).unwrap_or(0);
            format!("{},{}", Self::x(at, self.values.len()), TALL.saturating_sub(height))
        };
        self.values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
    }

    /// Where ticks stand, from the left.
    pub fn tick_places(&self) -> Vec<i64> {
        let count = self.ticks.len();
        let found = self.ticks.iter().enumerate().filter(|(_, number)| **number > 0);
        found.map(|(at, _)| Self::x(at, count).min(WIDTH.saturating_sub(2))).collect()
    }
}

#[cfg(test)]
mod tests;
