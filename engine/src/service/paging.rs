//! Lists for people, a page at a time: by the key of the last row that was seen, never by counting rows.

use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait as _, Func, IntoColumnRef, LikeExpr},
};

use crate::store::search::spellings;

/// How many rows a page has.
pub const PAGE_ROWS: u64 = 50;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// What the next page begins behind; `None` if this is the last.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// Of [`PAGE_ROWS`] rows and one more, which is there if there is another page. `cursor` names a row's place.
    pub(crate) fn of(mut rows: Vec<T>, cursor: impl Fn(&T) -> String) -> Self {
        let count = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        let has_more = rows.len() > count;
        rows.truncate(count);
        let next = rows.last().filter(|_row| has_more).map(cursor);
        Self { rows, next }
    }

    /// The rows as something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Listed<U> {
        Listed { rows: self.rows.into_iter().map(change).collect(), next: self.next }
    }
}

/// How many rows are read for a page: one more says that there is another.
pub(crate) const PAGE_READ: u64 = PAGE_ROWS + 1;

/// That what `column` holds begins with `text`, in any case, on both databases: `LIKE` heeds case on one of them only, and
/// which letters have small ones is not said alike. See [`spellings`].
pub(crate) fn begins_in_any_case(column: impl IntoColumnRef + Copy, text: &str) -> Condition {
    let in_small_letters = || Expr::expr(Func::lower(Expr::col(column)));
    let as_typed = Condition::any().add(Expr::col(column).like(begins_with(text)));
    spellings(text).iter().fold(as_typed, |any, spelling| any.add(in_small_letters().like(begins_with(spelling))))
}

/// A text for `LIKE` that stands for itself, with anything behind it. The escape is a backslash.
fn begins_with(text: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}
