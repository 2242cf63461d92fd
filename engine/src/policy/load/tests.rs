//! What is refused, and what the refusal says.

use super::{
    super::tests::{PERMIT, SCHEMA, forbidding, load, try_load},
    *,
};

/// What loading says to a permit in line 1 and `rest` from line 3 on.
fn message_for(rest: &str) -> String {
    try_load(&format!("{PERMIT}\n\n{rest}")).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_the_schema_is_named_with_policy_line_and_cause() {
    // what follows the annotations in line 3; the line of the mistake; a part of the cause
    let table = [
        ("forbid (principal, action, resource)\nwhen\n{ resource.nmae == \"a\" };", 5, "nmae"),
        ("forbid (principal, action, resource) when { resource.tier == Tier::\"gold\" };", 3, "gold"),
        ("forbid (principal, action, resource)\nwhen { principal.account.suspended };", 4, "account"),
        ("forbid (principal, action == Action::\"invokee\", resource);", 3, "invokee"),
        ("forbid (principal, action, resource) when { context.now_s == \"noon\" };", 3, "type"),
    ];
    for (rest, line, part) in table {
        let message = message_for(&format!("@id(\"x\") @reason(\"r\") {rest}"));
        let start = format!("the policies do not fit the schema: policy `x`, line {line}: ");
        assert!(message.starts_with(&start) && message.contains(part), "{rest}\n{message}");
    }
}

#[test]
fn a_broken_rule_of_the_house_is_named_with_policy_line_and_rule() {
    let anything = "(principal, action, resource);";
    let table = [
        (format!("@id(\"x\") forbid {anything}"), "policy `x`, line 3: a `forbid` needs a `@reason`"),
        (format!("@id(\"x\") @reason(\" \") forbid {anything}"), "policy `x`, line 3: a `forbid` needs a `@reason`"),
        (format!("@reason(\"r\") forbid {anything}"), "line 3: the policy has no `@id`"),
        (format!("@id(\"\") permit {anything}"), "policy ``, line 3: the policy has no `@id`"),
        (format!("@id(\"permit\") permit {anything}"), "policy `permit`, line 3: another policy has the same `@id`"),
        (format!("@id(\"x\") @cdoe(\"c\") permit {anything}"), "policy `x`, line 3: unknown annotation `@cdoe`"),
        (
            format!("@id(\"x\") @reason(\"r\") @code(\"No Code\") forbid {anything}"),
            "policy `x`, line 3: `No Code` is not the code of a refusal",
        ),
        // a code, but of a fault of ours
        (
            format!("@id(\"x\") @reason(\"r\") @code(\"internal\") forbid {anything}"),
            "policy `x`, line 3: `internal` is not the code of a refusal",
        ),
        (
            "@id(\"x\") @reason(\"r\") forbid (principal == ?principal, action, resource);".to_owned(),
            "policy `x`, line 3: templates are not used here",
        ),
    ];
    for (rest, part) in table {
        let message = message_for(&rest);
        let start = format!("the policies break a rule of the house: {part}");
        assert!(message.starts_with(&start), "{rest}\n{message}");
    }
}

#[test]
fn text_that_is_not_cedar_is_named_with_its_line() {
    let table = [
        ("@id(\"x\") permit (principal, action, resource", 3),
        ("\nallow everything;", 4),
        ("permit (principal, action, resource) when { resource.name == \"open };", 3),
    ];
    for (rest, line) in table {
        let message = message_for(rest);
        assert!(message.starts_with(&format!("the policies cannot be read: line {line}: ")), "{rest}\n{message}");
    }
}

#[test]
fn all_broken_policies_are_named_at_once_in_the_order_of_the_text() {
    let text = "@id(\"b\") permit (principal, action, resource) when { resource.x };\n\
                @id(\"a\") permit (principal, action, resource) when { resource.y };";
    let Err(PolicyLoadError::Validation(problems)) = try_load(text) else { panic!("accepted") };
    let mut places: Vec<_> =
        problems.as_slice().iter().map(|p| (p.line, p.policy.as_ref().map(PolicyId::as_str))).collect();
    places.dedup();
    assert_eq!(places, [(Some(1), Some("b")), (Some(2), Some("a"))]);
}

#[test]
fn a_schema_that_does_not_fit_the_requests_is_refused() {
    let table = [
        ("entity {", "the policy schema is not valid: line 1: "),
        ("", "the policy schema does not fit the requests: "),
        (&SCHEMA.replace("\"standard\"", "\"gold\""), "the policy schema does not fit the requests: "),
        (&SCHEMA.replace("invokeHttp", "invokeWeb"), "the policy schema does not fit the requests: "),
        (
            &SCHEMA.replace("disabled: Bool, free", "disabled: String, free"),
            "the policy schema does not fit the requests: ",
        ),
        (
            &SCHEMA.replace("verified: Bool ", "verified: Bool, vip: Bool "),
            "the policy schema does not fit the requests: ",
        ),
        (&SCHEMA.replace("[Namespace, Publisher]", "[Namespace]"), "the policy schema does not fit the requests: "),
        (&SCHEMA.replace("now_s: Long, ", ""), "the policy schema does not fit the requests: "),
    ];
    for (schema, start) in table {
        let message = Policies::load(PolicySources { schema, policies: PERMIT }).map(|_| ()).unwrap_err().to_string();
        assert!(message.starts_with(start), "{schema}\n{message}");
    }
}

#[test]
fn a_policy_that_can_never_hold_is_a_warning() {
    assert!(load(PERMIT).warnings().is_empty());
    let odd = forbidding("resource is Token");
    assert_eq!(odd.warnings().len(), 1, "{:?}", odd.warnings());
    assert!(odd.warnings()[0].contains("`no`"), "{:?}", odd.warnings());
}

#[test]
fn the_version_depends_on_both_texts_and_on_nothing_else() {
    let version = |schema: &str, policies: &str| {
        Policies::load(PolicySources { schema, policies }).unwrap().version().to_string()
    };
    let first = version(SCHEMA, PERMIT);
    assert_eq!(first, version(SCHEMA, PERMIT));
    assert!(first.len() == 16 && first.bytes().all(|b| b.is_ascii_hexdigit()), "{first}");
    assert_ne!(first, version(SCHEMA, &format!("{PERMIT}\n")));
    assert_ne!(first, version(&format!("{SCHEMA}\n"), PERMIT));
    // moving a character from one text to the other is a change too
    assert_ne!(version(&format!("{SCHEMA}\n"), PERMIT), version(SCHEMA, &format!("\n{PERMIT}")));
}

#[test]
fn policies_are_listed_in_the_order_of_their_text() {
    let policies = load(&format!("@id(\"z\") permit (principal, action, resource);\n{PERMIT}"));
    assert_eq!(policies.policy_count(), 2);
    assert_eq!(policies.policy_ids(), [PolicyId::from("z"), PolicyId::from("permit")]);
}
