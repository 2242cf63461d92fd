//! The engine's own side: what a set of the console's policies has to be. What the shipped ones say stands in their cases.

use uuid::Uuid;

use super::*;

const PERMIT: &str = r#"@id("owner") permit (principal in Role::"owner", action, resource);"#;

/// A schema with every deed.
fn schema() -> String {
    let mut text = r#"entity Role enum ["owner", "operator", "finance", "policy_editor", "auditor", "support"];
entity Operator in [Role];
entity Console;
"#
    .to_owned();
    for (_, word) in ConsoleGroup::ALL {
        text += &format!("action \"{word}\";\n");
    }
    for (_, word, group) in ConsoleAction::ALL {
        text += &format!(
            "action \"{word}\" in [\"{}\"] appliesTo {{ principal: [Operator], resource: [Console], \
             context: {{ amount?: Long, fresh: Bool, factor: Bool, may_postpone: Bool }} }};\n",
            group.as_str()
        );
    }
    text
}

fn try_load(schema: &str, policies: &str) -> Result<ConsolePolicies, PolicyLoadError> {
    ConsolePolicies::load(PolicySources { schema, policies })
}

fn caller(roles: &[Role]) -> ConsoleCaller<'_> {
    let id = OperatorId::from(Uuid::from_u128(7));
    ConsoleCaller { id, roles, is_fresh: true, has_factor: true, may_postpone: false }
}

#[test]
fn words_and_groups_are_each_there_once_and_read_back() {
    let words: HashSet<&str> = ConsoleAction::ALL.iter().map(|(_, word, _)| *word).collect();
    assert_eq!(words.len(), ConsoleAction::ALL.len());
    for (action, word, group) in ConsoleAction::ALL {
        assert_eq!((action.as_str(), action.group()), (word, group));
        assert_eq!(ConsoleAction::from_word(word), Some(action));
        assert!(word.contains('.') && !action.sentence().ends_with('.') && !action.sentence().is_empty(), "{word}");
    }
    let used: HashSet<ConsoleGroup> = ConsoleAction::ALL.iter().map(|(.., group)| *group).collect();
    assert_eq!(used.len(), ConsoleGroup::ALL.len());
    assert_eq!(ConsoleAction::from_word("read"), None, "a group is no deed");
    assert_eq!(ConsoleAction::RefundCreate.sentence(), "Give back what a call was charged, or a part of it");
}

#[test]
fn what_nobody_permits_is_denied_whatever_forbids_it() {
    let text = format!(
        "{PERMIT}\n@id(\"no\") @code(\"factor\") @reason(\"Enrol one.\") forbid (principal, action, resource) unless {{ context.factor }};"
    );
    let policies = try_load(&schema(), &text).unwrap();
    let (owner, auditor) = ([Role::Owner], [Role::Auditor]);
    let (decision, determining) = policies.explain(&caller(&owner), ConsoleAction::PayoutCreate, None);
    assert_eq!((decision, determining), (ConsoleDecision::Allowed, vec!["owner".into()]));
    for roles in [&auditor[..], &[]] {
        let without = ConsoleCaller { has_factor: false, ..caller(roles) };
        let ConsoleDecision::Denied(denial) = policies.decide(&without, ConsoleAction::PayoutCreate, None) else {
            panic!("{roles:?} may");
        };
        assert_eq!((&*denial.policy, denial.code), (NO_PERMIT, ConsoleDenialCode::Role));
    }
    let without = ConsoleCaller { has_factor: false, ..caller(&owner) };
    let denied = ConsoleDenial { policy: "no".into(), code: ConsoleDenialCode::Factor, reason: "Enrol one.".into() };
    assert_eq!(policies.decide(&without, ConsoleAction::PayoutCreate, None), ConsoleDecision::Denied(denied));
}

#[test]
fn what_cannot_be_evaluated_is_denied() {
    let text = format!(
        "{PERMIT}\n@id(\"no\") @code(\"amount\") @reason(\"Too much.\") forbid (principal, action, resource)
         when {{ context has amount && context.amount * 4 > 7 }};"
    );
    let policies = try_load(&schema(), &text).unwrap();
    let decide = |amount| policies.decide(&caller(&[Role::Owner]), ConsoleAction::GrantCreate, Some(amount));
    assert!(decide(1).is_allowed());
    let ConsoleDecision::Denied(denial) = decide(i64::MAX) else { panic!("an overflow lets it pass") };
    assert_eq!(denial.code, ConsoleDenialCode::Role);
}

#[test]
fn a_schema_without_a_deed_or_with_another_one_is_not_taken() {
    let whole = schema();
    try_load(&whole, PERMIT).unwrap();
    let without = |word: &str| {
        let kept = whole.lines().filter(|line| !line.contains(&format!("action \"{word}\" in")));
        kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    let table = [
        (without("payout.create"), "the action `payout.create` in `money` is missing"),
        (
            whole.replace("\"policy.publish\" in [\"policy\"]", "\"policy.publish\" in [\"read\"]"),
            "the action `policy.publish` in `policy`",
        ),
        (format!("{whole}action \"payout.double\";"), "the action `payout.double` is none of the console"),
        (whole.replace("\"support\"];", "\"king\"];"), "does not conform"),
        (whole.replace("fresh: Bool", "fresh: Long"), "fresh"),
    ];
    for (schema, part) in table {
        let error = try_load(&schema, PERMIT).unwrap_err();
        assert!(matches!(error, PolicyLoadError::SchemaMisfit(_)), "{error}");
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    assert!(matches!(try_load("entity", PERMIT), Err(PolicyLoadError::Schema(_))));
}

#[test]
fn a_broken_rule_of_the_house_is_named() {
    let forbid = "forbid (principal, action, resource);";
    for (rest, part) in [
        (format!("@id(\"x\") @reason(\"r\") {forbid}"), "policy `x`: a `forbid` of the console needs a `@code`"),
        (format!("@id(\"x\") @code(\"factor\") {forbid}"), "a `forbid` needs a `@reason`"),
        (format!("@id(\"x\") @code(\"role\") @reason(\"r\") {forbid}"), "`role` is not the code of a refusal"),
        (format!("@id(\"x\") @code(\"policy_denied\") @reason(\"r\") {forbid}"), "is not the code of a refusal"),
        (PERMIT.to_owned(), "another policy has the same `@id`"),
    ] {
        let error = try_load(&schema(), &format!("{PERMIT}\n{rest}")).unwrap_err();
        assert!(error.to_string().contains(part), "{rest}\n{error}");
    }
    for text in [
        "@id(\"x\") permit (principal in Role::\"king\", action, resource);",
        "@id(\"x\") permit (principal, action == Action::\"payout.double\", resource);",
        "@id(\"x\") permit (principal, action, resource) when { context.amount > 1 };",
    ] {
        assert!(matches!(try_load(&schema(), text), Err(PolicyLoadError::Validation(_))), "{text}");
    }
    let impossible = "@id(\"x\") permit (principal, action, resource) when { resource is Operator };";
    let error = try_load(&schema(), impossible).unwrap_err();
    assert!(error.to_string().contains("break a rule of the house"), "{error}");
}
