use super::*;

#[test]
fn a_code_has_its_three_corners_and_nothing_around_it() {
    let code = Qr::new("Secret", "otpauth://totp/Tollgate:a@b.example?secret=ABC&issuer=Tollgate").unwrap();
    let far = code.size - QUIET - 7;
    for (x, y) in [(QUIET, QUIET), (far, QUIET), (QUIET, far)] {
        // The outer ring of a finder pattern is dark, the one inside it is light.
        assert!(code.path.contains(&format!("M{x} {y}h1")), "{x}, {y}: {}", code.path);
        assert!(!code.path.contains(&format!("M{} {}h1", x + 1, y + 1)), "{x}, {y}: {}", code.path);
    }
    assert!(!code.path.contains("M3 ") && !code.path.contains(" 3h"), "{}", code.path);
    let html = code.to_string();
    assert!(html.contains("role=\"img\"") && !html.contains("style="), "{html}");
    assert!(Qr::new("Too long", &"x".repeat(2_332)).is_err());
}
