use serde_json::json;

use super::WrittenPolicy;

fn text(chain: serde_json::Value, operator: &str) -> String {
    WrittenPolicy { chain, operator: operator.to_owned() }.to_value().to_string()
}

#[test]
fn the_same_policy_has_the_same_text_however_its_sections_are_written() {
    let written = text(
        json!({"tools": {"profile": "coding", "deny": ["a"]}, "agents": {"list": [{"id": "b", "default": true}]}}),
        "",
    );
    let shuffled = json!({
        "session": {}, "agents": {"list": [{"id": "b", "default": true}]}, "gateway": {"tools": {}},
        "tools": {"deny": ["a"], "profile": "coding"}, "channels": {},
    });
    assert_eq!(text(shuffled, ""), written);
    assert_eq!(written, r#"{"agents":{"list":[{"id":"b","default":true}]},"tools":{"deny":["a"],"profile":"coding"}}"#);
    for other in [
        json!({"tools": {"profile": "coding", "deny": []}, "agents": {"list": [{"id": "b", "default": true}]}}),
        json!({"tools": {"profile": "coding", "deny": ["a"]}, "agents": {"list": []}}),
        json!({"tools": {"profile": "coding", "deny": ["a"]}}),
    ] {
        assert_ne!(text(other, ""), written, "an empty list is not the same as none");
    }
}

#[test]
fn what_was_written_is_read_back() {
    let operator = "@id(\"a\") permit (principal, action, resource);";
    let policy = WrittenPolicy { chain: json!({"tools": {"deny": ["a"]}}), operator: operator.to_owned() };
    assert_eq!(WrittenPolicy::from_value(policy.to_value()), Ok(policy));
    assert!(WrittenPolicy::from_value(json!([])).is_err());
    assert!(WrittenPolicy::from_value(json!({"operator_policies": 5})).is_err());
}
