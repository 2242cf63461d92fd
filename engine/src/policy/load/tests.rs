//! What is refused, and what the refusal says.

use super::{
    super::tests::{PERMIT, SCHEMA, forbidding, load, try_load},
    *,
};

#[test]
fn a_load_error_names_policy_line_and_cause() {
    let forbid = |rest: &str| format!("{PERMIT}\n\n{rest}");
    let table = [
        (
            forbid("@id(\"x\") @reason(\"r\")\nforbid (principal, action, resource)\nwhen { resource.nmae == \"a\" };"),
            "the policies do not fit the schema: policy `x`, line 5: ",
            "nmae",
        ),
        (
            forbid(
                "@id(\"x\") @reason(\"r\") forbid (principal, action, resource) when { resource.tier == Tier::\"gold\" };",
            ),
            "the policies do not fit the schema: policy `x`, line 3: ",
            "gold",
        ),
        (
            forbid(
                "@id(\"x\") @reason(\"r\") forbid (principal, action, resource)\nwhen { principal.account.suspended };",
            ),
            "the policies do not fit the schema: policy `x`, line 4: ",
            "account",
        ),
        (
            forbid("@id(\"x\") @reason(\"r\") forbid (principal, action == Action::\"invokee\", resource);"),
            "the policies do not fit the schema: policy `x`, line 3: ",
            "invokee",
        ),
        (
            forbid(
                "@id(\"x\") @reason(\"r\") forbid (principal, action, resource) when { context.now_s == \"noon\" };",
            ),
            "the policies do not fit the schema: policy `x`, line 3: ",
            "type",
        ),
        (
            forbid("@id(\"x\") forbid (principal, action, resource) when { resource.disabled };"),
            "the policies break a rule of the house: policy `x`, line 3: ",
            "a `forbid` needs a `@reason`",
        ),
        (
            forbid("@id(\"x\") @reason(\" \") forbid (principal, action, resource);"),
            "the policies break a rule of the house: policy `x`, line 3: ",
            "a `forbid` needs a `@reason`",
        ),
        (
            forbid("@reason(\"r\") forbid (principal, action, resource);"),
            "the policies break a rule of the house: line 3: ",
            "no `@id`",
        ),
        (
            forbid("@id(\"\") @reason(\"r\") forbid (principal, action, resource);"),
            "the policies break a rule of the house: policy ``, line 3: ",
            "no `@id`",
        ),
        (
            forbid("@id(\"permit\") @reason(\"r\") forbid (principal, action, resource);"),
            "the policies break a rule of the house: policy `permit`, line 3: ",
            "same `@id`",
        ),
        (
            forbid("@id(\"x\") @reason(\"r\") @cdoe(\"c\") forbid (principal, action, resource);"),
            "the policies break a rule of the house: policy `x`, line 3: ",
            "unknown annotation `@cdoe`",
        ),
        (
            forbid("@id(\"x\") @reason(\"r\") @code(\"Not A Code\") forbid (principal, action, resource);"),
            "the policies break a rule of the house: policy `x`, line 3: ",
            "`Not A Code` is not the code of a refusal",
        ),
        (
            forbid("@id(\"x\") @reason(\"r\") forbid (principal == ?principal, action, resource);"),
            "the policies break a rule of the house: policy `x`, line 3: ",
            "templates are not used here",
        ),
        (
            forbid("@id(\"x\") @reason(\"r\") forbid (principal, action, resource"),
            "the policies cannot be read: line 3: ",
            "",
        ),
    ];
    for (policies, start, part) in table {
        let message = try_load(&policies).map(|_| ()).unwrap_err().to_string();
        assert!(message.starts_with(start) && message.contains(part), "{policies}\n{message}");
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
    assert_eq!(load(PERMIT).warnings(), [String::new(); 0]);
    let odd = forbidding(r#"resource is Token"#);
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
