//! Sends the forms of the console as operators do, and reads what the audit trail tells of it.

use std::collections::BTreeSet;

use engine::clock::{Clock as _, SystemClock};
use serde_json::Value;
use tests::{
    authenticator::Authenticator,
    home::Home,
    html::{self, Element, Form},
    operator_console::{
        Operator, secret_on,
        visitor::{Visitor, fill},
    },
    program::Answer,
};

use super::{
    routes::leads_to,
    samples::{
        World,
        forms::{By, Sending},
    },
};
use crate::rows;

/// Of a form: what is sent.
pub(super) type Filled = Vec<(String, String)>;

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) action: String,
    pub(super) object: (String, String),
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// What somebody has done, from the first thing on. What the program does by itself is left out, and that wrong passwords
/// were counted, which is written some time behind the answer.
pub(super) fn trail(home: &Home) -> Vec<Entry> {
    let sql = "SELECT action, object_kind, object_id, coalesce(before_json, ''), coalesce(after_json, '') FROM audit \
               WHERE actor_kind <> 'system' AND action <> 'operator.sign_in_failed' ORDER BY recorded_us, slot, seq";
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let entry = |row: Vec<String>| match row.as_slice() {
        [action, kind, id, before, after] => Entry {
            action: action.clone(),
            object: (kind.clone(), id.clone()),
            before: text(before),
            after: text(after),
        },
        _ => panic!("not five columns: {row:?}"),
    };
    rows::of_home(home, sql).into_iter().map(entry).collect()
}

/// Whoever sends the forms of a world.
pub(super) struct Senders<'w> {
    world: &'w World,
    other: Operator,
    nobody: Visitor,
    newcomer: Operator,
}

impl<'w> Senders<'w> {
    pub(super) fn of(world: &'w World) -> Self {
        let mut other = world.console.operator("Barbara", "barbara@example.com", "owner");
        other.enrol();
        Self { world, other, nobody: world.console.visitor(), newcomer: world.newcomer().0 }
    }

    /// Who may do everything, and did not ask for what is to be decided.
    pub(super) const fn other(&self) -> &Operator {
        &self.other
    }

    pub(super) const fn world(&self) -> &World {
        self.world
    }

    /// Somebody else fills in a form, and has it done.
    #[track_caller]
    pub(super) fn does_otherwise(&self, page: &str, action: &str, fields: &[(&str, &str)]) {
        let done = self.other.visitor.submit(page, action, fields);
        assert_eq!(done.status, 303, "{action}: {}", html::text(&done.body));
    }

    pub(super) fn visitor(&self, by: By) -> &Visitor {
        match by {
            By::Owner => &self.world.owner.visitor,
            By::Other => &self.other.visitor,
            By::Newcomer => &self.newcomer.visitor,
            By::Nobody => &self.nobody,
        }
    }

    /// Opens the page of a form.
    #[track_caller]
    pub(super) fn open(&self, sending: &Sending) -> Opened {
        let opened = self.try_open(sending);
        opened.unwrap_or_else(|| panic!("there is no form for {} at {:?}", sending.route, self.world.page_of(sending)))
    }

    /// The same, if there is such a page, with a form on it.
    pub(super) fn try_open(&self, sending: &Sending) -> Option<Opened> {
        let page = self.world.page_of(sending)?;
        let shown = self.visitor(sending.by).get(&page);
        let is_there = html::forms(&shown.body).iter().any(|form| form.method == "post");
        if shown.status != 200 || !is_there {
            return None;
        }
        let fields = sending.fields.iter().map(|(name, value)| ((*name).to_owned(), work_out(value, &shown.body)));
        Some(Opened { values: fields.collect(), body: shown.body, page })
    }

    /// Sends a form with these values. Where it first shows what it would do, that is looked at, and then confirmed; what
    /// was sent last, where, and the answer.
    #[track_caller]
    pub(super) fn send(&self, sending: &Sending, opened: &Opened) -> Sent {
        match self.fill(sending, opened) {
            Ok((action, filled)) => Sent { answer: post(self.visitor(sending.by), &action, &filled), action, filled },
            Err(stopped) => *stopped,
        }
    }

    /// What is sent last, and where, to have it done: behind what it would do, where that is shown first. Or what came of
    /// that, if it was not shown.
    #[track_caller]
    pub(super) fn fill(&self, sending: &Sending, opened: &Opened) -> Result<(String, Filled), Box<Sent>> {
        Self::fill_as(self.visitor(sending.by), sending, opened)
    }

    /// The same, done by somebody else.
    #[track_caller]
    pub(super) fn fill_as(
        visitor: &Visitor,
        sending: &Sending,
        opened: &Opened,
    ) -> Result<(String, Filled), Box<Sent>> {
        let (form, action) = opened.form(sending);
        let step = |wanted: &str, form: &Form| form.buttons.contains(&("step".to_owned(), wanted.to_owned()));
        let mut filled = fill_in(&form, &opened.values);
        if !step("preview", &form) {
            return Ok((action, filled));
        }
        filled.push(("step".to_owned(), "preview".to_owned()));
        let shown = post(visitor, &action, &filled);
        let confirmed = find_form(&shown.body, sending.route).filter(|form| step("confirm", form));
        if shown.status != 200 || confirmed.is_none() {
            return Err(Box::new(Sent { answer: shown, action, filled }));
        }
        let filled = fill_in(&confirmed.expect("a form"), &[("step".to_owned(), "confirm".to_owned())]);
        Ok((action, filled))
    }
}

/// A page with a form, and what is to be typed into it.
pub(super) struct Opened {
    pub(super) page: String,
    pub(super) body: String,
    pub(super) values: Filled,
}

/// What was sent last, and what was answered.
pub(super) struct Sent {
    pub(super) action: String,
    pub(super) filled: Filled,
    pub(super) answer: Answer,
}

impl Opened {
    /// The form and where it is sent.
    #[track_caller]
    pub(super) fn form(&self, sending: &Sending) -> (Form, String) {
        let forms = || html::forms(&self.body).into_iter().filter(|form| form.method == "post");
        match find_form(&self.body, sending.route) {
            Some(form) => {
                let action = form.action.clone();
                (form, action)
            }
            // Some buttons send the form that is there elsewhere.
            None => {
                let form = forms().next().unwrap_or_else(|| panic!("{} has no form", self.page));
                (form, format!("/admin{}", sending.route))
            }
        }
    }
}

pub(super) fn find_form(body: &str, route: &str) -> Option<Form> {
    html::forms(body).into_iter().find(|form| form.method == "post" && leads_to(&form.action, route))
}

/// The fields that are seen in the form of a page, each with its first element.
pub(super) fn seen_fields(body: &str) -> Vec<(String, Element)> {
    let mut known = BTreeSet::new();
    let elements = html::elements(body).into_iter().filter(|element| {
        let is_field = matches!(element.name.as_str(), "input" | "select" | "textarea");
        is_field && element.get("id").is_some_and(|id| id.starts_with("field-")) && element.get("readonly").is_none()
    });
    let named = elements.filter_map(|element| Some((element.get("name")?.to_owned(), element)));
    named.filter(|(name, _)| known.insert(name.clone())).collect()
}

/// What stands in a row for what is only known by then.
pub(super) fn work_out(value: &str, body: &str) -> String {
    match value {
        "{code}" => Authenticator::new(&secret_on(body)).code(),
        "{now}" => jiff::Timestamp::from_microsecond(SystemClock::start().now_us()).expect("a moment").to_string(),
        plain => plain.to_owned(),
    }
}

#[track_caller]
pub(super) fn fill_in(form: &Form, values: &[(String, String)]) -> Filled {
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fill(form, &values)
}

#[track_caller]
pub(super) fn post(visitor: &Visitor, action: &str, filled: &[(String, String)]) -> Answer {
    let filled: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    visitor.post(action, &filled)
}

/// Whether two texts of JSON say the same.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    read(one) == read(other)
}
