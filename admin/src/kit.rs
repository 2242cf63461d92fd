//! The parts that pages are made of. A page is data: handlers say what is to be seen, the templates in `templates/kit`
//! say how, once for all pages. So every table pages, every amount has its unit, every form keeps what was typed.

use std::fmt;

use askama::Template;
use fluent_bundle::FluentValue;

use crate::text::t_with;

pub mod bands;
pub mod books;
pub mod cell;
pub mod chart;
pub mod curve;
pub mod editor;
pub mod form;
pub mod layers;
pub(crate) mod lines;
pub mod panes;
pub mod picture;
pub mod qr;
pub mod spans;
pub mod spark;
pub mod steps;
pub mod strips;
pub mod table;
pub mod tree;

pub(crate) use bands::percent;
pub use bands::{Band, Bands};
pub use books::{Diverging, Side, TAccount, TAccounts};
pub use cell::{Cell, Tone, hours_ago, instant_text, parse_time, short_id};
pub(crate) use cell::{grouped, iso_text};
pub use chart::{Bars, Measure, Series, Trend};
pub use curve::{Curve, Run};
pub use editor::{Ask, Button, Editor, Lane, LaneEntry, LaneList, Lanes};
pub use form::{Choice, Control, Field, Form};
pub use layers::{Layer, Layers};
pub use panes::{Pane, PaneLine, Panes};
pub use picture::Picture;
pub use qr::Qr;
pub use spans::{Span, Spans};
pub use spark::Spark;
pub use steps::Steps;
pub use strips::{Strip, Strips};
pub use table::{Column, Filter, Filters, Row, Table, page_href};
pub use tree::{Branch, Tree};

/// Somewhere to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it says.
    pub text: String,
    /// Where it goes.
    pub href: String,
}

impl Link {
    /// A link.
    pub fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into() }
    }
}

/// One page of the console.
#[derive(Debug, Default)]
pub struct Page {
    /// What it is, as its heading and in the window's title.
    pub title: String,
    /// What stands under the heading: a state, an identifier.
    pub subtitle: Vec<Cell>,
    /// From the section down to what contains this page.
    pub crumbs: Vec<Link>,
    /// What can be done here, as links to forms.
    pub tools: Vec<Link>,
    /// Views of the same thing; the one that is shown has an empty `href`.
    pub tabs: Vec<Link>,
    /// What is said once, after something was done.
    pub flash: Option<Notice>,
    /// From top to bottom.
    pub blocks: Vec<Block>,
}

impl Page {
    /// A page with nothing on it yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds a part.
    #[must_use]
    pub fn with(mut self, block: impl Into<Block>) -> Self {
        self.blocks.push(block.into());
        self
    }

    /// Adds what contains this page.
    #[must_use]
    pub fn under(mut self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.crumbs.push(Link::new(text, href));
        self
    }

    /// Adds what can be done here, if the operator may.
    #[must_use]
    pub fn tool(mut self, may: bool, text: impl Into<String>, href: impl Into<String>) -> Self {
        if may {
            self.tools.push(Link::new(text, href));
        }
        self
    }
}

/// One part of a page.
#[derive(Debug)]
pub enum Block {
    /// A heading inside the page.
    Heading(Heading),
    /// A paragraph.
    Text(Text),
    /// Something to notice.
    Notice(Notice),
    /// Numbers that lead to their lists.
    Stats(Stats),
    /// Names and values of one thing.
    Facts(Facts),
    /// Rows.
    Table(Table),
    /// What a table is narrowed by.
    Filters(Filters),
    /// Something to fill in.
    Form(Box<Form>),
    /// What has happened, the newest first.
    Timeline(Timeline),
    /// A chart of stacked bars.
    Bars(Bars),
    /// A chart of a value that changes at moments.
    Steps(Steps),
    /// A chart of what is left of something until it ends.
    Curve(Curve),
    /// A chart of bars that begin and end anywhere.
    Spans(Spans),
    /// A chart of rates and the bands that they are expected in.
    Bands(Bands),
    /// Text as it is: a document, a policy, a command.
    Code(Code),
    /// A text for a camera.
    Qr(Qr),
    /// A picture that was uploaded here.
    Picture(Picture),
    /// Two texts compared.
    Diff(Diff),
    /// Nothing, and what would make something.
    Empty(Empty),
    /// A secret that is shown once.
    Secret(Secret),
    /// A chart of amounts to both sides of nothing.
    Diverging(Diverging),
    /// A chart of amounts that are made of others.
    Tree(Tree),
    /// Accounts, debits left and credits right.
    TAccounts(TAccounts),
    /// Texts beside each other, whose lines lead to one another.
    Panes(Panes),
    /// A question whose answer is a page.
    Ask(Ask),
    /// A text that is checked while it is written.
    Editor(Box<Editor>),
    /// Steps with their lists, in an editor.
    Lanes(Lanes),
    /// A chart of layers, and what passes through them.
    Layers(Layers),
    /// Charts of several values over the same time.
    Strips(Strips),
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rendered = match self {
            Self::Heading(block) => block.render(),
            Self::Text(block) => block.render(),
            Self::Notice(block) => block.render(),
            Self::Stats(block) => block.render(),
            Self::Facts(block) => block.render(),
            Self::Table(block) => block.render(),
            Self::Filters(block) => block.render(),
            Self::Form(block) => block.render(),
            Self::Timeline(block) => block.render(),
            Self::Bars(block) => block.render(),
            Self::Steps(block) => block.render(),
            Self::Curve(block) => block.render(),
            Self::Spans(block) => block.render(),
            Self::Bands(block) => block.render(),
            Self::Code(block) => block.render(),
            Self::Qr(block) => block.render(),
            Self::Picture(block) => block.render(),
            Self::Diff(block) => block.render(),
            Self::Empty(block) => block.render(),
            Self::Secret(block) => block.render(),
            Self::Diverging(block) => block.render(),
            Self::Tree(block) => block.render(),
            Self::TAccounts(block) => block.render(),
            Self::Panes(block) => block.render(),
            Self::Ask(block) => block.render(),
            Self::Editor(block) => block.render(),
            Self::Lanes(block) => block.render(),
            Self::Layers(block) => block.render(),
            Self::Strips(block) => block.render(),
        };
        f.write_str(&rendered.map_err(|error| {
            tracing::error!(%error, "a part of a page could not be written");
            fmt::Error
        })?)
    }
}

/// What the templates of this folder have written is markup.
impl askama::filters::HtmlSafe for Block {}
impl askama::filters::HtmlSafe for Empty {}

macro_rules! block_from {
    ($($name:ident),*) => {$(
        impl From<$name> for Block {
            fn from(block: $name) -> Self {
                Self::$name(block)
            }
        }
    )*};
}

block_from!(Heading, Text, Notice, Stats, Facts, Table, Filters, Timeline, Bars, Steps, Code, Diff, Empty, Secret);
block_from!(Diverging, TAccounts, Curve, Tree);
block_from!(Panes, Ask, Lanes, Layers, Strips, Spans, Bands, Qr, Picture);

impl From<Form> for Block {
    fn from(form: Form) -> Self {
        Self::Form(Box::new(form))
    }
}

impl From<Editor> for Block {
    fn from(editor: Editor) -> Self {
        Self::Editor(Box::new(editor))
    }
}

/// A heading inside a page.
#[derive(Debug, Template)]
#[template(path = "kit/heading.html")]
pub struct Heading {
    /// What it says.
    pub text: String,
}

impl Heading {
    /// A heading.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

/// A paragraph.
#[derive(Debug, Template)]
#[template(path = "kit/text.html")]
pub struct Text {
    /// What it says.
    pub text: String,
}

impl Text {
    /// A paragraph.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// How far was looked, in the words `key`: at the newest `count`, which came since `since_us` (microseconds since the Unix
    /// epoch). Nothing where everything was looked at.
    pub(crate) fn looked_back(
        key: &str,
        count: impl Into<FluentValue<'static>>,
        since_us: Option<i64>,
    ) -> Option<Self> {
        let since = instant_text(since_us?).into();
        Some(Self::new(t_with(key, &[("count", count.into()), ("since", since)])))
    }
}

/// Something to notice.
#[derive(Debug, Template)]
#[template(path = "kit/notice.html")]
pub struct Notice {
    /// How it stands.
    pub tone: Tone,
    /// What it says.
    pub text: String,
    /// What to do about it.
    pub links: Vec<Link>,
}

impl Notice {
    /// A notice without links.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into(), links: Vec::new() }
    }

    /// With something to do about it.
    #[must_use]
    pub fn link(mut self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.links.push(Link::new(text, href));
        self
    }
}

/// Numbers that lead to their lists.
#[derive(Debug, Template)]
#[template(path = "kit/stats.html")]
pub struct Stats {
    /// In their order.
    pub stats: Vec<Stat>,
}

/// One number.
#[derive(Debug)]
pub struct Stat {
    /// What it counts.
    pub label: String,
    /// How much.
    pub value: Cell,
    /// Beside it, smaller: what it is compared with.
    pub note: String,
    /// The list behind it; empty if there is none.
    pub href: String,
    /// How it stands.
    pub tone: Tone,
}

/// Names and values of one thing.
#[derive(Debug, Default, Template)]
#[template(path = "kit/facts.html")]
pub struct Facts {
    /// In their order.
    pub facts: Vec<(String, Cell)>,
}

impl Facts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: Cell) -> Self {
        self.facts.push((name.into(), value));
        self
    }
}

/// What has happened, the newest first.
#[derive(Debug, Template)]
#[template(path = "kit/timeline.html")]
pub struct Timeline {
    /// The newest first.
    pub events: Vec<Event>,
    /// Where more of it is; empty if this is all.
    pub more: String,
}

/// One thing that has happened.
#[derive(Debug)]
pub struct Event {
    /// When, in microseconds since the Unix epoch.
    pub at_us: i64,
    /// What.
    pub what: Cell,
    /// By whom.
    pub who: Cell,
    /// Further words: a reason, what was before and after.
    pub details: Vec<String>,
}

/// Text as it is.
#[derive(Debug, Template)]
#[template(path = "kit/code.html")]
pub struct Code {
    /// What it is, above it.
    pub caption: String,
    /// The text.
    pub text: String,
    /// A button copies it.
    pub is_copied: bool,
}

/// Two texts compared, line by line.
#[derive(Debug, Template)]
#[template(path = "kit/diff.html")]
pub struct Diff {
    /// What is compared.
    pub caption: String,
    /// The lines.
    pub lines: Vec<DiffLine>,
}

/// One line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// It stands only in the new text (`+`), only in the old one (`-`), or in both (a space).
    pub mark: char,
    /// The line.
    pub text: String,
}

/// Nothing, and what would make something.
#[derive(Debug, Template)]
#[template(path = "kit/empty.html")]
pub struct Empty {
    /// What this is a list of, and that there is none.
    pub text: String,
    /// The command that makes the first one; empty if there is none.
    pub command: String,
    /// The form that makes the first one.
    pub link: Option<Link>,
}

/// A secret that is shown once.
#[derive(Debug, Template)]
#[template(path = "kit/secret.html")]
pub struct Secret {
    /// What it is, and that it is shown once.
    pub text: String,
    /// The secret.
    pub secret: String,
}

#[cfg(test)]
mod tests;
