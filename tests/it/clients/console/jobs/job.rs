//! One job, done by one operator or by several: what they press is counted, and timed.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use tests::{
    browser::{Browser, Download},
    operator_console::{Operator, PASSWORD},
};

use super::world::World;

/// What is done so far. An action is a press of a button or a link, a form that is sent, or an address that is opened;
/// filling in a field is none.
pub(super) struct Job<'w> {
    pub(super) world: &'w World,
    actions: RefCell<Vec<String>>,
    time: Cell<Duration>,
}

/// An operator's browser.
pub(super) struct Hands<'j> {
    job: &'j Job<'j>,
    pub(super) browser: Browser,
}

impl<'w> Job<'w> {
    pub(super) fn begin(world: &'w World) -> Self {
        Self { world, actions: RefCell::default(), time: Cell::default() }
    }

    /// What was pressed, in order, and how long that took, without what was asked over HTTP in between.
    pub(super) fn end(self) -> (Vec<String>, Duration) {
        (self.actions.into_inner(), self.time.get())
    }

    /// A browser with nobody in it.
    pub(super) fn hands(&self) -> Hands<'_> {
        let has_scripts = self.world.has_scripts;
        let browser = if has_scripts { Browser::start() } else { Browser::start_without_javascript() };
        Hands { job: self, browser }
    }

    /// An operator opens an address, which is called `called`, and signs in on the way: two actions.
    pub(super) fn sign_in(&self, who: &Operator, path: &str, called: &str) -> Hands<'_> {
        // Nobody waits for the authenticator here, but for a code that was not used.
        let code = who.code();
        let hands = self.hands();
        hands.open(path, called);
        hands.fill("E-mail", &who.email);
        hands.fill("Password", PASSWORD);
        hands.fill("code", &code);
        hands.press("Sign in");
        assert_eq!(hands.browser.url(), self.world.console.url(path), "{}", hands.browser.text());
        hands
    }

    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let done = work();
        self.time.set(self.time.get() + begin.elapsed());
        done
    }

    fn act<T>(&self, said: String, work: impl FnOnce() -> T) -> T {
        self.actions.borrow_mut().push(said);
        self.timed(work)
    }
}

impl Hands<'_> {
    pub(super) fn open(&self, path: &str, called: &str) {
        let url = self.job.world.console.url(path);
        self.job.act(format!("open {called}"), || self.browser.open(&url));
    }

    #[track_caller]
    pub(super) fn fill(&self, field: &str, value: &str) {
        self.job.timed(|| self.browser.fill(field, value));
    }

    #[track_caller]
    pub(super) fn choose(&self, field: &str, value: &str) {
        self.job.timed(|| self.browser.choose(field, value));
    }

    #[track_caller]
    pub(super) fn tick(&self, field: &str) {
        self.job.timed(|| self.browser.tick(field, true));
    }

    #[track_caller]
    pub(super) fn press(&self, text: &str) {
        self.job.act(format!("“{text}”"), || self.browser.press(text));
    }

    /// The operator's own name, at the top.
    #[track_caller]
    pub(super) fn press_own_name(&self, name: &str) {
        self.job.act("the own name".to_owned(), || self.browser.press_in("header", name));
    }

    #[track_caller]
    pub(super) fn open_row(&self, text: &str) {
        self.job.act(format!("the row “{text}”"), || self.browser.open_row(text));
    }

    /// Looks something up in the box at the top.
    #[track_caller]
    pub(super) fn search(&self, text: &str, called: &str) {
        self.job.act(format!("search for {called}"), || self.browser.look_up("Search", text));
    }

    #[track_caller]
    pub(super) fn download(&self, text: &str) -> Download {
        self.job.act(format!("“{text}”"), || self.browser.download(text))
    }

    /// Where the browser is, below the program's own address.
    pub(super) fn path(&self) -> String {
        let (url, root) = (self.browser.url(), self.job.world.console.url(""));
        url.strip_prefix(&root).unwrap_or_else(|| panic!("{url} is elsewhere")).to_owned()
    }

    /// The page shows this, and the browser has had nothing to complain about.
    #[track_caller]
    pub(super) fn see(self, text: &str) {
        self.job.timed(|| self.browser.see(text));
        self.browser.expect_no_complaints();
    }
}
