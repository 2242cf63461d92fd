use super::*;

#[test]
fn nothing_in_a_file_is_a_formula() {
    for (text, written) in [
        ("plain", "plain"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("-5", "'-5"),
        ("@a", "'@a"),
        ("\tx", "'\tx"),
        ("a,b", "\"a,b\""),
        ("=a,b", "\"'=a,b\""),
        ("+49", "'+49"),
        ("=\"a\",b", "\"'=\"\"a\"\",b\""),
        ("say \"hi\"", "\"say \"\"hi\"\"\""),
        ("two\nlines", "\"two\nlines\""),
    ] {
        assert_eq!(cell(text), written);
    }
    assert_eq!(line(&["a".to_owned(), "b,c".to_owned()]), "a,\"b,c\"\r\n");
}

#[test]
fn the_trail_never_says_whom_a_list_was_narrowed_to() {
    assert_eq!(without_people("name=acme&email=ada&q=ada%40example.com&state=open"), "name=acme&state=open");
}
