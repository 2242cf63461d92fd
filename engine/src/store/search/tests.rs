use super::spellings;

#[test]
fn a_name_is_looked_for_as_both_databases_put_it_in_small_letters() {
    for (text, expected) in [
        ("", &[""] as &[&str]),
        ("ACME Tools", &["acme tools"]),
        ("\u{f6}lm\u{fc}hle", &["\u{f6}lm\u{fc}hle", "\u{d6}lm\u{fc}hle"]),
        ("\u{d6}lm\u{fc}hle AG", &["\u{f6}lm\u{fc}hle ag", "\u{d6}lm\u{fc}hle ag"]),
        ("CAF\u{c9} \u{dc}bersee", &["caf\u{e9} \u{fc}bersee", "caf\u{c9} \u{dc}bersee", "caf\u{e9} \u{dc}bersee"]),
    ] {
        assert_eq!(spellings(text), expected, "{text}");
    }
}
