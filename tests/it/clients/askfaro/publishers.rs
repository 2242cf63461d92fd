//! The subcommands of publishers, one after the other, each with what it has to end with and what is there afterwards.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::{
    askfaro::{Askfaro, Said},
    home::Home,
    mcp::{McpServer as _, PythonServer},
    on_both_databases,
    program::Answer,
    server::{ALICE, Server, config},
    upstream::Upstream,
};

use self::rows::ROWS;
use super::{On, with_the_older_release};

on_both_databases!(what_publishers_do_is_done_and_read_back);
with_the_older_release!(what_publishers_do_is_done_and_read_back);

/// A subcommand, and what comes of it.
struct Row {
    /// Words, with `{names}` of what earlier rows took.
    run: &'static str,
    exit: i32,
    /// What is printed: members by JSON pointer.
    holds: &'static [(&'static str, Seen)],
    /// What later rows name: members of what is printed.
    takes: &'static [(&'static str, &'static str)],
    /// What is there afterwards.
    then: &'static [(Look, &'static str, Seen)],
}

/// Where it is looked.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// With another subcommand.
    Run(&'static str),
    /// At a route, as the publisher.
    Get(&'static str),
    /// Without a token.
    GetAsNobody(&'static str),
    /// By calling a tool without arguments.
    Call(&'static str),
    /// In a file beside.
    File(&'static str),
    /// In the last request that reached the upstream, as `{"path", "head", "body"}`.
    Upstream,
}

/// What is seen there.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// This text, or a number that is written so.
    Is(&'static str),
    /// Anything but nothing.
    There,
    /// This somewhere in it.
    Has(&'static str),
    /// This nowhere in it.
    Lacks(&'static str),
    /// 404, or the exit code of it.
    Gone,
}

/// The longest known subcommand that these words begin with.
fn command_of<'a>(run: &'a str, known: &BTreeSet<String>) -> Option<&'a str> {
    let ends = run.match_indices(' ').map(|(at, _)| at).chain([run.len()]);
    ends.filter_map(|end| run.get(..end)).filter(|words| known.contains(*words)).next_back()
}

/// The subcommands of the rows.
pub(super) fn commands(known: &BTreeSet<String>) -> BTreeSet<String> {
    let of =
        |row: &Row| command_of(row.run, known).unwrap_or_else(|| panic!("{} is no subcommand", row.run)).to_owned();
    ROWS.iter().map(of).collect()
}

struct House {
    server: Server,
    client: Askfaro,
    upstream: Upstream,
    known: BTreeMap<&'static str, String>,
    _mcp: PythonServer,
    _home: Home,
}

impl House {
    fn open(on: On) -> Self {
        let (home, upstream) = (Home::on(on.kind), Upstream::answering(r#"{"done": true, "cost": 3}"#));
        let mcp = PythonServer::start(home.path());
        let server = Server::start(home.path(), &config("", "", ""));
        let client = Askfaro::of(server.base_url()).with_release(on.release).with_token(ALICE);
        let spec = json!({
            "openapi": "3.0.3", "info": {"title": "Pets", "version": "1"}, "servers": [{"url": upstream.url("")}],
            "paths": {"/pets": {"post": {"operationId": "add_pet", "summary": "Adds a pet", "responses": {"200": {
                "description": "x", "content": {"application/json": {"schema": {"type": "object"}}}}}}}},
        });
        let picture =
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><rect width="1" height="1"/></svg>"#;
        for (name, text) in [
            ("spec.json", spec.to_string()),
            ("picture.svg", picture.to_owned()),
            ("schema.json", r#"{"type": "object", "properties": {"q": {"type": "string"}}}"#.to_owned()),
            ("static.json", r#"{"q": "from the publisher"}"#.to_owned()),
            ("README.md", "# Read me\n".to_owned()),
        ] {
            std::fs::write(client.folder().join(name), text).unwrap();
        }
        let known = BTreeMap::from([("rest", upstream.url("")), ("mcp", mcp.url())]);
        Self { server, client, upstream, known, _mcp: mcp, _home: home }
    }

    fn fill(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    fn run(&self, run: &str) -> Said {
        let run = self.fill(run);
        self.client.run(&run.split_whitespace().collect::<Vec<_>>())
    }

    /// What is there, as JSON and as text; nothing where it is said that there is nothing.
    fn look(&self, look: Look) -> Option<(Value, String)> {
        let of_answer = |answer: Answer| (answer.status != 404).then_some((answer.json, answer.body));
        match look {
            Look::Run(run) => {
                let said = self.run(run);
                let text = format!("{}{}", said.out, said.errors);
                (said.exit != Some(3)).then_some((said.json, text))
            }
            Look::Get(path) => of_answer(self.server.get(ALICE, &self.fill(path))),
            Look::GetAsNobody(path) => of_answer(self.server.send("GET", &self.fill(path), &[], "")),
            Look::Call(path) => {
                let bearer = format!("Bearer {ALICE}");
                let path = format!("/invoke/{}", self.fill(path));
                of_answer(self.server.send("POST", &path, &[("authorization", &bearer)], "{}"))
            }
            Look::File(name) => {
                let text = std::fs::read_to_string(self.client.folder().join(name)).ok()?;
                Some((Value::Null, text))
            }
            Look::Upstream => {
                let last = self.upstream.received().pop()?;
                let seen = json!({"path": last.path, "head": last.head, "body": last.body});
                Some((seen.clone(), seen.to_string()))
            }
        }
    }
}

/// Whether this is what was to be seen.
fn check(seen: Seen, pointer: &str, found: Option<&(Value, String)>) -> Result<(), String> {
    let member = found.and_then(|(json, _)| json.pointer(pointer)).filter(|value| !value.is_null());
    let plain = member.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let text = if pointer.is_empty() { found.map(|(_, text)| text.clone()) } else { plain.clone() };
    let is_so = match seen {
        Seen::Is(wanted) => plain.as_deref() == Some(wanted),
        Seen::There => {
            if pointer.is_empty() {
                found.is_some()
            } else {
                member.is_some()
            }
        }
        Seen::Has(part) => text.is_some_and(|text| text.contains(part)),
        Seen::Lacks(part) => found.is_some() && text.is_none_or(|text| !text.contains(part)),
        Seen::Gone => member.is_none() && (found.is_none() || !pointer.is_empty()),
    };
    if is_so { Ok(()) } else { Err(format!("{seen:?} at `{pointer}`, but there is {found:?}")) }
}

fn try_row(house: &mut House, row: &Row) -> Result<(), String> {
    let said = house.run(row.run);
    if said.exit != Some(row.exit) {
        return Err(format!("expected {}: {said:?}", row.exit));
    }
    let printed = (said.json.clone(), format!("{}{}", said.out, said.errors));
    for (pointer, seen) in row.holds {
        check(*seen, pointer, Some(&printed))?;
    }
    for (name, pointer) in row.takes {
        let value =
            said.json.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no {pointer}: {said:?}"))?;
        house.known.insert(name, value.to_owned());
    }
    for (look, pointer, seen) in row.then {
        check(*seen, pointer, house.look(*look).as_ref()).map_err(|why| format!("afterwards {look:?}: {why}"))?;
    }
    Ok(())
}

fn what_publishers_do_is_done_and_read_back(on: impl Into<On>) {
    let mut house = House::open(on.into());
    // The first failure is what happened, those behind it may follow from it.
    let failures: Vec<String> = ROWS
        .iter()
        .filter_map(|row| try_row(&mut house, row).err().map(|why| format!("askfaro {}: {why}", row.run)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_seen_is_told_from_what_is_not() {
    let there = (json!({"price": 5, "name": "find", "logo": null}), r#"{"price": 5}"#.to_owned());
    for (seen, pointer, holds) in [
        (Seen::Is("5"), "/price", true),
        (Seen::Is("6"), "/price", false),
        (Seen::Is("find"), "/name", true),
        (Seen::Is("find"), "/title", false),
        (Seen::There, "/name", true),
        (Seen::There, "/logo", false),
        (Seen::There, "", true),
        (Seen::Has("price"), "", true),
        (Seen::Has("fin"), "/name", true),
        (Seen::Has("x"), "/name", false),
        (Seen::Lacks("x"), "", true),
        (Seen::Lacks("price"), "", false),
        (Seen::Gone, "", false),
        (Seen::Gone, "/logo", true),
        (Seen::Gone, "/name", false),
    ] {
        assert_eq!(check(seen, pointer, Some(&there)).is_ok(), holds, "{seen:?} {pointer}");
    }
    for (seen, holds) in [(Seen::Gone, true), (Seen::There, false), (Seen::Lacks("x"), false), (Seen::Has(""), false)] {
        assert_eq!(check(seen, "", None).is_ok(), holds, "{seen:?}");
    }
    let known = BTreeSet::from(["ns get".to_owned(), "ns groups list".to_owned(), "publish".to_owned()]);
    for (run, command) in [
        ("ns get acme", Some("ns get")),
        ("ns groups list acme", Some("ns groups list")),
        ("publish acme --action draft", Some("publish")),
        ("publisher me", None),
    ] {
        assert_eq!(command_of(run, &known), command, "{run}");
    }
}
