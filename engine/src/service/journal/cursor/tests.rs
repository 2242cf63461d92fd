use super::*;

#[test]
fn a_cursor_is_read_as_it_was_written() {
    for text in ["0.120", "0.120_3.7", "-1.1"] {
        assert_eq!(text.parse::<JournalCursor>().unwrap().to_string(), text);
    }
    for text in ["", "0", "0.a", "0.1_", "0.99999999999999999999", "0.1.2"] {
        assert!(text.parse::<JournalCursor>().is_err(), "{text}");
    }
    let cursor: JournalCursor = "0.120_3.7".parse().unwrap();
    assert_eq!([0, 3, 4].map(|slot| cursor.before(slot)), [120, 7, 1]);
}
