//! Forms: labels, hints, what was typed, what is wrong, what it would do, and the button.

use askama::Template;

use super::Block;
use crate::{
    console::{Fields, KEY, Problems, STEP_UP_CODE, STEP_UP_FORM, STEP_UP_PASSWORD, Visit},
    text::t,
};

/// One of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// It is chosen.
    pub is_chosen: bool,
}

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// One line; the value of `type`.
    Line(&'static str),
    /// Several lines.
    Lines {
        /// How many are seen.
        rows: u32,
        /// It is read by a program.
        is_code: bool,
    },
    /// One of several, from a list.
    Select(Vec<Choice>),
    /// Any of several.
    Boxes(Vec<Choice>),
    /// Yes or no; it is ticked.
    Tick(bool),
    /// An address that is shown, sent, and not changed.
    Fixed,
    /// Sent, and not seen.
    Hidden,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/field.html")]
pub struct Field {
    /// Its name in the form.
    pub name: String,
    /// What it asks for.
    pub label: String,
    /// How it is filled in.
    pub control: Control,
    /// What stands in it.
    pub value: String,
    /// What to know about it; may be empty.
    pub hint: String,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// It has to be filled in.
    pub is_required: bool,
    /// The browser's word for what it holds (`autocomplete`); may be empty.
    pub fills: &'static str,
}

impl Field {
    /// A line of text.
    pub fn line(name: &str, label: impl Into<String>) -> Self {
        Self::new(name, label, Control::Line("text"))
    }

    /// An amount of credits.
    pub fn amount(name: &str, label: impl Into<String>) -> Self {
        Self { hint: t("console-amount-hint"), ..Self::new(name, label, Control::Line("text")) }
    }

    /// A password; it is never sent back.
    pub fn password(name: &str, label: impl Into<String>, fills: &'static str) -> Self {
        Self { fills, ..Self::new(name, label, Control::Line("password")) }
    }

    /// Whose password a form asks for. Browsers that keep passwords find the right one by it.
    pub fn username(email: &str) -> Self {
        Self { fills: "username", ..Self::new("username", t("console-sign-in-email"), Control::Fixed) }.value(email)
    }

    /// One of several.
    pub fn select(name: &str, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::new(name, label, Control::Select(choices))
    }

    /// A field that is filled in like this.
    pub fn new(name: &str, label: impl Into<String>, control: Control) -> Self {
        Self {
            name: name.to_owned(),
            label: label.into(),
            control,
            value: String::new(),
            hint: String::new(),
            problem: None,
            is_required: false,
            fills: "",
        }
    }

    /// It has to be filled in.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// With something to know about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// With this in it, unless something was typed.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// Whether this is a password, whose value is not sent back.
    fn is_secret(&self) -> bool {
        self.control == Control::Line("password")
    }

    /// The identifier of its element.
    pub fn element(&self) -> String {
        format!("field-{}", self.name)
    }

    /// What describes it, for `aria-describedby`; empty if nothing does.
    pub fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.element()));
        let problem = self.problem.as_ref().map(|_| format!("{}-problem", self.element()));
        hint.into_iter().chain(problem).collect::<Vec<_>>().join(" ")
    }
}

impl askama::filters::HtmlSafe for Field {}

/// A form that changes something.
#[derive(Debug, Template)]
#[template(path = "kit/form.html")]
pub struct Form {
    /// Where it is sent.
    pub action: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// What its button says.
    pub submit: String,
    /// It takes something away.
    pub is_danger: bool,
    /// What is wrong, field by field.
    pub problems: Vec<(String, String)>,
    /// What it would do, worked out without doing it.
    pub preview: Vec<Block>,
    /// The button only works it out; a second one does it.
    pub is_previewed: bool,
    /// Where not doing it leads; may be empty.
    pub cancel: String,
}

impl Form {
    /// A form with this button.
    pub fn new(action: impl Into<String>, submit: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            fields: Vec::new(),
            submit: submit.into(),
            is_danger: false,
            problems: Vec::new(),
            preview: Vec::new(),
            is_previewed: false,
            cancel: String::new(),
        }
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// It takes something away.
    #[must_use]
    pub const fn danger(mut self) -> Self {
        self.is_danger = true;
        self
    }

    /// Where not doing it leads.
    #[must_use]
    pub fn cancel(mut self, href: impl Into<String>) -> Self {
        self.cancel = href.into();
        self
    }

    /// The same press of the button twice does one thing: the key of the operation.
    #[must_use]
    pub(crate) fn once(self, visit: &Visit) -> Self {
        let key = Field::new(KEY, "", Control::Hidden).value(visit.new_key());
        self.field(key)
    }

    /// Asks for the password (and the code) where the operator has not shown lately who it is.
    #[must_use]
    pub(crate) fn step_up(self, visit: &Visit, action: engine::policy::console::ConsoleAction) -> Self {
        if visit.needs_step_up(action) { self.ask_password(visit) } else { self }
    }

    /// The same for what an operator does to itself.
    #[must_use]
    pub(crate) fn renewed(self, visit: &Visit) -> Self {
        if visit.is_fresh() { self } else { self.ask_password(visit) }
    }

    fn ask_password(self, visit: &Visit) -> Self {
        let own = Field::new(STEP_UP_FORM, "", Control::Hidden).value(visit.new_key());
        let form = self.field(own).field(Field::username(visit.email())).field(
            Field::password(STEP_UP_PASSWORD, t("console-step-up-password-label"), "current-password")
                .hint(t("console-step-up-hint"))
                .required(),
        );
        if !visit.has_factor() {
            return form;
        }
        form.field(Field { fills: "one-time-code", ..Field::line(STEP_UP_CODE, t("console-code-label")) }.required())
    }

    /// Puts back what was typed, and says what is wrong.
    #[must_use]
    pub(crate) fn filled(mut self, typed: &Fields, problems: &Problems) -> Self {
        for field in &mut self.fields {
            field.problem = problems.of(&field.name);
            match &mut field.control {
                Control::Select(choices) => {
                    let chosen = typed.text(&field.name).to_owned();
                    if typed.is_on(&field.name) {
                        for choice in choices {
                            choice.is_chosen = choice.value == chosen;
                        }
                    }
                }
                Control::Boxes(choices) => {
                    let chosen: Vec<&str> = typed.all(&field.name).collect();
                    if !chosen.is_empty() {
                        for choice in choices {
                            choice.is_chosen = chosen.contains(&choice.value.as_str());
                        }
                    }
                }
                Control::Fixed => {}
                Control::Tick(ticked) => *ticked = *ticked || typed.is_on(&field.name),
                Control::Hidden => {
                    if let Some(kept) = typed.hidden(&field.name) {
                        kept.clone_into(&mut field.value);
                    }
                }
                Control::Line(_) | Control::Lines { .. } => {
                    if typed.is_on(&field.name) && !field.is_secret() {
                        field.value = typed.raw(&field.name).to_owned();
                    }
                }
            }
        }
        self.problems = problems.all();
        self
    }

    /// Shows what it would do; its button then does it.
    #[must_use]
    pub fn preview(mut self, blocks: Vec<Block>) -> Self {
        self.preview = blocks;
        self
    }

    /// Its button only works out what it would do.
    #[must_use]
    pub const fn previewed(mut self) -> Self {
        self.is_previewed = true;
        self
    }
}
