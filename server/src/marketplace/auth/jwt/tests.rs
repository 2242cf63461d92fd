use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use engine::id::{AccountId, uuid_v7};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::JwtKeys;

const KEY: [u8; 32] = [7; 32];
const NOW_US: i64 = 1_800_000_000_500_000;
const MINUTE_US: i64 = 60_000_000;

fn account() -> AccountId {
    AccountId::from(uuid_v7(NOW_US, [1; 10]))
}

/// A token with one claim or header changed, signed with `key`.
fn forged(key: &[u8], algorithm: Algorithm, kid: Option<&str>, change: &[(&str, Value)]) -> String {
    let mut claims = json!({
        "iss": "tollgate", "aud": "tollgate", "sub": account().to_string(),
        "iat": 1_800_000_000, "exp": 1_800_003_600, "issued_us": NOW_US,
    });
    for (name, value) in change {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(*name);
        } else {
            claims[*name] = value.clone();
        }
    }
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, &claims, &EncodingKey::from_secret(key)).unwrap()
}

#[test]
fn a_session_is_good_for_an_hour() {
    let keys = JwtKeys::new(&KEY);
    let token = keys.issue(account(), NOW_US).unwrap();
    let cases = [(-1, false), (0, true), (59 * MINUTE_US, true), (60 * MINUTE_US, false), (600 * MINUTE_US, false)];
    for (later_us, is_good) in cases {
        let expected = is_good.then_some((account(), NOW_US));
        assert_eq!(keys.verify(&token, NOW_US + later_us), expected, "{later_us} later");
    }
}

#[test]
fn only_our_own_tokens_are_accepted() {
    let keys = JwtKeys::new(&KEY);
    let kid = Some(&*keys.0.key_id);
    let hs256 = Algorithm::HS256;
    assert!(keys.verify(&forged(&KEY, hs256, kid, &[]), NOW_US).is_some(), "the corpus starts from a good token");
    let none = format!(
        "{}.{}.",
        BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT", "kid": keys.0.key_id}).to_string()),
        BASE64_URL_SAFE_NO_PAD.encode(json!({"sub": account().to_string()}).to_string())
    );
    let good = forged(&KEY, hs256, kid, &[]);
    let cases = [
        ("another key", forged(&[8; 32], hs256, kid, &[])),
        ("another algorithm of the family", forged(&KEY, Algorithm::HS512, kid, &[])),
        ("no algorithm", none),
        ("no key id", forged(&KEY, hs256, None, &[])),
        ("another key id", forged(&KEY, hs256, Some("other"), &[])),
        ("another issuer", forged(&KEY, hs256, kid, &[("iss", json!("other"))])),
        ("no issuer", forged(&KEY, hs256, kid, &[("iss", Value::Null)])),
        ("another audience", forged(&KEY, hs256, kid, &[("aud", json!("other"))])),
        ("no audience", forged(&KEY, hs256, kid, &[("aud", Value::Null)])),
        ("no end", forged(&KEY, hs256, kid, &[("exp", Value::Null)])),
        ("ended", forged(&KEY, hs256, kid, &[("exp", json!(1_800_000_000))])),
        ("from the future", forged(&KEY, hs256, kid, &[("issued_us", json!(NOW_US + 1))])),
        ("no subject", forged(&KEY, hs256, kid, &[("sub", Value::Null)])),
        ("not an account", forged(&KEY, hs256, kid, &[("sub", json!("tok_1"))])),
        ("cut off", good.get(..good.len() - 2).unwrap().to_owned()),
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("long", "a".repeat(100_000)),
    ];
    for (what, token) in cases {
        assert_eq!(keys.verify(&token, NOW_US), None, "{what}");
    }
}
