//! The engine's own side: what is read out of an answer, and that nothing broken gets through. What the shipped policies
//! say stands in their own cases.

use super::*;
use crate::{catalog::Tier, code::Code};

pub(super) const SCHEMA: &str = r#"
entity Account;
entity Partner;
entity EndUser;
entity Token in [Account, Partner, EndUser] {
  account?: { suspended: Bool, verified: Bool }, partner?: { suspended: Bool }, end_user?: { blocked: Bool },
};
entity Publisher;
entity Namespace;
entity Tier enum ["unverified", "standard"];
entity Tool in [Namespace, Publisher] {
  name: String, disabled: Bool, free: Bool, tier: Tier,
  namespace?: { name: String, suspended: Bool }, publisher?: { suspended: Bool },
};
type Circumstances = { now_s: Long, second_of_day: Long };
action "invoke";
action "invokeMarketplace" in ["invoke"] appliesTo { principal: [Token], resource: [Tool], context: Circumstances };
action "invokeHttp" in ["invoke"] appliesTo { principal: [Token], resource: [Tool], context: Circumstances };
"#;

pub(super) const PERMIT: &str = r#"@id("permit") permit (principal, action in Action::"invoke", resource);"#;

pub(super) const ALICE: Caller<'static> =
    Caller::Account(AccountFacts { id: "acc_a", is_suspended: false, is_verified: true });
pub(super) const GLOBEX: Caller<'static> = Caller::Partner {
    partner: PartnerFacts { id: "par_g", is_suspended: false },
    end_user: EndUserFacts { id: "usr_u", is_blocked: false },
};
pub(super) const ACME: NamespaceFacts<'static> = NamespaceFacts {
    id: "nsp_a",
    name: "acme",
    is_suspended: false,
    publisher: PublisherFacts { id: "pub_a", is_suspended: false },
};
pub(super) const NOTE_ADD: ToolFacts<'static> = ToolFacts {
    id: "tol_n",
    name: "acme/note_add",
    is_disabled: false,
    is_free: false,
    tier: Tier::Standard,
    namespace: Some(ACME),
};
/// 2026-11-21 12:00:00 UTC.
pub(super) const NOON_S: i64 = 1_795_262_400;
pub(super) const REQUEST: DecisionRequest<'static> = DecisionRequest {
    surface: Surface::Marketplace,
    token: "tok_a",
    caller: ALICE,
    tool: NOTE_ADD,
    now_s: NOON_S,
    place: None,
};

pub(super) fn try_load(policies: &str) -> Result<Policies, PolicyLoadError> {
    Policies::load(PolicySources { schema: SCHEMA, policies })
}

pub(super) fn load(policies: &str) -> Policies {
    try_load(policies).unwrap_or_else(|error| panic!("{error}\n{policies}"))
}

/// The permit, and a forbid under the condition `when`.
pub(super) fn forbidding(when: &str) -> Policies {
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
        let decision = load(PERMIT).decide(&DecisionRequest { surface, caller, ..REQUEST });
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
    let forbids: Vec<String> = names
        .iter()
        .map(|n| {
            let code = if *n == "m" { Code::EmailUnverified } else { Code::AccountSuspended };
            format!("@id(\"{n}\") @code(\"{code}\") @reason(\"Because {n}.\") forbid (principal, action, resource);\n")
        })
        .collect();
    let decision = load(&format!("{}{PERMIT}", forbids.concat())).decide(&REQUEST);
    assert!(!decision.allowed);
    assert_eq!(ids(&decision), names);
    assert_eq!(decision.reason.as_deref(), Some("Because m."));
    assert_eq!(decision.code, Some(Code::EmailUnverified));
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
        ("principal has account && principal.account.suspended", called_by(account(true, true)), REQUEST),
        ("principal has account && !principal.account.verified", called_by(account(false, false)), REQUEST),
        ("principal has partner && principal.partner.suspended", called_by(partner(true, false)), called_by(GLOBEX)),
        ("principal has end_user && principal.end_user.blocked", called_by(partner(false, true)), called_by(GLOBEX)),
        (r#"resource == Tool::"tol_x""#, calling(ToolFacts { id: "tol_x", ..NOTE_ADD }), REQUEST),
        (r#"resource.name == "web""#, calling(ToolFacts { name: "web", ..NOTE_ADD }), REQUEST),
        ("resource.disabled", calling(ToolFacts { is_disabled: true, ..NOTE_ADD }), REQUEST),
        ("resource.free", calling(ToolFacts { is_free: true, ..NOTE_ADD }), REQUEST),
        (r#"resource.tier == Tier::"unverified""#, calling(ToolFacts { tier: Tier::Unverified, ..NOTE_ADD }), REQUEST),
        (r#"resource.tier == Tier::"standard""#, REQUEST, calling(ToolFacts { tier: Tier::Unverified, ..NOTE_ADD })),
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
            "resource has publisher && resource.publisher.suspended",
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
        #[cfg(feature = "store")]
        remembering_changes_nothing(condition, &[holds, does_not]);
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

/// Asked twice, in turns, and at another time: the same decisions as without a memory.
#[cfg(feature = "store")]
fn remembering_changes_nothing(condition: &str, requests: &[DecisionRequest<'_>]) {
    let cached = CachedPolicies::new(forbidding(condition), 100);
    for later_s in [0, 0, 3_600] {
        for request in requests {
            let request = DecisionRequest { now_s: request.now_s + later_s, ..*request };
            assert_eq!(*cached.decide(&request), cached.policies().decide(&request), "{condition}");
        }
    }
}

#[cfg(feature = "store")]
#[test]
fn a_decision_is_remembered_for_ever_only_if_no_policy_reads_the_clock() {
    let later = DecisionRequest { now_s: NOON_S + 1, ..REQUEST };
    let table = [("resource.disabled", true), ("context.now_s < 0", false), ("resource.name == \"context\"", true)];
    for (condition, same) in table {
        let cached = CachedPolicies::new(forbidding(condition), 100);
        assert_eq!(cached.policies().reads_clock(), !same, "{condition}");
        let first = cached.decide(&REQUEST);
        assert!(Arc::ptr_eq(&first, &cached.decide(&REQUEST)), "{condition}");
        assert_eq!(Arc::ptr_eq(&first, &cached.decide(&later)), same, "{condition}");
    }
}

#[cfg(feature = "store")]
#[test]
fn the_memory_is_bounded() {
    let cached = CachedPolicies::new(load(PERMIT), 16);
    for n in 0..1_000 {
        let token = format!("tok_{n}");
        assert!(cached.decide(&DecisionRequest { token: &token, ..REQUEST }).allowed);
    }
    assert!(cached.len() <= 16, "{}", cached.len());
}
