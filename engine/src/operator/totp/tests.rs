use super::*;

fn of_the_standard() -> TotpSecret {
    TotpSecret::new(*b"12345678901234567890")
}

/// RFC 6238, appendix B, the rows of SHA-1, which have eight digits: ours are the last six.
#[test]
fn codes_are_those_of_the_standard() {
    for (seconds, code) in [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000_i64, "65353130"),
    ] {
        let step = step_at(seconds * 1_000_000);
        assert_eq!(of_the_standard().code_at(step), code[2..], "{seconds} s");
        assert!(of_the_standard().is_code(step, &code[2..]));
    }
}

/// RFC 4226, appendix D.
#[test]
fn codes_by_a_counter_are_those_of_the_standard() {
    let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (step, code) in (0..).zip(codes) {
        assert_eq!(of_the_standard().code_at(step), code);
    }
}

#[test]
fn a_code_is_good_for_its_own_half_minute_alone() {
    let (secret, step) = (of_the_standard(), step_at(1_800_014_400_000_000));
    let code = secret.code_at(step);
    assert!(secret.is_code(step, &code));
    assert!(secret.is_code(step, &format!(" {} {} ", &code[..3], &code[3..])), "as authenticators show it");
    for other in [step - 1, step + 1] {
        assert!(!secret.is_code(other, &code));
    }
    for text in ["", "12345", "1234567", "abcdef", &code[..5], &format!("{code}0")] {
        assert!(!secret.is_code(step, text), "{text}");
    }
    assert_eq!(step_at(30_000_000 - 1), 0);
    assert_eq!(step_at(30_000_000), 1);
    assert_eq!(step_at(-1), -1);
}

#[test]
fn a_secret_is_read_back_from_its_text() {
    let secret = of_the_standard();
    assert_eq!(secret.text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(secret.grouped_text(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    for text in [secret.text(), secret.grouped_text(), secret.text().to_lowercase()] {
        assert_eq!(TotpSecret::parse(&text).unwrap().as_bytes(), secret.as_bytes());
    }
    let other = TotpSecret::new([0xff, 0, 0x80, 1, 0x7f, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0xaa, 0x55, 0xf0, 0x0f, 0xfe]);
    assert_eq!(TotpSecret::parse(&other.text()).unwrap().as_bytes(), other.as_bytes());
    for text in ["", "GEZD", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", &secret.text()[1..], &format!("{}A", secret.text())] {
        assert!(TotpSecret::parse(text).is_none(), "{text}");
    }
}

#[test]
fn what_an_authenticator_reads_names_issuer_and_account() {
    assert_eq!(
        of_the_standard().uri("Toll gate", "ada+x@example.com"),
        "otpauth://totp/Toll%20gate:ada%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Toll%20gate\
         &algorithm=SHA1&digits=6&period=30"
    );
}

#[test]
fn nothing_prints_a_secret() {
    assert_eq!(format!("{:?}", of_the_standard()), "TotpSecret");
}
