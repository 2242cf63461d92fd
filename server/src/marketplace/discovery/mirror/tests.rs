use super::*;

#[test]
fn texts_of_others_stay_where_they_are_put() {
    assert_eq!(one_line("a\n# b\r\n- c"), "a # b - c");
    assert_eq!(text_block("a\n# b\n\n- c"), "> a\n> # b\n>\n> - c");
    assert_eq!(fenced("json", "{}"), "```json\n{}\n```\n");
    assert_eq!(fenced("json", "\"```` x ``\""), "`````json\n\"```` x ``\"\n`````\n");
}

#[test]
fn every_topic_is_a_page_with_a_title() {
    for (name, about, text) in TOPICS {
        assert!(text.starts_with("# ") && text.ends_with('\n'), "{name}");
        assert!(!about.is_empty(), "{name}");
    }
}
