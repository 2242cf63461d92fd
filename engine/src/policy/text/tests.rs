use serde_json::json;

use super::*;

const COMMENTED: &str = "// of the house\n{\n  tools: {deny: ['exec']}, // no shell\n}\n";

fn text(chain: &str, operator: &str) -> PolicyText {
    PolicyText { chain: chain.to_owned(), operator: operator.to_owned() }
}

#[test]
fn what_is_kept_is_read_again_with_its_comments() {
    for written in [text(COMMENTED, ""), text(COMMENTED, "// night\nforbid (principal, action, resource);\n")] {
        let stored = written.to_stored().unwrap();
        assert_eq!(PolicyText::from_stored(&stored).unwrap(), written);
        assert_eq!(WrittenPolicy::from_stored(&stored).unwrap(), written.read().unwrap());
    }
}

#[test]
fn a_document_without_comments_is_kept_as_the_file_s_would_be() {
    let policy = WrittenPolicy { chain: json!({"tools": {"deny": ["exec"]}}), operator: "x".to_owned() };
    let stored = policy.to_value().to_string();
    assert_eq!(text("{tools: {deny: ['exec'],},\nsession: {}}", "x").to_stored().unwrap(), stored);
    let shown = PolicyText::from_stored(&stored).unwrap();
    assert_eq!(shown, text("{\n  tools: {\n    deny: [\"exec\"],\n  },\n}\n", "x"));
    assert_eq!(shown.to_stored().unwrap(), stored);
}

#[test]
fn cedar_policies_have_their_own_text() {
    let problems = text("{\n  operator_policies: 'x',\n}", "").read().unwrap_err();
    assert_eq!((problems.len(), problems[0].at), (1, Position { line: 2, column: 3 }));
    assert!(text("{tools: ", "").to_stored().is_err());
    assert_eq!(text("[]", "").to_stored().unwrap(), "[]");
}

#[test]
fn a_place_is_found_as_exactly_as_it_is_known() {
    let at = |path: &DocumentPath| {
        let Position { line, column } = text(COMMENTED, "").places().around(path);
        (line, column)
    };
    let tools = DocumentPath::default().key("tools");
    assert_eq!(at(&tools.key("deny").index(0)), (3, 18));
    assert_eq!(at(&tools.key("deny")), (3, 11));
    assert_eq!(at(&tools.key("profile")), (3, 3));
    assert_eq!(at(&DocumentPath::default()), (2, 1));
    assert_eq!(text("{", "").places().around(&tools), Position { line: 1, column: 1 });
}
