//! The socket beside the database: who may use it, and what becomes of it.

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::Path,
};

use serde_json::{Value, json};
use tests::program::{Server, configure, folder};

use super::{json_of, run, socket_of, verify};

fn say(socket: &Path, line: &str) -> Value {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(line.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: `{answer}`"))
}

#[test]
fn the_socket_is_its_owner_s_alone_and_goes_with_the_server() {
    let folder = folder();
    configure(folder.path(), &json!({}));
    let server = Server::start(folder.path());
    let socket = socket_of(folder.path());
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(server.stop(), Some(0));
    assert!(!socket.exists());
}

#[test]
fn a_line_that_is_no_command_gets_an_answer_and_changes_nothing() {
    let folder = folder();
    configure(folder.path(), &json!({}));
    let _server = Server::start(folder.path());
    let socket = socket_of(folder.path());
    for (line, exit, part) in [
        ("GET / HTTP/1.1\r\n\r\n", 2, "no versioned line"),
        ("{\"version\":2,\"request\":{\"command\":\"settings\"}}", 2, "cut off"),
        ("{\"version\":7,\"command\":\"settings\"}\n", 1, "version 7"),
        ("{\"version\":2,\"request\":{\"command\":\"rm\"}}\n", 2, "unknown variant"),
        ("\n", 2, "no versioned line"),
    ] {
        let answer = say(&socket, line);
        assert_eq!((&answer["version"], &answer["exit"]), (&json!(2), &json!(exit)), "{line}: {answer}");
        assert!(answer["error"].as_str().unwrap().contains(part), "{line}: {answer}");
    }
    let settings = say(&socket, "{\"version\":2,\"request\":{\"command\":\"settings\"}}\n");
    assert_eq!(settings["json"]["synchronous"], json!("full"), "{settings}");
    // Connections that say nothing take up places, not the server.
    let _idle = UnixStream::connect(&socket).unwrap();
    json_of(folder.path(), &["account", "create", "--email", "a@example.com"]);
}

#[test]
fn a_killed_server_s_socket_is_passed_over_and_then_replaced() {
    let folder = folder();
    configure(folder.path(), &json!({}));
    Server::start(folder.path()).kill();
    let socket = socket_of(folder.path());
    assert!(socket.exists(), "a killed server cannot tidy up");
    json_of(folder.path(), &["account", "create", "--email", "a@example.com", "--credits", "3"]);
    assert_eq!(json_of(folder.path(), &["doctor"])["server"]["running"], json!(false));

    let server = Server::start(folder.path());
    let found = json_of(folder.path(), &["doctor"]);
    assert_eq!(found["server"]["pid"], json!(server.pid()), "{found}");
    let grant = json_of(folder.path(), &["account", "grant", "a@example.com", "1", "--reason", "r"]);
    assert_eq!(grant["available"], json!(4));
    assert_eq!(server.stop(), Some(0));
    verify(folder.path());
}

#[test]
fn a_second_server_leaves_the_first_one_s_socket_alone() {
    let folder = folder();
    configure(folder.path(), &json!({}));
    let first = Server::start(folder.path());
    let second = run(folder.path(), &["serve"]);
    assert!(second.exit == Some(4) && second.errors.contains("another process is the writer"), "{second:?}");
    assert_eq!(json_of(folder.path(), &["doctor"])["server"]["pid"], json!(first.pid()));
}

#[test]
fn something_else_under_the_socket_s_name_is_not_removed() {
    let folder = folder();
    configure(folder.path(), &json!({}));
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(socket_of(folder.path()), "mine").unwrap();
    let refused = run(folder.path(), &["serve"]);
    assert!(refused.exit == Some(4) && refused.errors.contains("is in the way"), "{refused:?}");
    assert_eq!(std::fs::read_to_string(socket_of(folder.path())).unwrap(), "mine");
}

#[test]
fn a_database_deep_down_has_its_socket_elsewhere() {
    let folder = folder();
    let deep = format!("{}/{}/tollgate.db", "d".repeat(80), "e".repeat(80));
    configure(folder.path(), &json!({"database": {"url": format!("sqlite://{deep}")}}));
    let server = Server::start(folder.path());
    let found = json_of(folder.path(), &["doctor"]);
    assert_eq!(found["server"]["pid"], json!(server.pid()), "{found}");
    let socket = found["server"]["socket"].as_str().unwrap().to_owned();
    assert!(socket.starts_with("/tmp/tollgate-") && Path::new(&socket).exists(), "{socket}");
    json_of(folder.path(), &["account", "create", "--email", "a@example.com"]);
    assert_eq!(server.stop(), Some(0));
    assert!(!Path::new(&socket).exists());
}
