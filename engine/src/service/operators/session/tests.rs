use super::*;

#[test]
fn the_name_of_a_session_is_read_back_and_is_not_its_secret() {
    let secret = "s".repeat(SECRET_CHARS);
    let key = SessionKey::of(&secret).unwrap();
    assert_eq!(key.to_string().parse(), Ok(key));
    assert!(!key.to_string().contains(&secret));
    for text in ["", "secret", &"s".repeat(SECRET_CHARS + 1)] {
        assert_eq!(SessionKey::of(text), None, "{text}");
    }
    for text in ["", "00", &"0".repeat(63), &"g".repeat(64)] {
        assert_eq!(text.parse::<SessionKey>(), Err(InvalidSessionKey), "{text}");
    }
}
