//! Passwords: how many guesses are looked at, who is slowed down, and which passwords are taken.

use std::{net::SocketAddr, thread, time::Instant};

use serde_json::json;
use tests::{
    patience::wait_until,
    program::{Answer, folder},
    server::{Server, config},
    wire::{self, Wire},
};

const PASSWORD: &str = "correct horse battery";
const HOME: &str = "198.51.100.7";
const GUESSES: u32 = 1_000;
const PATHS: u32 = 4;

fn start(folder: &std::path::Path) -> Server {
    // The tests play a proxy, so that they can come from many addresses.
    Server::start(folder, &config("", "", "server: {trusted_proxies: ['127.0.0.1']},"))
}

/// Signs up from an address of its own; the path of the link that sets the password.
fn sign_up(server: &Server, email: &str) -> String {
    let answer = server.send("POST", "/auth/agent-signup", &[], &json!({"email": email}).to_string());
    let url = answer.json["login_url"].as_str().unwrap_or_else(|| panic!("{}", answer.body));
    url.strip_prefix(server.base_url()).unwrap().to_owned()
}

fn set_password(server: &Server, link: &str, address: &str, password: &str) -> Answer {
    let form = format!("password={}", password.replace('+', "%2B").replace(' ', "+"));
    server.send("POST", link, &[("x-forwarded-for", address)], &form)
}

fn log_in_bytes(email: &str, password: &str, address: &str) -> String {
    let body = json!({"email": email, "password": password}).to_string();
    wire::request("POST", "/auth/login", &[("x-forwarded-for", address)], &body)
}

fn log_in(server: &Server, email: &str, password: &str, address: &str) -> Answer {
    wire::send(server.address(), log_in_bytes(email, password, address).as_bytes()).unwrap()
}

/// How many of these guesses were looked at; the others were told to wait.
fn guess(server: SocketAddr, email: &str, address: impl Fn(u32) -> String + Sync) -> u32 {
    let address = &address;
    let run = move |path: u32| {
        let mut wire = Wire::open(server);
        let mut looked_at = 0;
        for n in (path..GUESSES).step_by(usize::try_from(PATHS).unwrap()) {
            wire.write(log_in_bytes(email, &format!("not the password {n}"), &address(n)).as_bytes());
            let answer = wire.read_answer().expect("an answer to every guess");
            // Who is refused before his body is read is told that the connection ends.
            if answer.header("connection") == Some("close") {
                wire = Wire::open(server);
            }
            match answer.status {
                401 => {
                    assert_eq!(answer.code(), "invalid_credentials");
                    for name in ["login-address", "login-account", "login-wrong"] {
                        for header in ["ratelimit", "ratelimit-policy"] {
                            let value = answer.header(header).unwrap();
                            assert!(value.contains(name), "{header}: {value}");
                        }
                    }
                    looked_at += 1;
                }
                429 => {
                    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                    assert!((1..=900).contains(&wait), "{wait}");
                    let limit = answer.header("ratelimit").unwrap();
                    assert!(limit.contains(&format!(";r=0;t={wait}")), "{limit}");
                }
                status => panic!("{status}: {}", answer.body),
            }
        }
        looked_at
    };
    thread::scope(|scope| {
        let paths: Vec<_> = (0..PATHS).map(|path| scope.spawn(move || run(path))).collect();
        paths.into_iter().map(|path| path.join().unwrap()).sum()
    })
}

#[test]
fn a_thousand_guesses_cost_few_hashes_and_do_not_keep_the_owner_out() {
    let folder = folder();
    let server = start(folder.path());
    let email = "owner@example.com";
    assert_eq!(set_password(&server, &sign_up(&server, email), HOME, PASSWORD).status, 200);
    assert_eq!(log_in(&server, email, PASSWORD, HOME).status, 200);

    let begun = Instant::now();
    // Every guess from another address: the account's own limit holds, ten a minute.
    let looked_at = guess(server.address(), email, |n| format!("10.{}.{}.1", n / 250, n % 250));
    let refilled = u32::try_from(begun.elapsed().as_secs() / 6).unwrap() + 1;
    assert!((1..=10 + refilled).contains(&looked_at), "{looked_at} passwords were looked at");

    // The owner comes from where he has come from before.
    let owner = log_in(&server, email, PASSWORD, HOME);
    assert_eq!(owner.status, 200, "{}", owner.body);
    let session = owner.json["access_token"].as_str().unwrap();
    assert_eq!(server.get(session, "/auth/me").json["email"], json!(email));

    // From one address: the limits of the address and of the pair hold. Nothing tells that there is no such account.
    let begun = Instant::now();
    let looked_at = guess(server.address(), "nobody@example.com", |_| "203.0.113.5".to_owned());
    let doublings = (begun.elapsed().as_secs() + 1).ilog2() + 2;
    assert!((1..=5 + doublings).contains(&looked_at), "{looked_at} passwords were looked at");
}

#[test]
fn a_wrong_password_is_followed_by_a_pause_that_ends() {
    let folder = folder();
    let server = start(folder.path());
    let email = "owner@example.com";
    assert_eq!(set_password(&server, &sign_up(&server, email), HOME, PASSWORD).status, 200);
    for _ in 0..5 {
        assert_eq!(log_in(&server, email, "not the password", HOME).status, 401);
    }
    let paused = log_in(&server, email, PASSWORD, HOME);
    assert_eq!((paused.status, paused.code(), paused.header("retry-after")), (429, "rate_limited", Some("1")));
    let policies = paused.header("ratelimit-policy").unwrap();
    assert!(policies.contains("\"login-address\";q=20;w=60") && policies.contains("\"login-wrong\";q=5;w=3600"));
    let (waited, _) = wait_until("the end of the pause", || {
        let answer = log_in(&server, email, PASSWORD, HOME);
        (answer.status != 429).then_some(answer)
    });
    assert_eq!(waited.status, 200, "the owner gets in: {}", waited.body);
}

#[test]
fn common_short_and_endless_passwords_are_not_taken() {
    let folder = folder();
    let server = start(folder.path());
    let email = "owner@example.com";
    let link = sign_up(&server, email);
    let length = "A password has 12 to 128 characters.";
    let common = "among the first that somebody would try";
    let long = |count: usize| "kV7 ".repeat(40).chars().take(count).collect::<String>();
    let refused = [
        ("", length),
        ("kV7-pQ2-xZ4", length),
        (&*long(129), length),
        ("password1234", common),
        ("Password1234!", common),
        ("123456789012", common),
        ("qwertyuiopasdf", common),
    ];
    for (n, (password, sentence)) in refused.into_iter().enumerate() {
        let answer = set_password(&server, &link, &format!("192.0.2.{n}"), password);
        assert!(answer.status == 422 && answer.body.contains(sentence), "{password}: {}", answer.body);
        assert!(answer.header("ratelimit").is_some(), "{password}");
    }
    assert_eq!(set_password(&server, &link, HOME, &"k".repeat(20_000)).status, 413);
    // The link is still good, and the longest password works.
    let longest = "Über neunzig Möwen 7 ".repeat(7).chars().take(128).collect::<String>();
    let encoded: String = longest.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(set_password(&server, &link, HOME, &encoded).status, 200);
    assert_eq!(log_in(&server, email, &longest, HOME).status, 200);
    assert_eq!(log_in(&server, email, &format!("{longest}x"), HOME).status, 401);
    assert_eq!(log_in(&server, email, &"k".repeat(200_000), HOME).status, 401);
    let wrong = server.send("POST", "/auth/login", &[], r#"{"email": 5, "password": ["a"]}"#);
    assert_eq!((wrong.status, wrong.code()), (422, "invalid_request"));
    for (at, name) in ["email", "password"].into_iter().enumerate() {
        assert_eq!(wrong.json["detail"][at], json!({"loc": ["body", name], "msg": "must be a text"}), "{}", wrong.body);
    }
}
