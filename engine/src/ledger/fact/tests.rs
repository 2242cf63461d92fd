use std::collections::BTreeSet;

use super::*;

#[test]
fn every_table_has_a_tag_of_its_own_that_its_things_begin_with() {
    let tags: BTreeSet<_> = FACT_TABLES.iter().map(|table| table.tag).collect();
    assert_eq!(tags.len(), FACT_TABLES.len());
    for table in FACT_TABLES {
        assert_eq!(FactTable::of_thing(table.thing(Cell::Int(7))), Some(table));
        assert_ne!(table.thing(Cell::Int(7)), table.thing(Cell::Int(8)));
    }
    assert_eq!(FactTable::of_thing(EntryId::from(Uuid::from_u128(0))), None);
}

#[test]
fn no_two_rows_have_the_same_digest() {
    let values = [Cell::Text("ab"), Cell::Text("c"), Cell::Int(1), Cell::Null];
    let same = PUBLISHER.digest(Cell::Int(1), &values);
    assert_eq!(same, PUBLISHER.digest(Cell::Int(1), &values));
    for other in [
        PUBLISHER.digest(Cell::Int(2), &values),
        PARTNER.digest(Cell::Int(1), &values),
        PUBLISHER.digest(Cell::Int(1), &[Cell::Text("a"), Cell::Text("bc"), Cell::Int(1), Cell::Null]),
        PUBLISHER.digest(Cell::Int(1), &[Cell::Bytes(b"ab"), Cell::Text("c"), Cell::Int(1), Cell::Null]),
        PUBLISHER.digest(Cell::Int(1), &[Cell::Text("ab"), Cell::Text("c"), Cell::Int(1), Cell::Int(0)]),
        PUBLISHER.digest(Cell::Int(1), &[Cell::Text("ab"), Cell::Null, Cell::Int(1), Cell::Null]),
    ] {
        assert_ne!(same, other);
    }
}
