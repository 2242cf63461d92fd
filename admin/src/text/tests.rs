use std::{collections::BTreeSet, fs, path::Path};

use super::*;

/// Every key that is written down in the files of texts.
fn known() -> BTreeSet<String> {
    let keys = FILES.iter().flat_map(|(_, text)| text.lines()).filter_map(|line| line.split_once(" ="));
    keys.map(|(key, _)| key.to_owned()).filter(|key| !key.starts_with([' ', '#', '-'])).collect()
}

/// Every quoted text that has the form of a key, in code and templates.
fn mentioned(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            mentioned(&path, found);
        } else if !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.extend(text.split('"').skip(1).step_by(1).map(str::to_owned));
        }
    }
}

#[test]
fn every_file_is_well_formed_and_no_key_stands_twice() {
    let mut seen = BTreeSet::new();
    for (name, text) in FILES {
        let resource =
            FluentResource::try_new(text.to_owned()).unwrap_or_else(|(_, errors)| panic!("{name}: {errors:?}"));
        assert!(resource.entries().count() > 0 || text.lines().count() <= 1, "{name} is empty");
        for key in text.lines().filter_map(|line| line.split_once(" =")).map(|(key, _)| key) {
            assert!(key.starts_with(' ') || seen.insert(key.to_owned()), "{name}: `{key}` stands twice");
        }
    }
}

#[test]
fn every_text_is_used() {
    let mut used = BTreeSet::new();
    mentioned(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
    mentioned(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut used);
    // Keys of words that the database knows are put together: the part before the word is written down.
    let is_used = |key: &String| {
        used.contains(key) || used.iter().any(|part| part.ends_with('-') && key.starts_with(part.as_str()))
    };
    let unused: Vec<String> = known().into_iter().filter(|key| !is_used(key)).collect();
    assert!(unused.is_empty(), "texts that nobody shows: {unused:?}");
}

#[test]
fn every_key_that_is_shown_has_a_text() {
    let known = known();
    let mut used = BTreeSet::new();
    mentioned(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
    mentioned(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut used);
    let sections: BTreeSet<&str> = known.iter().filter_map(|key| key.split('-').next()).collect();
    let is_key = |text: &str| {
        text.split_once('-').is_some_and(|(section, rest)| sections.contains(section) && !rest.is_empty())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_')
            && !text.ends_with('-')
    };
    let missing: Vec<&String> = used.iter().filter(|text| is_key(text) && !known.contains(*text)).collect();
    assert!(missing.is_empty(), "keys without a text: {missing:?}");
}

#[test]
fn values_stand_in_their_places() {
    assert_eq!(t_with("console-rows-many", &[("count", 10_000.into())]), "10,000+ rows");
}

#[test]
fn numbers_read_in_a_sentence_as_they_do_in_a_table() {
    let sizes = [("kept", 400.into()), ("all", 1_234_567.into())];
    assert_eq!(t_with("invocations-payload-cut", &sizes), "Of 1,234,567 bytes the first 400 are kept.");
    assert_eq!(
        t_with("invocations-payload-none", &[("id", "12345678".into())]).split(':').next(),
        Some("Nothing is kept of 12345678")
    );
}
