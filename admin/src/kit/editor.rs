//! A text that is checked while it is written, with what the check says beside it; and steps with their lists, whose buttons
//! change the text. Every button sends the whole form, so all of it works without scripts.

use askama::Template;

use super::{Block, Field, Form};

/// How long a pause in typing is, in milliseconds: then the text is checked.
const PAUSE_MS: u32 = 700;

/// A form that is checked while it is filled in.
#[derive(Debug, Template)]
#[template(path = "kit/editor.html")]
pub struct Editor {
    /// Names it on its page.
    pub id: &'static str,
    /// Its fields; its own button and preview are not shown.
    pub form: Form,
    /// Where it is checked; the answer is the same page.
    pub live: String,
    /// The fields that are watched.
    pub watched: Vec<&'static str>,
    /// What can be done with it. The first one is what the Enter key does: it changes nothing.
    pub buttons: Vec<Button>,
    /// What the check says.
    pub beside: Vec<Block>,
}

impl Editor {
    /// When it is checked, for `hx-trigger`.
    fn trigger(&self) -> String {
        let watch = |name: &&str| format!("input changed delay:{PAUSE_MS}ms from:#field-{name}");
        self.watched.iter().map(watch).collect::<Vec<_>>().join(", ")
    }
}

/// A button of an editor. What is pressed is sent as `do`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Button {
    /// What is sent.
    pub value: String,
    /// What it says.
    pub text: String,
    /// What it does, for who cannot see where it stands; may be empty.
    pub says: String,
    /// It stands for what is chosen.
    pub is_chosen: bool,
}

impl Button {
    /// A button.
    pub fn new(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self { value: value.into(), text: text.into(), ..Self::default() }
    }

    /// With what it does.
    #[must_use]
    pub fn says(mut self, says: impl Into<String>) -> Self {
        self.says = says.into();
        self
    }
}

/// Steps in their order.
#[derive(Debug, Template)]
#[template(path = "kit/lanes.html")]
pub struct Lanes {
    /// What the buttons that add something take.
    pub field: Field,
    /// What adds a step.
    pub buttons: Vec<Button>,
    /// The steps.
    pub lanes: Vec<Lane>,
}

/// One step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lane {
    /// What it is.
    pub title: String,
    /// Its key.
    pub key: String,
    /// What is chosen here, of several.
    pub choices: Vec<Button>,
    /// Its lists.
    pub lists: Vec<LaneList>,
    /// What adds something to it.
    pub buttons: Vec<Button>,
    /// What else is to be known; may be empty.
    pub note: String,
}

/// One list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneList {
    /// What it is called.
    pub name: String,
    /// Its entries.
    pub entries: Vec<LaneEntry>,
    /// What stands there instead of entries, or behind those that are shown; may be empty.
    pub note: String,
    /// What adds an entry.
    pub add: Option<Button>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneEntry {
    /// The entry.
    pub text: String,
    /// What takes it out.
    pub remove: Option<Button>,
}

/// A question whose answer is a page: it changes nothing, and stands in the address.
#[derive(Debug, Template)]
#[template(path = "kit/ask.html")]
pub struct Ask {
    /// The page.
    pub action: String,
    /// The fields.
    pub fields: Vec<Field>,
    /// What its button says.
    pub submit: String,
}
