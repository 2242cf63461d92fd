use serde_json::json;

use super::{DocumentPath, Reader};

#[test]
fn everything_that_is_wrong_is_named_with_its_path() {
    let value = json!({"a": 1, "list": ["x", 2], "inner": {"b c": true, "typo": null}, "old": {}});
    let reader = Reader::default();
    reader.root(&value).object(|fields| {
        fields.tolerate(&["old"]);
        fields.text("a");
        fields.texts("list");
        fields.take("inner").map(|node| node.object(|inner| inner.text("b c")));
        fields.require("missing");
        fields.choice("inner", &[("one", 1), ("two", 2)]);
    });
    let problems = reader.finish().unwrap_err();
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "`a` must be a string, not a number",
            "`list[1]` must be a string, not a number",
            "`inner[\"b c\"]` must be a string, not a boolean",
            "`inner.typo` is not a known key",
            "the document needs the key `missing`",
            "`inner` must be a string, not an object",
        ]
    );
}

#[test]
fn tolerated_keys_are_listed_and_nothing_else() {
    let value = json!({"old": {}, "b": true});
    let reader = Reader::default();
    assert_eq!(
        reader.root(&value).object(|fields| {
            fields.tolerate(&["old"]);
            fields.flag("b", false)
        }),
        Some(true)
    );
    assert_eq!(reader.finish(), Ok(vec![DocumentPath::default().key("old")]));
}
