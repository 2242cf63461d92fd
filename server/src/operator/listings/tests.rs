use super::shown::visible;

#[test]
fn no_text_moves_a_cursor_or_hides() {
    for (text, shown) in [
        ("plain é \u{1F600} \\", "plain é \u{1F600} \\"),
        ("a\u{1b}[2Jb\rc\td\u{7}", r"a\u{1b}[2Jb\rc\td\u{7}"),
        ("\u{202e}evil\u{2066}\u{200b}\u{feff}", r"\u{202e}evil\u{2066}\u{200b}\u{feff}"),
        ("\u{9b}31m\u{2028}", r"\u{9b}31m\u{2028}"),
    ] {
        assert_eq!(visible(text), shown);
    }
    let long = "x".repeat(100_000);
    assert_eq!(visible(&long), long, "nothing is cut");
}
