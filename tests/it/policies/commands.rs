//! `tollgate policy check|compile|explain|diff|test`.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tests::program::{Server, folder};

use super::{core_tool, json_of, run};

/// The catalog of these tests.
fn catalog() -> Value {
    json!({"core_tools": [core_tool("web_search"), core_tool("web_fetch"), core_tool("exec"), core_tool("cron")]})
}

const POLICY: &str = r#"{
  tools: {
    profile: "coding",
    deny: ["exec", "nothing_of_that_name"],
  },
  agents: {
    list: [
      { id: "main", default: true },
      { id: "research", tools: { allow: ["group:web", "cron"], deny: ["web_fetch"] } },
    ],
  },
  operator_policies: "house.cedar",
}"#;

const HOUSE: &str = r#"// by hand
@id("house.night")
@reason("Searching is for the day.")
forbid (principal, action in Action::"invoke", resource)
when { resource.name == "web_search" && (context.second_of_day < 28800 || context.second_of_day >= 64800) };
"#;

/// A folder with the catalog in `tollgate.json5` and a policy in `policy.json5`.
fn home() -> tempfile::TempDir {
    let folder = folder();
    tests::program::configure(folder.path(), &json!({"catalog": catalog()}));
    write(folder.path(), "policy.json5", POLICY);
    write(folder.path(), "house.cedar", HOUSE);
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

#[test]
fn a_right_policy_is_checked_with_warnings_that_name_line_and_column() {
    let home = home();
    let (exit, out, errors) = run(home.path(), &["policy", "check", "policy.json5"]);
    assert_eq!(exit, Some(0), "{out}{errors}");
    assert!(out.contains("warning: policy.json5:4:5: `tools.deny`: nothing is called `nothing_of_that_name`"), "{out}");
    assert!(out.contains("the policy is right, for 7 tools of the configuration"), "four, and three built in: {out}");
    assert!(!home.path().join("data").exists(), "looking makes nothing");
    // Also beside a server, whose database then says which tools there are.
    let server = Server::start(home.path());
    let found = json_of(home.path(), &["policy", "check", "policy.json5"], 0);
    assert_eq!((&found["ok"], &found["tools"], &found["problems"]), (&json!(true), &json!(7), &json!([])), "{found}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn everything_wrong_is_named_with_its_place_and_nothing_panics() {
    let deep = format!("{{tools: {{allow: {}{}}}}}", "[".repeat(200), "]".repeat(200));
    let many = format!("{{tools: {{deny: [{}]}}}}", "'a*a*a*a*a*b',".repeat(10_001));
    let rows = [
        (1, "{tools: {profile: 'nothing'}}", "policy.json5:1:10: `tools.profile`"),
        (1, "{tools: {allow: ['group:nothing_of_that_name'],\n  alow: []}}", "policy.json5:2:3: `tools.alow`"),
        (1, "{tools: {allow: 5}}", "policy.json5:1:10: `tools.allow`"),
        (3, "{tols: {}}", "policy.json5:1:2: unknown key `tols`"),
        (1, "{agents: {list: [{id: 'a', tools: {deny: [7]}}]}}", "policy.json5:1:43: `agents.list[0].tools.deny[0]`"),
        (3, "{tools: {,}}", "policy.json5:1:10: not valid JSON5"),
        (3, "[]", "policy.json5:1:1: the file must be an object"),
        (3, "{operator_policies: 'none.cedar'}", "the file `none.cedar` cannot be read"),
        (1, "{operator_policies: 'bad.cedar'}", "operator_policies: line 2:"),
        (1, "{operator_policies: 'typed.cedar'}", "policy `typed`, line 4:"),
        (1, "{operator_policies: 'template.cedar'}", "templates are not used here"),
        (1, "{operator_policies: 'same.cedar'}", "policy `base.permit`: another policy has the same `@id`"),
        (3, &deep, "nested deeper than"),
        (1, &many, "policy.json5:1:10: `tools.deny`"),
    ];
    let home = home();
    write(home.path(), "bad.cedar", "// a\nforbid (principal, action, resource) when { nothing };");
    let typed =
        "// a\n\n@id(\"typed\") @reason(\"r\")\nforbid (principal, action, resource) when { context.nothing == 1 };";
    write(home.path(), "typed.cedar", typed);
    write(
        home.path(),
        "template.cedar",
        "@id(\"t\") @reason(\"r\") forbid (principal == ?principal, action, resource);",
    );
    write(home.path(), "same.cedar", "@id(\"base.permit\") permit (principal, action, resource);");
    for (wanted, text, expected) in rows {
        write(home.path(), "policy.json5", text);
        let (exit, out, errors) = run(home.path(), &["policy", "check", "policy.json5"]);
        let shown: String = text.chars().take(80).collect();
        assert!(exit == Some(wanted) && format!("{out}{errors}").contains(expected), "{shown}: {exit:?} {out}{errors}");
    }
}

#[test]
fn the_cedar_text_says_what_each_policy_came_from() {
    let home = home();
    let (exit, out, errors) = run(home.path(), &["policy", "compile", "policy.json5"]);
    assert_eq!(exit, Some(0), "{out}{errors}");
    for part in ["@id(\"base.permit\")", "@id(\"house.night\")", "@id(\"tools.deny\")", "// agents.list[1].tools.allow"]
    {
        assert!(out.contains(part), "{part} is missing in {out}");
    }
    let json = json_of(home.path(), &["policy", "compile", "policy.json5"], 0);
    let map = json["source_map"].as_array().unwrap();
    let of = |id: &str| map.iter().find(|entry| entry["policy"] == json!(id)).unwrap_or_else(|| panic!("{id}: {json}"));
    let places: Vec<&Value> = of("tools.deny")["sources"].as_array().unwrap().iter().map(|at| &at["place"]).collect();
    assert_eq!(places, [&json!("policy.json5:4:5")], "{json}");
}

#[test]
fn an_explanation_has_every_step_and_what_caused_it() {
    let home = home();
    let ask =
        |more: &[&str]| json_of(home.path(), &[&["policy", "explain", "--policy", "policy.json5"], more].concat(), 0);
    let noon = ["--at", "2026-12-01T12:00:00Z"];
    let denied = ask(&[&["web_fetch", "--agent", "research"], &noon[..]].concat());
    assert_eq!((&denied["decision"], &denied["determining"]), (&json!("deny"), &json!(["agents.research.tools.deny"])));
    let steps = denied["chain"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["verdict"] == json!("denied")).unwrap();
    assert_eq!((&step["key"], &step["entry"]), (&json!("agents.list[1].tools.deny"), &json!("web_fetch")), "{denied}");
    let allowed = ask(&[&["web_search", "--session", "agent:research:main"], &noon[..]].concat());
    assert_eq!((&allowed["decision"], &allowed["chain"]["agent"]), (&json!("allow"), &json!("research")), "{allowed}");
    // A window of time, by an operator's own policy.
    let night = ask(&["web_search", "--at", "2026-12-01T23:00:00Z"]);
    assert_eq!((&night["decision"], &night["determining"]), (&json!("deny"), &json!(["house.night"])), "{night}");
    assert_eq!(night["reason"], json!("Searching is for the day."));
    // As people read it.
    let arguments = ["policy", "explain", "web_fetch", "--agent", "research", "--policy", "policy.json5"];
    let (exit, out, _) = run(home.path(), &arguments);
    assert!(exit == Some(0) && out.contains("denied by agents.research.tools.deny"), "{out}");
    assert!(out.contains("DENIES") && out.contains("policy.json5:9:"), "{out}");
    for (arguments, sentence) in [
        (&["policy", "explain", "nothing"][..], "there is no tool `nothing` here"),
        (&["policy", "explain", "exec", "--account", "x@example.com"], "there is no account with the address"),
        (&["policy", "explain", "exec", "--token", "faro_secret"], "is not an identifier of the form `tok_`"),
        (&["policy", "explain", "exec", "--session", "a\nb"], "holds a control character"),
    ] {
        let (exit, _, errors) = run(home.path(), arguments);
        assert!(exit == Some(1) && errors.contains(sentence), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_difference_names_who_may_newly_use_what() {
    let home = home();
    write(home.path(), "new.json5", &POLICY.replace(r#"deny: ["web_fetch"]"#, r#"deny: ["web_search"]"#));
    write(home.path(), "other.cedar", HOUSE);
    let json = json_of(home.path(), &["policy", "diff", "policy.json5", "new.json5"], 0);
    let main = json!({
        "agent": "research", "session": "main", "group": null, "newly_allowed": ["web_fetch"], "newly_denied": ["web_search"],
    });
    assert!(json["sessions"].as_array().unwrap().contains(&main), "{json}");
    assert_eq!(json["operator_policies"], json!([]));
    write(home.path(), "new.json5", &POLICY.replace("  operator_policies: \"house.cedar\",\n", ""));
    let json = json_of(home.path(), &["policy", "diff", "policy.json5", "new.json5"], 0);
    assert_eq!(json["operator_policies"], json!([{"policy": "house.night", "change": "gone"}]));
    let (_, out, _) = run(home.path(), &["policy", "diff", "policy.json5", "policy.json5"]);
    assert_eq!(out, "nothing changes for anybody\n");
}

#[test]
fn stored_cases_pass_or_fail_by_name() {
    let home = home();
    let cases = home.path().join("cases");
    fs::create_dir(&cases).unwrap();
    let arguments = ["policy", "test", "cases", "--policy", "policy.json5"];
    let (exit, _, errors) = run(home.path(), &arguments);
    assert!(exit == Some(1) && errors.contains("holds no cases"), "{errors}");
    write(
        &cases,
        "a.json5",
        r#"[
          {says: "search by day", tool: "web_search", at: "2026-12-01T12:00:00Z", expect: "allow"},
          {says: "not by night", tool: "web_search", at: "2026-12-01T03:00:00Z", expect: "deny", by: ["house.night"]},
        ]"#,
    );
    assert_eq!(json_of(home.path(), &arguments, 0)["tried"], json!(2));
    write(&cases, "b.json", r#"{"says": "exec is fine", "tool": "exec", "expect": "allow"}"#);
    write(&cases, "c.json", r#"{"tool": "exec", "expect": "deny", "by": ["house.night"]}"#);
    let (exit, out, _) = run(home.path(), &arguments);
    assert!(exit == Some(1) && out.contains("cases/b.json: exec is fine: is denied by tools.deny"), "{out}");
    assert!(out.contains("c.json: case 1: is denied by tools.deny, not by house.night"), "{out}");
    assert!(out.ends_with("4 cases tried, 2 failed\n"), "{out}");
    write(&cases, "d.json", r#"{"tool": "exec", "expct": "deny"}"#);
    let (exit, _, errors) = run(home.path(), &arguments);
    assert!(exit == Some(1) && errors.contains("d.json: case 1:"), "{errors}");
    assert!(errors.contains("case 1: `expct` is not a known key"), "{errors}");
}
