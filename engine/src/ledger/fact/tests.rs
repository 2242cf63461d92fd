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

#[test]
fn what_decides_who_is_paid_changes_the_digest() {
    let (id, ours, theirs) = (Cell::Bytes(&[1; 16]), Cell::Bytes(&[2; 16]), Cell::Bytes(&[3; 16]));
    let (name, other, made) = (Cell::Text("acme"), Cell::Text("evil"), Cell::Int(9));
    let wallet = |overdraft| vec![Cell::Text("liabilities:wallet:a"), Cell::Int(1), made, overdraft];
    for (what, table, stated, found) in [
        ("a namespace's publisher", NAMESPACE, vec![name, ours, made], vec![name, theirs, made]),
        ("a namespace's name", NAMESPACE, vec![name, ours, made], vec![other, ours, made]),
        ("a tool's namespace", TOOL, vec![ours, name, made], vec![theirs, name, made]),
        ("a tool without its namespace", TOOL, vec![ours, name, made], vec![Cell::Null, name, made]),
        ("a tool's name", TOOL, vec![ours, name, made], vec![ours, other, made]),
        ("an overdraft", LEDGER_ACCOUNT, wallet(Cell::Int(0)), wallet(Cell::Int(1))),
        ("no limit any more", LEDGER_ACCOUNT, wallet(Cell::Int(0)), wallet(Cell::Null)),
    ] {
        assert_eq!(table.columns.len(), stated.len(), "{what}");
        assert_ne!(table.digest(id, &stated), table.digest(id, &found), "{what}");
    }
}
