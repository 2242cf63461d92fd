//! The rules of `docs/adr/0002-workspace-and-dependency-rules.md`, read from the graph that cargo builds and from the
//! manifests. deny.toml says the same about third parties in the words of cargo-deny.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use tests::graph::Graph;
use tests::{licence, workspace};

/// The workspace folders; folder, crate and name in the graph are the same.
const MEMBERS: [&str; 7] = ["admin", "benches", "engine", "migrations", "policies", "server", "tests"];

/// Licences that may be in the program that we hand out. None of them asks for the source of the whole.
const LICENCES_SHIPPED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// Everything that any member builds, tests and benches too.
fn whole() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| Graph::load(&["--workspace", "--all-features", "--edges", "normal,build,dev"]))
}

/// What the program is built from.
fn shipped() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| Graph::load(&["--package", "server", "--edges", "normal,build"]))
}

fn check_dependants(name: &str, allowed: &[&str]) {
    let found = whole().dependants(name);
    assert!(!found.is_empty(), "nobody depends on `{name}`: the rule is out of date");
    let others: Vec<_> = found.iter().filter(|dependant| !allowed.contains(dependant)).collect();
    assert!(others.is_empty(), "`{name}` belongs to {allowed:?}, but is used by {others:?}");
}

fn check_absent(graph: &Graph, banned: &[&str], from: &str) {
    let names = graph.names();
    let found: Vec<_> = names.iter().filter(|name| banned.contains(name)).collect();
    assert!(found.is_empty(), "{from} depends on {found:?}");
}

#[test]
fn the_workspace_folders_are_the_seven() {
    let manifest = workspace::read("Cargo.toml");
    let members = manifest.lines().find(|line| line.starts_with("members = ")).unwrap();
    let found: BTreeSet<&str> = members.split('"').skip(1).step_by(2).collect();
    assert_eq!(found, BTreeSet::from(MEMBERS));
}

#[test]
fn pure_engine_has_no_io_dependency() {
    let graph = Graph::load(&["--package", "engine", "--no-default-features", "--edges", "normal,build"]);
    let banned = ["async-std", "askama", "hyper", "lettre", "libsqlite3-sys", "mio", "reqwest", "rusqlite", "smol"];
    check_absent(&graph, &banned, "the engine without `store`");
    for prefix in ["actix", "sea-orm", "sea-query", "sqlx", "tokio"] {
        let found: Vec<_> = graph.names().into_iter().filter(|name| name.starts_with(prefix)).collect();
        assert!(found.is_empty(), "the engine without `store` depends on {found:?}");
    }
}

#[test]
fn the_engine_knows_no_http() {
    let graph = Graph::load(&["--package", "engine", "--all-features", "--edges", "normal,build"]);
    let banned = ["actix-http", "actix-web", "awc", "http", "hyper", "lettre", "reqwest", "utoipa"];
    check_absent(&graph, &banned, "the engine with all its features");
}

#[test]
fn actix_web_stays_at_the_edge() {
    check_dependants("actix-web", &["admin", "benches", "server", "tests", "utoipa-swagger-ui"]);
}

#[test]
fn sea_orm_stays_in_the_store_and_the_migrations() {
    check_dependants("sea-orm", &["engine", "sea-orm-migration"]);
    check_dependants("sea-orm-migration", &["migrations"]);
}

#[test]
fn rusqlite_stays_in_the_store() {
    check_dependants("rusqlite", &["engine", "sea-query-rusqlite", "tests"]);
}

#[test]
fn lettre_stays_in_the_server() {
    check_dependants("lettre", &["server"]);
}

#[test]
fn askama_stays_with_pages_and_mail() {
    check_dependants("askama", &["admin", "server"]);
}

#[test]
fn reqwest_stays_out_of_engine_and_admin() {
    check_dependants("reqwest", &["benches", "server", "tests"]);
}

#[test]
fn rmcp_stays_in_the_server() {
    check_dependants("rmcp", &["server", "tests"]);
    check_dependants("sse-stream", &["rmcp", "server"]);
}

#[test]
fn cedar_and_jsonschema_stay_in_the_engine() {
    check_dependants("cedar-policy", &["engine"]);
    check_dependants("jsonschema", &["engine"]);
}

#[test]
fn admin_does_not_depend_on_the_server() {
    let needed = whole().dependencies("admin");
    assert!(!needed.contains("server"), "admin depends on the server that mounts it");
    assert!(whole().dependencies("server").contains("admin"), "the server mounts the console");
}

#[test]
fn policies_are_data_without_dependencies() {
    let needed = Graph::load(&["--package", "policies", "--edges", "normal,build"]);
    assert_eq!(needed.names(), BTreeSet::from(["policies"]));
    assert!(!whole().dependants("policies").contains("engine"), "the engine is handed policies, it does not know them");
}

#[test]
fn migrations_depend_on_no_crate_of_ours() {
    let needed = whole().dependencies("migrations");
    let ours: Vec<_> = needed.iter().filter(|name| MEMBERS.contains(name)).collect();
    assert!(ours.is_empty(), "migrations depend on {ours:?}");
}

#[test]
fn nobody_depends_on_tests_or_benches() {
    for name in ["tests", "benches"] {
        assert_eq!(whole().dependants(name), BTreeSet::new(), "{name}");
    }
}

#[test]
fn there_is_one_crypto_library() {
    assert_eq!(whole().versions("aws-lc-rs").len(), 1);
    check_absent(whole(), &["boring-sys", "native-tls", "openssl", "openssl-sys", "ring"], "the workspace");
}

#[test]
fn no_crate_of_ours_has_a_second_notion_of_time() {
    for library in ["chrono", "time"] {
        let ours: Vec<_> = whole().dependants(library).into_iter().filter(|name| MEMBERS.contains(name)).collect();
        assert!(ours.is_empty(), "time is jiff's, but {ours:?} depend on `{library}`");
    }
}

#[test]
fn there_is_one_sqlite() {
    assert_eq!(whole().versions("libsqlite3-sys").len(), 1, "{:?}", whole().versions("libsqlite3-sys"));
    assert_eq!(whole().dependants("libsqlite3-sys"), BTreeSet::from(["rusqlite", "sqlx-sqlite"]));
}

#[test]
fn shipped_licences_are_permissive() {
    let refused: Vec<String> = shipped()
        .licences()
        .filter(|(_, licence)| !licence::is_allowed(licence, &LICENCES_SHIPPED))
        .map(|(node, licence)| format!("{} {}: `{licence}`", node.name, node.version))
        .collect();
    assert!(refused.is_empty(), "not on the list of licences: {refused:#?}");
}

#[test]
fn time_ids_and_environment_are_forbidden_to_take() {
    let table = workspace::read("clippy.toml");
    for path in [
        "std::time::SystemTime::now",
        "std::env::var",
        "std::thread::sleep",
        "uuid::Uuid::new_v4",
        "jiff::Timestamp::now",
    ] {
        assert!(table.contains(&format!("path = \"{path}\"")), "clippy.toml no longer disallows `{path}`");
    }
    assert!(workspace::read("Cargo.toml").contains("disallowed_methods = \"deny\""));
}

/// The entries `(name, rest)` of the tables of a manifest whose header satisfies `is_wanted`.
fn entries(manifest: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
    let mut header = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            header = name.trim_end_matches(']');
        } else if is_wanted(header)
            && let Some((name, rest)) = line.split_once('=')
        {
            found.push((name.trim(), rest.trim()));
        }
    }
    found
}

fn dependencies_of(member: &str) -> Vec<(String, String)> {
    let manifest = workspace::read(&format!("{member}/Cargo.toml"));
    let found = entries(&manifest, |header| header.ends_with("dependencies"));
    found.into_iter().map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
}

#[test]
fn every_dependency_is_declared_once_in_the_workspace() {
    for member in MEMBERS {
        let has_long_form = workspace::read(&format!("{member}/Cargo.toml")).contains("dependencies.");
        assert!(!has_long_form, "{member}/Cargo.toml: one line for each dependency, no table of its own");
        for (name, rest) in dependencies_of(member) {
            let is_shared = name.ends_with(".workspace") && rest == "true" || rest.contains("workspace = true");
            let is_itself = name == member && rest.starts_with("{ path = \".\"");
            assert!(is_shared || is_itself, "{member}/Cargo.toml declares `{name}` itself");
        }
    }
}

#[test]
fn every_declared_dependency_is_used() {
    let root = workspace::read("Cargo.toml");
    let used: BTreeSet<String> = MEMBERS
        .iter()
        .flat_map(|member| dependencies_of(member))
        .map(|(name, _)| name.trim_end_matches(".workspace").to_owned())
        .collect();
    let declared = entries(&root, |header| header == "workspace.dependencies");
    assert!(declared.len() > 20, "the table of dependencies was not read");
    let third_party = declared.iter().map(|(name, _)| *name).filter(|name| !MEMBERS.contains(name));
    let unused: Vec<_> = third_party.filter(|name| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "declared in Cargo.toml and used by no member: {unused:?}");
}
