use super::*;

fn read(text: &str) -> io::Result<Option<Message>> {
    read_message(&mut text.as_bytes())
}

#[test]
fn messages_are_read_one_behind_the_other() {
    let mut stream: &[u8] =
        b"POST /a HTTP/1.1\r\nIdempotency-Key:k\r\nContent-Length: 2\r\n\r\n{}GET /b HTTP/1.1\r\n\r\n";
    let first = read_message(&mut stream).unwrap().unwrap();
    assert_eq!((first.start.as_str(), first.header("idempotency-key")), ("POST /a HTTP/1.1", Some("k")));
    assert_eq!(first.body, b"{}");
    assert_eq!(read_message(&mut stream).unwrap().unwrap().start, "GET /b HTTP/1.1");
    assert!(read_message(&mut stream).unwrap().is_none());
}

#[test]
fn a_message_that_breaks_off_is_an_error_and_no_message_is_none() {
    assert!(read("").unwrap().is_none());
    for cut in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", "x\r\ncontent-length: 5\r\n\r\nabc"]
    {
        assert_eq!(read(cut).unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{cut}");
    }
    assert!(read("x\r\ncontent-length: many\r\n\r\n").is_err());
}
