use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{SPLIT, Site, configuration, find_executable, plan, usual_caps};
use crate::driver::Extent;

fn site() -> Site {
    Site::with_sqlite(PathBuf::from("/tmp"))
}

#[test]
fn the_books_are_where_the_site_says() {
    let address = "127.0.0.1:1".parse().unwrap();
    let url = |site: &Site| configuration(address, site, address, &usual_caps())["database"]["url"].take();
    assert_eq!(url(&site()), json!("sqlite:///tmp/tollgate.db"));
    let postgres = "postgres://somebody:secret@127.0.0.1:5/books";
    assert_eq!(url(&Site::with_database(PathBuf::from("/tmp"), postgres.to_owned())), json!(postgres));
}

#[test]
fn every_caller_of_the_plan_is_declared_and_there_are_1000() {
    let address = "127.0.0.1:1".parse().unwrap();
    let declared = configuration(address, &site(), address, &usual_caps());
    let tokens: BTreeSet<String> = declared["catalog"]["partners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|partner| partner["token"].as_str().unwrap().to_owned())
        .collect();
    let callers: BTreeSet<String> =
        plan(vec![address], 1, Extent::EachCallerOnce).callers.into_iter().map(|caller| caller.token).collect();
    assert_eq!(callers.len(), 1_000);
    assert_eq!(tokens, callers);
}

#[test]
fn the_split_is_that_of_the_configuration() {
    let address = "127.0.0.1:1".parse().unwrap();
    let catalog = configuration(address, &site(), address, &usual_caps())["catalog"].take();
    let publisher = &catalog["publishers"][0];
    let price_micro = publisher["namespaces"][0]["tools"][0]["pricing"]["fixed_credit_cost"].as_f64().unwrap() * 1e6;
    let share_bps = publisher["share_bps"].as_i64().unwrap();
    let margin_bps = catalog["partners"][0]["margin_bps"].as_i64().unwrap();
    assert_eq!(json!(price_micro), json!(250_000.0));
    assert_eq!(SPLIT.price_micro(), 250_000);
    assert_eq!(SPLIT.publisher, SPLIT.price_micro() * share_bps / 10_000);
    assert_eq!(SPLIT.partner, SPLIT.price_micro() * margin_bps / 10_000);
}

#[test]
fn the_executable_is_taken_from_cargos_messages() {
    let artifact = |name: &str, executable: Value| {
        json!({ "reason": "compiler-artifact", "target": { "name": name }, "executable": executable }).to_string()
    };
    let messages = [
        artifact("engine", Value::Null),
        artifact("other", json!("/t/other")),
        artifact("tollgate", json!("/t/release/tollgate")),
        json!({ "reason": "build-finished", "success": true }).to_string(),
    ]
    .join("\n");
    assert_eq!(find_executable(messages.as_bytes()).as_deref(), Some(Path::new("/t/release/tollgate")));
    assert_eq!(find_executable(b"not json\n"), None);
}
