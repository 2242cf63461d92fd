use super::*;

#[test]
fn codes_are_those_of_the_standard() {
    // RFC 6238, appendix B, the rows of SHA-1; six digits of its eight.
    let secret = b"12345678901234567890";
    for (time_s, code) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000_i64, "353130"),
    ] {
        assert_eq!(code_at(secret, time_s / STEP_S), code, "{time_s}");
    }
}

#[test]
fn secrets_are_read_as_they_are_shown() {
    // RFC 4648, section 10.
    for (text, bytes) in
        [("MY", "f"), ("MZXQ====", "fo"), ("MZXW6", "foo"), ("mzxw 6yq", "foob"), ("MZXW6YTBOI======", "foobar")]
    {
        assert_eq!(read_base32(text).as_deref(), Some(bytes.as_bytes()), "{text}");
    }
    for text in ["", "MZ0", "MZ!"] {
        assert_eq!(read_base32(text), None, "{text}");
    }
}

#[test]
fn no_code_is_given_twice_or_too_late() {
    for (now_s, used, expected) in
        [(300, 9, Some(10)), (300, 10, None), (322, 9, Some(10)), (323, 9, None), (329, 9, None), (330, 10, Some(11))]
    {
        assert_eq!(fit_step(now_s, used), expected, "{now_s} {used}");
    }
}
