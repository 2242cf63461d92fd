//! Mail on its way through a real mail server: what arrives, what is tried again, what is not, and what is never said.

use std::{net::TcpListener, path::Path};

use serde_json::{Value, json};
use tests::{
    home::{Home, Kind},
    html, on_both_databases,
    operator_console::OperatorConsole,
    patience::wait_until,
    program::curl,
    smtp::{MailServer, certificate},
};

use crate::rows;

on_both_databases!(
    a_mail_arrives_whole_and_says_the_same_twice,
    what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_not,
    a_mail_server_that_is_away_gets_its_mail_later,
);

const FROM: &str = "Tollgate <tollgate@example.com>";

/// The section `mail` for the server at this port, whose URL ends like this.
fn through(port: u16, rest: &str) -> Value {
    json!({"transport": "smtp", "url": format!("smtp://localhost:{port}{rest}"), "from": FROM})
}

fn start(folder: &Path, mail: &Value) -> OperatorConsole {
    OperatorConsole::start_with(folder, &json!({"mail": mail}))
}

fn sign_up(console: &OperatorConsole, email: &str) {
    let body = json!({"email": email}).to_string();
    let made = curl(&console.url("/auth/agent-signup"), &["-H", "Content-Type: application/json", "-d", &body]);
    assert_eq!(made.status, 201, "{}", made.body);
}

/// State, attempts and last answer of the mail to this address, and what of its data is left.
fn standing(home: &Home, email: &str) -> Vec<String> {
    let sql = format!("SELECT state, attempts, coalesce(last_error, ''), data FROM mail WHERE recipient = '{email}'");
    rows::of_home(home, &sql).pop().unwrap_or_default()
}

/// Waits until the mail to this address has been tried so often.
fn wait_until_tried(home: &Home, email: &str, attempts: &str) -> Vec<String> {
    wait_until(&format!("attempt {attempts} of the mail to {email}"), || {
        Some(standing(home, email)).filter(|row| row.get(1).is_some_and(|tried| tried == attempts))
    })
    .0
}

/// What the program has logged so far.
fn logged(home: &Home) -> String {
    std::fs::read_to_string(home.path().join("tollgate.log")).unwrap()
}

fn a_mail_arrives_whole_and_says_the_same_twice(kind: Kind) {
    let (home, letters) = (Home::on(kind), tempfile::tempdir().unwrap());
    let server = MailServer::start(letters.path(), 0);
    let console = start(home.path(), &through(server.port(), ""));
    let link = console.invite("Zoë Müller-Łuczak", "zoe@example.com", "support");
    let mail = server.wait_for("zoe@example.com");
    assert_eq!(mail.types(), ["multipart/alternative", "text/plain", "text/html"]);
    assert_eq!(mail.header("Subject"), "Zoë Müller-Łuczak, welcome to the Tollgate console");
    assert!(mail.raw_headers().is_ascii() && mail.raw_headers().contains("=?utf-8?"), "{}", mail.raw_headers());
    assert_eq!((mail.header("From").as_str(), mail.sender()), (FROM, "tollgate@example.com"));
    assert_eq!(
        (mail.header("To").as_str(), mail.header("Auto-Submitted").as_str()),
        ("zoe@example.com", "auto-generated")
    );
    let id = mail.header("Message-ID");
    assert!(id.starts_with("<mai_") && id.ends_with("@example.com>"), "{id}");
    mail.header("Date");
    for part in ["text/plain", "text/html"] {
        let text = mail.part(part);
        assert!(text.contains("Hello Zoë Müller-Łuczak,") && text.contains(&link), "{part}: {text}");
        assert!(!text.contains("src="), "nothing is fetched: {text}");
    }
    wait_until("the mail is marked as sent", || (standing(&home, "zoe@example.com")[0] == "sent").then_some(()));
    assert_eq!(standing(&home, "zoe@example.com"), ["sent", "1", "", "{}"], "the link is forgotten");

    // What the console shows of it is neither the address nor the link.
    let ada = console.operator("Ada", "ada@example.com", "owner");
    let list = ada.visitor.get("/admin/mail?template=operator_link");
    assert!(list.body.contains("z…@example.com"), "{}", html::text(&list.body));
    let secret = link.rsplit('/').next().unwrap();
    for said in [&list.body, &logged(&home)] {
        assert!(!said.contains("zoe@example.com") && !said.contains(secret), "{said}");
    }
    drop((console, server));

    // And with STARTTLS, by the authority that is named; without it, nothing is said at all.
    let server = MailServer::start_secured(letters.path());
    let strict = through(server.port(), "?tls=required");
    let console = start(home.path(), &strict);
    sign_up(&console, "ann@example.com");
    let row = wait_until_tried(&home, "ann@example.com", "1");
    assert_eq!(row[..3], ["queued", "1", "no safe connection to the server"]);
    assert!(server.replies("ann@example.com").is_empty());
    drop(console);
    let mut trusting = strict;
    trusting["ca"] = json!(certificate());
    let console = start(home.path(), &trusting);
    sign_up(&console, "ben@example.com");
    assert!(server.wait_for("ben@example.com").is_private());
    drop(console);
}

fn what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_not(kind: Kind) {
    let (home, letters) = (Home::on(kind), tempfile::tempdir().unwrap());
    let server = MailServer::start(letters.path(), 0);
    let console = start(home.path(), &through(server.port(), ""));
    let ada = console.owner();
    sign_up(&console, "busy.ben@example.com");
    sign_up(&console, "nobody@example.com");
    let row = wait_until_tried(&home, "nobody@example.com", "1");
    assert_eq!(row, ["failed", "1", "the server refused the mail for good (550)", "{}"], "its link is forgotten");
    let row = wait_until_tried(&home, "busy.ben@example.com", "1");
    assert_eq!(row[..3], ["queued", "1", "the server refused the mail for now (451)"]);
    assert!(row[3].contains("secret"), "it is still to be sent");

    // An operator need not wait for the next attempt. What cannot be sent any more has no button.
    let page = |state: &str| {
        let list = ada.visitor.get(&format!("/admin/mail?state={state}&template=verification"));
        let links = html::links(&list.body);
        let own = links.iter().find(|link| link.starts_with("/admin/mail/mai_"));
        own.unwrap_or_else(|| panic!("no mail in {links:?}")).clone()
    };
    let (waiting, given_up) = (page("queued"), page("failed"));
    let shown = html::text(&ada.visitor.get(&waiting).body);
    for said in ["(451)", "b…@example.com", "/auth/link/••••••••", "Send now"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let hopeless = html::text(&ada.visitor.get(&given_up).body);
    assert!(hopeless.contains("(550)") && !hopeless.contains("Send now"), "{hopeless}");
    let form = format!("{waiting}/retry");
    let retried = ada.visitor.submit(&form, &form, &[("reason", "the mail server is back")]);
    assert_eq!((retried.status, retried.header("location")), (303, Some(waiting.as_str())));
    server.wait_for("busy.ben@example.com");

    // Nobody asked a second time for the one that does not exist, and the log has nobody's address.
    assert_eq!(server.replies("nobody@example.com").len(), 1);
    assert_eq!(server.replies("busy.ben@example.com").len(), 2);
    let log = logged(&home);
    assert!(log.contains("a mail was not sent"), "{log}");
    for address in ["busy.ben@", "nobody@", "ada@"] {
        assert!(!log.contains(address), "{address}: {log}");
    }
}

fn a_mail_server_that_is_away_gets_its_mail_later(kind: Kind) {
    let (home, letters) = (Home::on(kind), tempfile::tempdir().unwrap());
    // A port where nobody listens, until somebody does.
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let console = start(home.path(), &through(port, ""));
    for email in ["ann@example.com", "ben@example.com"] {
        sign_up(&console, email);
    }
    let row = wait_until_tried(&home, "ann@example.com", "1");
    assert_eq!(row[..3], ["queued", "1", "the server cannot be reached"]);
    // The second one was not tried in vain as well.
    assert_eq!(standing(&home, "ben@example.com")[..3], ["queued", "0", ""]);
    let server = MailServer::start(letters.path(), port);
    for email in ["ann@example.com", "ben@example.com"] {
        assert!(server.wait_for(email).part("text/plain").contains("/auth/link/v"), "{email}");
    }
}
