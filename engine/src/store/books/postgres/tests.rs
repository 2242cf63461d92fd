use super::*;

#[test]
fn integers_of_every_width_are_the_same_number() {
    for (type_oid, bytes) in [(20, &[0xff; 8][..]), (23, &[0xff; 4]), (21, &[0xff; 2])] {
        assert_eq!(decode(type_oid, bytes), Cell::Integer(-1));
        assert_eq!(decode(type_oid, &[]), Cell::Other);
        assert_eq!(decode(type_oid, &[0; 3]), Cell::Other);
    }
    assert_eq!(decode(20, &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Cell::Integer(i64::MAX));
    assert_eq!(decode(23, &[0, 0, 1, 0]), Cell::Integer(256));
}

#[test]
fn identifiers_are_bytes_and_what_the_books_do_not_use_is_nothing() {
    assert_eq!(decode(2_950, &[7; 16]), Cell::Bytes(&[7; 16]));
    assert_eq!(decode(17, &[]), Cell::Bytes(&[]));
    assert_eq!(decode(25, b"word"), Cell::Text(b"word"));
    // A boolean, a double.
    assert_eq!(decode(16, &[1]), Cell::Other);
    assert_eq!(decode(701, &[0; 8]), Cell::Other);
}

#[test]
fn other_urls_are_refused_before_anything_is_asked() {
    for url in ["sqlite://books.sqlite", "mysql://localhost/books", "", "/tmp/books"] {
        let refused = read(url, |_| Ok(()));
        assert!(matches!(&refused, Err(StoreError::Url { .. })), "{url}: {refused:?}");
    }
}

#[test]
fn nobody_there_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://someone@localhost/books?host={}", folder.path().display());
    let refused = read(&url, |_| Ok(()));
    assert!(matches!(refused, Err(StoreError::Unreachable { .. })), "{refused:?}");
}
