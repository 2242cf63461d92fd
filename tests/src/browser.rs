//! A real Chromium, as visitors of the console have one. All tests of the process that want one at the same time share
//! the program; each has a visitor of its own in it, with nothing kept from others.
//!
//! Nothing here decides a test by waiting for a time: what a command waits for, it names, and gives up after 15 seconds.

use std::{fmt, path::Path, sync::Arc};

use serde_json::{Value, json};

use self::driver::Driver;

mod driver;
mod lists;

pub use self::lists::Download;

/// A visitor with cookies of its own and one page in front. Leaves when dropped; the last one ends the browser.
#[derive(Debug)]
pub struct Browser {
    driver: Arc<Driver>,
    tab: u64,
}

/// What the operator prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Scheme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// Its name in CSS.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Something that the browser complained about: an error or a message in its console, an error in a script, a policy
/// that was violated, a request to elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// `error`, `warning`, `log` (whatever a script writes to the console), `page error`, `policy`, `elsewhere`.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// Where it comes from.
    pub url: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.kind, self.text, self.url)
    }
}

/// Something that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The method.
    pub method: String,
    /// From where.
    pub url: String,
    /// The status.
    pub status: u64,
    /// Bytes of the body as they came, packed.
    pub bytes: u64,
}

/// How a page of another site sends a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A form that sends itself.
    Form,
    /// The same in a frame without an origin.
    Frame,
    /// A script that fetches, with cookies.
    Fetch,
    /// A form to the other site itself, which sends the browser on with it.
    Redirect,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Form, Self::Frame, Self::Fetch, Self::Redirect];

    const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Frame => "frame",
            Self::Fetch => "fetch",
            Self::Redirect => "redirect",
        }
    }
}

/// Where such a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// Another site: another host.
    OtherSite,
    /// The same site on another port: cookies that are kept from other sites go along.
    OtherPort,
}

impl Elsewhere {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OtherSite, Self::OtherPort];

    const fn name(self) -> &'static str {
        match self {
            Self::OtherSite => "site",
            Self::OtherPort => "port",
        }
    }
}

/// What a form of another site was answered, and what the browser said of it, as far as it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFromElsewhere {
    /// The status of the answer; of [`Way::Fetch`] the browser may keep it to itself.
    pub status: Option<u64>,
    /// `Sec-Fetch-Site`; nothing is known of [`Way::Fetch`].
    pub site: Option<String>,
    /// `Origin`; as above.
    pub origin: Option<String>,
    /// A cookie went along; as above.
    pub has_cookie: bool,
}

impl Browser {
    /// A new visitor.
    ///
    /// # Panics
    /// There is no browser.
    #[track_caller]
    pub fn start() -> Self {
        Self::begin(true)
    }

    /// A new visitor whose browser runs no scripts.
    ///
    /// # Panics
    /// As for [`Self::start`].
    #[track_caller]
    pub fn start_without_javascript() -> Self {
        Self::begin(false)
    }

    #[track_caller]
    fn begin(javascript: bool) -> Self {
        let driver = Driver::shared();
        let browser = Self { tab: driver.number(), driver };
        browser.ask("begin", json!({"javascript": javascript}));
        browser
    }

    #[track_caller]
    fn ask(&self, command: &str, arguments: Value) -> Value {
        self.driver.ask(self.tab, command, arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn ask_text(&self, command: &str, arguments: Value) -> String {
        self.ask(command, arguments).as_str().unwrap_or_default().to_owned()
    }

    /// Opens a page and gives the status of its answer. Redirections are followed.
    ///
    /// # Panics
    /// There is no answer.
    #[track_caller]
    pub fn open(&self, url: &str) -> u64 {
        number(&self.ask("open", json!({"url": url})), "status")
    }

    /// Back to the page before, which is fetched again if it must not be kept; the status of its answer.
    ///
    /// # Panics
    /// It would have to send a form again.
    #[track_caller]
    pub fn back(&self) -> u64 {
        number(&self.ask("back", Value::Null), "status")
    }

    /// Types into the field with this label or, failing that, this name.
    ///
    /// # Panics
    /// There is none, or more than one.
    #[track_caller]
    pub fn fill(&self, field: &str, value: &str) {
        self.ask("fill", json!({"field": field, "value": value}));
    }

    /// Chooses from a list by what it shows or, failing that, by its value.
    ///
    /// # Panics
    /// As for [`Self::fill`]; or that is not to be chosen.
    #[track_caller]
    pub fn choose(&self, field: &str, value: &str) {
        self.ask("choose", json!({"field": field, "value": value}));
    }

    /// Ticks a box, or takes the tick away.
    ///
    /// # Panics
    /// As for [`Self::fill`].
    #[track_caller]
    pub fn tick(&self, field: &str, on: bool) {
        self.ask("tick", json!({"field": field, "on": on}));
    }

    /// Presses the button or follows the link that is called this for everybody, and waits for the page it leads to.
    ///
    /// # Panics
    /// There is none, or more than one.
    #[track_caller]
    pub fn press(&self, text: &str) {
        self.ask("press", json!({"text": text}));
    }

    /// The same in a part of the page, named by a CSS selector.
    ///
    /// # Panics
    /// As for [`Self::press`].
    #[track_caller]
    pub fn press_in(&self, within: &str, text: &str) {
        self.ask("press", json!({"text": text, "within": within}));
    }

    /// Presses a key: `Tab`, `Enter`, `Escape`, `/`, `Shift+Tab`.
    ///
    /// # Panics
    /// There is no such key.
    #[track_caller]
    pub fn key(&self, key: &str) {
        self.ask("key", json!({"key": key}));
    }

    /// Waits until the text can be seen.
    ///
    /// # Panics
    /// It does not appear.
    #[track_caller]
    pub fn see(&self, text: &str) {
        self.ask("see", json!({"text": text}));
    }

    /// All that can be read on the page.
    #[track_caller]
    pub fn text(&self) -> String {
        self.ask_text("text", Value::Null)
    }

    /// What can be read in a part of the page, named by a CSS selector.
    ///
    /// # Panics
    /// There is no such part, or more than one.
    #[track_caller]
    pub fn text_in(&self, within: &str) -> String {
        self.ask_text("text", json!({"within": within}))
    }

    /// The page as the browser has it now.
    #[track_caller]
    pub fn html(&self) -> String {
        self.ask_text("html", Value::Null)
    }

    /// Where it is.
    #[track_caller]
    pub fn url(&self) -> String {
        self.ask_text("url", Value::Null)
    }

    /// What an expression of JavaScript is on the page; works without scripts, too, as long as it waits for nothing.
    ///
    /// # Panics
    /// It fails.
    #[track_caller]
    pub fn evaluate(&self, expression: &str) -> Value {
        self.ask("evaluate", json!({"expression": expression}))
    }

    /// Makes the window this wide, and the colours these, from now on.
    #[track_caller]
    pub fn look(&self, width: u32, scheme: Scheme) {
        self.ask("look", json!({"width": width, "scheme": scheme.name()}));
    }

    /// Shows the page as it is printed, or on a screen again.
    #[track_caller]
    pub fn print(&self, is_printed: bool) {
        self.ask("look", json!({"media": if is_printed { "print" } else { "screen" }}));
    }

    /// A picture of the whole page, as a PNG.
    ///
    /// # Panics
    /// It can't be written.
    #[track_caller]
    pub fn screenshot(&self, path: &Path) {
        self.ask("screenshot", json!({"path": path}));
    }

    /// Switches scripts on or off. The visitor stays who it is; its page is closed.
    #[track_caller]
    pub fn javascript(&self, on: bool) {
        self.ask("javascript", json!({"on": on}));
    }

    /// The names and values of the cookies.
    #[track_caller]
    pub fn cookies(&self) -> Vec<(String, String)> {
        let list = self.ask("cookies", Value::Null);
        list.as_array().into_iter().flatten().map(|cookie| (text(cookie, "name"), text(cookie, "value"))).collect()
    }

    /// Has one cookie more, from `url`.
    #[track_caller]
    pub fn give_cookie(&self, url: &str, name: &str, value: &str) {
        self.ask("cookies", json!({"give": {"url": url, "name": name, "value": value}}));
    }

    /// What the browser has complained about since it was last asked.
    #[track_caller]
    pub fn complaints(&self) -> Vec<Complaint> {
        let list = self.ask("console", Value::Null);
        let read = |one: &Value| Complaint { kind: text(one, "kind"), text: text(one, "text"), url: text(one, "url") };
        list.as_array().into_iter().flatten().map(read).collect()
    }

    /// What was fetched since it was last asked.
    #[track_caller]
    pub fn traffic(&self) -> Vec<Fetched> {
        let list = self.ask("traffic", Value::Null);
        let read = |one: &Value| Fetched {
            method: text(one, "method"),
            url: text(one, "url"),
            status: number(one, "status"),
            bytes: number(one, "bytes"),
        };
        list.as_array().into_iter().flatten().map(read).collect()
    }

    /// Opens a page elsewhere in the same browser which sends a form to `url`.
    ///
    /// # Panics
    /// It is not sent.
    #[track_caller]
    pub fn submit_cross_site(
        &self,
        url: &str,
        fields: &[(&str, &str)],
        way: Way,
        from: Elsewhere,
    ) -> SentFromElsewhere {
        let fields: serde_json::Map<String, Value> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let arguments = json!({"url": url, "fields": fields, "way": way.name(), "from": from.name()});
        let sent = self.ask("submit_cross_site", arguments);
        let found = |name: &str| sent.get(name).and_then(Value::as_str).map(str::to_owned);
        SentFromElsewhere {
            status: sent.get("status").and_then(Value::as_u64),
            site: found("site"),
            origin: found("origin"),
            has_cookie: sent.get("has_cookie") == Some(&Value::Bool(true)),
        }
    }

    /// What the page lacks for WCAG 2.2 AA, as far as axe can tell: a text for each rule.
    ///
    /// # Panics
    /// Scripts are off.
    #[track_caller]
    pub fn barriers(&self) -> Vec<String> {
        let list = self.ask("axe", Value::Null);
        list.as_array().into_iter().flatten().map(barrier).collect()
    }

    /// # Panics
    /// The browser has complained since it was last asked.
    #[track_caller]
    pub fn expect_no_complaints(&self) {
        let found: Vec<String> = self.complaints().iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}: the browser complains:\n{}", self.url(), found.join("\n"));
    }

    /// # Panics
    /// Axe finds something.
    #[track_caller]
    pub fn expect_no_barriers(&self) {
        let found = self.barriers();
        assert!(found.is_empty(), "{}: axe finds:\n{}", self.url(), found.join("\n"));
    }

    /// What makes the page wider than the window, if it is: how much, and the first elements that stick out.
    #[track_caller]
    pub fn sticking_out(&self) -> Option<String> {
        const WIDER: &str = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        const ELEMENTS: &str = "[...document.querySelectorAll('body *')]\
            .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth)\
            .slice(0, 5).map((element) => element.outerHTML.slice(0, 160)).join('\\n')";
        let pixels = self.evaluate(WIDER).as_i64().unwrap_or(i64::MAX);
        let elements = || self.evaluate(ELEMENTS).as_str().unwrap_or_default().to_owned();
        (pixels > 0).then(|| format!("{pixels} px wider than the window:\n{}", elements()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It fails when the browser has ended.
        drop(self.driver.ask(self.tab, "end", Value::Null));
    }
}

fn text(object: &Value, member: &str) -> String {
    object.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number(object: &Value, member: &str) -> u64 {
    object.get(member).and_then(Value::as_u64).unwrap_or_default()
}

fn barrier(violation: &Value) -> String {
    let nodes = violation.get("nodes").and_then(Value::as_array).into_iter().flatten();
    let nodes = nodes.map(|node| {
        let why = text(node, "why").replace('\n', "\n      ");
        format!("\n  {}: {}\n      {why}", text(node, "target"), text(node, "html"))
    });
    let nodes: String = nodes.collect();
    format!("{} ({}): {}{nodes}", text(violation, "id"), text(violation, "impact"), text(violation, "help"))
}
