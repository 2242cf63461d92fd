use super::*;

fn read(chunks: &[&str]) -> Vec<Event> {
    let mut reader = EventReader::new(1_000);
    chunks.iter().flat_map(|chunk| reader.read(chunk.as_bytes()).unwrap()).collect()
}

fn data(text: &str) -> Event {
    Event { data: Some(text.to_owned()), ..Event::default() }
}

#[test]
fn events_end_with_an_empty_line_however_lines_end() {
    let cases: &[(&str, &[Event])] = &[
        ("data: a\n\ndata: b\n\n", &[data("a"), data("b")]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", &[data("a"), data("b")]),
        ("data: a\r\rdata: b\r\r", &[data("a"), data("b")]),
        ("\u{feff}data:a\n\n", &[data("a")]),
        ("data:  a\n\n", &[data(" a")]),
        ("data: a\ndata: b\ndata\n\n", &[data("a\nb\n")]),
        (": a comment\n\n\n\ndata: é\n\n", &[data("é")]),
        ("unknown: x\ndata: a\n\n", &[data("a")]),
        ("data: half", &[]),
        ("data: half\n", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(&[text]), *expected, "{text:?}");
        let bytes: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(read(&bytes.iter().map(String::as_str).collect::<Vec<_>>()), *expected, "{text:?}, sign by sign");
    }
}

#[test]
fn an_event_has_a_name_a_kind_and_a_pause() {
    let text = "id: 7\nretry: 20\nevent: message\ndata: a\n\nid: bad\0\nretry: soon\nevent: ping\ndata: b\n\nid: 8\n\n";
    let events = read(&[text]);
    let expected = [
        Event {
            data: Some("a".to_owned()),
            id: Some("7".to_owned()),
            kind: Some("message".to_owned()),
            retry_ms: Some(20),
        },
        Event { data: Some("b".to_owned()), kind: Some("ping".to_owned()), ..Event::default() },
        Event { id: Some("8".to_owned()), ..Event::default() },
    ];
    assert_eq!(events, expected);
    assert_eq!(events.iter().map(Event::is_message).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn an_event_is_bounded_whatever_it_is_long_in() {
    for text in
        ["x".repeat(1_001), format!("data: {}\n", "x".repeat(600)).repeat(2), format!("id: {}\n", "x".repeat(999))]
    {
        let mut reader = EventReader::new(1_000);
        assert_eq!(reader.read(text.as_bytes()), Err(BadEvents::TooLong(1_000)));
    }
    let mut reader = EventReader::new(1_000);
    for _ in 0..100 {
        assert_eq!(reader.read(format!("data: {}\n\n", "x".repeat(900)).as_bytes()).unwrap().len(), 1);
    }
}

#[test]
fn what_is_not_utf_8_is_no_event() {
    let mut reader = EventReader::new(1_000);
    assert_eq!(reader.read(b"data: \xff\n\n"), Err(BadEvents::NotUtf8));
}
