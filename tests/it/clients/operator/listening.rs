//! Where the program listens: plain HTTP on loopback, TLS of its own, or behind a trusted proxy.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{
    patience::Ends as _,
    program::{Server, configure, curl, folder, tollgate},
};

use super::{Said, json_of};

/// Two self-signed pairs for `localhost`, made for these tests; they protect nothing.
const PAIR_A: (&str, &str) = (include_str!("listening/a.crt"), include_str!("listening/a.key"));
const PAIR_B: (&str, &str) = (include_str!("listening/b.crt"), include_str!("listening/b.key"));

/// How long a replaced certificate may take: the files are looked at every second.
const RELOAD_WAIT: Duration = Duration::from_secs(30);

fn write_pair(folder: &Path, (cert, key): (&str, &str)) {
    fs::write(folder.join("cert.pem"), cert).unwrap();
    fs::write(folder.join("key.pem"), key).unwrap();
}

/// Asks for `/readyz` and believes only this certificate; the status, or the exit code of curl.
fn ready(server: &Server, folder: &Path, (cert, _): (&str, &str)) -> Result<String, Option<i32>> {
    let trusted = folder.join("trusted.pem");
    fs::write(&trusted, cert).unwrap();
    let output = Command::new("curl")
        .args(["-sS", "--noproxy", "*", "--max-time", "20", "-o", "/dev/null", "-w", "%{scheme} %{http_code}"])
        .arg("--cacert")
        .arg(&trusted)
        .arg(format!("{}/readyz", server.base_url()))
        .ended()
        .unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap().to_uppercase());
    }
    Err(output.status.code())
}

#[test]
fn tls_is_served_with_the_files_certificate_and_with_the_next_one_when_they_are_replaced() {
    /// curl's exit code for a certificate that is not believed.
    const NOT_BELIEVED: Result<String, Option<i32>> = Err(Some(60));
    let folder = folder();
    write_pair(folder.path(), PAIR_A);
    configure(folder.path(), &json!({"server": {"tls": {"cert": "cert.pem", "key": "key.pem"}}}));
    let server = Server::start(folder.path());
    assert!(server.base_url().starts_with("https://"), "{}", server.base_url());
    assert_eq!(ready(&server, folder.path(), PAIR_A), Ok("HTTPS 200".to_owned()));
    assert_eq!(ready(&server, folder.path(), PAIR_B), NOT_BELIEVED);
    let plain = server.base_url().replace("https://", "http://");
    let spoken = Command::new("curl").args(["-sS", "--noproxy", "*", "--max-time", "20", &plain]).ended().unwrap();
    assert!(!spoken.status.success(), "plain HTTP on a TLS port: {spoken:?}");

    // Half a change is no change, and the program goes on with what it has.
    fs::write(folder.path().join("cert.pem"), PAIR_B.0).unwrap();
    assert_eq!(ready(&server, folder.path(), PAIR_A), Ok("HTTPS 200".to_owned()));
    write_pair(folder.path(), PAIR_B);
    let begun = Instant::now();
    while ready(&server, folder.path(), PAIR_B) == NOT_BELIEVED {
        assert!(begun.elapsed() < RELOAD_WAIT, "the new certificate is not served:\n{}", server.log());
    }
    assert_eq!(ready(&server, folder.path(), PAIR_B), Ok("HTTPS 200".to_owned()));
    assert_eq!(ready(&server, folder.path(), PAIR_A), NOT_BELIEVED);
    let found = json_of(folder.path(), &["doctor"]);
    assert_eq!(found["tls"]["configured"], json!(true), "{found}");
    assert_eq!(server.stop(), Some(0));
}

/// Runs `serve` where it must not start.
fn serve_on(folder: &Path, bind: &str) -> Said {
    tollgate(folder, &["serve"]).env("TOLLGATE_SERVER__BIND", bind).ended().unwrap().into()
}

#[test]
fn plain_http_for_other_machines_is_refused_unless_somebody_answers_for_it() {
    let folder = folder();
    for (server, part) in [
        (json!({}), "neither `server.tls` nor `server.trusted_proxies`"),
        (json!({"tls": {"cert": "cert.pem", "key": "key.pem"}}), "the TLS file `cert.pem` cannot be read"),
        (json!({"tls": {"cert": "cert.pem"}}), "`server.tls` needs the key `key`"),
    ] {
        configure(folder.path(), &json!({"server": server}));
        let said = serve_on(folder.path(), "0.0.0.0:0");
        assert!(said.exit == Some(3) && said.errors.contains(part), "{server}: {said:?}");
        assert!(!folder.path().join("data/tollgate.db").exists(), "{server}");
    }
    write_pair(folder.path(), PAIR_A);
    for (server, warned) in [
        (json!({"trusted_proxies": ["127.0.0.1/32"]}), false),
        (json!({"insecure_http": true}), true),
        (json!({"tls": {"cert": "cert.pem", "key": "key.pem"}}), false),
    ] {
        configure(folder.path(), &json!({"server": server}));
        let mut command = tollgate(folder.path(), &["serve"]);
        command.env("TOLLGATE_SERVER__BIND", "0.0.0.0:0");
        fs::write(folder.path().join("tollgate.log"), "").unwrap();
        let running = Server::start_as(command);
        assert_eq!(running.log().contains("serves plain HTTP"), warned, "{server}");
        assert_eq!(running.stop(), Some(0), "{server}");
    }
}

/// Signs up twice as one client and once as another, through a proxy that names them; the statuses.
fn sign_up_through_a_proxy(trusted_proxies: Value) -> [u16; 3] {
    let folder = folder();
    let limits = json!({"signup_per_address_per_hour": 1});
    configure(folder.path(), &json!({"server": {"trusted_proxies": trusted_proxies}, "limits": limits}));
    let server = Server::start(folder.path());
    // What stands further left was written by the client itself.
    [("a", "9.9.9.1, 203.0.113.1"), ("b", "9.9.9.2, 203.0.113.1"), ("c", "9.9.9.1, 203.0.113.2")].map(|(name, hops)| {
        let body = json!({"email": format!("{name}@example.com")}).to_string();
        let forwarded = format!("X-Forwarded-For: {hops}");
        let url = format!("{}/auth/agent-signup", server.base_url());
        curl(&url, &["-H", "Content-Type: application/json", "-H", &forwarded, "-d", &body]).status
    })
}

#[test]
fn a_client_s_address_is_taken_from_trusted_proxies_and_from_nobody_else() {
    assert_eq!(sign_up_through_a_proxy(json!(["127.0.0.0/8"])), [201, 429, 201]);
    assert_eq!(sign_up_through_a_proxy(json!(["10.0.0.0/8"])), [201, 429, 429]);
    assert_eq!(sign_up_through_a_proxy(json!([])), [201, 429, 429]);
}
