use super::*;

fn check(text: &str, code: &str, strings: &[(usize, &str)]) {
    let lexed = lex(text);
    assert_eq!(lexed.code, code, "{text}");
    let found: Vec<(usize, &str)> = lexed.strings.iter().map(|(line, text)| (*line, text.as_str())).collect();
    assert_eq!(found, strings, "{text}");
}

#[test]
fn comments_are_blanked_and_lines_stay() {
    check("a // b \"c\"\nd", "a         \nd", &[]);
    check("a /* b /* c\n */ d */ e", "a          \n         e", &[]);
    check("a /* open", "a        ", &[]);
}

#[test]
fn strings_are_taken_out_with_their_line() {
    check("a(\"b\")", "a(\" \")", &[(1, "b")]);
    check("\n\"x \\\" // y\" z", "\n\"         \" z", &[(2, "x \\\" // y")]);
    check("r#\"a \"b\" c\"# d", "r#\"       \"# d", &[(1, "a \"b\" c")]);
    check("br\"\\\" e b\"f\" r#type", "br\" \" e b\" \" r#type", &[(1, "\\"), (1, "f")]);
    check("\"a\nb\" \"c\"", "\" \n \" \" \"", &[(1, "a\nb"), (2, "c")]);
    check("\"open", "\"    ", &[(1, "open")]);
}

#[test]
fn characters_are_not_mistaken_for_strings_or_lifetimes() {
    check(r#"'"' 'a' '\'' '\u{41}' x"#, "                      x", &[]);
    check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)", &[]);
}

#[test]
fn shipped_code_leaves_out_unit_tests_and_other_packages() {
    let cases = [
        ("engine/src/id.rs", true),
        ("engine/src/id/tests.rs", false),
        ("engine/src/tests/helper.rs", false),
        ("tests/src/lib.rs", false),
        ("benches/src/main.rs", false),
        ("admin/templates/base.html", false),
        ("policies/src/lib.rs", true),
    ];
    for (path, expected) in cases {
        let file = SourceFile { path: path.to_owned(), text: String::new() };
        assert_eq!(file.is_shipped_code(), expected, "{path}");
    }
}

#[test]
fn the_walk_finds_this_file_and_nothing_that_was_built() {
    let files = source_files();
    assert!(files.iter().any(|file| file.path == "tests/src/source/tests.rs"));
    assert!(!files.iter().any(|file| file.path.starts_with("target/") || file.path.starts_with(".git/")));
}
