use serde_json::json;

use super::*;

#[test]
fn a_change_names_what_is_wrong_with_it() {
    let place = |body: &str| {
        let refused = parse_change(body).unwrap_err().body();
        refused["detail"][0]["loc"][1].as_str().unwrap_or_default().to_owned()
    };
    let too_much = json!({"metadata": {"note": "x".repeat(END_USER_METADATA_BYTES_MAX)}}).to_string();
    for (body, field) in [
        (r#"{"state": "gone"}"#, "state"),
        (r#"{"state": true}"#, "state"),
        (r#"{"metadata": "text"}"#, "metadata"),
        (r#"{"metadata": [1]}"#, "metadata"),
        (&*too_much, "metadata"),
        (r#"{"external_id": "other"}"#, "external_id"),
        (r#"{"caps": []}"#, "caps"),
    ] {
        assert_eq!(place(body), field, "{body}");
    }
}

#[test]
fn what_a_change_leaves_out_stays() {
    let change = |body: &str| parse_change(body).unwrap();
    assert_eq!(change("{}"), EndUserChange::default());
    assert_eq!(change(r#"{"state": null}"#), EndUserChange::default());
    assert_eq!(change(r#"{"state": "blocked"}"#).is_blocked, Some(true));
    assert_eq!(change(r#"{"state": "active"}"#).is_blocked, Some(false));
    assert_eq!(change(r#"{"metadata": null}"#).metadata, MetadataChange::Remove);
    assert_eq!(
        change(r#"{"metadata": {"b": 1.50, "a": 2}}"#).metadata,
        MetadataChange::Set(r#"{"a":2,"b":1.50}"#.to_owned())
    );
}
