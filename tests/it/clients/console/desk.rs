//! The console at an address of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use serde_json::json;
use tests::{
    home::{Home, Kind},
    operator_console::{OperatorConsole, PASSWORD, visitor::Visitor},
};

/// An address of loopback that was free a moment ago.
fn free_address() -> SocketAddr {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    free.local_addr().expect("it is bound")
}

#[test]
fn the_console_moves_to_an_address_of_its_own() {
    let home = Home::on(Kind::Sqlite);
    let address = free_address();
    let program = OperatorConsole::start_with(home.path(), &json!({"server": {"admin_bind": address.to_string()}}));
    let (callers, desk) = (program.visitor(), Visitor::new(address));
    for (path, of_callers, of_operators) in [
        ("/healthz", 200, 200),
        ("/admin/sign-in", 404, 200),
        ("/admin/", 404, 303),
        ("/openapi.json", 200, 404),
        ("/readyz", 200, 404),
        ("/ledger/keys", 200, 404),
    ] {
        assert_eq!((callers.get(path).status, desk.get(path).status), (of_callers, of_operators), "{path}");
    }
    assert_eq!(desk.send("POST", "/invoke/a/b", &[], Some("{}")).status, 404);

    // Links lead there, and forms are expected to come from there.
    let link = program.command(&["operator", "create", "--email", "o@example.com", "--name", "O", "--role", "owner"]);
    let link = link["link"].as_str().expect("a link");
    let path = link.strip_prefix(&format!("http://{address}")).unwrap_or_else(|| panic!("{link}"));
    let from = |origin: SocketAddr| {
        let origin = format!("http://{origin}");
        desk.post_with(path, &[("origin", &origin)], &[("password", PASSWORD), ("again", PASSWORD)]).status
    };
    assert_eq!(from(program.address()), 403, "the callers' address is another site");
    assert_ne!(from(address), 403);
}
