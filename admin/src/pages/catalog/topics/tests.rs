use super::*;

#[test]
fn tags_are_read_as_they_are_shown() {
    let topics =
        Topics { category: Some("Notes".to_owned()), tags: vec!["to do".to_owned(), "lists, long".to_owned()] };
    assert_eq!(lines_of(&text_of(&topics)), topics.tags);
    for (typed, tags) in [("", vec![]), (" \n\n ", vec![]), (" a \n\nb,c\n", vec!["a", "b,c"])] {
        assert_eq!(lines_of(typed), tags, "{typed:?}");
    }
}

#[test]
fn what_is_left_out_is_nothing() {
    let typed = Fields::parse("category=++&tags=").unwrap();
    assert_eq!(of(&typed), Topics::default());
}
