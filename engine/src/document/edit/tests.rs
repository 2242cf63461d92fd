use serde_json::json;

use super::*;

fn path(keys: &[&str]) -> DocumentPath {
    keys.iter().fold(DocumentPath::default(), |path, key| match key.parse() {
        Ok(index) => path.index(index),
        Err(_not_a_number) => path.key(key),
    })
}

/// The text after a change that has to leave the rest alone.
fn spliced(text: &str, keys: &[&str], change: &Change) -> String {
    let edited = edit(text, &path(keys), change).unwrap();
    assert!(edited.keeps_comments, "{edited:?}");
    edited.text
}

fn append(entry: &str) -> Change {
    Change::Append(entry.into())
}

const LISTS: &str = "\
// what everybody may
{
  tools: {
    deny: [
      'exec', // no shell
      /* nor */ \"web_*\",
      // the end
    ],
    allow: ['*'], // all the rest
  },
}
";

#[test]
fn an_entry_is_added_behind_the_last_one_and_its_comment() {
    let after = spliced(LISTS, &["tools", "deny"], &append("fs_write"));
    assert_eq!(after, LISTS.replace("\"web_*\",\n", "\"web_*\",\n      \"fs_write\",\n"));
    let after = spliced(LISTS, &["tools", "allow"], &append("web"));
    assert_eq!(after, LISTS.replace("['*']", "['*', \"web\"]"));
    let own_line = "{a: [\n  'x' // why\n]}";
    assert_eq!(spliced(own_line, &["a"], &append("y")), "{a: [\n  'x', // why\n  \"y\"\n]}");
    let behind = "{a: ['x' // why\n]}";
    assert_eq!(spliced(behind, &["a"], &append("y")), "{a: ['x', // why\n  \"y\"\n]}");
}

#[test]
fn an_entry_goes_with_the_comment_in_its_line() {
    let after = spliced(LISTS, &["tools", "deny", "0"], &Change::Remove);
    assert_eq!(after, LISTS.replace("      'exec', // no shell\n", ""));
    assert_eq!(spliced("{a: ['x', 'y', 'z']}", &["a", "1"], &Change::Remove), "{a: ['x', 'z']}");
    assert_eq!(spliced("{a: ['x', 'y']}", &["a", "1"], &Change::Remove), "{a: ['x']}");
    assert_eq!(spliced("{a: ['x' /* one */, 'y',]}", &["a", "0"], &Change::Remove), "{a: ['y',]}");
    assert_eq!(spliced("{a: ['x']}", &["a", "0"], &Change::Remove), "{a: []}");
    assert_eq!(spliced("{\n  a: {b: 1},\n  c: 2\n}", &["c"], &Change::Remove), "{\n  a: {b: 1},\n}");
}

#[test]
fn what_is_missing_on_the_way_is_made() {
    assert_eq!(spliced("{}", &["tools", "deny"], &append("x")), "{\n  tools: {\n    deny: [\"x\"],\n  },\n}");
    assert_eq!(spliced("{ // nothing\n}", &["a"], &append("x")), "{\n  a: [\"x\"], // nothing\n}");
    let after = spliced(LISTS, &["tools", "byProvider", "a/b", "profile"], &Change::Put("coding".into()));
    let added =
        "['*'], // all the rest\n    byProvider: {\n      \"a/b\": {\n        profile: \"coding\",\n      },\n    },\n";
    assert_eq!(after, LISTS.replace("['*'], // all the rest\n", added));
    assert_eq!(spliced("{a: 1 /* one */}", &["a"], &Change::Put(json!(2))), "{a: 2 /* one */}");
    assert_eq!(spliced("{a: []}", &["a"], &Change::Append(json!({"id": "x"}))), "{a: [\n  {\n    id: \"x\",\n  },\n]}");
}

#[test]
fn what_is_not_there_is_said() {
    let refused = |text: &str, keys: &[&str], change: &Change| edit(text, &path(keys), change).unwrap_err();
    assert!(matches!(refused("{", &["a"], &append("x")), EditProblem::Unreadable(_)));
    assert!(matches!(refused("{}", &["a"], &Change::Remove), EditProblem::Missing(_)));
    assert!(matches!(refused("{a: ['x']}", &["a", "1"], &Change::Remove), EditProblem::Missing(_)));
    assert!(matches!(refused("{a: 'x'}", &["a"], &append("y")), EditProblem::Misfit(_)));
    assert!(matches!(refused("[]", &["a", "b"], &append("y")), EditProblem::Misfit(_)));
}

#[test]
fn every_splice_of_a_crooked_text_means_what_was_asked_for() {
    let texts = [
        "{a:['x','y'],b:{c:['z']}}",
        "{a:[/*0*/'x'/*1*/,/*2*/'y'/*3*/]/*4*/,b:{c:[\n'z'//5\n,]}//6\n}",
        "{\n\ta: [\n\t\t'x',\n\t\t'y' // last\n\t],\r\n\tb: {c: ['z',\n]},\r\n}",
        "{a:['x' /* over\nlines */, 'y' /* over\nlines */], b: { c: [ 'z' ] , } }",
    ];
    for text in texts {
        for keys in [&["a"][..], &["b", "c"], &["b", "new"], &["new", "new"]] {
            edit(text, &path(keys), &append("w")).unwrap();
        }
        for keys in [&["a", "0"][..], &["a", "1"], &["b", "c", "0"], &["b", "c"], &["a"], &["b"]] {
            let edited = edit(text, &path(keys), &Change::Remove).unwrap();
            assert!(edited.keeps_comments, "{keys:?} of {text}");
        }
    }
}
