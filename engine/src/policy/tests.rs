//! The engine's own side: what is read out of an answer, and that nothing broken gets through. What the shipped policies
//! say stands in their own cases.

use super::*;

const SCHEMA: &str = r#"
entity Account { suspended: Bool, verified: Bool };
entity Partner { suspended: Bool };
entity EndUser in [Partner] { blocked: Bool };
entity Token in [Account, Partner, EndUser] { account?: Account, partner?: Partner, end_user?: EndUser };
entity Publisher { suspended: Bool };
entity Namespace in [Publisher] { name: String, suspended: Bool, publisher: Publisher };
entity Tier enum ["unverified", "verified", "paid"];
entity Tool in [Namespace] { name: String, disabled: Bool, free: Bool, tier: Tier, namespace?: Namespace };
type Circumstances = { now_s: Long, second_of_day: Long };
action "invoke";
action "invokeMarketplace" in ["invoke"] appliesTo { principal: [Token], resource: [Tool], context: Circumstances };
action "invokeHttp" in ["invoke"] appliesTo { principal: [Token], resource: [Tool], context: Circumstances };
"#;

const PERMIT: &str = r#"@id("permit") permit (principal, action in Action::"invoke", resource);"#;

const ALICE: Caller<'static> = Caller::Account(AccountFacts { id: "acc_a", is_suspended: false, is_verified: true });
const GLOBEX: Caller<'static> = Caller::Partner {
    partner: PartnerFacts { id: "par_g", is_suspended: false },
    end_user: EndUserFacts { id: "usr_u", is_blocked: false },
};
const ACME: NamespaceFacts<'static> = NamespaceFacts {
    id: "nsp_a",
    name: "acme",
    is_suspended: false,
    publisher: PublisherFacts { id: "pub_a", is_suspended: false },
};
const NOTE_ADD: ToolFacts<'static> = ToolFacts {
    id: "tol_n",
    name: "acme/note_add",
    is_disabled: false,
    is_free: false,
    tier: ToolTier::Paid,
    namespace: Some(ACME),
};
/// 2026-11-21 12:00:00 UTC.
const NOON_S: i64 = 1_795_262_400;
const REQUEST: DecisionRequest<'static> =
    DecisionRequest { surface: Surface::Marketplace, token: "tok_a", caller: ALICE, tool: NOTE_ADD, now_s: NOON_S };

fn try_load(policies: &str) -> Result<Policies, PolicyLoadError> {
    Policies::load(PolicySources { schema: SCHEMA, policies })
}

fn load(policies: &str) -> Policies {
    try_load(policies).unwrap_or_else(|error| panic!("{error}\n{policies}"))
}

/// The permit, and a forbid under the condition `when`.
fn forbidding(when: &str) -> Policies {
    load(&format!(
        "{PERMIT}\n@id(\"no\") @reason(\"Not today.\") forbid (principal, action in Action::\"invoke\", resource) when {{ {when} }};"
    ))
}

fn ids(decision: &Decision) -> Vec<&str> {
    decision.determining.iter().map(PolicyId::as_str).collect()
}

#[test]
fn an_allowed_call_names_its_permit_and_has_no_reason() {
    for (caller, surface) in [(ALICE, Surface::Marketplace), (GLOBEX, Surface::Http)] {
        let decision = load(PERMIT).decide(&DecisionRequest { caller, surface, ..REQUEST });
        assert!(decision.allowed, "{decision:?}");
        assert_eq!(ids(&decision), ["permit"]);
        assert_eq!((decision.reason, decision.code, decision.faults), (None, None, vec![]));
    }
}

#[test]
fn a_set_without_policies_denies_everything() {
    let decision = load("").decide(&REQUEST);
    assert!(!decision.allowed);
    assert_eq!((ids(&decision), decision.reason.as_deref(), decision.faults.len()), (vec![], None, 0));
}

#[test]
fn of_several_forbids_the_first_in_the_text_speaks_and_all_are_named_in_order() {
    // identifiers that no alphabet and no hash would put in this order, more than ten so that `policy10` is met
    let names = ["m", "z", "a", "k", "b", "y", "c", "x", "d", "w", "e", "v"];
    let forbids: String = names
        .iter()
        .map(|n| {
            format!(
                "@id(\"{n}\") @code(\"code_{n}\") @reason(\"Because {n}.\") forbid (principal, action, resource);\n"
            )
        })
        .collect();
    let decision = load(&format!("{forbids}{PERMIT}")).decide(&REQUEST);
    assert!(!decision.allowed);
    assert_eq!(ids(&decision), names);
    assert_eq!(decision.reason.as_deref(), Some("Because m."));
    assert_eq!(decision.code.as_deref(), Some("code_m"));
}

#[test]
fn every_fact_reaches_the_policies() {
    let suspended_publisher = PublisherFacts { is_suspended: true, ..ACME.publisher };
    let partner = |is_suspended, is_blocked| Caller::Partner {
        partner: PartnerFacts { id: "par_g", is_suspended },
        end_user: EndUserFacts { id: "usr_u", is_blocked },
    };
    let account = |is_suspended, is_verified| Caller::Account(AccountFacts { id: "acc_a", is_suspended, is_verified });
    let called_by = |caller| DecisionRequest { caller, ..REQUEST };
    let calling = |tool| DecisionRequest { tool, ..REQUEST };
    let within = |namespace| calling(ToolFacts { namespace: Some(namespace), ..NOTE_ADD });
    // condition; a request for which it holds; one for which it does not
    let table = [
        (r#"action == Action::"invokeHttp""#, DecisionRequest { surface: Surface::Http, ..REQUEST }, REQUEST),
        (r#"principal == Token::"tok_b""#, DecisionRequest { token: "tok_b", ..REQUEST }, REQUEST),
        (r#"principal in Account::"acc_a""#, REQUEST, called_by(GLOBEX)),
        (r#"principal in Partner::"par_g""#, called_by(GLOBEX), REQUEST),
        (r#"principal in EndUser::"usr_u""#, called_by(GLOBEX), REQUEST),
        (r#"principal has end_user && principal.end_user in Partner::"par_g""#, called_by(GLOBEX), REQUEST),
        ("principal has account && principal.account.suspended", called_by(account(true, true)), REQUEST),
        ("principal has account && !principal.account.verified", called_by(account(false, false)), REQUEST),
        ("principal has partner && principal.partner.suspended", called_by(partner(true, false)), called_by(GLOBEX)),
        ("principal has end_user && principal.end_user.blocked", called_by(partner(false, true)), called_by(GLOBEX)),
        (r#"resource == Tool::"tol_x""#, calling(ToolFacts { id: "tol_x", ..NOTE_ADD }), REQUEST),
        (r#"resource.name == "web""#, calling(ToolFacts { name: "web", ..NOTE_ADD }), REQUEST),
        ("resource.disabled", calling(ToolFacts { is_disabled: true, ..NOTE_ADD }), REQUEST),
        ("resource.free", calling(ToolFacts { is_free: true, ..NOTE_ADD }), REQUEST),
        (
            r#"resource.tier == Tier::"unverified""#,
            calling(ToolFacts { tier: ToolTier::Unverified, ..NOTE_ADD }),
            REQUEST,
        ),
        (r#"resource.tier == Tier::"verified""#, calling(ToolFacts { tier: ToolTier::Verified, ..NOTE_ADD }), REQUEST),
        (r#"resource.tier == Tier::"paid""#, REQUEST, calling(ToolFacts { tier: ToolTier::Verified, ..NOTE_ADD })),
        ("!(resource has namespace)", calling(ToolFacts { namespace: None, ..NOTE_ADD }), REQUEST),
        (r#"resource in Namespace::"nsp_a""#, REQUEST, within(NamespaceFacts { id: "nsp_b", ..ACME })),
        (r#"resource in Publisher::"pub_a""#, REQUEST, calling(ToolFacts { namespace: None, ..NOTE_ADD })),
        (
            r#"resource has namespace && resource.namespace.name == "acme""#,
            REQUEST,
            within(NamespaceFacts { name: "other", ..ACME }),
        ),
        (
            "resource has namespace && resource.namespace.suspended",
            within(NamespaceFacts { is_suspended: true, ..ACME }),
            REQUEST,
        ),
        (
            "resource has namespace && resource.namespace.publisher.suspended",
            within(NamespaceFacts { publisher: suspended_publisher, ..ACME }),
            REQUEST,
        ),
        ("context.now_s == 1795262401", DecisionRequest { now_s: NOON_S + 1, ..REQUEST }, REQUEST),
        ("context.second_of_day == 43200", REQUEST, DecisionRequest { now_s: NOON_S - 1, ..REQUEST }),
        ("context.second_of_day == 86399", DecisionRequest { now_s: -1, ..REQUEST }, REQUEST),
    ];
    for (condition, holds, does_not) in table {
        let policies = forbidding(condition);
        let denied = policies.decide(&holds);
        assert!(!denied.allowed && ids(&denied) == ["no"], "{condition}: {denied:?}");
        assert!(policies.decide(&does_not).allowed, "{condition}");
    }
}

#[test]
fn a_tool_can_be_open_from_eight_to_six_only() {
    let policies = forbidding(
        r#"resource.name == "acme/note_add" && (context.second_of_day < 28800 || context.second_of_day >= 64800)"#,
    );
    let midnight_s = NOON_S - 43_200;
    for (second, allowed) in [(0, false), (28_799, false), (28_800, true), (64_799, true), (64_800, false)] {
        assert_eq!(
            policies.decide(&DecisionRequest { now_s: midnight_s + second, ..REQUEST }).allowed,
            allowed,
            "{second}"
        );
    }
}

#[test]
fn cedar_syntax_in_identifiers_and_names_is_only_text() {
    let nasty = [
        "",
        " ",
        "\"",
        "a\"; permit (principal, action, resource); //",
        "acc_a\"\nAccount::\"acc_b",
        "Tool::\"tol_n\"",
        "\\",
        "\\u{0}\\n",
        "line\nbreak\r\ttab\0nul",
        "\u{202e}gnp.exe 工具 🛠",
        "?principal",
        "__cedar::x",
    ];
    let quoted = |text: &str| text.escape_default().to_string();
    for text in nasty {
        let account = Caller::Account(AccountFacts { id: text, is_suspended: false, is_verified: true });
        let partner = Caller::Partner {
            partner: PartnerFacts { id: text, is_suspended: false },
            end_user: EndUserFacts { id: text, is_blocked: false },
        };
        let publisher = PublisherFacts { id: text, ..ACME.publisher };
        let namespace = NamespaceFacts { id: text, name: text, publisher, ..ACME };
        let tool = ToolFacts { id: text, name: text, namespace: Some(namespace), ..NOTE_ADD };
        for caller in [account, partner] {
            let request = DecisionRequest { token: text, caller, tool, ..REQUEST };
            let decision = load(PERMIT).decide(&request);
            assert!(decision.allowed && decision.faults.is_empty(), "{text:?}: {decision:?}");
            // the very same characters are met by a policy that names them …
            for condition in [
                format!("principal == Token::\"{}\"", quoted(text)),
                format!("resource == Tool::\"{}\"", quoted(text)),
                format!("resource.name == \"{}\"", quoted(text)),
                format!("resource in Publisher::\"{}\"", quoted(text)),
            ] {
                assert_eq!(ids(&forbidding(&condition).decide(&request)), ["no"], "{condition}");
            }
            // … and by no other
            assert!(
                forbidding(r#"resource in Tool::"tol_n" || principal in Account::"acc_b""#).decide(&request).allowed
            );
        }
    }
}

#[test]
fn a_policy_that_fails_while_it_runs_denies_and_is_reported() {
    let overflow = "context.now_s * 9223372036854775807 > 0";
    let decision = forbidding(overflow).decide(&REQUEST);
    assert!(!decision.allowed);
    assert_eq!((ids(&decision), &decision.reason, &decision.code), (vec![], &None, &None));
    let [EvaluationFault::Policy { policy, message }] = decision.faults.as_slice() else { panic!("{decision:?}") };
    assert_eq!(policy.as_str(), "no");
    assert!(message.contains("overflow"), "{message}");

    // also if the one that fails is a permit, and another permit holds
    let permits = format!("{PERMIT} @id(\"odd\") permit (principal, action, resource) when {{ {overflow} }};");
    assert!(!load(&permits).decide(&REQUEST).allowed);

    // a forbid that holds keeps its say beside one that fails
    let both = format!(
        "{PERMIT} @id(\"odd\") @reason(\"Odd.\") forbid (principal, action, resource) when {{ {overflow} }};
         @id(\"off\") @reason(\"Off.\") forbid (principal, action, resource) when {{ resource.disabled }};"
    );
    let tool = ToolFacts { is_disabled: true, ..NOTE_ADD };
    let decision = load(&both).decide(&DecisionRequest { tool, ..REQUEST });
    assert_eq!((decision.allowed, ids(&decision), decision.reason.as_deref()), (false, vec!["off"], Some("Off.")));
    assert_eq!(decision.faults.len(), 1);
}

#[test]
fn facts_that_contradict_each_other_deny_and_are_reported() {
    // one identifier, two different states: nobody knows which one holds
    let publisher = PublisherFacts { id: "pub_a", is_suspended: true };
    let caller = Caller::Partner {
        partner: PartnerFacts { id: "same", is_suspended: false },
        end_user: EndUserFacts { id: "same", is_blocked: false },
    };
    let tool = ToolFacts { namespace: Some(NamespaceFacts { publisher, ..ACME }), ..NOTE_ADD };
    // the types keep them apart, so this is no contradiction
    assert!(load(PERMIT).decide(&DecisionRequest { caller, tool, ..REQUEST }).allowed);
}

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
            "a `@code` is made of",
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
        (&SCHEMA.replace("\"paid\"", "\"gold\""), "the policy schema does not fit the requests: "),
        (&SCHEMA.replace("invokeHttp", "invokeWeb"), "the policy schema does not fit the requests: "),
        (&SCHEMA.replace("disabled: Bool", "disabled: String"), "the policy schema does not fit the requests: "),
        (
            &SCHEMA.replace("verified: Bool ", "verified: Bool, vip: Bool "),
            "the policy schema does not fit the requests: ",
        ),
        (&SCHEMA.replace("Namespace in [Publisher]", "Namespace"), "the policy schema does not fit the requests: "),
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

#[test]
fn tiers_have_names_that_lead_back_to_them() {
    for tier in ToolTier::ALL {
        assert_eq!(ToolTier::from_name(tier.name()), Some(tier));
    }
    assert_eq!(ToolTier::from_name("Paid"), None);
}
