use std::sync::Arc;

use engine::{
    id::{CapId, InvocationId, uuid_v7},
    ledger::caps::{Cap, CapWindow},
};

use super::*;

fn problem(answer: Answer) -> Problem {
    let id = InvocationId::from(uuid_v7(1, [7; 10]));
    let answered = Answered { id, charged: Credits::ZERO, spendable: None, answer };
    problem_of(&answered.answer, &answered, Asked { path: "/invoke/acme/paid", own_token: None, payer: Payer::Account })
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

#[test]
fn only_the_owner_of_a_token_is_told_how_to_raise_its_limit() {
    let token = TokenId::from(uuid_v7(1, [8; 10]));
    let credits = |text: &str| Credits::parse_exact(text).unwrap();
    let raised = |per: CapOwner, window: CapWindow, own_token: Option<TokenId>| {
        let cap = Cap { id: CapId::from(uuid_v7(1, [9; 10])), window, limit: credits("49.5") };
        raise_cap(&OwnedCap { per, cap }, credits("0.5"), own_token)
    };
    let own = raised(CapOwner::Token, CapWindow::Day, Some(token));
    assert_eq!(
        own,
        json!({
            "action": "raise_cap",
            "text": "raise the cap of 49.5 credits to 50, as the account's owner, signed in",
            "method": "PUT",
            "path": format!("/tokens/{token}/caps/day"),
            "body": {"credits": 50},
        })
    );
    for (per, own_token, who) in [
        (CapOwner::Token, None, "the partner"),
        (CapOwner::Account, Some(token), "the operator"),
        (CapOwner::Partner, None, "the partner"),
        (CapOwner::EndUser, None, "the partner"),
    ] {
        let way = raised(per, CapWindow::Total, own_token);
        assert_eq!(way["text"], format!("ask {who} to raise the cap of 49.5 credits"));
        assert_eq!((&way["method"], &way["path"], &way["body"]), (&Value::Null, &Value::Null, &Value::Null));
    }
}

#[test]
fn a_wallet_that_has_too_little_is_named_with_who_fills_it() {
    for (payer, per, action, path) in [
        (Payer::Account, "account", "buy", json!("/credits/purchase")),
        (Payer::Partner, "partner", "ask", Value::Null),
        (Payer::EndUser, "end_user", "fund", json!("/partners/users/{external_id}/fund")),
    ] {
        let limit = wallet_limit(Some(LedgerAccountId::from_raw(7)), payer);
        assert_eq!((&limit["kind"], &limit["id"], &limit["per"]), (&json!("wallet"), &json!("7"), &json!(per)));
        let ways = wallet_ways_out(Credits::from_micros(50_000_000), Credits::from_micros(20_000_000), payer);
        assert_eq!((&ways[0]["action"], &ways[0]["path"]), (&json!(action), &path));
        assert!(ways[0]["text"].as_str().unwrap().contains("at least 30 credits"), "{ways}");
    }
}
