use serde_json::Value;

use super::*;

fn found(name: &str, description: &str, input_schema: &str) -> FoundTool {
    FoundTool {
        name: name.to_owned(),
        title: Some("A title".to_owned()),
        description: description.to_owned(),
        input_schema: input_schema.to_owned(),
        annotations: Value::Null,
    }
}

#[test]
fn tools_of_a_server_keep_their_names_there_and_fit_our_rules() {
    let tools = vec![
        found("add", "Adds.\nTwo numbers.", "{}"),
        found("add numbers/now", "\n  \u{1b}[31mAdds\t many. \n", r#"{"type":"object"}"#),
        found("nothing", "", "{}"),
    ];
    let tools = of_mcp(&tools, Visibility::Private).unwrap();
    let told: Vec<_> = tools.iter().map(|tool| (tool.name.as_str(), tool.short_description.as_str())).collect();
    assert_eq!(told, [("add", "Adds."), ("add_numbers_now", "[31mAdds many."), ("nothing", "A title")]);
    assert_eq!(tools[1].upstream, OwnUpstream::Mcp("add numbers/now".to_owned()));
    assert_eq!(tools[0].long_description, "Adds.\nTwo numbers.");
}

#[test]
fn a_schema_that_cannot_be_used_is_named() {
    let tools = vec![found("fine", "", "{}"), found("bad", "", r#"{"$ref":"https://example.com/"}"#)];
    assert_eq!(of_mcp(&tools, Visibility::Public).unwrap_err().field, "tools.bad.input_schema");
}
