//! The published client `askfaro-cli`, unmodified, against the real program: every subcommand, its exit code, and what it
//! reads; release 0.6.3 on both databases, 0.3.0 on SQLite. Calls are made with the older one, which is the last that can
//! (`faro.rs`).
//!
//! Generation 2 (`browse`, `run`, skills) is refused with 404, which the client tells as such.

mod publishers;

use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tests::{
    askfaro::{Askfaro, Release, Said},
    home::{Home, Kind},
    on_both_databases,
    patience::Ends as _,
    patience::SetOnDrop,
    program::tollgate,
    server::{ALICE, BOB, Server},
    upstream::Upstream,
};

on_both_databases!(
    a_password_becomes_a_token_that_the_client_keeps,
    tokens_are_listed_and_revoked_by_name_and_by_identifier,
    credits_are_shown,
    tools_are_found_and_described,
    documents_are_fetched,
    what_goes_wrong_has_the_clients_exit_code,
);

/// Runs each of these as a test with the older release as well.
macro_rules! with_the_older_release {
    ($($name:ident),* $(,)?) => {
        mod older {
            $(
                #[test]
                fn $name() {
                    super::$name(super::On::OLDER);
                }
            )*
        }
    };
}
use with_the_older_release;

with_the_older_release!(
    a_password_becomes_a_token_that_the_client_keeps,
    tokens_are_listed_and_revoked_by_name_and_by_identifier,
    credits_are_shown,
    tools_are_found_and_described,
    documents_are_fetched,
    what_goes_wrong_has_the_clients_exit_code,
);

/// Where a test takes place.
#[derive(Debug, Clone, Copy)]
struct On {
    kind: Kind,
    release: Release,
}

impl On {
    const OLDER: Self = Self { kind: Kind::Sqlite, release: Release::Older };
}

impl From<Kind> for On {
    fn from(kind: Kind) -> Self {
        Self { kind, release: Release::Newer }
    }
}

const PASSWORD: &str = "correct horse battery";

/// The subcommands that are tried in this file.
const TRIED: [&str; 14] = [
    "auth login",
    "auth logout",
    "auth whoami",
    "browse",
    "credits balance",
    "credits purchases",
    "describe",
    "docs",
    "doctor",
    "run",
    "search",
    "tokens create",
    "tokens list",
    "tokens revoke",
];

/// A server with the tool `acme/forecast` and two accounts.
struct House {
    server: Server,
    home: Home,
    release: Release,
    _upstream: Upstream,
}

impl House {
    fn open(on: On) -> Self {
        Self::open_with(on, &json!({}))
    }

    /// With these limits.
    fn open_with(on: On, limits: &Value) -> Self {
        let (home, upstream) = (Home::on(on.kind), Upstream::answering(r#"{"done": true}"#));
        let account = |email: &str, token: &str| {
            json!({
                "email": email, "verified": true, "password": PASSWORD, "grant_credits": 1000,
                "tokens": [{"name": "first", "token": token}],
            })
        };
        let forecast = json!({
            "name": "forecast", "short_description": "Tomorrow's weather", "long_description": "Looks at satellites.",
            "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            "upstream": {"kind": "http", "url": upstream.url("/")},
            "pricing": {"pricing_mode": "fixed_per_request", "fixed_credit_cost": "2.5"},
        });
        let configuration = json!({
            "allow_fixture_secrets": true,
            "egress": {"allow_private": true},
            "limits": limits,
            "catalog": {
                "publishers": [{"id": "acme", "display_name": "Acme", "share_bps": 8000, "namespaces": [
                    {"name": "acme", "description": "Weather.", "category": "data", "tools": [forecast]},
                ]}],
                "accounts": [account("alice@example.com", ALICE), account("bob@example.com", BOB)],
            },
        });
        let server = Server::start(home.path(), &configuration.to_string());
        Self { server, home, release: on.release, _upstream: upstream }
    }

    /// Somebody without a token.
    fn stranger(&self) -> Askfaro {
        Askfaro::of(self.server.base_url()).with_release(self.release)
    }

    fn alice(&self) -> Askfaro {
        self.stranger().with_token(ALICE)
    }
}

/// What a subcommand that has to go well has printed.
fn well(client: &Askfaro, arguments: &[&str]) -> Said {
    let said = client.run(arguments);
    assert_eq!(said.exit, Some(0), "{arguments:?}: {said:?}");
    said
}

fn assert_fails(client: &Askfaro, arguments: &[&str], exit: i32, code: &str) {
    let said = client.run(arguments);
    assert_eq!((said.exit, said.code().as_str()), (Some(exit), code), "{arguments:?}: {said:?}");
}

fn a_password_becomes_a_token_that_the_client_keeps(on: impl Into<On>) {
    let house = House::open(on.into());
    let client = house.stranger();
    assert_fails(&client, &["auth", "whoami"], 2, "auth_required");
    let login = ["auth", "login", "--email", "alice@example.com", "--key-name", "laptop"];
    let wrong = client.run_with(&login, "incorrect horse battery\n");
    assert_eq!((wrong.exit, client.credentials().exists()), (Some(2), false), "{wrong:?}");
    assert!(wrong.errors.contains("Invalid email or password"), "{wrong:?}");

    let made = client.run_with(&login, &format!("{PASSWORD}\n"));
    assert_eq!(made.exit, Some(0), "{made:?}");
    assert!(made.out.contains("Minted API key 'laptop'") && !made.out.contains(PASSWORD), "{made:?}");
    let token = std::fs::read_to_string(client.credentials()).unwrap();
    assert!(token.starts_with("faro_") && !made.out.contains(&token), "{made:?}");
    let mode = client.credentials().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let me = well(&client, &["auth", "whoami"]);
    assert_eq!(me.json["email"], "alice@example.com", "{me:?}");

    // A name that the client makes up by itself is one, too.
    let again = client.run_with(&["auth", "login", "--email", "alice@example.com"], &format!("{PASSWORD}\n"));
    assert!(again.exit == Some(0) && again.out.contains("Minted API key 'cli-"), "{again:?}");
    assert_eq!(house.server.get(&token, "/tokens/").json.as_array().unwrap().len(), 3);

    well(&client, &["auth", "logout"]);
    assert!(!client.credentials().exists());
    assert_fails(&client, &["auth", "whoami"], 2, "auth_required");
    assert_fails(&client, &["auth", "login", "--api-key", "sk-1"], 2, "invalid_key");
    well(&client, &["auth", "login", "--api-key", BOB]);
    assert_eq!(well(&client, &["auth", "whoami"]).json["email"], "bob@example.com");
}

fn tokens_are_listed_and_revoked_by_name_and_by_identifier(on: impl Into<On>) {
    let house = House::open(on.into());
    let client = house.stranger();
    for name in ["second", "third"] {
        let login = ["auth", "login", "--email", "alice@example.com", "--key-name", name];
        assert_eq!(client.run_with(&login, &format!("{PASSWORD}\n")).exit, Some(0));
    }
    let third = std::fs::read_to_string(client.credentials()).unwrap();
    let alice = house.alice();
    let listed = well(&alice, &["tokens", "list"]);
    let listed = listed.json.as_array().unwrap();
    let names: Vec<_> = listed.iter().map(|token| token["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["third", "second", "first"]);
    assert!(listed.iter().all(|token| token["id"].is_string() && token["is_active"] == json!(true)), "{listed:?}");
    assert!(!json!(listed).to_string().contains(&third), "a secret is shown once");

    let revoked = well(&alice, &["tokens", "revoke", "third"]);
    assert_eq!((&revoked.json["revoked"], &revoked.json["name"]), (&listed[0]["id"], &json!("third")));
    assert_fails(&client, &["auth", "whoami"], 2, "auth_required");
    let id = listed[1]["id"].as_str().unwrap();
    assert_eq!(well(&alice, &["tokens", "revoke", id]).json["name"], "second");
    assert_fails(&alice, &["tokens", "revoke", "nothing"], 3, "not_found");
    // Nobody revokes what is somebody else's: it is not in the list.
    assert_fails(&house.stranger().with_token(BOB), &["tokens", "revoke", id], 3, "not_found");
    let left = well(&alice, &["tokens", "list"]).json;
    let active: Vec<_> = left.as_array().unwrap().iter().map(|token| token["is_active"].clone()).collect();
    assert_eq!(active, [json!(false), json!(false), json!(true)], "revoked ones are listed");
    // The client says itself that a token makes none.
    assert_eq!(alice.run(&["tokens", "create", "--name", "fourth"]).exit, Some(2));
}

fn credits_are_shown(on: impl Into<On>) {
    let house = House::open(on.into());
    let alice = house.alice();
    let balance = well(&alice, &["credits", "balance"]).json;
    for member in ["balance", "available", "credits_remaining"] {
        assert_eq!(balance[member], json!(1000), "{member}: {balance}");
    }
    assert_eq!((&balance["reserved"], &balance["currency"]), (&json!(0), &json!("credits")), "{balance}");
    assert_eq!(well(&alice, &["credits", "purchases"]).json, json!([]));
    let bearer = format!("Bearer {ALICE}");
    let headers = [("authorization", bearer.as_str())];
    let bought = house.server.send("POST", "/credits/purchase", &headers, r#"{"credits": "7.5"}"#).json;
    let id = bought["purchase_id"].as_str().unwrap();
    let confirmed = tollgate(house.home.path(), &["purchase", "confirm", id]).ended().unwrap();
    assert!(confirmed.status.success(), "{confirmed:?}");
    let listed = well(&alice, &["credits", "purchases"]).json;
    assert_eq!((&listed[0]["purchase_id"], &listed[0]["status"]), (&json!(id), &json!("confirmed")), "{listed}");
    assert_eq!(well(&alice, &["credits", "balance"]).json["balance"], json!(1007.5));
}

fn tools_are_found_and_described(on: impl Into<On>) {
    let house = House::open(on.into());
    let alice = house.alice();
    let found = well(&alice, &["search", "weather tomorrow", "--top", "3", "--category", "data"]).json;
    assert_eq!((&found["returned"], &found["limit"]), (&json!(1), &json!(3)), "{found}");
    let item = &found["items"][0];
    assert_eq!(
        (&item["object_type"], &item["namespace"], &item["name"]),
        (&json!("tool"), &json!("acme"), &json!("forecast"))
    );
    assert_eq!(item["pricing"]["fixed_credit_cost"], json!(2.5), "{item}");
    assert_eq!(well(&alice, &["search", "weather", "--category", "maps"]).json["items"], json!([]));
    if house.release == Release::Newer {
        // A list of skills that are allowed hides no tool.
        assert_eq!(well(&alice, &["--include", "image", "search", "weather"]).json["items"][0]["name"], "forecast");
        for skill in [&["describe", "image"][..], &["run", "image", "a red bicycle"], &["browse"]] {
            assert_fails(&alice, skill, 3, "not_found");
        }
    }

    let shown = well(&alice, &["describe", "acme/forecast"]).json;
    assert_eq!(shown["input_schema"]["required"], json!(["city"]), "{shown}");
    assert_eq!(shown["long_description"], "Looks at satellites.");
    assert_fails(&alice, &["describe", "acme/nothing"], 3, "not_found");
    // The older release asks the server for it.
    let (exit, code) = if house.release == Release::Newer { (4, "validation_error") } else { (3, "not_found") };
    assert_fails(&alice, &["describe", "a/b/c"], exit, code);
}

fn documents_are_fetched(on: impl Into<On>) {
    let house = House::open(on.into());
    // Without a token.
    let reader = house.stranger();
    let all = well(&reader, &["docs"]).out;
    let calling = if house.release == Release::Newer { "run" } else { "invoke" };
    for topic in ["quickstart", "skill", "search", calling, "cli", "publish"] {
        let page = well(&reader, &["docs", topic]).out;
        assert!(page.starts_with("# ") && all.contains(page.lines().next().unwrap()), "{topic}: {page}");
        assert!(page.lines().all(|line| !line.contains("{base_url}")), "{page}");
        let url = well(&reader, &["docs", topic, "--url"]).out;
        assert_eq!(url.trim(), format!("{}/llms/{topic}.md", house.server.base_url()));
    }
    assert!(well(&reader, &["docs", "acme"]).out.contains("Weather."));
    let page = well(&reader, &["docs", "acme/forecast"]).out;
    assert!(page.contains("POST /invoke/acme/forecast") && page.contains("2.5"), "{page}");
    assert_fails(&reader, &["docs", "nothing"], 3, "not_found");
    assert_fails(&reader, &["docs", "acme/nothing"], 3, "not_found");
    assert!(well(&reader, &["docs", "--list"]).out.contains("quickstart"));
}

fn what_goes_wrong_has_the_clients_exit_code(on: impl Into<On>) {
    let house = House::open_with(on.into(), &json!({"discovery_per_caller_per_s": 1}));
    let alice = house.alice();
    assert_fails(&house.stranger().with_token("faro_nobody-00000"), &["credits", "balance"], 2, "auth_required");
    // One request a second is allowed, and somebody else with the same token is faster.
    let is_over = AtomicBool::new(false);
    let refused = std::thread::scope(|scope| {
        let _over = SetOnDrop(&is_over);
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                house.server.get(ALICE, "/tools/search?q=weather");
            }
        });
        (0..20).map(|_| alice.run(&["search", "weather"])).find(|said| said.exit != Some(0))
    });
    let refused = refused.unwrap();
    assert_eq!((refused.exit, refused.code().as_str()), (Some(5), "quota_exceeded"), "{refused:?}");
    let bob = house.stranger().with_token(BOB);
    assert_fails(&bob, &["search", "weather", "--top", "51"], 4, "validation_error");
    // Who is no publisher is told so, and the rest is looked at all the same.
    let checked = alice.run(&["doctor"]);
    assert_eq!(checked.exit, Some(1), "{checked:?}");
    assert!(checked.out.contains("✓ Authenticated:  alice@example.com"), "{checked:?}");
    assert!(checked.out.contains("✗ Publisher:"), "{checked:?}");
    // A server that is not there.
    let nowhere = Askfaro::of("http://127.0.0.1:9").with_release(house.release).with_token(ALICE);
    assert_fails(&nowhere, &["credits", "balance"], 7, "network_error");
}

#[test]
fn every_subcommand_of_both_releases_is_tried() {
    for (release, other) in [(Release::Newer, "invoke"), (Release::Older, "browse")] {
        let mut known: BTreeSet<String> = release.subcommands().into_iter().collect();
        assert!(known.len() > 60 && !known.contains(other), "{known:?}");
        // Tried in `faro.rs`.
        known.remove("invoke");
        let tried = TRIED.iter().map(|command| (*command).to_owned()).chain(publishers::commands(&known));
        let listed: BTreeSet<String> =
            tried.filter(|command| release == Release::Newer || !["browse", "run"].contains(&&**command)).collect();
        assert_eq!(listed, known, "{release:?}: a subcommand without a test, or a test without a subcommand");
    }
}
