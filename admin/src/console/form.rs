//! Forms: read once, every field known, what was typed is kept.

use std::collections::BTreeMap;

use actix_web::web::Payload;
use engine::{credits::Credits, id::RequestId, service::accounts::REASON_CHARS_MAX};
use uuid::Uuid;

use super::{Console, Fault, UnreadForm};
use crate::text::{said::Said as _, t, t_with};

/// The field in which forms ask why.
const REASON: &str = "reason";
/// Most fields of one form.
const FIELDS_MAX: usize = 512;

/// The field with the key of what a form does: the same form sent twice does one thing.
pub(crate) const KEY: &str = "op";

/// What was typed into a form, by field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    values: BTreeMap<String, Vec<String>>,
    /// It was sent by a form, and does not stand in an address.
    is_sent: bool,
}

impl Fields {
    /// Reads the body of a form. Of a field that stands twice both values are kept.
    ///
    /// # Errors
    /// Too large, broken, or too many fields.
    pub(crate) async fn read(console: &Console, payload: Payload) -> Result<Self, Fault> {
        Ok(Self { is_sent: true, ..Self::parse(&Self::body(console, payload).await?)? })
    }

    /// The body of a form, as it was sent.
    ///
    /// # Errors
    /// Too large, or broken.
    pub(super) async fn body(console: &Console, payload: Payload) -> Result<String, Fault> {
        console.door.read_form(payload).await.map_err(|unread| match unread {
            UnreadForm::TooLarge => Fault::Form("too large"),
            UnreadForm::Broken => Fault::Form("broken off"),
        })
    }

    /// Reads what stands behind the question mark: a form can be filled in by its address.
    ///
    /// # Errors
    /// Too many fields.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (count, (name, value)) in url::form_urlencoded::parse(text.as_bytes()).enumerate() {
            if count >= FIELDS_MAX {
                return Err(Fault::Form("too many fields"));
            }
            // Browsers send line ends as CR LF, and read a NUL, which no database keeps as text, as U+FFFD.
            let value = value.replace("\r\n", "\n").replace('\0', "\u{fffd}");
            values.entry(name.into_owned()).or_default().push(value);
        }
        Ok(Self { values, is_sent: false })
    }

    /// What was typed, without spaces around it; empty if nothing was.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// What was typed, as it is.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.values.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// Everything that was chosen of a list.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Where a list goes on.
    ///
    /// # Errors
    /// It is no place in a list.
    pub(crate) fn cursor(&self) -> Result<Option<Uuid>, Fault> {
        match self.text("after") {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_unreadable| Fault::Address),
        }
    }

    /// A box was ticked.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The key of what the form does; `None` if it has none of ours. Nothing else becomes the key of anything: keys of other
    /// things, as those of approvals, have other words.
    pub(crate) fn key(&self) -> Option<RequestId> {
        self.text(KEY).parse().ok()
    }

    /// What was typed into a field that nobody sees. Where the form's address is all there is, that is nothing: whoever makes
    /// up a link does not say what a form was made from.
    pub(crate) fn hidden(&self, name: &str) -> Option<&str> {
        let is_fine = self.is_sent && self.is_on(name) && (name != KEY || self.key().is_some());
        is_fine.then(|| self.raw(name))
    }
}

/// What is wrong with a form, by field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems(Vec<(String, String)>);

impl Problems {
    /// Says what is wrong with a field; an empty name means the form as a whole.
    pub(crate) fn add(&mut self, field: &str, problem: impl Into<String>) {
        self.0.push((field.to_owned(), problem.into()));
    }

    /// Nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with this field.
    pub(crate) fn of(&self, field: &str) -> Option<String> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, problem)| problem.clone())
    }

    /// Everything.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        self.0.clone()
    }

    /// A text that has to be there. A reason, which every form that asks for one calls [`REASON`], is one line.
    pub(crate) fn required<'f>(&mut self, fields: &'f Fields, name: &str) -> &'f str {
        let text = fields.text(name);
        if text.is_empty() {
            self.add(name, t("console-required"));
        } else if name == REASON && (text.chars().count() > REASON_CHARS_MAX || text.chars().any(char::is_control)) {
            let most = i64::try_from(REASON_CHARS_MAX).unwrap_or(i64::MAX);
            self.add(name, t_with("console-reason-line", &[("max", most.into())]));
        }
        text
    }

    /// One of the words of a list; no browser sends another.
    pub(crate) fn one_of<'f>(&mut self, fields: &'f Fields, name: &str, words: &[&str]) -> &'f str {
        let text = fields.text(name);
        if !words.contains(&text) {
            self.add(name, t("console-required"));
        }
        text
    }

    /// The key of what the form does, as text. One that is none of ours is said of the form, which gets another one.
    pub(crate) fn key(&mut self, fields: &Fields) -> String {
        let key = fields.key();
        if key.is_none() {
            self.add("", t("console-key-lost"));
        }
        key.map(|key| key.to_string()).unwrap_or_default()
    }

    /// An amount above zero.
    pub(crate) fn amount(&mut self, fields: &Fields, name: &str) -> Option<Credits> {
        let text = self.required(fields, name);
        if text.is_empty() {
            return None;
        }
        match Credits::parse_exact(text) {
            Ok(credits) if credits.micros() > 0 => Some(credits),
            Ok(_) => {
                self.add(name, t("console-amount-positive"));
                None
            }
            Err(error) => {
                self.add(name, t_with("console-amount-unreadable", &[("problem", error.said().into())]));
                None
            }
        }
    }

    /// A day, `2026-11-30`, as its first moment in UTC, in microseconds since the Unix epoch; none if nothing was typed.
    pub(crate) fn day(&mut self, fields: &Fields, name: &str) -> Option<i64> {
        let text = fields.text(name);
        if text.is_empty() {
            return None;
        }
        let day = crate::kit::parse_time(text);
        if day.is_none() {
            self.add(name, t("console-day-unreadable"));
        }
        day
    }
}

#[cfg(test)]
mod tests;
