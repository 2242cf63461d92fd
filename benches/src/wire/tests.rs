use super::{Head, parse_head};

#[test]
fn a_head_is_read_only_when_it_is_complete() {
    let whole = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 12\r\n\r\nhello world!";
    let head_bytes = whole.len() - 12;
    for cut in 0..head_bytes {
        assert_eq!(parse_head(&whole[..cut]), None, "cut at {cut}");
    }
    let expected = Head { status: Some(200), bytes: head_bytes, body_bytes: Some(12) };
    assert_eq!(parse_head(whole), Some(expected));
    assert_eq!(expected.message_bytes(), Some(whole.len()));
}

#[test]
fn lengths_are_found_by_name_whatever_their_case_and_nothing_is_guessed() {
    for (text, status, body_bytes) in [
        ("POST /x HTTP/1.1\r\ncontent-length:7\r\n\r\n", None, Some(7)),
        ("POST /x HTTP/1.1\r\nCONTENT-LENGTH:  0 \r\n\r\n", None, Some(0)),
        ("HTTP/1.1 204 No Content\r\nx-content-length: 9\r\n\r\n", Some(204), None),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", Some(200), None),
        ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", Some(200), None),
    ] {
        let head = parse_head(text.as_bytes()).unwrap();
        assert_eq!((head.status, head.body_bytes, head.bytes), (status, body_bytes, text.len()), "{text}");
    }
}
