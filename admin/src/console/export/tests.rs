use super::*;

#[test]
fn nothing_in_a_file_is_a_formula() {
    for (text, written) in [
        ("plain", "plain"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("-1+2", "'-1+2"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
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
fn an_amount_below_zero_is_a_number() {
    for number in ["-113", "-0.5", "-1234.567891", "0", "12.5"] {
        assert_eq!(cell(number), number);
    }
    for other in ["-", "-.5", "-5.", "-1.2.3", "-1,5", "--5", "- 5", "-1e5", "-5%", "+5", "-\u{664}", "-5\n", "-inf"] {
        assert!(cell(other).trim_start_matches('"').starts_with('\''), "{other}: {}", cell(other));
    }
}

#[test]
fn a_file_is_named_after_whose_it_is() {
    for (of, name) in [
        (None, "entries"),
        (Some("1024"), "entries-1024"),
        (Some("par_0192f0c1"), "entries-par_0192f0c1"),
        (Some("-3"), "entries--3"),
        (Some("a\"; b/..\r\n=ü"), "entries-a---b-------"),
    ] {
        assert_eq!(file_name("entries", of), name);
    }
}

#[test]
fn a_comment_is_one_line_and_begins_no_cell() {
    for (text, written) in [
        ("kind=any\r\nobject=x", "kind=any  object=x"),
        ("payee=a,=1+1;=2\t=3", "payee=a =1+1 =2 =3"),
        ("Eve \"x\"", "Eve  x "),
    ] {
        assert_eq!(comment(text), written, "{text:?}");
    }
}

#[test]
fn the_trail_never_says_whom_a_list_was_narrowed_to() {
    for (of, query, told) in [
        ("tools", "name=acme&email=ada&q=ada%40example.com&state=open", "name=acme&state=open"),
        ("mail", "to=ada&state=sent", "state=sent"),
        ("partner-usage", "user=ada&per=month", "per=month"),
        (END_USERS, "name=ada&blocked=yes", "blocked=yes"),
    ] {
        assert_eq!(without_people(of, query), told, "{of}?{query}");
    }
}

/// What a file says whose list has pages of so many rows each.
fn file(form: Form, pages: &[usize], left: usize) -> String {
    let all = pages.to_vec();
    let page = move |after: Option<usize>| -> ListedPage<usize> {
        let at = after.unwrap_or(0);
        let rows = vec![vec!["row".to_owned()]; all.get(at).copied().unwrap_or(0)];
        let next = (at + 1 < all.len()).then_some(at + 1);
        Box::pin(async move { Ok((rows, next)) })
    };
    let waiting = Some(page(None));
    let mut lines = Lines { form, head: Some("head\r\n".to_owned()), page, waiting, left };
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut out = String::new();
    while let Poll::Ready(Some(piece)) = Pin::new(&mut lines).poll_next(&mut context) {
        out.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
    out
}

#[test]
fn a_file_says_at_its_end_whether_it_is_whole() {
    let whole = |rows: usize| format!("head\r\n{}{WHOLE}\r\n", "row\r\n".repeat(rows));
    let cut = |rows: usize| format!("head\r\n{}{}\r\n", "row\r\n".repeat(rows), cut_off());
    let cases: [(&[usize], usize, String); 10] = [
        (&[], 3, whole(0)),
        (&[0], 3, whole(0)),
        (&[2], 3, whole(2)),
        (&[3], 3, whole(3)),
        (&[2, 1], 3, whole(3)),
        // Of a page nothing may be wanted: the list goes on behind it.
        (&[1, 0, 0, 2], 9, whole(3)),
        (&[0, 0, 0], 9, whole(0)),
        (&[4], 3, cut(3)),
        (&[2, 2], 3, cut(3)),
        (&[3, 1], 3, cut(3)),
    ];
    for (pages, left, expected) in cases {
        assert_eq!(file(Form::Csv, pages, left), expected, "{pages:?}");
    }
}

#[test]
fn a_file_of_json_says_the_same_in_an_object() {
    for (pages, left, rows, end) in [
        (&[2, 1][..], 3, 3, r#"{"is_whole":true,"kind":"end"}"#),
        (&[], 3, 0, r#"{"is_whole":true,"kind":"end"}"#),
        (&[2, 2], 3, 3, r#"{"is_whole":false,"kind":"end"}"#),
    ] {
        let file = file(Form::JsonLines, pages, left);
        let (body, last) = file.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(body, format!("head\r\n{}", "row\n".repeat(rows)).trim_end_matches('\n'), "{pages:?}");
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(last), read(end), "{pages:?}");
    }
}

#[test]
fn a_file_says_up_to_where_the_books_stood() {
    let last = |slot, seq| Position { slot, seq };
    assert_eq!(position_text(&[]), "books empty");
    assert_eq!(position_text(&[last(0, 120), last(3, 7)]), "books up to 0/120 3/7");
}
