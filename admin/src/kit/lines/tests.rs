use super::*;

/// The comparison as one text.
fn compared(old: &str, new: &str) -> String {
    all(old, new).iter().map(|line| format!("{}{}", line.mark, line.text)).collect::<Vec<_>>().join("|")
}

#[test]
fn lines_are_kept_taken_and_added() {
    for (old, new, wanted) in [
        ("", "", ""),
        ("a\nb\n", "a\nb", " a| b"),
        ("a\nb\nc", "a\nc", " a|-b| c"),
        ("a\nc", "a\nb\nc", " a|+b| c"),
        ("a", "b", "-a|+b"),
        ("a\nb\nc\nd", "x\nb\nd\ny", "-a|+x| b|-c| d|+y"),
        ("", "a\nb", "+a|+b"),
        ("a\nb", "", "-a|-b"),
    ] {
        assert_eq!(compared(old, new), wanted, "{old:?} {new:?}");
    }
}

#[test]
fn whatever_is_compared_both_texts_can_be_read_off() {
    let texts = ["a\nb\na\nb", "b\na\nb\na", "a\na\na", "b", "c\na\nc\nb\nc", ""];
    for (old, new) in texts.iter().flat_map(|old| texts.iter().map(move |new| (old, new))) {
        let lines = all(old, new);
        let side = |gone: char| {
            let kept = lines.iter().filter(|line| line.mark != gone).map(|line| line.text.as_str());
            kept.collect::<Vec<_>>().join("\n")
        };
        assert_eq!((side('+').as_str(), side('-').as_str()), (*old, *new));
    }
}

#[test]
fn long_runs_of_what_is_in_both_are_folded() {
    let old: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let mut new = old.clone();
    new[20] = "x".to_owned();
    let lines = compare(&old.join("\n"), &new.join("\n"));
    let shown: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(shown[1..9], ["17", "18", "19", "20", "x", "21", "22", "23"]);
    assert_eq!(lines.len(), 10, "and a line for what stands before and behind: {shown:?}");
    assert_eq!(compare("a\nb", "a\nb").len(), 1);
}

#[test]
fn very_long_texts_are_compared_at_their_ends_alone() {
    let text = |letter: &str| format!("same\n{}same", format!("{letter}\n").repeat(3_000));
    let lines = all(&text("a"), &text("b"));
    assert_eq!(lines.len(), 6_002);
    assert_eq!((lines[1].mark, lines[3_001].mark), ('-', '+'));
}
