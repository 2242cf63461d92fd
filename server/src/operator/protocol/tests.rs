use tokio::io::BufReader;

use super::*;

fn grant() -> Command {
    Command::AccountGrant {
        account: "a@example.com".to_owned(),
        credits: "2.5".to_owned(),
        expires_us: Some(7),
        priority: None,
        reason: "late\nnight".to_owned(),
        key: None,
    }
}

#[test]
fn a_command_is_one_line_and_reads_as_it_was_written() {
    for command in [
        Command::Settings,
        Command::Apply { catalog: "{catalog: {}}\n".to_owned(), policy: None, publishes: true },
        Command::PolicyRollback { number: Some(7), author: "ann".to_owned() },
        grant(),
        Command::PurchaseConfirm { purchase: "pur_1".to_owned() },
    ] {
        let line = write_request(&command).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let read = read_request(&line).unwrap();
        assert_eq!(write_request(&read).unwrap(), line);
    }
}

#[test]
fn a_line_that_is_no_command_is_refused_by_name() {
    let sent = write_request(&grant()).unwrap();
    for (line, exit, text) in [
        ("", Exit::Usage, "the command sent no versioned line"),
        ("GET / HTTP/1.1", Exit::Usage, "the command sent no versioned line"),
        (r#"{"version":3,"command":"from_later"}"#, Exit::Refused, "the command version 3"),
        (r#"{"version":2,"request":{"command":"format_disk"}}"#, Exit::Usage, "unknown variant `format_disk`"),
        (&sent.replace("\"reason\"", "\"raison\""), Exit::Usage, "unknown field `raison`"),
    ] {
        let refused = read_request(line).map(drop).expect_err(line);
        assert!(refused.exit == exit && refused.message.contains(text), "{line}: {refused:?}");
    }
}

#[test]
fn an_answer_keeps_exit_code_message_and_every_digit() {
    let json = RawValue::from_string(r#"{"credits":9007199254740993.000001}"#.to_owned()).unwrap();
    let line = write_answer(Ok(Done { json, lines: vec!["done".to_owned()] })).unwrap();
    let done = read_answer(&line).unwrap();
    assert_eq!((done.json.get(), done.lines), (r#"{"credits":9007199254740993.000001}"#, vec!["done".to_owned()]));

    let refused = NotDone::new(Exit::Database, "no room");
    assert_eq!(read_answer(&write_answer(Err(refused.clone())).unwrap()).unwrap_err(), refused);
    for line in
        [r#"{"version":2,"exit":0}"#, r#"{"version":2,"exit":9,"error":"x"}"#, r#"{"version":2,"exit":0,"error":"x"}"#]
    {
        assert!(read_answer(line).unwrap_err().message.contains("makes no sense"), "{line}");
    }
}

#[tokio::test]
async fn a_line_that_is_cut_off_or_not_text_is_not_read() {
    for (bytes, kind) in [
        (&b""[..], ErrorKind::UnexpectedEof),
        (b"{\"version\":2", ErrorKind::InvalidData),
        (b"\xff\n", ErrorKind::InvalidData),
    ] {
        assert_eq!(read_line(&mut BufReader::new(bytes)).await.unwrap_err().kind(), kind);
    }
    let mut two = BufReader::new(&b"one\ntwo\n"[..]);
    assert_eq!(
        (read_line(&mut two).await.unwrap(), read_line(&mut two).await.unwrap()),
        ("one\n".into(), "two\n".into())
    );
}

#[tokio::test]
async fn a_line_without_an_end_is_given_up_at_its_maximum() {
    let endless = tokio::io::repeat(b'x');
    assert_eq!(read_line(&mut BufReader::new(endless)).await.unwrap_err().kind(), ErrorKind::InvalidData);
}
