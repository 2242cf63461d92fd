use std::collections::BTreeSet;

use super::*;

const ERRORS_MD: &str = include_str!("../../../docs/errors.md");

#[test]
fn every_code_is_spelled_in_snake_case_and_only_once() {
    let mut seen = BTreeSet::new();
    for code in Code::ALL {
        let text = code.as_str();
        assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "`{text}`");
        assert!(seen.insert(text), "`{text}` stands twice");
        assert_eq!(code.to_string(), text);
    }
}

#[test]
fn the_error_document_has_one_section_per_code_in_the_same_order() {
    let sections: Vec<&str> = ERRORS_MD
        .lines()
        .filter_map(|line| line.strip_prefix("## `"))
        .map(|rest| rest.strip_suffix('`').expect("a section is `## `code``"))
        .collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(sections, codes);
}

#[test]
fn every_section_says_status_meaning_and_what_to_do() {
    for section in ERRORS_MD.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap_or_default();
        for part in ["**Status:** ", "**Meaning:** ", "**What to do:** "] {
            assert!(section.contains(part), "{title} lacks {part}");
        }
    }
}

#[test]
fn codes_of_one_kind_carry_one_status_in_the_document() {
    let mut status_of_kind: Vec<(Kind, &str)> = Vec::new();
    for (code, section) in Code::ALL.iter().zip(ERRORS_MD.split("\n## ").skip(1)) {
        let line = section.lines().find_map(|line| line.strip_prefix("**Status:** ")).expect("a status");
        let status = line.get(..3).expect("three digits");
        match status_of_kind.iter().find(|(kind, _)| *kind == code.kind()) {
            Some((_, known)) => assert_eq!(status, *known, "{code}"),
            None => status_of_kind.push((code.kind(), status)),
        }
    }
}
