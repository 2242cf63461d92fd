use super::*;

#[test]
fn a_value_is_read_as_what_it_is_and_as_nothing_else() {
    let bytes = [7_u8; 16];
    assert_eq!(i64::from_cell(Cell::Integer(i64::MIN)), Some(i64::MIN));
    assert_eq!(<[u8; 16]>::from_cell(Cell::Bytes(&bytes)), Some(bytes));
    assert_eq!(<&[u8]>::from_cell(Cell::Bytes(&[])), Some(&[][..]));
    assert_eq!(<&str>::from_cell(Cell::Text("é".as_bytes())), Some("é"));
    assert_eq!(String::from_cell(Cell::Text(b"")), Some(String::new()));
    for cell in [Cell::Null, Cell::Other, Cell::Bytes(&bytes), Cell::Text(b"1")] {
        assert_eq!(i64::from_cell(cell), None, "{cell:?}");
        assert_eq!(u16::from_cell(cell), None, "{cell:?}");
    }
    for cell in [Cell::Null, Cell::Other, Cell::Integer(1), Cell::Text(&bytes)] {
        assert_eq!(<[u8; 16]>::from_cell(cell), None, "{cell:?}");
        assert_eq!(<&[u8]>::from_cell(cell), None, "{cell:?}");
    }
    for cell in [Cell::Null, Cell::Other, Cell::Integer(1), Cell::Bytes(b"a")] {
        assert_eq!(<&str>::from_cell(cell), None, "{cell:?}");
    }
}

#[test]
fn what_does_not_fit_makes_no_sense() {
    for (value, as_i16, as_u16) in [
        (0, Some(0), Some(0)),
        (-1, Some(-1), None),
        (32_767, Some(i16::MAX), Some(32_767)),
        (32_768, None, Some(32_768)),
        (65_536, None, None),
        (i64::MIN, None, None),
    ] {
        assert_eq!(i16::from_cell(Cell::Integer(value)), as_i16, "{value}");
        assert_eq!(u16::from_cell(Cell::Integer(value)), as_u16, "{value}");
    }
    for length in [0, 15, 17, 32] {
        assert_eq!(<[u8; 16]>::from_cell(Cell::Bytes(&vec![0; length])), None, "{length} bytes");
    }
    assert_eq!(<&str>::from_cell(Cell::Text(&[0xff])), None);
}

#[test]
fn nothing_is_a_value_only_where_there_may_be_none() {
    assert_eq!(Option::<i64>::from_cell(Cell::Null), Some(None));
    assert_eq!(Option::<i64>::from_cell(Cell::Integer(3)), Some(Some(3)));
    assert_eq!(Option::<i64>::from_cell(Cell::Text(b"3")), None);
    assert_eq!(Option::<[u8; 32]>::from_cell(Cell::Bytes(&[0; 31])), None);
    assert_eq!(Option::<[u8; 32]>::from_cell(Cell::Other), None);
}

#[test]
fn people_can_read_every_value() {
    for (cell, shown) in [
        (Cell::Integer(-5), "-5"),
        (Cell::Bytes(&[0, 0xab]), "00ab"),
        (Cell::Text(b"wallet"), "wallet"),
        (Cell::Text(&[b'a', 0xff]), "a\u{fffd}"),
        (Cell::Null, "?"),
        (Cell::Other, "?"),
    ] {
        assert_eq!(cell.display(), shown);
    }
}
