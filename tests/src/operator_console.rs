//! The operators' console of the real program, and operators who are signed in there: for browsers and without one.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use self::visitor::Visitor;
use crate::{
    authenticator::Authenticator,
    browser::Browser,
    html,
    patience::Ends as _,
    program::{Answer, Demo, Server, configure, tollgate},
};

pub mod visitor;

/// What every operator of the tests signs in with.
pub const PASSWORD: &str = "correct horse battery staple";

/// The name of the session's cookie where the console is reached over plain HTTP on its own machine.
pub const COOKIE: &str = "tollgate-session";

/// A running program with its console. Killed when dropped.
#[derive(Debug)]
pub struct OperatorConsole {
    program: Program,
    folder: PathBuf,
    address: SocketAddr,
}

#[derive(Debug)]
enum Program {
    Plain(Server),
    Demo(Demo),
}

/// Somebody with a password, signed in.
#[derive(Debug)]
pub struct Operator {
    /// Who it is.
    pub email: String,
    /// The session without a browser.
    pub visitor: Visitor,
    /// Of whom has enrolled one.
    pub authenticator: Option<Authenticator>,
}

impl OperatorConsole {
    /// Starts the program on the database of `folder`, which may be empty, with no configuration of its own.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &json!({}))
    }

    /// The same with this configuration.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_with(folder: &Path, configuration: &Value) -> Self {
        configure(folder, configuration);
        if configuration.pointer("/server/public_url").is_none() {
            return Self::of(folder, Program::Plain(Server::start(folder)));
        }
        // It says its public address, behind which its own is not to be seen: that is taken beforehand.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
        let address = free.local_addr().expect("it is bound");
        drop(free);
        let mut command = tollgate(folder, &["serve"]);
        command.env("TOLLGATE_SERVER__BIND", address.to_string());
        let program = Program::Plain(Server::start_as(command));
        Self { program, folder: folder.to_owned(), address }
    }

    /// The same on a free port of this address instead of loopback's.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_at(folder: &Path, address: IpAddr, configuration: &Value) -> Self {
        configure(folder, configuration);
        let mut command = tollgate(folder, &["serve"]);
        command.env("TOLLGATE_SERVER__BIND", SocketAddr::new(address, 0).to_string());
        Self::of(folder, Program::Plain(Server::start_as(command)))
    }

    /// Starts the program with what the demo brings.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_demo(folder: &Path) -> Self {
        Self::of(folder, Program::Demo(Demo::start(folder)))
    }

    /// The same, with a log of what `filter` asks for (in the form of `RUST_LOG`).
    ///
    /// # Panics
    /// It does not start.
    pub fn start_demo_logging(folder: &Path, filter: &str) -> Self {
        let mut command = tollgate(folder, &["serve", "--demo"]);
        command.env("RUST_LOG", filter);
        Self::of(folder, Program::Demo(Demo::start_as(command)))
    }

    fn of(folder: &Path, program: Program) -> Self {
        let address = match &program {
            Program::Plain(server) => server.base_url(),
            Program::Demo(demo) => demo.base_url(),
        };
        let address = address.trim_start_matches("http://").parse().expect("an address");
        Self { program, folder: folder.to_owned(), address }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a path is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The demo, where it is one.
    pub const fn demo(&self) -> Option<&Demo> {
        match &self.program {
            Program::Plain(_) => None,
            Program::Demo(demo) => Some(demo),
        }
    }

    /// Carries a command out beside it and gives its JSON.
    ///
    /// # Panics
    /// It fails.
    #[track_caller]
    pub fn command(&self, arguments: &[&str]) -> Value {
        let output = tollgate(&self.folder, &[arguments, &["--json"]].concat()).ended().expect("the program runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {errors}"))
    }

    /// Somebody whom the console does not know.
    pub const fn visitor(&self) -> Visitor {
        Visitor::new(self.address)
    }

    /// Makes an operator with this role; the path of the link at which to choose a password, once.
    ///
    /// # Panics
    /// It can't be made.
    #[track_caller]
    pub fn invite(&self, name: &str, email: &str, role: &str) -> String {
        let made = self.command(&["operator", "create", "--role", role, "--name", name, "--email", email]);
        let link = made.get("link").and_then(Value::as_str).unwrap_or_else(|| panic!("no link: {made}"));
        // Its origin is the configured one, and the port is whichever was free.
        let at = link.find("/admin/link/").unwrap_or_else(|| panic!("not a link of the console: {link}"));
        link.get(at..).unwrap_or_default().to_owned()
    }

    /// Makes an operator who chooses a password and signs in; without a second factor.
    ///
    /// # Panics
    /// Something of that fails.
    #[track_caller]
    pub fn operator(&self, name: &str, email: &str, role: &str) -> Operator {
        let link = self.invite(name, email, role);
        let visitor = self.visitor();
        let chosen = visitor.submit(&link, &link, &[("password", PASSWORD), ("again", PASSWORD)]);
        expect_redirect(&chosen, "/admin/sign-in");
        let operator = Operator { email: email.to_owned(), visitor, authenticator: None };
        operator.sign_in();
        operator
    }

    /// Ada, who owns the place and may do everything: signed in with a second factor.
    ///
    /// # Panics
    /// Something of that fails.
    #[track_caller]
    pub fn owner(&self) -> Operator {
        let mut ada = self.operator("Ada", "ada@example.com", "owner");
        ada.enrol();
        ada
    }
}

impl Operator {
    /// Signs in, with a code where there is a second factor: for that it may have to wait up to a minute.
    ///
    /// # Panics
    /// It is refused.
    #[track_caller]
    pub fn sign_in(&self) {
        let code = self.code();
        let fields = [("email", self.email.as_str()), ("password", PASSWORD), ("code", code.as_str())];
        let answer = self.visitor.submit("/admin/sign-in", "/admin/sign-in", &fields);
        expect_redirect(&answer, "/admin/");
    }

    /// Enrols a second factor.
    ///
    /// # Panics
    /// It is refused.
    #[track_caller]
    pub fn enrol(&mut self) {
        let page = self.visitor.get("/admin/me/factor");
        let authenticator = Authenticator::new(&secret_on(&page.body));
        let answer = self.visitor.submit_shown(&page.body, "/admin/me/factor", &[("code", &authenticator.code())]);
        expect_redirect(&answer, "/admin/me");
        self.authenticator = Some(authenticator);
    }

    /// A code that was not used yet; empty without a second factor. May wait up to a minute.
    pub fn code(&self) -> String {
        self.authenticator.as_ref().map_or_else(String::new, Authenticator::code)
    }

    /// A browser in which the operator is signed in, in the same session.
    ///
    /// # Panics
    /// There is no browser.
    #[track_caller]
    pub fn browser(&self) -> Browser {
        let browser = Browser::start();
        self.visitor.go_on_in(&browser);
        browser
    }
}

/// The secret for an authenticator that a page shows.
///
/// # Panics
/// It shows none.
#[track_caller]
pub fn secret_on(page: &str) -> String {
    let is_secret = |text: &String| {
        let mut letters = text.chars().filter(|letter| !letter.is_whitespace());
        text.len() >= 16 && letters.all(|letter| letter.is_ascii_uppercase() || ('2'..='7').contains(&letter))
    };
    let shown = html::texts_of(page, "code");
    shown.iter().find(|text| is_secret(text)).unwrap_or_else(|| panic!("no secret among {shown:?}")).clone()
}

/// # Panics
/// The answer does not lead there.
#[track_caller]
pub fn expect_redirect(answer: &Answer, to: &str) {
    let found = (answer.status, answer.header("location"));
    assert_eq!(found, (303, Some(to)), "{}", html::text(&answer.body));
}
