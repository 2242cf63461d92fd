use super::*;

const TREE: &str = "\
0server v0.1.0 (/work)\tMIT
1engine v0.1.0 (/work/engine)\tMIT
2rusqlite v0.38.0\tMIT
3libsqlite3-sys v0.36.0\tMIT
2thiserror-impl v2.0.0 (proc-macro)\tMIT OR Apache-2.0
1admin v0.1.0 (/work/admin)\tMIT
2engine v0.1.0 (/work/engine)\tMIT (*)

0engine v0.1.0 (/work/engine)\tMIT (*)
0old v0.9.0\t
1rusqlite v0.37.0\tMIT
";

#[test]
fn parents_follow_from_the_depth() {
    let graph = Graph::parse(TREE);
    assert_eq!(graph.dependants("engine"), BTreeSet::from(["admin", "server"]));
    assert_eq!(graph.dependants("rusqlite"), BTreeSet::from(["engine", "old"]));
    assert_eq!(graph.dependants("admin"), BTreeSet::from(["server"]));
    assert_eq!(graph.dependencies("engine"), BTreeSet::from(["rusqlite", "thiserror-impl"]));
    assert_eq!(graph.versions("rusqlite"), ["0.37.0", "0.38.0"]);
    assert_eq!(graph.versions("ring"), Vec::<&str>::new());
}

#[test]
fn licences_lose_the_mark_of_repetition() {
    let graph = Graph::parse(TREE);
    let licence_of = |name: &str| graph.licences().find(|(node, _)| node.name == name).map(|(_, licence)| licence);
    assert_eq!(licence_of("engine"), Some("MIT"));
    assert_eq!(licence_of("thiserror-impl"), Some("MIT OR Apache-2.0"));
    assert_eq!(licence_of("old"), Some(""));
}
