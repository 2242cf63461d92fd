use super::*;

fn shown(old: &str, new: &str) -> Vec<String> {
    lines_of("text", old, new).into_iter().map(|line| format!("{}{}", line.mark, line.text)).collect()
}

#[test]
fn only_what_differs_is_shown() {
    assert_eq!(shown("a", "a"), Vec::<String>::new());
    assert_eq!(shown("a", "b"), ["-text: a", "+text: b"]);
    assert_eq!(
        shown("1\n2\n3\n4\n5\n6\n7", "1\n2\n3\nx\ny\n5\n6\n7"),
        [" text:", " 2", " 3", "-4", "+x", "+y", " 5", " 6"]
    );
    assert_eq!(shown("1\n2", "1"), [" text:", " 1", "-2"]);
    assert_eq!(shown("a\na", "a\na\na"), [" text:", " a", " a", "+a"]);
    assert_eq!(shown("", "1\n2"), [" text:", "+1", "+2"]);
}
