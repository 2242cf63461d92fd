use uuid::Uuid;

use super::*;

fn one_of_each() -> [Deed; 21] {
    let credits = Credits::from_micros(150_000_001);
    let refund =
        |credits| Deed::RefundCreate { of: Uuid::from_u128(7).into(), credits, reason: "wrong \"answer\"".into() };
    let grant =
        |terms| Deed::GrantCreate { account: Uuid::from_u128(8).into(), credits, terms, reason: "goodwill".to_owned() };
    let payout = |credits| Deed::PayoutCreate {
        payee: "pub_00000000000000000000000000000002".to_owned(),
        credits,
        tell: credits.map(|_| "desk@example.com".to_owned()),
        reason: "bank 18".to_owned(),
    };
    [
        refund(None),
        refund(Some(credits)),
        grant(None),
        grant(Some(GrantTerms { expires_us: 1_800_000_000_000_001, priority: 5 })),
        Deed::PriceSchedule {
            tool: "acme/search".to_owned(),
            spec: r#"{"pricing_mode":"fixed_per_request","fixed_credit_cost":"2"}"#.to_owned(),
            from_us: 1_800_000_000_000_001,
            over: Some(Uuid::from_u128(6).into()),
            reason: "dearer upstream".to_owned(),
        },
        Deed::PolicyPublish { number: 12, over: Some(11) },
        Deed::OperatorRoles {
            operator: Uuid::from_u128(9).into(),
            roles: vec![Role::Owner, Role::Support],
            over: Some(vec![Role::Support]),
            reason: "she runs it now".to_owned(),
        },
        Deed::ReversalCreate { of: Uuid::from_u128(7).into(), reason: "twice".to_owned() },
        Deed::AccountAdjust { account: Uuid::from_u128(8).into(), credits, reason: "carried in".to_owned() },
        Deed::AccountAdjust {
            account: Uuid::from_u128(8).into(),
            credits: Credits::from_micros(-1),
            reason: "carried in".to_owned(),
        },
        Deed::PartnerGrant { partner: Uuid::from_u128(5).into(), credits, reason: "a \"start\"".to_owned() },
        Deed::PolicyPublish { number: 1, over: None },
        Deed::OperatorCreate {
            email: "Ada@example.com".to_owned(),
            name: "Ada".to_owned(),
            roles: vec![Role::Finance, Role::Auditor],
            reason: "she begins today".to_owned(),
        },
        Deed::OperatorReset { operator: Uuid::from_u128(9).into(), reason: "the telephone is gone".to_owned() },
        Deed::OperatorEnable { operator: Uuid::from_u128(9).into(), reason: "she is back".to_owned() },
        Deed::OperatorRoles {
            operator: Uuid::from_u128(9).into(),
            roles: vec![Role::Owner],
            over: None,
            reason: "she runs it now".to_owned(),
        },
        payout(None),
        payout(Some(credits)),
        Deed::PurchaseConfirm { purchase: Uuid::from_u128(4).into(), reason: "bank 17".to_owned() },
        Deed::PriceCancel {
            price: Uuid::from_u128(3).into(),
            instead: Some(Uuid::from_u128(6).into()),
            reason: "a slip".to_owned(),
        },
        Deed::PriceCancel { price: Uuid::from_u128(3).into(), instead: None, reason: "a slip".to_owned() },
    ]
}

#[test]
fn what_is_kept_is_read_again_whole() {
    for deed in one_of_each() {
        let kept = deed.to_payload().to_string();
        let read = Deed::from_payload(&serde_json::from_str(&kept).unwrap());
        assert_eq!(read, Ok(deed.clone()), "{kept}");
        assert!(deed.problem().is_none(), "{kept}");
    }
}

#[test]
fn the_words_that_are_kept_stay_as_they_are() {
    let kept = one_of_each().map(|deed| deed.to_payload().to_string());
    assert_eq!(
        kept[1],
        r#"{"version":1,"deed":"refund.create","of":"ent_00000000000000000000000000000007","credits":"150.000001","reason":"wrong \"answer\""}"#
    );
    assert_eq!(
        kept[17],
        r#"{"version":1,"deed":"payout.create","payee":"pub_00000000000000000000000000000002","credits":"150.000001","tell":"desk@example.com","reason":"bank 18"}"#
    );
    assert_eq!(
        kept[18],
        r#"{"version":1,"deed":"purchase.confirm","purchase":"pur_00000000000000000000000000000004","reason":"bank 17"}"#
    );
    assert_eq!(
        kept[19],
        r#"{"version":1,"deed":"price.cancel","price":"prc_00000000000000000000000000000003","instead":"prc_00000000000000000000000000000006","reason":"a slip"}"#
    );
    assert_eq!(kept[5], r#"{"version":1,"deed":"policy.publish","number":12,"over":11}"#);
    assert_eq!(
        kept[6],
        r#"{"version":1,"deed":"operator.roles","operator":"opr_00000000000000000000000000000009","roles":"owner support","over":"support","reason":"she runs it now"}"#
    );
    assert_eq!(
        kept[12],
        r#"{"version":1,"deed":"operator.create","email":"Ada@example.com","name":"Ada","roles":"auditor finance","reason":"she begins today"}"#
    );
    assert_eq!(
        kept[13],
        r#"{"version":1,"deed":"operator.reset","operator":"opr_00000000000000000000000000000009","reason":"the telephone is gone"}"#
    );
    assert_eq!(
        kept[14],
        r#"{"version":1,"deed":"operator.enable","operator":"opr_00000000000000000000000000000009","reason":"she is back"}"#
    );
    // As it was before it said over what.
    let old = r#"{"version":1,"deed":"operator.roles","operator":"opr_00000000000000000000000000000009","roles":"owner","reason":"she runs it now"}"#;
    assert_eq!(Deed::from_payload(&serde_json::from_str(old).unwrap()), Ok(one_of_each()[15].clone()));
}

#[test]
fn what_is_damaged_or_of_another_version_is_not_read() {
    for (text, named) in [
        ("{}", "version"),
        (r#"{"version":2,"deed":"policy.publish","number":1}"#, "version 2"),
        (r#"{"version":1,"deed":"policy.rollback","number":1}"#, "deed"),
        (r#"{"version":1,"deed":"policy.publish","number":"1"}"#, "number"),
        (r#"{"version":1,"deed":"policy.publish","number":1,"over":"x"}"#, "over"),
        (r#"{"version":1,"deed":"price.schedule","tool":"a","spec":"{}","from_us":1,"over":"x"}"#, "over"),
        (r#"{"version":1,"deed":"partner.grant","partner":"par_1","credits":"1","reason":"x"}"#, "partner"),
        (r#"{"version":1,"deed":"refund.create","of":"acc_1","reason":"x"}"#, "of"),
        (
            r#"{"version":1,"deed":"grant.create","account":"acc_00000000000000000000000000000009","reason":"x"}"#,
            "credits",
        ),
        (
            r#"{"version":1,"deed":"operator.roles","operator":"opr_00000000000000000000000000000009","roles":"king","reason":"x"}"#,
            "king",
        ),
        (
            r#"{"version":1,"deed":"operator.roles","operator":"opr_00000000000000000000000000000009","roles":"owner","over":"queen","reason":"x"}"#,
            "queen",
        ),
        (r#"{"version":1,"deed":"operator.create","name":"Ada","roles":"owner","reason":"x"}"#, "email"),
        (r#"{"version":1,"deed":"operator.reset","operator":"acc_1","reason":"x"}"#, "operator"),
    ] {
        let error = Deed::from_payload(&serde_json::from_str(text).unwrap()).unwrap_err().to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn nobody_is_asked_to_decide_what_makes_no_sense() {
    let reason = String::new();
    let (of, account, operator) = (Uuid::from_u128(7).into(), Uuid::from_u128(8).into(), Uuid::from_u128(9).into());
    let price = |spec: &str, reason: &str| Deed::PriceSchedule {
        tool: "a/b".to_owned(),
        spec: spec.to_owned(),
        from_us: 1,
        over: None,
        reason: reason.to_owned(),
    };
    let somebody = |email: &str, name: &str, roles: &[Role], reason: &str| Deed::OperatorCreate {
        email: email.to_owned(),
        name: name.to_owned(),
        roles: roles.to_vec(),
        reason: reason.to_owned(),
    };
    for deed in [
        Deed::RefundCreate { of, credits: Some(Credits::ZERO), reason: "x".to_owned() },
        Deed::RefundCreate { of, credits: None, reason: reason.clone() },
        Deed::ReversalCreate { of, reason: reason.clone() },
        Deed::AccountAdjust { account, credits: Credits::ZERO, reason: "x".to_owned() },
        Deed::GrantCreate { account, credits: Credits::ZERO, terms: None, reason: "x".to_owned() },
        Deed::GrantCreate {
            account,
            credits: Credits::MAX,
            terms: Some(GrantTerms { expires_us: 1, priority: PRIORITY_MAX + 1 }),
            reason: "x".to_owned(),
        },
        price("{", "x"),
        price(r#"{"pricing_mode":"fixed_per_request","fixed_credit_cost":"2"}"#, ""),
        Deed::PartnerGrant { partner: Uuid::from_u128(5).into(), credits: Credits::ZERO, reason: "x".to_owned() },
        Deed::PartnerGrant { partner: Uuid::from_u128(5).into(), credits: Credits::MAX, reason: reason.clone() },
        Deed::OperatorRoles { operator, roles: Vec::new(), over: None, reason: "x".to_owned() },
        Deed::OperatorRoles { operator, roles: vec![Role::Owner], over: None, reason: reason.clone() },
        somebody("ada", "Ada", &[Role::Owner], "x"),
        somebody("ada@example.com", "A\nda", &[Role::Owner], "x"),
        somebody("ada@example.com", "Ada", &[], "x"),
        somebody("ada@example.com", "Ada", &[Role::Owner], ""),
        Deed::OperatorReset { operator, reason: reason.clone() },
        Deed::OperatorEnable { operator, reason: reason.clone() },
        Deed::PayoutCreate {
            payee: "acme".to_owned(),
            credits: Some(Credits::ZERO),
            tell: None,
            reason: "x".to_owned(),
        },
        Deed::PayoutCreate { payee: "acme".to_owned(), credits: None, tell: None, reason: reason.clone() },
        Deed::PurchaseConfirm { purchase: Uuid::from_u128(4).into(), reason: reason.clone() },
        Deed::PriceCancel { price: Uuid::from_u128(3).into(), instead: None, reason },
    ] {
        assert!(deed.problem().is_some(), "{deed:?}");
    }
}
