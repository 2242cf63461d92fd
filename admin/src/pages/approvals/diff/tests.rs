use super::*;

fn written(old: &str, new: &str) -> String {
    let lines = lines(old, new).into_iter().map(|line| format!("{}{}", line.mark, line.text));
    lines.collect::<Vec<_>>().join("|")
}

#[test]
fn what_differs_is_marked_and_the_rest_keeps_its_place() {
    assert_eq!(written("a\nb\nc", "a\nx\nc"), " a|-b|+x| c");
    assert_eq!(written("a\nc", "a\nb\nc"), " a|+b| c");
    assert_eq!(written("a\nb\nc", "a\nc"), " a|-b| c");
    assert_eq!(written("", "a"), "+a");
    assert_eq!(written("a", ""), "-a");
    assert_eq!(written("1\na\n2\nb\n3", "1\nb\n2\na\n3").matches('|').count(), 6);
}

#[test]
fn equal_texts_show_nothing_but_a_gap() {
    assert_eq!(written("a\nb", "a\nb"), " …");
    assert_eq!(written("", ""), "");
}

#[test]
fn only_a_few_lines_stand_around_a_difference() {
    let text = |changed: &str| {
        (0..20).map(|n| if n == 10 { changed.to_owned() } else { n.to_string() }).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(written(&text("old"), &text("new")), " …| 7| 8| 9|-old|+new| 11| 12| 13| …");
}

#[test]
fn long_texts_are_compared_as_a_whole() {
    let many = |from: usize| (from..from + COMPARED_MAX + 1).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
    let shown = lines(&many(0), &many(5_000));
    assert_eq!(shown.iter().filter(|line| line.mark == '-').count(), COMPARED_MAX + 1);
    assert_eq!(shown.iter().filter(|line| line.mark == '+').count(), COMPARED_MAX + 1);
}
