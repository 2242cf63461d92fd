//! The members of a small JSON body, read by name: every fault is collected, with its place.

use engine::{
    code::Code,
    credits::Credits,
    json::{self, Json, Member},
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
};

use crate::http::problem::{Fault, Problem};

/// Members that have not been asked for yet, and what was wrong so far.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    members: Vec<Member<'a>>,
    faults: Vec<Fault>,
}

/// A member that holds an object, if it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ObjectMember {
    /// It is not there.
    Absent,
    /// It is `null`.
    Null,
    /// Its canonical text.
    Object(String),
}

impl<'a> Fields<'a> {
    /// Reads a JSON object. Keys that stand twice are refused.
    pub(crate) fn parse(body: &'a str) -> Result<Self, Problem> {
        let members = json::parse_members(body).map_err(|error| Problem::new(error.code(), error.to_string()))?;
        Ok(Self { members, faults: Vec::new() })
    }

    /// A text that has to be there; empty when it is not, and then [`Self::finish`] fails.
    pub(crate) fn text(&mut self, name: &str) -> String {
        let found = self.optional_text(name);
        if found.is_none() && !self.has_fault(name) {
            self.fault(name, "is missing");
        }
        found.unwrap_or_default()
    }

    /// A text that may be absent or `null`.
    pub(crate) fn optional_text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Json::Null => None,
            Json::String(text) => Some(text.into_owned()),
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                self.fault(name, "must be a text");
                None
            }
        }
    }

    /// A decimal number, or a text that holds one, with at most six decimals and never negative; may be absent or
    /// `null`.
    pub(crate) fn optional_amount(&mut self, name: &str) -> Option<Credits> {
        let value = self.take(name)?;
        if value.is_null() {
            return None;
        }
        match Credits::from_json(&value).and_then(Credits::non_negative) {
            Ok(amount) => Some(amount),
            Err(error) => {
                self.fault(name, &error.to_string());
                None
            }
        }
    }

    /// A number as it was written, or a text in its place; may be absent or `null`.
    pub(crate) fn optional_digits(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Json::Null => None,
            Json::Number(digits) => Some(digits.to_owned()),
            Json::String(text) => Some(text.into_owned()),
            Json::Bool(_) | Json::Array(_) | Json::Object(_) => {
                self.fault(name, "must be a number");
                None
            }
        }
    }

    /// A JSON object, as its canonical text; `null` is told from a member that is absent.
    pub(crate) fn object(&mut self, name: &str) -> ObjectMember {
        match self.take(name) {
            None => ObjectMember::Absent,
            Some(Json::Null) => ObjectMember::Null,
            Some(object @ Json::Object(_)) => ObjectMember::Object(object.canonical()),
            Some(Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => {
                self.fault(name, "must be an object");
                ObjectMember::Absent
            }
        }
    }

    /// A document: an object, whose text that is, or a text that is one.
    pub(crate) fn optional_document(&mut self, name: &str) -> Option<String> {
        let at = self.members.iter().position(|member| member.name == name)?;
        if matches!(self.members.get(at).map(|member| &member.value), Some(Json::String(_))) {
            return self.optional_text(name);
        }
        self.optional_source(name)
    }

    /// An object as it was written; may be absent or `null`.
    pub(crate) fn optional_source(&mut self, name: &str) -> Option<String> {
        let at = self.members.iter().position(|member| member.name == name)?;
        let member = self.members.remove(at);
        match member.value {
            Json::Null => None,
            Json::Object(_) => Some(member.source.to_owned()),
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                self.fault(name, "must be an object");
                None
            }
        }
    }

    /// A list of texts; may be absent or `null`.
    pub(crate) fn optional_texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.take(name)?;
        if value.is_null() {
            return None;
        }
        let texts =
            value.as_array().and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        if texts.is_none() {
            self.fault(name, "must be a list of texts");
        }
        texts
    }

    /// A whole number, or a text that holds one; may be absent or `null`.
    pub(crate) fn optional_whole(&mut self, name: &str) -> Option<i64> {
        let digits = self.optional_digits(name)?;
        let number = digits.parse().ok();
        if number.is_none() {
            self.fault(name, "must be a whole number");
        }
        number
    }

    /// A list of values; may be absent or `null`.
    pub(crate) fn optional_list(&mut self, name: &str) -> Option<Vec<Json<'a>>> {
        match self.take(name)? {
            Json::Null => None,
            Json::Array(list) => Some(list),
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
                self.fault(name, "must be a list");
                None
            }
        }
    }

    /// Whether a member is there and not `null`; whatever it is, nobody else reads it.
    pub(crate) fn is_given(&mut self, name: &str) -> bool {
        self.take(name).is_some_and(|value| !value.is_null())
    }

    /// The caller's own key for a request that makes something; may be absent or `null`.
    pub(crate) fn idempotency_key(&mut self) -> Option<String> {
        let key = self.optional_text("idempotency_key");
        if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX) {
            self.fault("idempotency_key", &format!("must have 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes"));
        } else if key.as_ref().is_some_and(|key| key.contains(char::is_control)) {
            self.fault("idempotency_key", "holds a control character");
        }
        key
    }

    /// Notes that something is wrong with a member.
    pub(crate) fn fault(&mut self, name: &str, msg: &str) {
        self.faults.push(place(name, msg));
    }

    /// Whether something is wrong with this member.
    pub(crate) fn has_fault(&self, name: &str) -> bool {
        self.faults.iter().any(|fault| fault.loc.last().is_some_and(|last| last == name))
    }

    /// Fails if anything was wrong; members that nobody asked for are.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        let unknown: Vec<String> = self.members.iter().map(|member| member.name.to_string()).collect();
        for name in unknown {
            self.fault(&name, "is not a member of this request");
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::invalid(Code::InvalidRequest, self.faults)) }
    }

    fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let at = self.members.iter().position(|member| member.name == name)?;
        Some(self.members.remove(at).value)
    }
}

/// One fault of one member as a whole answer.
pub(crate) fn fault(name: &str, msg: &str) -> Problem {
    Problem::invalid(Code::InvalidRequest, vec![place(name, msg)])
}

fn place(name: &str, msg: &str) -> Fault {
    Fault { loc: vec!["body".to_owned(), name.to_owned()], msg: msg.to_owned() }
}
