use std::sync::Arc;

use engine::id::{InvocationId, uuid_v7};

use super::*;

fn problem(answer: Answer) -> Problem {
    let id = InvocationId::from(uuid_v7(1, [7; 10]));
    let answered = Answered { id, charged: Credits::ZERO, spendable: None, answer };
    problem_of(&answered.answer, &answered, "/invoke/acme/paid")
}

#[test]
fn a_denial_says_what_the_policy_says_and_else_something_neutral() {
    let denied = |code, reason: Option<&str>| problem(Answer::Denied { code, reason: reason.map(Arc::from) });
    for (code, reason, expected) in [
        (None, None, "policy_denied: policy does not allow this call"),
        (None, Some("This tool is switched off."), "policy_denied: This tool is switched off."),
        (Some(Code::EmailUnverified), None, "email_unverified: policy does not allow this call"),
    ] {
        assert_eq!(denied(code, reason).to_string(), expected);
    }
}

#[test]
fn a_tool_without_a_price_looks_like_one_that_is_not_there() {
    assert_eq!(problem(Answer::NotForSale).body(), no_such_tool().body());
}
