//! Every case in `cases/console` gets the decision that it expects, and every policy of the console decides at least one.

use std::{collections::BTreeSet, fs};

use engine::{
    id::OperatorId,
    operator::Role,
    policy::{
        PolicyId, PolicySources,
        console::{ConsoleAction, ConsoleCaller, ConsoleDecision, ConsoleDenialCode, ConsolePolicies},
    },
};
use serde_json::{Value, json};

use crate::cases::{Fields, case_files};

fn shipped() -> ConsolePolicies {
    ConsolePolicies::load(PolicySources { schema: policies::CONSOLE_SCHEMA, policies: policies::CONSOLE })
        .unwrap_or_else(|error| panic!("{error}"))
}

fn operator() -> OperatorId {
    "opr_0192f0c1000070008000000000000001".parse().unwrap()
}

/// A decision in the words of the cases.
fn decide(policies: &ConsolePolicies, request: &Value) -> (Value, Vec<PolicyId>) {
    let mut fields = Fields::of(request, "request");
    let roles = fields.take("roles");
    let roles: Vec<Role> = roles
        .as_array()
        .expect("`roles` is a list")
        .iter()
        .map(|role| role.as_str().unwrap().parse().unwrap())
        .collect();
    let action = fields.text("action");
    let action = ConsoleAction::from_word(&action).unwrap_or_else(|| panic!("unknown action `{action}`"));
    let amount = fields.take("amount_microcredits");
    let amount = (!amount.is_null()).then(|| amount.as_i64().expect("`amount_microcredits` is a whole number"));
    let caller = ConsoleCaller {
        id: operator(),
        roles: &roles,
        is_fresh: fields.flag("fresh"),
        has_factor: fields.flag("factor"),
        may_postpone: fields.flag("may_postpone"),
    };
    fields.end();
    let (decision, determining) = policies.explain(&caller, action, amount);
    assert_eq!(decision, policies.decide(&caller, action, amount));
    let denial = match &decision {
        ConsoleDecision::Allowed => None,
        ConsoleDecision::Denied(denial) => Some(denial),
    };
    assert!(denial.is_none_or(|denial| denial.reason.ends_with('.')), "{denial:?}");
    let view = json!({
        "allowed": decision.is_allowed(),
        "determining": determining.iter().map(PolicyId::as_str).collect::<Vec<_>>(),
        "policy": denial.map(|denial| &denial.policy),
        "code": denial.map(|denial| denial.code.as_str()),
    });
    (view, determining)
}

#[test]
fn every_case_of_the_console_gets_its_decision_and_every_policy_decides_one() {
    let policies = shipped();
    let files = case_files("console");
    let (mut failures, mut decided) = (Vec::new(), BTreeSet::new());
    for file in &files {
        let name = file.display();
        let text = fs::read_to_string(file).unwrap();
        let case: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut case = Fields::of(&case, "case");
        let (says, request, expected) = (case.text("says"), case.take("request"), case.take("expect"));
        case.end();
        let (got, determining) = decide(&policies, &request);
        decided.extend(determining);
        if got != expected {
            failures.push(format!("{name}: {says}\n  expected {expected}\n  got      {got}"));
        }
    }
    println!("{} cases, {} failed", files.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(decided, policies.policy_ids().iter().cloned().collect(), "each policy must decide a case");
}

/// Tokens spend money, a new account comes with one, and limits keep it from being spent; a webhook comes with a secret, and
/// what is erased does not come back: all are looked after as money is.
const KEYS_AND_LIMITS: [&str; 7] = [
    "account.create",
    "account.token",
    "account.cap",
    "partner.token",
    "partner.cap",
    "partner.webhook",
    "end_user.erase",
];

/// Whether a second factor, or the password once more, is wanted for this deed of this group.
fn needs(code: ConsoleDenialCode, word: &str, group: &str) -> bool {
    let is_grave = matches!(group, "money" | "policy" | "people") || KEYS_AND_LIMITS.contains(&word);
    match code {
        ConsoleDenialCode::Factor => is_grave || group == "books",
        ConsoleDenialCode::StepUp => is_grave,
        ConsoleDenialCode::Role | ConsoleDenialCode::Amount => false,
    }
}

#[test]
fn a_factor_and_the_password_are_wanted_of_an_owner_for_what_is_grave_and_for_nothing_else() {
    let policies = shipped();
    let denied = |action, is_fresh, has_factor| {
        let caller = ConsoleCaller { id: operator(), roles: &[Role::Owner], is_fresh, has_factor, may_postpone: false };
        match policies.decide(&caller, action, Some(1)) {
            ConsoleDecision::Allowed => None,
            ConsoleDecision::Denied(denial) => Some(denial.code),
        }
    };
    for (action, word, group) in ConsoleAction::ALL {
        for (code, found) in [
            (ConsoleDenialCode::Factor, denied(action, true, false)),
            (ConsoleDenialCode::StepUp, denied(action, false, true)),
        ] {
            assert_eq!(found, needs(code, word, group.as_str()).then_some(code), "{word}");
        }
    }
}

/// What the words promise, for every deed, one or two roles and every circumstance.
#[test]
fn roles_add_up_and_a_second_factor_and_a_password_never_take_anything_away() {
    let policies = shipped();
    let all = Role::ALL.map(|(role, _)| role);
    let sets: Vec<Vec<Role>> = (0..1_u32 << all.len())
        .filter(|set| set.count_ones() <= 2)
        .map(|set| (0..).zip(all).filter(|(at, _)| set >> at & 1 == 1).map(|(_, role)| role).collect())
        .collect();
    let allowed = |roles: &[Role], action, (is_fresh, has_factor, may_postpone)| {
        let caller = ConsoleCaller { id: operator(), roles, is_fresh, has_factor, may_postpone };
        policies.decide(&caller, action, Some(50_000_001))
    };
    for (action, word, group) in ConsoleAction::ALL {
        for roles in &sets {
            let best = allowed(roles, action, (true, true, false));
            // What one role may, or nobody needs a role for, no other one takes away; but for who is of support, whose
            // limit is on their own.
            let alone = |roles: &[Role]| allowed(roles, action, (true, true, false)).is_allowed();
            let each = alone(&[]) || roles.iter().any(|role| alone(&[*role]));
            assert_eq!(best.is_allowed(), each, "{word} by {roles:?}");
            for circumstances in
                [(false, false, false), (false, true, false), (true, false, false), (true, false, true)]
            {
                let found = allowed(roles, action, circumstances);
                assert!(best.is_allowed() || !found.is_allowed(), "{word} by {roles:?} at {circumstances:?}");
                if let ConsoleDecision::Denied(denial) = &found
                    && best.is_allowed()
                {
                    let is_expected = match denial.code {
                        ConsoleDenialCode::Factor => !circumstances.1 && !circumstances.2,
                        ConsoleDenialCode::StepUp => !circumstances.0,
                        ConsoleDenialCode::Role | ConsoleDenialCode::Amount => false,
                    };
                    assert!(is_expected, "{word} by {roles:?} at {circumstances:?}: {denial:?}");
                    assert!(needs(denial.code, word, group.as_str()), "{word} needs nothing more");
                }
            }
        }
    }
}
