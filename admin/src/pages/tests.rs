use std::{fs, path::Path};

use super::*;
use crate::console::Verb;

/// What paths begin with and is no page.
const BEGINNINGS: [&str; 1] = ["/namespaces"];

/// Every quoted path of the console in the code below `folder`, as (file, path below the root).
fn linked(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            linked(&path, found);
        } else if !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let quoted = text.split("\"/admin/").skip(1).filter_map(|rest| rest.split(['"', '?', '#']).next());
            found.extend(quoted.map(|rest| (path.display().to_string(), format!("/{rest}"))));
        }
    }
}

fn leads_to(pattern: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let is_open = |part: &str| part.starts_with('{');
    wanted.len() == given.len()
        && wanted.iter().zip(&given).all(|(wanted, given)| wanted == given || is_open(wanted) || is_open(given))
}

#[test]
fn every_link_that_is_written_down_leads_to_a_page() {
    let mut found = Vec::new();
    linked(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 30, "{found:?}");
    let mut pages: Vec<&str> =
        routes().iter().filter(|route| route.verb == Verb::Get).map(|route| route.path).collect();
    pages.extend(&BEGINNINGS);
    found.retain(|(_, path)| !pages.iter().any(|page| leads_to(page, path)));
    assert!(found.is_empty(), "links that lead nowhere: {found:#?}");
}
