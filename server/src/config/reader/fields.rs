//! The members of one object: what a section asks for, and what is left over.

use std::ops::RangeInclusive;

use super::{Reader, Value, suggest::find_suggestion};
use crate::config::{
    error::Place,
    overlay::normalised,
    tree::{Kind, Member},
};

/// The members of one object, asked for by key.
#[derive(Debug)]
pub(in crate::config) struct Fields<'a> {
    pub(in crate::config) reader: &'a Reader<'a>,
    pub(in crate::config) path: String,
    /// Where the object begins; the whole file when it is absent.
    pub(in crate::config) place: Place,
    members: &'a [Member],
    asked: Vec<&'static str>,
    tolerated: &'static [&'static str],
}

impl<'a> Fields<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, path: String, place: Place, members: &'a [Member]) -> Self {
        Self { reader, path, place, members, asked: Vec::new(), tolerated: &[] }
    }

    /// Keys that are accepted, reported as unused and otherwise ignored.
    pub(in crate::config) fn tolerate(&mut self, keys: &'static [&'static str]) {
        self.tolerated = keys;
    }

    pub(in crate::config) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The members as written.
    pub(in crate::config) fn members(&self) -> &'a [Member] {
        self.members
    }

    /// The value of a key, if it is there.
    pub(in crate::config) fn take(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.asked.push(key);
        let path = self.path_of(key);
        if let Some(listed) = &self.reader.listed {
            listed.borrow_mut().insert(path.clone());
        }
        let member = self.members.iter().find(|member| is_named(member, key))?;
        Some(Value { reader: self.reader, node: &member.value, path })
    }

    /// Like [`Fields::take`], for a key that must be there.
    pub(in crate::config) fn require(&mut self, key: &'static str) -> Option<Value<'a>> {
        let value = self.take(key);
        if value.is_none() {
            let owner = if self.path.is_empty() { "the file".to_owned() } else { format!("`{}`", self.path) };
            self.reader.problem(&self.place, format!("{owner} needs the key `{key}`"));
        }
        value
    }

    pub(in crate::config) fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key)?.text().map(str::to_owned)
    }

    pub(in crate::config) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.take(key).and_then(|value| value.flag()).unwrap_or(default)
    }

    pub(in crate::config) fn whole_number(
        &mut self,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        self.take(key).and_then(|value| value.whole_number(range)).unwrap_or(default)
    }

    pub(in crate::config) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.take(key)?.parsed(parse)
    }

    /// One of a few words.
    pub(in crate::config) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.take(key)?.choice(choices)
    }

    /// A list whose elements are read one by one; elements that are wrong are reported and left out.
    pub(in crate::config) fn list<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&Value<'a>) -> Option<T>,
    ) -> Vec<T> {
        self.take(key).map(|value| value.items().iter().filter_map(&mut read).collect()).unwrap_or_default()
    }

    pub(in crate::config) fn texts(&mut self, key: &'static str) -> Vec<String> {
        self.list(key, |item| item.text().map(str::to_owned))
    }

    /// A list of objects.
    pub(in crate::config) fn objects<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Fields<'a>) -> T,
    ) -> Vec<T> {
        let value = self.take(key);
        if self.reader.is_listing() {
            self.read_absent(&format!("{key}[]"), &mut read);
        }
        value.map(|value| value.items().iter().filter_map(|item| item.object(&mut read)).collect()).unwrap_or_default()
    }

    /// A section whose keys all have defaults, so that it may be absent.
    pub(in crate::config) fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Fields<'a>) -> T) -> T {
        let reader = self.reader;
        let path = self.path_of(key);
        let value = self.take(key);
        let (place, members) = match value.as_ref().map(|value| (value, &value.node.kind)) {
            Some((value, Kind::Object(members))) => (value.place().clone(), members.as_slice()),
            Some((value, _)) => {
                value.wrong_type("an object");
                (value.place().clone(), <&[Member]>::default())
            }
            None => (self.place.clone(), <&[Member]>::default()),
        };
        let mut fields = Fields::new(reader, path, place, members);
        let section = read(&mut fields);
        fields.finish();
        section
    }

    /// A section that means something by being there.
    pub(in crate::config) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Option<T> {
        let value = self.take(key);
        if self.reader.is_listing() {
            self.read_absent(key, read);
            return None;
        }
        value?.object(read)
    }

    /// Like [`Fields::optional`], for a section that must be there.
    pub(in crate::config) fn required_section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Option<T> {
        if self.members.iter().any(|member| is_named(member, key)) || self.reader.is_listing() {
            return self.optional(key, read);
        }
        self.require(key);
        None
    }

    fn read_absent<T>(&self, key: &str, read: impl FnOnce(&mut Fields<'a>) -> T) -> T {
        let mut fields = Fields::new(self.reader, self.path_of(key), Place::Whole, &[]);
        read(&mut fields)
    }

    /// Reports every member that nobody asked for.
    pub(super) fn finish(self) {
        for member in self.members {
            if self.asked.iter().any(|key| is_named(member, key)) {
                continue;
            }
            if self.tolerated.iter().any(|key| is_named(member, key)) {
                self.reader.unused.borrow_mut().push(self.path_of(&member.key));
                continue;
            }
            self.reader.problem(&member.key_place, self.unknown_key_text(member));
        }
    }

    fn unknown_key_text(&self, member: &Member) -> String {
        let suggestion = find_suggestion(&member.key, &self.asked);
        if member.is_added {
            let near = suggestion.map(|key| format!(" (did you mean `{}`?)", self.path_of(key))).unwrap_or_default();
            return format!("matches no key of the configuration{near}");
        }
        let near = suggestion.map(|key| format!(" (did you mean `{key}`?)")).unwrap_or_default();
        let owner = if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) };
        format!("unknown key `{}`{owner}{near}", member.key)
    }
}

/// Keys match exactly, except those that the name of an override added: these match whatever their spelling.
fn is_named(member: &Member, key: &str) -> bool {
    member.key == key || member.is_added && normalised(&member.key) == normalised(key)
}
