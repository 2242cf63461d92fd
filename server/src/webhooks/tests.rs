use engine::id::uuid_v7;

use super::*;

#[test]
fn a_secret_is_its_webhooks_own_and_always_the_same() {
    let of = |key: u8, webhook: u8| {
        let id = WebhookId::from(uuid_v7(1, [webhook; 10]));
        WebhookKeys::new(&[key; 32]).secret_of(id).unwrap().expose_secret().to_owned()
    };
    assert_eq!(of(1, 1), of(1, 1));
    assert!(of(1, 1) != of(1, 2) && of(1, 1) != of(2, 1));
    assert!(of(1, 1).starts_with("whsec_") && of(1, 1).len() == 6 + 64, "{}", of(1, 1));
}

#[test]
fn without_a_key_there_is_no_secret_rather_than_a_wrong_one() {
    let keys = WebhookKeys::closed();
    let id = WebhookId::from(uuid_v7(1, [1; 10]));
    assert!(!keys.is_open() && keys.secret_of(id).is_none());
    keys.set(Some(&[1; 32]));
    let clone = keys.clone();
    assert!(clone.is_open() && clone.secret_of(id).is_some(), "all clones are one");
    keys.set(None);
    assert!(clone.secret_of(id).is_none());
}

/// Worked out with another program: `printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_x`.
#[test]
fn time_and_body_are_signed() {
    let secret = SecretString::from("whsec_x".to_owned());
    let signature = sign(&secret, 1_800_000_000, r#"{"a":1}"#);
    assert_eq!(signature, "v1=f20d18d08da09ed70c7d90a4cc6242e6c8fd59c4145ce0c03a09fb20e01ef470");
    assert_ne!(sign(&secret, 1_800_000_001, r#"{"a":1}"#), signature);
    assert_ne!(sign(&secret, 1_800_000_000, r#"{"a":2}"#), signature);
}
